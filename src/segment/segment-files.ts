/**
 * Segments as files: ciphertext only, slot i of a segment at byte 4096 i of its file.
 *
 * 1. The open segment is filled in memory and read from memory; write() hands what is new in it to
 *    the operating system in one call. What is written again after an error is the same bytes.
 * 2. A sealed segment is in its file, all of it, and read from there.
 * 3. A file written since the last sync() stays open until the next: an error the system found
 *    while it wrote back is reported to that descriptor.
 * 4. Beside those and the open one, at most SEGMENT_FILES_OPEN_MAX are open; the one unused for
 *    longest is closed first.
 *
 * **Thread:** shard.
 */
import { join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SectorMemory } from '../base/sector-memory.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { SEGMENT_FILES_OPEN_MAX } from '../limits.ts';
import { errnoOf, type FileSystem } from './file-system.ts';
import { RUN_SECTORS_MAX, type StoreGeometry } from './geometry.ts';
import type { SegmentBackend } from './segment-space.ts';
import { SEGMENTS_DIRECTORY, segmentPath } from './store-file.ts';

const NONE = -1;
/** Kept back of the segment numbers there are. */
const RECLAIM_SEGMENTS = 64;

export class SegmentFiles implements SegmentBackend {
  readonly segmentsMax: number;
  readonly reclaimSegments = RECLAIM_SEGMENTS;
  loadedMemory: SectorMemory;
  loadedOffset = 0;
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #openMemory: SectorMemory;
  readonly #bounce: SectorMemory;
  /** Descriptors of sealed segments by number, the one used last at the end. */
  readonly #files = new Map<number, number>();
  readonly #dirty = new Set<number>();
  #openNumber = NONE;
  #openFile = NONE;
  #writtenSlots = 0;
  #hasNewNames = false;

