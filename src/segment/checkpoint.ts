/**
 * A checkpoint: all chunk maps as they were at one instant, in one file.
 *
 * ```
 * 48           head (store-file.ts)
 * dumpBytes    the chunk maps' nodes (format: chunk-map-dump.ts)
 * tableBytes   one entry a tree:
 *                u32 tree number, 4 x u32 root of sectors [k 2^32, (k+1) 2^32) for k = 0..3: an id
 *                in the dump, 0 = empty; u32 bytes of the name, the name in UTF-8, zeros to a
 *                multiple of 4. Sector s of a tree is sector s mod 2^32 of the map of its root
 *                floor(s / 2^32)
 * 48           foot:
 *   0  8  u64 dumpBytes
 *   8  8  u64 tableBytes
 *  16  4  u32 trees
 *  20  4  u32 number of the next tree to be made
 *  24  8  magic "sealdend"
 *  32 12  0
 *  44  4  u32 CRC-32 of the whole file before this field
 * ```
 *
 * 1. The file appears under its name whole or not at all: it is written as *.ckpt.new, forced to
 *    stable storage and renamed.
 * 2. Every slot it refers to was on stable storage before that.
 * 3. The maps go on changing while it is written: it is written from frozen roots, owned by it.
 *
 * **Thread:** shard.
 */
