/**
 * A report as fio's terse output, version 3: one line a job, fields joined by semicolons, in the
 * order of fio's HOWTO ("Terse output"). Latencies are whole microseconds, rates KiB a second.
 */
import type { LatencyHistogram } from './histogram.ts';
import type { DirectionStats } from './load-stats.ts';
import { READ, WRITE } from './operation-source.ts';
import type { LoadReport, ReportJob } from './report.ts';
import { errnoOf } from './report-json.ts';
import { depthShares } from './report-normal.ts';

/** fio prints so many percentiles; those a job does not have are 0%=0. */
const PERCENTILES = 20;
/** Upper edges of the latency shares, in microseconds and in milliseconds. */
const EDGES_US = [2, 4, 10, 20, 50, 100, 250, 500, 750, 1000];
const EDGES_MS = [2, 4, 10, 20, 50, 100, 250, 500, 750, 1000, 2000, Number.POSITIVE_INFINITY];

/** The whole report as text, ending in a newline. */
export function reportTerse(report: LoadReport): string {
  return report.jobs.map((job) => `${jobFields(job, report.version).join(';')}\n`).join('');
}

function jobFields(job: ReportJob, version: string): (string | number)[] {
  const { userPercent, systemPercent, contextSwitches } = job.cost;
  return [
    3,
    `sealdisk-${version}`,
    job.name.replaceAll(';', '-'),
    job.groupId,
    errnoOf(job.error),
    ...directionFields(job.stats.direction(READ), job.percentiles),
    ...directionFields(job.stats.direction(WRITE), job.percentiles),
    `${userPercent.toFixed(6)}%`,
    `${systemPercent.toFixed(6)}%`,
    contextSwitches,
    0,
    0,
    ...depthShares(job.depth).map((share) => `${share.toFixed(1)}%`),
    ...latencyShares(job).map((share) => `${share.toFixed(2)}%`),
  ];
}

function directionFields(
  { requests, bytes, runtimeMs, latency, kibRate }: DirectionStats,
  percentiles: readonly number[],
): (string | number)[] {
  const perSecond = runtimeMs === 0 ? 0 : 1e3 / runtimeMs;
  const total = summaryFields(latency);
  const hasRate = kibRate.samples() > 0;
  const named = Array.from({ length: PERCENTILES }, (_, at) => {
    const percent = percentiles[at];
    if (percent === undefined) return '0%=0';
    return `${percent.toFixed(6)}%=${Math.floor(latency.percentile(percent) / 1e3)}`;
  });
  return [
    Math.floor(bytes / 1024),
    Math.floor((bytes * perSecond) / 1024),
    Math.floor(requests * perSecond),
    Math.round(runtimeMs),
    ...[0, 0, '0.000000', '0.000000'],
    ...total,
    ...named,
    ...total,
    hasRate ? Math.round(kibRate.least) : 0,
    Math.round(kibRate.most),
    hasRate ? '100.000000%' : '0.000000%',
    kibRate.mean().toFixed(6),
    kibRate.deviation().toFixed(6),
  ];
}

function summaryFields(latency: LatencyHistogram): (string | number)[] {
  return [
    latency.count === 0 ? 0 : Math.floor(latency.least / 1e3),
    Math.floor(latency.most / 1e3),
    (latency.mean() / 1e3).toFixed(6),
    (latency.deviation() / 1e3).toFixed(6),
  ];
}

/** Percent of reads and writes below each edge and not below the one before. */
function latencyShares({ stats }: ReportJob): number[] {
  const edges = [...EDGES_US.map((edge) => edge * 1e3), ...EDGES_MS.map((edge) => edge * 1e6)];
  const counts = edges.map(() => 0);
  let all = 0;
  for (const operation of [READ, WRITE] as const) {
    for (const { nanoseconds, count } of stats.direction(operation).latency.bins()) {
      counts[edges.findIndex((edge) => nanoseconds < edge)]! += count;
      all += count;
    }
  }
  return counts.map((count) => (all === 0 ? 0 : (count * 100) / all));
}
