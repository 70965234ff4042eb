/**
 * The page of one report: headline figures, what encryption costs, a section for each group of jobs
 * that ran together, the job as written, and the machine.
 */
import { megabytes, shortCount } from '../text-table.ts';
import { type Markup, markup } from './markup.ts';
import type { Page, PageSection } from './page.ts';
import {
  linesOf,
  type OverheadFigures,
  type PageLine,
  percentileOf,
  type ReportDocument,
} from './report-document.ts';
import { type Cell, overviewTable, percentCell, table, timeCell } from './tables.ts';

const VARIANTS = ['encrypted', 'plain', 'naive'];

/** The page of a report. */
export function loadPage(document: ReportDocument): Page {
  const sections = sectionsOf(document);
  const lines = sections.flatMap((section) => section.lines);
  const overhead = document.sealdisk?.overhead ?? null;
  const names = sections.map(({ title }) => title);
  return {
    title: `Load report: ${names.length > 3 ? `${names.length} workloads` : names.join(', ')}`,
    subtitle: subtitleOf(document),
    warnings: warningsOf(document),
    headline: [
      tiles(overhead === null ? totalTiles(sections) : overheadTiles(overhead, lines)),
      ...(overhead === null ? [] : [overheadTable(document)]),
      markup`<section aria-label="All jobs"><h2>All jobs</h2>${overviewTable(lines)}</section>`,
    ],
    sections,
    appendix: appendixOf(document),
  };
}

/** Jobs that ran together, by their group. Lines of a comparison are called by their variant. */
function sectionsOf(document: ReportDocument): PageSection[] {
  const groups = new Map<number, PageLine[]>();
  for (const line of linesOf(document)) {
    groups.set(line.groupId, [...(groups.get(line.groupId) ?? []), line]);
  }
  return [...groups.values()].map((lines) => {
    const isCompared = lines.every(
      ({ job, target }) => VARIANTS.includes(target) && job.endsWith(`/${target}`),
    );
    const names = [
      ...new Set(
        lines.map(({ job, target }) => (isCompared ? job.slice(0, -target.length - 1) : job)),
      ),
    ];
    const isMixed = new Set(lines.map(({ operation }) => operation)).size > 1;
    return {
      title:
        names.length > 4
          ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
          : names.join(', '),
      remark: null,
      lines: lines.map((line, at) => {
        const name = isCompared ? line.target : names.length > 1 ? line.job : '';
        const label = [name, isMixed || name === '' ? line.operation : '']
          .filter(Boolean)
          .join(' ');
        const colour = isCompared && !isMixed ? VARIANTS.indexOf(line.target) : at;
        return { ...line, label, colour: colour % 6 };
      }),
    };
  });
}

function subtitleOf(document: ReportDocument): string {
  const version = document['sealdisk version'] ?? document['fio version'];
  const program = document['sealdisk version'] === undefined ? '' : 'sealdisk ';
  const ranMs = document.jobs.reduce((sum, { job_runtime: each }) => sum + each, 0);
  const when =
    document.timestamp === undefined ? '' : new Date(document.timestamp * 1e3).toUTCString();
  const runtime = ranMs === 0 ? '' : `${(ranMs / 1e3).toFixed(1)} s of jobs`;
  return [version === undefined ? '' : program + version, when, runtime]
    .filter(Boolean)
    .join(' · ');
}

function warningsOf({ jobs, sealdisk }: ReportDocument): string[] {
  const partial =
    sealdisk?.partial === true ? ['Interrupted: figures are of what was done until then.'] : [];
  const failed = jobs.flatMap(({ jobname, sealdisk: ours }) =>
    ours?.error == null ? [] : [`${jobname} failed: ${ours.error.code}: ${ours.error.message}`],
  );
  return [...partial, ...failed];
}

interface Tile {
  readonly title: string;
  readonly figure: string;
  readonly unit: string;
  readonly remark: string;
}

