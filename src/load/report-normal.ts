/**
 * A report as fio prints it by default (--output-format=normal), line for line, so that scripts and
 * eyes that read fio's read ours. What differs is what report-json.ts says at its head; besides,
 * IO depths are those asked for, the pid is ours, and a line says what the generator itself cost.
 *
 * Numbers are made as fio makes them (lib/num2str.c, stat.c): as many figures as
 * significant_figures says, the unit of latencies by their least, greatest and deviation.
 */
import type { LatencyHistogram } from './histogram.ts';
import type { DirectionStats } from './load-stats.ts';
import { FLUSH, READ, TRIM, WRITE } from './operation-source.ts';
import { ownCostOf } from './own-cost.ts';
import type { LoadReport, ReportJob } from './report.ts';
import { errnoOf, errorDocument } from './report-json.ts';
import type { SteadyResult } from './steady-state.ts';

const DIRECTIONS = [
  { operation: READ, name: 'read' },
  { operation: WRITE, name: 'write' },
  { operation: TRIM, name: 'trim' },
] as const;

/** The whole report as text, ending in a newline. */
export function reportNormal(report: LoadReport, processId: number): string {
  // Sun, 22 Nov 2026 06:18:55 GMT as C's ctime() writes it.
  const [day, date, month, year, time] = new Date(report.timestampMs).toUTCString().split(/,? /);
  const when = `${day} ${month} ${date} ${time} ${year}`;
  const jobs = report.jobs.flatMap((job) => jobLines(job, `pid=${processId}: ${when}`));
  return `${[...jobs, ...groupLines(report.jobs)].join('\n')}\n`;
}

function jobLines(job: ReportJob, process: string): string[] {
  const errno = errnoOf(job.error);
  const head = `${job.name}: (groupid=${job.groupId}, jobs=${job.clones})`;
  const lines = [`${head}: err=${`${errno}`.padStart(2)}: ${process}`];
  for (const { operation, name } of DIRECTIONS) {
    const direction = job.stats.direction(operation);
    if (direction.requests > 0) lines.push(...directionLines(job, name, direction));
  }
  const flushes = job.stats.direction(FLUSH);
  if (flushes.requests > 0) {
    lines.push('  fsync/fdatasync/sync_file_range:');
    lines.push(`    sync ${latencyText(flushes.latency)}`);
    lines.push(...percentileLines('sync', flushes.latency, job.percentiles));
  }
  const { userPercent, systemPercent, contextSwitches } = job.cost;
  const cpu = `usr=${userPercent.toFixed(2)}%, sys=${systemPercent.toFixed(2)}%`;
  const issued = ([READ, WRITE, TRIM, FLUSH] as const).map(
    (each) => job.stats.direction(each).requests,
  );
  lines.push(
    `  cpu          : ${cpu}, ctx=${contextSwitches}, majf=0, minf=0`,
    `  IO depths    : ${depthText(job.depth)}`,
    `     issued rwts: total=${issued.join(',')} short=0,0,0,0 dropped=0,0,0,0`,
    `     latency   : ${searchText(job)}`,
  );
  if (job.failures !== undefined && job.failures.count > 0) {
    const { count, first } = job.failures;
    const what = errorDocument(first)!.code;
    lines.push(`     errors    : total=${count}, first_error=${errnoOf(first)}/<${what}>`);
  }
  lines.push(...generatorLines(job));
  if (job.steady != null) lines.push(steadyLine(job.steady, job.significantFigures));
  return lines;
}

/** Not of fio's output: what of the processor's time was the generator's own. */
function generatorLines({ stats }: ReportJob): string[] {
  const cost = ownCostOf(stats);
  if (cost === null) return [];
  const { meanNs, p50Ns, corePercent, samples } = cost;
  const times = `avg=${meanNs.toFixed(0)}, p50=${p50Ns}, cpu=${corePercent.toFixed(2)}%`;
  return [`  generator    : (nsec): ${times}, samples=${samples}`];
}

