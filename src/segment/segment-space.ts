/**
 * The one open segment, and the contract of what holds segments: memory or files.
 *
 * 1. Slots are taken from the open segment in order, filled before they are taken.
 * 2. A full segment is sealed before the next is begun. If either fails, nothing has changed and it
 *    is tried again by the next caller. Without space one that is mostly garbage is sealed early:
 *    the open segment can be neither emptied by reclaim nor removed.
 * 3. The last `reclaimSegments` of a backend are taken by reclaim only: without them a full store
 *    could never be compacted.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import type { SectorMemory } from '../base/sector-memory.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import type { Segment, SlotTable } from './slot-table.ts';

/** Where slots are kept. Implemented by MemorySegments and SegmentFiles. */
export interface SegmentBackend {
  /** Segments it can hold at once. */
  readonly segmentsMax: number;
  /** How many of them are kept back for reclaim. */
  readonly reclaimSegments: number;
  /** The bytes load() has found, until the next call of any method. Borrowed. */
  readonly loadedMemory: SectorMemory;
  readonly loadedOffset: number;
  /**
   * Slots whose moving cannot fail for want of space. Asked once before each pass of reclaim.
   */
  movableSlots(): number;
  /**
   * Begins a segment and makes it the open one. Nothing is written yet.
   *
   * @returns its slots, to be filled; owned by the backend until the segment is removed
   * @throws PlaneError NoSpace: the process gets no more memory; no segment is begun
   */
  begin(segmentNumber: number): SectorMemory;
  /**
   * The open segment takes no more slots.
   *
   * @throws PlaneError NoSpace, StoreFailed: it is still the open one
   */
  seal(usedSlots: number): void;
  /**
   * Finds the bytes of consecutive slots of one segment, at most RUN_SECTORS_MAX.
   *
   * @returns how many of them there are; fewer than asked for if the segment is damaged
   * @throws PlaneError ReadFailed
   */
  load(segmentNumber: number, slot: number, slotCount: number): number;
  /**
   * Copies one slot, unverified.
   *
   * @param target borrowed for the call; written at targetOffset
   * @returns false if it cannot be read
   */
  copySlot(
    segmentNumber: number,
    slot: number,
    target: SectorMemory,
    targetOffset: number,
  ): boolean;
  /** Gives the space of a segment back. */
  remove(segmentNumber: number): void;
  close(): void;
}

export class SegmentSpace {
  readonly backend: SegmentBackend;
  readonly #table: SlotTable;
  #segment: Segment | null = null;
  #memory: SectorMemory | null = null;

  constructor(table: SlotTable, backend: SegmentBackend) {
    this.#table = table;
    this.backend = backend;
  }

  /** The open segment, if one was begun. */
  get segment(): Segment | null {
    return this.#segment;
  }

  /** The open segment's memory; valid while openSlots() was above 0. */
  get memory(): SectorMemory {
    invariant(this.#memory !== null, 'a segment is open');
    return this.#memory;
  }

  /** Where in the memory the next slot begins. */
  get offsetBytes(): number {
    invariant(this.#segment !== null, 'a segment is open');
    return this.#segment.usedSlots * SECTOR_BYTES;
  }

  /** Slots that can be taken before anything has to be reclaimed. */
  freeSlots(isReclaim: boolean): number {
    const kept = isReclaim ? 0 : this.backend.reclaimSegments;
    const segments = this.backend.segmentsMax - kept - this.#table.segmentCount;
    const room = this.#segment === null ? 0 : this.#table.segmentSlots - this.#segment.usedSlots;
    return room + Math.max(0, segments) * this.#table.segmentSlots;
  }

  /**
   * Free slots of the open segment, at least one: begins the next segment if it is full.
   *
   * @throws PlaneError NoSpace, StoreFailed: nothing has changed
   */
  openSlots(): number {
    const { segmentSlots } = this.#table;
    if (this.#segment !== null) {
      const room = segmentSlots - this.#segment.usedSlots;
      if (room > 0) return room;
      this.#seal(this.#segment);
    }
    invariant(this.#table.segmentCount < this.backend.segmentsMax, 'room was made before');
    const segment = this.#table.open();
    try {
      this.#memory = this.backend.begin(segment.number);
    } catch (error) {
      this.#table.withdraw(segment);
      throw error;
    }
    this.#segment = segment;
    return segmentSlots;
  }

  /**
   * Seals the open segment if half of it or more is garbage.
   *
   * @throws PlaneError NoSpace, StoreFailed: nothing has changed
   */
  sealGarbage(): void {
    const segment = this.#segment;
    if (segment === null || segment.usedSlots === 0) return;
    if (segment.liveSlots <= segment.usedSlots / 2) this.#seal(segment);
  }

  #seal(segment: Segment): void {
    this.backend.seal(segment.usedSlots);
    this.#segment = null;
    this.#table.seal(segment);
  }

  /** Takes the next slots, which the caller has filled. @returns the location of the first */
  take(slotCount: number): number {
    invariant(this.#segment !== null, 'slots are taken from an open segment');
    const location = this.#table.locationOf(this.#segment, this.#segment.usedSlots);
    this.#table.use(this.#segment, slotCount);
    return location;
  }
}
