/**
 * Reports side by side: ours and fio's own JSON, job by job and direction by direction.
 *
 * 1. Jobs are paired by name, and by how often the name came before in the same report. What only
 *    one report has is shown with nothing beside it.
 * 2. The first report is the one the others are measured against.
 * 3. Two single runs have no interval: a difference may be noise. The text says so.
 */
import * as v from 'valibot';
import { duration, megabytes, shortCount, type TextColumn, textTable } from './text-table.ts';

const amount = v.pipe(v.number(), v.minValue(0));
const latencyShape = v.object({
  mean: amount,
  percentile: v.optional(v.record(v.string(), amount)),
});
const directionShape = v.object({
  total_ios: amount,
  iops: amount,
  bw_bytes: amount,
  clat_ns: latencyShape,
});
const reportShape = v.object({
  jobs: v.array(
    v.object({
      jobname: v.string(),
      read: v.optional(directionShape),
      write: v.optional(directionShape),
      trim: v.optional(directionShape),
    }),
  ),
});

const DIRECTIONS = ['read', 'write', 'trim'] as const;

/** What one direction of one job did. */
export interface Measured {
  readonly iops: number;
  readonly bytesPerSecond: number;
  readonly meanNs: number;
  /** null: the report does not have it. */
  readonly p50Ns: number | null;
  readonly p99Ns: number | null;
}

/** One direction of one job in every report; null where a report does not have it. */
export interface ComparedRow {
  readonly job: string;
  readonly operation: (typeof DIRECTIONS)[number];
  readonly cells: readonly (Measured | null)[];
}

/**
 * Reads a report.
 *
 * @returns by job and operation, in the order of the report; null if it is no such report
 */
export function readReport(text: string): ReadonlyMap<string, Measured> | null {
  const result = v.safeParse(reportShape, documentOf(text));
  if (!result.success) return null;
  const rows = new Map<string, Measured>();
  const seen = new Map<string, number>();
  for (const job of result.output.jobs) {
    const before = seen.get(job.jobname) ?? 0;
    seen.set(job.jobname, before + 1);
    const name = before === 0 ? job.jobname : `${job.jobname} #${before + 1}`;
    for (const operation of DIRECTIONS) {
      const direction = job[operation];
      if (direction === undefined || direction.total_ios === 0) continue;
      rows.set(`${name}\n${operation}`, {
        iops: direction.iops,
        bytesPerSecond: direction.bw_bytes,
        meanNs: direction.clat_ns.mean,
        p50Ns: direction.clat_ns.percentile?.['50.000000'] ?? null,
        p99Ns: direction.clat_ns.percentile?.['99.000000'] ?? null,
      });
    }
  }
  return rows;
}

/** The JSON document of a report; null if there is none. fio's may have lines of talk before it. */
export function documentOf(text: string): unknown {
  try {
    return JSON.parse(text.slice(Math.max(0, text.search(/^\{/m))));
  } catch {
    return null;
  }
}

/** Rows of all reports, in the order of the first, then what only later ones have. */
export function compareReports(reports: readonly ReadonlyMap<string, Measured>[]): ComparedRow[] {
  const keys = new Set(reports.flatMap((report) => [...report.keys()]));
  return [...keys].map((key) => {
    const [job, operation] = key.split('\n') as [string, ComparedRow['operation']];
    return { job, operation, cells: reports.map((report) => report.get(key) ?? null) };
  });
}

/** True if some row has a figure in the first report and in another. */
export function hasCommonRows(rows: readonly ComparedRow[]): boolean {
  return rows.some(
    ({ cells }) => cells[0] !== null && cells.slice(1).some((cell) => cell !== null),
  );
}

const COLUMNS: readonly TextColumn[] = [
  { title: 'job', align: 'left' },
  { title: 'op', align: 'left' },
  { title: 'report', align: 'left' },
  { title: 'IOPS' },
  { title: 'change' },
  { title: 'MB/s' },
  { title: 'mean' },
  { title: 'change' },
  { title: 'p50' },
  { title: 'p99' },
  { title: 'change' },
];

/** The comparison as text, ending in a newline. */
export function compareTable(names: readonly string[], rows: readonly ComparedRow[]): string {
  const cells = rows.flatMap((row) =>
    row.cells.map((cell, at) => [
      at === 0 ? row.job : '',
      at === 0 ? row.operation : '',
      names[at]!,
      ...measuredCells(cell, at === 0 ? null : (row.cells[0] ?? null)),
    ]),
  );
  const remark = 'single runs: a change may be noise; load --encrypt both gives an interval';
  return `${textTable(COLUMNS, cells)}\n${remark}\n`;
}

function measuredCells(cell: Measured | null, base: Measured | null): string[] {
  if (cell === null) return Array(COLUMNS.length - 3).fill('-');
  const time = (nanoseconds: number | null): string =>
    nanoseconds === null ? '-' : duration(nanoseconds);
  return [
    shortCount(cell.iops),
    changeOf(cell.iops, base?.iops ?? null),
    megabytes(cell.bytesPerSecond),
    duration(cell.meanNs),
    changeOf(cell.meanNs, base?.meanNs ?? null),
    time(cell.p50Ns),
    time(cell.p99Ns),
    changeOf(cell.p99Ns, base?.p99Ns ?? null),
  ];
}

function changeOf(value: number | null, base: number | null): string {
  if (value === null || base === null || base === 0) return '';
  const percent = (value / base - 1) * 100;
  return `${percent < 0 ? '' : '+'}${percent.toFixed(1)}%`;
}
