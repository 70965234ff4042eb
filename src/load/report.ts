/**
 * What a run came to, before it is printed: one entry a job, whatever made the load.
 *
 * Entries are made from clones of a job file (merged by group_reporting as fio merges them), from a
 * trace, or from the turns of a comparison, and printed by report-table.ts and report-json.ts.
 */
import { MismatchLog } from './disk-verifier.ts';
import { FailureCount } from './failure-count.ts';
import type { CloneResult, StageCost } from './job-run.ts';
import type { SearchResult } from './latency-target.ts';
import { LoadStats } from './load-stats.ts';
import { isPaced } from './pacing.ts';
import type { Overhead } from './paired-overhead.ts';
import type { SteadyResult } from './steady-state.ts';

/** One job of a report. */
export interface ReportJob {
  readonly name: string;
  readonly groupId: number;
  /** Options as written. */
  readonly options: Readonly<Record<string, string>>;
  readonly percentiles: readonly number[];
  /** Of numbers in the normal output. */
  readonly significantFigures: number;
  readonly stats: LoadStats;
  /** What ended it early; null: nothing did. */
  readonly error: unknown;
  readonly cost: StageCost;
  /** The target it ran on: encrypted, plain, memory, null, naive. */
  readonly target: string;
  readonly disks: readonly string[];
  readonly depth: number;
  /** Clones whose numbers these are. */
  readonly clones: number;
  readonly seed: number;
  /** null: nothing was verified. */
  readonly verified: MismatchLog | null;
  /** What was seen by whoever waited for a steady rate. @default null: nobody did */
  readonly steady?: SteadyResult | null;
  /** The search for a depth that keeps a latency. @default null: there was none */
  readonly search?: SearchResult | null;
  /** Requests that failed while the job went on. @default none could */
  readonly failures?: FailureCount;
  /** Latencies were also counted from when requests were due. */
  readonly isPaced: boolean;
}

/** One workload of a comparison: the same load, encrypted, plain, and done naively. */
export interface ComparisonRow {
  readonly workload: string;
  /** Requests and bytes a second; null: not run. */
  readonly encrypted: Rate | null;
  readonly plain: Rate | null;
  readonly naive: Rate | null;
  /** Encrypted requests a second over plain ones. */
  readonly ratioToPlain: Ratio | null;
  readonly ratioToNaive: number | null;
  /** Of encryption, from the turns; null: too few of them. */
  readonly overhead: Overhead | null;
}

export interface Rate {
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
}

/** A ratio over all turns, and the least and most of single turns. */
export interface Ratio {
  readonly all: number;
  readonly least: number;
  readonly most: number;
}

export interface LoadReport {
  readonly version: string;
  readonly timestampMs: number;
  readonly globalOptions: Readonly<Record<string, string>>;
  readonly jobs: readonly ReportJob[];
  readonly comparison: readonly ComparisonRow[] | null;
  /** Of encryption, over all workloads of a comparison; null: too few turns, or none. */
  readonly overhead: Overhead | null;
  /** Interrupted: the numbers are of what was done until then. */
  readonly isPartial: boolean;
  readonly notes: readonly string[];
  readonly environment: Readonly<Record<string, string | number>>;
}

/** True if every job ended by itself and nothing was wrong. */
export function isClean(report: LoadReport): boolean {
  return report.jobs.every(({ error }) => error === null);
}

/**
 * Entries for the clones of a job file: one each, or one for consecutive clones of a group whose
 * job asks for group_reporting (fio stat.c, __show_run_stats).
 */
export function reportClones(results: readonly CloneResult[]): ReportJob[] {
  const jobs: ReportJob[] = [];
  let group: CloneResult[] = [];
  const flush = (): void => {
    if (group.length > 0) jobs.push(reportGroup(group));
    group = [];
  };
  for (const result of results) {
    const { job } = result.run.plan;
    const previous = group.at(-1)?.run.plan.job;
    const isSameGroup = previous?.groupId === job.groupId && job.groupReporting;
    if (!isSameGroup) flush();
    group.push(result);
  }
  flush();
  return jobs;
}

function reportGroup(group: readonly CloneResult[]): ReportJob {
  const [first] = group as [CloneResult];
  const { job, seed, disk } = first.run.plan;
  const isVerified = group.some(({ run }) => run.isVerified);
  return {
    name: job.name,
    groupId: job.groupId,
    options: job.options,
    percentiles: job.percentiles,
    significantFigures: job.significantFigures,
    stats: group.length === 1 ? first.run.stats : mergeStats(group.map(({ run }) => run.stats)),
    error: group.find(({ run }) => run.error !== null)?.run.error ?? null,
    cost: first.cost,
    target: disk.targetName,
    disks: [...new Set(group.map(({ run }) => run.plan.disk.diskName))],
    depth: job.depth,
    clones: group.length,
    seed,
    verified: isVerified ? mergeLogs(group.map(({ run }) => run.log)) : null,
    isPaced: isPaced(job) || (job.ioLog !== null && !job.replay.isUnstalled),
    failures: mergeFailures(group.map(({ run }) => run.failures)),
    steady: group.find(({ run }) => run.steady !== null)?.run.steady ?? null,
    search: group.find(({ run }) => run.search !== null)?.run.search ?? null,
  };
}

/** The sum of several clones' statistics. The parts are unchanged. */
export function mergeStats(parts: readonly LoadStats[]): LoadStats {
  const merged = new LoadStats();
  for (const part of parts) merged.merge(part);
  return merged;
}

function mergeFailures(parts: readonly FailureCount[]): FailureCount {
  const merged = new FailureCount();
  for (const { count, first } of parts) if (count > 0) merged.add(first, count);
  return merged;
}

/** What the reads of several clones were found to be, together. */
export function mergeLogs(parts: readonly MismatchLog[]): MismatchLog {
  const merged = new MismatchLog();
  for (const part of parts) {
    merged.count += part.count;
    merged.checkedUnits += part.checkedUnits;
    merged.uncheckedUnits += part.uncheckedUnits;
    merged.first.push(...part.first.slice(0, 10 - merged.first.length));
  }
  return merged;
}
