/**
 * The whole path: library, ring, cipher, checksum, store. Ratios to R and to the naive baseline.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, openPlane, type Plane } from '../../src/index.ts';
import { openNaiveTarget } from '../naive/naive-target.ts';
import { measureReference, median } from '../reference.ts';
import { closedLoop, fillDisk, type LoopOptions } from './closed-loop.ts';
import type { Floor } from './floor.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SPAN_BYTES = 256 * MIB;
/** As many requests of the largest workload as are in flight. */
const REGISTERED_BYTES = 2 * 16 * MIB;
const GB = 1e9;

type Workload = readonly [
  name: string,
  disks: 1 | 2,
  blockBytes: number,
  iodepth: number,
  floor: number,
  /** Whose memory a request's bytes lie in: any, or one registered with the plane. */
  memory: 'own' | 'registered',
];

const WORKLOADS: readonly Workload[] = [
  ['128 KiB, depth 16, a disk on each of 2 shards', 2, 128 * KIB, 16, 0.45, 'own'],
  ['128 KiB, the same, registered buffers', 2, 128 * KIB, 16, 0.45, 'registered'],
  ['1 MiB, depth 16, a disk on each of 2 shards', 2, MIB, 16, 0.4, 'own'],
  ['1 MiB, the same, registered buffers', 2, MIB, 16, 0.6, 'registered'],
  ['128 KiB, depth 16, one disk alone', 1, 128 * KIB, 16, 0.35, 'own'],
  ['4 KiB random, depth 128, a disk on each of 2 shards', 2, 4 * KIB, 128, 0.2, 'own'],
  ['4 KiB random, the same, registered buffers', 2, 4 * KIB, 128, 0.2, 'registered'],
];

async function openDisks(plane: Plane, count: number): Promise<Disk[]> {
  const disks: Disk[] = [];
  for (let index = 0; index < count; index++) {
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    const disk = await plane.attach(DiskId);
    await fillDisk(disk, SPAN_BYTES);
    disks.push(disk);
  }
  return disks;
}

function loopOptions(
  [, , blockBytes, iodepth]: Workload,
  direction: 'read' | 'write',
  milliseconds: number,
): LoopOptions {
  const isRandom = blockBytes === 4 * KIB;
  return { direction, blockBytes, iodepth, milliseconds, spanBytes: SPAN_BYTES, isRandom };
}

/** Hands out parts of one registered buffer: for one loop at a time. */
async function registeredMemory(plane: Plane): Promise<() => (bytes: number) => Uint8Array> {
  const memory = new SharedArrayBuffer(REGISTERED_BYTES);
  await plane.registerBuffer(memory);
  return () => {
    let end = 0;
    return (bytes) => {
      end += bytes;
      return new Uint8Array(memory, end - bytes, bytes);
    };
  };
}

/** What was measured of one workload in one direction, a figure a round. */
interface Measured {
  readonly workload: Workload;
  readonly direction: 'read' | 'write';
  /** Bytes per second, and that to R of the same round. */
  readonly speeds: number[];
  readonly ratios: number[];
}

/** @param rounds measurements of each workload; R is measured in each round too */
export async function dataPathFloors(rounds: number, milliseconds: number): Promise<Floor[]> {
  await using plane = await openPlane({ memory: true, shards: 2 });
  const disks = await openDisks(plane, 2);
  const allocateRegistered = await registeredMemory(plane);
  const naive = await naiveIops(milliseconds);
  const references: number[] = [];
  const all = WORKLOADS.flatMap((workload): Measured[] => [
    { workload, direction: 'write', speeds: [], ratios: [] },
    { workload, direction: 'read', speeds: [], ratios: [] },
  ]);
  for (let round = 0; round < rounds; round++) {
    const reference = await measureReference();
    if (reference === null) {
      throw new Error('these figures are ratios to openssl speed: no openssl');
    }
    references.push(reference);
    for (const { workload, direction, speeds, ratios } of all) {
      const used = disks.slice(0, workload[1]);
      const options = loopOptions(workload, direction, milliseconds);
      const isRegistered = workload[5] === 'registered';
      const memory = isRegistered ? { allocate: allocateRegistered() } : {};
      const speed = await closedLoop(used, { ...options, ...memory });
      speeds.push(speed);
      ratios.push(speed / reference);
    }
  }
  const floors = all.flatMap((measured) => floorsOf(measured, naive[measured.direction]));
  const measured = median(references) / GB;
  const note = 'openssl speed';
  return [...floors, { name: 'R', measured, unit: 'GB/s', kind: 'least', bound: 0, note }];
}

/** The floor to R; of 4 KiB requests, which are what the naive baseline does, to that too. */
function floorsOf({ workload, direction, speeds, ratios }: Measured, naiveIops: number): Floor[] {
  const name = `${workload[0]}, ${direction}`;
  const speed = median(speeds);
  const iops = speed / workload[2];
  const toReference: Floor = {
    name,
    measured: median(ratios),
    unit: 'R',
    kind: 'least',
    bound: workload[4],
    note: `${(speed / GB).toFixed(2)} GB/s, ${Math.round(iops / 1000)}k IOPS`,
  };
  if (workload[2] !== 4 * KIB) return [toReference];
  const toNaive: Floor = {
    name: `${name}, to naive`,
    measured: iops / naiveIops,
    unit: 'x',
    kind: 'least',
    bound: 5,
    note: `naive ${(naiveIops / 1000).toFixed(1)}k IOPS`,
  };
  return [toReference, toNaive];
}

async function naiveIops(milliseconds: number): Promise<{ read: number; write: number }> {
  const target = await openNaiveTarget();
  try {
    const spanBytes = 16 * MIB;
    const disk = (await target.openDisk('naive', spanBytes)) as unknown as Disk;
    await fillDisk(disk, spanBytes);
    const run = async (direction: 'read' | 'write'): Promise<number> => {
      const loop = { direction, blockBytes: 4 * KIB, iodepth: 128, spanBytes, isRandom: true };
      return (await closedLoop([disk], { ...loop, milliseconds })) / (4 * KIB);
    };
    return { write: await run('write'), read: await run('read') };
  } finally {
    await target.close();
  }
}

/** The file store against the memory store, in turns. @param tmpfs a directory on a tmpfs */
export async function fileStoreFloors(
  tmpfs: string,
  rounds: number,
  milliseconds: number,
): Promise<Floor[]> {
  const directory = mkdtempSync(join(tmpfs, 'sealdisk-bench-'));
  try {
    await using memory = await openPlane({ memory: true, shards: 2 });
    await using file = await openPlane({ dataDir: join(directory, 'plane'), shards: 2 });
    const memoryDisks = await openDisks(memory, 2);
    const fileDisks = await openDisks(file, 2);
    const floors: Floor[] = [];
    for (const direction of ['write', 'read'] as const) {
      const workload = WORKLOADS[0] as Workload;
      const options = loopOptions(workload, direction, milliseconds);
      const ratios: number[] = [];
      let speed = 0;
      for (let round = 0; round < rounds; round++) {
        const inMemory = await closedLoop(memoryDisks, options);
        speed = await closedLoop(fileDisks, options);
        ratios.push(speed / inMemory);
      }
      const name = `file store on tmpfs, 128 KiB, depth 16, ${direction}`;
      const note = `${(speed / GB).toFixed(2)} GB/s`;
      const measured = median(ratios);
      floors.push({ name, measured, unit: 'of memory', kind: 'least', bound: 0.5, note });
    }
    return floors;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