/** Nanoseconds and microseconds, as fio 3.33 prints them. */
function searchText({ search = null, depth }: ReportJob): string {
  const { targetUs, windowUs, percent } = search ?? { targetUs: 0, windowUs: 0, percent: 100 };
  const found = search?.depth ?? depth;
  const goal = `target=${targetUs * 1e3}, window=${windowUs}`;
  return `${goal}, percentile=${percent.toFixed(2)}%, depth=${found}`;
}

function steadyLine(steady: SteadyResult, figures: number): string {
  const mean = (window: readonly number[]): number =>
    window.reduce((sum, each) => sum + each, 0) / Math.max(1, window.length);
  const [binary, decimal] = bandwidth(mean(steady.bw), figures);
  const what = `${steady.quantity}${steady.isSlope ? ' slope' : ' mean dev'}`;
  return (
    `  steadystate  : attained=${steady.isAttained ? 'yes' : 'no'}, bw=${binary} (${decimal}), ` +
    `iops=${shortNumber(mean(steady.iops), figures, false)}, ` +
    `${what}=${steady.criterion.toFixed(3)}${steady.isPercent ? '%' : ''}`
  );
}

function directionLines(job: ReportJob, name: string, direction: DirectionStats): string[] {
  const { requests, bytes, runtimeMs, latency, kibRate, requestRate } = direction;
  const figures = job.significantFigures;
  const perSecond = runtimeMs === 0 ? 0 : 1e3 / runtimeMs;
  const iops = shortNumber(requests * perSecond, figures, false);
  const rate = bandwidth(bytes * perSecond, figures);
  const done = `${shortNumber(bytes, figures, true)}B/${Math.round(runtimeMs)}msec`;
  const zones = name === 'write' ? '; 0 zone resets' : '';
  return [
    `  ${name}: IOPS=${iops}, BW=${rate[0]} (${rate[1]})(${done})${zones}`,
    `    clat ${latencyText(latency)}`,
    `     lat ${latencyText(latency)}`,
    ...percentileLines('clat', latency, job.percentiles),
    ...(kibRate.samples() === 0
      ? []
      : [
          `   bw (  KiB/s): min=${padded(kibRate.least)}, max=${padded(kibRate.most)}, ` +
            `per=100.00%, avg=${kibRate.mean().toFixed(2)}, ` +
            `stdev=${padded(kibRate.deviation(), 2)}, samples=${kibRate.samples()}`,
          `   iops        : min=${padded(requestRate.least)}, max=${padded(requestRate.most)}, ` +
            `avg=${requestRate.mean().toFixed(2)}, ` +
            `stdev=${padded(requestRate.deviation(), 2)}, samples=${requestRate.samples()}`,
        ]),
  ];
}

function padded(value: number, decimals = 0): string {
  return value.toFixed(decimals).padStart(5);
}

/** The unit fio would take, and how many nanoseconds it is (stat.c, nsec_to_usec, nsec_to_msec). */
function latencyUnit(least: number, most: number, deviation: number): [string, number] {
  if (least > 2e6 && most > 99_999_999 && deviation > 1e6) return ['msec', 1e6];
  if (least > 2e3 && most > 99_999 && deviation > 1e3) return ['usec', 1e3];
  return ['nsec', 1];
}

function latencyText(latency: LatencyHistogram): string {
  const { least, most } = latency;
  const [unit, scale] = latencyUnit(least, most, latency.deviation());
  const mean = (latency.mean() / scale).toFixed(2).padStart(5);
  const deviation = (latency.deviation() / scale).toFixed(2).padStart(5);
  const [from, to] = [least, most].map((edge) => shortNumber(edge / scale, 4, false));
  return `(${unit}): min=${from}, max=${to}, avg=${mean}, stdev=${deviation}`;
}

