/**
 * Turns of one job, each beside R: what a baseline is made of, and what is compared with one.
 *
 * The first turn does not count; it says in which environment the job ran, and if that is not
 * wanted it is the only one. R is measured before each turn that counts. There are as many as the
 * time allows, and a least number, so that there are blocks enough for an interval.
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
  /** At least so many turns. */
  readonly turnsMin: number;
  /** False: an environment that is not to be measured. */
  readonly isWanted: (environment: Environment) => boolean;
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

const TURN_MS_MAX = 120_000;

/** Runs the job. @throws PlaneError InvalidArgument it failed */
export async function recordJob(options: RecordOptions): Promise<RecordedJob> {
  const { program, words, directory, metrics, seconds, turnsMin, signal, now, onTurn } = options;
  const call = { program, words, directory, timeoutMs: TURN_MS_MAX, signal };
  const reading = { kind: 'load', metrics } as const;
  const source = words.join(' ');
  const first = await runProgram(call);
  const measured = readMeasurements(first, reading, source).map(
    ({ name, unit, isBiggerBetter }): MeasuredMetric => ({ name, unit, isBiggerBetter, turns: [] }),
  );
  const calibration: number[] = [];
  const environment = readEnvironment(first, source);
  if (!options.isWanted(environment)) return { environment, calibration, metrics: measured };
  const started = now();
  while (calibration.length < turnsMin || now() - started < seconds * 1e3) {
    calibration.push(measureReference(now));
    const turn = readMeasurements(await runProgram(call), reading, source);
    for (const [at, value] of turnOf(measured, turn).entries()) measured[at]!.turns.push(value);
    onTurn(calibration.length);
  }
  return { environment, calibration, metrics: measured };
}
