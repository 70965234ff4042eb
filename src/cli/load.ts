/**
 * `sealdisk load`: puts load on disks and says what came of it.
 *
 * Without arguments: the canonical comparison. With a job file, with job options, or with a trace:
 * that. Exit codes: 0 all well, 1 a job failed or a read was wrong, 2 the request makes no sense,
 * 130 interrupted, with what was measured until then.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { ComparisonRun } from '../load/comparison-run.ts';
import { type JobFile, readJobFile, readJobOptions } from '../load/job.ts';
import type { OptionLine } from '../load/job-lines.ts';
import { planRun, type RunPlan } from '../load/job-plan.ts';
import { isClean, type LoadReport, type ReportJob, reportClones } from '../load/report.ts';
import { reportJson } from '../load/report-json.ts';
import { reportNormal } from '../load/report-normal.ts';
import { REPORT_SCHEMA } from '../load/report-schema.ts';
import { reportTable } from '../load/report-table.ts';
import { reportTerse } from '../load/report-terse.ts';
import { type StatusLine, startStatusLine } from '../load/status-line.ts';
import { TraceRun } from '../load/trace-run.ts';
import { inTurnsOf, turnsOf } from '../load/turns.ts';
import type { PlaneOptions } from '../types.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import { checkLive, hasUnicode, startLive, type WatchedRun } from './live.ts';
import { diskKindOf, performanceOf } from './load-disks.ts';
import { checkFlags, type LoadFlags, speedOf } from './load-flags.ts';
import { jobRunOf } from './load-run.ts';
import { isOneDisk, LoadTargets, type OpenPlane } from './load-targets.ts';
import { canonicalJobFile, packageVersion } from './package-files.ts';
import type { Terminal } from './terminal.ts';

export interface LoadRequest {
  readonly flags: LoadFlags;
  /** At most one. */
  readonly jobFiles: readonly string[];
  /** Options of a job: --bs=4k. */
  readonly jobOptions: readonly OptionLine[];
  readonly openPlane: OpenPlane;
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Tells the caller how to stop the run: SIGINT. */
  readonly onStart: (stop: () => void) => void;
}

/** Turns of encrypted and plain for each workload of the canonical comparison. */
const COMPARISON_TURNS = 3;
/** The naive baseline's share: less of the disk, so that laying it out does not take a minute. */
const NAIVE_OVERRIDES: readonly OptionLine[] = [
  { name: 'size', value: '16m', line: 0 },
  { name: 'runtime', value: '1s', line: 0 },
];
const TRACE_DEPTH = 32;
/** What a run gives: its entries, and whether it was stopped. */
interface Outcome {
  readonly jobs: readonly ReportJob[];
  readonly comparison: LoadReport['comparison'];
  readonly overhead: LoadReport['overhead'];
  readonly globalOptions: Readonly<Record<string, string>>;
}

/** Something that runs, tells how far it is, and can be stopped. */
interface Stoppable extends WatchedRun {
  stop(): void;
}

/** Runs the command. */
export async function runLoad(request: LoadRequest): Promise<ExitCode> {
  const { flags, terminal, openPlane } = request;
  if (flags.jsonSchema === true) {
    terminal.print(`${JSON.stringify(REPORT_SCHEMA, null, 2)}\n`);
    return EXIT.ok;
  }
  checkFlags(flags, request.jobFiles);
  if (flags.live === true) checkLive(terminal.status, request.environment);
  const page =
    flags.html === undefined ? null : (await import('./load-page.ts')).openLoadPage(flags.html);
  const timestampMs = systemClock.now();
  const notes: string[] = [];
  const note = (text: string): void => {
    if (notes.includes(text)) return;
    notes.push(text);
    terminal.say(`note: ${text}`);
  };
  const isModelled = performanceOf(flags.performance) === 'modelled';
  const targets = new LoadTargets(openPlane, planeOptions(flags), {
    overwrites: flags.overwrite === true,
    diskKind: diskKindOf(flags),
    onDisk: (line) => (isModelled ? note(line) : undefined),
  });
  let isPartial = false;
  const watch = async <Result>(run: Stoppable, work: () => Promise<Result>): Promise<Result> => {
    request.onStart(() => {
      isPartial = true;
      run.stop();
    });
    const status = startStatus(request, run);
    return work().finally(() => status.stop());
  };
  let outcome: Outcome;
  let environment: LoadReport['environment'];
  try {
    if (flags.inTurns !== undefined) {
      const file = inTurnsOf(jobFileOf(request), Number(flags.inTurns));
      const { runInTurns } = await import('./load-in-turns.ts');
      return await runInTurns(planOf(file, flags, note), targets, terminal);
    }
    outcome = await loadOf(request)({ request, targets, watch, note });
    environment = await environmentOf(targets, flags);
  } finally {
    await targets.close();
  }
  const version = packageVersion();
  const report: LoadReport = { version, timestampMs, ...outcome, isPartial, notes, environment };
  page?.write(report);
  terminal.print(printed(report, flags));
  if (isPartial) return EXIT.interrupted;
  return isClean(report) ? EXIT.ok : EXIT.failed;
}

