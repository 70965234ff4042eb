/**
 * The store in a directory checked without opening it: nothing in it is changed.
 *
 * It is recovered into memory as an open would, from checkpoint and map logs, and then everything
 * is read and compared (checker.ts). What a crash leaves and the next open tidies up, files nobody
 * refers to and commits that were cut off, is no problem.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import type { CheckedStore } from '../record/check-message.ts';
import { checkStore } from './checker.ts';
import { ChunkMap } from './chunk-map.ts';
import { errnoOf, type FileSystem } from './file-system.ts';
import { STORE_GEOMETRY, type StoreGeometry } from './geometry.ts';
import { ReadOnlyFileSystem } from './read-only-file-system.ts';
import { recoverStore } from './recover.ts';
import { SegmentFiles } from './segment-files.ts';
import { SlotTable } from './slot-table.ts';
import { TreeTable } from './tree-table.ts';

export function checkStoreDirectory(
  base: FileSystem,
  directory: string,
  geometry: StoreGeometry = STORE_GEOMETRY,
): CheckedStore {
  const nothing = { trees: [], sectorsChecked: 0, leftOverFiles: 0 };
  const fileSystem = new ReadOnlyFileSystem(base);
  const table = new SlotTable(geometry.segmentSectors);
  const trees = new TreeTable(new ChunkMap(table));
  try {
    // Recovery of a directory that is not there would make one.
    base.list(directory);
    recoverStore({ fileSystem, directory, geometry, table, trees });
  } catch (error) {
    if (error instanceof PlaneError) return { ...nothing, problems: [error.message] };
    if (errnoOf(error) === '') throw error;
    return { ...nothing, problems: [`${directory} cannot be read: ${errnoOf(error)}`] };
  }
  const segments = new SegmentFiles(fileSystem, directory, geometry);
  try {
    const { sectorsChecked, problems } = checkStore(trees, [], table, segments);
    const names = [...trees.all()].map(({ name }) => name);
    return { trees: names, sectorsChecked, leftOverFiles: fileSystem.unlinked.length, problems };
  } finally {
    segments.close();
  }
}
