/** Scrub, by steps, over a store that refuses reads as the test says. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { Scrub } from '../../../src/shard/scrub.ts';

function storeWith(trees: Record<string, readonly number[]>): ShardStore {
  const store = openMemoryStore({ memoryLimitBytes: 64 << 20 });
  for (const [name, sectors] of Object.entries(trees)) {
    const tree = store.openTree(name);
    for (const sector of sectors) store.append(tree, sector, 1, { fill: () => undefined });
  }
  return store;
}

/** Sectors whose reads are refused, alone or among others. */
function refuse(store: ShardStore, bad: ReadonlySet<number>): void {
  const read = store.read.bind(store);
  store.read = (tree, sector, count, visitor) => {
    for (let at = sector; at < sector + count; at++) {
      if (bad.has(at)) throw new PlaneError('ReadFailed', `sector ${at}`);
    }
    read(tree, sector, count, visitor);
  };
}

function runAll(scrub: Scrub, sectorsMax: number) {
  const steps = [scrub.step(sectorsMax)];
  while (!steps.at(-1)!.isDone) steps.push(scrub.step(sectorsMax));
  return steps;
}

describe('a pass of scrub', () => {
  it('reads every mapped sector once, in small steps, and no hole', () => {
    const far = 2 ** 33 + 5;
    const store = storeWith({ b: [1, 2, 3, 4, 9, far], a: [7], empty: [] });
    const steps = runAll(new Scrub(1, store), 2);
    expect(steps.reduce((sum, { sectorsRead }) => sum + sectorsRead, 0)).toBe(7);
    for (const { sectorsRead } of steps) expect(sectorsRead).toBeLessThanOrEqual(2);
    expect(steps.at(-1)).toMatchObject({ treesDone: 3, trees: 3, damage: [] });
  });

  it('names the damaged sectors of a run, and no other', () => {
    const store = storeWith({ a: [1, 2, 3, 4, 5, 6] });
    refuse(store, new Set([2, 5]));
    const damage = runAll(new Scrub(1, store), 64).flatMap((step) => step.damage);
    expect(damage).toEqual([
      { tree: 'a', sector: 2, code: 'ReadFailed' },
      { tree: 'a', sector: 5, code: 'ReadFailed' },
    ]);
  });

  it('leaves out a tree that is removed meanwhile, and does not make it again', () => {
    const store = storeWith({ a: [1, 2], b: [1] });
    const scrub = new Scrub(1, store);
    scrub.step(1);
    store.removeTree('a');
    expect(runAll(scrub, 1).reduce((sum, { sectorsRead }) => sum + sectorsRead, 0)).toBe(1);
    expect(store.treeNames()).toEqual(['b']);
  });

  it('lets a broken invariant through', () => {
    const store = storeWith({ a: [1] });
    store.read = () => {
      throw new Error('a bug');
    };
    expect(() => new Scrub(1, store).step(1)).toThrow('a bug');
  });
});
