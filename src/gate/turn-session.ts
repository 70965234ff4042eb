/**
 * A process that stays: it is warm, and takes a turn when it is told to. Between its turns it is
 * idle, so two of them can have the machine in turns of some milliseconds.
 *
 * The process is a `sealdisk load JOB --in-turns MS`: a line on its stdin is a turn, a line on its
 * stdout is what came of it. A process that ends with the exit code of a command line it does not
 * understand, before it has said anything, knows no turns: an older revision.
 */
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { LOAD_METRICS, type LoadMetricName, type Measurement } from './metric.ts';
import { type ProgramCall, type StartedProgram, startProgram } from './turn-process.ts';

export interface TurnSession {
  takeTurn(): Promise<Measurement[]>;
  /** Ends the process. */
  close(): Promise<void>;
}

const SCHEMA_ID = 'sealdisk-load-turns/1';
const EXIT_USAGE = 2;
const END_MS_MAX = 10_000;

const headShape = v.object({ schema: v.literal(SCHEMA_ID) });
const turnShape = v.object({
  jobs: v.array(
    v.object({
      name: v.string(),
      requests: v.number(),
      bytes: v.number(),
      elapsedMs: v.number(),
      cpuMs: v.number(),
    }),
  ),
});
type JobTurn = v.InferOutput<typeof turnShape>['jobs'][number];

/** What a turn tells of. Latencies are not among it: they are of whole runs. */
const TURN_METRICS = {
  iops: ({ requests, elapsedMs }: JobTurn) => (requests * 1e3) / elapsedMs,
  bw: ({ bytes, elapsedMs }: JobTurn) => (bytes * 1e3) / elapsedMs,
  cpu: ({ requests, cpuMs }: JobTurn) => (cpuMs * 1e6) / requests,
} as const satisfies Partial<Record<LoadMetricName, (job: JobTurn) => number>>;

type TurnMetricName = keyof typeof TURN_METRICS;

export function isTurnMetric(name: LoadMetricName): name is TurnMetricName {
  return name in TURN_METRICS;
}

/**
 * Starts a process and waits until it is ready for turns.
 *
 * @returns null: it knows no turns
 * @throws PlaneError InvalidArgument it failed
 */
export async function openSession(
  call: ProgramCall,
  metrics: readonly TurnMetricName[],
): Promise<TurnSession | null> {
  const started = startProgram(call, 'pipe');
  const { child, stop, ended } = started;
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  // A process that has ended does not read: its end is what is told of.
  child.stdin!.on('error', () => {});
  const next = async (): Promise<string | null> => {
    const timer = setTimeout(() => stop(`no answer in ${call.timeoutMs} ms`), call.timeoutMs);
    const line = await lines.next().finally(() => clearTimeout(timer));
    return line.done === true ? null : line.value;
  };
  const head = await next();
  if (head === null && (await ended) === EXIT_USAGE) return null;
  try {
    parse(headShape, await lineOf(head, started), started);
  } catch (error) {
    stop('it is none that takes turns');
    throw error;
  }
  return {
    takeTurn: async () => {
      child.stdin!.write('\n');
      const { jobs } = parse(turnShape, await lineOf(await next(), started), started);
      return jobs.flatMap((job) => metrics.map((name) => measurementOf(job, name, started.name)));
    },
    close: async () => {
      const timer = setTimeout(() => stop(`not done in ${END_MS_MAX} ms`), END_MS_MAX);
      child.stdin!.end();
      await ended.finally(() => clearTimeout(timer));
    },
  };
}

/** The line; or why there is none. */
async function lineOf(line: string | null, started: StartedProgram): Promise<string> {
  if (line !== null) return line;
  const code = await started.ended;
  throw refusal(started, `expected a turn, got its end (${code ?? 'a signal'})`);
}

function parse<Shape extends v.GenericSchema>(
  shape: Shape,
  line: string,
  started: StartedProgram,
): v.InferOutput<Shape> {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    throw refusal(started, `expected a line of JSON, got ${line.slice(0, 100)}`);
  }
  const parsed = v.safeParse(shape, document);
  if (parsed.success) return parsed.output;
  throw refusal(started, `expected ${SCHEMA_ID}: ${parsed.issues[0].message}`);
}

function measurementOf(job: JobTurn, name: TurnMetricName, source: string): Measurement {
  const { unit, isBiggerBetter, summary } = LOAD_METRICS[name];
  const value = TURN_METRICS[name](job);
  if (!(value > 0 && Number.isFinite(value))) {
    const detail = `${source}: expected ${job.name} ${name} above 0, got ${value}`;
    throw new PlaneError('InvalidArgument', detail);
  }
  return { name: `${job.name} ${name}`, unit, isBiggerBetter, summary, value };
}

function refusal({ name, complaint }: StartedProgram, how: string): PlaneError {
  return new PlaneError('InvalidArgument', `${name}: ${how}\n${complaint()}`.trim());
}
