/** Where the time of requests goes, through real threads: what a disk says, and the metrics. */

import { type Disk, type IoStages, openPlane } from 'sealdisk';
import { describe, expect, it } from 'vitest';

const PARTS = ['queue', 'crypto', 'store', 'held', 'answer'] as const;
const sumOf = (stages: IoStages): number => PARTS.reduce((sum, part) => sum + stages[part], 0);

async function writeAndRead(disk: Disk, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await disk.write(0, new Uint8Array(65_536).fill(time));
    await disk.read(0, 65_536);
  }
}

describe('the stages of requests', () => {
  it('are those of each disk: the first of its requests, then one in 32', async () => {
    await using plane = await openPlane({ memory: true, shards: 1 });
    const create = async (Encrypted: boolean) => {
      const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted });
      return plane.attach(DiskId);
    };
    await using secret = await create(true);
    await using plain = await create(false);
    expect(secret.stages.requests).toBe(0);
    await writeAndRead(secret, 33);
    await writeAndRead(plain, 1);
    expect(secret.stages.requests).toBe(3);
    expect(plain.stages.requests).toBe(1);
    expect(secret.stages.crypto).toBeGreaterThan(0);
    expect(plain.stages.crypto).toBe(0);
    for (const part of ['queue', 'store', 'answer'] as const) {
      expect(secret.stages[part]).toBeGreaterThan(0);
    }
    const { shards } = await plane.stats();
    const rows = shards[0]?.io.filter(({ encrypted }) => encrypted) ?? [];
    const whole = rows.reduce((sum, { times }) => sum + times.seconds, 0);
    expect(sumOf(secret.stages)).toBeGreaterThanOrEqual(whole * 0.999_999);
    expect(sumOf(secret.stages)).toBeLessThanOrEqual(whole * 1.01 + 1e-6);
    expect(shards[0]?.unwraps).toMatchObject({ total: 1 });
  });

  it('tell what a modelled disk holds back', async () => {
    await using plane = await openPlane({ memory: true, shards: 1 });
    const { DiskId } = await plane.call('CreateDisk', { Size: 20, Encrypted: true });
    await using disk = await plane.attach(DiskId, { performance: 'modelled' });
    await disk.write(0, new Uint8Array(4096));
    expect(disk.stages.requests).toBe(1);
    expect(disk.stages.held).toBeGreaterThan(0);
  });

  it('are of requests of many pieces, too', async () => {
    await using plane = await openPlane({ memory: true, shards: 1 });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    await using disk = await plane.attach(DiskId);
    await disk.write(100, new Uint8Array(3_000_000));
    const { requests, crypto, queue } = disk.stages;
    expect(requests).toBe(1);
    expect(crypto).toBeGreaterThan(0);
    expect(queue).toBeGreaterThanOrEqual(0);
  });
});
