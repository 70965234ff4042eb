/**
 * Reads map logs back: which batches count (map-log.ts, rules 1 to 3), and what is damage.
 *
 * What a power cut loses and what damage destroys look alike where they are: both are a batch that
 * is not whole. They are told apart by what follows. If any later whole batch says that the broken
 * one was on stable storage, it is damage, and recovery refuses; otherwise nothing that was
 * acknowledged as flushed can have been in it, and the log ends there.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import type { FileSystem } from './file-system.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_HEAD_BYTES,
  BATCH_MAGIC,
  batchChecksum,
  RECORD,
} from './map-log.ts';
import { corrupt, decodeHead, getUint64, HEAD_BYTES, type Head, viewOf } from './store-file.ts';

/** One log file in memory. */
export interface LogFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Null if the head was never written whole: then no batch can have been acknowledged. */
  readonly head: Head | null;
}

export interface Batch {
  readonly file: LogFile;
  readonly at: number;
  readonly byteLength: number;
  readonly sequence: number;
  readonly durableSequence: number;
}

/** The batches that count, in order. */
export interface CountedBatches {
  readonly batches: readonly Batch[];
  /** Sequence of the last flush-mark; below the first batch's if there is none. */
  readonly markSequence: number;
  /** Of the next batch to be written. */
  readonly nextSequence: number;
  /** Bytes behind the last batch that counts. */
  readonly ignoredBytes: number;
}

/** What a log says. Names and checksums are borrowed: valid until the call returns. */
export interface RecordVisitor {
  assignRun(
    tree: number,
    sector: number,
    sectorCount: number,
    location: number,
    checksums: Uint32Array,
  ): boolean;
  discardRun(tree: number, sector: number, sectorCount: number): boolean;
  createTree(tree: number, name: string): boolean;
  shareTree(source: number, tree: number, name: string): boolean;
  removeTree(tree: number): boolean;
}

/** @throws the file system's error; PlaneError DataDirectoryForeign, DataDirectoryVersion */
export function readLogFile(fileSystem: FileSystem, path: string): LogFile {
  const file = fileSystem.open(path, 'read');
  try {
    const bytes = new Uint8Array(fileSystem.size(file));
    const byteCount = fileSystem.pread(file, bytes, 0, bytes.byteLength, 0);
    return { path, bytes: bytes.subarray(0, byteCount), head: headOf(bytes, path) };
  } finally {
    fileSystem.close(file);
  }
}

/** A head of zeros, or cut off, was lost in a power cut; one of other bytes is not ours. */
function headOf(bytes: Uint8Array, path: string): Head | null {
  const start = bytes.subarray(0, HEAD_BYTES);
  if (start.byteLength < HEAD_BYTES || start.every((byte) => byte === 0)) return null;
  return decodeHead(start, 'log', path);
}

/** The batch at an offset, if it is whole. */
function wholeBatchAt(file: LogFile, view: DataView, at: number): Batch | null {
  const room = file.bytes.byteLength - at;
  if (room < BATCH_HEAD_BYTES || view.getUint32(at, true) !== BATCH_MAGIC) return null;
  const byteLength = view.getUint32(at + 4, true);
  if (byteLength < BATCH_HEAD_BYTES || byteLength % 8 !== 0) return null;
  if (byteLength > room || byteLength > BATCH_BYTES_MAX) return null;
  if (view.getUint32(at + 28, true) !== batchChecksum(file.bytes, at, byteLength)) return null;
  const sequence = getUint64(view, at + 8);
  return { file, at, byteLength, sequence, durableSequence: getUint64(view, at + 16) };
}

function isMark(view: DataView, batch: Batch): boolean {
  if (batch.byteLength === BATCH_HEAD_BYTES) return false;
  return view.getUint32(batch.at + BATCH_HEAD_BYTES, true) === RECORD.flushMark;
}

/** The highest sequence that whole batches behind an offset say was on stable storage. */
function durableBehind(file: LogFile, at: number): number {
  const view = viewOf(file.bytes);
  let durable = -1;
  for (let offset = at; offset + BATCH_HEAD_BYTES <= file.bytes.byteLength; offset += 8) {
    const batch = wholeBatchAt(file, view, offset);
    if (batch !== null) durable = Math.max(durable, batch.durableSequence);
  }
  return durable;
}

/**
 * Finds the batches that count.
 *
 * @param files the checkpoint's log and those behind it, in order
 * @param firstSequence the first batch the checkpoint lacks
 * @throws PlaneError DataDirectoryCorrupt: a batch that was on stable storage is not whole
 */
