/**
 * Damage to files at rest: it is an error that says where, and never wrong bytes.
 */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { longFactor } from '../../support/long.ts';
import { fillerOf, HOLE, readVersions, runDry, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 16, logBytesMax: 1 << 20, reserveBytes: 4096 };
const DIRECTORY = '/store';
const SECTORS = 60;

function open(fileSystem: SimulatedFileSystem): ShardStore {
  return openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }).store;
}

/** A disk of 60 sectors and a snapshot of it with 10 older ones, closed. */
function closedStore(): SimulatedFileSystem {
  const fileSystem = new SimulatedFileSystem();
  const store = open(fileSystem);
  const tree = store.openTree('d');
  store.append(tree, 0, SECTORS, fillerOf(1));
  store.shareTree('d', 's');
  store.append(tree, 20, 10, fillerOf(2));
  store.close();
  return fileSystem;
}

function expectedVersion(tree: string, sector: number): number {
  return tree === 'd' && sector >= 20 && sector < 30 ? 2 : 1;
}

function codeOf(call: () => unknown): PlaneError {
  try {
    call();
  } catch (error) {
    if (error instanceof PlaneError) return error;
    throw error;
  }
  return expect.fail('expected a PlaneError, nothing was thrown');
}

/** Reads sector by sector; sectors that do not read must name themselves. */
function damagedSectors(store: ShardStore): string[] {
  const damaged: string[] = [];
  for (const name of ['d', 's']) {
    const tree = store.openTree(name);
    for (let sector = 0; sector < SECTORS; sector++) {
      try {
        expect(readVersions(store, tree, sector, 1)).toEqual([expectedVersion(name, sector)]);
      } catch (error) {
        if (!(error instanceof PlaneError)) throw error;
        expect(error.code).toBe('ChecksumMismatch');
        expect(error.message).toContain(`tree "${name}", sector ${sector}:`);
        damaged.push(`${name} ${sector}`);
      }
    }
  }
  return damaged;
}

/** check() names exactly the damaged sectors. */
function expectCheckNames(store: ShardStore, damaged: readonly string[]): void {
  const named = store.check().problems.map((problem) => {
    const match = /^tree "(.)", sector (\d+):/.exec(problem);
    return `${match?.[1]} ${match?.[2]}`;
  });
  expect(named.sort()).toEqual([...damaged].sort());
}

function segmentPaths(fileSystem: SimulatedFileSystem): string[] {
  return fileSystem.paths().filter((path) => path.endsWith('.seg'));
}

