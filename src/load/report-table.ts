/** A report for people: what was asked of each job, what came of it, and what went wrong. */
import type { DirectionStats } from './load-stats.ts';
import { FLUSH, READ, TRIM, WRITE } from './operation-source.ts';
import { ownCostOf } from './own-cost.ts';
import type { Overhead } from './paired-overhead.ts';
import type { ComparisonRow, LoadReport, Rate, Ratio, ReportJob } from './report.ts';
import { errorDocument } from './report-json.ts';
import { duration, megabytes, shortCount, type TextColumn, textTable } from './text-table.ts';

const DIRECTIONS = [
  { operation: READ, name: 'read' },
  { operation: WRITE, name: 'write' },
  { operation: TRIM, name: 'trim' },
  { operation: FLUSH, name: 'sync' },
] as const;

const COLUMNS: readonly TextColumn[] = [
  { title: 'job', align: 'left' },
  { title: 'target', align: 'left' },
  { title: 'op', align: 'left' },
  { title: 'IOPS' },
  { title: 'MB/s' },
  { title: 'mean' },
  { title: 'p50' },
  { title: 'p99' },
  { title: 'p99.9' },
  { title: 'max' },
  { title: 'requests' },
];

/** The whole report as text, ending in a newline. */
export function reportTable(report: LoadReport): string {
  const parts: string[] = [];
  if (report.comparison !== null) parts.push(comparisonTable(report.comparison));
  else parts.push(textTable(COLUMNS, report.jobs.flatMap(jobRows)));
  if (report.overhead !== null) parts.push(...overheadLines(report));
  for (const job of report.jobs) parts.push(...jobRemarks(job));
  parts.push(...generatorLines(report.jobs));
  if (report.isPartial)
    parts.push('partial: interrupted, the numbers are of what was done until then');
  return `${parts.join('\n')}\n`;
}

/** What encryption costs, over all and for each workload if there are several. */
function overheadLines({ overhead, comparison }: LoadReport): string[] {
  const line = (name: string, { percent, low, high, smallest, pairs }: Overhead): string => {
    const [figure, from, to, least] = [percent, low, high, smallest].map((each) => each.toFixed(1));
    const doubt = low <= 0 && high >= 0 ? '; this may be none at all' : '';
    return (
      `${name}: encryption costs ${figure} % of the requests a second (95 % interval ${from} to ` +
      `${to}; smallest effect this run could have seen ${least} %; ${pairs} paired turns)` +
      doubt
    );
  };
  const rows = comparison!.length > 1 ? comparison! : [];
  const each = rows.flatMap((row) =>
    row.overhead === null ? [] : [line(`  ${row.workload}`, row.overhead)],
  );
  return [line('overhead', overhead!), ...each];
}

/** What the generator itself cost, from the job it cost least of a core to the one it cost most. */
function generatorLines(jobs: readonly ReportJob[]): string[] {
  const costs = jobs.map(({ stats }) => ownCostOf(stats)).filter((cost) => cost !== null);
  if (costs.length === 0) return [];
  const range = (values: readonly number[], text: (value: number) => string): string => {
    const [least, most] = [text(Math.min(...values)), text(Math.max(...values))];
    return least === most ? least : `${least} to ${most}`;
  };
  const medians = costs.map(({ p50Ns }) => p50Ns);
  const shares = costs.map(({ corePercent }) => corePercent);
  const share = range(shares, (value) => value.toFixed(1));
  return [`load generator: ${range(medians, duration)} a request, ${share} % of one core`];
}

function jobRows(job: ReportJob): string[][] {
  const name = job.clones > 1 ? `${job.name} x${job.clones}` : job.name;
  const rows = DIRECTIONS.map(({ operation, name: operationName }) => ({
    operationName,
    direction: job.stats.direction(operation),
  })).filter(({ direction }) => direction.requests > 0);
  if (rows.length === 0) return [[name, job.target, '-', ...Array(7).fill('-'), '0']];
  return rows.map(({ operationName, direction }) => [
    name,
    job.target,
    operationName,
    ...directionCells(direction),
  ]);
}

