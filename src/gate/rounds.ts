/**
 * Rounds: in which order two things take turns, and the one number each round comes to.
 *
 * What is measured. A round is turns of A and of B, as many of each, by fours: ABBA or BAAB, which
 * of the two a coin decides. Turns that are processes make rounds of four; processes that stay make
 * a round of all their turns, so that what came with the process (where its memory lies, what its
 * compiler decided) is in one number, once. That number is s(B) - s(A), in logarithms, so that
 * twice and half are equally far from equal; above 0 if B is better. s is the metric's summary:
 * - mean of all turns: a stall now and then counts, and so does everything that disturbs
 * - best: the turn that one in twenty is better than. Noise of a machine slows turns down and never
 *   speeds them up, so the best are those that nothing disturbed
 *
 * Why it is right on a machine that drifts. Inside four turns a steady drift cancels: the outer two
 * lie around the inner two. Disturbances longer than a round hit both. And because of the coin, if
 * A and B are the same then any noise whatever, skewed, drifting or correlated in time, is as
 * likely to give a round's number as its negative: so the signed-rank test of statistics.ts has the
 * level it says, with no assumption about the noise.
 *
 * A series without a partner (a baseline) is blocks of turns: the mean logarithm of each
 * TURNS_A_BLOCK turns that follow each other, so that what is correlated in time is in one number.
 */
import { invariant } from '../base/invariant.ts';
import type { Prng } from '../base/prng.ts';
import type { Metric } from './metric.ts';

export type Side = 'a' | 'b';

/** What one metric came to in the turns of one round, of each side in the order made. */
export interface Round {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

const ORDERS: readonly (readonly Side[])[] = [
  ['a', 'b', 'b', 'a'],
  ['b', 'a', 'a', 'b'],
];

const TURNS_A_BLOCK = 4;
/** So many of the turns are better than the one that counts. */
const BEST_PART = 0.05;

/** Whose turn it is, four times. */
export function orderOfRound(prng: Prng): readonly Side[] {
  return ORDERS[prng.nextBelow(ORDERS.length)]!;
}

/** The number of each round: above 0 if B is better. */
export function differencesOf(
  rounds: readonly Round[],
  { isBiggerBetter, summary = 'mean' }: Pick<Metric, 'isBiggerBetter' | 'summary'>,
): number[] {
  const summaryOf = summary === 'mean' ? meanLogarithm : bestLogarithm(isBiggerBetter);
  return rounds.map(({ a, b }) => {
    invariant(a.length === b.length && a.length > 0, 'a round has as many turns of A as of B');
    const difference = summaryOf(b) - summaryOf(a);
    return isBiggerBetter ? difference : -difference;
  });
}

/** Mean logarithms of turns that follow each other. What is left over at the end is dropped. */
export function blocksOf(turns: readonly number[]): number[] {
  const count = Math.floor(turns.length / TURNS_A_BLOCK);
  return Array.from({ length: count }, (_, block) =>
    meanLogarithm(turns.slice(block * TURNS_A_BLOCK, (block + 1) * TURNS_A_BLOCK)),
  );
}

function meanLogarithm(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + Math.log(value), 0) / values.length;
}

/** Between two turns where no turn is at that place. */
function bestLogarithm(isBiggerBetter: boolean): (values: readonly number[]) => number {
  return (values) => {
    const sorted = [...values].sort((one, other) => (isBiggerBetter ? other - one : one - other));
    const place = (sorted.length - 1) * BEST_PART;
    const [here, next] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
    return Math.log(here) + (Math.log(next) - Math.log(here)) * (place % 1);
  };
}