describe('a segment file', () => {
  it('with a flipped bit is found out, wherever the bit is', () => {
    const prng = createPrng(3);
    const closed = closedStore();
    for (let trial = 0; trial < 150 * longFactor; trial++) {
      const fileSystem = closed.fork();
      const paths = segmentPaths(fileSystem);
      const bytes = fileSystem.content(paths[prng.nextBelow(paths.length)]!);
      const flips = [1, 2, 8][prng.nextBelow(3)]!;
      const at = prng.nextBelow(bytes.byteLength - 8);
      for (let index = 0; index < flips; index++) bytes[at + index]! ^= 1 << prng.nextBelow(8);
      const store = open(fileSystem);
      const damaged = damagedSectors(store);
      expect(damaged.length).toBeGreaterThan(0);
      expectCheckNames(store, damaged);
    }
  });

  it('with two sectors swapped is found out', () => {
    const prng = createPrng(4);
    const closed = closedStore();
    for (let trial = 0; trial < 40; trial++) {
      const fileSystem = closed.fork();
      const paths = segmentPaths(fileSystem);
      const pick = () => {
        const bytes = fileSystem.content(paths[prng.nextBelow(paths.length)]!);
        const slot = prng.nextBelow(bytes.byteLength / SECTOR);
        return bytes.subarray(slot * SECTOR, (slot + 1) * SECTOR);
      };
      const first = pick();
      const second = pick();
      if (first.byteOffset === second.byteOffset && first.buffer === second.buffer) continue;
      const saved = first.slice();
      first.set(second);
      second.set(saved);
      expect(damagedSectors(open(fileSystem)).length).toBeGreaterThanOrEqual(2);
    }
  });

  it('with an older version of a sector in its place is found out', () => {
    const fileSystem = closedStore();
    const [path] = segmentPaths(fileSystem);
    const old = new Uint8Array(SECTOR);
    fillerOf(7).fill({ bytes: old, address: 0 }, 0, 3, 1);
    fileSystem.content(path!).set(old, 3 * SECTOR);
    expect(damagedSectors(open(fileSystem))).toEqual(['d 3', 's 3']);
  });

  it('that is cut off, or gone, loses what it held and nothing else', () => {
    const closed = closedStore();
    for (const path of segmentPaths(closed)) {
      for (const size of [0, 1, SECTOR, 3 * SECTOR + 100, null]) {
        const fileSystem = closed.fork();
        if (size === null) fileSystem.lose(path);
        else fileSystem.cutOff(path, Math.min(size, fileSystem.content(path).byteLength - 1));
        const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
        const damaged = damagedSectors(opened.store);
        expect(damaged.length).toBeGreaterThan(0);
        expect(opened.recovery.slotsMissing).toBeGreaterThan(0);
        expectCheckNames(opened.store, damaged);
        // The store goes on, and what is written again heals.
        for (const name of ['d', 's']) {
          opened.store.append(opened.store.openTree(name), 0, SECTORS, fillerOf(5));
        }
        opened.store.close();
        expect(open(fileSystem).check().problems).toEqual([]);
      }
    }
  });

  it('cut off while the store is open is found out', () => {
    const fileSystem = closedStore();
    const store = open(fileSystem);
    expect(damagedSectors(store)).toEqual([]);
    fileSystem.cutOff(segmentPaths(fileSystem)[1]!, SECTOR);
    expect(damagedSectors(store).length).toBeGreaterThanOrEqual(15);
  });

  it('that cannot be read is an error of its own, and is asked again', () => {
    for (const call of ['pread', 'open'] as const) {
      const fileSystem = new FaultyFileSystem(closedStore());
      const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
      fileSystem.plan = (each, path) => (each === call && path.endsWith('.seg') ? 'EIO' : '');
      const error = codeOf(() => readVersions(store, store.openTree('d'), 0, 1));
      expect(error.code).toBe('ReadFailed');
      expect(error.message).toContain('EIO');
      expect(error.retryable).toBe(true);
      expect(store.check().problems).toHaveLength(2 * SECTORS);
      fileSystem.plan = () => '';
      expect(damagedSectors(store)).toEqual([]);
    }
  });

  it('with a damaged sector is left alone by reclaim, and the rest goes on', () => {
    const fileSystem = new SimulatedFileSystem();
    const store = open(fileSystem);
    const tree = store.openTree('d');
    const prng = createPrng(9);
    store.append(tree, 0, SECTORS, fillerOf(1));
    store.commit();
    const version = new Map<number, number>();
    fileSystem.content(segmentPaths(fileSystem)[0]!)[2 * SECTOR + 77]! ^= 4;
    for (let index = 0; index < 600; index++) {
      const sector = 3 + prng.nextBelow(SECTORS - 3);
      store.append(tree, sector, 1, fillerOf(2 + index));
      version.set(sector, 2 + index);
      if (index % 50 === 0) runDry(store);
    }
    expect(store.stats().reclaimedSectors).toBeGreaterThan(50);
    runDry(store);
    expect(codeOf(() => readVersions(store, tree, 2, 1)).code).toBe('ChecksumMismatch');
    for (let sector = 3; sector < SECTORS; sector++) {
      expect(readVersions(store, tree, sector, 1)).toEqual([version.get(sector) ?? 1]);
    }
    expect(store.check().problems).toHaveLength(1);
    store.append(tree, 2, 1, fillerOf(9999));
    expect(store.check().problems).toEqual([]);
  });
});

