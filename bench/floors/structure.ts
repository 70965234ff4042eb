/** What must not grow: snapshots with the disk, reads with snapshots, memory with anything. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openPlane, type Plane } from '../../src/index.ts';
import { median } from '../reference.ts';
import { closedLoop, fillDisk } from './closed-loop.ts';
import type { Floor } from './floor.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** The cloud's quota is 256. */
const SNAPSHOTS_PER_DISK = 250;
const KIB = 1024;

/** Median milliseconds of a snapshot and a clone of a disk of sizeGiB with 1 GiB written. */
async function shareCost(plane: Plane, sizeGiB: number, repeats: number): Promise<number> {
  const { DiskId } = await plane.call('CreateDisk', { Size: sizeGiB, Encrypted: true });
  const disk = await plane.attach(DiskId);
  // Spread over the whole disk, a MiB in each of 1,024 places.
  const step = Math.floor((sizeGiB * GIB) / 1024 / MIB) * MIB;
  const bytes = new Uint8Array(MIB).fill(7);
  for (let part = 0; part < 1024; part++) await disk.write(part * step, bytes);
  const costs: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = performance.now();
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
    const clone = await plane.call('CreateDisk', { SnapshotId });
    costs.push(performance.now() - start);
    await plane.call('DeleteDisk', { DiskId: clone.DiskId });
    await plane.call('DeleteSnapshot', { SnapshotId });
  }
  await disk.trim(0, disk.size);
  await disk.close();
  return median(costs);
}

export async function snapshotCostFloor(repeats: number): Promise<Floor> {
  await using plane = await openPlane({ memory: true, shards: 1, memoryLimitBytes: 3 * GIB });
  const small = await shareCost(plane, 2, repeats);
  const large = await shareCost(plane, 1024, repeats);
  return {
    name: 'snapshot and clone, 1 TiB disk to 2 GiB disk, 1 GiB written on each',
    measured: large / small,
    unit: 'x',
    kind: 'most',
    bound: 1.5,
    note: `${large.toFixed(2)} ms and ${small.toFixed(2)} ms`,
  };
}

export async function snapshotChainFloor(rounds: number, milliseconds: number): Promise<Floor> {
  await using plane = await openPlane({ memory: true, shards: 1 });
  const spanBytes = 64 * MIB;
  const open = async (snapshots: number) => {
    let { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    let disk = await plane.attach(DiskId);
    await fillDisk(disk, spanBytes);
    const sector = new Uint8Array(4 * KIB).fill(3);
    for (let index = 0; index < snapshots; index++) {
      const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
      if (index % SNAPSHOTS_PER_DISK === SNAPSHOTS_PER_DISK - 1) {
        // A disk has so many snapshots: the chain goes on from a disk made of the last.
        await disk.close();
        ({ DiskId } = await plane.call('CreateDisk', { SnapshotId }));
        disk = await plane.attach(DiskId);
      }
      await disk.write(((index * 7919) % (spanBytes / 4096)) * 4096, sector);
    }
    return disk;
  };
  const none = await open(0);
  const chain = await open(1000);
  const options = { direction: 'read', blockBytes: 4 * KIB, iodepth: 32 } as const;
  const loop = { ...options, milliseconds, spanBytes, isRandom: true };
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const without = await closedLoop([none], loop);
    ratios.push((await closedLoop([chain], loop)) / without);
  }
  return {
    name: '4 KiB random reads through 1,000 snapshots in a chain, to none',
    measured: median(ratios),
    unit: 'x',
    kind: 'least',
    bound: 0.9,
    note: 'depth 32',
  };
}

