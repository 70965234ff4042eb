/**
 * sealdisk/vitest: throughput that a test suite holds. `expect(run).toHoldThroughput(baseline)`.
 *
 * A run is what measureThroughput() measured, a tinybench task with its samples, or what inTurns()
 * compared: that needs no baseline. It holds unless the verdict is a regression; with `strict`,
 * cannot tell does not hold either. A baseline of another environment never holds, unless
 * `recalibrate`.
 *
 * @example
 * import { inTurns, throughputMatchers } from 'sealdisk/vitest';
 * const compared = await inTurns(() => [3, 1, 2].sort(), () => [3, 1, 2].toSorted(), { seconds: 1
 * }); const { pass, message } = throughputMatchers.toHoldThroughput(compared); console.log(pass,
 * message());
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type {} from 'vitest';
import { systemClock } from './base/clock.ts';
import type { JudgedMetric } from './gate/ab-run.ts';
import {
  type Baseline,
  type BaselineHead,
  type MeasuredRun,
  makeBaseline,
  parseBaseline,
} from './gate/baseline.ts';
import { checkAgainst, environmentChanges } from './gate/baseline-check.ts';
import {
  type GateHead,
  type GateReport,
  reportOfCheck,
  reportOfRounds,
} from './gate/gate-report.ts';
import { gateText } from './gate/report-text.ts';
import {
  type TinybenchResult,
  type TinybenchTask,
  throughputOfTinybench,
} from './gate/throughput.ts';
import { DEFAULT_TERMS, type Terms } from './gate/verdict.ts';

export type { JudgedMetric } from './gate/ab-run.ts';
export type { Baseline, MeasuredRun } from './gate/baseline.ts';
export type {
  InTurnsOptions,
  ThroughputOptions,
  TinybenchResult,
  TinybenchTask,
  Work,
} from './gate/throughput.ts';
export { inTurns, measureThroughput } from './gate/throughput.ts';
export type { Terms, Verdict } from './gate/verdict.ts';

export interface HoldOptions extends Partial<Terms> {
  /** Cannot tell does not hold. @default false */
  readonly strict?: boolean;
  /** A baseline of another environment is compared as parts of R, less surely. @default false */
  readonly recalibrate?: boolean;
}

/** What can be held against a baseline, and be one. */
export type Measured = MeasuredRun | TinybenchTask | TinybenchResult;

export interface Held {
  readonly pass: boolean;
  readonly message: () => string;
  readonly report?: GateReport;
}

declare module 'vitest' {
  interface Matchers<T> {
    /** @param baseline what readBaseline() read, or another run; none for what inTurns() gave */
    toHoldThroughput(baseline?: Baseline | Measured | null, options?: HoldOptions): T;
  }
}

/** For `expect.extend(throughputMatchers)`. */
export const throughputMatchers = {
  toHoldThroughput(
    received: Measured | readonly JudgedMetric[],
    baseline?: Baseline | Measured | null,
    options: HoldOptions = {},
  ): Held {
    const { strict = false, recalibrate = false, ...given } = options;
    const terms = { ...DEFAULT_TERMS, ...given };
    const common = { a: 'baseline', b: 'now', terms, seconds: 0, tookSeconds: null, seed: null };
    if (isJudged(received)) {
      return held(reportOfRounds({ ...common, environmentChanges: [] }, received), strict);
    }
    if (baseline === undefined || baseline === null) {
      throw new TypeError('toHoldThroughput: expected a baseline, got none');
    }
    const run = runOf(received);
    const then = 'schema' in baseline ? baseline : makeBaseline(runOf(baseline), headOfNow(''));
    const changes = environmentChanges(then.environment, run.environment);
    if (changes.length > 0 && !recalibrate) return foreign(changes);
    const head: GateHead = { ...common, environmentChanges: changes };
    return held(reportOfCheck(head, checkAgainst(then, run, terms)), strict);
  },
};

/** Reads a baseline that writeBaseline() or `sealdisk gate record` wrote. */
export function readBaseline(fileName: string): Baseline {
  return parseBaseline(readFileSync(fileName, 'utf8'), fileName);
}

/** Keeps a run as a baseline. @param version of what was measured, for people */
export function writeBaseline(fileName: string, measured: Measured, version = ''): void {
  const baseline = makeBaseline(runOf(measured), headOfNow(version));
  writeFileSync(fileName, `${JSON.stringify(baseline, null, 2)}\n`);
}

function headOfNow(version: string): BaselineHead {
  return { recordedAt: new Date(systemClock.now()).toISOString(), version, commit: null };
}

function isJudged(
  received: Measured | readonly JudgedMetric[],
): received is readonly JudgedMetric[] {
  return Array.isArray(received);
}

function runOf(measured: Measured): MeasuredRun {
  return 'jobs' in measured ? measured : throughputOfTinybench(measured);
}

function held(report: GateReport, isStrict: boolean): Held {
  const { verdict } = report;
  const pass = verdict !== 'regression' && !(isStrict && verdict === 'cannot tell');
  const wanted = pass ? 'expected the throughput not to be held' : 'expected it to be held';
  return { pass, message: () => `${wanted}\n\n${gateText(report)}`, report };
}

function foreign(changes: ReturnType<typeof environmentChanges>): Held {
  const lines = changes.map(
    ({ name, baseline, current }) =>
      `  ${name}: recorded with ${baseline ?? 'none'}, here ${current ?? 'none'}`,
  );
  const message = `the baseline is of another environment:\n${lines.join('\n')}`;
  return { pass: false, message: () => message };
}
