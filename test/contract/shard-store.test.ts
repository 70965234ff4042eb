import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { SEGMENT_SECTORS } from '../../src/limits.ts';
import { openFileStore } from '../../src/segment/file-store.ts';
import { STORE_GEOMETRY, type StoreGeometry } from '../../src/segment/geometry.ts';
import { openMemoryStore } from '../../src/segment/memory-store.ts';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { SimulatedFileSystem } from '../support/simulated-file-system.ts';
import { type StoreUnderTest, shardStoreSuite } from './shard-store-suite.ts';

/** Segments so small that every history rolls them over, reclaims and writes checkpoints. */
const SMALL: StoreGeometry = { segmentSectors: 8, logBytesMax: 2048, reserveBytes: 4096 };

function memoryStore(geometry: StoreGeometry, memoryLimitBytes: number): StoreUnderTest {
  const store = openMemoryStore({ memoryLimitBytes, geometry });
  const { segmentSectors } = geometry;
  return { store, segmentSectors, reopen: null, dispose: () => store.close() };
}

/** On a file system of the machine. */
function fileStore(geometry: StoreGeometry): StoreUnderTest {
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-store-'));
  let store: ShardStore = openFileStore(directory, { geometry }).store;
  return {
    store,
    segmentSectors: geometry.segmentSectors,
    reopen() {
      store.close();
      store = openFileStore(directory, { geometry }).store;
      return store;
    },
    dispose() {
      store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** On a file system in memory: the same code, without the time a real fsync takes. */
function simulatedFileStore(geometry: StoreGeometry): StoreUnderTest {
  const fileSystem = new SimulatedFileSystem();
  const open = () => openFileStore('/store', { geometry, fileSystem }).store;
  let store = open();
  return {
    store,
    segmentSectors: geometry.segmentSectors,
    reopen() {
      store.close();
      expect(fileSystem.openCount).toBe(0);
      store = open();
      return store;
    },
    dispose: () => store.close(),
  };
}

const SIZES_SMALL = { histories: 25, overwrites: 4000, treeSectors: 80 };
const SIZES_FULL = { histories: 1, overwrites: 40_000, treeSectors: SEGMENT_SECTORS };

shardStoreSuite('memory', () => memoryStore(STORE_GEOMETRY, 2 ** 30), SIZES_FULL);
shardStoreSuite('memory, small segments', () => memoryStore(SMALL, 2 ** 26), SIZES_SMALL);
shardStoreSuite('files', () => fileStore(STORE_GEOMETRY), SIZES_FULL);
shardStoreSuite('files, small segments', () => simulatedFileStore(SMALL), SIZES_SMALL);
