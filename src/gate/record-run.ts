/**
 * Turns of one job, each beside R: what a baseline is made of, and what is compared with one.
 *
 * The first turn does not count. R is measured before each turn that does. There are as many turns
 * as the time allows, and TURNS_MIN at the least, so that there are blocks enough for an interval.
 */

import type { Environment, MeasuredMetric } from './baseline.ts';
import { measureReference } from './calibration.ts';
import { type LoadMetricName, readEnvironment, readMeasurements, turnOf } from './metric.ts';
import { runProgram } from './turn-process.ts';

export interface RecordOptions {
  /** Prints a report of sealdisk load --json. */
  readonly program: string;
  readonly words: readonly string[];
  readonly directory: string;
  readonly metrics: readonly LoadMetricName[];
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly onTurn: (turn: number) => void;
}

export interface RecordedJob {
  readonly environment: Environment;
  readonly calibration: number[];
  readonly metrics: MeasuredMetric[];
}

/** Eight blocks on each side: the rank-sum test of so many tells apart at a level of 0.0002. */
const TURNS_MIN = 32;
const TURN_MS_MAX = 120_000;

/** Runs the job. @throws PlaneError InvalidArgument it failed */
export async function recordJob(options: RecordOptions): Promise<RecordedJob> {
  const { program, words, directory, metrics, seconds, signal, now, onTurn } = options;
  const call = { program, words, directory, timeoutMs: TURN_MS_MAX, signal };
  const reading = { kind: 'load', metrics } as const;
  const source = words.join(' ');
  const first = await runProgram(call);
  const measured = readMeasurements(first, reading, source).map(
    ({ name, unit, isBiggerBetter }): MeasuredMetric => ({ name, unit, isBiggerBetter, turns: [] }),
  );
  const calibration: number[] = [];
  const started = now();
  while (calibration.length < TURNS_MIN || now() - started < seconds * 1e3) {
    calibration.push(measureReference(now));
    const turn = readMeasurements(await runProgram(call), reading, source);
    for (const [at, value] of turnOf(measured, turn).entries()) measured[at]!.turns.push(value);
    onTurn(calibration.length);
  }
  return { environment: readEnvironment(first, source), calibration, metrics: measured };
}