function tiles(all: readonly Tile[]): Markup {
  const each = all.map(
    ({ title, figure, unit, remark }) =>
      markup`<div class="tile"><dt>${title}</dt><dd><b>${figure}</b> <span>${unit}</span>\
<small>${remark}</small></dd></div>`,
  );
  return markup`<dl class="tiles">${each}</dl>`;
}

/** One section: the sum of its lines; several: the best of each. */
function totalTiles(sections: readonly PageSection[]): Tile[] {
  const sums = sections.map(({ title, lines }) => ({
    title,
    iops: lines.reduce((sum, line) => sum + line.iops, 0),
    bytesPerSecond: lines.reduce((sum, line) => sum + line.bytesPerSecond, 0),
  }));
  const isOne = sections.length === 1;
  const best = (key: 'iops' | 'bytesPerSecond'): (typeof sums)[number] | undefined =>
    [...sums].sort((one, two) => two[key] - one[key])[0];
  const [iops, bytes] = [best('iops'), best('bytesPerSecond')];
  const lines = sections.flatMap((section) => section.lines);
  const slowest = (percent: number): Tile => {
    const known = lines.map((line) => ({ line, time: percentileOf(line, percent) ?? 0 }));
    const [worst] = known.sort((one, two) => two.time - one.time);
    const [figure, unit] = timeParts(worst?.time ?? 0);
    const name =
      lines.length === 1
        ? ''
        : `${worst?.line.job ?? ''} ${worst?.line.operation ?? ''}, the slowest`;
    return { title: `p${percent} latency`, figure, unit, remark: name };
  };
  return [
    {
      title: isOne ? 'Throughput' : 'Most requests',
      figure: shortCount(iops?.iops ?? 0),
      unit: 'IOPS',
      remark: isOne ? '' : (iops?.title ?? ''),
    },
    {
      title: isOne ? 'Bandwidth' : 'Most bandwidth',
      figure: megabytes(bytes?.bytesPerSecond ?? 0),
      unit: 'MB/s',
      remark: isOne ? '' : (bytes?.title ?? ''),
    },
    slowest(50),
    slowest(99),
  ];
}

function timeParts(nanoseconds: number): [string, string] {
  const cell = timeCell(nanoseconds) as { text: string };
  const [, figure, unit] = /^([\d.]+) (\D+)$/.exec(cell.text)!;
  return [figure!, unit!];
}

function overheadTiles(overhead: OverheadFigures, lines: readonly PageLine[]): Tile[] {
  const { percent, low, high, smallest, pairs } = overhead;
  const rates = (['encrypted', 'plain'] as const).flatMap((target): Tile[] => {
    const of = lines.filter((line) => line.target === target);
    if (new Set(of.map(({ groupId }) => groupId)).size !== 1) return [];
    const iops = of.reduce((sum, line) => sum + line.iops, 0);
    const bytes = of.reduce((sum, line) => sum + line.bytesPerSecond, 0);
    const p99 = Math.max(...of.map((line) => percentileOf(line, 99) ?? 0));
    return [
      {
        title: target === 'encrypted' ? 'Encrypted' : 'Plain',
        figure: shortCount(iops),
        unit: 'IOPS',
        remark: `${megabytes(bytes)} MB/s, p99 ${timeParts(p99).join(' ')}`,
      },
    ];
  });
  return [
    {
      title: 'Encryption costs',
      figure: signed(percent),
      unit: '% of the IOPS',
      remark:
        `95 % interval ${signed(low)} to ${signed(high)} %` +
        (low <= 0 && high >= 0 ? '; may be none at all' : ''),
    },
    ...rates,
    {
      title: 'Smallest visible effect',
      figure: smallest.toFixed(1),
      unit: '%',
      remark: `what ${pairs} paired turns find in 80 of 100 such runs`,
    },
  ];
}

/** With a minus that is one, and none before nothing. */
function signed(value: number, digits = 1): string {
  return value
    .toFixed(digits)
    .replace(/^-(?=[0.]*$)/, '')
    .replace('-', '−');
}

const INTERVAL_WIDTH = 200;

