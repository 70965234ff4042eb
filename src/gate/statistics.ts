/**
 * Rank statistics: how far one set of numbers lies from nothing, or from another, and how surely.
 *
 * What is measured. A list of differences (one a round of turns, logarithms of ratios), or two
 * lists that have no partners. The statistics are Wilcoxon's: signed-rank, and rank-sum (Mann and
 * Whitney's U), with the estimates and intervals of Hodges and Lehmann that belong to them: the
 * median of all means of two differences, the median of all differences between the lists. They ask
 * of the differences only that noise is as likely to speak for one side as for the other; a turn
 * that was ten times too slow counts as one turn.
 *
 * 1. p is two-sided and exact, ties included, up to EXACT_MAX numbers (the distribution is counted
 *    out over midranks); beyond, normal with the correction for ties and for continuity.
 * 2. The interval is the one that test inverts to (as in R's wilcox.test): at least as sure as
 *    asked. Too few numbers to be so sure: it is unbounded, never narrower than it may be.
 * 3. Differences of exactly 0 say nothing and are left out of p, not of estimate and interval.
 * 4. Several tests at once are corrected by Holm's step-down procedure.
 *
 * Sources: Hollander, Wolfe, "Nonparametric Statistical Methods", chapters 3 and 4; Holm 1979.
 */
import { invariant } from '../base/invariant.ts';

/** A shift, in the unit of the numbers. */
export interface Shift {
  /** Hodges-Lehmann. */
  readonly estimate: number;
  /** Interval; -Infinity and Infinity if there are too few numbers for one. */
  readonly low: number;
  readonly high: number;
  /** Two-sided. */
  readonly p: number;
}

/** More numbers than this, and the normal distribution is near enough: error of p < 0.001. */
const EXACT_MAX = 60;
/** Of two lists together: counting out their ranks takes cubic time. */
const EXACT_BOTH_MAX = 40;

/**
 * How far differences lie from 0.
 *
 * @param level probability that the interval misses: 0.05
 */
export function signedRankShift(differences: readonly number[], level: number): Shift {
  invariant(differences.length > 0, 'there are differences');
  const count = differences.length;
  const means = differences.flatMap((one, at) =>
    differences.slice(at).map((other) => (one + other) / 2),
  );
  means.sort((a, b) => a - b);
  const spread = Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24);
  const cut =
    count <= EXACT_MAX
      ? exactCut(subsetSums(Array.from(differences, (_, at) => at + 1)), level)
      : normalCut(means.length / 2, spread, level);
  return { estimate: middle(means), ...cutOff(means, cut), p: signedRankP(differences) };
}

/**
 * How far the numbers of one list lie above those of another.
 *
 * @param level probability that the interval misses: 0.05
 */
export function rankSumShift(
  ones: readonly number[],
  others: readonly number[],
  level: number,
): Shift {
  invariant(ones.length > 0 && others.length > 0, 'there are numbers in both lists');
  const gaps = ones.flatMap((one) => others.map((other) => one - other));
  gaps.sort((a, b) => a - b);
  const [size, all] = [ones.length, ones.length + others.length];
  const spread = Math.sqrt((gaps.length * (all + 1)) / 12);
  const ranks = Array.from({ length: all }, (_, at) => at + 1);
  const cut =
    all <= EXACT_BOTH_MAX
      ? exactCut(subsetSums(ranks, size).subarray((size * (size + 1)) / 2), level)
      : normalCut(gaps.length / 2, spread, level);
  return { estimate: middle(gaps), ...cutOff(gaps, cut), p: rankSumP(ones, others) };
}

/** Two-sided p of the signed-rank test. */
function signedRankP(differences: readonly number[]): number {
  const told = differences.filter((difference) => difference !== 0);
  const count = told.length;
  if (count === 0) return 1;
  const ranks = doubledRanks(told.map(Math.abs));
  const sum = told.reduce((total, each, at) => total + (each > 0 ? ranks[at]! : 0), 0);
  if (count <= EXACT_MAX) return twoSided(subsetSums(ranks), sum);
  const variance = (count * (count + 1) * (2 * count + 1)) / 24 - tiesOf(ranks) / 48;
  return normalP(sum / 2 - (count * (count + 1)) / 4, variance);
}

/** Two-sided p of the rank-sum test. */
function rankSumP(ones: readonly number[], others: readonly number[]): number {
  const ranks = doubledRanks([...ones, ...others]);
  const sum = ones.reduce((total, _, at) => total + ranks[at]!, 0);
  const [size, all] = [ones.length, ranks.length];
  if (all <= EXACT_BOTH_MAX) return twoSided(subsetSums(ranks, size), sum);
  const correction = tiesOf(ranks) / (all * (all - 1));
  const variance = ((size * others.length) / 12) * (all + 1 - correction);
  return normalP(sum / 2 - (size * (all + 1)) / 2, variance);
}