/** What is seen of a run while it runs. */
function startStatus({ flags, terminal, environment }: LoadRequest, run: WatchedRun): StatusLine {
  const { status, isColoured } = terminal;
  if (flags.live !== true) return startStatusLine(status, isColoured, () => run.progress());
  return startLive(status, { isColoured, hasBlocks: hasUnicode(environment) }, run);
}

/** The report in the form that was asked for; ours for people by default. */
function printed(report: LoadReport, { json, outputFormat }: LoadFlags): string {
  const format = outputFormat ?? (json === true ? 'json' : 'table');
  switch (format) {
    case 'json':
      return reportJson(report);
    case 'json+':
      return reportJson(report, true);
    case 'terse':
      return reportTerse(report);
    case 'normal':
      return reportNormal(report, process.pid);
    default:
      return reportTable(report);
  }
}

interface LoadContext {
  readonly request: LoadRequest;
  readonly targets: LoadTargets;
  readonly watch: <Result>(run: Stoppable, work: () => Promise<Result>) => Promise<Result>;
  readonly note: (text: string) => void;
}

type Load = (context: LoadContext) => Promise<Outcome>;

/** Which of the four kinds of load was asked for. */
function loadOf({ flags, jobFiles, jobOptions }: LoadRequest): Load {
  if (flags.trace !== undefined) return loadTrace;
  const describesJob = jobOptions.some(({ name }) => ['name', 'rw', 'readwrite'].includes(name));
  const isUnsaid = jobFiles.length === 0 && !describesJob;
  if (flags.encrypt === 'both') return loadPair;
  if (isUnsaid && (flags.target ?? flags.encrypt ?? flags.workers) === undefined) {
    return loadComparison;
  }
  return loadJobs;
}

async function loadJobs({ request, targets, watch, note }: LoadContext): Promise<Outcome> {
  const { flags } = request;
  const file = jobFileOf(request);
  for (const text of file.notes) note(text);
  const plan = planOf(file, flags, note);
  const run = jobRunOf(plan, targets, flags);
  const results = await watch(run, () => run.run());
  return {
    jobs: reportClones(results),
    comparison: null,
    overhead: null,
    globalOptions: file.globalOptions,
  };
}

/** Which job runs on which target. */
function planOf(file: JobFile, flags: LoadFlags, note: (text: string) => void): RunPlan {
  const library = flags.encrypt === 'off' ? 'plain' : 'encrypted';
  return planRun(
    file,
    (job) => {
      const name = flags.target ?? job.engine ?? 'sealdisk';
      if (name === 'null' && job.verify !== 'none') note('target null keeps no bytes to verify');
      return name === 'sealdisk' ? library : name;
    },
    randomInt(2 ** 32),
    isOneDisk,
  );
}

async function loadTrace({ request, targets, watch, note }: LoadContext): Promise<Outcome> {
  const { flags, jobOptions } = request;
  const fileName = flags.trace!;
  const limits = readJobOptions(jobOptions).jobs[0]!;
  const refused = jobOptions.find(({ name }) => !['runtime', 'number_ios'].includes(name));
  if (refused !== undefined) throw new UsageError(`--${refused.name} means nothing to a trace`);
  const name = flags.target ?? 'sealdisk';
  const library = flags.encrypt === 'off' ? 'plain' : 'encrypted';
  const target = await targets.open(name === 'sealdisk' ? library : name);
  const isVerified = flags.verify === true && target.keepsBytes;
  if (flags.verify === true && !isVerified) note('target null keeps no bytes to verify');
  const depth = flags.depth === undefined ? TRACE_DEPTH : Number(flags.depth);
  const speed = speedOf(flags);
  const run = new TraceRun({
    fileName,
    sizesFileName: flags.deviceSizes ?? null,
    target,
    depth,
    speed,
    isVerified,
    runtimeMs: limits.runtimeUs / 1e3,
    requestsMax: limits.requestsMax,
  });
  const result = await watch(run, () => run.run());
  const { stats, error, cost, devices, log } = result;
  const job: ReportJob = {
    name: basename(fileName),
    groupId: 0,
    options: { trace: fileName, speed: flags.speed ?? 'max' },
    percentiles: limits.percentiles,
    significantFigures: limits.significantFigures,
    stats,
    error,
    cost,
    target: target.name,
    disks: [`${devices} devices`],
    depth,
    clones: 1,
    seed: 0,
    verified: isVerified ? log : null,
    isPaced: speed > 0,
  };
  return { jobs: [job], comparison: null, overhead: null, globalOptions: {} };
}

