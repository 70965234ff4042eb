/**
 * Which slots of which segments are referred to. Pure counting: no memory, no files.
 *
 * A location is a slot's number in the store: segment number * slots per segment + slot, 32 bits.
 *
 *              open() ┌──────┐ seal() ┌────────┐ retire() ┌─────────┐ remove()
 *   (no segment) ───▶ │ open │ ─────▶ │ sealed │ ───────▶ │ retired │ ────────▶ (no segment)
 *                     └──────┘        └────────┘          └─────────┘
 *   open     takes new slots; there is at most one; what a slot holds never changes
 *   sealed   takes no slots; listed in `emptied` when the last reference to it goes
 *   retired  nothing in memory refers to it, something durable may; it still takes up space
 *
 * 1. references[slot] is the number of leaf entries, of all chunk maps, that refer to the slot.
 * 2. A slot is live if its count is above 0. liveSlots of a segment, and liveSectors of the table,
 *    are the numbers of live slots.
 * 3. usedSlots of a segment only grows; storedSectors is its sum over all segments.
 * 4. Only a sealed segment without live slots is retired, and it never becomes live again.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import type { SlotReferences } from './chunk-map.ts';

export type SegmentState = 'open' | 'sealed' | 'retired';

/** Nothing was moved out of a segment. */
const NEVER_MOVED = -1;

export class Segment {
  readonly number: number;
  /** Leaf entries that refer to each slot. */
  readonly references: Uint32Array;
  state: SegmentState = 'open';
  usedSlots = 0;
  liveSlots = 0;
  /** A slot could not be read as written: reclaim leaves the segment alone from then on. */
  isDamaged = false;
  /** Reclaim is moving its live slots elsewhere. */
  isVictim = false;
  /** Reclaim has moved slots into it in the running pass; see Reclaimer, rule 3. */
  isDestination = false;
  /** The checkpoint that was the latest when a slot was last moved out; see Journal, rule 5. */
  movedAfterCheckpoint = NEVER_MOVED;

  constructor(number: number, slotCount: number) {
    this.number = number;
    this.references = new Uint32Array(slotCount);
  }
}

export class SlotTable implements SlotReferences {
  /** Slots per segment, a power of two. */
  readonly segmentSlots: number;
  /** Sealed segments that lost their last reference. Whoever drains it checks liveSlots again. */
  readonly emptied: Segment[] = [];
  liveSectors = 0;
  storedSectors = 0;
  retiredSectors = 0;
  segmentCount = 0;
  /** True while a map is read back: references come before the segments they are to. */
  isRecovering = false;
  readonly #shift: number;
  readonly #mask: number;
  readonly #segments: (Segment | undefined)[] = [];
  readonly #freeNumbers: number[] = [];

