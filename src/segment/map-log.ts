/**
 * The map log: what changed in the maps since a checkpoint, in the order it happened.
 *
 * The file is a head (store-file.ts, 48 bytes), then batches without gaps. A batch is what one
 * commit wrote:
 *
 * ```
 *  0  4  u32 magic 0x54424453 ("SDBT")
 *  4  4  u32 bytes of the batch, these 32 included; a multiple of 8
 *  8  8  u64 sequence: 1 more than the batch before, also across files
 * 16  8  u64 durable sequence: all batches up to this one were on stable storage when this one was
 *        written (so a damaged batch at or below it was not lost in a power cut: it is damage)
 * 24  4  u32 records in the batch
 * 28  4  u32 CRC-32 of bytes [0, 28) and [32, end)
 * 32     records, then zeros to a multiple of 8
 * ```
 * A record begins with a u32 kind and is a multiple of 4 long. Trees are named by their number.
 *
 * ```
 * 1 assign-run   u32 tree, u64 first sector, u32 n, u32 location of the first slot, n x u32
 *                checksum
 *                sectors first..first+n-1 are in slots location..location+n-1, which have these
 *                checksums: the low 32 bits of XXH3-64, seed 0, of the slot's 4,096 bytes. A run
 *                lies in one segment and under one root. Locations: store-file.ts
 * 2 discard-run  u32 tree, u64 first sector, u64 n: the sectors are holes
 * 3 create-tree  u32 tree, u32 bytes of the name, the name in UTF-8, zeros to a multiple of 4
 * 4 share-tree   u32 source, then as create-tree: the new tree has all the source has
 * 5 remove-tree  u32 tree
 * 6 flush-mark   all slots in assign-runs before it were on stable storage when it was written
 * ```
 *
 * A batch without records only says what is durable: one follows each forced flush-mark, so that
 * damage to what the flush has forced is not taken for a lost tail.
 *
 * Which batches count (read by log-reader.ts):
 * 1. A batch is whole if magic, length, CRC-32 and sequence are right. Batches count from the first
 *    the checkpoint lacks (its head says which) to the last before one that is not whole. A file
 *    goes on where the one before it ended: its head's first sequence is the next one. A head that
 *    is cut off, or zeros, was lost in a power cut, and nothing from there on counts.
 * 2. Batches up to the last counted flush-mark are believed.
 * 3. Of assign-runs behind it only those sectors are believed whose slot holds what the checksum
 *    says; the others keep what they had, as if they had not been written.
 *
 * **Thread:** shard.
 */
import { crc32 } from 'node:zlib';
import { invariant } from '../base/invariant.ts';
import type { FileSystem } from './file-system.ts';
import { encodeHead, HEAD_BYTES, type Head, logPath, setUint64, viewOf } from './store-file.ts';

export const BATCH_MAGIC = 0x54424453;
export const BATCH_HEAD_BYTES = 32;
/** A batch is at least this much; anything longer than the maximum is not a batch. */
export const BATCH_BYTES_MAX = 64 * 2 ** 20;
const FIRST_BUFFER_BYTES = 64 * 1024;

export const RECORD = {
  assignRun: 1,
  discardRun: 2,
  createTree: 3,
  shareTree: 4,
  removeTree: 5,
  flushMark: 6,
} as const;

/** CRC-32 of a batch, its own field left out. */
export function batchChecksum(bytes: Uint8Array, start: number, byteLength: number): number {
  const head = crc32(bytes.subarray(start, start + 28));
  return crc32(bytes.subarray(start + BATCH_HEAD_BYTES, start + byteLength), head);
}

/** Writes one log file. Records gather in memory until write(). */
export class MapLogWriter {
  readonly generation: number;
  /** Of the next batch. */
  sequence: number;
  /** Of the last batch known to be on stable storage. */
  durableSequence: number;
  readonly #fileSystem: FileSystem;
  readonly #file: number;
  #position = HEAD_BYTES;
  #bytes = new Uint8Array(FIRST_BUFFER_BYTES);
  #view = viewOf(this.#bytes);
  #used = BATCH_HEAD_BYTES;
  #recordCount = 0;

