/**
 * A baseline: what jobs came to on one machine at one time, as a file.
 *
 * Raw turns are kept, not figures made of them, so that whoever compares can use the statistic that
 * is right; with the environment, without which they mean nothing, R beside each turn, and the
 * noise floor: what an A/A comparison of the turns with themselves makes of them.
 *
 * The file is one JSON document. `schema` names its shape and version; another one is refused, as
 * is a file with anything missing, by the name of what is missing. Fields may be added in a
 * version.
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { createPrng } from '../base/prng.ts';
import { blocksOf, differencesOf, orderOfRound, type Round } from './rounds.ts';
import { middle, signedRankShift } from './statistics.ts';
import { DEFAULT_TERMS, judge } from './verdict.ts';

const BASELINE_SCHEMA_ID = 'sealdisk-gate-baseline/1';

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const part = v.nullable(v.pipe(v.number(), v.finite()));

const metric = v.object({
  name: v.string(),
  unit: v.string(),
  isBiggerBetter: v.boolean(),
  /** Every turn, in the order made. */
  turns: v.pipe(v.array(positive), v.minLength(4)),
});
const job = v.object({
  /** Of a job file: its path, as it was given. */
  name: v.string(),
  /** SHA-256 of what was run; null: nothing was run that has a text. */
  hash: v.nullable(v.string()),
  /** R beside each turn, bytes a second; none: not measured. */
  calibration: v.array(positive),
});
const noise = v.object({
  /** Interval of an A/A comparison, parts of 1; null: too few turns. */
  low: part,
  high: part,
  /** The smallest loss that as many turns a side would find. */
  smallest: part,
  /** From the first half of the turns to the second. */
  drift: v.pipe(v.number(), v.finite()),
});
const environment = v.record(v.string(), v.union([v.string(), v.number()]));
const baselineShape = v.object({
  schema: v.literal(BASELINE_SCHEMA_ID),
  recordedAt: v.string(),
  version: v.string(),
  commit: v.nullable(v.string()),
  environment,
  jobs: v.pipe(
    v.array(v.object({ ...job.entries, metrics: v.array(v.object({ ...metric.entries, noise })) })),
    v.minLength(1),
  ),
});

export type Environment = v.InferOutput<typeof environment>;
export type Noise = v.InferOutput<typeof noise>;
export type Baseline = v.InferOutput<typeof baselineShape>;

/** Turns of one metric. */
export type MeasuredMetric = v.InferOutput<typeof metric>;
/** Turns of one job. */
export type MeasuredJob = v.InferOutput<typeof job> & {
  readonly metrics: readonly MeasuredMetric[];
};

/** What was measured now: what a baseline is made of, and compared with. */
export interface MeasuredRun {
  readonly environment: Environment;
  readonly jobs: readonly MeasuredJob[];
}

export interface BaselineHead {
  readonly recordedAt: string;
  readonly version: string;
  readonly commit: string | null;
}

/** A baseline of a run, with its noise floor. */
export function makeBaseline(run: MeasuredRun, head: BaselineHead): Baseline {
  const jobs = run.jobs.map(({ metrics, ...rest }) => ({
    ...rest,
    metrics: metrics.map((each) => ({ ...each, noise: noiseOf(each) })),
  }));
  return { schema: BASELINE_SCHEMA_ID, ...head, environment: run.environment, jobs };
}

/**
 * Reads a baseline.
 *
 * @param source the file, for the error
 * @throws PlaneError InvalidArgument it is none, or of another version
 */
export function parseBaseline(text: string, source: string): Baseline {
  const refuse = (expected: string, got: string): PlaneError =>
    new PlaneError('InvalidArgument', `${source}: expected ${expected}, got ${got}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refuse('a baseline', (error as Error).message);
  }
  const schema = (document as { schema?: unknown } | null)?.schema;
  if (schema !== BASELINE_SCHEMA_ID) throw refuse(BASELINE_SCHEMA_ID, JSON.stringify(schema));
  const parsed = v.safeParse(baselineShape, document);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const expected = `${issue.expected ?? 'another value'} at ${v.getDotPath(issue) ?? 'the top'}`;
  throw refuse(expected, issue.received);
}

/** The noise floor: the turns compared with themselves, every second pair of a round called B. */
export function noiseOf({ turns, isBiggerBetter }: MeasuredMetric): Noise {
  const prng = createPrng(turns.length);
  const rounds: Round[] = blocksOf(turns).map((_, block) => {
    const round: { a: number[]; b: number[] } = { a: [], b: [] };
    for (const [at, side] of orderOfRound(prng).entries()) round[side].push(turns[4 * block + at]!);
    return round;
  });
  const differences = differencesOf(rounds, { isBiggerBetter });
  const shift = (level: number): ReturnType<typeof signedRankShift> =>
    signedRankShift(differences, level);
  const [judgement] = judge([{ rounds: rounds.length, shift }], DEFAULT_TERMS);
  const { low, high, smallest } = judgement!;
  return { low, high, smallest, drift: driftOf(turns) };
}

/** How far the second half of the turns lies from the first, in logarithms. */
export function driftOf(turns: readonly number[]): number {
  const half = turns.length >> 1;
  const logarithms = (from: number, to: number): number[] =>
    turns
      .slice(from, to)
      .map(Math.log)
      .sort((a, b) => a - b);
  return middle(logarithms(half, turns.length)) - middle(logarithms(0, half));
}
