/** Shards whose thread is lost: what is answered, what comes back, what does not notice. */
import { type Disk, openPlane, type Plane, type PlaneError } from 'sealdisk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { openSabotaged } from '../support/sabotaged-plane.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const SECTOR = 4096;
const OFTEN = { shardHangMs: 1_000, shardHeapMb: 64, lossesMax: Number.POSITIVE_INFINITY };

const outcomeOf = (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => 'OK',
    (error: PlaneError) => error.code,
  );

/** Disks are placed in turn: the first on shard 0, the second on shard 1. */
async function newDisk(plane: Plane, parameters = {}): Promise<string> {
  const size = { Size: 1, Encrypted: true, ...parameters };
  return (await plane.call('CreateDisk', size)).DiskId;
}

async function untilServed(disk: Disk): Promise<void> {
  await expect.poll(() => outcomeOf(disk.read(0, 1)), { timeout: 60_000 }).toBe('OK');
}

function pattern(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  createPrng(seed).fill(bytes);
  return bytes;
}

let directory: TempDir;
let dataDir: string;
beforeEach(() => {
  directory = tempDir();
  dataDir = `${directory.path}/plane`;
});
afterEach(() => directory[Symbol.dispose]());

describe('a shard whose thread is lost', () => {
  it.each(['terminate', 'throw', 'exit', 'hang', 'outOfMemory'] as const)(
    '%s: each request has one answer, its disks serve again, others do not notice',
    async (fault) => {
      await using opened = await openSabotaged({ dataDir }, OFTEN);
      const { plane, sabotage } = opened;
      const [disk, other] = [
        await plane.attach(await newDisk(plane)),
        await plane.attach(await newDisk(plane)),
      ];
      const bytes = pattern(1, 64 * SECTOR);
      await disk.write(0, bytes);
      await other.write(0, bytes);
      let answers = 0;
      const inFlight = Array.from({ length: 200 }, (_, at) =>
        outcomeOf(disk.write((at % 64) * SECTOR, bytes.subarray(0, SECTOR))).finally(() => {
          answers++;
        }),
      );
      const elsewhere = Array.from({ length: 200 }, () => outcomeOf(other.read(0, SECTOR)));
      await Promise.resolve();
      const lost = sabotage.killShard(0, fault);
      const outcomes = await Promise.all(inFlight);
      await lost;
      expect(new Set([...outcomes, 'OK', 'ShardLost'])).toEqual(new Set(['OK', 'ShardLost']));
      expect(new Set(await Promise.all(elsewhere))).toEqual(new Set(['OK']));
      // Made while there is no thread: they wait for the next one.
      await disk.write(0, bytes);
      await disk.flush();
      expectBytes(await disk.read(0, bytes.length), bytes);
      expect(answers).toBe(200);
      const { shards } = await plane.stats();
      expect(shards.map(({ losses, heldKeys }) => [losses, heldKeys])).toEqual([
        [1, 1],
        [0, 1],
      ]);
      expect((await plane.check()).problems).toEqual([]);
      await disk.close();
      expect((await plane.stats()).shards[0]).toMatchObject({ openVolumes: 0, heldKeys: 0 });
    },
  );

  it('keeps what it acknowledged through thirty losses under load, each sector whole', async () => {
    const versions = new Map<number, { acknowledged: number; issued: number }>();
    let version = 0;
    {
      await using opened = await openSabotaged({ dataDir }, OFTEN);
      const { plane, sabotage } = opened;
      const disk = await plane.attach(await newDisk(plane));
      for (let round = 0; round < 30; round++) {
        const writes = Array.from({ length: 60 }, async (_, index) => {
          const sector = index % 16;
          const mine = ++version;
          const known = versions.get(sector) ?? { acknowledged: 0, issued: 0 };
          versions.set(sector, known);
          known.issued = mine;
          const outcome = await outcomeOf(
            disk.write(sector * SECTOR, new Uint8Array(new Uint32Array(1024).fill(mine).buffer)),
          );
          if (outcome === 'OK') known.acknowledged = Math.max(known.acknowledged, mine);
          else expect(outcome).toBe('ShardLost');
        });
        const lost = sabotage.killShard(0);
        await Promise.all([...writes, lost]);
        await untilServed(disk);
        for (const [sector, { acknowledged, issued }] of versions) {
          const read = new Uint32Array((await disk.read(sector * SECTOR, SECTOR)).buffer);
          expect(new Set(read).size).toBe(1);
          expect(read[0]).toBeGreaterThanOrEqual(acknowledged);
          expect(read[0]).toBeLessThanOrEqual(issued);
        }
      }
      expect((await plane.check()).problems).toEqual([]);
    }
    await using again = await openPlane({ dataDir });
    expect((await again.check()).problems).toEqual([]);
  });

  it('leaves a disk closed while its key is disabled, and brings it back then', async () => {
    await using opened = await openSabotaged({ dataDir, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const { KeyId } = (await plane.call('CreateKey', {})).KeyMetadata;
    const disk = await plane.attach(await newDisk(plane, { KMSKeyId: KeyId }));
    const other = await plane.attach(await newDisk(plane));
    const bytes = pattern(2, 4 * SECTOR);
    await disk.write(0, bytes);
    await plane.call('DisableKey', { KeyId });
    expectBytes(await disk.read(0, bytes.length), bytes);
    await sabotage.killShard(0);
    await untilServed(other);
    for (const request of [disk.read(0, 1), disk.write(0, bytes), disk.allocation(0, 1)]) {
      expect(await outcomeOf(request)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    }
    await plane.call('ResizeDisk', { DiskId: disk.diskId, NewSize: 2 }).catch(() => undefined);
    await plane.call('EnableKey', { KeyId });
    await untilServed(disk);
    expectBytes(await disk.read(0, bytes.length), bytes);
    const { Events } = await plane.call('LookupEvents', { ResourceId: disk.diskId });
    const uses = Events.filter(({ Reason }) => Reason === 'ReplaceShard');
    expect(new Set(uses.map(({ Outcome }) => Outcome))).toEqual(
      new Set(['OK', 'Rejected.Disabled']),
    );
    await disk.close();
  });

  it('has the registered buffers again: requests in them are still not copied', async () => {
    await using opened = await openSabotaged({ dataDir, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const disk = await plane.attach(await newDisk(plane));
    await using registered = await plane.registerBuffer(new SharedArrayBuffer(64 * SECTOR));
    const bytes = new Uint8Array(registered.buffer);
    createPrng(3).fill(bytes);
    const expected = bytes.slice();
    await disk.write(0, bytes);
    await sabotage.killShard(0);
    await disk.write(64 * SECTOR, bytes);
    await sabotage.killShard(0, 'exit');
    bytes.fill(0);
    await disk.read(64 * SECTOR, bytes);
    expectBytes(bytes.slice(), expected);
    await disk.read(0, bytes);
    expectBytes(bytes.slice(), expected);
  });

  it('goes on with snapshots and with a re-encryption that was under way', async () => {
    await using opened = await openSabotaged({ dataDir, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const DiskId = await newDisk(plane);
    const disk = await plane.attach(DiskId);
    const bytes = pattern(4, 1024 * SECTOR);
    await disk.write(0, bytes);
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
    const pace = { BytesPerSecond: 512 * SECTOR };
    const { TaskId } = await plane.call('RekeyDisk', { DiskId, ...pace });
    for (let round = 0; round < 3; round++) {
      bytes.set(pattern(5 + round, SECTOR), round * SECTOR);
      await disk.write(round * SECTOR, bytes.subarray(round * SECTOR, (round + 1) * SECTOR));
      await sabotage.killShard(0);
      expectBytes(await disk.read(0, bytes.length), bytes);
    }
    const fast = { TaskId, BytesPerSecond: 0 };
    await plane.call('PauseTask', { TaskId });
    await plane.call('ResumeTask', fast);
    const statusOf = async (): Promise<unknown> =>
      (await plane.call('DescribeTasks', { TaskIds: [TaskId] })).Tasks[0]?.TaskStatus;
    await expect.poll(statusOf, { timeout: 60_000 }).toBe('Finished');
    await sabotage.killShard(0);
    expectBytes(await disk.read(0, bytes.length), bytes);
    const clone = await plane.attach(await newDisk(plane, { SnapshotId, Encrypted: undefined }));
    expectBytes(await clone.read(0, SECTOR), pattern(4, 1024 * SECTOR).subarray(0, SECTOR));
    expect((await plane.check()).problems).toEqual([]);
  });

  it('has the snapshots again that were open for reading, until they are deleted', async () => {
    await using opened = await openSabotaged({ dataDir, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const DiskId = await newDisk(plane);
    const disk = await plane.attach(DiskId);
    const bytes = pattern(8, 64 * SECTOR);
    await disk.write(0, bytes);
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
    await using reader = await plane.openSnapshot(SnapshotId);
    await disk.write(0, pattern(9, 64 * SECTOR));
    for (const fault of ['terminate', 'exit'] as const) {
      await sabotage.killShard(0, fault);
      expectBytes(await reader.read(0, bytes.length), bytes);
      expect(await reader.allocation(0, bytes.length)).toEqual([
        { length: bytes.length, isHole: false },
      ]);
    }
    expect((await plane.stats()).shards[0]).toMatchObject({ openVolumes: 2, heldKeys: 2 });
    await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
    await sabotage.killShard(0);
    expect(await outcomeOf(reader.read(0, 1))).toBe('InvalidSnapshotId.NotFound');
    await reader.close();
    expectBytes(await disk.read(0, SECTOR), pattern(9, 64 * SECTOR).subarray(0, SECTOR));
    expect((await plane.stats()).shards[0]).toMatchObject({ openVolumes: 1, trees: 1 });
  });

  it('holds the disks of a running instance on', async () => {
    await using opened = await openSabotaged({ dataDir, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const { InstanceIdSets } = await plane.call('RunInstances', {
      ImageId: 'debian_12_x64_20G_alibase_20250117.vhd',
      InstanceType: 'ecs.g7.large',
      SystemDisk: { Encrypted: true },
    });
    const InstanceId = String(InstanceIdSets[0]);
    const { Disks } = await plane.call('DescribeDisks', { InstanceId });
    const disk = await plane.attach(Disks[0]?.DiskId ?? '');
    const bytes = pattern(6, SECTOR);
    await disk.write(0, bytes);
    await sabotage.killShard(0);
    expectBytes(await disk.read(0, SECTOR), bytes);
    await plane.call('StopInstance', { InstanceId });
    expect((await plane.stats()).shards[0]).toMatchObject({ openVolumes: 0, heldKeys: 0 });
  });

  it('stays down when it is lost too often; the plane and its other shards stay up', async () => {
    await using opened = await openSabotaged({ dataDir }, { lossesMax: 2 });
    const { plane, sabotage } = opened;
    const ids = [await newDisk(plane), await newDisk(plane)] as const;
    const [disk, other] = await Promise.all(ids.map((id) => plane.attach(id)));
    await sabotage.killShard(0);
    await untilServed(disk!);
    await sabotage.killShard(0);
    const request = disk!.read(0, 1);
    await expect(request).rejects.toThrow(/ShardLost: shard 0 was lost 2 times within 60 s/);
    expect(await outcomeOf(plane.call('CreateSnapshot', { DiskId: ids[0] }))).toBe('ShardLost');
    expect(await outcomeOf(plane.stats())).toBe('ShardLost');
    await other!.write(0, new Uint8Array(SECTOR));
    await plane.call('CreateSnapshot', { DiskId: ids[1] });
    await disk!.close();
    expect(await outcomeOf(plane.attach(ids[0]))).toBe('ShardLost');
    await (await plane.registerBuffer(new SharedArrayBuffer(SECTOR))).close();
  });
});

describe('a shard in memory whose thread is lost', () => {
  it('answers DataLost for what was in it, for ever, and takes new disks', async () => {
    await using opened = await openSabotaged({ memory: true, shards: 1 }, OFTEN);
    const { plane, sabotage } = opened;
    const DiskId = await newDisk(plane);
    const untouched = await newDisk(plane);
    const disk = await plane.attach(DiskId);
    await disk.write(0, new Uint8Array(SECTOR).fill(1));
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
    await sabotage.killShard(0);
    for (let round = 0; round < 2; round++) {
      expect(await outcomeOf(disk.read(0, 1))).toBe('DataLost');
      expect(await outcomeOf(disk.write(0, new Uint8Array(1)))).toBe('DataLost');
    }
    await disk.close();
    expect(await outcomeOf(plane.attach(DiskId))).toBe('DataLost');
    expect(await outcomeOf(plane.call('CreateDisk', { SnapshotId }))).toBe('DataLost');
    expect(await outcomeOf(plane.call('CreateSnapshot', { DiskId }))).toBe('DataLost');
    const fresh = await plane.attach(untouched);
    await fresh.write(0, new Uint8Array(SECTOR).fill(2));
    expect(await fresh.read(0, 1)).toEqual(Uint8Array.of(2));
    await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
    await plane.call('DeleteDisk', { DiskId });
    expect((await plane.check()).problems).toEqual([]);
  });
});
