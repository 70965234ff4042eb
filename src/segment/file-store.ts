/**
 * The store in files: one directory (store-file.ts names what is in it), one process.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { ChunkMap } from './chunk-map.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { STORE_GEOMETRY, type StoreGeometry } from './geometry.ts';
import { Journal } from './journal.ts';
import { LogStore } from './log-store.ts';
import { MapGenerations } from './map-generations.ts';
import { type RecoveryReport, recoverStore } from './recover.ts';
import { SegmentFiles } from './segment-files.ts';
import { SegmentSpace } from './segment-space.ts';
import type { ShardStore } from './shard-store.ts';
import { SlotTable } from './slot-table.ts';
import { SpaceReserve } from './space-reserve.ts';
import { reservePath } from './store-file.ts';
import { GuardedFileSystem, StoreHealth } from './store-health.ts';
import { TreeTable } from './tree-table.ts';

export interface FileStoreOptions {
  /** @default nodeFileSystem */
  readonly fileSystem?: FileSystem;
  /** Tests only; a directory keeps the one it was made with. @default STORE_GEOMETRY */
  readonly geometry?: StoreGeometry;
  /** Called once if the store fails for good (store-health.ts), also while it is being opened. */
  readonly onFailed?: () => void;
}

export interface OpenedFileStore {
  readonly store: ShardStore;
  readonly recovery: RecoveryReport;
}

/**
 * Opens the store in a directory, made if it is not there. No other process may have it open.
 *
 * A store that finds no space to finish its recovery opens all the same: it can be read, and takes
 * changes once there is space.
 *
 * @throws PlaneError DataDirectoryForeign, DataDirectoryVersion, DataDirectoryCorrupt naming file
 *   and offset; ReadFailed; NoSpace, StoreFailed: the directory could not be made, or what was in
 *   it could not be forced to stable storage
 */
export function openFileStore(directory: string, options: FileStoreOptions = {}): OpenedFileStore {
  const geometry = options.geometry ?? STORE_GEOMETRY;
  const health = new StoreHealth(options.onFailed);
  const fileSystem = new GuardedFileSystem(options.fileSystem ?? nodeFileSystem, health);
  const table = new SlotTable(geometry.segmentSectors);
  const trees = new TreeTable(new ChunkMap(table));
  const found = recoverStore({ fileSystem, directory, geometry, table, trees });
  const force = () => found.believed.force({ fileSystem, directory, table });
  forceNow(force, health);

  const segments = new SegmentFiles(fileSystem, directory, geometry);
  const space = new SegmentSpace(table, segments);
  const generations = new MapGenerations(fileSystem, directory, geometry, trees, found.start);
  const reserve = new SpaceReserve(fileSystem, reservePath(directory), health);
  const parts = { geometry, health, table, space, segments, trees, generations, reserve };
  const journal = new Journal(parts);
  journal.start(found.hasEmptyLog, found.retired, () => forceLater(force, health));
  const store = new LogStore({ table, space, trees, persistence: journal });
  return { store, recovery: found.report };
}

/** Without space for it, it is left to the journal (forceLater). @throws what force throws */
function forceNow(force: () => void, health: StoreHealth): void {
  try {
    force();
  } catch (error) {
    const isForSpace = error instanceof PlaneError && error.code === 'NoSpace';
    // Not kept by the health: there is no memory.
    if (!isForSpace || health.isReady) throw error;
  }
}

/** The store is open: what it cannot believe any more is the end of writing. */
function forceLater(force: () => void, health: StoreHealth): void {
  try {
    force();
  } catch (error) {
    if (!(error instanceof PlaneError) || error.code !== 'ReadFailed') throw error;
    throw health.syncFailed('forcing what recovery believed', error);
  }
}
