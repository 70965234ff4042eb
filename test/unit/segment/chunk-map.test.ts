import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { createPrng } from '../../../src/base/prng.ts';
import {
  ChunkMap,
  type ChunkRun,
  createChunkRun,
  EMPTY_ROOT,
} from '../../../src/segment/chunk-map.ts';
import {
  arenaProblems,
  CountedSlots,
  checksums,
  plainMap,
  readTree,
  scatter,
  World,
  walkArena,
} from './chunk-map-world.ts';

const SECTOR_LIMIT = 2 ** 32;

function lookup(map: ChunkMap, root: number, sector: number, sectorCountMax: number): ChunkRun {
  const run = createChunkRun(4096);
  map.lookup(root, sector, sectorCountMax, run);
  return run;
}

describe('a lookup', () => {
  test('of the empty map is one hole, however long', () => {
    const run = lookup(plainMap(), EMPTY_ROOT, 0, SECTOR_LIMIT);
    expect(run).toMatchObject({ isHole: true, sectorCount: SECTOR_LIMIT });
  });

  test('returns the location and checksum each sector was assigned', () => {
    const map = plainMap();
    const root = map.assign(EMPTY_ROOT, 1000, 40, 7, checksums, 5);
    const run = lookup(map, root, 1010, 100);
    expect(run).toMatchObject({ isHole: false, sectorCount: 30, location: 17 });
    expect(run.checksums.subarray(0, 30)).toEqual(checksums.subarray(15, 45));
  });

  test('ends a run where the locations stop being consecutive', () => {
    const map = plainMap();
    let root = map.assign(EMPTY_ROOT, 0, 10, 100, checksums, 0);
    root = map.assign(root, 10, 10, 111, checksums, 10);
    expect(lookup(map, root, 4, 16)).toMatchObject({ sectorCount: 6, location: 104 });
    expect(lookup(map, root, 10, 16)).toMatchObject({ sectorCount: 10, location: 111 });
  });

  test('ends a run at the size of the run it fills', () => {
    const map = plainMap();
    const root = map.assign(EMPTY_ROOT, 0, 10, 100, checksums, 0);
    const run = createChunkRun(3);
    map.lookup(root, 2, 8, run);
    expect(run).toMatchObject({ isHole: false, sectorCount: 3, location: 102 });
  });

  test('ends a hole at the next mapped sector, in whatever leaf that is', () => {
    const map = plainMap();
    let root = map.assign(EMPTY_ROOT, 5000, 100, 0, checksums, 0);
    root = map.assign(root, 0, 64, 200, checksums, 0);
    root = map.assign(root, 90_000, 64, 300, checksums, 0);
    expect(lookup(map, root, 64, 50_000)).toMatchObject({ isHole: true, sectorCount: 4936 });
    expect(lookup(map, root, 64, 10)).toMatchObject({ isHole: true, sectorCount: 10 });
    expect(lookup(map, root, 5100, 100_000)).toMatchObject({ sectorCount: 84_900 });
    const behind = SECTOR_LIMIT - 90_064;
    expect(lookup(map, root, 90_064, behind)).toMatchObject({ isHole: true, sectorCount: behind });
  });

  test('takes what lies in a hole of a leaf for what it is', () => {
    const map = plainMap();
    let root = map.assign(EMPTY_ROOT, 10, 2, 0, checksums, 0);
    root = map.assign(root, 20, 2, 2, checksums, 0);
    expect(lookup(map, root, 0, 100)).toMatchObject({ isHole: true, sectorCount: 10 });
    expect(lookup(map, root, 12, 100)).toMatchObject({ isHole: true, sectorCount: 8 });
  });

  test('finds the last sector and the last location there can be', () => {
    const map = plainMap();
    const root = map.assign(EMPTY_ROOT, SECTOR_LIMIT - 2, 2, SECTOR_LIMIT - 2, checksums, 0);
    const run = lookup(map, root, SECTOR_LIMIT - 1, 1);
    expect(run).toMatchObject({ isHole: false, sectorCount: 1, location: SECTOR_LIMIT - 1 });
    expect(map.countMapped(root, 0, SECTOR_LIMIT)).toBe(2);
  });
});

