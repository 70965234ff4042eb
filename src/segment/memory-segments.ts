/**
 * Segments in memory: one region each, used again before another is allocated.
 *
 * Memory of a region is taken from the system when it is first touched, so a segment that is only
 * begun costs address space. Regions are never given back before close(): the limit bounds them.
 *
 * **Thread:** shard.
 */
import { allocateRegion, type MemoryRegion } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import type { SegmentBackend } from './segment-space.ts';

/** One segment of this many is kept for reclaim, at least one. */
const SEGMENTS_PER_RECLAIM_SEGMENT = 32;
const NO_REGION: MemoryRegion = { bytes: new Uint8Array(0), address: 0 };

export class MemorySegments implements SegmentBackend {
  readonly segmentsMax: number;
  readonly reclaimSegments: number;
  loadedRegion: MemoryRegion = NO_REGION;
  loadedOffset = 0;
  readonly #segmentBytes: number;
  readonly #regions: (MemoryRegion | undefined)[] = [];
  readonly #freeRegions: MemoryRegion[] = [];

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

  begin(segmentNumber: number): MemoryRegion {
    invariant(this.#regions[segmentNumber] === undefined, 'a new segment has no region');
    const region = this.#freeRegions.pop() ?? allocateRegion(this.#segmentBytes);
    while (this.#regions.length < segmentNumber) this.#regions.push(undefined);
    this.#regions[segmentNumber] = region;
    return region;
  }

  seal(): void {
    // A sealed segment is read where it was filled.
  }

  load(segmentNumber: number, slot: number, slotCount: number): number {
    this.loadedRegion = this.#region(segmentNumber);
    this.loadedOffset = slot * SECTOR_BYTES;
    return slotCount;
  }

  copySlot(
    segmentNumber: number,
    slot: number,
    target: MemoryRegion,
    targetOffset: number,
  ): boolean {
    const at = slot * SECTOR_BYTES;
    const { bytes } = this.#region(segmentNumber);
    target.bytes.set(bytes.subarray(at, at + SECTOR_BYTES), targetOffset);
    return true;
  }

  remove(segmentNumber: number): void {
    this.#freeRegions.push(this.#region(segmentNumber));
    this.#regions[segmentNumber] = undefined;
  }

  close(): void {
    this.#regions.length = 0;
    this.#freeRegions.length = 0;
    this.loadedRegion = NO_REGION;
  }

  #region(segmentNumber: number): MemoryRegion {
    const region = this.#regions[segmentNumber];
    invariant(region !== undefined, 'a segment referred to has a region');
    return region;
  }
}
