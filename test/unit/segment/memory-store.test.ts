import { describe, expect, it } from 'vitest';
import type { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { longFactor } from '../../support/long.ts';
import { fillerOf, HOLE, readVersions, runDry, SECTOR } from '../../support/sector-pattern.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 16, logBytesMax: 1024, reserveBytes: 4096 };
const SEGMENT_BYTES = 16 * SECTOR;
/** Enough for a tree of many leaves. */
const SECTORS = 600;

function memoryStore(segments: number): ShardStore {
  return openMemoryStore({ memoryLimitBytes: segments * SEGMENT_BYTES, geometry: GEOMETRY });
}

function codeOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    return (error as PlaneError).code;
  }
  return 'none';
}

describe('the memory limit', () => {
  it('is at least two segments', () => {
    for (const bytes of [0, -1, Number.NaN, 2 * SEGMENT_BYTES - 1]) {
      const open = () => openMemoryStore({ memoryLimitBytes: bytes, geometry: GEOMETRY });
      expect(open).toThrow(/InvalidArgument: expected memoryLimitBytes of at least 131072/);
    }
    memoryStore(2).close();
  });

  it('is kept: an append beyond it is refused before it begins', () => {
    const store = memoryStore(4);
    const tree = store.openTree('d');
    store.append(tree, 0, 40, fillerOf(1));
    expect(codeOf(() => store.append(tree, 38, 20, fillerOf(2)))).toBe('NoSpace');
    expect(readVersions(store, tree, 36, 6)).toEqual([1, 1, 1, 1, HOLE, HOLE]);
    store.append(tree, 40, 8, fillerOf(3));
    expect(store.stats()).toMatchObject({ liveSectors: 48, storedSectors: 48, segments: 3 });
    expect(codeOf(() => store.append(tree, 48, 1, fillerOf(3)))).toBe('NoSpace');
    expect(store.check().problems).toEqual([]);
  });

  it('is not reached by a store full of garbage', () => {
    const store = memoryStore(6);
    const tree = store.openTree('d');
    const prng = createPrng(5);
    const versions = new Array<number>(60).fill(HOLE);
    // 60 live of 80 that can be live; never an idle moment.
    for (let version = 1; version < 3000; version++) {
      const sector = prng.nextBelow(58);
      store.append(tree, sector, 2, fillerOf(version));
      versions.fill(version, sector, sector + 2);
      expect(store.stats().segments).toBeLessThanOrEqual(6);
    }
    expect(readVersions(store, tree, 0, 60)).toEqual(versions);
    expect(store.check().problems).toEqual([]);
  });

  it('lets all but a sixteenth of what it leaves to live sectors be overwritten', () => {
    const store = memoryStore(34);
    const tree = store.openTree('d');
    const capacity = 33 * 16;
    const live = Math.floor((capacity * 15) / 16) - 16;
    for (let sector = 0; sector < live; sector++) store.append(tree, sector, 1, fillerOf(1));
    const prng = createPrng(6);
    for (let index = 0; index < 3000; index++) {
      store.append(tree, prng.nextBelow(live), 1, fillerOf(2 + index));
    }
    expect(store.stats().liveSectors).toBe(live);
    expect(store.check().problems).toEqual([]);
  });

  it('has room again after a discard', () => {
    const store = memoryStore(4);
    const tree = store.openTree('d');
    store.append(tree, 0, 48, fillerOf(1));
    expect(codeOf(() => store.append(tree, 100, 16, fillerOf(2)))).toBe('NoSpace');
    for (let sector = 0; sector < 48; sector += 2) store.discard(tree, sector, 1);
    store.append(tree, 100, 16, fillerOf(2));
    expect(readVersions(store, tree, 0, 4)).toEqual([HOLE, 1, HOLE, 1]);
    expect(readVersions(store, tree, 100, 2)).toEqual([2, 2]);
    expect(store.check().problems).toEqual([]);
  });
});

