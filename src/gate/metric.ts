/**
 * What a turn measures: numbers with a name, a unit and a better direction, read from what the
 * measured program printed.
 *
 * Three kinds of output are read, and nothing is guessed: a report of `sealdisk load --json` (or
 * fio's), of which each job gives the metrics of LOAD_METRICS that were asked for; any other JSON,
 * of which a path names one number; and a number by itself on the last line. Output that has no
 * such number, or one that is not above 0, is an error and never a pass.
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly isBiggerBetter: boolean;
  /** What turns of one side of a round come to: rounds.ts. @default 'mean' */
  readonly summary?: Summary;
}

/** All of the turns, or those that nothing disturbed. */
export type Summary = 'mean' | 'best';

export interface Measurement extends Metric {
  readonly value: number;
}

/** Where the numbers are in what a program prints. */
export type Reading =
  | { readonly kind: 'load'; readonly metrics: readonly LoadMetricName[] }
  | { readonly kind: 'number'; readonly path: string; readonly isBiggerBetter: boolean };

const direction = v.object({
  total_ios: v.number(),
  iops: v.number(),
  bw_bytes: v.number(),
  clat_ns: v.object({ mean: v.number(), percentile: v.optional(v.record(v.string(), v.number())) }),
});
const loadReport = v.object({
  jobs: v.pipe(
    v.array(
      v.object({
        jobname: v.string(),
        error: v.number(),
        read: direction,
        write: direction,
        job_runtime: v.optional(v.number()),
        usr_cpu: v.optional(v.number()),
        sys_cpu: v.optional(v.number()),
      }),
    ),
    v.minLength(1),
  ),
});

const environmentShape = v.object({
  sealdisk: v.object({
    environment: v.record(v.string(), v.union([v.string(), v.number()])),
  }),
});

type LoadJob = v.InferOutput<typeof loadReport>['jobs'][number];

interface LoadMetric {
  readonly unit: string;
  readonly isBiggerBetter: boolean;
  readonly summary: Summary;
  readonly read: (job: LoadJob) => number | undefined;
}

const busier = ({ read, write }: LoadJob): LoadJob['read'] =>
  read.total_ios >= write.total_ios ? read : write;
const percentile =
  (key: string): LoadMetric['read'] =>
  (job) =>
    busier(job).clat_ns.percentile?.[key];
/** ns a request: percent of a core, over milliseconds. */
const cpuOf: LoadMetric['read'] = ({ usr_cpu, sys_cpu, job_runtime, read, write }) => {
  if (usr_cpu === undefined || sys_cpu === undefined || job_runtime === undefined) return undefined;
  return ((usr_cpu + sys_cpu) * job_runtime * 1e4) / (read.total_ios + write.total_ios);
};

const rate = { isBiggerBetter: true, summary: 'mean' } as const;
const latency = { unit: 'ns', isBiggerBetter: false, summary: 'mean' } as const;

/**
 * Latencies are of reads or of writes, of whichever there are more. cpu is the processor time of
 * all threads a request: the load of others on the machine hardly lengthens it, so it tells small
 * losses where rates cannot; a request that waits for longer is seen by rates alone.
 */
export const LOAD_METRICS = {
  iops: { ...rate, unit: '1/s', read: (job) => job.read.iops + job.write.iops },
  bw: { ...rate, unit: 'B/s', read: (job) => job.read.bw_bytes + job.write.bw_bytes },
  cpu: { unit: 'ns', isBiggerBetter: false, summary: 'best', read: cpuOf },
  mean: { ...latency, read: (job) => busier(job).clat_ns.mean },
  p50: { ...latency, read: percentile('50.000000') },
  p99: { ...latency, read: percentile('99.000000') },
} as const satisfies Readonly<Record<string, LoadMetric>>;

export type LoadMetricName = keyof typeof LOAD_METRICS;

/**
 * The measurements in a program's output.
 *
 * @param source what printed it, for the error
 * @throws PlaneError InvalidArgument it has not what was to be read
 */
export function readMeasurements(text: string, reading: Reading, source: string): Measurement[] {
  const found = reading.kind === 'load' ? ofReport(text, reading.metrics, source) : [];
  if (reading.kind === 'number') {
    const { path, isBiggerBetter } = reading;
    const name = path === '' ? 'number' : path;
    found.push({ name, unit: '', isBiggerBetter, value: numberAt(text, path, source) });
  }
  for (const { name, value } of found) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw refusal(source, `${name} above 0`, String(value));
    }
  }
  return found;
}

/** The values of a turn in the order of the metrics. */
export function turnOf(metrics: readonly Metric[], turn: readonly Measurement[]): number[] {
  const names = metrics.map(({ name }) => name).join(', ');
  const got = turn.map(({ name }) => name).join(', ');
  if (names === got) return turn.map(({ value }) => value);
  throw new PlaneError('InvalidArgument', `a turn: expected the metrics ${names}, got ${got}`);
}

/** The environment a report of our load says it was made in. */
export function readEnvironment(text: string, source: string): Record<string, string | number> {
  const parsed = v.safeParse(environmentShape, parseJson(text, source));
  if (parsed.success) return parsed.output.sealdisk.environment;
  throw refusal(source, 'an environment in its report', parsed.issues[0].message);
}

function ofReport(text: string, names: readonly LoadMetricName[], source: string): Measurement[] {
  const parsed = v.safeParse(loadReport, parseJson(text, source));
  if (!parsed.success) {
    throw refusal(source, 'a report of sealdisk load --json', parsed.issues[0].message);
  }
  return parsed.output.jobs.flatMap((job) => {
    if (job.error !== 0) throw refusal(source, 'a job without errors', `error ${job.error}`);
    return names.map((metricName) => {
      const { unit, isBiggerBetter, summary, read } = LOAD_METRICS[metricName];
      const value = read(job) ?? Number.NaN;
      return { name: `${job.jobname} ${metricName}`, unit, isBiggerBetter, summary, value };
    });
  });
}

function numberAt(text: string, path: string, source: string): number {
  if (path === '') return Number(text.trim().split('\n').at(-1) || 'nothing');
  let place: unknown = parseJson(text, source);
  for (const step of path.split('.')) {
    const isWhole = typeof place === 'object' && place !== null;
    place = isWhole ? (place as Record<string, unknown>)[step] : undefined;
  }
  if (typeof place !== 'number') throw refusal(source, `a number at ${path}`, typeof place);
  return place;
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(source, 'one JSON document on stdout', (error as Error).message);
  }
}

function refusal(source: string, expected: string, got: string): PlaneError {
  return new PlaneError('InvalidArgument', `${source}: expected ${expected}, got ${got}`);
}