describe('an assignment', () => {
  test('over mapped sectors gives back their slots', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    let root = map.assign(EMPTY_ROOT, 0, 10, 100, checksums, 0);
    root = map.assign(root, 5, 10, 200, checksums, 0);
    expect([...slots.counts.keys()].sort((a, b) => a - b)).toEqual([
      100, 101, 102, 103, 104, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209,
    ]);
    expect(map.countMapped(root, 0, 100)).toBe(15);
  });

  test('acquires the new slot before it releases the old one', () => {
    const events: string[] = [];
    const map = new ChunkMap({
      acquire: (location) => events.push(`+${location}`),
      release: (location) => events.push(`-${location}`),
    });
    let root = map.assign(EMPTY_ROOT, 0, 1, 7, checksums, 0);
    root = map.assign(root, 0, 1, 8, checksums, 0);
    root = map.assign(root, 0, 2, 8, checksums, 0);
    map.release(root);
    expect(events).toEqual(['+7', '+8', '-7', '+8', '+9', '-8', '-8', '-9']);
  });

  test('of 4,096 sectors into full leaves costs no more nodes than they fill', () => {
    const world = new World();
    const model = new Map<number, number>();
    let root = world.write(EMPTY_ROOT, model, 0, 4096);
    root = world.write(root, model, 4096, 4096);
    root = world.write(root, model, 100, 5000);
    expect(world.differences(root, model, 0, 10_000)).toEqual([]);
    expect(walkArena(world.map, [root]).leaves).toBe(8192 / 64);
  });
});

describe('a share', () => {
  test('copies nothing, and trees written afterwards do not see each other', () => {
    const world = new World();
    const oldModel = new Map<number, number>();
    const old = world.write(EMPTY_ROOT, oldModel, 0, 4000);
    const { nodeCount } = world.map;
    const { acquired } = world.slots;
    world.map.share(old);
    expect(world.map.nodeCount).toBe(nodeCount);
    expect(world.slots.acquired).toBe(acquired);

    const newModel = new Map(oldModel);
    let root = world.write(old, newModel, 1000, 200);
    root = world.remove(root, newModel, 3000, 900);
    expect(root).not.toBe(old);
    expect(world.differences(old, oldModel, 0, 5000)).toEqual([]);
    expect(world.differences(root, newModel, 0, 5000)).toEqual([]);
    expect(arenaProblems(world.map, world.slots, [old, root])).toEqual([]);
  });

  test('of 1 GiB makes the next write copy one node a level and nothing else', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    let root = EMPTY_ROOT;
    for (let at = 0; at < 262_144; at += 4096) {
      root = map.assign(root, at, 4096, at, checksums, 0);
    }
    expect(map.nodes.levelOf(root)).toBe(2);
    const { nodeCount } = map;
    const { acquired } = slots;
    map.share(root);
    const changed = map.assign(root, 100_000, 1, 0, checksums, 0);
    expect(map.nodeCount).toBe(nodeCount + 3);
    expect(slots.acquired).toBe(acquired + 64 + 1);
    map.share(changed);
    map.release(changed);
    const again = map.assign(changed, 100_001, 1, 0, checksums, 0);
    expect(again).toBe(changed);
    expect(map.nodeCount).toBe(nodeCount + 3);
  });

  test('a thousand times over leaves a tree as shallow as it was', () => {
    const world = new World();
    const prng = createPrng(6);
    const model = new Map<number, number>();
    let root = EMPTY_ROOT;
    for (let at = 0; at < 40_000; at += 4000) root = world.write(root, model, at, 4000);
    const level = world.map.nodes.levelOf(root);
    const snapshots: number[] = [];
    for (let i = 0; i < 1000; i++) {
      world.map.share(root);
      snapshots.push(root);
      for (let k = 0; k < 4; k++) root = world.write(root, model, prng.nextBelow(40_000), 1);
    }
    expect(world.map.nodes.levelOf(root)).toBe(level);
    expect(world.differences(root, model, 0, 50_000)).toEqual([]);
    expect(arenaProblems(world.map, world.slots, [...snapshots, root])).toEqual([]);
    // At most the way down for each of the writes: two trees cost what they differ by.
    expect(world.map.nodeCount).toBeLessThan(700 + 4000 * (level + 1));
    for (const snapshot of snapshots) world.map.release(snapshot);
    expect(arenaProblems(world.map, world.slots, [root])).toEqual([]);
    world.map.release(root);
    expect(world.slots.counts.size).toBe(0);
  });
});

