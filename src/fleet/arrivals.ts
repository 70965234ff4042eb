/**
 * When one disk is asked for something: a Poisson process whose rate is constant in segments.
 *
 *   segment ends at the earlier of: the end of being on or off ─ the diurnal slot's end ─ the end
 *
 * - poisson: one rate, or one for each quarter of an hour of a day
 * - bursty: on, at 1/onShare times the mean rate, and off, by turns. How long is Pareto, cut off at
 *   LENGTH_LONGEST times the mean: on/off sources with such tails are what measured traffic is made
 *   of (Willinger et al., IEEE/ACM Transactions on Networking 5(1), 1997). With tail 0 it is
 *   exponential: an interrupted Poisson process, a two-state MMPP, for which there are formulas
 *   (Fischer and Meier-Hellstern, Performance Evaluation 18, 1993).
 *
 * What is left of a gap when a segment ends is thrown away and drawn anew: exponential gaps have no
 * memory, so this is exact, not an approximation. The first turn begins at time 0, on
 * with probability onShare: the beginning is not quite stationary.
 *
 * A source may be held up (queue depth): its time then goes on from where it was let go.
 *
 * All state is in typed arrays of the caller, so that nothing is allocated for a request.
 */
import { cosineOfTurns, exponentialOf, power } from './elementary.ts';
import { nextUint32 } from './random.ts';

/** Slots of the state. Times are microseconds from the beginning of the simulation. */
export const AT = 0;
const SEGMENT_END = 1;
/** Requests a microsecond; 0 while the source is off. */
const RATE = 2;
/** When it is no longer on, or off. */
const PHASE_END = 3;
const IS_ON = 4;
export const ARRIVAL_SLOTS = 5;

const DAY_US = 86_400e6;
const SLOTS_A_DAY = 96;
const SLOT_US = DAY_US / SLOTS_A_DAY;
/** Times the mean. */
const LENGTH_LONGEST = 100;

export interface ArrivalOptions {
  readonly isBursty: boolean;
  /** The share of the time a bursty source is on. */
  readonly onShare: number;
  /** Mean time it is on at once. */
  readonly onUs: number;
  /** Exponent of the Pareto lengths, above 1; 0: exponential lengths. */
  readonly tail: number;
  /** How far the rate of a day swings about its mean, 0 to 1; 0: not at all. */
  readonly diurnal: number;
  /** Hour of the highest rate; the simulation begins at midnight. */
  readonly peakHour: number;
}

/** What many disks have in common. */
export interface ArrivalPlan extends ArrivalOptions {
  readonly endUs: number;
  /** Of the mean rate, for each slot of a day; empty if the day is even. */
  readonly slotFactors: Float64Array;
  /** 1 / onShare. */
  readonly peakFactor: number;
  readonly offUs: number;
  /** Of Pareto lengths, for a mean of 1. */
  readonly shortest: number;
}

export function planArrivals(options: ArrivalOptions, endUs: number): ArrivalPlan {
  const { diurnal, peakHour, onShare, onUs, isBursty, tail } = options;
  const slotFactors = new Float64Array(diurnal === 0 ? 0 : SLOTS_A_DAY).map(
    (_, slot) => 1 + diurnal * cosineOfTurns((slot + 0.5) / SLOTS_A_DAY - peakHour / 24),
  );
  return {
    ...options,
    endUs,
    slotFactors,
    peakFactor: isBursty ? 1 / onShare : 1,
    offUs: (onUs * (1 - onShare)) / onShare,
    shortest: tail === 0 ? 0 : shortestLength(tail),
  };
}

/** Begins a source; nextArrival() then finds its first request. */
export function startArrivals(
  state: Float64Array,
  base: number,
  plan: ArrivalPlan,
  random: Int32Array,
  ratePerUs: number,
): void {
  state[base + AT] = 0;
  state[base + IS_ON] = 1;
  state[base + PHASE_END] = plan.endUs;
  if (plan.isBursty) {
    const isOn = nextUint32(random) < plan.onShare * 0x1_0000_0000;
    // enterSegment() turns it over.
    state[base + IS_ON] = isOn ? 0 : 1;
    state[base + PHASE_END] = 0;
  }
  enterSegment(state, base, plan, random, ratePerUs);
}

/** Moves the source to its next request, or to plan.endUs if there is none before. */
export function nextArrival(
  state: Float64Array,
  base: number,
  plan: ArrivalPlan,
  random: Int32Array,
  ratePerUs: number,
): void {
  for (;;) {
    const rate = state[base + RATE]!;
    const segmentEnd = state[base + SEGMENT_END]!;
    // A source that was held up may be past its segment.
    const at = state[base + AT]!;
    if (rate > 0 && at < segmentEnd) {
      const arrival = at + exponentialOf(nextUint32(random)) / rate;
      if (arrival < segmentEnd) {
        state[base + AT] = arrival;
        return;
      }
    }
    if (at < segmentEnd) state[base + AT] = segmentEnd;
    if (state[base + AT]! >= plan.endUs) {
      state[base + AT] = plan.endUs;
      return;
    }
    enterSegment(state, base, plan, random, ratePerUs);
  }
}

/** From AT on: which phase, which slot of the day, at which rate, until when. */
function enterSegment(
  state: Float64Array,
  base: number,
  plan: ArrivalPlan,
  random: Int32Array,
  ratePerUs: number,
): void {
  const at = state[base + AT]!;
  while (state[base + PHASE_END]! <= at && plan.isBursty) {
    const isOn = 1 - state[base + IS_ON]!;
    state[base + IS_ON] = isOn;
    const mean = isOn === 1 ? plan.onUs : plan.offUs;
    state[base + PHASE_END] = state[base + PHASE_END]! + mean * lengthOf(plan, nextUint32(random));
  }
  let end = state[base + PHASE_END]!;
  let rate = state[base + IS_ON]! * ratePerUs * plan.peakFactor;
  if (plan.slotFactors.length > 0) {
    const slot = Math.floor(at / SLOT_US);
    rate *= plan.slotFactors[slot % SLOTS_A_DAY]!;
    if ((slot + 1) * SLOT_US < end) end = (slot + 1) * SLOT_US;
  }
  state[base + RATE] = rate;
  state[base + SEGMENT_END] = end < plan.endUs ? end : plan.endUs;
}

/** How long it is on, or off, of mean 1. */
function lengthOf({ tail, shortest }: ArrivalPlan, uint32: number): number {
  if (tail === 0) return exponentialOf(uint32);
  const length = shortest * power((uint32 + 0.5) / 0x1_0000_0000, -1 / tail);
  return length < LENGTH_LONGEST ? length : LENGTH_LONGEST;
}

/**
 * The shortest of Pareto lengths with this tail that are cut off at LENGTH_LONGEST and have mean 1:
 * E min(X, L) = s (a - (s/L)^(a-1)) / (a - 1), which grows with s.
 */
function shortestLength(tail: number): number {
  let [low, high] = [0.000_001, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const cut = power(middle / LENGTH_LONGEST, tail - 1);
    if ((middle * (tail - cut)) / (tail - 1) < 1) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