export function countBatches(files: readonly LogFile[], firstSequence: number): CountedBatches {
  const batches: Batch[] = [];
  let markSequence = firstSequence - 1;
  let nextSequence = firstSequence;
  // Where counting ended, once it has: nothing behind it counts.
  let end: { path: string; at: number } | null = null;
  let before: LogFile | undefined;
  let ignoredBytes = 0;
  let durable = -1;
  for (const file of files) {
    let at = HEAD_BYTES;
    if (end === null && file.head?.firstSequence === nextSequence) {
      const view = viewOf(file.bytes);
      let batch = wholeBatchAt(file, view, at);
      while (batch !== null && batch.sequence === nextSequence) {
        batches.push(batch);
        if (isMark(view, batch)) markSequence = nextSequence;
        nextSequence++;
        at += batch.byteLength;
        batch = wholeBatchAt(file, view, at);
      }
      if (at < file.bytes.byteLength) end = { path: file.path, at };
    } else {
      end ??= { path: (before ?? file).path, at: (before ?? file).bytes.byteLength };
    }
    before = file;
    ignoredBytes += Math.max(0, file.bytes.byteLength - at);
    if (end !== null) durable = Math.max(durable, durableBehind(file, at));
  }
  if (end !== null && durable >= nextSequence) {
    const found = `batch ${durable} was on stable storage, but batch ${nextSequence} is not whole`;
    throw corrupt(end.path, end.at, found);
  }
  return { batches, markSequence, nextSequence, ignoredBytes };
}

/**
 * Visits the records of a batch in order.
 *
 * @throws PlaneError DataDirectoryCorrupt: a record is malformed, or the visitor returned false:
 *   it contradicts what came before
 */
export function visitRecords(batch: Batch, visitor: RecordVisitor): void {
  const { file } = batch;
  const view = viewOf(file.bytes);
  const end = batch.at + batch.byteLength;
  const recordCount = view.getUint32(batch.at + 24, true);
  let at = batch.at + BATCH_HEAD_BYTES;
  for (let index = 0; index < recordCount; index++) {
    const byteLength = at + 8 <= end ? visitRecord(file, view, at, end, visitor) : -1;
    if (byteLength < 0) throw corrupt(file.path, at, `record ${index} of its batch makes no sense`);
    at += byteLength;
  }
  invariant(at <= end, 'records end inside their batch');
}

/** @returns the record's length, or -1 if it makes no sense */
function visitRecord(
  file: LogFile,
  view: DataView,
  at: number,
  end: number,
  visitor: RecordVisitor,
): number {
  const kind = view.getUint32(at, true);
  const tree = view.getUint32(at + 4, true);
  switch (kind) {
    case RECORD.assignRun:
      return visitAssignRun(view, at, end, visitor);
    case RECORD.discardRun: {
      if (at + 24 > end) return -1;
      const isGood = visitor.discardRun(tree, getUint64(view, at + 8), getUint64(view, at + 16));
      return isGood ? 24 : -1;
    }
    case RECORD.createTree: {
      const name = nameAt(file, view, at + 8, end);
      return name !== null && visitor.createTree(tree, name.text) ? 8 + name.byteLength : -1;
    }
    case RECORD.shareTree: {
      const name = nameAt(file, view, at + 12, end);
      if (name === null) return -1;
      const target = view.getUint32(at + 8, true);
      return visitor.shareTree(tree, target, name.text) ? 12 + name.byteLength : -1;
    }
    case RECORD.removeTree:
      return visitor.removeTree(tree) ? 8 : -1;
    case RECORD.flushMark:
      return 4;
    default:
      return -1;
  }
}

function visitAssignRun(view: DataView, at: number, end: number, visitor: RecordVisitor): number {
  if (at + 24 > end) return -1;
  const sectorCount = view.getUint32(at + 16, true);
  const byteLength = 24 + 4 * sectorCount;
  if (at + byteLength > end) return -1;
  const checksums = new Uint32Array(sectorCount);
  for (let index = 0; index < sectorCount; index++) {
    checksums[index] = view.getUint32(at + 24 + 4 * index, true);
  }
  const tree = view.getUint32(at + 4, true);
  const location = view.getUint32(at + 20, true);
  const isGood = visitor.assignRun(tree, getUint64(view, at + 8), sectorCount, location, checksums);
  return isGood ? byteLength : -1;
}

function nameAt(
  file: LogFile,
  view: DataView,
  at: number,
  end: number,
): { text: string; byteLength: number } | null {
  if (at + 4 > end) return null;
  const nameBytes = view.getUint32(at, true);
  if (at + 4 + nameBytes > end) return null;
  const text = Buffer.from(file.bytes.subarray(at + 4, at + 4 + nameBytes)).toString('utf8');
  return { text, byteLength: 4 + Math.ceil(nameBytes / 4) * 4 };
}