describe('a checkpoint', () => {
  const closed = closedStore();
  const path = closed.paths().find((each) => each.endsWith('.ckpt'))!;

  it('with any bit flipped is refused, by name', () => {
    const { byteLength } = closed.content(path);
    for (let bit = 0; bit < 8 * byteLength; bit += 5) {
      const fileSystem = closed.fork();
      fileSystem.content(path)[bit >> 3]! ^= 1 << (bit & 7);
      const error = codeOf(() => open(fileSystem));
      expect(error.code).toMatch(/^DataDirectory(Corrupt|Foreign|Version)$/);
      expect(error.message).toContain(path);
      if (bit >= 8 * 16) expect(error.message).toMatch(/DataDirectoryCorrupt: .* at byte \d+/);
      expect(fileSystem.paths()).toEqual(closed.paths());
    }
  });

  it('cut off anywhere is refused, by name and offset', () => {
    const { byteLength } = closed.content(path);
    for (let size = 0; size < byteLength; size += 7) {
      const fileSystem = closed.fork();
      fileSystem.cutOff(path, size);
      const error = codeOf(() => open(fileSystem));
      expect(error.message).toContain(`DataDirectoryCorrupt: ${path} at byte `);
    }
  });

  it('that is missing, or without its log, is refused', () => {
    const withoutCheckpoint = closed.fork();
    withoutCheckpoint.lose(path);
    expect(codeOf(() => open(withoutCheckpoint)).code).toBe('DataDirectoryCorrupt');
    const withoutLog = closed.fork();
    withoutLog.lose(path.replace('.ckpt', '.log'));
    expect(codeOf(() => open(withoutLog)).message).toMatch(/Corrupt.*\.log at byte 0: .* missing/);
  });

  it('under the name of another generation is refused', () => {
    const fileSystem = closed.fork();
    fileSystem.plant(`${DIRECTORY}/map-000000aa.ckpt`, fileSystem.content(path).slice());
    expect(codeOf(() => open(fileSystem)).message).toMatch(/Corrupt.*another generation/);
  });

  it('that was not finished is removed', () => {
    const fileSystem = closed.fork();
    const temporary = `${DIRECTORY}/map-00000009.ckpt.new`;
    fileSystem.plant(temporary, new Uint8Array(100));
    const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    expect(opened.recovery.orphansRemoved).toBe(1);
    expect(fileSystem.paths()).not.toContain(temporary);
    expect(damagedSectors(opened.store)).toEqual([]);
  });
});

