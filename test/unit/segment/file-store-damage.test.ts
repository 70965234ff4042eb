/**
 * Damage to segment files and directories at rest: an error that says where, never wrong bytes.
 */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import {
  closedStore,
  codeOf,
  DIRECTORY,
  damagedSectors,
  expectCheckNames,
  GEOMETRY,
  open,
  SECTORS,
  segmentPaths,
} from '../../support/damaged-store.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { longFactor } from '../../support/long.ts';
import { fillerOf, HOLE, readVersions, runDry, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

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
