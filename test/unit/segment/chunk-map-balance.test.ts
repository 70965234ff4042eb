/** How nodes share out entries: how full they stay, and that nothing is lost when inner ones do. */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { createChunkRun, EMPTY_ROOT } from '../../../src/segment/chunk-map.ts';
import {
  arenaProblems,
  checksums,
  plainMap,
  scatter,
  World,
  walkArena,
} from './chunk-map-world.ts';

const SECTOR_LIMIT = 2 ** 32;

describe('a tree', () => {
  test('of a million scattered sectors holds every one', () => {
    const map = plainMap();
    let root = EMPTY_ROOT;
    for (let i = 0; i < 1_000_000; i++) {
      root = map.assign(root, scatter(i), 1, i, checksums, i & 4095);
    }
    expect(map.checkTree(root)).toEqual([]);
    expect(map.nodes.levelOf(root)).toBe(3);
    const run = createChunkRun(1);
    let wrong = 0;
    for (let i = 0; i < 1_000_000; i++) {
      map.lookup(root, scatter(i), 1, run);
      if (run.isHole || run.location !== i || run.checksums[0] !== checksums[i & 4095]) wrong++;
    }
    expect(wrong).toBe(0);
    expect(map.countMapped(root, 0, SECTOR_LIMIT)).toBe(1_000_000);
    expect(map.byteCount / 1_000_000).toBeLessThan(17);
    map.release(root);
    expect(map.nodeCount).toBe(0);
    expect(map.byteCount).toBeLessThan(1_000_000);
  });

  test('written 50 sectors at a time has full nodes', () => {
    const map = plainMap();
    let root = EMPTY_ROOT;
    for (let at = 0; at < 20_000; at += 50) root = map.assign(root, at, 50, at, checksums, 0);
    expect(walkArena(map, [root]).leaves).toBe(Math.ceil(20_000 / 64));
  });

  test('shares out evenly where a full node would leave two small ones beside it', () => {
    for (const isBehind of [true, false]) {
      const map = plainMap();
      let root = map.assign(EMPTY_ROOT, 0, 128, 0, checksums, 0);
      root = map.assign(root, 200, 64, 200, checksums, 0);
      // Leaves of 1, 64 and 2 entries, or of 2, 64 and 1; then a sector behind or before the 64.
      root = map.remove(root, isBehind ? 1 : 2, isBehind ? 63 : 62);
      root = map.remove(root, isBehind ? 202 : 201, 63);
      if (!isBehind) {
        root = map.remove(root, 64, 1);
        root = map.assign(root, 140, 1, 140, checksums, 0);
      }
      expect(walkArena(map, [root]).leaves).toBe(3);
      root = map.assign(root, isBehind ? 150 : 64, 1, 150, checksums, 0);
      expect(map.checkTree(root)).toEqual([]);
      expect(walkArena(map, [root])).toMatchObject({ leaves: 3, entries: 68 });
    }
  });

  test('written in descending order has nodes as full as in ascending order', () => {
    const map = plainMap();
    let root = EMPTY_ROOT;
    for (let sector = 9999; sector >= 0; sector--) {
      root = map.assign(root, sector, 1, sector, checksums, 0);
    }
    expect(map.checkTree(root)).toEqual([]);
    expect(walkArena(map, [root]).leaves).toBe(Math.ceil(10_000 / 64));
  });
});

describe('memory', () => {
  const sectorCount = 262_144;
  const shuffled = new Uint32Array(sectorCount);
  const prng = createPrng(5);
  for (let i = 0; i < sectorCount; i++) {
    const other = prng.nextBelow(i + 1);
    shuffled[i] = shuffled[other]!;
    shuffled[other] = i;
  }

  /** Bytes a mapped sector, by an arena that holds this one tree. */
  function bytesPerSector(length: number, sectorOf: (i: number) => number): number {
    const map = plainMap();
    let root = EMPTY_ROOT;
    for (let i = 0; i < length; i++) root = map.assign(root, sectorOf(i), 1, i, checksums, 0);
    expect(map.checkTree(root)).toEqual([]);
    return map.byteCount / map.countMapped(root, 0, SECTOR_LIMIT);
  }

  test('of 1 GiB written in ascending order is below 13.1 bytes a sector', () => {
    expect(bytesPerSector(sectorCount, (i) => i)).toBeLessThan(13.1);
  });

  test('of 1 GiB written in random order is below 17 bytes a sector', () => {
    expect(bytesPerSector(sectorCount, (i) => shuffled[i]!)).toBeLessThan(17);
  });

  test('of sectors all over 1 TiB is below 17 bytes a sector', () => {
    expect(bytesPerSector(sectorCount, () => prng.nextBelow(2 ** 28))).toBeLessThan(17);
  });

  test('of 64 streams written at once is below 16 bytes a sector', () => {
    const streamOf = (i: number): number => (i % 64) * 1024 + (i >>> 6);
    expect(bytesPerSector(sectorCount / 4, streamOf)).toBeLessThan(16);
  });

  test('goes back when sectors are trimmed one by one', () => {
    const map = plainMap();
    let root = map.assign(EMPTY_ROOT, 0, 4096, 0, checksums, 0);
    for (let at = 4096; at < sectorCount; at += 4096) {
      root = map.assign(root, at, 4096, at, checksums, 0);
    }
    const held = map.byteCount;
    for (let i = 0; i < sectorCount; i++) {
      if (shuffled[i]! % 16 !== 3) root = map.remove(root, shuffled[i]!, 1);
    }
    expect(map.checkTree(root)).toEqual([]);
    const { leaves, entries } = walkArena(map, [root]);
    expect(entries).toBe(sectorCount / 16);
    expect(entries / leaves).toBeGreaterThan(16);
    // The nodes left are all over the arena, so its chunks stay until the last of each goes.
    expect(map.byteCount).toBeLessThanOrEqual(held);
    for (let i = 0; i < sectorCount; i += 16) root = map.remove(root, i + 3, 1);
    expect(root).toBe(EMPTY_ROOT);
    expect(map.nodeCount).toBe(0);
    expect(map.byteCount).toBeLessThan(1_000_000);
  });
});

