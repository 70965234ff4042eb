/**
 * What the chunk map costs: time of its operations, and on standard error bytes of memory a mapped
 * sector. One operation is one call, of the number of sectors its row names.
 *
 * The tree is that of a disk with 1 GiB written (262,144 sectors), unless the row says otherwise.
 * Slot references are counted in one number, as cheap as they can be: this is the map alone.
 */
import { Bench } from 'tinybench';
import { createPrng, type Prng } from '../../src/base/prng.ts';
import {
  ChunkMap,
  createChunkRun,
  EMPTY_ROOT,
  type SlotReferences,
} from '../../src/segment/chunk-map.ts';
import { ChunkMapDump } from '../../src/segment/chunk-map-dump.ts';
import type { BenchRow } from './row.ts';

const SECTORS = 262_144;
/** Operations in one measured call: reading the clock costs nothing beside them. */
const OPERATIONS = 1024;
const RUN_SECTORS = 64;
const SNAPSHOTS = 1000;

const checksums = new Uint32Array(4096).map((_, i) => Math.imul(i, 0x9e3779b1));

interface Row {
  readonly name: string;
  readonly operations: number;
  readonly call: () => void;
}

class CountedReferences implements SlotReferences {
  count = 0;

  acquire(): void {
    this.count++;
  }

  release(): void {
    this.count--;
  }
}

function newMap(): ChunkMap {
  return new ChunkMap(new CountedReferences());
}

function shuffled(count: number, prng: Prng): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const other = prng.nextBelow(i + 1);
    order[i] = order[other]!;
    order[other] = i;
  }
  return order;
}

function fill(map: ChunkMap, sectorOf: (i: number) => number, count: number): number {
  let root = EMPTY_ROOT;
  for (let i = 0; i < count; i++) root = map.assign(root, sectorOf(i), 1, i, checksums, i & 4095);
  return root;
}

/** Rows that look up or overwrite what is there. */
function rowsOver(kind: string, sectors: Uint32Array, order: Uint32Array): Row[] {
  const map = newMap();
  let root = fill(map, (i) => sectors[i]!, sectors.length);
  const run = createChunkRun(RUN_SECTORS);
  let at = 0;
  let found = 0;
  return [
    {
      name: `lookup of 1, ${kind}`,
      operations: OPERATIONS,
      call: () => {
        for (let i = 0; i < OPERATIONS; i++) {
          map.lookup(root, sectors[order[at]!]!, 1, run);
          found += run.location;
          at = (at + 1) % sectors.length;
        }
        if (found === 0) throw new Error('nothing was found');
      },
    },
    {
      name: `overwrite of 1, ${kind}`,
      operations: OPERATIONS,
      call: () => {
        for (let i = 0; i < OPERATIONS; i++) {
          root = map.assign(root, sectors[order[at]!]!, 1, i, checksums, i);
          at = (at + 1) % sectors.length;
        }
      },
    },
  ];
}

/** Rows of runs of sectors, of filling an empty map, and of a pass over all leaves. */
function bulkRows(count: number): Row[] {
  const map = newMap();
  let root = fill(map, (i) => i, count);
  const run = createChunkRun(RUN_SECTORS);
  const runs = count / RUN_SECTORS;
  return [
    {
      name: 'lookup of 64, in order',
      operations: runs,
      call: () => {
        for (let i = 0; i < count; i += RUN_SECTORS) map.lookup(root, i, RUN_SECTORS, run);
      },
    },
    {
      name: 'overwrite of 64, in order',
      operations: runs,
      call: () => {
        for (let i = 0; i < count; i += RUN_SECTORS) {
          root = map.assign(root, i, RUN_SECTORS, i, checksums, 0);
        }
      },
    },
    {
      name: 'first write of 64, in order',
      operations: runs,
      call: () => {
        const empty = newMap();
        let filled = EMPTY_ROOT;
        for (let i = 0; i < count; i += RUN_SECTORS) {
          filled = empty.assign(filled, i, RUN_SECTORS, i, checksums, 0);
        }
      },
    },
    {
      name: 'relocation pass, a sector',
      operations: count,
      call: () => {
        map.beginRelocation();
        while (!map.relocateStep(64, { move: (location) => location }));
        map.endRelocation();
      },
    },
    {
      name: 'dump, a sector',
      operations: count,
      call: () => {
        const dump = new ChunkMapDump(map, [root]);
        while (!dump.step(64, () => {}));
      },
    },
  ];
}

