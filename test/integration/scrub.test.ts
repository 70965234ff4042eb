/** Scrub: what it finds in files that are damaged under an open plane, and what it leaves alone. */
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, openPlane, type ScrubProgress } from 'sealdisk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { codeOf } from '../support/refusal.ts';
import { openSabotaged } from '../support/sabotaged-plane.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const SECTOR = 4096;
const MIB = 2 ** 20;
/** More than a segment: the first one is sealed, and read from its file. */
const BYTES = 20 * MIB;
const FAST = { bytesPerSecond: 0 };

let directory: TempDir;
let dataDir: string;
beforeEach(() => {
  directory = tempDir();
  dataDir = join(directory.path, 'plane');
});
afterEach(() => directory[Symbol.dispose]());

function flipBit(slot: number): void {
  const segments = join(dataDir, 'shard-0', 'segments');
  const [first = ''] = readdirSync(segments).sort();
  const file = openSync(join(segments, first), 'r+');
  const byte = new Uint8Array(1);
  readSync(file, byte, 0, 1, slot * SECTOR + 5);
  byte[0]! ^= 1;
  writeSync(file, byte, 0, 1, slot * SECTOR + 5);
  closeSync(file);
}

async function fill(disk: Disk): Promise<Uint8Array> {
  const bytes = new Uint8Array(BYTES);
  createPrng(1).fill(bytes);
  await disk.write(0, bytes);
  return bytes;
}

describe('a scrub', () => {
  it('finds every damaged sector, for each that has it, and nothing else is an error', async () => {
    await using plane = await openPlane({ dataDir, shards: 1 });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    await using disk = await plane.attach(DiskId);
    const bytes = await fill(disk);
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
    await disk.flush();
    const sound = await plane.scrub(FAST);
    expect(sound).toMatchObject({ isComplete: true, damagedSectors: 0, damage: [] });
    expect(sound.sectorsRead).toBe((2 * BYTES) / SECTOR);
    const damaged = [3, 100, 101, 2000];
    for (const slot of damaged) flipBit(slot);
    const seen: ScrubProgress[] = [];
    const onProgress = (progress: ScrubProgress): void => void seen.push(progress);
    const report = await plane.scrub({ ...FAST, onProgress });
    const code = 'ChecksumMismatch';
    expect(report.damage).toEqual(
      [DiskId, SnapshotId].flatMap((resourceId) =>
        damaged.map((sector) => ({ resourceId, sector, code })),
      ),
    );
    const last = { shardsDone: 1, treesDone: 2, trees: 2, damagedSectors: 2 * damaged.length };
    expect(seen.at(-1)).toEqual({ ...last, sectorsRead: report.sectorsRead });
    for (const sector of damaged) {
      expect(await codeOf(disk.read(sector * SECTOR, SECTOR))).toBe(code);
    }
    for (const [from, to] of [
      [0, 3],
      [4, 100],
      [102, 2000],
      [2001, BYTES / SECTOR],
    ] as const) {
      const range = [from * SECTOR, to * SECTOR] as const;
      expectBytes(await disk.read(range[0], range[1] - range[0]), bytes.subarray(...range));
    }
    const { Events } = await plane.call('LookupEvents', { ResourceId: SnapshotId });
    expect(Events.filter(({ EventName }) => EventName === 'Scrub')).not.toEqual([]);
    // Written again, a sector of the disk is sound; the snapshot keeps what it has.
    for (const sector of damaged) await disk.write(sector * SECTOR, new Uint8Array(SECTOR));
    const again = await plane.scrub(FAST);
    expect(again.damage.map(({ resourceId }) => resourceId)).toEqual(damaged.map(() => SnapshotId));
  });

  it('keeps its pace beside callers, is one at a time, and ends when it is told to', async () => {
    await using plane = await openPlane({ dataDir, shards: 1 });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    const disk = await plane.attach(DiskId);
    await fill(disk);
    const start = performance.now();
    const report = await plane.scrub({ bytesPerSecond: 40 * MIB });
    expect(report).toMatchObject({ isComplete: true, sectorsRead: BYTES / SECTOR });
    expect(performance.now() - start).toBeGreaterThan(300);
    const abort = new AbortController();
    const slow = plane.scrub({ bytesPerSecond: MIB, signal: abort.signal });
    expect(await codeOf(plane.scrub())).toBe('OperationConflict');
    await disk.write(0, new Uint8Array(SECTOR));
    abort.abort();
    expect(await slow).toMatchObject({ isComplete: false });
    expect(await codeOf(plane.scrub({ bytesPerSecond: -1 }))).toBe('InvalidArgument');
    expect(await plane.scrub({ signal: abort.signal })).toMatchObject({ sectorsRead: 0 });
    const closed = plane.scrub({ bytesPerSecond: MIB });
    await plane.close();
    expect(await closed).toMatchObject({ isComplete: false });
    expect(await codeOf(plane.scrub())).toBe('PlaneClosed');
  });

  it('goes on where a shard is lost, with the thread that replaces it', async () => {
    const often = { lossesMax: Number.POSITIVE_INFINITY };
    await using opened = await openSabotaged({ dataDir, shards: 1 }, often);
    const { plane, sabotage } = opened;
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    const disk = await plane.attach(DiskId);
    await fill(disk);
    await disk.flush();
    flipBit(7);
    const scrubbing = plane.scrub({ bytesPerSecond: 40 * MIB });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await sabotage.killShard(0);
    const report = await scrubbing;
    expect(report.isComplete).toBe(true);
    expect(report.damage).toEqual([{ resourceId: DiskId, sector: 7, code: 'ChecksumMismatch' }]);
    expect(report.sectorsRead).toBeGreaterThanOrEqual(BYTES / SECTOR);
  });

  it('reads a store in memory as well', async () => {
    await using plane = await openPlane({ memory: true });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1 });
    await using disk = await plane.attach(DiskId);
    await disk.write(5 * SECTOR, new Uint8Array(3 * SECTOR));
    expect(await plane.scrub(FAST)).toEqual({
      isComplete: true,
      sectorsRead: 3,
      damagedSectors: 0,
      damage: [],
    });
  });
});