describe('a map log', () => {
  /** Flushed: 60 sectors of version 1, 5 of version 2. Committed behind it: 5 of version 3. */
  function killedStore(hasTail: boolean): {
    disk: SimulatedFileSystem;
    path: string;
    flushed: number;
  } {
    const disk = new SimulatedFileSystem();
    const store = open(disk);
    const tree = store.openTree('d');
    store.append(tree, 0, SECTORS, fillerOf(1));
    store.flush();
    store.append(tree, 10, 5, fillerOf(2));
    store.flush();
    const path = disk.paths().find((each) => each.endsWith('.log'))!;
    const flushed = disk.content(path).byteLength;
    store.append(tree, 12, 5, fillerOf(3));
    if (hasTail) store.commit();
    return { disk: disk.fork(), path, flushed };
  }

  const versions = (store: ShardStore) => readVersions(store, store.openTree('d'), 8, 10);
  const FLUSHED = [1, 1, 2, 2, 2, 2, 2, 1, 1, 1];
  const COMMITTED = [1, 1, 2, 2, 3, 3, 3, 3, 3, 1];

  it('is replayed', () => {
    const { disk } = killedStore(true);
    const opened = openFileStore(DIRECTORY, { fileSystem: disk, geometry: GEOMETRY });
    expect(versions(opened.store)).toEqual(COMMITTED);
    expect(opened.recovery).toMatchObject({ isNew: false, sectorsDropped: 0, logBytesIgnored: 0 });
    expect(opened.recovery.batchesReplayed).toBeGreaterThan(4);
  });

  it('with any bit flipped loses at most what was not flushed, or is refused by offset', () => {
    const { disk, path, flushed } = killedStore(true);
    const { byteLength } = disk.content(path);
    let acceptedCount = 0;
    for (let bit = 0; bit < 8 * byteLength; bit += 3) {
      const fileSystem = disk.fork();
      fileSystem.content(path)[bit >> 3]! ^= 1 << (bit & 7);
      let store: ShardStore;
      try {
        store = open(fileSystem);
      } catch (error) {
        const { code, message } = error as PlaneError;
        expect(code).toMatch(/^DataDirectory(Corrupt|Foreign|Version)$/);
        expect(message).toContain(path);
        expect(fileSystem.paths()).toContain(path);
        expect(bit, 'a tail is no damage').toBeLessThan(8 * flushed);
        continue;
      }
      expect(versions(store), `bit ${bit}`).toEqual(FLUSHED);
      store.close();
      if (bit < 8 * flushed) acceptedCount++;
    }
    // Only the note behind the last flush-mark may be lost without harm.
    expect(acceptedCount).toBeLessThanOrEqual(Math.ceil((8 * 32) / 3));
  });

  it('with a bit flipped in what was flushed is refused even if nothing follows', () => {
    const { disk, path, flushed } = killedStore(false);
    const noteBytes = 32;
    for (let at = 48; at < flushed - noteBytes; at++) {
      const fileSystem = disk.fork();
      fileSystem.content(path)[at]! ^= 16;
      expect(codeOf(() => open(fileSystem)).message).toMatch(/Corrupt: .*\.log at byte \d+/);
    }
  });

  it('cut off behind what was flushed loses only the rest', () => {
    const { disk, path, flushed } = killedStore(true);
    const { byteLength } = disk.content(path);
    for (let size = flushed; size < byteLength; size++) {
      const fileSystem = disk.fork();
      fileSystem.cutOff(path, size);
      const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
      expect(versions(opened.store)).toEqual(FLUSHED);
      expect(opened.recovery.logBytesIgnored).toBe(size - flushed);
    }
  });

  it('behind its last flush-mark is believed only as far as slots hold what it says', () => {
    const { disk } = killedStore(true);
    const path = segmentPaths(disk).at(-1)!;
    // Slots 65, 67 and 69 of the store: sectors 12, 14 and 16 of version 3.
    for (const slot of [65, 67, 69]) disk.content(path)[(slot % 16) * SECTOR + 9]! ^= 1;
    const opened = openFileStore(DIRECTORY, { fileSystem: disk, geometry: GEOMETRY });
    expect(versions(opened.store)).toEqual([1, 1, 2, 2, 2, 3, 2, 3, 1, 1]);
    expect(opened.recovery.sectorsDropped).toBe(3);
    expect(opened.store.check().problems).toEqual([]);
    // What was not believed once is not believed later either.
    opened.store.flush();
    expect(versions(open(disk.fork()))).toEqual([1, 1, 2, 2, 2, 3, 2, 3, 1, 1]);
  });

  it('whose records contradict what came before is refused', () => {
    const disk = new SimulatedFileSystem();
    const store = open(disk);
    store.flush();
    const path = disk.paths().find((each) => each.endsWith('.log'))!;
    const other = new SimulatedFileSystem();
    const otherStore = open(other);
    otherStore.openTree('a');
    otherStore.close();
    const third = open(other);
    third.append(third.openTree('a'), 0, 1, fillerOf(1));
    third.commit();
    const otherLog = other.paths().find((each) => each.endsWith('.log'))!;
    const bytes = other.content(otherLog).slice();
    // The batches of a store that has a tree, behind the head of one that has none.
    const head = disk.content(path).slice(0, 48);
    new DataView(head.buffer).setUint32(24, new DataView(bytes.buffer).getUint32(24, true), true);
    bytes.set(head.subarray(0, 24));
    disk.plant(path, bytes);
    const error = codeOf(() => open(disk));
    expect(error.code).toBe('DataDirectoryCorrupt');
  });
});

