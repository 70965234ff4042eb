/**
 * `sealdisk gate`: did it become slower? Two things in turns (ab), or a run against a baseline
 * (record, check).
 *
 * Exit codes: 0 no regression or an improvement, 1 a regression, 2 the request makes no sense or a
 * measured program failed, 3 cannot tell or a baseline of another environment, 130 interrupted.
 * What is compared, by which statistic, and what a verdict means is said in src/gate.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { runAb } from '../gate/ab-run.ts';
import {
  type Baseline,
  type Environment,
  type MeasuredJob,
  type MeasuredRun,
  makeBaseline,
  parseBaseline,
} from '../gate/baseline.ts';
import {
  checkAgainst,
  type EnvironmentChange,
  environmentChanges,
  isCalibrated,
} from '../gate/baseline-check.ts';
import { type Contender, openContender } from '../gate/contender.ts';
import { type GateReport, reportOfCheck, reportOfRounds } from '../gate/gate-report.ts';
import { LOAD_METRICS, type LoadMetricName, type Reading } from '../gate/metric.ts';
import { type Contenders, canStay, processPairs, sessionPairs } from '../gate/pairs.ts';
import { type RecordOptions, recordJob } from '../gate/record-run.ts';
import {
  gateActionBenchmark,
  gateAnnotations,
  gateBencher,
  gateJunit,
} from '../gate/report-exchange.ts';
import { gateText } from '../gate/report-text.ts';
import { findCommit } from '../gate/revision.ts';
import { DEFAULT_TERMS, type Terms } from '../gate/verdict.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import { gateJobFile, mainFile, packageVersion } from './package-files.ts';
import type { Terminal } from './terminal.ts';

/** Options of every kind of run, as typed. */
export interface GateFlags {
  readonly seconds?: string;
  readonly metrics?: string;
  readonly tolerance?: string;
  readonly level?: string;
  readonly json?: boolean;
  readonly junit?: string;
  readonly github?: boolean;
  readonly bmf?: string;
  readonly benchmarkAction?: string;
}

export interface GateAbFlags extends GateFlags {
  readonly a: string;
  readonly b: string;
  readonly job?: string;
  readonly metric?: string;
  readonly smallerIsBetter?: boolean;
  readonly seed?: string;
  readonly build?: string;
  readonly run?: string;
  readonly inTurns?: boolean;
}

export interface GateRecordFlags extends GateFlags {
  readonly out: string;
  readonly turns?: string;
}

export interface GateCheckFlags extends GateFlags {
  readonly baseline: string;
  readonly recalibrate?: boolean;
  readonly turns?: string;
}

export interface GateTools {
  readonly terminal: Terminal;
  /** Tells the caller how to stop the run: SIGINT, SIGTERM. */
  readonly onStart: (stop: () => void) => void;
}

const SECONDS_DEFAULT = 60;
/** The one sees what waits, the other small losses on a noisy machine. */
const AB_METRICS = 'iops,cpu';
/** Eight blocks on each side: the rank-sum test of so many can have a p of 0.0002. */
const TURNS_MIN = 32;
/** In a baseline: the job of this package, wherever it lies. */
const DEFAULT_JOB = 'default';
const BUILD_DEFAULT = 'npm run --silent build';

/** Runs `gate ab`. */
export async function runGateAb(flags: GateAbFlags, tools: GateTools): Promise<ExitCode> {
  const { terminal } = tools;
  const terms = termsOf(flags);
  const seconds = secondsOf(flags);
  const seed = wholeNumber('seed', flags.seed) ?? systemClock.now() % 2 ** 31;
  const reading = readingOf(flags);
  checkDirections(flags, reading);
  return untilStopped(tools, async (signal) => {
    const options = {
      directory: process.cwd(),
      self: [process.execPath, mainFile()] as const,
      jobFile: resolve(flags.job ?? gateJobFile()),
      build: flags.build ?? BUILD_DEFAULT,
      run: flags.run ?? null,
      reading,
      commandsStay: flags.inTurns === true,
      signal,
      onBuild: (name: string) => terminal.say(`building ${name}`),
    };
    const opened: Contender[] = [];
    try {
      for (const name of [flags.a, flags.b]) opened.push(await openContender(name, options));
      const contenders = { a: opened[0]!, b: opened[1]! };
      const status = statusLine(terminal);
      const started = systemClock.monotonic();
      const metrics = await runAb({
        ...(await pairsOf(contenders)),
        seconds,
        seed,
        terms,
        signal,
        now: systemClock.monotonic,
        onRound: (rounds, share) => status(`round ${rounds}, ${Math.round(share * 100)} %`),
      });
      status('');
      const tookSeconds = (systemClock.monotonic() - started) / 1e3;
      const names = { a: nameOf(contenders.a), b: nameOf(contenders.b) };
      const head = { ...names, terms, seconds, tookSeconds, seed, environmentChanges: [] };
      return publish(reportOfRounds(head, metrics), flags, terminal);
    } finally {
      for (const each of opened) await each.close();
    }
  });
}

