/**
 * What the charts of a section draw, as data for assets/report.js: columns of x and y for each
 * curve.
 *
 * 1. A chart has at most CURVES_MAX lines, the busiest; tables have all of them.
 * 2. Time is seconds since the section began. A line that ran when the first was over (a baseline)
 *    is moved to the section's beginning.
 * 3. An interval of which less than a fifth was measured has no point: its rate says little.
 * 4. Where nothing was measured for some intervals, as between turns, a curve is broken.
 */
import type { PageLine } from './report-document.ts';

/** One curve: the same number of x and y, x rising; null is a gap. */
export interface Curve {
  readonly label: string;
  readonly colour: number;
  /** Solid, dashed, dotted: 0, 1, 2. */
  readonly dash: number;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** A chart, or several that share its place, by the name of the button for each. */
export interface Chart {
  readonly kind: 'throughput' | 'latency' | 'percentiles' | 'histogram';
  readonly views: readonly {
    readonly name: string;
    readonly unit: 'count' | 'bytes' | 'time' | 'percent';
    readonly curves: readonly Curve[];
  }[];
}

export const CURVES_MAX = 6;
const MEASURED_SHARE_MIN = 0.2;
const GAP_INTERVALS = 2.5;
const BARS_PER_OCTAVE = 6;
/** Percentiles are drawn on a scale of nines: 90 is 1, 99 is 2, 99.9 is 3. */
const ninesOf = (share: number): number => Math.log10(1 / (1 - share));

/** The busiest lines, in their order. */
function drawnLines(lines: readonly PageLine[]): PageLine[] {
  const busiest = [...lines].sort((one, two) => two.requests - one.requests).slice(0, CURVES_MAX);
  return lines.filter((line) => busiest.includes(line));
}

/** The charts that the lines have numbers for. */
export function chartsOf(lines: readonly PageLine[]): Chart[] {
  const drawn = drawnLines(lines);
  const moved = drawn.map((line) => ({ line, originMs: originOf(line, drawn) }));
  const timed = moved.filter(({ line }) => line.series !== null);
  const throughput = (perSecond: 'total_ios' | 'io_bytes'): Curve[] =>
    timed.map(({ line, originMs }) => rateCurve(line, originMs, perSecond));
  const charts: Chart[] = [
    {
      kind: 'throughput',
      views: [
        { name: 'IOPS', unit: 'count', curves: throughput('total_ios') },
        { name: 'MB/s', unit: 'bytes', curves: throughput('io_bytes') },
      ],
    },
    { kind: 'latency', views: latencyViews(timed) },
    {
      kind: 'percentiles',
      views: [{ name: 'latency', unit: 'time', curves: drawn.map(percentileCurve) }],
    },
    {
      kind: 'histogram',
      views: [
        {
          name: 'share',
          unit: 'percent',
          curves: drawn.flatMap((line) => (line.bins === null ? [] : [histogramCurve(line)])),
        },
      ],
    },
  ];
  return charts.filter(({ views }) => views[0]!.curves.some(({ x }) => x.length > 1));
}

interface Moved {
  readonly line: PageLine;
  readonly originMs: number;
}

/** One line has all percentiles in one view; several have a view for each. */
function latencyViews(timed: readonly Moved[]): Chart['views'] {
  const [only] = timed;
  const unit = 'time' as const;
  if (only !== undefined && timed.length === 1) {
    const names: readonly LatencyName[] = ['p50', 'p99', 'p99.9'];
    const curves = names.map((name, dash) => ({
      ...latencyCurve(only.line, only.originMs, name),
      label: name,
      dash,
    }));
    return [{ name: 'latency', unit, curves }];
  }
  const names: readonly LatencyName[] = ['p99', 'p50', 'p99.9'];
  return names.map((name) => ({
    name,
    unit,
    curves: timed.map(({ line, originMs }) => latencyCurve(line, originMs, name)),
  }));
}

/** Where a line's time begins: with the others, or by itself if it ran when the first was over. */
export function originOf(line: PageLine, lines: readonly PageLine[]): number {
  const first = lines.find(({ series }) => series !== null);
  if (line.series === null || first === undefined) return 0;
  const [fromMs, toMs] = spanOf(first);
  const overlapping = lines.filter((each) => {
    if (each.series === null) return false;
    const [eachFromMs, eachToMs] = spanOf(each);
    return eachFromMs < toMs && eachToMs > fromMs;
  });
  if (!overlapping.includes(line)) return spanOf(line)[0];
  return Math.min(...overlapping.map((each) => spanOf(each)[0]));
}

function spanOf({ series }: PageLine): readonly [number, number] {
  return [series!.at_ms[0] ?? 0, (series!.at_ms.at(-1) ?? 0) + series!.intervalMs];
}

/** The curve of a column's values at the intervals that are drawn; x is their middle in seconds. */
function timeCurve(
  { label, colour, series }: PageLine,
  originMs: number,
  valueAt: (at: number) => number | null,
): Curve {
  const { at_ms: atMs, measured_ms: measuredMs, intervalMs } = series!;
  const x: number[] = [];
  const y: (number | null)[] = [];
  for (const [at, startMs] of atMs.entries()) {
    if (measuredMs[at]! < intervalMs * MEASURED_SHARE_MIN) continue;
    const seconds = Math.round(startMs - originMs + intervalMs / 2) / 1e3;
    const previous = x.at(-1);
    if (previous !== undefined && (seconds - previous) * 1e3 > intervalMs * GAP_INTERVALS) {
      x.push((seconds + previous) / 2);
      y.push(null);
    }
    x.push(seconds);
    y.push(valueAt(at));
  }
  return { label, colour, dash: 0, x, y };
}

function rateCurve(line: PageLine, originMs: number, column: 'total_ios' | 'io_bytes'): Curve {
  const { measured_ms: measuredMs, [column]: amounts } = line.series!;
  return timeCurve(line, originMs, (at) => Math.round((amounts[at]! * 1e3) / measuredMs[at]!));
}

const LATENCY_COLUMNS = { p50: 'p50_ns', p99: 'p99_ns', 'p99.9': 'p999_ns' } as const;
type LatencyName = keyof typeof LATENCY_COLUMNS;

function latencyCurve(line: PageLine, originMs: number, name: LatencyName): Curve {
  const latencies = line.series![LATENCY_COLUMNS[name]];
  return timeCurve(line, originMs, (at) => latencies[at] ?? null);
}

/** Of every bucket if there are buckets, otherwise of the percentiles that the report lists. */
function percentileCurve({ label, colour, bins, percentiles, requests }: PageLine): Curve {
  const listed = percentiles
    .filter(([percent, nanoseconds]) => percent < 100 && nanoseconds > 0)
    .map(([percent, nanoseconds]) => ({ nines: ninesOf(percent / 100), nanoseconds }));
  const counted: { nines: number; nanoseconds: number }[] = [];
  let below = 0;
  for (const [nanoseconds, count] of bins ?? []) {
    const nines = ninesOf(below / requests);
    const previous = counted.at(-1)?.nines ?? -1;
    if (nanoseconds > 0 && nines - previous > 0.02) counted.push({ nines, nanoseconds });
    below += count;
  }
  const points = bins === null ? listed : counted;
  return {
    label,
    colour,
    dash: 0,
    x: points.map(({ nines }) => Math.round(nines * 1e4) / 1e4),
    y: points.map(({ nanoseconds }) => nanoseconds),
  };
}

/** Percent of the requests in each of a few bars an octave, as steps; x is a bar's lower edge. */
function histogramCurve({ label, colour, bins, requests }: PageLine): Curve {
  const shares = new Map<number, number>();
  for (const [nanoseconds, count] of bins!) {
    const bar = Math.floor(Math.log2(Math.max(1, nanoseconds)) * BARS_PER_OCTAVE);
    shares.set(bar, (shares.get(bar) ?? 0) + (count * 100) / requests);
  }
  const [least, most] = [Math.min(...shares.keys()), Math.max(...shares.keys())];
  const bars = Array.from({ length: most - least + 3 }, (_, at) => least - 1 + at);
  return {
    label,
    colour,
    dash: 0,
    x: bars.map((bar) => Math.round(2 ** (bar / BARS_PER_OCTAVE) * 1e3) / 1e3),
    y: bars.map((bar) => Math.round((shares.get(bar) ?? 0) * 1e4) / 1e4),
  };
}
