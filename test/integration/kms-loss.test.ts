/** A KMS thread that is lost: what is answered, what comes back, what does not notice. */
import type { Plane, PlaneError } from 'sealdisk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSabotaged } from '../support/sabotaged-plane.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const SECTOR = 4096;
const OFTEN = { kmsHangMs: 1_000, shardHangMs: 5_000, lossesMax: Number.POSITIVE_INFINITY };

const outcomeOf = (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => 'OK',
    (error: PlaneError) => error.code,
  );

async function newDisk(plane: Plane): Promise<string> {
  return (await plane.call('CreateDisk', { Size: 1, Encrypted: true })).DiskId;
}

let directory: TempDir;
let dataDir: string;
beforeEach(() => {
  directory = tempDir();
  dataDir = `${directory.path}/plane`;
});
afterEach(() => directory[Symbol.dispose]());

describe('a KMS thread that is lost', () => {
  it.each(['terminate', 'throw', 'exit', 'hang'] as const)(
    '%s: calls are answered once, attached disks do not notice, new keys can be had',
    async (fault) => {
      await using opened = await openSabotaged({ dataDir }, OFTEN);
      const { plane, sabotage } = opened;
      const { KeyId } = (await plane.call('CreateKey', {})).KeyMetadata;
      const disk = await plane.attach(await newDisk(plane));
      const waiting = await newDisk(plane);
      const lost = sabotage.killKms(fault);
      // Made again, since nobody has what the lost thread may have made.
      const repeated = [
        plane.call('GenerateDataKey', { KeyId }),
        plane.call('DescribeKey', { KeyId }),
      ];
      // It may have been made, or not.
      const told = /KmsUnavailable: .*whether it did .* is not known/;
      const made = plane.call('CreateKey', { Description: 'maybe' });
      const unknown = expect(made).rejects.toThrow(told);
      const written = disk.write(0, new Uint8Array(SECTOR).fill(1));
      expect(await Promise.all(repeated.map(outcomeOf))).toEqual(['OK', 'OK']);
      await unknown;
      await written;
      await lost;
      expect((await disk.read(0, 1))[0]).toBe(1);
      // Both shards have a private channel to the new thread.
      const attached = [await plane.attach(waiting), await plane.attach(await newDisk(plane))];
      for (const each of attached) await each.write(0, new Uint8Array(SECTOR));
      const { shards } = await plane.stats();
      expect(shards.map(({ losses }) => losses)).toEqual([0, 0]);
      expect((await plane.check()).problems).toEqual([]);
    },
  );

  it('lost with keys on their way: attaches are answered by the next thread', async () => {
    await using opened = await openSabotaged({ dataDir }, OFTEN);
    const { plane, sabotage } = opened;
    const ids = await Promise.all(Array.from({ length: 8 }, () => newDisk(plane)));
    for (let round = 0; round < 10; round++) {
      const attaching = ids.map((id) => plane.attach(id));
      const lost = sabotage.killKms();
      const disks = await Promise.all(attaching);
      await lost;
      for (const disk of disks) {
        await disk.write(0, new Uint8Array(SECTOR));
        await disk.close();
      }
    }
  });

  it('lost together with a shard: both come back', async () => {
    await using opened = await openSabotaged({ dataDir, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const disk = await plane.attach(await newDisk(plane));
    for (let round = 0; round < 5; round++) {
      await Promise.all([sabotage.killKms(), sabotage.killShard(0)]);
      const served = (): Promise<string> => outcomeOf(disk.write(0, new Uint8Array(SECTOR)));
      await expect.poll(served, { timeout: 60_000 }).toBe('OK');
    }
  });

  it('stays down when it is lost too often; attached disks are still served', async () => {
    await using opened = await openSabotaged({ dataDir }, { lossesMax: 2 });
    const { plane, sabotage } = opened;
    const disk = await plane.attach(await newDisk(plane));
    await sabotage.killKms();
    await newDisk(plane);
    await sabotage.killKms();
    await expect(newDisk(plane)).rejects.toThrow(/KmsUnavailable: .*lost 2 times within 60 s/);
    await disk.write(0, new Uint8Array(SECTOR));
    await disk.close();
  });

  it('in memory has taken its keys with it; attached disks are still served', async () => {
    await using opened = await openSabotaged({ memory: true, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const disk = await plane.attach(await newDisk(plane));
    await disk.write(0, new Uint8Array(SECTOR).fill(7));
    await sabotage.killKms();
    await expect(newDisk(plane)).rejects.toThrow(/KmsUnavailable: .*keys were in its memory/);
    expect((await disk.read(0, 1))[0]).toBe(7);
    const { DiskId } = await plane.call('CreateDisk', { Size: 1 });
    const plain = await plane.attach(DiskId);
    await plain.write(0, new Uint8Array(SECTOR));
  });
});
