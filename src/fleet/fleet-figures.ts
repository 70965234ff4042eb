/**
 * A fleet's results in figures: of the whole, of each kind, over the disks, and of the busiest.
 *
 * Times are microseconds. Quantiles are of latency-buckets.ts: within 1 % of the value. IOPS and
 * bytes are of requests that ended in the time simulated; latencies are of all that were issued.
 */
import type { FleetPlan, KindPlan } from './fleet-plan.ts';
import type { FleetTotals, LatencyCounts } from './fleet-totals.ts';
import {
  BURST,
  BYTES,
  DONE,
  HELD,
  LATENCY_MAX_US,
  LATENCY_US,
  READS,
  REQUESTS,
  RESULT_COLUMNS,
  SERIES_BYTES,
  SERIES_COLUMNS,
  SERIES_LATENCY_US,
  SERIES_REQUESTS,
  SERIES_THROTTLED,
  THROTTLED,
  WAIT_US,
} from './instance-run.ts';
import { LATENCY_BUCKETS, quantilesOf } from './latency-buckets.ts';
import { ROW_COLUMNS } from './part-run.ts';

export interface LatencyFigures {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

export interface LoadFigures {
  readonly disks: number;
  readonly requests: number;
  readonly iops: number;
  readonly bytesPerSecond: number;
  readonly readShare: number;
  readonly latencyMicroseconds: LatencyFigures & { readonly mean: number; readonly max: number };
  readonly readLatencyMicroseconds: LatencyFigures;
  readonly writeLatencyMicroseconds: LatencyFigures;
  /** Of the requests, those that waited for a limit of disk or instance, and how long they did. */
  readonly throttledShare: number;
  readonly throttledMicroseconds: LatencyFigures & { readonly mean: number };
  /** Of the requests, those whose source waited for the queue depth. */
  readonly heldShare: number;
  /** Beyond what the disks have without bursting. */
  readonly burstRequests: number;
}

export interface DiskFigures {
  readonly disk: number;
  readonly kind: number;
  /** Requests a second that were asked for, on average. */
  readonly askedIops: number;
  readonly iops: number;
  readonly requests: number;
  readonly reads: number;
  /** Of requests that ended in the time simulated. */
  readonly bytes: number;
  readonly throttledShare: number;
  readonly heldShare: number;
  readonly burstRequests: number;
  readonly latencyMicroseconds: {
    readonly mean: number;
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}

/** Over the disks: the value a share of them does not exceed. */
export interface Spread {
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface SeriesStep {
  readonly seconds: number;
  readonly iops: number;
  readonly bytesPerSecond: number;
  readonly throttledShare: number;
  readonly meanLatencyMicroseconds: number;
}

const SHARES = [0.5, 0.9, 0.99, 0.999];

/** @param kinds of the plan: all, or one */
export function loadFigures(
  plan: FleetPlan,
  totals: FleetTotals,
  kinds: readonly KindPlan[],
): LoadFigures {
  const sums = new Float64Array(RESULT_COLUMNS);
  for (const { firstDisk, disks } of kinds) {
    for (let disk = firstDisk; disk < firstDisk + disks.count; disk++) {
      addRow(sums, totals.rows.subarray(disk * ROW_COLUMNS, disk * ROW_COLUMNS + RESULT_COLUMNS));
    }
  }
  const counts = kinds.map(({ kind }) => totals.latencies[kind]!);
  const reads = sumOf(counts, 'reads');
  const writes = sumOf(counts, 'writes');
  const both = reads.map((count, bucket) => count + writes[bucket]!);
  const requests = sums[REQUESTS]!;
  const seconds = plan.endUs / 1e6;
  return {
    disks: kinds.reduce((sum, { disks }) => sum + disks.count, 0),
    requests,
    iops: sums[DONE]! / seconds,
    bytesPerSecond: sums[BYTES]! / seconds,
    readShare: ratio(sums[READS]!, requests),
    latencyMicroseconds: {
      mean: ratio(sums[LATENCY_US]!, requests),
      ...latencyFigures(both, requests),
      max: sums[LATENCY_MAX_US]!,
    },
    readLatencyMicroseconds: latencyFigures(reads, sums[READS]!),
    writeLatencyMicroseconds: latencyFigures(writes, requests - sums[READS]!),
    throttledShare: ratio(sums[THROTTLED]!, requests),
    throttledMicroseconds: {
      mean: ratio(sums[WAIT_US]!, sums[THROTTLED]!),
      ...latencyFigures(sumOf(counts, 'waits'), sums[THROTTLED]!),
    },
    heldShare: ratio(sums[HELD]!, requests),
    burstRequests: sums[BURST]!,
  };
}

export function diskFigures(plan: FleetPlan, totals: FleetTotals, disk: number): DiskFigures {
  const kind = plan.kinds.findLast(({ firstDisk }) => firstDisk <= disk)!;
  const row = totals.rows.subarray(disk * ROW_COLUMNS, (disk + 1) * ROW_COLUMNS);
  const requests = row[REQUESTS]!;
  return {
    disk,
    kind: kind.kind,
    askedIops: kind.rates[disk - kind.firstDisk]! * 1e6,
    iops: (row[DONE]! * 1e6) / plan.endUs,
    requests,
    reads: row[READS]!,
    bytes: row[BYTES]!,
    throttledShare: ratio(row[THROTTLED]!, requests),
    heldShare: ratio(row[HELD]!, requests),
    burstRequests: row[BURST]!,
    latencyMicroseconds: {
      mean: ratio(row[LATENCY_US]!, requests),
      p50: row[RESULT_COLUMNS]!,
      p99: row[RESULT_COLUMNS + 1]!,
      p999: row[RESULT_COLUMNS + 2]!,
      max: row[LATENCY_MAX_US]!,
    },
  };
}

/** How a figure spreads over the disks. */
export function spreadOf(totals: FleetTotals, figureOf: (row: Float64Array) => number): Spread {
  const disks = totals.rows.length / ROW_COLUMNS;
  const values = new Float64Array(disks);
  for (let disk = 0; disk < disks; disk++) {
    values[disk] = figureOf(totals.rows.subarray(disk * ROW_COLUMNS, (disk + 1) * ROW_COLUMNS));
  }
  values.sort();
  const at = (share: number): number => values[Math.ceil(share * disks) - 1]!;
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** Numbers of the disks with the most requests, the busiest first. */
export function busiestDisks(totals: FleetTotals, count: number): number[] {
  const disks = totals.rows.length / ROW_COLUMNS;
  const requestsOf = (disk: number): number => totals.rows[disk * ROW_COLUMNS + REQUESTS]!;
  return Array.from({ length: disks }, (_, disk) => disk)
    .sort((a, b) => requestsOf(b) - requestsOf(a) || a - b)
    .slice(0, count);
}

export function seriesOf(plan: FleetPlan, totals: FleetTotals): SeriesStep[] {
  const stepSeconds = plan.stepUs / 1e6;
  return Array.from({ length: plan.steps }, (_, step) => {
    const row = totals.series.subarray(step * SERIES_COLUMNS, (step + 1) * SERIES_COLUMNS);
    // The last step may be cut short.
    const seconds = Math.min(stepSeconds, plan.endUs / 1e6 - step * stepSeconds);
    const requests = row[SERIES_REQUESTS]!;
    return {
      seconds: step * stepSeconds,
      iops: requests / seconds,
      bytesPerSecond: row[SERIES_BYTES]! / seconds,
      throttledShare: ratio(row[SERIES_THROTTLED]!, requests),
      meanLatencyMicroseconds: ratio(row[SERIES_LATENCY_US]!, requests),
    };
  });
}

/**
 * A number that differs if any figure of any disk does: FNV-1a over the 32-bit words of all rows,
 * as two lanes.
 */
export function digestOf(totals: FleetTotals): string {
  const words = new Uint32Array(totals.rows.buffer);
  let even = 0x811c9dc5;
  let odd = 0x9dc5811c;
  for (let at = 0; at < words.length; at += 2) {
    even = Math.imul(even ^ words[at]!, 0x01000193);
    odd = Math.imul(odd ^ words[at + 1]!, 0x01000193);
  }
  return [even, odd].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

function addRow(sums: Float64Array, row: Float64Array): void {
  for (let column = 0; column < RESULT_COLUMNS; column++) {
    if (column !== LATENCY_MAX_US) sums[column] = sums[column]! + row[column]!;
  }
  if (row[LATENCY_MAX_US]! > sums[LATENCY_MAX_US]!) sums[LATENCY_MAX_US] = row[LATENCY_MAX_US]!;
}

function sumOf(counts: readonly LatencyCounts[], which: keyof LatencyCounts): Float64Array {
  const sum = new Float64Array(LATENCY_BUCKETS);
  for (const each of counts)
    each[which].forEach((count, at) => {
      sum[at] = sum[at]! + count;
    });
  return sum;
}

function latencyFigures(counts: Float64Array, total: number): LatencyFigures {
  const found: number[] = [];
  quantilesOf(counts, total, SHARES, found);
  const [p50 = 0, p90 = 0, p99 = 0, p999 = 0] = found;
  return { p50, p90, p99, p999 };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
