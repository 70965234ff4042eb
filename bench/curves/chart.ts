/**
 * A chart as SVG: lines and dots on two logarithmic axes, light or dark as the reader's screen is.
 * Pure.
 *
 * Colours are variables of a style sheet inside the picture, so that one file serves both. Every
 * series is named beside its last point: nothing is told by colour alone.
 */

export interface ChartSeries {
  readonly name: string;
  /** Which colour, from 0. */
  readonly colour: number;
  readonly mark: 'line' | 'dots';
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axis {
  readonly title: string;
  readonly ticks: readonly number[];
  readonly text: (value: number) => string;
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  /** A line that has a name is named at its end; dots are not named. */
  readonly series: readonly ChartSeries[];
}

const WIDTH = 760;
const HEIGHT = 440;
const LEFT = 76;
const RIGHT = 150;
const TOP = 88;
const BOTTOM = 60;
/** Names at the ends of lines stand at least so far apart. */
const NAME_GAP = 15;
/** Ink and ground, then the colours of series: light, dark. */
const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  ground: ['#fcfcfb', '#1a1a19'],
  ink: ['#0b0b0b', '#ffffff'],
  muted: ['#52514e', '#c3c2b7'],
  grid: ['#e1e0d9', '#2c2c2a'],
  s0: ['#2a78d6', '#3987e5'],
  s1: ['#1baf7a', '#199e70'],
  s2: ['#b87900', '#c98500'],
  s3: ['#e34948', '#e66767'],
};

const sheet = (at: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([name, colours]) => `--${name}:${colours[at]}`)
    .join(';');

const STYLE = [
  `svg{${sheet(0)};font:12px system-ui,sans-serif}`,
  `@media (prefers-color-scheme:dark){svg{${sheet(1)}}}`,
  '.ground{fill:var(--ground)}.grid{stroke:var(--grid)}text{fill:var(--muted)}',
  '.title{font-size:16px;font-weight:600;fill:var(--ink)}.name{font-weight:600;fill:var(--ink)}',
  '.line{fill:none;stroke-width:2;stroke-linejoin:round}',
  '.dot{stroke:var(--ground);stroke-width:2}',
  ...[0, 1, 2, 3].map((at) => `.l${at}{stroke:var(--s${at})}.d${at}{fill:var(--s${at})}`),
].join('\n');

/** Where a value stands between the first and the last tick, by its logarithm. */
function placeOf({ ticks }: Axis, value: number): number {
  const [first, last] = [Math.log(ticks[0]!), Math.log(ticks.at(-1)!)];
  return (Math.log(value) - first) / (last - first);
}

export function drawChart(chart: Chart): string {
  const across = (value: number): number => LEFT + placeOf(chart.x, value) * (WIDTH - LEFT - RIGHT);
  const down = (value: number): number =>
    HEIGHT - BOTTOM - placeOf(chart.y, value) * (HEIGHT - TOP - BOTTOM);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    textAt(LEFT, 28, chart.title, 'title'),
    textAt(LEFT, 48, chart.subtitle),
    ...chart.y.ticks.flatMap((tick) => [
      line(LEFT, down(tick), WIDTH - RIGHT, down(tick)),
      textAt(LEFT - 8, down(tick) + 4, chart.y.text(tick), '', 'end'),
    ]),
    ...chart.x.ticks.map((tick) =>
      textAt(across(tick), HEIGHT - BOTTOM + 20, chart.x.text(tick), '', 'middle'),
    ),
    textAt((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, chart.x.title, '', 'middle'),
    textAt(LEFT, TOP - 10, chart.y.title),
    ...chart.series.flatMap((series) => marks(series, across, down)),
    ...names(chart.series, across, down),
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

function marks({ points, mark, colour }: ChartSeries, across: Scale, down: Scale): string[] {
  const at = points.map(([x, y]) => [across(x).toFixed(1), down(y).toFixed(1)] as const);
  if (mark === 'line') {
    return [
      `<polyline class="line l${colour}" points="${at.map(([x, y]) => `${x},${y}`).join(' ')}"/>`,
    ];
  }
  return at.map(([x, y]) => `<circle class="dot d${colour}" cx="${x}" cy="${y}" r="5"/>`);
}

/** Beside the last points of lines, from below upwards, moved apart where they would meet. */
function names(series: readonly ChartSeries[], across: Scale, down: Scale): string[] {
  const ends = series
    .filter(({ mark }) => mark === 'line')
    .map(({ name, points }) => ({ name, x: across(points.at(-1)![0]), y: down(points.at(-1)![1]) }))
    .sort((one, other) => other.y - one.y);
  let below = Number.POSITIVE_INFINITY;
  return ends.map(({ name, x, y }) => {
    below = Math.min(y, below - NAME_GAP);
    return textAt(x + 12, below + 4, name, 'name');
  });
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="grid" x1="${x1}" y1="${y1.toFixed(1)}" x2="${x2}" y2="${y2.toFixed(1)}"/>`;
}

function textAt(x: number, y: number, text: string, kind = '', anchor = 'start'): string {
  const own = kind === '' ? '' : ` class="${kind}"`;
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"`;
  return `<text${own} ${place}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