/** Processes that stay are told apart by far smaller effects. */
async function pairsOf(contenders: Contenders): Promise<ReturnType<typeof processPairs>> {
  if (await canStay(contenders)) return sessionPairs(contenders, systemClock.monotonic);
  return processPairs(contenders);
}

/** Runs `gate record`. */
export async function runGateRecord(
  jobFiles: readonly string[],
  flags: GateRecordFlags,
  tools: GateTools,
): Promise<ExitCode> {
  const { terminal } = tools;
  return untilStopped(tools, async (signal) => {
    const run = await measure(jobFiles.length > 0 ? jobFiles : [DEFAULT_JOB], flags, tools, {
      signal,
      isWanted: () => true,
    });
    const commit = await findCommit('HEAD', { directory: process.cwd(), signal });
    const recordedAt = new Date(systemClock.now()).toISOString();
    const baseline = makeBaseline(run, { recordedAt, version: packageVersion(), commit });
    writeFileSync(flags.out, `${JSON.stringify(baseline, null, 2)}\n`);
    terminal.print(noiseText(baseline, flags));
    return EXIT.ok;
  });
}

/** Runs `gate check`. */
export async function runGateCheck(flags: GateCheckFlags, tools: GateTools): Promise<ExitCode> {
  const { terminal } = tools;
  const terms = termsOf(flags);
  const seconds = secondsOf(flags);
  const baseline = parseBaseline(readText(flags.baseline), flags.baseline);
  const started = systemClock.monotonic();
  return untilStopped(tools, async (signal) => {
    const files = baseline.jobs.map(({ name }) => name);
    const names = baseline.jobs[0]!.metrics.map(({ name }) => name.split(' ').at(-1));
    const metrics = [...new Set(names)].join(',');
    for (const { name, hash } of baseline.jobs) {
      if (hashOf(name) === hash) continue;
      throw new UsageError(`${name}: expected the job as it was recorded, it is another`);
    }
    const changesTo = (environment: Environment): EnvironmentChange[] =>
      environmentChanges(baseline.environment, environment);
    const isWanted = (environment: Environment): boolean =>
      flags.recalibrate === true || changesTo(environment).length === 0;
    const run = await measure(files, { ...flags, metrics }, tools, { signal, isWanted });
    const changes = changesTo(run.environment);
    if (changes.length > 0 && flags.recalibrate !== true) {
      for (const { name, baseline: then, current } of changes) {
        terminal.say(`${name}: recorded with ${then ?? 'none'}, here ${current ?? 'none'}`);
      }
      terminal.say('the baseline is of another environment: record one here, or --recalibrate');
      return EXIT.cannotTell;
    }
    if (changes.length > 0 && ![...baseline.jobs, ...run.jobs].every(isCalibrated)) {
      throw new UsageError('--recalibrate: the baseline has no calibration');
    }
    const recorded = `${flags.baseline}, ${baseline.recordedAt}, ${baseline.commit ?? 'no commit'}`;
    const tookSeconds = (systemClock.monotonic() - started) / 1e3;
    const common = { a: recorded, b: 'now', terms, seconds, tookSeconds, seed: null };
    const head = { ...common, environmentChanges: changes };
    return publish(reportOfCheck(head, checkAgainst(baseline, run, terms)), flags, terminal);
  });
}

async function measure(
  jobFiles: readonly string[],
  flags: GateFlags & { readonly turns?: string },
  { terminal }: GateTools,
  { signal, isWanted }: Pick<RecordOptions, 'signal' | 'isWanted'>,
): Promise<MeasuredRun> {
  const status = statusLine(terminal);
  const jobs: MeasuredJob[] = [];
  let environment: MeasuredRun['environment'] = {};
  for (const name of jobFiles) {
    const hash = hashOf(name);
    const recorded = await recordJob({
      program: process.execPath,
      words: [mainFile(), 'load', fileOf(name), '--json', '--quiet'],
      directory: process.cwd(),
      metrics: metricNames(flags),
      seconds: secondsOf(flags) / jobFiles.length,
      turnsMin: Math.max(4, wholeNumber('turns', flags.turns) ?? TURNS_MIN),
      isWanted,
      signal,
      now: systemClock.monotonic,
      onTurn: (turn) => status(`${name}: turn ${turn}`),
    });
    environment = recorded.environment;
    if (!isWanted(environment)) break;
    jobs.push({ name, hash, calibration: recorded.calibration, metrics: recorded.metrics });
  }
  status('');
  return { environment, jobs };
}