describe('reclaim', () => {
  /** A store with much garbage, and a snapshot before each round of overwrites. */
  function usedStore(seed: number): { store: ShardStore; expected: Map<string, number[]> } {
    const geometry = { segmentSectors: 4, logBytesMax: 1024, reserveBytes: 4096 };
    const store = openMemoryStore({ memoryLimitBytes: 2 ** 26, geometry });
    const prng = createPrng(seed);
    const versions = new Array<number>(SECTORS).fill(1);
    const expected = new Map<string, number[]>();
    store.append(store.openTree('d'), 0, SECTORS, fillerOf(1));
    for (let round = 0; round < 6; round++) {
      store.shareTree('d', `s${round}`);
      expected.set(`s${round}`, [...versions]);
      for (let index = 0; index < SECTORS; index++) {
        const sector = prng.nextBelow(SECTORS);
        const version = 2 + round * 1000 + index;
        store.append(store.openTree('d'), sector, 1, fillerOf(version));
        versions[sector] = version;
      }
    }
    expected.set('d', versions);
    for (const name of ['s1', 's2', 's4']) {
      store.removeTree(name);
      expected.delete(name);
    }
    return { store, expected };
  }

  const expectContent = (store: ShardStore, expected: Map<string, number[]>) => {
    for (const [name, versions] of expected) {
      expect(readVersions(store, store.openTree(name), 0, SECTORS)).toEqual(versions);
    }
    expect(store.check().problems).toEqual([]);
  };

  it('moves a sector that many trees share once', () => {
    const store = memoryStore(1000);
    const tree = store.openTree('d');
    for (let sector = 0; sector < 200; sector++) {
      for (const version of [1, 2]) store.append(tree, sector, 1, fillerOf(version));
    }
    for (let index = 0; index < 20; index++) {
      store.shareTree('d', `s${index}`);
      // A change in each leaf gives every snapshot leaves of its own.
      for (let sector = 0; sector < 200; sector += 20) {
        store.discard(store.openTree(`s${index}`), sector, 1);
      }
    }
    runDry(store);
    const { reclaimedSectors, liveSectors } = store.stats();
    expect(liveSectors).toBe(200);
    expect(reclaimedSectors).toBeGreaterThan(20);
    expect(reclaimedSectors).toBeLessThanOrEqual(200);
    for (let index = 0; index < 20; index++) {
      const versions = readVersions(store, store.openTree(`s${index}`), 0, 200);
      expect(versions).toEqual(versions.map((_, sector) => (sector % 20 === 0 ? HOLE : 2)));
    }
    expect(store.check().problems).toEqual([]);
  });

  it('changes nothing a reader can see, whatever happens between its steps', () => {
    for (let seed = 1; seed <= 6 * longFactor; seed++) {
      const { store, expected } = usedStore(seed);
      const prng = createPrng(seed);
      let version = 10_000;
      for (let step = 0; step < 300; step++) {
        // An append that finds no idle time goes on with a pass by a few leaves.
        if (prng.nextBelow(20) === 0) store.idle();
        const names = [...expected.keys()];
        const name = names[prng.nextBelow(names.length)]!;
        const versions = expected.get(name)!;
        const sector = prng.nextBelow(SECTORS - 1);
        const kind = prng.nextBelow(8);
        if (kind === 0) {
          const sectorCount = Math.min(SECTORS - sector, 1 + prng.nextBelow(100));
          store.discard(store.openTree(name), sector, sectorCount);
          versions.fill(HOLE, sector, sector + sectorCount);
        } else if (kind < 3 && expected.size < 8) {
          store.shareTree(name, `t${step}`);
          expected.set(`t${step}`, [...versions]);
        } else if (kind < 5 && expected.size > 3) {
          store.removeTree(name);
          expected.delete(name);
        } else {
          store.append(store.openTree(name), sector, 2, fillerOf(++version));
          versions.fill(version, sector, sector + 2);
        }
        if (step % 50 === 0) expectContent(store, expected);
      }
      runDry(store);
      expectContent(store, expected);
      expect(store.stats().reclaimedSectors).toBeGreaterThan(100);
    }
  });

  it('may be ended by close() in the middle', () => {
    const { store } = usedStore(1);
    store.idle();
    store.close();
    expect(store.stats().segments).toBeGreaterThan(0);
  });
});
