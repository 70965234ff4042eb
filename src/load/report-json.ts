/**
 * A report as one JSON document, with the field names of fio's --output-format=json, so that what
 * reads fio's reads ours. What fio has no name for is under the one key `sealdisk`, here and in
 * each job. The schema is in report-schema.ts.
 *
 * Where the numbers differ in meaning from fio's:
 * - latency begins when a request is made and ends when its promise resolves: lat_ns and clat_ns
 *   are the same, slat_ns is empty, as with fio's synchronous engines
 * - usr_cpu, sys_cpu and ctx are of the whole process while the job's stage ran, all threads
 *   together: 100 is one core
 * - error is the errno nearest to ours; the exact code is in sealdisk.error
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import type { LatencyHistogram } from './histogram.ts';
import type { DirectionStats, RateSamples } from './load-stats.ts';
import { FLUSH, READ, TRIM, WRITE } from './operation-source.ts';
import { ownCostOf } from './own-cost.ts';
import type { ComparisonRow, LoadReport, Rate, ReportJob } from './report.ts';
import { seriesDocument, seriesOrigin } from './report-series.ts';
import type { SteadyResult } from './steady-state.ts';

/** Name and version of the document's shape. A field taken away or changed makes a new version. */
export const REPORT_SCHEMA_ID = 'sealdisk-load-report/1';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const ERRNO: Partial<Record<ErrorCode, number>> = {
  NoSpace: 28,
  OutOfRange: 22,
  InvalidArgument: 22,
  Busy: 11,
  ChecksumMismatch: 74,
  VerifyMismatch: 84,
};
const EIO = 5;

/**
 * The whole document as text, ending in a newline.
 *
 * @param hasBins with every bucket of the latencies, as fio's json+; the buckets are ours, of three
 *   figures each
 */
export function reportJson(report: LoadReport, hasBins = false): string {
  const text = JSON.stringify(reportDocument(report, hasBins), null, 2);
  // Series have thousands of numbers: an array of them is one line. Strings have no line breaks.
  const onOneLine = text.replace(/\[\n[-+\d.,\sEenul]+\]/g, (array) => array.replace(/\s+/g, ' '));
  return `${onOneLine}\n`;
}

/** The whole document. */
export function reportDocument(report: LoadReport, hasBins = false): Json {
  const { version, timestampMs, globalOptions, jobs, isPartial, notes, environment } = report;
  return {
    'sealdisk version': version,
    timestamp: Math.floor(timestampMs / 1e3),
    timestamp_ms: timestampMs,
    time: new Date(timestampMs).toUTCString(),
    'global options': globalOptions,
    jobs: jobs.map((job) => jobDocument(job, hasBins, seriesOrigin(jobs))),
    sealdisk: {
      schema: REPORT_SCHEMA_ID,
      partial: isPartial,
      notes,
      environment,
      comparison: report.comparison?.map(comparisonDocument) ?? null,
      overhead: report.overhead === null ? null : { ...report.overhead },
    },
  };
}

/** An error as data: our code, or Error for what is not ours. */
export function errorDocument(error: unknown): { code: string; message: string } | null {
  if (error === null) return null;
  if (error instanceof PlaneError) return error.toRecord();
  return { code: 'Error', message: error instanceof Error ? error.message : String(error) };
}

function comparisonDocument(row: ComparisonRow): Json {
  return {
    workload: row.workload,
    encrypted: rateOfRow(row.encrypted),
    plain: rateOfRow(row.plain),
    naive: rateOfRow(row.naive),
    ratio_to_plain: row.ratioToPlain === null ? null : { ...row.ratioToPlain },
    ratio_to_naive: row.ratioToNaive,
    overhead: row.overhead === null ? null : { ...row.overhead },
  };
}

function rateOfRow(rate: Rate | null): Json {
  if (rate === null) return null;
  return {
    iops: rate.requestsPerSecond,
    bw_bytes: Math.round(rate.bytesPerSecond),
    p50_ns: rate.p50Ns,
    p99_ns: rate.p99Ns,
  };
}

function jobDocument(job: ReportJob, hasBins: boolean, originMs: number): Json {
  const { stats, cost, percentiles, error } = job;
  return {
    jobname: job.name,
    groupid: job.groupId,
    error: errnoOf(error),
    elapsed: Math.ceil(cost.elapsedMs / 1e3),
    'job options': job.options,
    read: directionDocument(stats.direction(READ), percentiles, hasBins),
    write: directionDocument(stats.direction(WRITE), percentiles, hasBins),
    trim: directionDocument(stats.direction(TRIM), percentiles, hasBins),
    sync: {
      total_ios: stats.direction(FLUSH).requests,
      lat_ns: latencyDocument(stats.direction(FLUSH).latency, percentiles),
    },
    job_runtime: Math.round(cost.elapsedMs),
    usr_cpu: cost.userPercent,
    sys_cpu: cost.systemPercent,
    ctx: cost.contextSwitches,
    ...goalDocument(job),
    ...failuresDocument(job),
    sealdisk: {
      error: errorDocument(error),
      target: job.target,
      disks: job.disks,
      iodepth: job.depth,
      clones: job.clones,
      randseed: job.seed,
      verify: verifyDocument(job),
      response_ns: job.isPaced ? latencyDocument(stats.response, percentiles) : null,
      generator: generatorDocument(job),
      series: seriesDocument(job, originMs),
    },
  };
}

