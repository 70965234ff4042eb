/**
 * Segments in memory: one SectorMemory each, used again before another is taken.
 *
 * Memory is taken from the system when it is first touched, so a segment that is only begun costs
 * address space. A segment's memory is kept for the next one until close(): first touch costs more
 * than encryption, and the limit bounds what is kept.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SectorMemory } from '../base/sector-memory.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import type { SegmentBackend } from './segment-space.ts';

/** One segment of this many is kept for reclaim, at least one. */
const SEGMENTS_PER_RECLAIM_SEGMENT = 32;

export class MemorySegments implements SegmentBackend {
  readonly segmentsMax: number;
  readonly reclaimSegments: number;
  loadedOffset = 0;
  readonly #segmentBytes: number;
  readonly #memories: (SectorMemory | undefined)[] = [];
  readonly #freeMemories: SectorMemory[] = [];
  #loaded: SectorMemory | null = null;

  /**
   * @param limitBytes for all regions together; at least two segments
   * @throws PlaneError InvalidArgument
   */
  constructor(limitBytes: number, segmentSectors: number) {
    this.#segmentBytes = segmentSectors * SECTOR_BYTES;
    this.segmentsMax = Math.floor(limitBytes / this.#segmentBytes);
    if (!(this.segmentsMax >= 2)) {
      const least = 2 * this.#segmentBytes;
      const what = `expected memoryLimitBytes of at least ${least} a shard, got ${limitBytes}`;
      throw new PlaneError('InvalidArgument', what);
    }
    const kept = Math.floor(this.segmentsMax / SEGMENTS_PER_RECLAIM_SEGMENT);
    this.reclaimSegments = Math.max(1, kept);
  }

  movableSlots(): number {
    return Number.POSITIVE_INFINITY;
  }

  get loadedMemory(): SectorMemory {
    invariant(this.#loaded !== null, 'something was loaded');
    return this.#loaded;
  }

  begin(segmentNumber: number): SectorMemory {
    invariant(this.#memories[segmentNumber] === undefined, 'a new segment has no memory');
    invariant(segmentNumber <= this.#memories.length, 'segments are numbered one after another');
    const memory = this.#freeMemories.pop() ?? new SectorMemory(this.#segmentBytes);
    this.#memories[segmentNumber] = memory;
    return memory;
  }

  seal(): void {
    // A sealed segment is read where it was filled.
  }

  load(segmentNumber: number, slot: number, slotCount: number): number {
    this.#loaded = this.#memory(segmentNumber);
    this.loadedOffset = slot * SECTOR_BYTES;
    return slotCount;
  }

  copySlot(
    segmentNumber: number,
    slot: number,
    target: SectorMemory,
    targetOffset: number,
  ): boolean {
    const at = slot * SECTOR_BYTES;
    const { bytes } = this.#memory(segmentNumber).region;
    target.region.bytes.set(bytes.subarray(at, at + SECTOR_BYTES), targetOffset);
    return true;
  }

  remove(segmentNumber: number): void {
    this.#freeMemories.push(this.#memory(segmentNumber));
    this.#memories[segmentNumber] = undefined;
  }

  close(): void {
    for (const memory of this.#memories) memory?.release();
    for (const memory of this.#freeMemories) memory.release();
    this.#memories.length = 0;
    this.#freeMemories.length = 0;
    this.#loaded = null;
  }

  #memory(segmentNumber: number): SectorMemory {
    const memory = this.#memories[segmentNumber];
    invariant(memory !== undefined, 'a segment referred to has memory');
    return memory;
  }
}
