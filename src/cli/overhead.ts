/**
 * `sealdisk overhead`: "encryption hardly degrades performance", as one figure.
 *
 * The same load on an encrypted disk and on a plain one, in short turns, for disks as fast
 * as each performance level of an ESSD is sold, and for disks as fast as this machine lets them be.
 * load/paired-overhead.ts says how the figure and its interval are made of the turns.
 *
 * The claim is about disks of the cloud: it holds if every modelled row keeps 0.97 of the plain
 * rate. What the unlimited row shows is what this machine's processors do, and is only reported.
 *
 * Exit codes: 0 the claim holds, 1 it does not, 2 the request makes no sense, 3 the intervals are
 * too wide to say, 130 interrupted.
 */
import { ComparisonRun } from '../load/comparison-run.ts';
import { readJobFile } from '../load/job.ts';
import { startStatusLine } from '../load/status-line.ts';
import { createLibraryTarget, type LoadDiskKind } from '../load/target-library.ts';
import { turnsOf } from '../load/turns.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import { jsonOf, type SubjectResult, sentenceOf, tableOf, verdictOf } from './overhead-report.ts';
import type { Terminal } from './terminal.ts';

export interface OverheadFlags {
  readonly seconds?: string;
  readonly json?: boolean;
}

interface Subject {
  readonly name: string;
  /** null: as fast as the machine lets it be. */
  readonly kind: LoadDiskKind | null;
}

const SECONDS_DEFAULT = 24;
/** Six pairs of turns of half a second for each of two workloads: fewer give no interval. */
const SECONDS_MIN = 12;
const SECONDS_MAX = 600;
const ESSD = 'cloud_essd';

/** Each level at the smallest size it is sold in, but PL0 and PL1: at 100 GiB. */
const SUBJECTS: readonly Subject[] = [
  essd('PL0', 100),
  essd('PL1', 100),
  essd('PL2', 461),
  essd('PL3', 1261),
  { name: 'unlimited', kind: null },
];

/** Deep enough for PL3: 64,850 requests a second of 0.2 ms each are 13 in flight. */
const JOBS = `
[global]
size=128m
time_based
[4k]
rw=randrw
bs=4k
iodepth=32
[128k]
stonewall
rw=randrw
bs=128k
iodepth=16
`;

/** Runs the command. */
export async function runOverhead(
  flags: OverheadFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
  onStart: (stop: () => void) => void,
): Promise<ExitCode> {
  const seconds = secondsOf(flags);
  let isStopped = false;
  let running: ComparisonRun | null = null;
  onStart(() => {
    isStopped = true;
    running?.stop();
  });
  const results: SubjectResult[] = [];
  for (const subject of SUBJECTS) {
    if (isStopped) break;
    terminal.say(`${subject.name}: ${seconds} s`);
    const start = (run: ComparisonRun): void => {
      running = run;
    };
    results.push(await measure(subject, seconds, openPlane, terminal, start));
  }
  const verdict = isStopped ? EXIT.interrupted : verdictOf(results);
  terminal.print(flags.json === true ? jsonOf(results, seconds, verdict) : tableOf(results));
  terminal.say(sentenceOf(verdict));
  return verdict;
}

function essd(PerformanceLevel: string, Size: number): Subject {
  const kind = { DiskCategory: ESSD, PerformanceLevel, Size };
  return { name: `ESSD ${PerformanceLevel}, ${Size} GiB`, kind };
}

function secondsOf({ seconds }: OverheadFlags): number {
  if (seconds === undefined) return SECONDS_DEFAULT;
  const count = /^\d{1,4}$/.test(seconds) ? Number(seconds) : 0;
  if (count >= SECONDS_MIN && count <= SECONDS_MAX) return count;
  throw new UsageError(`--seconds: expected ${SECONDS_MIN} to ${SECONDS_MAX}, got '${seconds}'`);
}

async function measure(
  { name, kind }: Subject,
  seconds: number,
  openPlane: OpenPlane,
  terminal: Terminal,
  onStart: (run: ComparisonRun) => void,
): Promise<SubjectResult> {
  const performance = kind === null ? 'unlimited' : 'modelled';
  await using plane = await openPlane({ memory: true, performance });
  // Two workloads, on two disks by turns.
  const overrides = [{ name: 'runtime', value: `${(seconds * 1e3) / 4}ms`, line: 0 }];
  const { file, turns } = turnsOf(readJobFile(JOBS, 'overhead', { overrides }));
  const variant = (encrypted: boolean) => ({
    name: encrypted ? ('encrypted' as const) : ('plain' as const),
    file,
    target: createLibraryTarget(plane, encrypted, kind ?? {}),
  });
  const run = new ComparisonRun({
    encrypted: variant(true),
    plain: variant(false),
    naive: null,
    turns,
  });
  onStart(run);
  const status = startStatusLine(terminal.status, terminal.isColoured, () => run.progress());
  const { rows, jobs, overhead } = await run.run().finally(() => status.stop());
  const failed = jobs.find(({ error }) => error !== null);
  if (failed !== undefined) throw failed.error;
  return { name, isModelled: kind !== null, rows, overhead };
}