describe('inner nodes', () => {
  /** Every second sector is mapped, so that there is room between: this many below a full one. */
  const SPAN = 96 * 64 * 2;

  /** Three full inner nodes; the second has lost its first leaf, then got a sector before it. */
  function family(): { world: World; model: Map<number, number>; root: number } {
    const world = new World();
    const model = new Map<number, number>();
    let root = EMPTY_ROOT;
    for (let at = 0; at < 3 * SPAN; at += 2) root = world.write(root, model, at, 1);
    expect(childCounts(world, root)).toEqual([96, 96, 96]);
    root = world.remove(root, model, SPAN, 130);
    root = world.write(root, model, SPAN + 5, 1);
    expect(childCounts(world, root)).toEqual([96, 95, 96]);
    return { world, model, root };
  }

  function childCounts({ map }: World, root: number): number[] {
    return Array.from({ length: map.nodes.countOf(root) }, (_, i) =>
      map.nodes.countOf(map.nodes.childAt(root, i)),
    );
  }

  function expectWhole(world: World, root: number, model: Map<number, number>): void {
    expect(world.differences(root, model, 0, 4 * SPAN)).toEqual([]);
    expect(arenaProblems(world.map, world.slots, [root])).toEqual([]);
  }

  test('become one with a neighbour and keep what lies before its first key', () => {
    const { world, model, root: grown } = family();
    let root = world.remove(grown, model, 1280, SPAN - 1280);
    root = world.remove(root, model, SPAN + 1280, SPAN - 1280);
    expect(childCounts(world, root)).toEqual([19, 96]);
    expectWhole(world, root, model);
  });

  test('share out with the next one and keep what lies before its first key', () => {
    const { world, model, root: grown } = family();
    let root = world.remove(grown, model, SPAN + 1280, 40 * 128);
    root = world.write(root, model, 4001, 1);
    expect(childCounts(world, root)).toEqual([76, 76, 96]);
    expectWhole(world, root, model);
  });

  test('share out with the one before and keep what lies before their first key', () => {
    const { world, model, root: grown } = family();
    let root = world.remove(grown, model, 1280, 40 * 128);
    root = world.write(root, model, SPAN + 4001, 1);
    expect(childCounts(world, root)).toEqual([56, 96, 96]);
    root = world.write(root, model, SPAN + 8001, 1);
    expect(childCounts(world, root)).toEqual([76, 77, 96]);
    expectWhole(world, root, model);
  });

  /** Leaves some ten entries in the last leaf of an inner node and the first of the next. */
  function thinAtSeam(world: World, root: number, model: Map<number, number>): number {
    const thinned = world.remove(root, model, SPAN - 128 + 20, 108);
    return world.remove(thinned, model, SPAN + 20, 216);
  }

  test('that become one also make one of the two small children where they met', () => {
    const { world, model, root: grown } = family();
    let root = thinAtSeam(world, grown, model);
    root = world.remove(root, model, 128 * 20, SPAN - 128 * 22);
    root = world.remove(root, model, SPAN + 128 * 22, SPAN - 128 * 22);
    expect(childCounts(world, root)).toEqual([42, 96]);
    expectWhole(world, root, model);
  });

  test('that share out also make one of the two small children where they met', () => {
    const { world, model, root: grown } = family();
    let root = world.remove(grown, model, 1280, 40 * 128);
    root = thinAtSeam(world, root, model);
    root = world.write(root, model, SPAN + 4001, 1);
    root = world.write(root, model, SPAN + 8001, 1);
    expect(childCounts(world, root)).toEqual([75, 77, 96]);
    expectWhole(world, root, model);
  });

  test('split when their neighbours are full', () => {
    const { world, model, root: grown } = family();
    let root = world.write(grown, model, 4001, 1);
    root = world.write(root, model, SPAN + 4001, 1);
    expect(childCounts(world, root)).toEqual([48, 49, 96, 96]);
    expectWhole(world, root, model);
  });

  test('give up the root when one child is left, whoever else owns it', () => {
    const { world, model, root: grown } = family();
    world.map.share(grown);
    const before = new Map(model);
    const root = world.remove(grown, model, 128, 4 * SPAN);
    expect(world.map.nodes.levelOf(root)).toBe(0);
    expect(world.differences(root, model, 0, 4 * SPAN)).toEqual([]);
    expect(world.differences(grown, before, 0, 4 * SPAN)).toEqual([]);
    expect(arenaProblems(world.map, world.slots, [root, grown])).toEqual([]);
  });
});