describe('a release in steps', () => {
  test('keeps to its budget, while trees that share its nodes are changed', () => {
    const world = new World();
    const { map, slots } = world;
    const model = new Map<number, number>();
    let root = EMPTY_ROOT;
    for (let at = 0; at < 20_000; at += 2000) root = world.write(root, model, at, 2000);
    map.share(root);
    const snapshot = root;
    for (let at = 0; at < 20_000; at += 100) root = world.write(root, model, at, 1);
    const { nodeCount } = map;
    const release = map.releaseInSteps(snapshot);
    let steps = 0;
    do {
      const before = map.nodeCount;
      expect(map.checkTree(root)).toEqual([]);
      steps++;
      if (release.step(10)) break;
      expect(before - map.nodeCount).toBeLessThanOrEqual(10);
      root = world.write(root, model, (steps * 700) % 20_000, 300);
    } while (steps < 1000);
    expect(steps).toBeGreaterThan(20);
    expect(map.nodeCount).toBeLessThan(nodeCount);
    expect(release.step(1)).toBe(true);
    expect(world.differences(root, model, 0, 30_000)).toEqual([]);
    expect(arenaProblems(map, slots, [root])).toEqual([]);
  });

  test('of a tree with another owner, or of the empty one, is over at once', () => {
    const map = plainMap();
    const root = map.assign(EMPTY_ROOT, 0, 4096, 0, checksums, 0);
    map.share(root);
    expect(map.releaseInSteps(root).step(1)).toBe(true);
    expect(map.checkTree(root)).toEqual([]);
    const release = map.releaseInSteps(EMPTY_ROOT);
    expect(release.step(1)).toBe(true);
    expect(() => release.step(0)).toThrow(InvariantError);
    release.begin(root);
    expect(() => release.begin(root)).toThrow(InvariantError);
    expect(release.step(1)).toBe(false);
    expect(release.step(1000)).toBe(true);
    expect(map.nodeCount).toBe(0);
  });
});