async function loadComparison({ request, targets, watch, note }: LoadContext): Promise<Outcome> {
  const overrides = request.jobOptions;
  const text = readText(canonicalJobFile());
  const read = (options: readonly OptionLine[]): JobFile =>
    readJobFile(text, canonicalJobFile(), { overrides: options });
  const file = read(overrides);
  for (const each of file.notes) note(each);
  const naiveTarget = await targets.open('naive').catch(() => null);
  if (naiveTarget === null) note('the naive baseline is not in this package: not compared with');
  const run = new ComparisonRun({
    encrypted: { name: 'encrypted', file, target: await targets.open('encrypted') },
    plain: { name: 'plain', file, target: await targets.open('plain') },
    naive:
      naiveTarget === null
        ? null
        : { name: 'naive', file: read([...NAIVE_OVERRIDES, ...overrides]), target: naiveTarget },
    turns: COMPARISON_TURNS,
    onOpen: async () => {
      const stats = await (await targets.plane())?.stats();
      const idle = stats?.shards.filter(({ openVolumes }) => openVolumes === 0).length ?? 0;
      if (idle > 0) note(`${idle} shards have no disk: the figures are of the others`);
    },
  });
  const { rows, jobs, overhead } = await watch(run, () => run.run());
  return { jobs, comparison: rows, overhead, globalOptions: file.globalOptions };
}

/** The same jobs on encrypted and on plain disks, in short turns. */
async function loadPair({ request, targets, watch, note }: LoadContext): Promise<Outcome> {
  const file = jobFileOf(request);
  for (const each of file.notes) note(each);
  if (file.jobs.some((job) => job.verify !== 'none')) note('--encrypt both: nothing is read back');
  const plan = turnsOf(file);
  const run = new ComparisonRun({
    encrypted: { name: 'encrypted', file: plan.file, target: await targets.open('encrypted') },
    plain: { name: 'plain', file: plan.file, target: await targets.open('plain') },
    naive: null,
    turns: plan.turns,
  });
  const { rows, jobs, overhead } = await watch(run, () => run.run());
  return { jobs, comparison: rows, overhead, globalOptions: file.globalOptions };
}

/** The job file, with the command line's options in it; or jobs made of those alone. */
function jobFileOf({ flags, jobFiles, jobOptions, environment }: LoadRequest): JobFile {
  const overrides = [...jobOptions];
  if (flags.depth !== undefined) overrides.push({ name: 'iodepth', value: flags.depth, line: 0 });
  if (flags.verify === true) overrides.push({ name: 'verify', value: 'crc32c', line: 0 });
  const [fileName] = jobFiles;
  const describesJob = jobOptions.some(({ name }) => ['name', 'rw', 'readwrite'].includes(name));
  if (fileName === undefined && describesJob) return readJobOptions(overrides, readText);
  const readName = fileName ?? canonicalJobFile();
  return readJobFile(readText(readName), readName, { environment, overrides, include: readText });
}

/** @param fileName '-' is stdin, as for fio */
function readText(fileName: string): string {
  try {
    return readFileSync(fileName === '-' ? 0 : fileName, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${fileName}: ${(error as Error).message}`);
  }
}

function planeOptions({ dataDir, shards, engine, ...flags }: LoadFlags): PlaneOptions {
  const performance = performanceOf(flags.performance);
  return {
    ...(performance === undefined ? {} : { performance }),
    ...(dataDir === undefined ? { memory: true } : { dataDir }),
    ...(shards === undefined ? {} : { shards: Number(shards) }),
    ...(engine === undefined ? {} : { engine: engine as NonNullable<PlaneOptions['engine']> }),
  };
}

async function environmentOf(
  targets: LoadTargets,
  { workers }: LoadFlags,
): Promise<LoadReport['environment']> {
  const stats = await (await targets.plane())?.stats();
  return {
    node: process.versions.node,
    openssl: process.versions.openssl,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    ...(workers === undefined ? {} : { workers: Number(workers) }),
    ...(stats === undefined
      ? {}
      : { shards: stats.shards.length, engine: stats.shards[0]?.engine ?? 'unknown' }),
  };
}