export async function mapMemoryFloors(): Promise<Floor[]> {
  const floors: Floor[] = [];
  const order = { sequential: false, random: true } as const;
  for (const [name, isRandom] of Object.entries(order)) {
    await using plane = await openPlane({ memory: true, shards: 1, memoryLimitBytes: 2 * GIB });
    const { DiskId } = await plane.call('CreateDisk', {
      Size: isRandom ? 1024 : 1,
      Encrypted: true,
    });
    const disk = await plane.attach(DiskId);
    const sectors = 262_144;
    const bytes = new Uint8Array((isRandom ? 1 : 64) * 4096).fill(1);
    let state = 1;
    const writes: Promise<void>[] = [];
    for (let written = 0; written < sectors; written += bytes.length / 4096) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const sector = isRandom ? state % (disk.size / 4096) : written;
      writes.push(disk.write(sector * 4096, bytes));
      if (writes.length === 512) await Promise.all(writes.splice(0));
    }
    await Promise.all(writes);
    const [shard] = (await plane.stats()).shards;
    const measured = (shard?.mapBytes ?? 0) / (shard?.liveSectors ?? 1);
    const note = `${shard?.liveSectors} sectors, ${name} over ${isRandom ? '1 TiB' : '1 GiB'}`;
    const title = `chunk map, bytes per written sector, ${name}`;
    floors.push({ name: title, measured, unit: 'B', kind: 'most', bound: 24, note });
  }
  return floors;
}

/** Node's collector, without a flag on the command line. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

export async function idleDiskFloor(count: number): Promise<Floor> {
  await using plane = await openPlane({ memory: true, shards: 2 });
  const ids: string[] = [];
  for (let index = 0; index < 2 * count; index++) {
    ids.push((await plane.call('CreateDisk', { Size: 1, Encrypted: true })).DiskId);
  }
  // A hundred at a time, and garbage collected before each reading: what attaching 2,000 at once
  // needs in passing is not what an idle disk keeps.
  const attach = async (range: readonly string[]): Promise<void> => {
    for (let at = 0; at < range.length; at += 100) {
      await Promise.all(range.slice(at, at + 100).map((id) => plane.attach(id)));
    }
    collectGarbage();
  };
  // The first half grows the heaps, so that the second is the disks' own.
  await attach(ids.slice(0, count));
  const before = process.memoryUsage().rss;
  await attach(ids.slice(count));
  const measured = (process.memoryUsage().rss - before) / count / KIB;
  const note = `${count} disks beside ${count} others`;
  return { name: 'an attached idle disk', measured, unit: 'KiB', kind: 'most', bound: 16, note };
}

export async function tenThousandDisksFloor(): Promise<Floor> {
  await using plane = await openPlane({ memory: true, shards: 2 });
  const count = 10_000;
  const window = 1000;
  const ids: string[] = [];
  const clock: number[] = [performance.now()];
  for (let index = 0; index < count; index++) {
    ids.push((await plane.call('CreateDisk', { Size: 1 })).DiskId);
    if ((index + 1) % window === 0) clock.push(performance.now());
  }
  for (let page = 1; page <= count / 100; page++) {
    const { Disks } = await plane.call('DescribeDisks', { PageNumber: page, PageSize: 100 });
    if (Disks.length !== 100) throw new Error(`page ${page} has ${Disks.length} disks`);
  }
  const listed = performance.now();
  for (const DiskId of ids) await plane.call('DeleteDisk', { DiskId });
  const deleted = performance.now();
  const spans = clock.slice(1).map((end, index) => end - (clock[index] as number));
  const created = (clock.at(-1) as number) - (clock[0] as number);
  const listing = listed - (clock.at(-1) as number);
  const perDisk = (milliseconds: number): string => ((milliseconds * 1000) / count).toFixed(0);
  const note = [
    `create ${perDisk(created)} us each`,
    `list ${listing.toFixed(0)} ms`,
    `delete ${perDisk(deleted - listed)} us each`,
  ].join(', ');
  return {
    name: '10,000 disks: the last thousand creations to the second thousand',
    measured: (spans.at(-1) as number) / (spans[1] as number),
    unit: 'x',
    kind: 'most',
    bound: 1.5,
    note,
  };
}