import { crc32 } from 'node:zlib';
import type { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { type ChunkMap, EMPTY_ROOT } from './chunk-map.ts';
import { ChunkMapDump, ChunkMapRestore, RECORD_BYTES_MAX } from './chunk-map-dump.ts';
import type { FileSystem } from './file-system.ts';
import { ROOTS_PER_TREE } from './geometry.ts';
import {
  checkpointPath,
  corrupt,
  decodeHead,
  encodeHead,
  getUint64,
  HEAD_BYTES,
  type Head,
  setUint64,
  temporaryPath,
  viewOf,
} from './store-file.ts';
import type { TreeTable } from './tree-table.ts';

const FOOT_BYTES = 48;
const FOOT_MAGIC = 'sealdend';
const ENTRY_BYTES = 8 + 4 * ROOTS_PER_TREE;
const WRITE_BYTES = 256 * 1024;
const READ_BYTES = 1024 * 1024;
/** Forced to stable storage piece by piece: one fdatasync of it all could take seconds. */
const SYNC_BYTES = 8 * 1024 * 1024;

/** What a checkpoint begun now takes up at most. */
export function checkpointBytesMax(table: TreeTable): number {
  const nodeBytes = table.map.nodeCount * RECORD_BYTES_MAX;
  const tableBytes = table.count * (ENTRY_BYTES + 4) + table.nameBytes;
  return HEAD_BYTES + nodeBytes + tableBytes + FOOT_BYTES;
}

interface FrozenTree {
  readonly number: number;
  readonly name: string;
  readonly roots: readonly number[];
}

/** Writes one checkpoint, a bounded step at a time. */
export class CheckpointWriter {
  readonly head: Head;
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #map: ChunkMap;
  readonly #trees: readonly FrozenTree[];
  readonly #nextTreeNumber: number;
  readonly #frozenRoots: readonly number[];
  readonly #dump: ChunkMapDump;
  readonly #file: number;
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  readonly #sink = (bytes: Uint8Array): void => this.#put(bytes);
  #buffered = 0;
  #position = 0;
  #syncedPosition = 0;
  #checksum = 0;
  #isOver = false;

  /** Freezes all trees as they are now. @throws the file system's error: nothing is frozen */
  constructor(fileSystem: FileSystem, directory: string, head: Head, table: TreeTable) {
    this.head = head;
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#map = table.map;
    this.#nextTreeNumber = table.nextNumber;
    this.#file = fileSystem.open(temporaryPath(directory, head.generation), 'create');
    const trees: FrozenTree[] = [];
    for (const tree of table.all()) {
      trees.push({ number: tree.number, name: tree.name, roots: [...tree.roots] });
    }
    this.#trees = trees;
    this.#frozenRoots = trees.flatMap((tree) => tree.roots.filter((root) => root !== EMPTY_ROOT));
    for (const root of this.#frozenRoots) this.#map.share(root);
    this.#dump = new ChunkMapDump(this.#map, this.#frozenRoots);
    const bytes = new Uint8Array(HEAD_BYTES);
    encodeHead(bytes, 'checkpoint', head);
    this.#put(bytes);
  }

  /** Roots that are kept beside those of the trees while the checkpoint is written. */
  get frozenRoots(): readonly number[] {
    return this.#frozenRoots;
  }

  /**
   * Writes a part.
   *
   * @returns false if the checkpoint is complete and on stable storage, but for its name
   * @throws the file system's error: abandon() it
   */
  step(nodeBudget: number): boolean {
    invariant(!this.#isOver, 'a checkpoint is written once');
    if (!this.#dump.step(nodeBudget, this.#sink)) return true;
    const dumpBytes = this.#position + this.#buffered - HEAD_BYTES;
    this.#putTable(dumpBytes);
    this.#fileSystem.fdatasync(this.#file);
    return false;
  }

  /**
   * Gives the file its name. It counts once the name is on stable storage as well.
   *
   * @throws the file system's error: abandon() it
   */
  publish(): void {
    const { generation } = this.head;
    const from = temporaryPath(this.#directory, generation);
    this.#fileSystem.rename(from, checkpointPath(this.#directory, generation));
    this.#fileSystem.fsyncDirectory(this.#directory);
    this.#release();
  }

  /** Gives up: the file is of no use. */
  abandon(): void {
    invariant(!this.#isOver, 'a checkpoint that has its name is not given up');
    this.#release();
    try {
      this.#fileSystem.unlink(temporaryPath(this.#directory, this.head.generation));
    } catch {
      // It is removed by the next recovery, or overwritten by the next attempt.
    }
  }

  #release(): void {
    this.#isOver = true;
    this.#fileSystem.close(this.#file);
    for (const root of this.#frozenRoots) this.#map.release(root);
  }

  #putTable(dumpBytes: number): void {
    const ids = this.#dump.rootIds();
    let next = 0;
    let tableBytes = 0;
    for (const tree of this.#trees) {
      const nameBytes = Buffer.from(tree.name);
      const entry = new Uint8Array(ENTRY_BYTES + Math.ceil(nameBytes.byteLength / 4) * 4);
      const view = viewOf(entry);
      view.setUint32(0, tree.number, true);
      for (let index = 0; index < ROOTS_PER_TREE; index++) {
        const isEmpty = tree.roots[index] === EMPTY_ROOT;
        view.setUint32(4 + 4 * index, isEmpty ? 0 : ids[next++]!, true);
      }
      view.setUint32(ENTRY_BYTES - 4, nameBytes.byteLength, true);
      entry.set(nameBytes, ENTRY_BYTES);
      this.#put(entry);
      tableBytes += entry.byteLength;
    }
    invariant(next === ids.length, 'every frozen root is in the table');
    this.#putFoot(dumpBytes, tableBytes);
  }

  #putFoot(dumpBytes: number, tableBytes: number): void {
    const foot = new Uint8Array(FOOT_BYTES);
    const view = viewOf(foot);
    setUint64(view, 0, dumpBytes);
    setUint64(view, 8, tableBytes);
    view.setUint32(16, this.#trees.length, true);
    view.setUint32(20, this.#nextTreeNumber, true);
    foot.set(Buffer.from(FOOT_MAGIC, 'latin1'), 24);
    this.#put(foot.subarray(0, FOOT_BYTES - 4));
    this.#write();
    view.setUint32(FOOT_BYTES - 4, this.#checksum, true);
    this.#put(foot.subarray(FOOT_BYTES - 4));
    this.#write();
  }

  #put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.byteLength; ) {
      if (this.#buffered === WRITE_BYTES) this.#write();
      const count = Math.min(bytes.byteLength - done, WRITE_BYTES - this.#buffered);
      this.#buffer.set(bytes.subarray(done, done + count), this.#buffered);
      this.#buffered += count;
      done += count;
    }
  }

  #write(): void {
    this.#checksum = crc32(this.#buffer.subarray(0, this.#buffered), this.#checksum);
    this.#fileSystem.pwrite(this.#file, this.#buffer, 0, this.#buffered, this.#position);
    this.#position += this.#buffered;
    this.#buffered = 0;
    if (this.#position - this.#syncedPosition < SYNC_BYTES) return;
    this.#fileSystem.fdatasync(this.#file);
    this.#syncedPosition = this.#position;
  }
}

/** What a checkpoint file's own fields say, its checksum being right. */
export interface CheckpointFile {
  readonly path: string;
  readonly head: Head;
  readonly dumpBytes: number;
  readonly tableBytes: number;
  readonly treeCount: number;
  readonly nextTreeNumber: number;
}

/**
 * Judges a checkpoint without believing any of it.
 *
 * @throws PlaneError DataDirectoryCorrupt, DataDirectoryForeign, DataDirectoryVersion; the file
 *   system's error
 */
export function verifyCheckpoint(fileSystem: FileSystem, path: string): CheckpointFile {
  const file = fileSystem.open(path, 'read');
  try {
    const byteCount = fileSystem.size(file);
    const headBytes = new Uint8Array(HEAD_BYTES);
    const headCount = fileSystem.pread(file, headBytes, 0, HEAD_BYTES, 0);
    const head = decodeHead(headBytes.subarray(0, headCount), 'checkpoint', path);
    if (byteCount < HEAD_BYTES + FOOT_BYTES) throw corrupt(path, byteCount, 'it is cut off');
    const foot = new Uint8Array(FOOT_BYTES);
    fileSystem.pread(file, foot, 0, FOOT_BYTES, byteCount - FOOT_BYTES);
    const view = viewOf(foot);
    const at = byteCount - FOOT_BYTES;
    if (Buffer.from(foot.subarray(24, 32)).toString('latin1') !== FOOT_MAGIC) {
      throw corrupt(path, at, 'it does not end as a checkpoint ends');
    }
    const checksum = checksumOf(fileSystem, file, path, byteCount - 4);
    if (view.getUint32(FOOT_BYTES - 4, true) !== checksum) {
      throw corrupt(path, byteCount - 4, 'the file does not match its checksum');
    }
    const dumpBytes = getUint64(view, 0);
    const tableBytes = getUint64(view, 8);
    if (HEAD_BYTES + dumpBytes + tableBytes !== at) throw corrupt(path, at, 'lengths disagree');
    const treeCount = view.getUint32(16, true);
    return {
      path,
      head,
      dumpBytes,
      tableBytes,
      treeCount,
      nextTreeNumber: view.getUint32(20, true),
    };
  } finally {
    fileSystem.close(file);
  }
}

function endedEarly(path: string, at: number): PlaneError {
  return corrupt(path, at, 'it ended while it was read');
}

function checksumOf(fileSystem: FileSystem, file: number, path: string, byteCount: number): number {
  const buffer = new Uint8Array(Math.min(READ_BYTES, byteCount));
  let checksum = 0;
  for (let position = 0; position < byteCount; ) {
    const wanted = Math.min(buffer.byteLength, byteCount - position);
    const got = fileSystem.pread(file, buffer, 0, wanted, position);
    if (got === 0) throw endedEarly(path, position);
    checksum = crc32(buffer.subarray(0, got), checksum);
    position += got;
  }
  return checksum;
}

/**
 * Puts a verified checkpoint's trees into an empty table.
 *
 * @throws PlaneError DataDirectoryCorrupt; the file system's error
 */
export function restoreCheckpoint(
  fileSystem: FileSystem,
  checkpoint: CheckpointFile,
  table: TreeTable,
): void {
  const { path, dumpBytes, tableBytes } = checkpoint;
  const file = fileSystem.open(path, 'read');
  try {
    const restore = new ChunkMapRestore(table.map);
    const buffer = new Uint8Array(Math.min(READ_BYTES, dumpBytes));
    for (let done = 0; done < dumpBytes; ) {
      const wanted = Math.min(buffer.byteLength, dumpBytes - done);
      const got = fileSystem.pread(file, buffer, 0, wanted, HEAD_BYTES + done);
      if (got === 0) throw endedEarly(path, HEAD_BYTES + done);
      restore.feed(buffer.subarray(0, got));
      done += got;
    }
    const entries = new Uint8Array(tableBytes);
    const got = fileSystem.pread(file, entries, 0, tableBytes, HEAD_BYTES + dumpBytes);
    if (got < tableBytes) throw endedEarly(path, HEAD_BYTES + dumpBytes + got);
    restoreTable(entries, checkpoint, table, restore);
  } finally {
    fileSystem.close(file);
  }
}

function restoreTable(
  entries: Uint8Array,
  checkpoint: CheckpointFile,
  table: TreeTable,
  restore: ChunkMapRestore,
): void {
  const view = viewOf(entries);
  const ids: number[] = [];
  const trees: { number: number; name: string; ids: number[] }[] = [];
  for (let at = 0; at < entries.byteLength; ) {
    const nameAt = at + ENTRY_BYTES;
    const nameBytes = view.getUint32(nameAt - 4, true);
    const name = Buffer.from(entries.subarray(nameAt, nameAt + nameBytes)).toString('utf8');
    const rootIds: number[] = [];
    for (let index = 0; index < ROOTS_PER_TREE; index++) {
      rootIds.push(view.getUint32(at + 4 + 4 * index, true));
    }
    trees.push({ number: view.getUint32(at, true), name, ids: rootIds });
    ids.push(...rootIds.filter((id) => id !== 0));
    at = nameAt + Math.ceil(nameBytes / 4) * 4;
  }
  if (trees.length !== checkpoint.treeCount) {
    const at = HEAD_BYTES + checkpoint.dumpBytes;
    throw corrupt(
      checkpoint.path,
      at,
      `expected ${checkpoint.treeCount} trees, got ${trees.length}`,
    );
  }
  const roots = restore.finish(ids);
  let next = 0;
  for (const entry of trees) {
    const tree = table.create(entry.name, entry.number);
    for (let index = 0; index < ROOTS_PER_TREE; index++) {
      tree.roots[index] = entry.ids[index] === 0 ? EMPTY_ROOT : roots[next++]!;
    }
  }
  table.nextNumber = checkpoint.nextTreeNumber;
}