/** Twice each rank, so that the midrank of a tie is a whole number too. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last++;
    for (let at = first; at <= last; at++) ranks[order[at]!] = first + last + 2;
    first = last + 1;
  }
  return ranks;
}

/** The sum of t^3 - t over groups of equal ranks. */
function tiesOf(ranks: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const rank of ranks) sizes.set(rank, (sizes.get(rank) ?? 0) + 1);
  return [...sizes.values()].reduce((sum, size) => sum + size ** 3 - size, 0);
}

/**
 * In how many ways subsets of the ranks add up to each sum.
 *
 * @param size of the subsets; any, if not given
 */
function subsetSums(ranks: readonly number[], size?: number): Float64Array {
  const most = ranks.reduce((sum, rank) => sum + rank, 0);
  const rows = Array.from({ length: (size ?? 0) + 1 }, () => new Float64Array(most + 1));
  rows[0]![0] = 1;
  for (const rank of ranks) {
    // From the top down, so that a rank is taken once.
    for (let row = rows.length - 1; row >= 0; row--) {
      const from = size === undefined ? rows[0]! : rows[row - 1];
      if (from === undefined) continue;
      const into = rows[row]!;
      for (let sum = most; sum >= rank; sum--) into[sum]! += from[sum - rank]!;
    }
  }
  return rows.at(-1)!;
}

function twoSided(counts: Float64Array, sum: number): number {
  const all = counts.reduce((total, count) => total + count, 0);
  const below = counts.subarray(0, sum + 1).reduce((total, count) => total + count, 0);
  const above = counts.subarray(sum).reduce((total, count) => total + count, 0);
  return Math.min(1, (2 * Math.min(below, above)) / all);
}

/**
 * How many numbers to leave out at each end, less one: the most for which the interval is as sure
 * as asked. -1: none can be.
 */
function exactCut(ways: Float64Array, level: number): number {
  const all = ways.reduce((total, count) => total + count, 0);
  let [cut, below] = [-1, 0];
  for (const count of ways) {
    below += count;
    if ((2 * below) / all > level) break;
    cut += 1;
  }
  return cut;
}

function normalCut(mean: number, spread: number, level: number): number {
  return Math.floor(mean - 0.5 - normalQuantile(1 - level / 2) * spread);
}

function cutOff(sorted: readonly number[], cut: number): { low: number; high: number } {
  const low = sorted[cut];
  const high = sorted[sorted.length - 1 - cut];
  if (cut < 0 || low === undefined || high === undefined) {
    return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  }
  return { low, high };
}

function normalP(distance: number, variance: number): number {
  if (variance === 0) return 1;
  const z = Math.max(0, Math.abs(distance) - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * (1 - normalBelow(z)));
}

/** The probability that a standard normal number is below z, for z >= 0; error < 1e-10. */
function normalBelow(z: number): number {
  if (z > 8) return 1;
  // DLMF 7.6.2: erf as a power series with positive terms.
  let [term, sum] = [z, z];
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The value a standard normal number stays below with this probability, 0.5 to 1. */
export function normalQuantile(probability: number): number {
  let [low, high] = [0, 8];
  for (let step = 0; step < 60; step++) {
    const between = (low + high) / 2;
    if (normalBelow(between) < probability) low = between;
    else high = between;
  }
  return (low + high) / 2;
}

/**
 * The level each of several tests is held to, so that the probability of one false alarm or more is
 * at most the whole level: Holm's steps. The k-th smallest p of m is held to level / (m - k + 1);
 * after the first that is not below its own, all are held to that one's.
 */
export function holmLevels(ps: readonly number[], level: number): number[] {
  const order = ps.map((_, at) => at).sort((a, b) => ps[a]! - ps[b]!);
  const levels = new Array<number>(ps.length);
  let left = ps.length;
  let isOpen = true;
  for (const at of order) {
    levels[at] = level / left;
    isOpen &&= ps[at]! <= level / left;
    if (isOpen) left = Math.max(1, left - 1);
  }
  return levels;
}

/** The median of sorted numbers. */
export function middle(sorted: readonly number[]): number {
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[sorted.length - 1 - (sorted.length >> 1)];
  invariant(upper !== undefined && lower !== undefined, 'there is a middle');
  return (lower + upper) / 2;
}