function percentileLines(
  name: string,
  latency: LatencyHistogram,
  percentiles: readonly number[],
): string[] {
  const values = percentiles.map((percent) => latency.percentile(percent));
  const [unit, scale] = latencyUnit(values[0] ?? 0, values.at(-1) ?? 0, Number.POSITIVE_INFINITY);
  const cells = values.map((value, at) => {
    const percent = percentiles[at]!.toFixed(2).padStart(5);
    return `${percent}th=[${`${Math.floor(value / scale)}`.padStart(5)}]`;
  });
  const rows: string[] = [];
  for (let at = 0; at < cells.length; at += 4) {
    const isLast = at + 4 >= cells.length;
    rows.push(`     | ${cells.slice(at, at + 4).join(', ')}${isLast ? '' : ','}`);
  }
  return [`    ${name} percentiles (${unit}):`, ...rows];
}

/** Shares of depths 1, 2, 4 .. 64 and more: all at the one the job asked for. */
export function depthShares(depth: number): number[] {
  const at = Math.min(6, Math.floor(Math.log2(depth)));
  return Array.from({ length: 7 }, (_, index) => (index === at ? 100 : 0));
}

function depthText(depth: number): string {
  const names = ['1', '2', '4', '8', '16', '32', '>=64'];
  return depthShares(depth)
    .map((share, at) => `${names[at]}=${share.toFixed(1)}%`)
    .join(', ');
}

function groupLines(jobs: readonly ReportJob[]): string[] {
  const groups = new Set(jobs.map(({ groupId }) => groupId));
  return [...groups].flatMap((groupId) => {
    const members = jobs.filter((job) => job.groupId === groupId);
    const lines = DIRECTIONS.flatMap(({ operation, name }) => {
      const parts = members
        .map(({ stats }) => stats.direction(operation))
        .filter(({ requests }) => requests > 0);
      return parts.length === 0 ? [] : [groupLine(name, parts, members[0]!.significantFigures)];
    });
    return ['', `Run status group ${groupId} (all jobs):`, ...lines];
  });
}

function groupLine(name: string, parts: readonly DirectionStats[], figures: number): string {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const runtimes = parts.map(({ runtimeMs }) => runtimeMs);
  const [shortest, longest] = [Math.min(...runtimes), Math.max(...runtimes)];
  const rates = parts.map((part) => (part.bytes * 1e3) / part.runtimeMs);
  const all = bandwidth((bytes * 1e3) / longest, figures);
  const least = bandwidth(Math.min(...rates), figures);
  const most = bandwidth(Math.max(...rates), figures);
  const run = `run=${Math.round(shortest)}-${Math.round(longest)}msec`;
  return (
    `${name.toUpperCase().padStart(7)}: bw=${all[0]} (${all[1]}), ${least[0]}-${most[0]} ` +
    `(${least[1]}-${most[1]}), io=${shortNumber(bytes, figures, true)}B ` +
    `(${shortNumber(bytes, figures, false)}B), ${run}`
  );
}

/** Bytes a second by powers of 1024, and by powers of 1000. */
function bandwidth(bytesPerSecond: number, figures: number): [string, string] {
  return [
    `${shortNumber(bytesPerSecond, figures, true)}B/s`,
    `${shortNumber(bytesPerSecond, figures, false)}B/s`,
  ];
}

/**
 * fio's num2str: at most figures characters of number, the point among them, and a prefix.
 *
 * @param isBinary Ki, Mi, Gi instead of k, M, G
 */
export function shortNumber(value: number, figures: number, isBinary: boolean): string {
  const prefixes = isBinary ? ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] : ['', 'k', 'M', 'G', 'T', 'P'];
  const thousand = isBinary ? 1024 : 1000;
  let whole = Math.floor(value);
  let rest = -1;
  let prefix = 0;
  while (`${whole}`.length > figures && prefix + 1 < prefixes.length) {
    rest = whole % thousand;
    whole = Math.floor(whole / thousand);
    prefix += 1;
  }
  if (rest < 0) return `${whole}${prefixes[prefix]}`;
  const decimals = figures - `${whole}`.length - 1;
  if (decimals < 1) return `${rest >= thousand / 2 ? whole + 1 : whole}${prefixes[prefix]}`;
  return `${(whole + rest / thousand).toFixed(decimals)}${prefixes[prefix]}`;
}
