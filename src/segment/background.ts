/**
 * When to reclaim and when to write a checkpoint: in idle time, and beside appends if need be.
 *
 *                 space over the bound, victims found            pass over
 *   ┌──────┐ ─────────────────────────────────▶ ┌────────────┐ ─────────▶ ┌───────────────┐
 *   │ rest │                                    │ relocating │            │ checkpointing │
 *   └──────┘ ◀──────────────────────────────────└────────────┘            └───────────────┘
 *      │ ▲         nothing was moved, or memory                              ▲     │
 *      └─┼───── log long enough, or retired segments wait for a checkpoint ──┘     │
 *        └──────────────────────────────── durable ────────────────────────────────┘
 *
 * Without space for appends none of this goes on but what can end that: a pass and its checkpoint
 * are run at once, within what the reserve has left, until S <= SPACE_AMPLIFICATION_GOAL L.
 *
 * With S stored slots, L live slots and segments of G slots:
 * 1. Once step() has returned false, S <= SPACE_AMPLIFICATION_MAX L + SPACE_SLACK_SEGMENTS G,
 *    unless damage or a full disk keeps segments from being emptied.
 * 2. Whatever the load, when an append returns,
 *    S <= SPACE_AMPLIFICATION_HARD_MAX L + SPACE_SLACK_HARD_SEGMENTS G, with the same exceptions:
 *    an append that would pass it first reclaims as much as it takes.
 * 3. Long before that, appends that find no idle time do UNITS_PER_SECTOR of work for each of their
 *    sectors. A pass that starts at 1.5 L has about 0.5 L to move at 6 units each and its leaves to
 *    look through, so it ends within some 0.3 L appended sectors, with S below 1.5 + 0.5 + 0.3 L.
 * During a checkpoint the frozen maps count as a tree: what only they refer to is live.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import {
  SPACE_AMPLIFICATION_GOAL,
  SPACE_AMPLIFICATION_HARD_MAX,
  SPACE_AMPLIFICATION_MAX,
  SPACE_SLACK_HARD_SEGMENTS,
  SPACE_SLACK_SEGMENTS,
} from '../limits.ts';
import type { Persistence } from './persistence.ts';
import type { Reclaimer } from './reclaim.ts';
import type { SegmentSpace } from './segment-space.ts';
import type { SlotTable } from './slot-table.ts';

/** Units of work (about a microsecond) an append does for each of its sectors if it must. */
const UNITS_PER_SECTOR = 12;
/** Urgency from which a checkpoint does not wait for idle time any more. */
const URGENCY_MAX = 2;
/** Passes, flushes and checkpoints one append waits for before it gives up. */
const ROUNDS_MAX = 16;

export class Background {
  readonly #table: SlotTable;
  readonly #space: SegmentSpace;
  readonly #reclaimer: Reclaimer;
  readonly #persistence: Persistence;

  constructor(
    table: SlotTable,
    space: SegmentSpace,
    reclaimer: Reclaimer,
    persistence: Persistence,
  ) {
    this.#table = table;
    this.#space = space;
    this.#reclaimer = reclaimer;
    this.#persistence = persistence;
  }