/** continue_on_error, under fio's names, where it was asked for. */
function failuresDocument({ options, failures }: ReportJob): Record<string, Json> {
  if (failures === undefined || (failures.count === 0 && !('continue_on_error' in options))) {
    return {};
  }
  return { total_err: failures.count, first_error: errnoOf(failures.first) };
}

/** What the generator itself cost: own-cost.ts. */
function generatorDocument({ stats }: ReportJob): Json {
  const cost = ownCostOf(stats);
  if (cost === null) return null;
  const { samples, meanNs, p50Ns, corePercent } = cost;
  return { samples, mean_ns: meanNs, p50_ns: p50Ns, core_percent: corePercent };
}

/** latency_target and steadystate, under fio's names; the latter only where it was asked for. */
function goalDocument({ depth, search = null, steady = null }: ReportJob): Record<string, Json> {
  return {
    latency_depth: search?.depth ?? depth,
    latency_target: (search?.targetUs ?? 0) * 1e3,
    latency_percentile: search?.percent ?? 100,
    latency_window: search?.windowUs ?? 0,
    ...(steady === null ? {} : { steadystate: steadyDocument(steady) }),
  };
}

function steadyDocument(steady: SteadyResult): Json {
  const { quantity, isSlope, limit, isPercent, iops, bw } = steady;
  const unit = isPercent ? '%' : '';
  const mean = (window: readonly number[]): number =>
    window.length === 0
      ? 0
      : Math.floor(window.reduce((sum, each) => sum + each, 0) / window.length);
  return {
    ss: `${quantity}${isSlope ? '_slope' : ''}:${limit.toFixed(6)}${unit}`,
    duration: steady.windowMs / 1e3,
    attained: steady.isAttained ? 1 : 0,
    criterion: `${steady.criterion.toFixed(6)}${unit}`,
    max_deviation: steady.deviation,
    slope: steady.slope,
    data: { bw_mean: mean(bw), iops_mean: mean(iops), iops, bw },
  };
}

/** The errno nearest to an error; 0 if there is none. */
export function errnoOf(error: unknown): number {
  if (error === null) return 0;
  return (error instanceof PlaneError ? ERRNO[error.code] : undefined) ?? EIO;
}

function directionDocument(
  direction: DirectionStats,
  percentiles: readonly number[],
  hasBins: boolean,
): Json {
  const { requests, bytes, runtimeMs, latency, kibRate, requestRate } = direction;
  const perSecond = runtimeMs === 0 ? 0 : 1e3 / runtimeMs;
  const empty = { min: 0, max: 0, mean: 0, stddev: 0, N: 0 };
  const { percentile: _, ...total } = latencyDocument(latency, percentiles);
  return {
    io_bytes: bytes,
    io_kbytes: Math.floor(bytes / 1024),
    bw_bytes: Math.round(bytes * perSecond),
    bw: Math.round((bytes / 1024) * perSecond),
    iops: requests * perSecond,
    runtime: Math.round(runtimeMs),
    total_ios: requests,
    short_ios: 0,
    drop_ios: 0,
    slat_ns: empty,
    clat_ns: {
      ...latencyDocument(latency, percentiles),
      ...(hasBins ? { bins: binsDocument(latency) } : {}),
    },
    lat_ns: total,
    ...rateDocument('bw', kibRate),
    ...rateDocument('iops', requestRate),
  };
}

function rateDocument(name: 'bw' | 'iops', rate: RateSamples): Record<string, number> {
  const isEmpty = rate.samples() === 0;
  const deviation = name === 'bw' ? 'bw_dev' : 'iops_stddev';
  return {
    [`${name}_min`]: isEmpty ? 0 : Math.round(rate.least),
    [`${name}_max`]: Math.round(rate.most),
    ...(name === 'bw' ? { bw_agg: isEmpty ? 0 : 100 } : {}),
    [`${name}_mean`]: rate.mean(),
    [deviation]: rate.deviation(),
    [`${name}_samples`]: rate.samples(),
  };
}

interface LatencyDocument {
  readonly [key: string]: Json;
  readonly percentile: { readonly [key: string]: number };
}

function latencyDocument(
  latency: LatencyHistogram,
  percentiles: readonly number[],
): LatencyDocument {
  const isEmpty = latency.count === 0;
  return {
    min: isEmpty ? 0 : latency.least,
    max: latency.most,
    mean: latency.mean(),
    stddev: latency.deviation(),
    N: latency.count,
    percentile: Object.fromEntries(
      percentiles.map((percent) => [percent.toFixed(6), latency.percentile(percent)]),
    ),
  };
}

function binsDocument(latency: LatencyHistogram): Json {
  return Object.fromEntries(
    latency.bins().map(({ nanoseconds, count }) => [`${nanoseconds}`, count]),
  );
}

function verifyDocument({ verified }: ReportJob): Json {
  if (verified === null) return null;
  return {
    checked_units: verified.checkedUnits,
    unchecked_units: verified.uncheckedUnits,
    mismatches: verified.count,
    first: verified.first.map(({ diskName, offsetBytes, expected, got }) => ({
      disk: diskName,
      offset: offsetBytes,
      expected,
      got,
    })),
  };
}
