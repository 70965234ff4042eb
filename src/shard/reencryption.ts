/**
 * Re-encryption: what lower layers hold is moved to the top one, a step at a time, beside I/O.
 *
 *          0 ...... discardedEnd ...... flushedEnd ...... movedEnd ...... end of the tree
 *   lower    empty               hidden            hidden           as it was
 *   top      all there is        all there is      all there is     what was written
 *            on stable storage   on stable storage
 *
 *   move: read what is visible of the next sectors below (old key), append it on top (new key)
 *   flush: once for many sectors moved
 *   discard: of [discardedEnd, flushedEnd) below, lowest layer first, before any more is moved
 *
 * 1. A sector of a lower layer is discarded only after the sector on top that hides it is on stable
 *    storage. A power cut may take an append and leave a later discard (map-log.ts, "Which batches
 *    count"), and the sector would be lost. So discards wait for a flush, one for many sectors.
 * 2. Lower layers gain no sectors, so what was passed stays passed. Both ends are in memory only:
 *    whoever begins again finds below movedEnd nothing to move, or what is hidden, and discards it.
 * 3. Callers write on top and discard everywhere between steps. A step is one call of one thread,
 *    so it reads and appends a sector without anything in between.
 * 4. Plaintext is in `scratch` during a step, and overwritten before it ends.
 *
 * **Thread:** shard.
 */
import { allocateRegion, type MemoryRegion } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import {
  REENCRYPT_COUNT_SECTORS,
  REENCRYPT_DISCARDS_PER_MOVE,
  REENCRYPT_FLUSH_SECTORS,
  REENCRYPT_RANGES_MAX,
  REENCRYPT_SECTORS_MAX,
  TREE_SECTORS_MAX,
} from '../limits.ts';
import type { ReencryptProgress } from '../record/shard-message.ts';
import type { Extent, ShardStore } from '../segment/shard-store.ts';
import type { Layer } from './layer.ts';
import { readLayers } from './layers.ts';

/** Plaintext of a step. Of the thread, made when first used: most threads never re-encrypt. */
let scratch: MemoryRegion | null = null;
const extent: Extent = { isHole: true, sectorCount: 0 };

export class Reencryption {
  private readonly store: ShardStore;
  private readonly top: Layer;
  private readonly lower: readonly Layer[];
  private discardedEnd = 0;
  private flushedEnd = 0;
  private movedEnd = 0;
  /** Mapped sectors of lower layers passed since the last flush. */
  private unflushedSectors = 0;
  /** Mapped sectors of lower layers in [movedEnd, countedEnd), those discarded since included. */
  private aheadSectors = 0;
  private countedEnd = 0;

  private readonly flushSectors: number;

  /**
   * @param lower top first, at least one
   * @param flushSectors smaller in tests only
   */
  constructor(
    store: ShardStore,
    top: Layer,
    lower: readonly Layer[],
    flushSectors: number = REENCRYPT_FLUSH_SECTORS,
  ) {
    invariant(lower.length > 0, 'there is something to move from');
    this.store = store;
    this.top = top;
    this.lower = lower;
    this.flushSectors = flushSectors;
  }

  /**
   * Moves so many sectors, or discards some more of those that were moved.
   *
   * @throws PlaneError NoSpace, StoreFailed, ChecksumMismatch, ...: the step may be repeated
   */
  step(sectorsMax: number): ReencryptProgress {
    invariant(sectorsMax > 0 && sectorsMax <= REENCRYPT_SECTORS_MAX, 'a step is bounded');
    this.requireNotFailed();
    this.countAhead();
    let movedSectors = 0;
    if (this.discardedEnd < this.flushedEnd) {
      this.discard(sectorsMax * REENCRYPT_DISCARDS_PER_MOVE);
    } else {
      movedSectors = this.move(sectorsMax);
      const isEnd = this.movedEnd === TREE_SECTORS_MAX;
      if (isEnd || this.unflushedSectors >= this.flushSectors) this.flush();
    }
    this.store.commit();
    return {
      movedSectors,
      remainingSectors: this.aheadSectors,
      isDone: this.discardedEnd === TREE_SECTORS_MAX,
    };
  }

  /**
   * A store that has failed may misread what the next opening finds whole: nothing is read then.
   *
   * @throws PlaneError StoreFailed
   */
  private requireNotFailed(): void {
    try {
      this.store.commit();
    } catch (error) {
      // One that is full still takes discards, which make space.
      if (!(error instanceof PlaneError && error.code === 'NoSpace')) throw error;
    }
  }

