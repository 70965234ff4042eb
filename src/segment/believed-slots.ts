/**
 * Slots recovery believes because they hold what the log says, though no flush has covered them.
 *
 * They may be in the system's cache alone. To force their file is not enough: a system that could
 * not write a page once, and said so to the process before this one, may count it as clean and
 * write nothing (Rebello et al., USENIX ATC 2020, "Can applications recover from fsync failures?").
 * So force() reads them, writes the same bytes to the same place, which makes their pages dirty,
 * and forces the file then.
 *
 * 1. Only slots behind the last flush-mark are written: nothing that was ever acknowledged as being
 *    on stable storage is in them, whatever a crash in the middle of a write does to them. Slots
 *    are pages, and no other slot is in theirs.
 * 2. A crash in between leaves of each 512 bytes the old or the same: a slot that is as it was
 *    written, which is believed again, or one that is not, which is not, as before.
 * 3. What is read to be written is verified again: the cache may have let go of the page meanwhile,
 *    and what comes from the disk then is what was there before. The maps believe it already: it is
 *    an error, and whoever opens the store next does not believe it.
 * 4. Slots that nothing refers to any more are left alone.
 *
 * **Thread:** shard.
 */
import { join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { SectorMemory } from '../base/sector-memory.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { errnoOf, type FileSystem } from './file-system.ts';
import { RUN_SECTORS_MAX } from './geometry.ts';
import type { Segment, SlotTable } from './slot-table.ts';
import { SEGMENTS_DIRECTORY, segmentPath } from './store-file.ts';

interface BelievedSegment {
  readonly isBelieved: Uint8Array;
  readonly checksums: Uint32Array;
}

export interface ForceParts {
  /** Errors of its writing calls are PlaneErrors (GuardedFileSystem). */
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly table: SlotTable;
}

export class BelievedSlots {
  readonly #segmentSlots: number;
  readonly #segments = new Map<number, BelievedSegment>();

  constructor(segmentSlots: number) {
    this.#segmentSlots = segmentSlots;
  }

  /** Segments with such slots. */
  get segmentCount(): number {
    return this.#segments.size;
  }

  add(segmentNumber: number, slot: number, checksum: number): void {
    let segment = this.#segments.get(segmentNumber);
    if (segment === undefined) {
      const count = this.#segmentSlots;
      segment = { isBelieved: new Uint8Array(count), checksums: new Uint32Array(count) };
      this.#segments.set(segmentNumber, segment);
    }
    segment.isBelieved[slot] = 1;
    segment.checksums[slot] = checksum;
  }

  /**
   * Brings them to stable storage, once.
   *
   * @throws PlaneError NoSpace: to be done again; StoreFailed; ReadFailed: they cannot be believed
   */
  force(parts: ForceParts): void {
    if (this.#segments.size === 0) return;
    const memory = new SectorMemory(RUN_SECTORS_MAX * SECTOR_BYTES);
    try {
      for (const [number, believed] of this.#segments) {
        const segment = parts.table.find(number);
        if (segment !== undefined) forceSegment(parts, segment, believed, memory);
      }
    } finally {
      memory.release();
    }
    parts.fileSystem.fsyncDirectory(join(parts.directory, SEGMENTS_DIRECTORY));
    this.#segments.clear();
  }
}

function forceSegment(
  parts: ForceParts,
  segment: Segment,
  believed: BelievedSegment,
  memory: SectorMemory,
): void {
  const { fileSystem, directory } = parts;
  const { length } = believed.isBelieved;
  const isWanted = (slot: number): boolean =>
    believed.isBelieved[slot] === 1 && segment.references[slot]! > 0;
  const file = fileSystem.open(segmentPath(directory, segment.number), 'update');
  try {
    for (let slot = 0; slot < length; ) {
      let count = 0;
      while (count < RUN_SECTORS_MAX && slot + count < length && isWanted(slot + count)) count++;
      if (count > 0) {
        readAgain(parts, file, segment.number, slot, count, believed.checksums, memory);
        const { bytes } = memory.region;
        fileSystem.pwrite(file, bytes, 0, count * SECTOR_BYTES, slot * SECTOR_BYTES);
      }
      slot += Math.max(1, count);
    }
    fileSystem.fdatasync(file);
  } finally {
    fileSystem.close(file);
  }
}

/** Rule 3. */
function readAgain(
  parts: ForceParts,
  file: number,
  segmentNumber: number,
  slot: number,
  slotCount: number,
  checksums: Uint32Array,
  memory: SectorMemory,
): void {
  const lengthBytes = slotCount * SECTOR_BYTES;
  const what = `reading segment ${segmentNumber}, slots ${slot} to ${slot + slotCount - 1}, again`;
  let got: number;
  try {
    got = parts.fileSystem.pread(file, memory.region.bytes, 0, lengthBytes, slot * SECTOR_BYTES);
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    throw new PlaneError('ReadFailed', `${what}: ${errnoOf(error)}`, { cause: error });
  }
  if (got === lengthBytes && memory.findMismatch(0, slotCount, checksums, slot) < 0) return;
  throw new PlaneError('ReadFailed', `${what}: they are not what they were a moment ago`);
}
