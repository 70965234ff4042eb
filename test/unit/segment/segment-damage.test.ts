/** Damage to segment files at rest: an error that says where, and never wrong bytes. */
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { longFactor } from '../../support/long.ts';
import { fillerOf, readVersions, runDry, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import {
  closedStore,
  codeOf,
  DIRECTORY,
  damagedSectors,
  expectCheckNames,
  GEOMETRY,
  openStore,
  SECTORS,
  segmentPaths,
} from './closed-store.ts';

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
      const store = openStore(fileSystem);
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
      expect(damagedSectors(openStore(fileSystem)).length).toBeGreaterThanOrEqual(2);
    }
  });

  it('with an older version of a sector in its place is found out', () => {
    const fileSystem = closedStore();
    const [path] = segmentPaths(fileSystem);
    const old = new Uint8Array(SECTOR);
    fillerOf(7).fill({ bytes: old, address: 0 }, 0, 3, 1);
    fileSystem.content(path!).set(old, 3 * SECTOR);
    expect(damagedSectors(openStore(fileSystem))).toEqual(['d 3', 's 3']);
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
        expect(openStore(fileSystem).check().problems).toEqual([]);
      }
    }
  });

  it('cut off while the store is open is found out', () => {
    const fileSystem = closedStore();
    const store = openStore(fileSystem);
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
    const store = openStore(fileSystem);
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
