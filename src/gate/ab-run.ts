/**
 * Rounds of turns of two things, for some time, and the judgement of each metric they have.
 *
 * 1. One turn of each goes first and counts for nothing: it fills caches of files and of memory.
 * 2. Rounds follow (rounds.ts). Their number is fixed by time alone, never by what came out so far:
 *    looking at the result and going on until it pleases makes any test lie.
 * 3. There are as many rounds as an interval needs, also if that takes longer than was asked for;
 *    but after LATENESS_MAX times that it ends, and the verdict is cannot tell.
 * 4. Both must give the same metrics in every turn. A round that was interrupted does not count.
 */
import { createPrng } from '../base/prng.ts';
import { type Measurement, type Metric, turnOf } from './metric.ts';
import { differencesOf, orderOfRound, type Round, type Side } from './rounds.ts';
import { signedRankShift } from './statistics.ts';
import { type Judgement, judge, roundsFor, type Terms } from './verdict.ts';

export interface AbOptions {
  readonly takeTurn: (side: Side) => Promise<readonly Measurement[]>;
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

/** Runs it. @throws what a turn throws; the reason of the signal */
export async function runAb(options: AbOptions): Promise<JudgedMetric[]> {
  const { takeTurn, seconds, seed, signal, now, terms } = options;
  const metrics = metricsOf(await takeTurn('a'));
  turnOf(metrics, await takeTurn('b'));
  const rounds: Round[][] = metrics.map(() => []);
  const prng = createPrng(seed);
  const least = roundsFor(terms.level / metrics.length);
  const started = now();
  for (let count = 0; ; count++) {
    const spent = (now() - started) / 1e3;
    // The next round is likely to last as long as those before it.
    const isOver = spent + spent / Math.max(1, count) > seconds;
    if (count > 0 && isOver && (count >= least || spent > LATENESS_MAX * seconds)) break;
    signal.throwIfAborted();
    const sides: Record<Side, number[][]> = { a: metrics.map(() => []), b: metrics.map(() => []) };
    for (const side of orderOfRound(prng)) {
      const values = turnOf(metrics, await takeTurn(side));
      for (const [at, value] of values.entries()) sides[side][at]!.push(value);
    }
    for (const [at, made] of rounds.entries()) made.push({ a: sides.a[at]!, b: sides.b[at]! });
    options.onRound?.(count + 1, Math.min(1, (now() - started) / 1e3 / seconds));
  }
  return judgeRounds(metrics, rounds, terms);
}

/** Judges rounds that were made: the metrics of one run together. */
function judgeRounds(
  metrics: readonly Metric[],
  rounds: readonly (readonly Round[])[],
  terms: Terms,
): JudgedMetric[] {
  const subjects = metrics.map((metric, at) => {
    const differences = differencesOf(rounds[at]!, metric.isBiggerBetter);
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

function metricsOf(measurements: readonly Measurement[]): Metric[] {
  return measurements.map(({ name, unit, isBiggerBetter }) => ({ name, unit, isBiggerBetter }));
}
