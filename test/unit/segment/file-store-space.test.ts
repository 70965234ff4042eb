/**
 * A file system that is really full: what is refused, what goes on, and how it heals.
 */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { fillerOf, HOLE, readVersions, runDry, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

const RESERVE_BYTES = 64 * 1024;
const GEOMETRY: StoreGeometry = {
  segmentSectors: 8,
  logBytesMax: 4096,
  reserveBytes: RESERVE_BYTES,
};
const DIRECTORY = '/store';
const CAPACITY = 200 * SECTOR + RESERVE_BYTES;

function open(fileSystem: SimulatedFileSystem): ShardStore {
  return openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }).store;
}

function codeOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    if (error instanceof PlaneError) return error.code;
    throw error;
  }
  return 'none';
}

/** Appends eight sectors to each tree in turn until it is refused. @returns sectors in each tree */
function fill(store: ShardStore, names: readonly string[], version: number): number {
  for (let sector = 0; ; sector += 8) {
    for (const name of names) {
      const code = codeOf(() => {
        store.append(store.openTree(name), sector, 8, fillerOf(version));
        store.commit();
      });
      if (code === 'none') continue;
      expect(code).toBe('NoSpace');
      return sector;
    }
  }
}

function expectTree(store: ShardStore, name: string, sectorCount: number, version: number): void {
  const expected = new Array<number>(sectorCount).fill(version);
  expect(readVersions(store, store.openTree(name), 0, sectorCount)).toEqual(expected);
}