function directionCells({ requests, bytes, runtimeMs, latency }: DirectionStats): string[] {
  const perSecond = runtimeMs === 0 ? 0 : 1e3 / runtimeMs;
  return [
    shortCount(requests * perSecond),
    megabytes(bytes * perSecond),
    duration(latency.mean()),
    duration(latency.percentile(50)),
    duration(latency.percentile(99)),
    duration(latency.percentile(99.9)),
    duration(latency.most),
    `${requests}`,
  ];
}

function jobRemarks(job: ReportJob): string[] {
  const remarks: string[] = [];
  const { verified, stats } = job;
  if (job.isPaced && stats.response.count > 0) {
    const { response } = stats;
    remarks.push(
      `${job.name}: from when it was due: mean ${duration(response.mean())}, p50 ` +
        `${duration(response.percentile(50))}, p99 ${duration(response.percentile(99))}`,
    );
  }
  if (job.search != null) {
    const { targetUs, percent, depth } = job.search;
    const goal = `${percent} % within ${duration(targetUs * 1e3)}`;
    remarks.push(`${job.name}: ${goal}: ${depth} in flight of at most ${job.depth}`);
  }
  if (job.steady != null) {
    const { quantity, isSlope, isAttained, criterion, limit, isPercent } = job.steady;
    const what = `${quantity}${isSlope ? ' slope' : ' deviation'}`;
    const unit = isPercent ? ' %' : '';
    const state = isAttained ? 'steady' : 'not steady';
    remarks.push(`${job.name}: ${state}: ${what} ${criterion.toFixed(3)} of ${limit}${unit}`);
  }
  if (job.failures !== undefined && job.failures.count > 0) {
    const first = errorDocument(job.failures.first)!;
    const failed = `${job.failures.count} requests failed`;
    remarks.push(`${job.name}: ${failed}, the first: ${first.code}: ${first.message}`);
  }
  if (verified !== null) {
    const unchecked = verified.uncheckedUnits > 0 ? `, ${verified.uncheckedUnits} unchecked` : '';
    remarks.push(
      `${job.name}: verified ${verified.checkedUnits} units of 512 bytes${unchecked}: ` +
        `${verified.count} mismatches`,
    );
    for (const { diskName, offsetBytes, expected, got } of verified.first) {
      remarks.push(`  disk ${diskName}, offset ${offsetBytes}: expected ${expected}, got ${got}`);
    }
    if (verified.count > verified.first.length) {
      remarks.push(`  and ${verified.count - verified.first.length} more`);
    }
  }
  const error = errorDocument(job.error);
  if (error !== null) remarks.push(`${job.name}: ${error.code}: ${error.message}`);
  return remarks;
}

/**
 * Rows workloads; columns encrypted, plain, their ratio (in brackets that of the turns in which it
 * was least and most), naive, and the ratio to that.
 */
export function comparisonTable(rows: readonly ComparisonRow[]): string {
  const columns: TextColumn[] = [
    { title: 'workload', align: 'left' },
    ...rateColumns('encrypted'),
    ...rateColumns('plain'),
    { title: 'encrypted/plain (turns)' },
    { title: 'naive IOPS' },
    { title: 'MB/s' },
    { title: 'encrypted/naive' },
  ];
  return textTable(
    columns,
    rows.map((row) => [
      row.workload,
      ...rateCells(row.encrypted),
      ...rateCells(row.plain),
      ratioCell(row.ratioToPlain),
      ...rateCells(row.naive).slice(0, 2),
      row.ratioToNaive === null ? '-' : `${shortCount(row.ratioToNaive)}x`,
    ]),
  );
}

function rateColumns(name: string): TextColumn[] {
  return [{ title: `${name} IOPS` }, { title: 'MB/s' }, { title: 'p50' }, { title: 'p99' }];
}

function rateCells(rate: Rate | null): string[] {
  if (rate === null) return ['-', '-', '-', '-'];
  return [
    shortCount(rate.requestsPerSecond),
    megabytes(rate.bytesPerSecond),
    duration(rate.p50Ns),
    duration(rate.p99Ns),
  ];
}

function ratioCell(ratio: Ratio | null): string {
  if (ratio === null) return '-';
  const [all, least, most] = [ratio.all, ratio.least, ratio.most].map((each) => each.toFixed(2));
  return `${all} (${least}-${most})`;
}
