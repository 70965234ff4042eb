import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { ChunkMap, EMPTY_ROOT } from '../../../src/segment/chunk-map.ts';
import { ChunkMapDump, ChunkMapRestore } from '../../../src/segment/chunk-map-dump.ts';
import { arenaProblems, CountedSlots, type ModelTree, readTree, World } from './chunk-map-world.ts';

const SECTOR_LIMIT = 2 ** 32;

interface Dumped {
  bytes: Uint8Array;
  ids: number[];
}

function dumpOf(map: ChunkMap, roots: readonly number[], nodeBudget = 1000): Dumped {
  const parts: Uint8Array[] = [];
  const dump = new ChunkMapDump(map, roots);
  while (!dump.step(nodeBudget, (bytes) => parts.push(bytes.slice())));
  return { bytes: Buffer.concat(parts), ids: dump.rootIds() };
}

function restoreInto(map: ChunkMap, dumped: Dumped, partBytes = 1 << 20): number[] {
  const restore = new ChunkMapRestore(map);
  for (let at = 0; at < dumped.bytes.length; at += partBytes) {
    restore.feed(dumped.bytes.subarray(at, at + partBytes));
  }
  return restore.finish(dumped.ids);
}

/** A world of some trees that share most of what they have, three levels high. */
function family(): { world: World; roots: number[]; models: ModelTree[] } {
  const world = new World();
  const prng = createPrng(11);
  const model: ModelTree = new Map();
  let root = EMPTY_ROOT;
  for (let at = 0; at < 9000; at += 3000) root = world.write(root, model, at * 2, 3000);
  const roots: number[] = [];
  const models: ModelTree[] = [];
  for (let i = 0; i < 6; i++) {
    world.map.share(root);
    roots.push(root);
    models.push(new Map(model));
    for (let k = 0; k < 10; k++) root = world.write(root, model, prng.nextBelow(20_000), 5);
    root = world.remove(root, model, prng.nextBelow(20_000), 300);
  }
  roots.push(root, EMPTY_ROOT);
  models.push(model, new Map());
  return { world, roots, models };
}

/** A reader written from the head of chunk-map-dump.ts alone: record id -> sector -> place. */
function readDump(bytes: Uint8Array): Map<number, readonly [number, number]>[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Map<number, readonly [number, number]>[] = [new Map()];
  for (let at = 0; at < bytes.length; ) {
    const kind = view.getUint8(at);
    const count = view.getUint16(at + 2, true);
    at += 4;
    const record = new Map<number, readonly [number, number]>();
    for (let i = 0; i < count; i++) {
      if (kind === 1) {
        const sector = view.getUint32(at, true);
        record.set(sector, [view.getUint32(at + 4, true), view.getUint32(at + 8, true)]);
        at += 12;
      } else {
        for (const [sector, place] of records[view.getUint32(at, true)]!) record.set(sector, place);
        at += 4;
      }
    }
    records.push(record);
  }
  return records;
}

