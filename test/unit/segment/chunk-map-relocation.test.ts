import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { ChunkMap, EMPTY_ROOT } from '../../../src/segment/chunk-map.ts';
import { ChunkMapDump, ChunkMapRestore } from '../../../src/segment/chunk-map-dump.ts';
import { arenaProblems, CountedSlots, readTree } from './chunk-map-world.ts';

const checksums = new Uint32Array(4096).map((_, i) => i + 1);
/** Leaves of a map filled by grow(), and where it moves to: far from where anything is. */
const LEAVES = 64;
const FAR = 1_000_000;

function grow(map: ChunkMap): number {
  return map.assign(EMPTY_ROOT, 0, LEAVES * 64, 0, checksums, 0);
}

/** Counts what it is offered, and moves all of it that is not FAR yet. */
function countingMover(): { offered: number; move(location: number, checksum: number): number } {
  return {
    offered: 0,
    move(location) {
      this.offered++;
      return location < FAR ? location + FAR : location;
    },
  };
}

describe('a relocation pass', () => {
  test('offers every entry once, with its checksum, and moves it where the mover says', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    const root = grow(map);
    const offered: [number, number][] = [];
    map.beginRelocation();
    const isComplete = map.relocateStep(LEAVES + 1, {
      move(location, checksum) {
        offered.push([location, checksum]);
        return location % 2 === 0 ? location + FAR : location;
      },
    });
    map.endRelocation();
    expect(isComplete).toBe(true);
    expect(offered).toHaveLength(LEAVES * 64);
    expect(offered.every(([location, checksum]) => checksum === location + 1)).toBe(true);
    for (const [sector, [location, checksum]] of readTree(map, root, 0, LEAVES * 64)) {
      expect(location).toBe(sector % 2 === 0 ? sector + FAR : sector);
      expect(checksum).toBe(sector + 1);
    }
    expect(arenaProblems(map, slots, [root])).toEqual([]);
  });

  test('acquires the new slot before it releases the old one', () => {
    const events: string[] = [];
    const map = new ChunkMap({
      acquire: (location) => events.push(`+${location}`),
      release: (location) => events.push(`-${location}`),
    });
    map.assign(EMPTY_ROOT, 0, 2, 5, checksums, 0);
    map.beginRelocation();
    map.relocateStep(1, { move: (location) => (location === 5 ? 9 : location) });
    expect(events).toEqual(['+5', '+6', '+9', '-5']);
  });

  test('visits a leaf that many trees share once, and moves it for all of them', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    const root = grow(map);
    for (let i = 0; i < 5; i++) map.share(root);
    const changed = map.assign(root, 0, 1, 500_000, checksums, 0);
    const mover = countingMover();
    map.beginRelocation();
    expect(map.relocateStep(1000, mover)).toBe(true);
    expect(mover.offered).toBe((LEAVES + 1) * 64);
    for (const tree of [root, changed]) {
      for (const [location] of readTree(map, tree, 0, LEAVES * 64).values()) {
        expect(location).toBeGreaterThanOrEqual(FAR);
      }
    }
    const owned = [root, root, root, root, root, changed];
    expect(arenaProblems(map, slots, owned)).toEqual([]);
  });

  test('keeps to its budget of leaves, and says when it is complete', () => {
    const map = new ChunkMap(new CountedSlots());
    grow(map);
    const mover = countingMover();
    map.beginRelocation();
    for (let leaves = 10; leaves <= 60; leaves += 10) {
      expect(map.relocateStep(10, mover)).toBe(false);
      expect(mover.offered).toBe(leaves * 64);
    }
    expect(map.relocateStep(10, mover)).toBe(true);
    expect(map.relocateStep(10, mover)).toBe(true);
    expect(mover.offered).toBe(LEAVES * 64);
  });

  test('looks at a bounded part of an arena that is nearly empty', () => {
    const map = new ChunkMap(new CountedSlots());
    let root = EMPTY_ROOT;
    for (let at = 0; at < 100_000; at += 4096) {
      root = map.assign(root, at, 4096, at, checksums, 0);
    }
    // One leaf of many stays, so no chunk of the arena goes.
    for (let at = 0; at < 102_400; at += 6400) root = map.remove(root, at + 64, 6336);
    const mover = countingMover();
    map.beginRelocation();
    let steps = 1;
    while (!map.relocateStep(1, mover)) steps++;
    map.endRelocation();
    expect(mover.offered).toBe(16 * 64);
    expect(steps).toBeGreaterThan(1600 / 100);
    expect(steps).toBeLessThan(100);
  });

  test('visits again a leaf behind it that is given entries from ahead', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    let root = grow(map);
    const mover = countingMover();
    map.beginRelocation();
    expect(map.relocateStep(30, mover)).toBe(false);
    // Leaf 29 has been visited, leaf 30 has not: what is left of the two becomes one node.
    root = map.remove(root, 29 * 64 + 10, 54);
    root = map.remove(root, 30 * 64 + 10, 54);
    while (!map.relocateStep(7, mover));
    map.endRelocation();
    for (const [location] of readTree(map, root, 0, LEAVES * 64).values()) {
      expect(location).toBeGreaterThanOrEqual(FAR);
    }
    expect(arenaProblems(map, slots, [root])).toEqual([]);
  });

  test('visits a leaf copied to a place behind it', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    const gone = grow(map);
    let root = grow(map);
    map.release(gone);
    const mover = countingMover();
    map.beginRelocation();
    expect(map.relocateStep(LEAVES / 2, mover)).toBe(false);
    map.share(root);
    const snapshot = root;
    for (let leaf = 0; leaf < LEAVES; leaf++) {
      root = map.assign(root, leaf * 64, 1, FAR * 2 + leaf, checksums, 0);
    }
    while (!map.relocateStep(5, mover));
    map.endRelocation();
    for (const tree of [root, snapshot]) {
      for (const [location] of readTree(map, tree, 0, LEAVES * 64).values()) {
        expect(location).toBeGreaterThanOrEqual(FAR);
      }
    }
    expect(arenaProblems(map, slots, [root, snapshot])).toEqual([]);
  });

  test('passes over leaves of its revisit list that were freed, or became inner nodes', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    const root = grow(map);
    const mover = countingMover();
    map.beginRelocation();
    while (!map.relocateStep(100, mover));
    map.share(root);
    let changed = root;
    for (let leaf = 0; leaf < LEAVES; leaf++) {
      changed = map.assign(changed, leaf * 64, 1, FAR * 2 + leaf, checksums, 0);
    }
    map.release(changed);
    map.release(root);
    expect(map.nodeCount).toBe(0);
    const again = grow(map);
    const { offered } = mover;
    expect(map.relocateStep(1000, mover)).toBe(true);
    expect(mover.offered - offered).toBeLessThanOrEqual(LEAVES * 64);
    map.endRelocation();
    expect(map.byteCount).toBeLessThan(1_000_000);
    expect(arenaProblems(map, slots, [again])).toEqual([]);
  });

  test('offers a leaf again when the mover threw in the middle of it', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    const root = grow(map);
    const mover = countingMover();
    let isBroken = true;
    const breaking = {
      move(location: number, checksum: number) {
        if (isBroken && location === 20 * 64 + 30) throw new Error('no space');
        return mover.move(location, checksum);
      },
    };
    map.beginRelocation();
    expect(() => map.relocateStep(1000, breaking)).toThrow('no space');
    expect(arenaProblems(map, slots, [root])).toEqual([]);
    expect(() => map.relocateStep(1000, breaking)).toThrow('no space');
    isBroken = false;
    expect(map.relocateStep(1000, breaking)).toBe(true);
    map.endRelocation();
    for (const [location] of readTree(map, root, 0, LEAVES * 64).values()) {
      expect(location).toBeGreaterThanOrEqual(FAR);
    }
    expect(arenaProblems(map, slots, [root])).toEqual([]);
  });

  test('may be ended before it is complete, and begun anew', () => {
    const slots = new CountedSlots();
    const map = new ChunkMap(slots);
    let root = grow(map);
    map.beginRelocation();
    map.relocateStep(30, countingMover());
    // A leaf behind the cursor is given entries from ahead of it, and waits to be seen again.
    root = map.remove(root, 29 * 64 + 10, 54);
    root = map.remove(root, 30 * 64 + 10, 54);
    map.endRelocation();
    const mover = countingMover();
    map.beginRelocation();
    expect(map.relocateStep(1000, mover)).toBe(true);
    expect(mover.offered).toBe((LEAVES - 2) * 64 + 20);
    map.endRelocation();
    expect(arenaProblems(map, slots, [root])).toEqual([]);
  });

  test('offers the entries of trees that are restored meanwhile', () => {
    const map = new ChunkMap(new CountedSlots());
    const root = grow(map);
    const dump = new ChunkMapDump(map, [root]);
    const restore = new ChunkMapRestore(map);
    const mover = countingMover();
    map.beginRelocation();
    expect(map.relocateStep(1000, mover)).toBe(true);
    expect(dump.step(1000, (bytes) => restore.feed(bytes))).toBe(true);
    const [again] = restore.finish(dump.rootIds());
    expect(map.relocateStep(1000, mover)).toBe(true);
    expect(mover.offered).toBe(2 * LEAVES * 64);
    map.endRelocation();
    expect(readTree(map, again!, 0, LEAVES * 64)).toEqual(readTree(map, root, 0, LEAVES * 64));
  });

  test('gives back, when it ends, the chunks that emptied meanwhile', () => {
    const map = new ChunkMap(new CountedSlots());
    let root = EMPTY_ROOT;
    for (let at = 0; at < 100_000; at += 4096) {
      root = map.assign(root, at, 4096, at, checksums, 0);
    }
    const held = map.byteCount;
    map.beginRelocation();
    map.relocateStep(10, countingMover());
    map.release(root);
    expect(map.byteCount).toBe(held);
    map.endRelocation();
    expect(map.byteCount).toBeLessThan(held / 3);
    // And their numbers are used again.
    root = EMPTY_ROOT;
    for (let at = 0; at < 100_000; at += 4096) {
      root = map.assign(root, at, 4096, at, checksums, 0);
    }
    expect(map.byteCount).toBe(held);
    expect(map.checkTree(root)).toEqual([]);
  });

  test('is one at a time, and steps belong to one', () => {
    const map = new ChunkMap(new CountedSlots());
    expect(() => map.relocateStep(1, countingMover())).toThrow(InvariantError);
    expect(() => map.endRelocation()).toThrow(InvariantError);
    map.beginRelocation();
    expect(() => map.beginRelocation()).toThrow(InvariantError);
    map.endRelocation();
  });

  test('notices a mover that changes the leaf it is offered', () => {
    const map = new ChunkMap(new CountedSlots());
    let root = map.assign(EMPTY_ROOT, 0, 10, 0, checksums, 0);
    map.beginRelocation();
    const meddling = {
      move(location: number) {
        if (location === 3) root = map.remove(root, 9, 1);
        return location;
      },
    };
    expect(() => map.relocateStep(1, meddling)).toThrow(InvariantError);
  });
});