/** A row for each workload: the cost as a point on its interval, all on one scale. */
function overheadTable({ sealdisk }: ReportDocument): Markup {
  const rows = (sealdisk?.comparison ?? []).flatMap(({ workload, overhead }) =>
    overhead === null ? [] : [{ name: workload, overhead }],
  );
  if (rows.length > 1) rows.push({ name: 'all together', overhead: sealdisk!.overhead! });
  const from = Math.min(0, ...rows.map(({ overhead }) => Math.max(-100, overhead.low)));
  const to = Math.max(0, ...rows.map(({ overhead }) => overhead.high));
  const place = (percent: number): number =>
    6 + ((Math.max(from, percent) - from) / (to - from || 1)) * (INTERVAL_WIDTH - 12);
  const percent = (value: number): Cell => ({ text: `${signed(value)} %`, value });
  const cells = rows.map(({ name, overhead }) => [
    name,
    percent(overhead.percent),
    intervalMarkup(place(0), place(overhead.low), place(overhead.percent), place(overhead.high)),
    `${signed(overhead.low)} to ${signed(overhead.high)} %`,
    percent(overhead.smallest),
    { text: `${overhead.pairs}`, value: overhead.pairs },
  ]);
  const columns = ['workload', 'cost', `${signed(from, 0)} to ${signed(to, 0)} %`];
  const rest = ['95 % interval', 'smallest visible', 'pairs'];
  return markup`<section aria-label="What encryption costs"><h2>What encryption costs</h2>
<p class="dim">Percent of the plain disk's requests a second, from turns of both in alternation; \
the line is zero, below it encrypted was faster.</p>
${table('What encryption costs', [...columns, ...rest], cells)}</section>`;
}

function intervalMarkup(zero: number, low: number, point: number, high: number): Markup {
  const at = (value: number): string => value.toFixed(1);
  return markup`<svg width="${INTERVAL_WIDTH}" height="18" aria-hidden="true">\
<line class="zero" x1="${at(zero)}" x2="${at(zero)}" y1="0" y2="18"/>\
<rect class="interval" x="${at(low)}" width="${at(Math.max(1, high - low))}" y="6" height="6" \
rx="3"/>\
<circle class="fill0" cx="${at(point)}" cy="9" r="5"/></svg>`;
}

function appendixOf({ jobs, sealdisk, 'global options': globals }: ReportDocument): Markup[] {
  const environment = Object.entries(sealdisk?.environment ?? {});
  const options = new Map<string, string>();
  if (Object.keys(globals).length > 0) options.set('[global]', optionsText(globals));
  for (const job of jobs) {
    const name = job.jobname.replace(/\/(encrypted|plain|naive)$/, '');
    if (!options.has(name)) options.set(name, optionsText(job['job options']));
  }
  const parts = [
    markup`<section aria-label="The job"><h2>The job</h2>
${table('Options as written', ['job', 'options'], [...options])}</section>`,
  ];
  const costs = jobs.flatMap(({ jobname, sealdisk: own }): Cell[][] => {
    const { p50_ns, core_percent } = own?.generator ?? {};
    if (p50_ns === undefined || core_percent === undefined) return [];
    return [[jobname, timeCell(p50_ns), percentCell(core_percent)]];
  });
  if (costs.length > 0) {
    parts.push(markup`<section aria-label="The load generator"><h2>The load generator</h2>
${table('What it cost itself', ['job', 'a request', 'of one core'], costs)}</section>`);
  }
  if (environment.length > 0) {
    const rows = environment.map(([name, value]) => [name, `${value}`]);
    parts.push(markup`<section aria-label="Environment"><h2>Environment</h2>
${table('Environment', ['what', 'value'], rows)}</section>`);
  }
  const notes = sealdisk?.notes ?? [];
  if (notes.length > 0) {
    const items = notes.map((note) => markup`<li>${note}</li>`);
    parts.push(markup`<section aria-label="Notes"><h2>Notes</h2><ul>${items}</ul></section>`);
  }
  return parts;
}

function optionsText(options: Readonly<Record<string, string>>): string {
  return Object.entries(options)
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('  ');
}
