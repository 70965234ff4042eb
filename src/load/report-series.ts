/**
 * The time series of a report's jobs as data: columns, one array each, the same length all.
 *
 *   at_ms        when the interval began, since the earliest of the report
 *   measured_ms  how much of it was measured: rates are total_ios and io_bytes over this
 *   total_ios, io_bytes, p50_ns, p99_ns, p999_ns, max_ns    latencies are null without requests
 */
import { type IntervalSeries, pointPercentile } from './interval-series.ts';
import { READ, TRIM, WRITE } from './operation-source.ts';
import type { ReportJob } from './report.ts';

/** The columns of one direction. */
export interface SeriesColumns {
  readonly [column: string]: readonly (number | null)[];
}

export interface SeriesDocument {
  readonly [key: string]: number | SeriesColumns | null;
}

const DIRECTIONS = { read: READ, write: WRITE, trim: TRIM } as const;

/** The earliest beginning of an interval, milliseconds since the epoch; 0 if there is none. */
export function seriesOrigin(jobs: readonly ReportJob[]): number {
  const starts = jobs.flatMap(({ stats }) =>
    stats.directions.flatMap(({ series }) => {
      const [first] = series.points;
      return first === undefined ? [] : [first.index * series.intervalMs];
    }),
  );
  return starts.length === 0 ? 0 : Math.min(...starts);
}

/** A job's series; null for directions it did not use. */
export function seriesDocument({ stats }: ReportJob, originMs: number): SeriesDocument {
  const intervalMs = Math.max(...stats.directions.map(({ series }) => series.intervalMs));
  const directions = Object.entries(DIRECTIONS).map(([name, operation]) => {
    const { series } = stats.direction(operation);
    return [name, series.points.length === 0 ? null : columnsOf(series, originMs)];
  });
  return { interval_ms: intervalMs, ...Object.fromEntries(directions) };
}

function columnsOf(series: IntervalSeries, originMs: number): SeriesColumns {
  const points = series.points;
  const whole = (value: number | null): number | null =>
    value === null ? null : Math.round(value);
  return {
    at_ms: points.map(({ index }) => Math.round(index * series.intervalMs - originMs)),
    measured_ms: points.map(({ measuredMs }) => Math.round(measuredMs * 1e3) / 1e3),
    total_ios: points.map(({ requests }) => requests),
    io_bytes: points.map(({ bytes }) => bytes),
    p50_ns: points.map((point) => whole(pointPercentile(point, 50))),
    p99_ns: points.map((point) => whole(pointPercentile(point, 99))),
    p999_ns: points.map((point) => whole(pointPercentile(point, 99.9))),
    max_ns: points.map(({ requests, mostNs }) => (requests === 0 ? null : whole(mostNs))),
  };
}
