/**
 * A run against a baseline: the same jobs, at another time, perhaps on another machine.
 *
 * What is compared. The two have no turns in common, so there are no rounds: blocks of four turns
 * (rounds.ts) of one against blocks of the other, by the rank-sum test. Two things make that less
 * sure than rounds are, and the interval is widened for both:
 * 1. The machine may be another, or as fast as another. How a job depends on R, the machine's speed
 *    at encryption, is not known: it may not depend on it at all, or in proportion. So the interval
 *    holds both: that of the turns as they are, and that of the turns as parts of R. Where R is
 *    what it was, the two are one.
 * 2. Between two times lies whatever happens to a machine in between. How much that is, is what it
 *    moved by within either run: the larger of their drifts (baseline.ts) is added at both ends.
 * A baseline of another environment is refused, unless the caller asks for it to be re-expressed
 * against R: then 1. is what makes the verdict weaker. A job that is not the one of the baseline is
 * refused always.
 */
import { PlaneError } from '../base/errors.ts';
import {
  type Baseline,
  driftOf,
  type Environment,
  type MeasuredJob,
  type MeasuredMetric,
  type MeasuredRun,
} from './baseline.ts';
import { turnOf } from './metric.ts';
import { blocksOf } from './rounds.ts';
import { rankSumShift, type Shift } from './statistics.ts';
import { type Judgement, judge, type Terms } from './verdict.ts';

/** One metric of one job, then and now. */
export interface CheckedMetric {
  readonly job: string;
  readonly baseline: MeasuredMetric;
  readonly current: MeasuredMetric;
  readonly judgement: Judgement;
}

/** What is not as it was: name, then, now. */
export interface EnvironmentChange {
  readonly name: string;
  readonly baseline: string | number | null;
  readonly current: string | number | null;
}

/** Where two environments differ. */
export function environmentChanges(
  baseline: Environment,
  current: Environment,
): EnvironmentChange[] {
  const names = [...new Set([...Object.keys(baseline), ...Object.keys(current)])];
  return names
    .filter((name) => baseline[name] !== current[name])
    .map((name) => ({
      name,
      baseline: baseline[name] ?? null,
      current: current[name] ?? null,
    }));
}

/**
 * Judges a run against a baseline. The environments are the caller's business.
 *
 * @throws PlaneError InvalidArgument a job or metric of one is not in the other
 */
export function checkAgainst(baseline: Baseline, run: MeasuredRun, terms: Terms): CheckedMetric[] {
  const pairs = run.jobs.flatMap((job) => {
    const before = baseline.jobs.find(({ name }) => name === job.name);
    if (before === undefined) throw refusal(`a job ${names(baseline.jobs)}`, job.name);
    if (before.hash !== job.hash) {
      throw refusal(`${job.name} as it was recorded, ${before.hash}`, String(job.hash));
    }
    // Asserts that the metrics are the same.
    turnOf(
      before.metrics,
      job.metrics.map((metric) => ({ ...metric, value: 1 })),
    );
    return job.metrics.map((current, at) => ({
      job,
      before,
      baseline: before.metrics[at]!,
      current,
    }));
  });
  const subjects = pairs.map((pair) => ({
    rounds: Math.min(blocksOf(pair.baseline.turns).length, blocksOf(pair.current.turns).length),
    shift: (level: number) => widestShift(pair, level),
  }));
  const judgements = judge(subjects, terms);
  return pairs.map(({ job, baseline: then, current }, at) => ({
    job: job.name,
    baseline: then,
    current,
    judgement: judgements[at]!,
  }));
}

interface Pair {
  readonly before: MeasuredJob;
  readonly job: MeasuredJob;
  readonly baseline: MeasuredMetric;
  readonly current: MeasuredMetric;
}

function widestShift({ before, job, baseline, current }: Pair, level: number): Shift {
  const shifts = [shiftOf(baseline, current, level, null)];
  if (isCalibrated(before) && isCalibrated(job)) {
    shifts.push(
      shiftOf(baseline, current, level, { before: before.calibration, now: job.calibration }),
    );
  }
  const drift = Math.max(Math.abs(driftOf(baseline.turns)), Math.abs(driftOf(current.turns)));
  return {
    estimate: shifts.reduce((sum, { estimate }) => sum + estimate, 0) / shifts.length,
    low: Math.min(...shifts.map(({ low }) => low)) - drift,
    high: Math.max(...shifts.map(({ high }) => high)) + drift,
    p: Math.max(...shifts.map(({ p }) => p)),
  };
}

/** True if R was measured beside every turn. */
export function isCalibrated({ calibration, metrics }: MeasuredJob): boolean {
  return metrics.every(({ turns }) => turns.length === calibration.length);
}

/** Blocks now against blocks then, above 0 if better now; as parts of R if there is one. */
function shiftOf(
  baseline: MeasuredMetric,
  current: MeasuredMetric,
  level: number,
  reference: { readonly before: readonly number[]; readonly now: readonly number[] } | null,
): Shift {
  const blocks = (metric: MeasuredMetric, beside: readonly number[] | undefined): number[] => {
    const rates = metric.turns.map((value) => (metric.isBiggerBetter ? value : 1 / value));
    return blocksOf(rates.map((rate, turn) => rate / (beside?.[turn] ?? 1)));
  };
  return rankSumShift(blocks(current, reference?.now), blocks(baseline, reference?.before), level);
}

function names(jobs: readonly { readonly name: string }[]): string {
  return jobs.map(({ name }) => name).join(', ');
}

function refusal(expected: string, got: string): PlaneError {
  return new PlaneError('InvalidArgument', `the baseline: expected ${expected}, got ${got}`);
}