describe('a directory', () => {
  it('of something else is refused', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.makeDirectory(DIRECTORY);
    fileSystem.plant(`${DIRECTORY}/notes.txt`, new Uint8Array(5));
    const error = codeOf(() => open(fileSystem));
    expect(error.code).toBe('DataDirectoryForeign');
    expect(error.message).toContain('notes.txt');
    expect(fileSystem.paths()).toEqual([`${DIRECTORY}/notes.txt`]);
  });

  it('with a checkpoint that is not ours is refused', () => {
    const fileSystem = closedStore();
    const path = fileSystem.paths().find((each) => each.endsWith('.ckpt'))!;
    fileSystem.content(path).fill(0x20, 0, 200);
    expect(codeOf(() => open(fileSystem)).message).toContain(`DataDirectoryForeign: ${path}`);
  });

  it('with segments but no checkpoint is refused', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.makeDirectory(`${DIRECTORY}/segments`);
    fileSystem.plant(`${DIRECTORY}/segments/00000000.seg`, new Uint8Array(SECTOR));
    expect(codeOf(() => open(fileSystem)).code).toBe('DataDirectoryCorrupt');
  });

  it('of a newer version is refused', () => {
    const fileSystem = closedStore();
    const path = fileSystem.paths().find((each) => each.endsWith('.ckpt'))!;
    const bytes = fileSystem.content(path);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(8, 2, true);
    view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
    const error = codeOf(() => open(fileSystem));
    expect(error.message).toBe(`DataDirectoryVersion: ${path}: expected format version 1, got 2`);
  });

  it('with segments of another size is refused', () => {
    const fileSystem = closedStore();
    const geometry = { ...GEOMETRY, segmentSectors: 32 };
    const error = codeOf(() => openFileStore(DIRECTORY, { fileSystem, geometry }));
    expect(error.code).toBe('DataDirectoryVersion');
    expect(error.message).toContain('expected segments of 32 sectors, got 16');
  });

  it('that cannot be read is an error of its own', () => {
    for (const call of ['pread', 'open'] as const) {
      const fileSystem = new FaultyFileSystem(closedStore());
      fileSystem.plan = (each) => (each === call ? 'EIO' : '');
      const error = codeOf(() => openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }));
      expect(error.code).toBe('ReadFailed');
      expect(error.message).toContain('EIO');
    }
  });

  it('loses files nothing refers to, and none that are not ours', () => {
    const fileSystem = closedStore();
    fileSystem.plant(`${DIRECTORY}/segments/00000abc.seg`, new Uint8Array(SECTOR));
    fileSystem.plant(`${DIRECTORY}/segments/readme`, new Uint8Array(3));
    fileSystem.plant(`${DIRECTORY}/LOCK`, new Uint8Array(0));
    const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    expect(opened.recovery.orphansRemoved).toBe(1);
    const paths = fileSystem.paths();
    expect(paths).not.toContain(`${DIRECTORY}/segments/00000abc.seg`);
    expect(paths).toContain(`${DIRECTORY}/segments/readme`);
    expect(paths).toContain(`${DIRECTORY}/LOCK`);
    expect(damagedSectors(opened.store)).toEqual([]);
  });

  it('that is new says so, and holds nothing', () => {
    const fileSystem = new SimulatedFileSystem();
    const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    expect(opened.recovery).toEqual({
      isNew: true,
      checkpointGeneration: 0,
      batchesReplayed: 0,
      logBytesIgnored: 0,
      sectorsDropped: 0,
      slotsMissing: 0,
      orphansRemoved: 0,
    });
    expect(opened.store.treeNames()).toEqual([]);
    const tree = opened.store.openTree('d');
    expect(readVersions(opened.store, tree, 0, 2)).toEqual([HOLE, HOLE]);
  });
});