function firstWriteRows(count: number, order: Uint32Array): Row[] {
  const row = (kind: string, sectorOf: (i: number) => number): Row => ({
    name: `first write of 1, ${kind}`,
    operations: count,
    call: () => {
      fill(newMap(), sectorOf, count);
    },
  });
  return [row('in order', (i) => i), row('at random', (i) => order[i]!)];
}

/** What snapshots cost: taking one, the first write after it, lookups with many behind. */
function snapshotRows(order: Uint32Array): Row[] {
  const map = newMap();
  let root = fill(map, (i) => i, order.length);
  let at = 0;
  const writeNext = (): void => {
    root = map.assign(root, order[at]!, 1, at, checksums, 0);
    at = (at + 1) % order.length;
  };
  const chained = newMap();
  let newest = fill(chained, (i) => i, order.length);
  for (let i = 0; i < SNAPSHOTS; i++) {
    chained.share(newest);
    for (let k = 0; k < 16; k++) {
      newest = chained.assign(newest, order[(i * 16 + k) % order.length]!, 1, i, checksums, 0);
    }
  }
  const run = createChunkRun(RUN_SECTORS);
  return [
    {
      name: 'snapshot, first write, snapshot removed',
      operations: OPERATIONS,
      call: () => {
        for (let i = 0; i < OPERATIONS; i++) {
          map.share(root);
          const snapshot = root;
          writeNext();
          map.release(snapshot);
        }
      },
    },
    {
      name: `lookup of 1, at random, ${SNAPSHOTS} snapshots behind`,
      operations: OPERATIONS,
      call: () => {
        for (let i = 0; i < OPERATIONS; i++) {
          chained.lookup(newest, order[at]!, 1, run);
          at = (at + 1) % order.length;
        }
      },
    },
  ];
}

/** Bytes a mapped sector of arenas that hold one tree, sector by sector written. */
function reportMemory(count: number, order: Uint32Array, prng: Prng): void {
  const workloads: [string, (i: number) => number][] = [
    ['in order', (i) => i],
    ['at random, dense', (i) => order[i]!],
    ['64 streams', (i) => (i % 64) * (count / 64) + (i >>> 6)],
    ['all over 1 TiB', () => prng.nextBelow(2 ** 28)],
    ['all over 16 TiB', () => prng.nextUint32()],
  ];
  for (const [name, sectorOf] of workloads) {
    const map = newMap();
    const root = fill(map, sectorOf, count);
    const perSector = map.byteCount / map.countMapped(root, 0, 2 ** 32);
    console.error(`chunk map: ${perSector.toFixed(2)} bytes a sector, ${count} sectors ${name}`);
  }
}

/** @param isSmoke true: only long enough to see that everything runs */
export async function chunkMap(isSmoke: boolean): Promise<BenchRow[]> {
  const count = isSmoke ? 8192 : SECTORS;
  const prng = createPrng(1);
  const order = shuffled(count, prng);
  const ascending = Uint32Array.from(order, (_, i) => i);
  const scattered = Uint32Array.from(order, () => prng.nextUint32());
  if (!isSmoke) reportMemory(count, order, prng);
  const rows = [
    ...rowsOver('in order', ascending, ascending),
    ...rowsOver('at random', ascending, order),
    ...rowsOver('at random over 16 TiB', scattered, order),
    ...bulkRows(count),
    ...firstWriteRows(count, order),
    ...snapshotRows(order),
  ];
  const bench = new Bench({
    time: isSmoke ? 5 : 500,
    warmupTime: isSmoke ? 1 : 100,
    iterations: 16,
    warmupIterations: 4,
    throws: true,
  });
  for (const { name, call } of rows) bench.add(name, call);
  await bench.run();
  return rows.map(({ name, operations }) => {
    const result = bench.getTask(name)?.result;
    if (result?.state !== 'completed') throw new Error(`${name} was not measured`);
    return { name, opsPerSecond: (operations * 1000) / result.latency.p50, bytesPerSecond: null };
  });
}