describe('a removal', () => {
  test('makes holes and gives back slots, across leaves', () => {
    const world = new World();
    const model = new Map<number, number>();
    let root = world.write(EMPTY_ROOT, model, 0, 4000);
    root = world.remove(root, model, 30, 3900);
    expect(world.differences(root, model, 0, 5000)).toEqual([]);
    expect(world.slots.counts.size).toBe(100);
    expect(arenaProblems(world.map, world.slots, [root])).toEqual([]);
  });

  test('ends where its range ends, wherever leaves and their parents end', () => {
    const mapped = 100 * 64;
    for (const start of [0, 1, 62, 63, 64, 65, 96 * 64 - 1, 96 * 64]) {
      for (const end of [66, 127, 128, 129, 96 * 64 - 1, 96 * 64, 96 * 64 + 1, mapped - 1]) {
        if (end <= start) continue;
        const map = plainMap();
        let root = map.assign(EMPTY_ROOT, 0, mapped, 0, checksums, 0);
        root = map.remove(root, start, end - start);
        expect(map.checkTree(root)).toEqual([]);
        expect(map.countMapped(root, 0, mapped)).toBe(mapped - (end - start));
        expect(map.countMapped(root, start, end - start)).toBe(0);
      }
    }
  });

  test('of the nodes between two small ones makes them one', () => {
    const map = plainMap();
    let root = map.assign(EMPTY_ROOT, 0, 640, 0, checksums, 0);
    root = map.remove(root, 65, 63);
    root = map.remove(root, 8 * 64, 63);
    root = map.remove(root, 128, 6 * 64);
    expect(map.checkTree(root)).toEqual([]);
    expect(walkArena(map, [root]).leaves).toBe(3);
  });

  test('of everything leaves the empty root, whoever else owns the tree', () => {
    const world = new World();
    const model = new Map<number, number>();
    const root = world.write(EMPTY_ROOT, model, 100, 4000);
    world.map.share(root);
    const { acquired, released } = world.slots;
    expect(world.map.remove(root, 100, 4000)).toBe(EMPTY_ROOT);
    expect(world.slots.acquired).toBe(acquired);
    expect(world.slots.released).toBe(released);
    expect(world.map.remove(EMPTY_ROOT, 0, SECTOR_LIMIT)).toBe(EMPTY_ROOT);
    expect(world.differences(root, model, 0, 5000)).toEqual([]);
  });

  test('of a hole changes and copies nothing', () => {
    const world = new World();
    const model = new Map<number, number>();
    let root = world.write(EMPTY_ROOT, model, 0, 1000);
    root = world.write(root, model, 2 ** 31, 1000);
    world.map.share(root);
    const { nodeCount } = world.map;
    expect(world.map.remove(root, 1000, 2 ** 31 - 1000)).toBe(root);
    expect(world.map.remove(root, 2 ** 31 + 1000, 2 ** 31 - 1000)).toBe(root);
    expect(world.map.nodeCount).toBe(nodeCount);
  });

  test('of the middle of a shared tree copies the ends of the range only', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    let root = EMPTY_ROOT;
    for (let at = 0; at < 131_072; at += 4096) {
      root = map.assign(root, at, 4096, at, checksums, 0);
    }
    map.share(root);
    const { nodeCount } = map;
    const { acquired } = slots;
    const rest = map.remove(root, 10_000, 100_000);
    expect(map.checkTree(rest)).toEqual([]);
    expect(map.countMapped(rest, 0, SECTOR_LIMIT)).toBe(31_072);
    expect(slots.acquired - acquired).toBe(2 * 64);
    expect(map.nodeCount - nodeCount).toBeLessThanOrEqual(6);
    expect(map.countMapped(root, 0, SECTOR_LIMIT)).toBe(131_072);
    expect(arenaProblems(map, slots, [root, rest])).toEqual([]);
  });

  test('makes one node of two of which other trees own the left, the right or both', () => {
    const world = new World();
    const model = new Map<number, number>();
    let root = world.write(EMPTY_ROOT, model, 0, 640);
    for (const small of [1, 4, 6, 7]) root = world.remove(root, model, small * 64 + 16, 48);
    world.map.share(root);
    const snapshot = root;
    const before = new Map(model);
    root = world.remove(root, model, 2 * 64 + 10, 54);
    root = world.remove(root, model, 3 * 64 + 10, 54);
    root = world.remove(root, model, 5 * 64, 64);
    expect(world.differences(root, model, 0, 1000)).toEqual([]);
    expect(world.differences(snapshot, before, 0, 1000)).toEqual([]);
    expect(arenaProblems(world.map, world.slots, [root, snapshot])).toEqual([]);
    expect(walkArena(world.map, [root]).leaves).toBe(6);
  });
});