  /**
   * Does a bounded amount of what there is to do. Never throws an operating error.
   *
   * @param units of work, about a microsecond each; a flush takes as long as it takes
   * @returns true if there is more to do, and it can be done now
   */
  step(units: number): boolean {
    const persistence = this.#persistence;
    if (!persistence.retry() && !this.#makeSpace()) return false;
    if (persistence.isCheckpointing) persistence.stepCheckpoint(units);
    else if (this.#reclaimer.isActive) this.#stepPass(units);
    else if (!this.#begin()) return false;
    this.retireEmptied();
    return persistence.isReady;
  }

  /** Retires segments whose last reference has gone. Cheap if there are none. */
  retireEmptied(): void {
    const { emptied } = this.#table;
    for (let segment = emptied.pop(); segment !== undefined; segment = emptied.pop()) {
      if (segment.state !== 'sealed' || segment.liveSlots > 0 || segment.isDestination) continue;
      this.#persistence.retire(segment);
    }
  }

  /**
   * Makes room for an append, which has not begun, and keeps the hard bound.
   *
   * @throws PlaneError NoSpace: nothing has changed
   */
  makeRoom(slotCount: number): void {
    for (let round = 0; round < ROUNDS_MAX && this.#isTight(slotCount); round++) {
      if (!this.#relieve(slotCount)) break;
    }
    const free = this.#space.freeSlots(false);
    if (free >= slotCount) return;
    throw new PlaneError('NoSpace', `expected room for ${slotCount} sectors, there is for ${free}`);
  }

  /** Keeps pace with changes that have just been made. Never throws an operating error. */
  keepPace(slotCount: number): void {
    const { isCheckpointing, hasRemovable, checkpointUrgency } = this.#persistence;
    const isBehind = isCheckpointing || hasRemovable || checkpointUrgency > URGENCY_MAX;
    if (!isBehind && !this.#isOver(SPACE_AMPLIFICATION_MAX, SPACE_SLACK_SEGMENTS + 1, 0)) return;
    this.step(slotCount * UNITS_PER_SECTOR);
  }

  /**
   * Full, and removing has not been enough: empties segments with what the reserve has left.
   *
   * @returns true if there is space for appends again
   */
  #makeSpace(): boolean {
    const persistence = this.#persistence;
    // retry() could not free what was moved: to move more would only take up more.
    if (persistence.hasRetired || persistence.isCheckpointing) return false;
    this.#reclaimer.end();
    this.retireEmptied();
    if (!persistence.hasRetired) {
      const goal = this.#table.liveSectors * SPACE_AMPLIFICATION_GOAL;
      if (!this.#reclaimer.begin(goal)) return false;
      while (this.#reclaimer.step(Number.MAX_SAFE_INTEGER));
      this.retireEmptied();
    }
    return persistence.retry();
  }

  #stepPass(units: number): void {
    if (this.#reclaimer.step(units)) return;
    this.retireEmptied();
    if (this.#persistence.hasRetired) this.#persistence.settle();
  }

  /** Starts what is most urgent. @returns false if nothing is */
  #begin(): boolean {
    const persistence = this.#persistence;
    if (persistence.hasRemovable) {
      persistence.removeSome();
      return true;
    }
    if (this.#isOver(SPACE_AMPLIFICATION_MAX, SPACE_SLACK_SEGMENTS, 0)) {
      // Retired segments are space that needs no copying.
      if (persistence.hasRetired) {
        persistence.settle();
        return true;
      }
      if (this.#reclaimer.begin(this.#goal())) return true;
    }
    if (persistence.checkpointUrgency < 1) return false;
    persistence.beginCheckpoint();
    return true;
  }

  /** Half the slack below the bound, so that a pass is worth its walk over the maps. */
  #goal(): number {
    const slack = (SPACE_SLACK_SEGMENTS / 2) * this.#table.segmentSlots;
    return this.#table.liveSectors * SPACE_AMPLIFICATION_GOAL + slack;
  }

  #isOver(amplification: number, slackSegments: number, slotCount: number): boolean {
    const { liveSectors, storedSectors, segmentSlots } = this.#table;
    return storedSectors + slotCount > liveSectors * amplification + slackSegments * segmentSlots;
  }

  #isTight(slotCount: number): boolean {
    if (this.#space.freeSlots(false) < slotCount) return true;
    return this.#isOver(SPACE_AMPLIFICATION_HARD_MAX, SPACE_SLACK_HARD_SEGMENTS, slotCount);
  }

  /** Ends what is running, or else does one round of what helps. @returns false if nothing does */
  #relieve(slotCount: number): boolean {
    const persistence = this.#persistence;
    if (!persistence.isReady) return false;
    if (!persistence.isCheckpointing && !this.#reclaimer.isActive) {
      if (persistence.hasRemovable) persistence.removeSome();
      else if (persistence.hasRetired) persistence.settle();
      else if (!this.#reclaimer.begin(this.#pressingGoal(slotCount))) return false;
    }
    while (persistence.isReady && (persistence.isCheckpointing || this.#reclaimer.isActive)) {
      this.step(Number.MAX_SAFE_INTEGER);
    }
    return true;
  }

  /** Room for the append counts too where it is memory that is short. */
  #pressingGoal(slotCount: number): number {
    const missing = slotCount - this.#space.freeSlots(false);
    const enough = this.#table.storedSectors - missing - this.#table.segmentSlots;
    return missing > 0 ? Math.min(this.#goal(), enough) : this.#goal();
  }
}