  /** Makes the file, or empties the one there is. @throws the file system's error */
  constructor(fileSystem: FileSystem, directory: string, head: Head) {
    this.#fileSystem = fileSystem;
    this.generation = head.generation;
    this.sequence = head.firstSequence;
    this.durableSequence = head.firstSequence - 1;
    this.#file = fileSystem.open(logPath(directory, head.generation), 'create');
    const bytes = new Uint8Array(HEAD_BYTES);
    encodeHead(bytes, 'log', head);
    try {
      fileSystem.pwrite(this.#file, bytes, 0, HEAD_BYTES, 0);
    } catch (error) {
      fileSystem.close(this.#file);
      throw error;
    }
  }

  /** Bytes of the file. */
  get byteCount(): number {
    return this.#position;
  }

  /** All that was written is on stable storage. */
  get isDurable(): boolean {
    return this.durableSequence === this.sequence - 1;
  }

  /** Bytes of records not written yet. */
  get pendingBytes(): number {
    return this.#used - BATCH_HEAD_BYTES;
  }

  assignRun(
    tree: number,
    sector: number,
    sectorCount: number,
    location: number,
    checksums: Uint32Array,
  ): void {
    const at = this.#record(RECORD.assignRun, 24 + 4 * sectorCount);
    const view = this.#view;
    view.setUint32(at + 4, tree, true);
    setUint64(view, at + 8, sector);
    view.setUint32(at + 16, sectorCount, true);
    view.setUint32(at + 20, location, true);
    for (let index = 0; index < sectorCount; index++) {
      view.setUint32(at + 24 + 4 * index, checksums[index]!, true);
    }
  }

  discardRun(tree: number, sector: number, sectorCount: number): void {
    const at = this.#record(RECORD.discardRun, 24);
    this.#view.setUint32(at + 4, tree, true);
    setUint64(this.#view, at + 8, sector);
    setUint64(this.#view, at + 16, sectorCount);
  }

  createTree(tree: number, name: string): void {
    const nameBytes = Buffer.from(name);
    const at = this.#record(RECORD.createTree, 12 + nameBytes.byteLength);
    this.#view.setUint32(at + 4, tree, true);
    this.#name(at + 8, nameBytes);
  }

  shareTree(source: number, tree: number, name: string): void {
    const nameBytes = Buffer.from(name);
    const at = this.#record(RECORD.shareTree, 16 + nameBytes.byteLength);
    this.#view.setUint32(at + 4, source, true);
    this.#view.setUint32(at + 8, tree, true);
    this.#name(at + 12, nameBytes);
  }

  removeTree(tree: number): void {
    const at = this.#record(RECORD.removeTree, 8);
    this.#view.setUint32(at + 4, tree, true);
  }

  /**
   * Writes the records gathered as one batch; nothing if there are none.
   *
   * @throws the file system's error: the records stay, and the next write() writes them again
   */
  write(): void {
    if (this.#recordCount === 0) return;
    const byteLength = Math.ceil(this.#used / 8) * 8;
    invariant(byteLength <= BATCH_BYTES_MAX, 'a batch is bounded by its writers');
    this.#bytes.fill(0, this.#used, byteLength);
    this.#writeBatch(this.#bytes, this.#view, byteLength, this.#recordCount);
    this.#used = BATCH_HEAD_BYTES;
    this.#recordCount = 0;
  }

  /**
   * Writes a flush-mark, a batch of its own.
   *
   * @throws the file system's error: there is no mark, and nothing to write again
   */
  writeMark(): void {
    invariant(this.#recordCount === 0, 'a mark follows what it speaks of');
    const bytes = new Uint8Array(BATCH_HEAD_BYTES + 8);
    const view = viewOf(bytes);
    view.setUint32(BATCH_HEAD_BYTES, RECORD.flushMark, true);
    this.#writeBatch(bytes, view, bytes.byteLength, 1);
  }

  /**
   * Writes a batch without records, for its durable sequence.
   *
   * @throws the file system's error: it is not needed, only useful
   */
  writeNote(): void {
    const bytes = new Uint8Array(BATCH_HEAD_BYTES);
    this.#writeBatch(bytes, viewOf(bytes), BATCH_HEAD_BYTES, 0);
  }

  /** Forces the file to stable storage. @throws the file system's error */
  sync(): void {
    this.#fileSystem.fdatasync(this.#file);
    this.durableSequence = this.sequence - 1;
  }

  close(): void {
    this.#fileSystem.close(this.#file);
  }

  #writeBatch(bytes: Uint8Array, view: DataView, byteLength: number, recordCount: number): void {
    view.setUint32(0, BATCH_MAGIC, true);
    view.setUint32(4, byteLength, true);
    setUint64(view, 8, this.sequence);
    setUint64(view, 16, this.durableSequence);
    view.setUint32(24, recordCount, true);
    view.setUint32(28, batchChecksum(bytes, 0, byteLength), true);
    this.#fileSystem.pwrite(this.#file, bytes, 0, byteLength, this.#position);
    this.#position += byteLength;
    this.sequence++;
  }

  /** Makes room for a record and writes its kind. @returns where it begins */
  #record(kind: number, byteLength: number): number {
    const at = this.#used;
    const end = at + Math.ceil(byteLength / 4) * 4;
    // 8 more: write() pads in place.
    if (end + 8 > this.#bytes.byteLength) this.#grow(end + 8);
    this.#view.setUint32(at, kind, true);
    this.#used = end;
    this.#recordCount++;
    return at;
  }

  #name(at: number, nameBytes: Uint8Array): void {
    this.#view.setUint32(at, nameBytes.byteLength, true);
    // The buffer is used again: what an earlier record left behind the name is erased.
    this.#bytes.fill(0, at + 4, this.#used);
    this.#bytes.set(nameBytes, at + 4);
  }

  #grow(byteLength: number): void {
    const larger = new Uint8Array(Math.max(byteLength, 2 * this.#bytes.byteLength));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}
