/** A store of known content at rest, to be damaged, and how damage shows. */
import { expect } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { fillerOf, readVersions } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

export const GEOMETRY: StoreGeometry = {
  segmentSectors: 16,
  logBytesMax: 1 << 20,
  reserveBytes: 4096,
};
export const DIRECTORY = '/store';
export const SECTORS = 60;

export function openStore(fileSystem: SimulatedFileSystem): ShardStore {
  return openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }).store;
}

/** A disk of 60 sectors and a snapshot of it with 10 older ones, closed. */
export function closedStore(): SimulatedFileSystem {
  const fileSystem = new SimulatedFileSystem();
  const store = openStore(fileSystem);
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

export function codeOf(call: () => unknown): PlaneError {
  try {
    call();
  } catch (error) {
    if (error instanceof PlaneError) return error;
    throw error;
  }
  return expect.fail('expected a PlaneError, nothing was thrown');
}

/** Reads sector by sector; sectors that do not read must name themselves. */
export function damagedSectors(store: ShardStore): string[] {
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
export function expectCheckNames(store: ShardStore, damaged: readonly string[]): void {
  const named = store.check().problems.map((problem) => {
    const match = /^tree "(.)", sector (\d+):/.exec(problem);
    return `${match?.[1]} ${match?.[2]}`;
  });
  expect(named.sort()).toEqual([...damaged].sort());
}

export function segmentPaths(fileSystem: SimulatedFileSystem): string[] {
  return fileSystem.paths().filter((path) => path.endsWith('.seg'));
}
