/**
 * Reclaim: moves what is live out of segments that are mostly garbage, so that they can go.
 *
 *   begin() chooses victims ─▶ step() walks all leaves of all maps, a few at a time; what lies in a
 *   victim is copied to the open segment, as it is, and the leaf refers to the copy ─▶ the victims
 *   have no live slot left and are retired
 *
 * 1. Ciphertext is moved as it is: the tweak is the sector's index in its disk, not its place.
 * 2. The checksum of a sector is verified before the copy is referred to. A damaged sector stays
 *    where it is, and its segment ceases to be a victim for as long as the store is open.
 * 3. A slot that several leaves refer to is copied once. What a pass has copied to stays until the
 *    pass ends, even if nothing refers to it any more: another leaf may be about to.
 * 4. A pass begins only with victims there is room to move: one that ended half-way would have used
 *    up space and given none back.
 * 5. Victims are those with the fewest live slots: the most space for the fewest copies.
 * 6. Without space for appends a pass moves no more than what the reserve has left for it
 *    (Persistence.spareSlots), and is run at once: nothing else takes that up meanwhile.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { RECLAIM_VICTIMS_MAX } from '../limits.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { Persistence } from './persistence.ts';
import type { SegmentSpace } from './segment-space.ts';
import type { Segment, SlotTable } from './slot-table.ts';

/** Units of work (about a microsecond) of looking through one leaf, and of copying one sector. */
const UNITS_PER_LEAF = 1;
const UNITS_PER_MOVE = 6;
const LEAVES_PER_STEP = 2;
/** A victim must be garbage at least to this part: moving gains little otherwise. */
const GARBAGE_PART_MIN = 1 / 16;
/** Marks a slot not copied yet. No location: no backend has a segment of the last number. */
const NOT_MOVED = 0xffffffff;

export interface ReclaimParts {
  readonly map: ChunkMap;
  readonly table: SlotTable;
  readonly space: SegmentSpace;
  readonly persistence: Persistence;
}

export class Reclaimer {
  /** Sectors copied since the store was opened. */
  movedSectors = 0;
  readonly #parts: ReclaimParts;
  readonly #table: SlotTable;
  readonly #space: SegmentSpace;
  /** Where slots of a victim were copied to, for victims with slots that have several owners. */
  readonly #copies = new Map<number, Uint32Array>();
  readonly #destinations = new Set<Segment>();
  #victims: Segment[] = [];
  #isActive = false;
  #hasRoom = true;
  /** Rule 6. */
  #isSparing = false;

  constructor(parts: ReclaimParts) {
    this.#parts = parts;
    this.#table = parts.table;
    this.#space = parts.space;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /**
   * Begins a pass that brings stored sectors down to a target, as far as victims and room allow.
   *
   * @returns false if there is nothing worth moving
   */
  begin(storedTarget: number): boolean {
    invariant(!this.#isActive, 'one pass at a time');
    this.#isSparing = !this.#parts.persistence.isReady;
    this.#victims = this.#choose(storedTarget);
    if (this.#victims.length === 0) return false;
    for (const victim of this.#victims) victim.isVictim = true;
    this.#isActive = true;
    this.#hasRoom = true;
    this.#parts.map.beginRelocation();
    return true;
  }

  /**
   * Goes on with the pass.
   *
   * @param units of work to do now, about a microsecond each
   * @returns false if the pass is over
   */
  step(units: number): boolean {
    invariant(this.#isActive, 'a pass has begun');
    for (let done = 0; done < units; ) {
      const movedBefore = this.movedSectors;
      const isOver = this.#parts.map.relocateStep(LEAVES_PER_STEP, this);
      if (isOver || !this.#hasRoom) {
        this.end();
        return false;
      }
      done += LEAVES_PER_STEP * UNITS_PER_LEAF;
      done += (this.movedSectors - movedBefore) * UNITS_PER_MOVE;
    }
    return true;
  }

  /** Ends the pass where it is. Whatever was moved has been moved. */
  end(): void {
    if (!this.#isActive) return;
    this.#parts.map.endRelocation();
    this.#isActive = false;
    for (const victim of this.#victims) victim.isVictim = false;
    this.#victims = [];
    this.#copies.clear();
    for (const segment of this.#destinations) {
      segment.isDestination = false;
      const isEmpty = segment.state === 'sealed' && segment.liveSlots === 0;
      if (isEmpty) this.#table.emptied.push(segment);
    }
    this.#destinations.clear();
  }

  /** Called by the map for every leaf entry. @returns where the sector is from now on */
  move(location: number, checksum: number): number {
    const victim = this.#table.segmentAt(location);
    if (!victim.isVictim || !this.#hasRoom) return location;
    const slot = this.#table.slotOf(location);
    const copies = this.#copies.get(victim.number);
    const copied = copies?.[slot] ?? NOT_MOVED;
    if (copied !== NOT_MOVED) return copied;
    if (!this.#makeRoom()) return location;
    const { memory, offsetBytes, backend } = this.#space;
    const isRead = backend.copySlot(victim.number, slot, memory, offsetBytes);
    if (!isRead || memory.checksum(offsetBytes) !== checksum) {
      victim.isVictim = false;
      victim.isDamaged = true;
      return location;
    }
    const target = this.#space.take(1);
    this.#noteCopy(victim, slot, target);
    return target;
  }

  #noteCopy(victim: Segment, slot: number, target: number): void {
    this.movedSectors++;
    this.#parts.persistence.noteMove(victim);
    const destination = this.#table.segmentAt(target);
    if (!destination.isDestination) {
      destination.isDestination = true;
      this.#destinations.add(destination);
    }
    if (victim.references[slot] === 1) return;
    let copies = this.#copies.get(victim.number);
    if (copies === undefined) {
      copies = new Uint32Array(this.#table.segmentSlots).fill(NOT_MOVED);
      this.#copies.set(victim.number, copies);
    }
    copies[slot] = target;
  }

  /** Sees to a free slot. Without one the pass ends early: what is not moved stays. */
  #makeRoom(): boolean {
    if (this.#space.freeSlots(true) === 0) this.#hasRoom = false;
    try {
      if (!this.#isSparing) this.#parts.persistence.requireAppendable();
      if (this.#hasRoom) this.#space.openSlots();
    } catch (error) {
      // Something could not be written; the next caller who writes is told.
      if (!(error instanceof PlaneError)) throw error;
      this.#hasRoom = false;
    }
    return this.#hasRoom;
  }

  #choose(storedTarget: number): Segment[] {
    const candidates: Segment[] = [];
    for (const segment of this.#table.all()) {
      if (segment.state !== 'sealed' || segment.isDamaged || segment.liveSlots === 0) continue;
      const garbage = segment.usedSlots - segment.liveSlots;
      if (garbage > 0 && garbage >= segment.usedSlots * GARBAGE_PART_MIN) candidates.push(segment);
    }
    candidates.sort((a, b) => a.liveSlots - b.liveSlots || a.number - b.number);
    const victims: Segment[] = [];
    let stored = this.#table.storedSectors;
    const { backend } = this.#space;
    const movable = this.#isSparing ? this.#parts.persistence.spareSlots() : backend.movableSlots();
    let room = Math.min(this.#space.freeSlots(true), movable);
    for (const segment of candidates) {
      if (stored <= storedTarget || victims.length === RECLAIM_VICTIMS_MAX) break;
      if (segment.liveSlots > room) break;
      room -= segment.liveSlots;
      stored -= segment.usedSlots - segment.liveSlots;
      victims.push(segment);
    }
    return victims;
  }
}
