/**
 * A full file system under a store whose checkpoint is larger than what is held back for records:
 * the space held back grows with the maps, so that it is never too full to write one, whatever has
 * happened to the process meanwhile.
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
  segmentSectors: 16,
  logBytesMax: 16 * 1024,
  reserveBytes: RESERVE_BYTES,
};
const DIRECTORY = '/store';
const CAPACITY = 1200 * SECTOR;
const ROUND_SECTORS = 48;

type Files = SimulatedFileSystem | FaultyFileSystem;

function open(fileSystem: Files): ShardStore {
  return openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }).store;
}

function newDisk(): SimulatedFileSystem {
  const disk = new SimulatedFileSystem();
  disk.capacityBytes = CAPACITY;
  return disk;
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

/** Names of 1 KiB: maps that are large without many sectors. */
const NAMES = Array.from({ length: 400 }, (_, index) => `${index}-`.padEnd(1024, '.'));

/** 400 KiB of map, then sectors until there is no space. @returns how many, in tree "a" */
function fill(store: ShardStore): number {
  for (const name of NAMES) {
    expect(codeOf(() => store.openTree(name))).toBe('none');
    store.commit();
  }
  for (let sector = 0; ; sector += 8) {
    const code = codeOf(() => {
      store.append(store.openTree('a'), sector, 8, fillerOf(1));
      store.commit();
    });
    if (code === 'none') continue;
    expect(code).toBe('NoSpace');
    expect(sector).toBeGreaterThan(300);
    return sector;
  }
}

function expectSound(store: ShardStore, versions: readonly number[], where: string): void {
  expect(readVersions(store, store.openTree('a'), 0, versions.length), where).toEqual(versions);
  expect(store.check().problems, where).toEqual([]);
}

/** Trims most of it, flushes, and takes new sectors. @returns the versions */
function expectUsable(store: ShardStore, sectorCount: number, where: string): number[] {
  const versions = new Array<number>(sectorCount).fill(1);
  const tree = store.openTree('a');
  for (let sector = 0; sector < sectorCount; sector++) {
    if (sector % 20 === 10) continue;
    store.discard(tree, sector, 1);
    versions[sector] = HOLE;
    store.commit();
  }
  store.flush();
  runDry(store);
  for (let sector = 0; sector < ROUND_SECTORS; sector += 8) {
    store.append(tree, sector, 8, fillerOf(2));
    versions.splice(sector, 8, ...new Array<number>(8).fill(2));
    store.commit();
  }
  store.flush();
  expectSound(store, versions, where);
  return versions;
}

describe('a full store whose checkpoint is larger than its reserve for records', () => {
  it('is usable again after trims, and after a close', () => {
    const disk = newDisk();
    const store = open(disk);
    const versions = expectUsable(store, fill(store), 'open');
    expect(disk.content(`${DIRECTORY}/reserve`).byteLength).toBeGreaterThan(400 * 1024);
    store.close();
    const again = open(disk);
    expectSound(again, versions, 'opened');
    again.close();
  });

  it('opens after a kill with a long log, writes its checkpoint and is usable', () => {
    const disk = newDisk();
    const sectorCount = fill(open(disk));
    disk.closeAll();
    const store = open(disk);
    expectUsable(store, sectorCount, 'killed');
  });

  it('is usable after one kill on the other, and a power cut, while it is full', () => {
    const disk = newDisk();
    const first = open(disk);
    const sectorCount = fill(first);
    first.flush();
    let files = disk;
    const prng = createPrng(3);
    for (let round = 0; round < 6; round++) {
      files = round % 2 === 0 ? files.fork() : files.cutPower(prng, 0.5);
      files.capacityBytes = CAPACITY;
      const store = open(files);
      // One more removal each time, which needs what is held back.
      store.removeTree(NAMES[round]!);
      store.discard(store.openTree('a'), sectorCount - 1 - round, 1);
      store.commit();
      codeOf(() => store.append(store.openTree('a'), 0, 8, fillerOf(1)));
    }
    files = files.fork();
    expectUsable(open(files), sectorCount - 6, 'in the end');
  });

  it('becomes usable by deleting alone', () => {
    const disk = newDisk();
    const store = open(disk);
    fill(store);
    for (const name of store.treeNames()) {
      store.removeTree(name);
      store.commit();
    }
    store.flush();
    runDry(store);
    store.append(store.openTree('b'), 0, 16, fillerOf(3));
    store.flush();
    expect(store.check().problems).toEqual([]);
    store.close();
    expect(disk.usedBytes).toBeLessThan(CAPACITY / 2);
  });

  it('replaces a log that its trims make long, however many there are', () => {
    const disk = newDisk();
    const store = open(disk);
    const sectorCount = fill(store);
    const tree = store.openTree('a');
    // Each round of them frees no segment: every other sector stays.
    for (let sector = 0; sector < sectorCount; sector += 2) {
      store.discard(tree, sector, 1);
      store.commit();
    }
    for (let made = 0; made < 4000; made++) {
      const name = `t${made}`;
      const code = codeOf(() => {
        store.openTree(name);
        store.removeTree(name);
        store.commit();
      });
      expect(code).toBe('none');
    }
    const logs = disk.paths().filter((path) => path.endsWith('.log'));
    expect(logs.length).toBeLessThanOrEqual(2);
    store.removeTree('a');
    store.flush();
    runDry(store);
    store.append(store.openTree('a'), 0, 16, fillerOf(4));
    store.flush();
  });

  it('takes no changes by which its maps outgrow what is left, but removals', () => {
    const disk = newDisk();
    const store = open(disk);
    const sectorCount = fill(store);
    store.flush();
    let made = 0;
    while (codeOf(() => store.shareTree('a', `${made}+`.padEnd(1024, '+'))) === 'none') {
      store.commit();
      made++;
      expect(made).toBeLessThan(2000);
    }
    expect(codeOf(() => store.discard(store.openTree('a'), 0, 1))).toBe('NoSpace');
    const killed = open(disk.fork());
    expectSound(killed, new Array<number>(sectorCount).fill(1), 'killed');
    for (let index = 0; index < made; index++) {
      store.removeTree(`${index}+`.padEnd(1024, '+'));
      store.commit();
    }
    expectUsable(store, sectorCount, 'removed');
  });

  it('holds back less when its maps are small again', () => {
    const disk = newDisk();
    const store = open(disk);
    for (const name of NAMES) store.openTree(name);
    store.append(store.openTree('a'), 0, 1, fillerOf(1));
    for (const name of NAMES) store.removeTree(name);
    store.close();
    expect(disk.content(`${DIRECTORY}/reserve`).byteLength).toBeGreaterThan(400 * 1024);
    open(disk).close();
    expect(disk.content(`${DIRECTORY}/reserve`).byteLength).toBe(RESERVE_BYTES);
  });

  it('writes nothing in vain where the file system says that it is full', () => {
    const disk = newDisk();
    const fileSystem = new FaultyFileSystem(disk);
    const store = open(fileSystem);
    fill(store);
    let writes = 0;
    fileSystem.plan = (call, path) => {
      if (call === 'pwrite' && path.endsWith('/reserve')) writes++;
      return '';
    };
    for (let step = 0; step < 5; step++) store.idle();
    expect(writes).toBe(0);
    // Where it does not say, it is tried.
    fileSystem.freeBytes = () => {
      throw Object.assign(new Error('ENOSYS'), { code: 'ENOSYS' });
    };
    store.idle();
    expect(writes).toBeGreaterThan(0);
    fileSystem.freeBytes = () => {
      throw new Error('a bug');
    };
    expect(() => store.idle()).toThrow('a bug');
  });
});