  /** @returns sectors moved */
  private move(sectorsMax: number): number {
    let movedSectors = 0;
    for (let ranges = 0; ranges < REENCRYPT_RANGES_MAX && movedSectors < sectorsMax; ranges++) {
      const first = this.nextLower(this.movedEnd);
      if (first === TREE_SECTORS_MAX) {
        this.movedEnd = first;
        this.aheadSectors = 0;
        break;
      }
      const count = Math.min(sectorsMax - movedSectors, TREE_SECTORS_MAX - first);
      movedSectors += this.moveRange(first, count);
      const passed = this.countLower(first, count);
      this.movedEnd = first + count;
      this.countedEnd = Math.max(this.countedEnd, this.movedEnd);
      const isAllPassed = this.countedEnd === this.movedEnd;
      this.aheadSectors = isAllPassed ? 0 : Math.max(0, this.aheadSectors - passed);
      this.unflushedSectors += passed;
      if (this.unflushedSectors >= this.flushSectors) break;
    }
    return movedSectors;
  }

  /** Moves what is visible of lower layers in a range. @returns sectors moved */
  private moveRange(first: number, count: number): number {
    let moved = 0;
    for (let at = first; at < first + count; ) {
      this.top.extentAt(at, first + count - at, extent);
      const { isHole, sectorCount } = extent;
      if (isHole) moved += this.moveHole(at, sectorCount);
      at += sectorCount;
    }
    return moved;
  }

  /** Fills a hole of the top layer with what is below it. @returns sectors moved */
  private moveHole(first: number, count: number): number {
    scratch ??= allocateRegion(REENCRYPT_SECTORS_MAX * SECTOR_BYTES);
    let moved = 0;
    try {
      const holes = readLayers(this.lower, first, count, scratch, 0);
      let at = first;
      for (let index = 0; index <= holes.length; index++) {
        const end = index < holes.length ? holes.firstOf(index) : first + count;
        if (end > at) this.top.write(at, end - at, scratch, (at - first) * SECTOR_BYTES);
        moved += end - at;
        if (index < holes.length) at = end + holes.countOf(index);
      }
    } finally {
      scratch.bytes.fill(0, 0, count * SECTOR_BYTES);
    }
    return moved;
  }

  /** Counts some more: the whole of a large disk would hold up the thread. */
  private countAhead(): void {
    if (this.countedEnd === TREE_SECTORS_MAX) return;
    const first = this.nextLower(this.countedEnd);
    const count = Math.min(REENCRYPT_COUNT_SECTORS, TREE_SECTORS_MAX - first);
    if (count > 0) this.aheadSectors += this.countLower(first, count);
    this.countedEnd = first + count;
  }

  private flush(): void {
    if (this.unflushedSectors > 0) this.store.flush();
    this.flushedEnd = this.movedEnd;
    this.unflushedSectors = 0;
    this.discardFrom();
  }

  /** Discards up to so many of the sectors below that were moved. */
  private discard(sectorsMax: number): void {
    let first = this.discardFrom();
    for (let ranges = 0, left = sectorsMax; ranges < REENCRYPT_RANGES_MAX && left > 0; ranges++) {
      if (first === this.flushedEnd) return;
      const count = Math.min(left, this.flushedEnd - first);
      for (let index = this.lower.length - 1; index >= 0; index--) {
        this.lower[index]!.discard(first, count);
      }
      this.discardedEnd = first + count;
      left -= count;
      first = this.discardFrom();
    }
  }

  /** The first sector there is to discard; flushedEnd if there is none. */
  private discardFrom(): number {
    const first = Math.min(this.nextLower(this.discardedEnd), this.flushedEnd);
    this.discardedEnd = first;
    return first;
  }

  /** The first sector from `from` on that a lower layer has; TREE_SECTORS_MAX if there is none. */
  private nextLower(from: number): number {
    let next = TREE_SECTORS_MAX;
    for (const layer of this.lower) {
      for (let at = from; at < next; at += extent.sectorCount) {
        layer.extentAt(at, next - at, extent);
        if (!extent.isHole) next = at;
      }
    }
    return next;
  }

  private countLower(first: number, count: number): number {
    let mapped = 0;
    for (const layer of this.lower) mapped += layer.countMapped(first, count);
    return mapped;
  }
}
