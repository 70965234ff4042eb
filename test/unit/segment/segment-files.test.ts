import { describe, expect, it } from 'vitest';
import { SEGMENT_FILES_DIRTY_MAX, SEGMENT_FILES_OPEN_MAX } from '../../../src/limits.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { fillerOf, readVersions, runDry } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 2, logBytesMax: 4096, reserveBytes: 4096 };
const DIRECTORY = '/store';

/** A store on a file system whose calls are counted by name. */
function countedStore() {
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const calls: string[] = [];
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  fileSystem.plan = (call, path) => {
    calls.push(`${call} ${path.slice(path.lastIndexOf('.') + 1)}`);
    return '';
  };
  const count = (call: string) => calls.filter((each) => each === call).length;
  return { disk, store, calls, count };
}

describe('segment files', () => {
  it('are written by commit() in one call, and the log in another', () => {
    const { store, calls } = countedStore();
    const tree = store.openTree('d');
    store.commit();
    store.append(tree, 0, 2, fillerOf(1));
    calls.length = 0;
    store.commit();
    expect(calls).toEqual(['create seg', 'pwrite seg', 'pwrite log']);
    calls.length = 0;
    store.commit();
    expect(calls).toEqual([]);
  });

  it('are forced by flush() before the flush-mark is written, once', () => {
    const { store, calls } = countedStore();
    store.append(store.openTree('d'), 0, 1, fillerOf(1));
    store.flush();
    const sync = calls.indexOf('fdatasync seg');
    expect(calls.slice(sync)).toEqual([
      'fdatasync seg',
      'fsyncDirectory /store/segments',
      'pwrite log',
      'fdatasync log',
      'pwrite log',
    ]);
    calls.length = 0;
    store.flush();
    expect(calls).toEqual([]);
  });

  it('are open in bounded number, and all can be read', () => {
    const { disk, store } = countedStore();
    const tree = store.openTree('d');
    const sectorCount = 2 * (SEGMENT_FILES_OPEN_MAX + 100);
    for (let sector = 0; sector < sectorCount; sector++) {
      store.append(tree, sector, 1, fillerOf(1));
      if (sector % 16 === 0) store.commit();
      // The open segment and the log are beside the bound.
      expect(disk.openCount).toBeLessThanOrEqual(SEGMENT_FILES_OPEN_MAX + 2);
    }
    const expected = new Array<number>(sectorCount).fill(1);
    for (let round = 0; round < 2; round++) {
      expect(readVersions(store, tree, 0, sectorCount)).toEqual(expected);
      expect(disk.openCount).toBeLessThanOrEqual(SEGMENT_FILES_OPEN_MAX + 2);
    }
    store.close();
    expect(disk.openCount).toBe(0);
  });

  it('read again and again are not opened again', () => {
    const { store, count } = countedStore();
    const tree = store.openTree('d');
    store.append(tree, 0, 40, fillerOf(1));
    for (let round = 0; round < 5; round++) readVersions(store, tree, 0, 40);
    expect(count('open seg')).toBe(0);
  });

  it('that nobody flushes are forced by commit() when they get too many', () => {
    const { store, count } = countedStore();
    const tree = store.openTree('d');
    for (let sector = 0; sector < 2 * SEGMENT_FILES_DIRTY_MAX + 2; sector++) {
      store.append(tree, sector, 1, fillerOf(1));
      store.commit();
    }
    expect(count('fdatasync seg')).toBeGreaterThanOrEqual(SEGMENT_FILES_DIRTY_MAX);
  });

  it('are given back only after the flush that made their removal durable', () => {
    const { disk, store } = countedStore();
    const segmentCount = () => disk.paths().filter((path) => path.endsWith('.seg')).length;
    store.append(store.openTree('d'), 0, 8, fillerOf(1));
    store.flush();
    store.removeTree('d');
    store.commit();
    expect(segmentCount()).toBe(4);
    store.flush();
    runDry(store);
    // The open segment stays.
    expect(segmentCount()).toBe(1);
    expect(store.stats().storedSectors).toBe(2);
  });
});

describe('the map log', () => {
  it('is replaced by checkpoints also if there is never an idle moment', () => {
    const { disk, store } = countedStore();
    const tree = store.openTree('d');
    const logs = () => disk.paths().filter((path) => path.endsWith('.log'));
    for (let index = 0; index < 4000; index++) {
      store.append(tree, index % 30, 1, fillerOf(1 + index));
      store.commit();
      const bytes = logs().reduce((sum, path) => sum + disk.content(path).byteLength, 0);
      // Half the map's memory counts where that is more.
      expect(bytes).toBeLessThan(4 * Math.max(GEOMETRY.logBytesMax, store.stats().mapBytes / 2));
    }
    expect(Number.parseInt(logs().at(-1)!.slice(-12, -4), 16)).toBeGreaterThan(1);
    runDry(store);
    expect(logs()).toHaveLength(1);
  });

  it('is committed by the store itself when too much is pending', () => {
    const { store, count } = countedStore();
    for (let index = 0; index < 3000; index++) store.openTree(`tree ${index} ${'x'.repeat(400)}`);
    expect(count('pwrite log')).toBeGreaterThan(0);
  });

  it('is not written to by reads, nor by discards of holes', () => {
    const { store, calls } = countedStore();
    const tree = store.openTree('d');
    store.append(tree, 0, 3, fillerOf(1));
    store.flush();
    calls.length = 0;
    store.discard(tree, 3, 1000);
    readVersions(store, tree, 0, 10);
    store.removeTree('none');
    store.openTree('d');
    store.flush();
    expect(calls.filter((call) => call !== 'open seg' && call !== 'pread seg')).toEqual([]);
  });
});

describe('reclaim on files', () => {
  it('does not make a bad read a bad sector', () => {
    const disk = new SimulatedFileSystem();
    let isBad = true;
    // A disk that answers every third read with a flipped bit.
    let reads = 0;
    const fileSystem = new (class extends FaultyFileSystem {
      override pread(
        file: number,
        target: Uint8Array,
        targetOffset: number,
        lengthBytes: number,
        position: number,
      ): number {
        const count = super.pread(file, target, targetOffset, lengthBytes, position);
        if (isBad && ++reads % 3 === 0) target[targetOffset + 100]! ^= 1;
        return count;
      }
    })(disk);
    const geometry = { ...GEOMETRY, segmentSectors: 16 };
    const { store } = openFileStore(DIRECTORY, { fileSystem, geometry });
    const tree = store.openTree('d');
    for (let sector = 0; sector < 200; sector++) {
      for (const version of [1, 2, 3]) store.append(tree, sector, 1, fillerOf(version));
    }
    store.flush();
    runDry(store);
    isBad = false;
    expect(reads).toBeGreaterThan(10);
    expect(store.stats().reclaimedSectors).toBeGreaterThan(10);
    expect(readVersions(store, tree, 0, 200)).toEqual(new Array<number>(200).fill(3));
    expect(store.check().problems).toEqual([]);
  });
});