describe('a full file system', () => {
  it('refuses appends, keeps what was committed, and has room again when a tree is removed', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.capacityBytes = CAPACITY;
    const store = open(fileSystem);
    for (let round = 1; round <= 5; round++) {
      const sectorCount = fill(store, ['a', 'b'], round);
      expect(sectorCount).toBeGreaterThan(60);
      expect(codeOf(() => store.append(store.openTree('b'), 0, 1, fillerOf(99)))).toBe('NoSpace');
      expect(store.idle()).toBe(false);
      expectTree(store, 'a', sectorCount, round);
      expectTree(store, 'b', sectorCount, round);
      const killed = open(fileSystem.fork());
      expectTree(killed, 'a', sectorCount, round);
      expectTree(killed, 'b', sectorCount, round);
      expect(killed.check().problems).toEqual([]);

      // What a control operation does: it must not fail for want of space.
      store.removeTree('b');
      store.flush();
      runDry(store);
      expect(fileSystem.paths()).toContain(`${DIRECTORY}/reserve`);
      // Whole segments, so that what comes next begins one.
      store.append(store.openTree('b'), 0, 24, fillerOf(100 + round));
      store.flush();
      expectTree(store, 'b', 24, 100 + round);
      expectTree(store, 'a', sectorCount, round);
      store.removeTree('a');
      store.removeTree('b');
      store.flush();
      expect(store.check().problems).toEqual([]);
    }
  });

  it('has room again when sectors are discarded, even scattered ones', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.capacityBytes = CAPACITY;
    const store = open(fileSystem);
    const sectorCount = fill(store, ['a'], 1);
    const tree = store.openTree('a');
    const kept = new Map<number, number>();
    // Whole segments go, and one sector of each of the others stays.
    for (let sector = 0; sector < sectorCount; sector++) {
      if (sector < sectorCount / 2 || sector % 8 === 0) kept.set(sector, 1);
      else store.discard(tree, sector, 1);
    }
    store.commit();
    for (let sector = 0; sector < sectorCount / 4; sector++) {
      store.discard(tree, sector, 1);
      kept.delete(sector);
    }
    store.flush();
    runDry(store);
    store.append(tree, 0, 10, fillerOf(2));
    store.flush();
    for (let sector = 0; sector < 10; sector++) kept.set(sector, 2);
    const expected = Array.from({ length: sectorCount }, (_, sector) => kept.get(sector) ?? HOLE);
    expect(readVersions(store, tree, 0, sectorCount)).toEqual(expected);
    store.close();
    const again = open(fileSystem);
    expect(readVersions(again, again.openTree('a'), 0, sectorCount)).toEqual(expected);
  });

  it('does not keep a killed store from being opened, read and emptied', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.capacityBytes = CAPACITY;
    const sectorCount = fill(open(fileSystem), ['a', 'b'], 1);
    const store = open(fileSystem);
    expectTree(store, 'a', sectorCount, 1);
    fill(store, ['a'], 1);
    expect(codeOf(() => store.append(store.openTree('a'), 0, 1, fillerOf(2)))).toBe('NoSpace');
    store.removeTree('b');
    store.flush();
    runDry(store);
    store.append(store.openTree('a'), 0, 1, fillerOf(2));
    store.close();
    const again = open(fileSystem);
    expect(readVersions(again, again.openTree('a'), 0, 2)).toEqual([2, 1]);
    expect(again.check().problems).toEqual([]);
  });

  it('smaller than the reserve can be read, and takes no appends until there is more', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.capacityBytes = RESERVE_BYTES;
    const store = open(fileSystem);
    const tree = store.openTree('a');
    expect(codeOf(() => store.append(tree, 0, 1, fillerOf(1)))).toBe('NoSpace');
    expect(store.idle()).toBe(false);
    expect(readVersions(store, tree, 0, 1)).toEqual([HOLE]);
    fileSystem.capacityBytes = CAPACITY;
    expect(store.idle()).toBe(false);
    store.append(tree, 0, 1, fillerOf(1));
    store.close();
  });

  it('met in the middle of a checkpoint makes it begin anew, not go on', () => {
    for (let n = 1; n <= 4; n++) {
      const disk = new SimulatedFileSystem();
      const fileSystem = new FaultyFileSystem(disk);
      const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
      const tree = store.openTree('a');
      let writes = 0;
      let isHit = false;
      let isRenamed = false;
      fileSystem.plan = (call, path) => {
        isRenamed ||= isHit && call === 'rename';
        if (call !== 'pwrite' || !path.endsWith('.new') || ++writes !== n) return '';
        isHit = true;
        return 'ENOSPC';
      };
      // Enough commits for a log that is due several times.
      for (let index = 0; index < 6000 && !isRenamed; index++) {
        const append = () => store.append(tree, index % 600, 1, fillerOf(1));
        // Refused once, until the next commit finds that there is space.
        const code = codeOf(append);
        store.commit();
        if (code !== 'none') append();
        store.idle();
      }
      expect(isRenamed).toBe(true);
      // The very checkpoint that was written after the failure is the one to be read.
      const again = open(disk.fork());
      expectTree(again, 'a', 600, 1);
      expect(again.check().problems).toEqual([]);
    }
  });

  it('with room for no victim is not used up by moving a part of one', () => {
    const fileSystem = new SimulatedFileSystem();
    const store = open(fileSystem);
    const tree = store.openTree('a');
    store.append(tree, 0, 160, fillerOf(1));
    store.flush();
    fileSystem.capacityBytes = fileSystem.usedBytes + 4 * SECTOR;
    // Every segment keeps 4 of its 8 sectors: moving them would take 4, and 2 may be taken.
    for (let sector = 0; sector < 160; sector++) {
      if (sector % 2 === 1) store.discard(tree, sector, 1);
    }
    store.flush();
    runDry(store);
    expect(store.stats().reclaimedSectors).toBe(0);
    fileSystem.capacityBytes = Number.POSITIVE_INFINITY;
    runDry(store);
    expect(store.stats().reclaimedSectors).toBeGreaterThan(0);
    const expected = Array.from({ length: 160 }, (_, sector) => (sector % 2 === 0 ? 1 : HOLE));
    expect(readVersions(store, tree, 0, 160)).toEqual(expected);
    expect(store.check().problems).toEqual([]);
  });

  it('under random use loses nothing that was committed', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.capacityBytes = CAPACITY;
    const prng = createPrng(12);
    let store = open(fileSystem);
    const current = new Map<string, number[]>();
    let refusals = 0;
    for (let step = 1; step < 3000; step++) {
      const name = `t${prng.nextBelow(4)}`;
      const versions = current.get(name) ?? new Array<number>(80).fill(HOLE);
      current.set(name, versions);
      const sector = prng.nextBelow(78);
      const kind = prng.nextBelow(40);
      if (kind === 0) {
        store.removeTree(name);
        current.delete(name);
      } else if (kind < 8) {
        store.discard(store.openTree(name), sector, 2);
        versions.fill(HOLE, sector, sector + 2);
      } else {
        const tree = store.openTree(name);
        const code = codeOf(() => store.append(tree, sector, 2, fillerOf(step)));
        if (code !== 'none') refusals++;
        readVersions(store, tree, sector, 2).forEach((version, index) => {
          versions[sector + index] = version;
        });
      }
      store.commit();
      if (kind === 20) store.idle();
      if (kind === 21) store.flush();
      if (kind === 22) {
        store = open(fileSystem.fork());
        for (const [each, expected] of current) {
          expect(readVersions(store, store.openTree(each), 0, 80)).toEqual(expected);
        }
        expect(store.check().problems).toEqual([]);
        store = open(fileSystem);
      }
    }
    expect(refusals).toBeGreaterThan(20);
    expect(refusals).toBeLessThan(2000);
  });
});
