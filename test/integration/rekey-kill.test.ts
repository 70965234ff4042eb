/** A process killed while it moves a disk to another key: what it acknowledged is there. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { openPlane } from 'sealdisk';
import { expect, test } from 'vitest';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const SECTOR = 4096;
const SECTORS = 1024;
const VICTIM = new URL('rekey-victim.mjs', import.meta.url).pathname;

/**
 * Runs the victim until it has acknowledged so many writes, then kills it.
 *
 * @returns by sector: the version last acknowledged
 */
async function kill(
  dataDir: string,
  diskId: string,
  seed: number,
  writes: number,
): Promise<Map<number, number>> {
  const child = spawn(process.execPath, [VICTIM, dataDir, diskId, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged = new Map<number, number>();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'begun') continue;
    const [sector, version] = line.split(' ').map(Number);
    acknowledged.set(sector!, version!);
    if (++lines === writes) child.kill('SIGKILL');
  }
  await ended;
  expect(lines).toBeGreaterThanOrEqual(writes);
  return acknowledged;
}

test("every acknowledged write is read back, kill after kill, and at the task's end", async () => {
  using temporary = tempDir();
  const dataDir = `${temporary.path}/plane`;
  const expected = new Map<number, number>();
  let diskId = '';
  {
    await using plane = await openPlane({ dataDir });
    diskId = (await plane.call('CreateDisk', { Size: 1, Encrypted: true })).DiskId;
    await using disk = await plane.attach(diskId);
    const bytes = new Uint8Array(SECTORS * SECTOR);
    const view = new DataView(bytes.buffer);
    for (let sector = 0; sector < SECTORS; sector++) {
      view.setUint32(sector * SECTOR, 1_000 + sector);
      expected.set(sector, 1_000 + sector);
    }
    await disk.write(0, bytes);
    await disk.flush();
  }
  for (const [seed, writes] of [
    [10_000_000, 300],
    [20_000_000, 700],
  ] as const) {
    const acknowledged = await kill(dataDir, diskId, seed, writes);
    for (const [sector, version] of acknowledged) expected.set(sector, version);
    // The write in flight at the kill may be there or not.
    const isLater = (found: number, version: number): boolean => found > version && found >= seed;
    await using plane = await openPlane({ dataDir });
    await using disk = await plane.attach(diskId);
    const compare = async (): Promise<number> => {
      const bytes = await disk.read(0, SECTORS * SECTOR);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      let unacknowledged = 0;
      for (const [sector, version] of expected) {
        const found = view.getUint32(sector * SECTOR);
        if (found === version) continue;
        const isTrimmed = found === 0;
        expect(isTrimmed || isLater(found, version), `${sector}: ${found}, ${version}`).toBe(true);
        expected.set(sector, found);
        unacknowledged++;
      }
      return unacknowledged;
    };
    expect(await compare()).toBeLessThanOrEqual(1);
    if (seed === 10_000_000) continue;
    const { Tasks } = await plane.call('DescribeTasks', { ResourceIds: [diskId] });
    expect(Tasks).toHaveLength(1);
    // It may have ended by now.
    const resumed = plane.call('ResumeTask', { TaskId: Tasks[0]!.TaskId, BytesPerSecond: 0 });
    expect(['it was not refused', 'IncorrectTaskStatus']).toContain(await codeOf(resumed));
    const statuses = async (): Promise<string[]> => {
      const described = await plane.call('DescribeTasks', { ResourceIds: [diskId] });
      return described.Tasks.map(({ TaskStatus }) => TaskStatus);
    };
    await expect.poll(statuses, { timeout: 30_000 }).toEqual(['Finished']);
    expect(await compare()).toBe(0);
    expect((await plane.check()).problems).toEqual([]);
  }
});
