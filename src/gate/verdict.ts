/**
 * The verdict: regression, improvement, no regression, or cannot tell; and why.
 *
 * What it is about. One metric of one job: the shift of B against A in logarithms, above 0 if B is
 * better (statistics.ts), its interval, and a tolerance: the effect that matters. VERDICT_RULES
 * says which interval means what:
 * - regression: B is slower, as surely as the interval says, and more likely than not by at least
 *   the tolerance. Exit code 1
 * - no regression: whatever B loses is, just as surely, less than the tolerance. Exit code 0
 * - improvement: as a regression, in the other direction. Exit code 0
 * - cannot tell: both could be. Exit code 3. It is an answer: the rounds were too few or too noisy
 *
 * What goes with it:
 * - smallest: the loss that runs as noisy as this one would have called a regression 9 times in 10.
 *   It needs to be that far from 0 and from the tolerance: max((z(1 - level/2) + z(0.9)) e,
 *   tolerance + z(0.9) e), where the standard error e is what the interval's width says
 * - repeats: rounds, those made included, after which a run as noisy, whose estimate stayed, would
 *   not answer cannot tell. null: none, it lies on the border
 * Several metrics of one run share the level by Holm's steps.
 */
import { invariant } from '../base/invariant.ts';
import { holmLevels, normalQuantile, type Shift } from './statistics.ts';

export type Verdict = 'regression' | 'improvement' | 'no regression' | 'cannot tell';

/** Where the interval lies. */
const INTERVALS = ['unbounded', 'below zero', 'around zero', 'above zero'] as const;
/** The loss at the interval's lower end. */
const WORSTS = ['tolerable', 'intolerable'] as const;
/** The estimate, against the tolerance. */
const ESTIMATES = ['loss', 'small', 'gain'] as const;

export interface VerdictRule {
  readonly interval: (typeof INTERVALS)[number];
  readonly worst: readonly (typeof WORSTS)[number][];
  readonly estimate: readonly (typeof ESTIMATES)[number][];
  readonly verdict: Verdict;
  readonly because: string;
}

export const VERDICT_RULES: readonly VerdictRule[] = [
  {
    interval: 'unbounded',
    worst: WORSTS,
    estimate: ESTIMATES,
    verdict: 'cannot tell',
    because: 'there are too few rounds for an interval',
  },
  {
    interval: 'below zero',
    worst: WORSTS,
    estimate: ['loss'],
    verdict: 'regression',
    because: 'it is slower, and by more than is tolerated',
  },
  {
    interval: 'below zero',
    worst: ['tolerable'],
    estimate: ['small', 'gain'],
    verdict: 'no regression',
    because: 'it is slower, but by less than is tolerated',
  },
  {
    interval: 'below zero',
    worst: ['intolerable'],
    estimate: ['small', 'gain'],
    verdict: 'cannot tell',
    because: 'it is slower, but perhaps by less than is tolerated',
  },
  {
    interval: 'around zero',
    worst: ['tolerable'],
    estimate: ESTIMATES,
    verdict: 'no regression',
    because: 'what it could have lost is less than is tolerated',
  },
  {
    interval: 'around zero',
    worst: ['intolerable'],
    estimate: ESTIMATES,
    verdict: 'cannot tell',
    because: 'the noise is larger than what is tolerated',
  },
  {
    interval: 'above zero',
    worst: WORSTS,
    estimate: ['gain'],
    verdict: 'improvement',
    because: 'it is faster, and by more than is tolerated',
  },
  {
    interval: 'above zero',
    worst: WORSTS,
    estimate: ['loss', 'small'],
    verdict: 'no regression',
    because: 'it is not slower',
  },
];

/** How the process ends; as in every command of sealdisk, 2 is a request that makes no sense. */
export const EXIT_CODES: Readonly<Record<Verdict, 0 | 1 | 3>> = {
  regression: 1,
  improvement: 0,
  'no regression': 0,
  'cannot tell': 3,
};

/** Of several verdicts, the first of these is that of all. */
const GRAVEST: readonly Verdict[] = ['regression', 'cannot tell', 'improvement', 'no regression'];

export interface Terms {
  /** The effect that matters, as a part of 1. */
  readonly tolerance: number;
  /** The probability of a false alarm in the whole run, as a part of 1. */
  readonly level: number;
}

/**
 * 3 % is what a machine with nothing else to do can see in a minute, and less than what people
 * raise alarms for. At a level of 2 %, one run in a hundred is called a regression that is none.
 */
