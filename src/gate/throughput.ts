/**
 * Throughput of a function in this process: in turns beside R, or of two in rounds; and what
 * tinybench measured, as turns.
 *
 * What is measured: calls a second, over turns of some milliseconds, the first of which does not
 * count. Asynchronous work is awaited call by call. Two functions in rounds (rounds.ts) share every
 * disturbance of the process; a run and a baseline do not, and are compared as baseline-check.ts
 * says. Turns in one process are less independent than processes are: what a compiler decided once
 * is in all of them.
 */
import { availableParallelism, cpus } from 'node:os';
import { systemClock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { createPrng } from '../base/prng.ts';
import { type JudgedMetric, runAb } from './ab-run.ts';
import type { Environment, MeasuredRun } from './baseline.ts';
import { measureReference } from './calibration.ts';
import type { Measurement } from './metric.ts';
import { DEFAULT_TERMS, type Terms } from './verdict.ts';

/** What is measured: one operation. */
export type Work = () => unknown;

export interface ThroughputOptions {
  /** Turns that count. @default 40 */
  readonly turns?: number;
  /** Length of a turn. @default 25 */
  readonly turnMs?: number;
}

export interface InTurnsOptions {
  /** @default 5 */
  readonly seconds?: number;
  /** Length of a turn. @default 25 */
  readonly turnMs?: number;
  /** Of the order of turns. @default 1 */
  readonly seed?: number;
  readonly terms?: Partial<Terms>;
}

/** A tinybench task, or its result, as much of it as is read. */
export interface TinybenchTask {
  readonly name?: string;
  readonly result: TinybenchResult;
}
export interface TinybenchResult {
  /** Milliseconds; none of a task that failed or was not run. */
  readonly latency?: { readonly samples?: readonly number[] | undefined };
}

const TURNS_DEFAULT = 40;
const TURN_MS = 25;
const SECONDS_DEFAULT = 5;
const THROUGHPUT = { unit: '1/s', isBiggerBetter: true };

/** Measures one function: to be held against a baseline. */
export async function measureThroughput(
  name: string,
  work: Work,
  { turns = TURNS_DEFAULT, turnMs = TURN_MS }: ThroughputOptions = {},
): Promise<MeasuredRun> {
  await rateOf(work, turnMs);
  const rates: number[] = [];
  const calibration: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    calibration.push(measureReference(systemClock.monotonic));
    rates.push(await rateOf(work, turnMs));
  }
  return runOf(name, rates, calibration);
}

/** Measures two functions in rounds: is the first as fast as the second? */
export async function inTurns(
  work: Work,
  reference: Work,
  { seconds = SECONDS_DEFAULT, turnMs = TURN_MS, seed = 1, terms = {} }: InTurnsOptions = {},
): Promise<JudgedMetric[]> {
  const takeTurn = async (side: 'a' | 'b'): Promise<Measurement[]> => [
    {
      name: 'throughput',
      ...THROUGHPUT,
      value: await rateOf(side === 'a' ? reference : work, turnMs),
    },
  ];
  return runAb({
    openPair: async () => ({ takeTurn, close: async () => {} }),
    foursInRound: 1,
    seconds,
    seed,
    terms: { ...DEFAULT_TERMS, ...terms },
    signal: new AbortController().signal,
    now: systemClock.monotonic,
  });
}

/**
 * What tinybench measured. It keeps its samples sorted, so the order in which they were made is
 * lost: turns are made of samples drawn by a seeded shuffle, and drift is not seen.
 */
export function throughputOfTinybench(task: TinybenchTask | TinybenchResult): MeasuredRun {
  const isTask = 'result' in task;
  const samples = (isTask ? task.result : task).latency?.samples ?? [];
  const size = Math.floor(samples.length / TURNS_DEFAULT);
  if (size === 0) {
    const expected = `${TURNS_DEFAULT} samples or more (retainSamples: true)`;
    throw new PlaneError(
      'InvalidArgument',
      `tinybench: expected ${expected}, got ${samples.length}`,
    );
  }
  const shuffled = shuffle(samples);
  const rates = Array.from({ length: TURNS_DEFAULT }, (_, turn) => {
    const part = shuffled.slice(turn * size, (turn + 1) * size);
    return (size * 1e3) / part.reduce((sum, milliseconds) => sum + milliseconds, 0);
  });
  return runOf((isTask ? task.name : undefined) ?? 'tinybench', rates, []);
}

/** Where this process runs. */
function environmentHere(): Environment {
  return {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  };
}

function runOf(name: string, turns: number[], calibration: number[]): MeasuredRun {
  const metrics = [{ name: 'throughput', ...THROUGHPUT, turns }];
  return { environment: environmentHere(), jobs: [{ name, hash: null, calibration, metrics }] };
}

function shuffle(values: readonly number[]): number[] {
  const prng = createPrng(values.length);
  const shuffled = [...values];
  for (let left = shuffled.length - 1; left > 0; left--) {
    const at = prng.nextBelow(left + 1);
    [shuffled[left], shuffled[at]] = [shuffled[at]!, shuffled[left]!];
  }
  return shuffled;
}

async function rateOf(work: Work, turnMs: number): Promise<number> {
  const started = systemClock.monotonic();
  let calls = 0;
  let elapsed = 0;
  do {
    const answer = work();
    if (answer instanceof Promise) await answer;
    calls += 1;
    elapsed = systemClock.monotonic() - started;
  } while (elapsed < turnMs);
  return (calls * 1e3) / elapsed;
}