  constructor(segmentSlots: number) {
    this.segmentSlots = segmentSlots;
    this.#shift = Math.log2(segmentSlots);
    this.#mask = segmentSlots - 1;
    invariant(Number.isInteger(this.#shift), 'slots per segment are a power of two');
  }

  segmentNumberOf(location: number): number {
    return location >>> this.#shift;
  }

  slotOf(location: number): number {
    return location & this.#mask;
  }

  locationOf(segment: Segment, slot: number): number {
    return ((segment.number << this.#shift) | slot) >>> 0;
  }

  /** The segment of a number, in any state. */
  find(number: number): Segment | undefined {
    return this.#segments[number];
  }

  /** The segment a live location lies in. */
  segmentAt(location: number): Segment {
    const segment = this.#segments[location >>> this.#shift];
    invariant(segment !== undefined, 'a location lies in a segment');
    return segment;
  }

  *all(): Generator<Segment> {
    for (const segment of this.#segments) if (segment !== undefined) yield segment;
  }

  acquire(location: number): void {
    const segment = this.#segments[location >>> this.#shift] ?? this.#admit(location);
    const slot = location & this.#mask;
    const count = segment.references[slot]! + 1;
    segment.references[slot] = count;
    if (count > 1) return;
    segment.liveSlots++;
    this.liveSectors++;
  }

  release(location: number): void {
    const segment = this.#segments[location >>> this.#shift];
    invariant(segment !== undefined, 'a released slot lies in a segment');
    const slot = location & this.#mask;
    const count = segment.references[slot]!;
    invariant(count > 0, 'a released slot was referred to');
    segment.references[slot] = count - 1;
    if (count > 1) return;
    this.liveSectors--;
    if (--segment.liveSlots === 0 && segment.state === 'sealed') this.emptied.push(segment);
  }

  /** Makes a new segment, the open one. */
  open(): Segment {
    const number = this.#freeNumbers.pop() ?? this.#segments.length;
    invariant(this.#segments[number] === undefined, 'a free segment number is free');
    return this.#add(number);
  }

  /** Takes back open(), for a segment nothing was taken from. */
  withdraw(segment: Segment): void {
    invariant(segment.state === 'open' && segment.usedSlots === 0, 'the segment was not used');
    this.#forget(segment);
  }

  /** The open segment has taken n more slots. */
  use(segment: Segment, slotCount: number): void {
    invariant(segment.state === 'open', 'only the open segment takes slots');
    invariant(segment.usedSlots + slotCount <= this.segmentSlots, 'a segment has that many slots');
    segment.usedSlots += slotCount;
    this.storedSectors += slotCount;
  }

  seal(segment: Segment): void {
    invariant(segment.state === 'open', 'only the open segment is sealed');
    segment.state = 'sealed';
    if (segment.liveSlots === 0) this.emptied.push(segment);
  }

  /** Nothing in memory refers to the segment any more. */
  retire(segment: Segment): void {
    invariant(segment.state === 'sealed', 'a retired segment was sealed');
    invariant(segment.liveSlots === 0, 'a retired segment has no live slots');
    segment.state = 'retired';
    this.retiredSectors += segment.usedSlots;
  }

  /** Its space is given back and its number free for another. */
  remove(segment: Segment): void {
    invariant(segment.state === 'retired', 'a removed segment was retired');
    this.#forget(segment);
    this.storedSectors -= segment.usedSlots;
    this.retiredSectors -= segment.usedSlots;
  }

  /** Recovery: the space a recovered segment turned out to take up. */
  setUsed(segment: Segment, usedSlots: number): void {
    invariant(this.isRecovering, 'used slots are set by recovery only');
    this.storedSectors += usedSlots - segment.usedSlots;
    segment.usedSlots = usedSlots;
  }

  /**
   * Recovery: ends it. Unused numbers become free.
   *
   * @returns segments that were referred to once and are not any more, retired
   */
  endRecovery(): Segment[] {
    invariant(this.isRecovering, 'recovery ends once');
    this.isRecovering = false;
    this.emptied.length = 0;
    const retired: Segment[] = [];
    for (let number = this.#segments.length - 1; number >= 0; number--) {
      const segment = this.#segments[number];
      if (segment === undefined) this.#freeNumbers.push(number);
      else if (segment.liveSlots === 0) {
        this.retire(segment);
        retired.push(segment);
      }
    }
    return retired;
  }

  /** Bytes of the reference counts. */
  get byteCount(): number {
    return this.segmentCount * this.segmentSlots * Uint32Array.BYTES_PER_ELEMENT;
  }

  #forget(segment: Segment): void {
    this.#segments[segment.number] = undefined;
    this.#freeNumbers.push(segment.number);
    this.segmentCount--;
  }

  #admit(location: number): Segment {
    invariant(this.isRecovering, 'a slot referred to lies in a segment');
    const segment = this.#add(location >>> this.#shift);
    segment.state = 'sealed';
    return segment;
  }

  #add(number: number): Segment {
    const segment = new Segment(number, this.segmentSlots);
    while (this.#segments.length < number) this.#segments.push(undefined);
    this.#segments[number] = segment;
    this.segmentCount++;
    return segment;
  }
}
