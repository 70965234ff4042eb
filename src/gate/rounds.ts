/**
 * Rounds: in which order two things take turns, and the one number each round comes to.
 *
 * What is measured. A round is four turns, ABBA or BAAB, which of the two a coin decides. Its
 * number is (ln b1 + ln b2 - ln a1 - ln a2) / 2: how much faster B was, in logarithms, so that
 * twice and half are equally far from equal.
 *
 * Why it is right on a machine that drifts. Inside a round a steady drift cancels exactly: the
 * outer two turns lie around the inner two. Disturbances longer than a round hit both. And because
 * of the coin, if A and B are the same then any noise whatever, skewed, drifting or correlated in
 * time, is as likely to give a round's number as its negative: so the signed-rank test of
 * statistics.ts has the level it says, with no assumption about the noise.
 *
 * A series without a partner (a baseline) is blocks of turns: the mean logarithm of each
 * TURNS_A_BLOCK turns that follow each other, so that what is correlated in time is in one number.
 */
import { invariant } from '../base/invariant.ts';
import type { Prng } from '../base/prng.ts';

export type Side = 'a' | 'b';

/** What one metric came to in the turns of one round, in the order they were made. */
export interface Round {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

const ORDERS: readonly (readonly Side[])[] = [
  ['a', 'b', 'b', 'a'],
  ['b', 'a', 'a', 'b'],
];

const TURNS_A_BLOCK = 4;

/** Whose turn it is, four times. */
export function orderOfRound(prng: Prng): readonly Side[] {
  return ORDERS[prng.nextBelow(ORDERS.length)]!;
}

/**
 * The number of each round: above 0 if B is better.
 *
 * @param isBiggerBetter false for latencies
 */
export function differencesOf(rounds: readonly Round[], isBiggerBetter: boolean): number[] {
  return rounds.map(({ a, b }) => {
    invariant(a.length === b.length && a.length > 0, 'a round has as many turns of A as of B');
    const difference = meanLogarithm(b) - meanLogarithm(a);
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