describe('a dump', () => {
  test('can be read by a stranger who knows the format', () => {
    const { world, roots } = family();
    const { bytes, ids } = dumpOf(world.map, roots);
    const records = readDump(bytes);
    expect(records.length - 1).toBe(world.map.nodeCount);
    for (const [index, root] of roots.entries()) {
      expect(records[ids[index]!]).toEqual(readTree(world.map, root, 0, SECTOR_LIMIT));
    }
    expect(ids.at(-1)).toBe(0);
  });

  test('of one small tree has exactly the bytes the format says', () => {
    const map = new ChunkMap(new CountedSlots());
    const sums = Uint32Array.of(0xdeadbeef, 0x01020304);
    const root = map.assign(EMPTY_ROOT, 0xfffffffe, 2, 0x11223344, sums, 0);
    const { bytes, ids } = dumpOf(map, [root, EMPTY_ROOT, root]);
    expect(ids).toEqual([1, 0, 1]);
    expect(Buffer.from(bytes).toString('hex')).toBe(
      `01000200${'feffffff'}${'44332211'}${'efbeadde'}${'ffffffff'}${'45332211'}${'04030201'}`,
    );
  });

  test('writes a node once however many trees and parents have it', () => {
    const { world, roots } = family();
    const once = dumpOf(world.map, roots);
    const twice = dumpOf(world.map, [...roots, ...roots]);
    expect(Buffer.compare(twice.bytes, once.bytes)).toBe(0);
    expect(twice.ids).toEqual([...once.ids, ...once.ids]);
  });

  test('is the same in steps of one node, and of the trees as they were when it began', () => {
    const { world, roots } = family();
    const whole = dumpOf(world.map, roots);
    const held = roots.slice();
    for (const root of held) world.map.share(root);
    const dump = new ChunkMapDump(world.map, held);
    const parts: Uint8Array[] = [];
    const prng = createPrng(12);
    let root = roots[6]!;
    const model: ModelTree = new Map();
    while (!dump.step(1, (bytes) => parts.push(bytes.slice()))) {
      root = world.write(root, model, prng.nextBelow(20_000), 3);
      root = world.remove(root, model, prng.nextBelow(20_000), 40);
    }
    expect(Buffer.compare(Buffer.concat(parts), whole.bytes)).toBe(0);
    expect(dump.rootIds()).toEqual(whole.ids);
    for (const one of held) world.map.release(one);
    const owned = [...roots.slice(0, 6), root];
    expect(arenaProblems(world.map, world.slots, owned)).toEqual([]);
  });

  test('tells the ids of its roots when it is complete and not before', () => {
    const { world, roots } = family();
    const dump = new ChunkMapDump(world.map, roots);
    expect(dump.step(3, () => {})).toBe(false);
    expect(() => dump.rootIds()).toThrow(InvariantError);
    expect(() => dump.step(0, () => {})).toThrow(InvariantError);
  });

  test('of no trees is empty', () => {
    const dumped = dumpOf(new ChunkMap(new CountedSlots()), []);
    expect(dumped.bytes).toHaveLength(0);
    expect(restoreInto(new ChunkMap(new CountedSlots()), dumped)).toEqual([]);
  });
});

describe('a restore', () => {
  test('makes the same trees, sharing the same nodes and slots', () => {
    const { world, roots, models } = family();
    const target = new World();
    const restored = restoreInto(target.map, dumpOf(world.map, roots));
    expect(target.map.nodeCount).toBe(world.map.nodeCount);
    expect(target.slots.counts).toEqual(world.slots.counts);
    expect(arenaProblems(target.map, target.slots, restored)).toEqual([]);
    for (const [location, content] of world.contentOf) target.contentOf.set(location, content);
    target.nextLocation = world.nextLocation;
    for (const [index, model] of models.entries()) {
      expect(target.differences(restored[index]!, model, 0, 50_000)).toEqual([]);
      restored[index] = target.write(restored[index]!, model, index * 100, 200);
      expect(target.differences(restored[index]!, model, 0, 50_000)).toEqual([]);
    }
    for (const root of restored) target.map.release(root);
    expect(target.map.nodeCount).toBe(0);
    expect(target.slots.counts.size).toBe(0);
  });

  test('takes the stream in pieces of any size', () => {
    const { world, roots } = family();
    const dumped = dumpOf(world.map, roots);
    for (const partBytes of [1, 3, 4, 5, 771, 773, 10_000]) {
      const target = new World();
      const restored = restoreInto(target.map, dumped, partBytes);
      expect(target.map.nodeCount).toBe(world.map.nodeCount);
      expect(arenaProblems(target.map, target.slots, restored)).toEqual([]);
    }
  });

  test('gives a root once for every time it is named', () => {
    const { world, roots } = family();
    const target = new World();
    const dumped = dumpOf(world.map, [...roots, roots[0]!]);
    const restored = restoreInto(target.map, dumped);
    expect(restored.at(-1)).toBe(restored[0]);
    expect(arenaProblems(target.map, target.slots, restored)).toEqual([]);
  });

  test('given up half-way leaves nothing behind', () => {
    const { world, roots } = family();
    const target = new World();
    const restore = new ChunkMapRestore(target.map);
    restore.feed(dumpOf(world.map, roots).bytes.subarray(0, 50_000));
    expect(target.map.nodeCount).toBeGreaterThan(10);
    restore.abandon();
    restore.abandon();
    expect(target.map.nodeCount).toBe(0);
    expect(target.slots.counts.size).toBe(0);
    expect(() => restore.feed(new Uint8Array(1))).toThrow(InvariantError);
    expect(() => restore.finish([])).toThrow(InvariantError);
  });
});

/** Builds streams record by record, valid or not. */
function leaf(sectors: number[], count = sectors.length): number[] {
  const words = sectors.flatMap((sector) => [sector, sector, sector]);
  return [1, 0, count & 0xff, count >>> 8, ...new Uint8Array(Uint32Array.from(words).buffer)];
}

