/**
 * `sealdisk overhead`: "encryption hardly degrades performance", as one figure.
 *
 * The same load on an encrypted disk and on a plain one, in short turns by turns, for disks as fast
 * as each performance level of an ESSD is sold, and for disks as fast as this machine lets them be.
 * load/paired-overhead.ts says how the figure and its interval are made of the turns.
 *
 * The claim is about disks of the cloud: it holds if every modelled row keeps FLOOR of the plain
 * rate. What the unlimited row shows is what this machine's processors do, and is only reported.
 *
 * Exit codes: 0 the claim holds, 1 it does not, 2 the request makes no sense, 3 the intervals are too
 * wide to say, 130 interrupted.
 */
import { ComparisonRun } from '../load/comparison-run.ts';
import { readJobFile } from '../load/job.ts';
import type { Overhead } from '../load/paired-overhead.ts';
import type { ComparisonRow } from '../load/report.ts';
import { startStatusLine } from '../load/status-line.ts';
import { createLibraryTarget, type LoadDiskKind } from '../load/target-library.ts';
import { duration, megabytes, shortCount, textTable } from '../load/text-table.ts';
import { turnsOf } from '../load/turns.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import { packageVersion } from './package-files.ts';
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

interface SubjectResult {
  readonly name: string;
  readonly isModelled: boolean;
  readonly rows: readonly ComparisonRow[];
  /** Over both workloads; null: interrupted. */
  readonly overhead: Overhead | null;
}

const SCHEMA_ID = 'sealdisk-overhead/1';
/** Of the plain rate, what an encrypted disk of the cloud is to keep. */
const FLOOR = 0.97;
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

/** What is kept of the plain rate, by the figure and at the ends of its interval. */
function kept({ percent, low, high }: Overhead): { all: number; low: number; high: number } {
  return { all: 1 - percent / 100, low: 1 - high / 100, high: 1 - low / 100 };
}

/** By the ends of the intervals: a figure alone may be luck. */
function verdictOf(results: readonly SubjectResult[]): ExitCode {
  const modelled = results.flatMap(({ isModelled, overhead }) =>
    isModelled && overhead !== null ? [kept(overhead)] : [],
  );
  if (modelled.some(({ high }) => high < FLOOR)) return EXIT.failed;
  return modelled.every(({ low }) => low >= FLOOR) ? EXIT.ok : EXIT.cannotTell;
}

function sentenceOf(verdict: ExitCode): string {
  const claim = `modelled disks keep ${FLOOR} of the plain rate when they are encrypted`;
  if (verdict === EXIT.ok) return `${claim}: it holds`;
  if (verdict === EXIT.failed) return `${claim}: it does not hold here`;
  if (verdict === EXIT.interrupted) return 'interrupted: the figures are of what was done';
  return `${claim}: cannot tell, the intervals are too wide; try --seconds ${SECONDS_MAX / 5}`;
}

function tableOf(results: readonly SubjectResult[]): string {
  const columns = ['plain IOPS', 'encrypted', 'p50', 'plain MB/s', 'encrypted', 'p50'];
  const table = textTable(
    [
      { title: 'disk', align: 'left' },
      ...columns.map((title, at) => ({
        title: at % 3 === 0 ? `${at === 0 ? '4k' : '128k'} ${title}` : title,
      })),
      { title: 'encrypted/plain' },
      { title: 'pairs' },
    ],
    results.map(({ name, rows, overhead }) => [
      name,
      ...cellsOf(rows[0], (rate) => shortCount(rate.requestsPerSecond)),
      ...cellsOf(rows[1], (rate) => megabytes(rate.bytesPerSecond)),
      ratioText(overhead),
      `${overhead?.pairs ?? 0}`,
    ]),
  );
  return `${table}\n`;
}

type Rate = NonNullable<ComparisonRow['plain']>;

function cellsOf(row: ComparisonRow | undefined, text: (rate: Rate) => string): string[] {
  const { plain = null, encrypted = null } = row ?? {};
  if (plain === null || encrypted === null) return ['-', '-', '-'];
  return [text(plain), text(encrypted), duration(encrypted.p50Ns)];
}

function ratioText(overhead: Overhead | null): string {
  if (overhead === null) return '-';
  const { all, low, high } = kept(overhead);
  return `${all.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)})`;
}

function jsonOf(results: readonly SubjectResult[], seconds: number, verdict: ExitCode): string {
  const rows = results.map(({ name, isModelled, rows: workloads, overhead }) => ({
    disk: name,
    performance: isModelled ? 'modelled' : 'unlimited',
    encrypted_to_plain: overhead === null ? null : kept(overhead),
    pairs: overhead?.pairs ?? 0,
    workloads: workloads.map(({ workload, plain, encrypted, overhead: one }) => ({
      workload,
      plain,
      encrypted,
      encrypted_to_plain: one === null ? null : kept(one),
    })),
  }));
  const document = {
    schema: SCHEMA_ID,
    version: packageVersion(),
    seconds,
    floor: FLOOR,
    holds: verdict === EXIT.ok ? true : verdict === EXIT.failed ? false : null,
    rows,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