describe('a walk', () => {
  test('visits every sector once in ascending order, and may look things up meanwhile', () => {
    const map = plainMap();
    let root = EMPTY_ROOT;
    for (let i = 0; i < 20_000; i++) root = map.assign(root, scatter(i), 1, i, checksums, 0);
    const expected = Array.from({ length: 20_000 }, (_, i) => scatter(i)).sort((a, b) => a - b);
    const visited: number[] = [];
    let wrong = 0;
    map.forEachSector(root, (sector, location, checksum) => {
      visited.push(sector);
      if (scatter(location) !== sector || checksum !== checksums[0]) wrong++;
      if (map.countMapped(root, sector, 1) !== 1) wrong++;
    });
    expect(visited).toEqual(expected);
    expect(wrong).toBe(0);
    map.forEachSector(EMPTY_ROOT, () => expect.unreachable());
  });

  test('counts what is mapped in any range', () => {
    const map = plainMap();
    let root = EMPTY_ROOT;
    for (let i = 0; i < 3000; i++) root = map.assign(root, i * 3, 1, i, checksums, 0);
    expect(map.countMapped(root, 0, 9000)).toBe(3000);
    expect(map.countMapped(root, 1, 8998)).toBe(2999);
    expect(map.countMapped(root, 3000, 3)).toBe(1);
    expect(map.countMapped(root, 3001, 2)).toBe(0);
    expect(map.countMapped(root, 5, 0)).toBe(0);
    expect(map.countMapped(EMPTY_ROOT, 0, SECTOR_LIMIT)).toBe(0);
  });
});

describe('a caller that breaks the rules is stopped', () => {
  const map = plainMap();
  const root = map.assign(EMPTY_ROOT, 0, 10, 0, checksums, 0);
  const run = createChunkRun(1);
  const cases: [string, () => void][] = [
    ['a run of nothing', () => createChunkRun(0)],
    ['a lookup of nothing', () => map.lookup(root, 0, 0, run)],
    ['a lookup before sector 0', () => map.lookup(root, -1, 1, run)],
    ['a lookup beyond the last sector', () => map.lookup(root, SECTOR_LIMIT - 1, 2, run)],
    ['an assignment of nothing', () => map.assign(root, 0, 0, 0, checksums, 0)],
    ['an assignment before sector 0', () => map.assign(root, -1, 1, 0, checksums, 0)],
    ['an assignment beyond the last', () => map.assign(root, SECTOR_LIMIT, 1, 0, checksums, 0)],
    ['a location below 0', () => map.assign(root, 0, 1, -1, checksums, 0)],
    ['a location of 33 bits', () => map.assign(root, 0, 2, SECTOR_LIMIT - 1, checksums, 0)],
    ['checksums that are not there', () => map.assign(root, 0, 2, 0, checksums, 8191)],
    ['a removal of nothing', () => map.remove(root, 0, 0)],
    ['a removal beyond the last sector', () => map.remove(root, 1, SECTOR_LIMIT)],
    ['a count beyond the last sector', () => map.countMapped(root, 1, SECTOR_LIMIT)],
  ];
  test.each(cases)('%s', (_name, call) => {
    expect(call).toThrow(InvariantError);
    expect(readTree(map, root, 0, 100).size).toBe(10);
  });

  test('a root that is used when nobody owns it', () => {
    const other = plainMap();
    const gone = other.assign(EMPTY_ROOT, 0, 1, 0, checksums, 0);
    other.share(gone);
    other.release(gone);
    other.release(gone);
    expect(() => other.release(gone)).toThrow(InvariantError);
    expect(() => other.share(gone)).toThrow(InvariantError);
    expect(() => lookup(other, gone, 0, 1)).toThrow(InvariantError);
    expect(() => other.countMapped(gone, 0, 1)).toThrow(InvariantError);
    expect(() => other.assign(gone, 0, 1, 0, checksums, 0)).toThrow(InvariantError);
    expect(() => other.forEachSector(gone, () => {})).toThrow(InvariantError);
    other.share(EMPTY_ROOT);
    other.release(EMPTY_ROOT);
  });
});
