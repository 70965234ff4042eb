/**
 * A report as pages see it: ours, or fio's own JSON, read into lines. A line is one direction of
 * one job: what charts draw as a curve, and tables have a row for.
 */
import * as v from 'valibot';

const amount = v.pipe(v.number(), v.minValue(0));
const column = v.array(v.nullable(v.number()));
const columnsShape = v.object({
  at_ms: v.array(v.number()),
  measured_ms: v.array(amount),
  total_ios: v.array(amount),
  io_bytes: v.array(amount),
  p50_ns: column,
  p99_ns: column,
  p999_ns: column,
  max_ns: column,
});
const directionShape = v.object({
  total_ios: amount,
  iops: amount,
  bw_bytes: amount,
  clat_ns: v.object({
    mean: amount,
    max: v.optional(amount),
    percentile: v.optional(v.record(v.string(), amount)),
    bins: v.optional(v.record(v.string(), amount)),
  }),
});
const directionSeries = v.nullish(columnsShape, null);
const overheadShape = v.object({
  percent: v.number(),
  low: v.number(),
  high: v.number(),
  smallest: v.number(),
  pairs: v.number(),
});
const jobShape = v.object({
  jobname: v.string(),
  groupid: v.optional(v.number(), 0),
  job_runtime: v.optional(amount, 0),
  'job options': v.optional(v.record(v.string(), v.string()), {}),
  read: v.optional(directionShape),
  write: v.optional(directionShape),
  trim: v.optional(directionShape),
  sealdisk: v.optional(
    v.object({
      target: v.optional(v.string(), ''),
      error: v.nullish(v.object({ code: v.string(), message: v.string() }), null),
      generator: v.nullish(v.object({ p50_ns: amount, core_percent: amount }), null),
      series: v.nullish(
        v.object({
          interval_ms: amount,
          read: directionSeries,
          write: directionSeries,
          trim: directionSeries,
        }),
        null,
      ),
    }),
  ),
});
const documentShape = v.object({
  'sealdisk version': v.optional(v.string()),
  'fio version': v.optional(v.string()),
  timestamp: v.optional(v.number()),
  'global options': v.optional(v.record(v.string(), v.string()), {}),
  jobs: v.array(jobShape),
  sealdisk: v.optional(
    v.object({
      partial: v.optional(v.boolean(), false),
      notes: v.optional(v.array(v.string()), []),
      environment: v.optional(v.record(v.string(), v.union([v.string(), v.number()])), {}),
      comparison: v.nullish(
        v.array(v.object({ workload: v.string(), overhead: v.nullish(overheadShape, null) })),
        null,
      ),
      overhead: v.nullish(overheadShape, null),
    }),
  ),
});

export type ReportDocument = v.InferOutput<typeof documentShape>;
export type OverheadFigures = v.InferOutput<typeof overheadShape>;
type SeriesColumns = v.InferOutput<typeof columnsShape>;

const DIRECTIONS = ['read', 'write', 'trim'] as const;
type DirectionName = (typeof DIRECTIONS)[number];

/** One direction of one job. */
export interface PageLine {
  readonly job: string;
  readonly operation: DirectionName;
  readonly groupId: number;
  /** encrypted, plain, naive, memory, null; '' if the report does not say. */
  readonly target: string;
  /** What the curve is called on its charts. */
  readonly label: string;
  /** Its colour: a number of the page's palette. */
  readonly colour: number;
  readonly requests: number;
  readonly iops: number;
  readonly bytesPerSecond: number;
  readonly meanNs: number;
  /** null: the report does not say. */
  readonly mostNs: number | null;
  /** Percent and nanoseconds, from the least percent. */
  readonly percentiles: readonly (readonly [number, number])[];
  /** Nanoseconds and count, from the least; null: a report without them. */
  readonly bins: readonly (readonly [number, number])[] | null;
  readonly series: (SeriesColumns & { readonly intervalMs: number }) | null;
}

/** @returns null if it is no report */
export function readDocument(document: unknown): ReportDocument | null {
  const result = v.safeParse(documentShape, document);
  return result.success ? result.output : null;
}

/** A report's lines, job by job, without those that did nothing. Labels are the jobs' names. */
export function linesOf({ jobs }: ReportDocument): PageLine[] {
  const seen = new Map<string, number>();
  return jobs.flatMap((job) => {
    const before = seen.get(job.jobname) ?? 0;
    seen.set(job.jobname, before + 1);
    const name = before === 0 ? job.jobname : `${job.jobname} #${before + 1}`;
    return DIRECTIONS.flatMap((operation): PageLine[] => {
      const direction = job[operation];
      if (direction === undefined || direction.total_ios === 0) return [];
      const columns = job.sealdisk?.series?.[operation] ?? null;
      const { clat_ns: latency } = direction;
      return [
        {
          job: name,
          operation,
          groupId: job.groupid,
          target: job.sealdisk?.target ?? '',
          label: name,
          colour: 0,
          requests: direction.total_ios,
          iops: direction.iops,
          bytesPerSecond: direction.bw_bytes,
          meanNs: latency.mean,
          mostNs: latency.max ?? null,
          percentiles: pairsOf(latency.percentile ?? {}),
          bins: latency.bins === undefined ? null : pairsOf(latency.bins),
          series:
            columns === null ? null : { ...columns, intervalMs: job.sealdisk!.series!.interval_ms },
        },
      ];
    });
  });
}

function pairsOf(record: Readonly<Record<string, number>>): (readonly [number, number])[] {
  return Object.entries(record)
    .map(([key, value]) => [Number(key), value] as const)
    .sort(([one], [two]) => one - two);
}

/** A percentile the report gives; null if it does not. */
export function percentileOf({ percentiles }: PageLine, percent: number): number | null {
  return percentiles.find(([each]) => Math.abs(each - percent) < 1e-9)?.[1] ?? null;
}
