/**
 * The tables of a page: every figure a chart draws, or a headline says, in text. A cell has the
 * exact number in data-value beside what people read.
 */
import { duration, megabytes, shortCount } from '../text-table.ts';
import { originOf } from './chart-data.ts';
import { type Markup, markup } from './markup.ts';
import { type PageLine, percentileOf } from './report-document.ts';

/** A number as read and as it is; null: there is none. */
interface NumberCell {
  readonly text: string;
  readonly value: number;
  /** Colours it. */
  readonly kind?: 'better' | 'worse';
}
export type Cell = NumberCell | Markup | string | null;

/** @param caption what screen readers say, and prints have as a title */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): Markup {
  const isText = (at: number): boolean =>
    rows.some((row) => typeof row[at] === 'string' || (row[at] !== null && 'html' in row[at]!));
  const head = columns.map((title, at) =>
    isText(at)
      ? markup`<th scope="col" class="text">${title}</th>`
      : markup`<th scope="col">${title}</th>`,
  );
  const body = rows.map(
    ([first, ...rest]) =>
      markup`<tr><th scope="row">${cellContent(first ?? null)}</th>${rest.map(cellMarkup)}</tr>\n`,
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody></table></div>`;
}

function cellMarkup(cell: Cell): Markup {
  if (cell === null) return markup`<td class="none">–</td>`;
  if (typeof cell === 'string') return markup`<td class="text">${cell}</td>`;
  if ('html' in cell) return markup`<td class="text">${cell}</td>`;
  const { text, value, kind = 'plain' } = cell;
  return markup`<td class="${kind}" data-value="${value}">${text}</td>`;
}

function cellContent(cell: Cell): Markup | string {
  if (cell === null) return '–';
  if (typeof cell === 'string' || 'html' in cell) return cell;
  return cell.text;
}

export const countCell = (value: number): Cell => ({ text: shortCount(value), value });
export const bytesCell = (value: number): Cell => ({ text: megabytes(value), value });
export const timeCell = (value: number | null): Cell =>
  value === null ? null : { text: timeText(value), value };
export const percentCell = (value: number): Cell => ({ text: `${value.toFixed(2)} %`, value });

/** A duration with its unit as typeset: 47.1 µs. */
function timeText(nanoseconds: number): string {
  return duration(nanoseconds).replace(/[a-z]+$/, (unit) => ` ${unit.replace('u', 'µ')}`);
}

/** Names a line in a list of all: its job, and what it did. */
function lineName({ job, operation }: PageLine): Markup {
  return markup`${job} <span class="dim">${operation}</span>`;
}

/** One row a line, with a bar as long as its IOPS. */
export function overviewTable(lines: readonly PageLine[]): Markup {
  const most = Math.max(1, ...lines.map(({ iops }) => iops));
  return table(
    'All jobs',
    ['job', 'IOPS', '', 'MB/s', 'mean', 'p50', 'p99', 'p99.9', 'max', 'requests'],
    lines.map((line) => [
      lineName(line),
      countCell(line.iops),
      bar(line.iops / most, line.colour),
      bytesCell(line.bytesPerSecond),
      timeCell(line.meanNs),
      ...[50, 99, 99.9].map((percent) => timeCell(percentileOf(line, percent))),
      timeCell(line.mostNs),
      { text: line.requests.toLocaleString('en'), value: line.requests },
    ]),
  );
}

const BAR_WIDTH = 96;

function bar(share: number, colour: number): Markup {
  const width = Math.max(1, share * BAR_WIDTH).toFixed(1);
  return markup`<svg width="${BAR_WIDTH}" height="12" aria-hidden="true">\
<rect class="fill${colour}" width="${width}" height="12" rx="2"/></svg>`;
}

/** Rows of tables over time. */
const SPANS = 12;

interface Span {
  readonly title: string;
  /** For each line: which of its points lie in the span. */
  readonly points: readonly (readonly number[])[];
}

/** The time of all lines in a few spans. */
function spansOf(lines: readonly PageLine[]): Span[] {
  const places = lines.map((line) => {
    const originMs = originOf(line, lines);
    return (line.series?.at_ms ?? []).map((atMs) => atMs - originMs);
  });
  const intervalMs = Math.max(0, ...lines.map(({ series }) => series?.intervalMs ?? 0));
  const endMs = Math.max(0, ...places.map((each) => (each.at(-1) ?? 0) + intervalMs));
  const lengthMs = intervalMs * Math.max(1, Math.ceil(endMs / intervalMs / SPANS));
  const count = intervalMs === 0 ? 0 : Math.ceil(endMs / lengthMs);
  return Array.from({ length: count }, (_, span) => {
    const [fromMs, toMs] = [span * lengthMs, (span + 1) * lengthMs];
    const points = places.map((each) =>
      each.flatMap((atMs, at) => (atMs >= fromMs && atMs < toMs ? [at] : [])),
    );
    return { title: `${(fromMs / 1e3).toFixed(1)}–${(toMs / 1e3).toFixed(1)} s`, points };
  });
}

const sumAt = (column: readonly number[], points: readonly number[]): number =>
  points.reduce((sum, at) => sum + column[at]!, 0);

export function throughputTable(lines: readonly PageLine[]): Markup {
  const rows = spansOf(lines).map(({ title, points }) => [
    title,
    ...lines.flatMap(({ series }, index): Cell[] => {
      const within = points[index]!;
      const measuredMs = series === null ? 0 : sumAt(series.measured_ms, within);
      if (series === null || measuredMs === 0) return [null, null];
      const rate = (column: readonly number[]): number =>
        (sumAt(column, within) * 1e3) / measuredMs;
      return [countCell(rate(series.total_ios)), bytesCell(rate(series.io_bytes))];
    }),
  ]);
  const columns = lines.flatMap(({ label }) => [`${label} IOPS`, 'MB/s']);
  return table('Throughput over time', ['time', ...columns], rows);
}

export function latencyTable(lines: readonly PageLine[]): Markup {
  const known = (column: readonly (number | null)[], points: readonly number[]): number[] =>
    points.flatMap((at) => column[at] ?? []);
  const median = (values: number[]): number | null =>
    values.sort((one, two) => one - two)[Math.floor((values.length - 1) / 2)] ?? null;
  const highest = (values: readonly number[]): number | null =>
    values.length === 0 ? null : Math.max(...values);
  const rows = spansOf(lines).map(({ title, points }) => [
    title,
    ...lines.flatMap(({ series }, index): Cell[] => {
      if (series === null) return [null, null, null];
      const within = points[index]!;
      return [
        timeCell(median(known(series.p50_ns, within))),
        timeCell(highest(known(series.p99_ns, within))),
        timeCell(highest(known(series.max_ns, within))),
      ];
    }),
  ]);
  const columns = lines.flatMap(({ label }) => [
    `${label} p50, median`,
    'p99, highest interval',
    'max',
  ]);
  return table('Latency over time', ['time', ...columns], rows);
}

export function percentileTable(lines: readonly PageLine[]): Markup {
  const percents = [...new Set(lines.flatMap((line) => line.percentiles.map(([each]) => each)))];
  const rows: Cell[][] = percents
    .sort((one, two) => one - two)
    .map((percent) => [
      `${percent} %`,
      ...lines.map((line) => timeCell(percentileOf(line, percent))),
    ]);
  rows.push(['max', ...lines.map(({ mostNs }) => timeCell(mostNs))]);
  const columns = ['percentile', ...lines.map(({ label }) => label)];
  return table('Latency by percentile', columns, rows);
}

/** Percent of the requests between edges of 1, 2 and 5 and their tens. */
export function histogramTable(lines: readonly PageLine[]): Markup {
  const counted = lines.filter(({ bins }) => bins !== null);
  const edges = Array.from(
    { length: 3 * 13 },
    (_, at) => [1, 2, 5][at % 3]! * 10 ** Math.floor(at / 3),
  );
  const shares = counted.map(({ bins, requests }) => {
    const within = edges.map(() => 0);
    for (const [nanoseconds, count] of bins!) {
      const at = edges.findLastIndex((edge) => nanoseconds >= edge);
      within[Math.max(0, at)]! += (count * 100) / requests;
    }
    return within;
  });
  const rows = edges.flatMap((edge, at): Cell[][] => {
    if (shares.every((within) => within[at] === 0)) return [];
    const to = edges[at + 1];
    const title = to === undefined ? `over ${edgeText(edge)}` : `${edgeText(edge)}–${edgeText(to)}`;
    return [[title, ...shares.map((within) => percentCell(within[at]!))]];
  });
  return table('Latency histogram', ['latency', ...counted.map(({ label }) => label)], rows);
}

/** An edge is a round number: 50 µs. */
function edgeText(nanoseconds: number): string {
  const units = ['ns', 'µs', 'ms', 's'] as const;
  const unit = Math.min(3, Math.floor(Math.log10(nanoseconds) / 3 + 1e-9));
  return `${Math.round(nanoseconds / 1e3 ** unit)} ${units[unit]}`;
}
