/**
 * A full file system whose segments are mostly garbage: trims give space back though no segment is
 * without live sectors, with what the reserve has left, and whatever happens on the way.
 */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { FileSystem } from '../../../src/segment/file-system.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { FaultyFileSystem, NthCallPlan, WRITING_CALLS } from '../../support/faulty-file-system.ts';
import { fillerOf, HOLE, readVersions, runDry, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

const RESERVE_BYTES = 64 * 1024;
const ROOM_SECTORS = 80;
/** More than fits: what is stored never leaves the open segment. */
const ONE_SEGMENT = 512;
/** Some of them, with live sectors in each. */
const SMALL_SEGMENTS = 32;
/** One sector of so many stays live. */
const SPACING = 20;
const DIRECTORY = '/store';

function geometryOf(segmentSectors: number): StoreGeometry {
  return { segmentSectors, logBytesMax: 64 * 1024, reserveBytes: RESERVE_BYTES };
}

function open(fileSystem: FileSystem, segmentSectors: number): ShardStore {
  const geometry = geometryOf(segmentSectors);
  return openFileStore(DIRECTORY, { fileSystem, geometry }).store;
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

/** Appends to tree "a"; full on the way, idle time has to help. @returns false if it does not */
function append(store: ShardStore, sector: number, count: number, version: number): boolean {
  for (let attempt = 0; attempt < 3; attempt++) {
    const code = codeOf(() => {
      store.append(store.openTree('a'), sector, count, fillerOf(version));
      store.commit();
    });
    if (code === 'none') return true;
    expect(code).toBe('NoSpace');
    runDry(store);
  }
  return false;
}

/** Appends until there is no space. @returns the version each sector has */
function fill(store: ShardStore): number[] {
  const versions: number[] = [];
  while (append(store, versions.length, 4, 1)) versions.push(1, 1, 1, 1);
  expect(versions.length).toBeGreaterThan(ROOM_SECTORS / 4);
  return versions;
}

/** Discards all but one sector in `spacing`, one by one. */
function discardMost(store: ShardStore, versions: number[], spacing: number): void {
  for (let sector = 0; sector < versions.length; sector++) {
    if (sector % spacing === spacing / 2) continue;
    store.discard(store.openTree('a'), sector, 1);
    versions[sector] = HOLE;
  }
  store.commit();
}

function newDisk(): SimulatedFileSystem {
  const disk = new SimulatedFileSystem();
  disk.capacityBytes = ROOM_SECTORS * SECTOR + RESERVE_BYTES;
  return disk;
}

function expectContent(store: ShardStore, versions: readonly number[], where: string): void {
  expect(readVersions(store, store.openTree('a'), 0, versions.length), where).toEqual(versions);
  expect(store.check().problems, where).toEqual([]);
}

/** It takes what fits by far, and keeps it. */
function expectTaken(store: ShardStore, disk: SimulatedFileSystem, versions: number[]): void {
  expect(disk.paths()).toContain(`${DIRECTORY}/reserve`);
  for (let sector = 0; sector < ROOM_SECTORS / 2; sector += 4) {
    expect(append(store, sector, 4, 2)).toBe(true);
    versions.splice(sector, 4, 2, 2, 2, 2);
  }
  store.flush();
  expectContent(store, versions, 'written again');
}

describe.each([ONE_SEGMENT, SMALL_SEGMENTS])('full, segments of %d sectors:', (segmentSectors) => {
  it('a few live sectors in every segment do not keep appends refused', () => {
    const disk = newDisk();
    const store = open(disk, segmentSectors);
    const versions = fill(store);
    discardMost(store, versions, SPACING);
    runDry(store);
    expect(store.stats().reclaimedSectors).toBeGreaterThan(0);
    expectContent(store, versions, 'moved');
    expectTaken(store, disk, versions);
    store.close();
    expectContent(open(disk, segmentSectors), versions, 'opened');
  });

  it('nor do they after a kill, when no segment is open', () => {
    const disk = newDisk();
    const versions = fill(open(disk, segmentSectors));
    const store = open(disk, segmentSectors);
    expect(codeOf(() => store.append(store.openTree('a'), 0, 1, fillerOf(2)))).toBe('NoSpace');
    discardMost(store, versions, SPACING);
    runDry(store);
    expectTaken(store, disk, versions);
  });

  it('without any live sector all is taken, and nothing is moved', () => {
    const disk = newDisk();
    const store = open(disk, segmentSectors);
    const versions = fill(store);
    store.discard(store.openTree('a'), 0, versions.length);
    versions.fill(HOLE);
    runDry(store);
    expect(store.stats().reclaimedSectors).toBe(0);
    expectTaken(store, disk, versions);
  });

  it('it happens again and again', () => {
    const disk = newDisk();
    const store = open(disk, segmentSectors);
    for (let round = 0; round < 8; round++) {
      const versions = fill(store);
      discardMost(store, versions, SPACING - 2 * (round % 3));
      runDry(store);
      expectTaken(store, disk, versions);
      store.discard(store.openTree('a'), 0, versions.length);
      store.flush();
      runDry(store);
    }
  });

  it('live sectors that do not fit into the reserve stay where they are', () => {
    const disk = newDisk();
    const store = open(disk, segmentSectors);
    const versions = fill(store);
    discardMost(store, versions, 4);
    const { usedBytes } = disk;
    for (let step = 0; step < 3; step++) store.idle();
    if (segmentSectors === ONE_SEGMENT) {
      expect(store.stats().reclaimedSectors).toBe(0);
      expect(disk.usedBytes).toBeLessThan(usedBytes + SECTOR);
      expect(codeOf(() => store.append(store.openTree('a'), 0, 1, fillerOf(2)))).toBe('NoSpace');
    }
    expectContent(store, versions, 'in place');
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    runDry(store);
    expectTaken(store, disk, versions);
  });

  it('nothing is moved if the checkpoint that has to follow may not fit', () => {
    const disk = newDisk();
    const store = open(disk, segmentSectors);
    // As many names as fill half of the reserve. It grows with them.
    const names = Array.from({ length: 32 }, (_, index) => `${index}`.padEnd(1024, '.'));
    for (const name of names) store.openTree(name);
    const versions = fill(store);
    expect(disk.paths()).not.toContain(`${DIRECTORY}/reserve`);
    discardMost(store, versions, SPACING);
    store.flush();
    // Somebody else has taken what was held back for the checkpoint.
    const capacityBytes = disk.capacityBytes;
    disk.capacityBytes = disk.usedBytes + RESERVE_BYTES;
    expect(store.idle()).toBe(false);
    expect(store.stats().reclaimedSectors).toBe(0);
    disk.capacityBytes = capacityBytes;
    runDry(store);
    expect(store.stats().reclaimedSectors).toBeGreaterThan(0);
    expectTaken(store, disk, versions);
  });

  it('a checkpoint that does not fit after all takes nothing, however often it is tried', () => {
    const disk = newDisk();
    const fileSystem = new FaultyFileSystem(disk);
    const store = open(fileSystem, segmentSectors);
    const versions = fill(store);
    discardMost(store, versions, SPACING);
    fileSystem.plan = (call, path) => (call === 'pwrite' && path.endsWith('.new') ? 'ENOSPC' : '');
    expect(store.idle()).toBe(false);
    const { usedBytes } = disk;
    const moved = store.stats().reclaimedSectors;
    expect(moved).toBeGreaterThan(0);
    for (let step = 0; step < 20; step++) expect(store.idle()).toBe(false);
    expect(disk.usedBytes).toBe(usedBytes);
    expect(store.stats().reclaimedSectors).toBe(moved);
    expectContent(open(disk.fork(), segmentSectors), versions, 'kill');
    fileSystem.plan = () => '';
    runDry(store);
    expectTaken(store, disk, versions);
    expectContent(open(disk.fork(), segmentSectors), versions, 'healed, kill');
  });

  it('all sectors are there after a kill or a power cut before any call', () => {
    const disk = newDisk();
    const fileSystem = new FaultyFileSystem(disk);
    const store = open(fileSystem, segmentSectors);
    const versions = fill(store);
    discardMost(store, versions, SPACING);
    store.flush();
    const prng = createPrng(7);
    let calls = 0;
    fileSystem.plan = (call, path) => {
      const where = `call ${++calls}: ${call} ${path}`;
      expectContent(open(disk.fork(), segmentSectors), versions, `${where}, kill`);
      for (const keptPart of [0, 0.5, 1]) {
        const after = open(disk.cutPower(prng, keptPart), segmentSectors);
        expectContent(after, versions, `${where}, power cut`);
      }
      return '';
    };
    runDry(store);
    fileSystem.plan = () => '';
    expect(calls).toBeGreaterThan(10);
    expectTaken(store, disk, versions);
  });

  it.each([true, false])('a call that finds no space costs nothing, only once: %s', (isOnce) => {
    for (let n = 1; ; n++) {
      const disk = newDisk();
      const fileSystem = new FaultyFileSystem(disk);
      const store = open(fileSystem, segmentSectors);
      const versions = fill(store);
      discardMost(store, versions, SPACING);
      store.flush();
      const failing = WRITING_CALLS.filter((call) => !/sync/i.test(call));
      const plan = new NthCallPlan(failing, 'ENOSPC', n, isOnce);
      fileSystem.plan = plan.plan;
      for (let step = 0; step < 4; step++) store.idle();
      const where = `${n}`;
      expectContent(store, versions, where);
      expectContent(open(disk.fork(), segmentSectors), versions, `${where}, kill`);
      const after = open(disk.cutPower(createPrng(n), 0.5), segmentSectors);
      expectContent(after, versions, `${where}, power cut`);
      fileSystem.plan = () => '';
      runDry(store);
      expectTaken(store, disk, versions);
      if (!plan.isHit) {
        expect(n).toBeGreaterThan(8);
        return;
      }
    }
  });
});