function inner(level: number, ids: number[], count = ids.length): number[] {
  return [2, level, count & 0xff, count >>> 8, ...new Uint8Array(Uint32Array.from(ids).buffer)];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('a damaged stream', () => {
  const low = leaf(range(0, 40));
  const high = leaf(range(100, 140));
  const cases: [string, number[], number[], RegExp][] = [
    ['a kind there is not', [3, 0, 1, 0], [], /kind 3/],
    ['kind 0', [0, 0, 1, 0], [], /kind 0/],
    ['a leaf of level 1', [1, 1, 1, 0], [], /kind 1 with level 1/],
    ['an inner node of level 0', [2, 0, 1, 0], [], /kind 2 with level 0/],
    ['a level there is not', [2, 8, 1, 0], [], /kind 2 with level 8/],
    ['a leaf without entries', [1, 0, 0, 0], [], /kind 1 with 0 entries/],
    ['a leaf with 65 entries', leaf(range(0, 65)), [1], /kind 1 with 65 entries/],
    ['a leaf with 65,535 entries', leaf([1], 65_535), [1], /kind 1 with 65535 entries/],
    ['an inner node with 97 entries', inner(1, range(0, 97)), [1], /kind 2 with 97 entries/],
    ['equal sectors', leaf([1, 1]), [1], /sector 1 after 1/],
    ['descending sectors', leaf([4, 5, 3]), [1], /sector 3 after 5/],
    ['a child of id 0', [...low, ...inner(1, [1, 0])], [2], /child 0, not written before/],
    ['a child that is the record itself', [...low, ...inner(1, [1, 2])], [2], /child 2, not/],
    ['a child that never comes', [...low, ...inner(1, [1, 99])], [2], /child 99, not/],
    ['a leaf two levels below', [...low, ...high, ...inner(2, [1, 2])], [3], /of level 0 below/],
    ['children in the wrong order', [...low, ...high, ...inner(1, [2, 1])], [3], /do not follow/],
    ['the same child twice', [...low, ...inner(1, [1, 1])], [2], /do not follow/],
    [
      'children that overlap',
      [...low, ...leaf(range(39, 80)), ...inner(1, [1, 2])],
      [3],
      /do not follow/,
    ],
    ['children too small', [...leaf([1]), ...leaf([2]), ...inner(1, [1, 2])], [3], /too small/],
    ['a root that never came', low, [2], /root 2 of a stream of 1 records/],
    ['a root that is no id', low, [-1], /root -1/],
    ['a root with one child', [...low, ...inner(1, [1])], [2], /root 2 has one child/],
    ['a record nothing names', [...low, ...high], [1], /nothing names record 2/],
    ['an end within a record', low.slice(0, 100), [1], /ends 100 bytes into a record/],
    ['an end within a head', [...low, 1], [1], /ends 1 bytes into a record/],
  ];
  test.each(cases)('with %s is refused, and leaves nothing behind', (_name, bytes, ids, why) => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    const damaged = { bytes: Uint8Array.from(bytes), ids };
    const refusal = expect.objectContaining({ code: 'DataDirectoryCorrupt' });
    expect(() => restoreInto(map, damaged)).toThrow(refusal);
    expect(() => restoreInto(map, damaged)).toThrow(why);
    expect(map.nodeCount).toBe(0);
    expect(slots.counts.size).toBe(0);
  });

  test('cut short anywhere is refused', () => {
    const { world, roots } = family();
    const { bytes, ids } = dumpOf(world.map, roots.slice(0, 3));
    for (let length = 0; length < bytes.length; length += 397) {
      const target = new World();
      const cut = { bytes: bytes.subarray(0, length), ids };
      expect(() => restoreInto(target.map, cut)).toThrow(PlaneError);
      expect(target.map.nodeCount).toBe(0);
    }
  });

  test('with any bytes changed is refused, or is a valid stream of something else', () => {
    const { world, roots } = family();
    const { bytes, ids } = dumpOf(world.map, roots.slice(0, 2));
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const damaged = bytes.slice();
        for (const [at, mask] of changes) damaged[at]! ^= mask;
        const target = new World();
        let restored: number[] = [];
        try {
          restored = restoreInto(target.map, { bytes: damaged, ids });
        } catch (error) {
          expect(error).toBeInstanceOf(PlaneError);
        }
        expect(arenaProblems(target.map, target.slots, restored)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