export const DEFAULT_TERMS: Terms = { tolerance: 0.03, level: 0.02 };

/** Changes are parts of 1 of what A does; above 0: B is better. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly because: string;
  readonly change: number;
  /** Interval; null: unbounded. */
  readonly low: number | null;
  readonly high: number | null;
  /** What the interval misses with, after the correction for several metrics. */
  readonly level: number;
  readonly p: number;
  /** The smallest loss the run would have found, above 0; null: none. */
  readonly smallest: number | null;
  /** Rounds or blocks made. */
  readonly rounds: number;
  readonly repeats: number | null;
}

/** A metric to be judged: its shift at any level, and how many numbers that is from. */
export interface Subject {
  readonly rounds: number;
  shift(level: number): Shift;
}

const POWER = 0.9;
/** More rounds than this are no advice. */
const REPEATS_MAX = 100_000;

/** Judges the metrics of one run together. */
export function judge(subjects: readonly Subject[], terms: Terms): Judgement[] {
  const ps = subjects.map((subject) => subject.shift(terms.level).p);
  const levels = holmLevels(ps, terms.level);
  return subjects.map((subject, at) => judgeOne(subject, levels[at]!, terms.tolerance));
}

/** What the whole run is to be called. Nothing measured cannot be judged. */
export function overall(judgements: readonly Judgement[]): Verdict {
  const found = GRAVEST.find((verdict) => judgements.some((each) => each.verdict === verdict));
  return found ?? 'cannot tell';
}

function judgeOne(subject: Subject, level: number, tolerance: number): Judgement {
  const shift = subject.shift(level);
  const rule = ruleFor(shift, tolerance);
  const isBounded = Number.isFinite(shift.low) && Number.isFinite(shift.high);
  return {
    verdict: rule.verdict,
    because: rule.because,
    change: Math.expm1(shift.estimate),
    low: isBounded ? Math.expm1(shift.low) : null,
    high: isBounded ? Math.expm1(shift.high) : null,
    level,
    p: shift.p,
    smallest: isBounded ? smallestLoss(shift, level, tolerance) : null,
    rounds: subject.rounds,
    repeats: repeatsToSettle(shift, rule.verdict, subject.rounds, { tolerance, level }),
  };
}

/** The row of the table for an interval. A bound that is exactly 0 is around zero. */
export function ruleFor({ estimate, low, high }: Shift, tolerance: number): VerdictRule {
  const loss = Math.log1p(-tolerance);
  const isBounded = Number.isFinite(low) && Number.isFinite(high);
  const where = high < 0 ? 'below zero' : low > 0 ? 'above zero' : 'around zero';
  const interval = isBounded ? where : 'unbounded';
  const worst = low > loss ? 'tolerable' : 'intolerable';
  const size = estimate <= loss ? 'loss' : estimate >= -loss ? 'gain' : 'small';
  const rule = VERDICT_RULES.find(
    (row) => row.interval === interval && row.worst.includes(worst) && row.estimate.includes(size),
  );
  invariant(rule !== undefined, 'there is a rule for every interval');
  return rule;
}

function smallestLoss({ low, high }: Shift, level: number, tolerance: number): number {
  const error = (high - low) / 2 / normalQuantile(1 - level / 2);
  const fromZero = (normalQuantile(1 - level / 2) + normalQuantile(POWER)) * error;
  const fromTolerance = -Math.log1p(-tolerance) + normalQuantile(POWER) * error;
  return -Math.expm1(-Math.max(fromZero, fromTolerance));
}

/** An interval's width goes with the square root of the rounds. */
function repeatsToSettle(
  { estimate, low, high }: Shift,
  verdict: Verdict,
  rounds: number,
  { tolerance, level }: Terms,
): number | null {
  if (verdict !== 'cannot tell') return rounds;
  const half = (high - low) / 2;
  if (!Number.isFinite(half)) return Math.max(rounds + 1, roundsFor(level));
  const loss = Math.log1p(-tolerance);
  // A loss must be told from 0, anything smaller from the tolerance.
  const room = estimate <= loss ? -estimate : estimate - loss;
  const repeats = room <= 0 ? Number.POSITIVE_INFINITY : Math.ceil(rounds * (half / room) ** 2);
  return repeats > REPEATS_MAX ? null : Math.max(repeats, rounds + 1);
}

/** The fewest rounds that have an interval at this level: all of 2^n signs alike are rarer. */
export function roundsFor(level: number): number {
  return Math.ceil(Math.log2(2 / level));
}