  /** @param fileSystem errors of its writing calls are PlaneErrors (GuardedFileSystem) */
  constructor(fileSystem: FileSystem, directory: string, geometry: StoreGeometry) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    // One less than there are numbers: the last location of all means "none" to reclaim.
    this.segmentsMax = 2 ** 32 / geometry.segmentSectors - 1;
    this.#openMemory = new SectorMemory(geometry.segmentSectors * SECTOR_BYTES);
    const runSectors = Math.min(RUN_SECTORS_MAX, geometry.segmentSectors);
    this.#bounce = new SectorMemory(runSectors * SECTOR_BYTES);
    this.loadedMemory = this.#bounce;
  }

  /** Segments written since the last sync(). */
  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /** Bytes of the open segment not written yet. */
  pendingBytes(usedSlots: number): number {
    return this.#openNumber === NONE ? 0 : (usedSlots - this.#writtenSlots) * SECTOR_BYTES;
  }

  /**
   * Half of what is free: copies are on the file system beside what they are copies of for a time.
   */
  movableSlots(): number {
    try {
      return Math.floor(this.#fileSystem.freeBytes(this.#directory) / 2 / SECTOR_BYTES);
    } catch (error) {
      // A file system that does not say how full it is will say so when it is full.
      if (errnoOf(error) === '') throw error;
      return Number.POSITIVE_INFINITY;
    }
  }

  begin(segmentNumber: number): SectorMemory {
    invariant(this.#openNumber === NONE, 'one segment is open at a time');
    this.#openNumber = segmentNumber;
    this.#writtenSlots = 0;
    return this.#openMemory;
  }

  seal(usedSlots: number): void {
    this.write(usedSlots);
    const number = this.#openNumber;
    const file = this.#openFile;
    invariant(file !== NONE, 'a segment with used slots has a file');
    this.#openNumber = NONE;
    this.#openFile = NONE;
    this.#keep(number, file);
  }

  /**
   * Writes what is new in the open segment.
   *
   * @param usedSlots slots taken so far
   * @throws PlaneError NoSpace, StoreFailed: it is all kept in memory
   */
  write(usedSlots: number): void {
    const slotCount = usedSlots - this.#writtenSlots;
    if (this.#openNumber === NONE || slotCount === 0) return;
    invariant(slotCount > 0, 'slots of the open segment only get more');
    if (this.#openFile === NONE) {
      const path = segmentPath(this.#directory, this.#openNumber);
      this.#openFile = this.#fileSystem.open(path, 'create');
      this.#hasNewNames = true;
    }
    this.#dirty.add(this.#openNumber);
    const at = this.#writtenSlots * SECTOR_BYTES;
    const lengthBytes = slotCount * SECTOR_BYTES;
    const { bytes } = this.#openMemory.region;
    this.#fileSystem.pwrite(this.#openFile, bytes, at, lengthBytes, at);
    this.#writtenSlots = usedSlots;
  }

  /** Forces all segments written to stable storage. @throws PlaneError StoreFailed */
  sync(): void {
    for (const number of this.#dirty) {
      const file = number === this.#openNumber ? this.#openFile : this.#files.get(number);
      invariant(file !== undefined && file !== NONE, 'a dirty segment file is open');
      this.#fileSystem.fdatasync(file);
    }
    this.#dirty.clear();
    if (!this.#hasNewNames) return;
    this.#fileSystem.fsyncDirectory(join(this.#directory, SEGMENTS_DIRECTORY));
    this.#hasNewNames = false;
  }

  load(segmentNumber: number, slot: number, slotCount: number): number {
    invariant(slotCount <= RUN_SECTORS_MAX, 'a run fits the bounce memory');
    if (segmentNumber === this.#openNumber) {
      this.loadedMemory = this.#openMemory;
      this.loadedOffset = slot * SECTOR_BYTES;
      return slotCount;
    }
    this.loadedMemory = this.#bounce;
    this.loadedOffset = 0;
    return this.#read(segmentNumber, slot, slotCount, this.#bounce, 0);
  }

  copySlot(
    segmentNumber: number,
    slot: number,
    target: SectorMemory,
    targetOffset: number,
  ): boolean {
    invariant(segmentNumber !== this.#openNumber, 'slots are moved out of sealed segments');
    try {
      return this.#read(segmentNumber, slot, 1, target, targetOffset) === 1;
    } catch (error) {
      if (error instanceof PlaneError) return false;
      throw error;
    }
  }

  /** @throws PlaneError NoSpace, StoreFailed: it is still there */
  remove(segmentNumber: number): void {
    invariant(segmentNumber !== this.#openNumber, 'the open segment is not removed');
    this.#fileSystem.unlink(segmentPath(this.#directory, segmentNumber));
    this.#closeFile(segmentNumber);
    this.#dirty.delete(segmentNumber);
  }

  close(): void {
    for (const number of [...this.#files.keys()]) this.#closeFile(number);
    if (this.#openFile !== NONE) this.#fileSystem.close(this.#openFile);
    this.#openFile = NONE;
    this.#openNumber = NONE;
    this.#openMemory.release();
    this.#bounce.release();
  }

  /** @returns slots read; fewer than asked for where the file ends or there is none */
  #read(
    segmentNumber: number,
    slot: number,
    slotCount: number,
    target: SectorMemory,
    targetOffset: number,
  ): number {
    try {
      const file = this.#open(segmentNumber);
      const lengthBytes = slotCount * SECTOR_BYTES;
      const position = slot * SECTOR_BYTES;
      const { bytes } = target.region;
      const got = this.#fileSystem.pread(file, bytes, targetOffset, lengthBytes, position);
      return Math.floor(got / SECTOR_BYTES);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 0;
      if (errnoOf(error) === '') throw error;
      const what = `segment ${segmentNumber}, slots ${slot} to ${slot + slotCount - 1}`;
      throw new PlaneError('ReadFailed', `${what}: ${errnoOf(error)}`, { cause: error });
    }
  }

  #open(number: number): number {
    const file = this.#files.get(number);
    if (file === undefined) {
      const opened = this.#fileSystem.open(segmentPath(this.#directory, number), 'read');
      this.#keep(number, opened);
      return opened;
    }
    this.#files.delete(number);
    this.#files.set(number, file);
    return file;
  }

  #keep(number: number, file: number): void {
    this.#files.set(number, file);
    if (this.#files.size <= SEGMENT_FILES_OPEN_MAX) return;
    for (const oldest of this.#files.keys()) {
      if (oldest === number || this.#dirty.has(oldest)) continue;
      this.#closeFile(oldest);
      return;
    }
  }

  #closeFile(number: number): void {
    const file = this.#files.get(number);
    if (file === undefined) return;
    this.#files.delete(number);
    this.#fileSystem.close(file);
  }
}
