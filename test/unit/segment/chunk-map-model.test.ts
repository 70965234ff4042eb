/**
 * Random histories of many trees against plain Maps: writes, trims, shares, releases, relocation
 * and dumps, interleaved, with every rule checked on the way.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { invariant } from '../../../src/base/invariant.ts';
import { EMPTY_ROOT } from '../../../src/segment/chunk-map.ts';
import { ChunkMapDump, ChunkMapRestore } from '../../../src/segment/chunk-map-dump.ts';
import { arenaProblems, type ModelTree, World } from './chunk-map-world.ts';

const SECTOR_LIMIT = 2 ** 32;
const TREES_MAX = 12;

interface OwnedTree {
  root: number;
  model: ModelTree;
}

type Step =
  | { op: 'write'; tree: number; sector: number; count: number }
  | { op: 'scatter'; tree: number; sector: number; count: number; stride: number }
  | { op: 'remove'; tree: number; sector: number; count: number }
  | { op: 'thin'; tree: number; sector: number; count: number; stride: number; length: number }
  | { op: 'share'; tree: number }
  | { op: 'release'; tree: number }
  | { op: 'begin' }
  | { op: 'relocate'; leaves: number }
  | { op: 'end' }
  | { op: 'dump'; nodes: number };

/** Sectors near each other, so that steps meet; with both ends of the range among them. */
const sectors = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20_000) },
  { weight: 2, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.nat(5000).map((back) => SECTOR_LIMIT - 1 - back) },
);
const counts = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 300, max: 4096 }) },
);
const trees = fc.nat(TREES_MAX - 1);

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      tree: trees,
      sector: sectors,
      count: counts,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('scatter' as const),
      tree: trees,
      sector: sectors,
      count: fc.integer({ min: 2, max: 400 }),
      stride: fc.integer({ min: -40, max: 40 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('remove' as const),
      tree: trees,
      sector: sectors,
      count: fc.oneof(counts, fc.integer({ min: 1, max: SECTOR_LIMIT })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('thin' as const),
      tree: trees,
      sector: sectors,
      count: fc.integer({ min: 2, max: 60 }),
      stride: fc.integer({ min: 20, max: 70 }),
      length: fc.integer({ min: 10, max: 69 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('share' as const), tree: trees }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('release' as const), tree: trees }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('begin' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('relocate' as const),
      leaves: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('end' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('dump' as const),
      nodes: fc.integer({ min: 1, max: 50 }),
    }),
  },
);

function isSameMap(one: Map<number, number>, other: Map<number, number>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

/** One history: the world, its trees, and the pass that may be under way. */
class History {
  readonly world = new World();
  readonly trees: OwnedTree[] = [{ root: EMPTY_ROOT, model: new Map() }];
  /** Slots below this are to be moved by the pass under way; null when there is none. */
  #moveBelow: number | null = null;
  /** Where the pass has moved a slot: one place for all entries that name it. */
  readonly #movedTo = new Map<number, number>();

  get roots(): number[] {
    return this.trees.map((tree) => tree.root);
  }

  run(step: Step): void {
    switch (step.op) {
      case 'begin':
        if (this.#moveBelow === null) this.#begin();
        return;
      case 'end':
        if (this.#moveBelow !== null) this.#end();
        return;
      case 'relocate':
        if (this.#moveBelow !== null) this.#relocate(step.leaves);
        return;
      case 'dump':
        this.#dumpAndRestore(step.nodes);
        return;
      default:
        this.#runOnTree(step);
    }
  }

  #runOnTree(step: Extract<Step, { tree: number }>): void {
    const tree = this.trees[step.tree % this.trees.length]!;
    if (step.op === 'share') {
      if (this.trees.length === TREES_MAX) return;
      this.world.map.share(tree.root);
      this.trees.push({ root: tree.root, model: new Map(tree.model) });
    } else if (step.op === 'release') {
      this.world.map.release(tree.root);
      tree.root = EMPTY_ROOT;
      tree.model = new Map();
      if (this.trees.length > 1) this.trees.splice(this.trees.indexOf(tree), 1);
    } else if (step.op === 'scatter') {
      for (let i = 0; i < step.count; i++) {
        const sector = step.sector + i * step.stride;
        if (sector < 0 || sector >= SECTOR_LIMIT) break;
        tree.root = this.world.write(tree.root, tree.model, sector, 1);
      }
    } else if (step.op === 'thin') {
      for (let i = 0; i < step.count; i++) {
        const sector = step.sector + i * step.stride;
        const length = Math.min(step.length, step.stride, SECTOR_LIMIT - sector);
        if (length <= 0) break;
        tree.root = this.world.remove(tree.root, tree.model, sector, length);
      }
    } else {
      const count = Math.min(step.count, SECTOR_LIMIT - step.sector);
      const change = step.op === 'write' ? 'write' : 'remove';
      tree.root = this.world[change](tree.root, tree.model, step.sector, count);
      const from = Math.max(0, step.sector - 70);
      const length = Math.min(count + 140, SECTOR_LIMIT - from);
      expect(this.world.differences(tree.root, tree.model, from, length)).toEqual([]);
    }
    if (step.op !== 'release') expect(this.world.map.checkTree(tree.root)).toEqual([]);
  }

  #begin(): void {
    this.world.map.beginRelocation();
    this.#moveBelow = this.world.nextLocation;
    this.world.nextLocation += 1;
  }

  #relocate(leaves: number): void {
    const world = this.world;
    const moveBelow = this.#moveBelow;
    invariant(moveBelow !== null, 'a pass is under way');
    const isComplete = world.map.relocateStep(leaves, {
      move: (location, checksum) => {
        invariant(world.contentOf.get(location) === checksum, 'an entry is offered as it is');
        if (location >= moveBelow) return location;
        let moved = this.#movedTo.get(location);
        if (moved === undefined) {
          moved = world.nextLocation++;
          world.contentOf.set(moved, checksum);
          this.#movedTo.set(location, moved);
        }
        return moved;
      },
    });
    if (!isComplete) return;
    // Every entry older than the pass has been offered, so none is where it was.
    const left = [...world.slots.counts.keys()].filter((location) => location < moveBelow);
    expect(left).toEqual([]);
    this.#end();
  }

  #end(): void {
    this.world.map.endRelocation();
    this.#moveBelow = null;
    this.#movedTo.clear();
  }

  #dumpAndRestore(nodes: number): void {
    const target = new World();
    const dump = new ChunkMapDump(this.world.map, this.roots);
    const restore = new ChunkMapRestore(target.map);
    while (!dump.step(nodes, (bytes) => restore.feed(bytes)));
    const restored = restore.finish(dump.rootIds());
    expect(arenaProblems(target.map, target.slots, restored)).toEqual([]);
    expect(target.map.nodeCount).toBe(this.world.map.nodeCount);
    expect(isSameMap(target.slots.counts, this.world.slots.counts)).toBe(true);
    for (const [location, content] of this.world.contentOf) {
      target.contentOf.set(location, content);
    }
    for (const [index, root] of restored.entries()) {
      expect(target.differences(root, this.trees[index]!.model, 0, SECTOR_LIMIT)).toEqual([]);
    }
  }

  /** Compares everything, then lets go of everything. */
  finish(): void {
    const { map, slots } = this.world;
    expect(arenaProblems(map, slots, this.roots)).toEqual([]);
    for (const tree of this.trees) {
      expect(this.world.differences(tree.root, tree.model, 0, SECTOR_LIMIT)).toEqual([]);
      const visited: number[] = [];
      map.forEachSector(tree.root, (sector) => visited.push(sector));
      const expected = [...tree.model.keys()].sort((a, b) => a - b);
      expect(visited.join()).toBe(expected.join());
    }
    while (this.#moveBelow !== null) this.#relocate(1000);
    expect(arenaProblems(map, slots, this.roots)).toEqual([]);
    for (const tree of this.trees) map.release(tree.root);
    expect(map.nodeCount).toBe(0);
    expect(slots.counts.size).toBe(0);
  }
}

describe('a random history of many trees', () => {
  test('agrees with plain maps at every step', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 10, maxLength: 60, size: 'max' }), (history) => {
        const run = new History();
        for (const step of history) run.run(step);
        run.finish();
      }),
      { numRuns: 500 },
    );
  });
});
