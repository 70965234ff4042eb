/**
 * From files alone to consistent maps.
 *
 *   newest checkpoint ─▶ its trees ─▶ batches of its log and those behind it, in order ─▶ (if
 *   anything was replayed or left over) a new checkpoint ─▶ what no tree refers to is removed
 *
 * What is read may be in the system's cache only, left by a killed process, and be lost in a power
 * cut a moment later. So:
 * 1. The names found are forced to stable storage first. The newest checkpoint must be valid: it
 *    had its name only after it was on stable storage.
 * 2. Batches count as map-log.ts says. A sector of an assign-run behind the last flush-mark is
 *    believed only if its slot holds what the checksum says; otherwise it keeps what it had. Such
 *    slots are written again and forced before a checkpoint refers to them (believed-slots.ts).
 * 3. Nothing that was read is changed or removed before the next checkpoint is durable. Recovery
 *    may be ended anywhere and done again, also on an older state of the logs.
 * 4. Segments that neither the checkpoint nor any batch refers to are removed at once; those that
 *    ceased to be referred to, after the next checkpoint (journal.ts, rule 4).
 * 5. A directory without a checkpoint is taken for a new one only if there is nothing in it but
 *    what an interrupted creation leaves.
 *
 * **Thread:** shard.
 */
import { dirname, join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { BelievedSlots } from './believed-slots.ts';
import { restoreCheckpoint, verifyCheckpoint } from './checkpoint.ts';
import { errnoOf, type FileSystem } from './file-system.ts';
import type { StoreGeometry } from './geometry.ts';
import { countBatches, type LogFile, readLogFile } from './log-reader.ts';
import type { GenerationsStart } from './map-generations.ts';
import { Replay, SlotReader } from './replay.ts';
import type { Segment, SlotTable } from './slot-table.ts';
import {
  checkpointPath,
  corrupt,
  HEAD_BYTES,
  logPath,
  parseSegmentName,
  parseStoreFileName,
  SEGMENTS_DIRECTORY,
  segmentPath,
} from './store-file.ts';
import type { TreeTable } from './tree-table.ts';

/** What opening a store found and did. */
export interface RecoveryReport {
  /** The directory was new. */
  readonly isNew: boolean;
  /** The checkpoint the maps were read from; 0 if the store is new. */
  readonly checkpointGeneration: number;
  /** Batches of the map log replayed: 0 after a close(). */
  readonly batchesReplayed: number;
  /** Bytes of logs behind the last whole batch: a commit that was cut off. */
  readonly logBytesIgnored: number;
  /** Sectors written after the last flush whose bytes were lost: they are as they were before. */
  readonly sectorsDropped: number;
  /** Live slots that are not in any file: damage. Reading them is a ChecksumMismatch. */
  readonly slotsMissing: number;
  /** Files removed because nothing refers to them. */
  readonly orphansRemoved: number;
}

export interface Recovery {
  readonly report: RecoveryReport;
  readonly start: GenerationsStart;
  /** The durable checkpoint's log is empty and nothing else is left over. */
  readonly hasEmptyLog: boolean;
  /** Segments to be removed after the next checkpoint. */
  readonly retired: readonly Segment[];
  /** To be forced before the next checkpoint. */
  readonly believed: BelievedSlots;
}

interface StoreListing {
  readonly checkpoints: readonly number[];
  readonly logs: readonly number[];
  readonly temporaries: readonly string[];
  readonly segments: readonly number[];
  /** Names that are none of ours. */
  readonly foreign: readonly string[];
}

export interface RecoverParts {
  /** Reading calls throw raw errors; writing calls PlaneErrors (GuardedFileSystem). */
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly geometry: StoreGeometry;
  readonly table: SlotTable;
  readonly trees: TreeTable;
}

/**
 * Fills an empty table and empty trees with what the directory holds.
 *
 * @throws PlaneError DataDirectoryForeign, DataDirectoryVersion, DataDirectoryCorrupt, ReadFailed;
 *   NoSpace, StoreFailed: directories could not be made
 */
export function recoverStore(parts: RecoverParts): Recovery {
  try {
    return recover(parts);
  } catch (error) {
    if (errnoOf(error) === '' || error instanceof PlaneError) throw error;
    const what = `reading ${parts.directory}: ${errnoOf(error)}`;
    throw new PlaneError('ReadFailed', what, { cause: error });
  }
}

function recover(parts: RecoverParts): Recovery {
  const { fileSystem, directory } = parts;
  fileSystem.makeDirectory(directory);
  const listing = listStore(fileSystem, directory);
  const newest = listing.checkpoints.at(-1);
  if (newest === undefined) return startNew(parts, listing);

  fileSystem.fsyncDirectory(directory);
  const path = checkpointPath(directory, newest);
  const checkpoint = verifyCheckpoint(fileSystem, path);
  if (checkpoint.head.generation !== newest) throw corrupt(path, 16, 'it is another generation');
  requireGeometry(path, checkpoint.head.segmentSectors, parts.geometry);
  parts.table.isRecovering = true;
  restoreCheckpoint(fileSystem, checkpoint, parts.trees);

  const files = readLogs(fileSystem, directory, newest, listing.logs);
  const counted = countBatches(files, checkpoint.head.firstSequence);
  const replay = new Replay(parts.table, parts.trees, new SlotReader(fileSystem, directory));
  replay.run(counted);

  const slotsMissing = settleSegments(parts, listing.segments);
  const retired = parts.table.endRecovery();
  const orphansRemoved = removeOrphans(parts, listing) + retired.length;
  const isLogEmpty = counted.batches.length === 0 && counted.ignoredBytes === 0;
  const isOnlyLog = listing.logs.length === 1 && files[0]?.bytes.byteLength === HEAD_BYTES;
  const hasEmptyLog = isLogEmpty && isOnlyLog && listing.checkpoints.length === 1;
  return {
    report: {
      isNew: false,
      checkpointGeneration: newest,
      batchesReplayed: counted.batches.length,
      logBytesIgnored: counted.ignoredBytes,
      sectorsDropped: replay.sectorsDropped,
      slotsMissing,
      orphansRemoved,
    },
    start: {
      durable: newest,
      highest: Math.max(newest, ...listing.logs),
      sequence: counted.nextSequence,
      stalePaths: hasEmptyLog ? [] : stalePaths(directory, listing),
    },
    hasEmptyLog,
    retired,
    believed: replay.believed,
  };
}

function listStore(fileSystem: FileSystem, directory: string): StoreListing {
  const checkpoints: number[] = [];
  const logs: number[] = [];
  const temporaries: string[] = [];
  const foreign: string[] = [];
  let hasSegments = false;
  for (const name of fileSystem.list(directory)) {
    const file = parseStoreFileName(name);
    if (name === SEGMENTS_DIRECTORY) hasSegments = true;
    else if (file === null) foreign.push(name);
    else if (file.kind === 'temporary') temporaries.push(join(directory, name));
    else if (file.kind !== 'reserve') {
      (file.kind === 'log' ? logs : checkpoints).push(file.generation);
    }
  }
  const segments: number[] = [];
  const names = hasSegments ? fileSystem.list(join(directory, SEGMENTS_DIRECTORY)) : [];
  for (const name of names) {
    const number = parseSegmentName(name);
    if (number !== null) segments.push(number);
  }
  checkpoints.sort((a, b) => a - b);
  logs.sort((a, b) => a - b);
  return { checkpoints, logs, temporaries, segments, foreign };
}

/** Rule 5. */
function startNew(parts: RecoverParts, listing: StoreListing): Recovery {
  const { fileSystem, directory } = parts;
  if (listing.foreign.length > 0) {
    const what = `${directory} has no checkpoint, but a file "${listing.foreign[0]}"`;
    throw new PlaneError('DataDirectoryForeign', what);
  }
  const hasContent = listing.segments.length > 0 || listing.logs.some((log) => log !== 1);
  if (hasContent || (listing.logs.length > 0 && logBytes(fileSystem, directory) > HEAD_BYTES)) {
    throw corrupt(directory, 0, 'there are segments or logs, but no checkpoint');
  }
  fileSystem.makeDirectory(join(directory, SEGMENTS_DIRECTORY));
  fileSystem.fsyncDirectory(dirname(directory));
  return {
    report: {
      isNew: true,
      checkpointGeneration: 0,
      batchesReplayed: 0,
      logBytesIgnored: 0,
      sectorsDropped: 0,
      slotsMissing: 0,
      orphansRemoved: 0,
    },
    start: { durable: 0, highest: 0, sequence: 1, stalePaths: [] },
    hasEmptyLog: false,
    retired: [],
    believed: new BelievedSlots(parts.table.segmentSlots),
  };
}

function logBytes(fileSystem: FileSystem, directory: string): number {
  const file = fileSystem.open(logPath(directory, 1), 'read');
  try {
    return fileSystem.size(file);
  } finally {
    fileSystem.close(file);
  }
}

function requireGeometry(path: string, segmentSectors: number, geometry: StoreGeometry): void {
  if (segmentSectors === geometry.segmentSectors) return;
  const what = `expected segments of ${geometry.segmentSectors} sectors, got ${segmentSectors}`;
  throw new PlaneError('DataDirectoryVersion', `${path}: ${what}`);
}

/** The checkpoint's log and those behind it. */
function readLogs(
  fileSystem: FileSystem,
  directory: string,
  checkpoint: number,
  generations: readonly number[],
): LogFile[] {
  const wanted = generations.filter((generation) => generation >= checkpoint);
  if (wanted[0] !== checkpoint) {
    throw corrupt(logPath(directory, checkpoint), 0, 'the log of the newest checkpoint is missing');
  }
  return wanted.map((generation) => readLogFile(fileSystem, logPath(directory, generation)));
}

/**
 * Learns from the files how many slots each segment has.
 *
 * @returns live slots beyond the end of their file
 */
function settleSegments(parts: RecoverParts, numbers: readonly number[]): number {
  const { fileSystem, directory, table } = parts;
  for (const number of numbers) {
    const segment = table.find(number);
    if (segment === undefined) continue;
    const file = fileSystem.open(segmentPath(directory, number), 'read');
    try {
      const slots = Math.ceil(fileSystem.size(file) / SECTOR_BYTES);
      table.setUsed(segment, Math.min(slots, table.segmentSlots));
    } finally {
      fileSystem.close(file);
    }
  }
  let missing = 0;
  for (const segment of table.all()) missing += missingSlots(table, segment);
  return missing;
}

/** A slot that is referred to is used, even if its bytes are gone: so the table stays sound. */
function missingSlots(table: SlotTable, segment: Segment): number {
  let missing = 0;
  let used = segment.usedSlots;
  for (let slot = segment.usedSlots; slot < table.segmentSlots; slot++) {
    if (segment.references[slot] === 0) continue;
    missing++;
    used = slot + 1;
  }
  table.setUsed(segment, used);
  return missing;
}

/** Removes unfinished checkpoints and segments nothing ever referred to: rule 4. */
function removeOrphans(parts: RecoverParts, listing: StoreListing): number {
  const { fileSystem, directory, table } = parts;
  const paths = [...listing.temporaries];
  for (const number of listing.segments) {
    if (table.find(number) === undefined) paths.push(segmentPath(directory, number));
  }
  for (const path of paths) fileSystem.unlink(path);
  return paths.length;
}

function stalePaths(directory: string, listing: StoreListing): string[] {
  const checkpoints = listing.checkpoints.map((number) => checkpointPath(directory, number));
  return [...checkpoints, ...listing.logs.map((number) => logPath(directory, number))];
}