function fileOf(jobName: string): string {
  return jobName === DEFAULT_JOB ? gateJobFile() : resolve(jobName);
}

function hashOf(jobName: string): string {
  return createHash('sha256')
    .update(readText(fileOf(jobName)))
    .digest('hex');
}

/** Prints and writes a report in every form that was asked for. */
function publish(report: GateReport, flags: GateFlags, terminal: Terminal): ExitCode {
  const json = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;
  terminal.print(flags.json === true ? json(report) : gateText(report));
  if (flags.github === true) {
    const annotations = gateAnnotations(report);
    if (flags.json === true) terminal.say(annotations);
    else terminal.print(annotations);
  }
  if (flags.junit !== undefined) writeFileSync(flags.junit, gateJunit(report, 'sealdisk gate'));
  if (flags.bmf !== undefined) writeFileSync(flags.bmf, json(gateBencher(report)));
  if (flags.benchmarkAction !== undefined) {
    writeFileSync(flags.benchmarkAction, json(gateActionBenchmark(report)));
  }
  return report.exitCode;
}

/** Runs work that a signal stops; its child processes end with it. */
async function untilStopped(
  { onStart }: GateTools,
  work: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const controller = new AbortController();
  onStart(() => controller.abort(new Error('interrupted')));
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return EXIT.interrupted;
    throw error;
  }
}

function noiseText(baseline: Baseline, flags: GateRecordFlags): string {
  const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
  const lines = baseline.jobs.flatMap(({ metrics }) =>
    metrics.map(({ name, turns, noise }) => {
      const seen = noise.smallest === null ? 'no loss' : `a loss of ${percent(noise.smallest)}`;
      const drift = percent(Math.abs(noise.drift));
      return `${name}: ${turns.length} turns; A/A would have seen ${seen}, drift ${drift}`;
    }),
  );
  return flags.json === true
    ? `${JSON.stringify(baseline, null, 2)}\n`
    : `${lines.join('\n')}\nbaseline in ${flags.out}\n`;
}

function nameOf({ kind, name, commit }: Contender): string {
  return commit === null ? `${kind} ${name}` : `${name}, commit ${commit.slice(0, 12)}`;
}

/** What the status line says; on a terminal only. */
function statusLine({ status }: Terminal): (text: string) => void {
  return (text) => {
    if (status.isTTY === true) status.write(`\r\x1b[K${text}`);
  };
}

function readingOf(flags: GateAbFlags): Reading {
  if (flags.metric === undefined) {
    return { kind: 'load', metrics: metricNames({ metrics: flags.metrics ?? AB_METRICS }) };
  }
  if (flags.metrics !== undefined) throw new UsageError('expected --metric or --metrics, got both');
  const path = flags.metric === '-' ? '' : flags.metric;
  return { kind: 'number', path, isBiggerBetter: flags.smallerIsBetter !== true };
}

function metricNames({ metrics }: Pick<GateFlags, 'metrics'>): LoadMetricName[] {
  const known = Object.keys(LOAD_METRICS) as LoadMetricName[];
  return (metrics ?? 'iops').split(',').map((name) => {
    const found = known.find((each) => each === name);
    if (found !== undefined) return found;
    throw new UsageError(`--metrics: expected some of ${known.join(', ')}, got '${name}'`);
  });
}

/** A file of github-action-benchmark has one direction. */
function checkDirections({ benchmarkAction }: GateAbFlags, reading: Reading): void {
  if (benchmarkAction === undefined || reading.kind === 'number') return;
  const directions = reading.metrics.map((name) => LOAD_METRICS[name].isBiggerBetter);
  if (new Set(directions).size === 1) return;
  throw new UsageError(
    '--benchmark-action: expected metrics of which all are better bigger, or none',
  );
}

function termsOf({ tolerance, level }: GateFlags): Terms {
  return {
    tolerance: partOf('tolerance', tolerance) ?? DEFAULT_TERMS.tolerance,
    level: partOf('level', level) ?? DEFAULT_TERMS.level,
  };
}

/** '5%' is 0.05. */
function partOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const percent = /^(\d+(?:\.\d+)?) ?%?$/.exec(text)?.[1];
  const part = Number(percent) / 100;
  if (percent !== undefined && part > 0 && part < 0.5) return part;
  throw new UsageError(`--${name}: expected percent above 0 and below 50, got '${text}'`);
}

function secondsOf({ seconds }: GateFlags): number {
  const count = wholeNumber('seconds', seconds) ?? SECONDS_DEFAULT;
  if (count < 1) throw new UsageError('--seconds: expected 1 or more, got 0');
  return count;
}

function wholeNumber(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${name}: expected a whole number, got '${text}'`);
}

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${fileName}: ${(error as Error).message}`);
  }
}
