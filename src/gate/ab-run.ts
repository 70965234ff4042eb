/**
 * Rounds of turns of two things, until it is settled or the time is over, and the judgement of each
 * metric they have.
 *
 * 1. A turn of each goes first and counts for nothing: it fills caches of files and of memory.
 * 2. Rounds follow (rounds.ts), each of a pair that is opened for it: two processes that stay for
 *    the round, or nothing at all where each turn is a process. Which is opened first, and whose
 *    turn it is, a coin decides.
 * 3. looks.ts says when the rounds are judged, and at which level. The run ends when a look settles
 *    it: something is a regression, or nothing is left that cannot be told.
 * 4. There are as many rounds as an interval needs, also if that takes longer than was asked for;
 *    but after LATENESS_MAX times that it ends, and the verdict is cannot tell.
 * 5. Both must give the same metrics in every turn. A round that was interrupted does not count.
 */
import { createPrng, type Prng } from '../base/prng.ts';
import { spentAt } from './looks.ts';
import { type Measurement, type Metric, turnOf } from './metric.ts';
import { differencesOf, orderOfRound, type Round, type Side } from './rounds.ts';
import { signedRankShift } from './statistics.ts';
import { type Judgement, judge, overall, roundsFor, type Terms } from './verdict.ts';

/** The two, ready to take turns. */
export interface Pair {
  takeTurn(side: Side): Promise<readonly Measurement[]>;
  close(): Promise<void>;
}

export interface AbOptions {
  /** @param first of the two, which is to be opened before the other */
  readonly openPair: (first: Side) => Promise<Pair>;
  /** A round is so many times four turns. */
  readonly foursInRound: number;
  readonly seconds: number;
  readonly seed: number;
  readonly terms: Terms;
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly onRound?: (rounds: number, share: number) => void;
}

/** One metric, every turn of it, and what it is judged to be. */
export interface JudgedMetric {
  readonly metric: Metric;
  readonly rounds: readonly Round[];
  readonly judgement: Judgement;
}

const LATENESS_MAX = 4;

/** Runs it. @throws what opening, closing and a turn throw; the reason of the signal */
export async function runAb(options: AbOptions): Promise<JudgedMetric[]> {
  const { seconds, seed, signal, now, terms } = options;
  const metrics = await metricsOf(options);
  const rounds: Round[][] = metrics.map(() => []);
  const prng = createPrng(seed);
  const started = now();
  let spent = 0;
  for (let count = 1; ; count++) {
    signal.throwIfAborted();
    const made = await makeRound(options, metrics, prng);
    for (const [at, round] of made.entries()) rounds[at]!.push(round);
    const elapsed = (now() - started) / 1e3;
    options.onRound?.(count, Math.min(1, elapsed / seconds));
    // The next round is likely to last as long as those before it.
    const isOver = elapsed + elapsed / count > seconds;
    const part = spentAt(isOver ? 1 : elapsed / seconds) - spent;
    const level = terms.level * part;
    const isEnough = part > 0 && count >= roundsFor(level / metrics.length);
    if (!isEnough && !(isOver && elapsed > LATENESS_MAX * seconds)) continue;
    const judged = judgeRounds(metrics, rounds, { ...terms, level });
    if (isOver || isSettled(judged)) return judged;
    spent += part;
  }
}

/** A turn of each, before anything is measured. */
async function metricsOf({ openPair }: AbOptions): Promise<Metric[]> {
  const pair = await openPair('a');
  try {
    const metrics = (await pair.takeTurn('a')).map(({ value: _, ...metric }) => metric);
    turnOf(metrics, await pair.takeTurn('b'));
    return metrics;
  } finally {
    await pair.close();
  }
}

async function makeRound(
  { openPair, foursInRound }: AbOptions,
  metrics: readonly Metric[],
  prng: Prng,
): Promise<Round[]> {
  const sides: Record<Side, number[][]> = { a: metrics.map(() => []), b: metrics.map(() => []) };
  const pair = await openPair(orderOfRound(prng)[0]!);
  try {
    for (let four = 0; four < foursInRound; four++) {
      for (const side of orderOfRound(prng)) {
        const values = turnOf(metrics, await pair.takeTurn(side));
        for (const [at, value] of values.entries()) sides[side][at]!.push(value);
      }
    }
  } finally {
    await pair.close();
  }
  return metrics.map((_, at) => ({ a: sides.a[at]!, b: sides.b[at]! }));
}

/** Something is a regression, or nothing is left that cannot be told. */
function isSettled(judged: readonly JudgedMetric[]): boolean {
  const judgements = judged.map(({ judgement }) => judgement);
  return overall(judgements) !== 'cannot tell';
}

/** Judges rounds that were made: the metrics of one run together. */
function judgeRounds(
  metrics: readonly Metric[],
  rounds: readonly (readonly Round[])[],
  terms: Terms,
): JudgedMetric[] {
  const subjects = metrics.map((metric, at) => {
    const differences = differencesOf(rounds[at]!, metric);
    const shift = (level: number): ReturnType<typeof signedRankShift> =>
      signedRankShift(differences, level);
    return { rounds: differences.length, shift };
  });
  const judgements = judge(subjects, terms);
  return metrics.map((metric, at) => ({
    metric,
    rounds: rounds[at]!,
    judgement: judgements[at]!,
  }));
}
