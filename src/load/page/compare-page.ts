/**
 * The page of several reports side by side: ours, fio's own, or both. Jobs are paired as
 * report-compare.ts pairs them; the first report is the one the others are measured against.
 */
import { basename } from 'node:path';
import { type Markup, markup } from './markup.ts';
import type { Page, PageSection } from './page.ts';
import { linesOf, type PageLine, percentileOf, type ReportDocument } from './report-document.ts';
import { bytesCell, type Cell, countCell, overviewTable, table, timeCell } from './tables.ts';

export interface ComparedReport {
  /** Its file. */
  readonly name: string;
  readonly document: ReportDocument;
}

/** A figure that both lines may have; more of it is better or worse. */
interface Figure {
  readonly title: string;
  readonly isMoreBetter: boolean;
  readonly figureOf: (line: PageLine) => number | null;
  readonly cellOf: (value: number) => Cell;
}

const latency = (percent: number): Figure => ({
  title: `p${percent}`,
  isMoreBetter: false,
  figureOf: (line) => percentileOf(line, percent),
  cellOf: timeCell,
});
const FIGURES: readonly Figure[] = [
  { title: 'IOPS', isMoreBetter: true, figureOf: ({ iops }) => iops, cellOf: countCell },
  {
    title: 'MB/s',
    isMoreBetter: true,
    figureOf: ({ bytesPerSecond }) => bytesPerSecond,
    cellOf: bytesCell,
  },
  {
    title: 'mean latency',
    isMoreBetter: false,
    figureOf: ({ meanNs }) => meanNs,
    cellOf: timeCell,
  },
  ...[50, 99, 99.9].map(latency),
];
/** What the first table of the page has. */
const HEADLINE = ['IOPS', 'mean latency', 'p99'];

/** The page of two reports or more. */
export function comparePage(reports: readonly ComparedReport[]): Page {
  const names = namesOf(reports.map(({ name }) => name));
  const groups = new Map<string, PageLine[]>();
  for (const [at, { document }] of reports.entries()) {
    for (const line of linesOf(document)) {
      const key = `${line.job}, ${line.operation}`;
      const named = { ...line, label: names[at]!, colour: at % 6 };
      groups.set(key, [...(groups.get(key) ?? []), named]);
    }
  }
  const sections = [...groups].map(
    ([title, lines]): PageSection => ({ title, remark: figureTable(names, lines), lines }),
  );
  return {
    title: `Compared: ${names.join(', ')}`,
    subtitle: `${names[0]} is what the others are measured against`,
    warnings: reports.flatMap(({ document }, at) =>
      document.sealdisk?.partial === true ? [`${names[at]} was interrupted.`] : [],
    ),
    headline: [changesTable(names, sections)],
    sections,
    appendix: [...reports.map(({ document }, at) => reportMarkup(names[at]!, document))],
  };
}

/** Short names if they tell the reports apart, whole ones otherwise. */
function namesOf(fileNames: readonly string[]): string[] {
  const short = fileNames.map((name) => basename(name));
  if (new Set(short).size === short.length) return short;
  if (new Set(fileNames).size === fileNames.length) return [...fileNames];
  return fileNames.map((name, at) => `${name} (${at + 1})`);
}

/** Every job's change against the first report, for each of the others. */
function changesTable(names: readonly string[], sections: readonly PageSection[]): Markup {
  const shown = FIGURES.filter(({ title }) => HEADLINE.includes(title));
  const others = names.slice(1);
  const rows = sections.map(({ title, lines }) => {
    const base = lines.find(({ label }) => label === names[0]);
    const cells = others.flatMap((name) => {
      const line = lines.find(({ label }) => label === name);
      return shown.map((figure) => changeCell(figure, line, base));
    });
    return [title, ...cells];
  });
  const columns = others.flatMap((name) => shown.map(({ title }) => `${name}: ${title}`));
  return markup`<section aria-label="Changes"><h2>Against ${names[0]!}</h2>
<p class="dim">Single runs have no interval: a change may be noise. \
<code>sealdisk load --encrypt both</code> gives one.</p>
${table('Changes', ['job', ...columns], rows)}
<h2>All jobs</h2>${overviewTable(sections.flatMap(labelledLines))}</section>`;
}

function labelledLines({ title, lines }: PageSection): PageLine[] {
  const job = title.slice(0, title.lastIndexOf(', '));
  return lines.map((line) => ({ ...line, job: `${job}, ${line.label}` }));
}

/** A row a figure, a column a report, and the change of each against the first. */
function figureTable(names: readonly string[], lines: readonly PageLine[]): Markup {
  const base = lines.find(({ label }) => label === names[0]);
  const rows = FIGURES.map((figure) => [
    figure.title,
    ...names.flatMap((name, at): Cell[] => {
      const line = lines.find(({ label }) => label === name);
      const value = line === undefined ? null : figure.figureOf(line);
      const cell = value === null ? null : figure.cellOf(value);
      return at === 0 ? [cell] : [cell, changeCell(figure, line, base)];
    }),
  ]);
  const columns = names.flatMap((name, at) => (at === 0 ? [name] : [name, 'change']));
  return table('Figures', ['figure', ...columns], rows);
}

/** Percent, and in words whether that is better: never by colour alone. */
function changeCell(
  { isMoreBetter, figureOf }: Figure,
  line: PageLine | undefined,
  base: PageLine | undefined,
): Cell {
  const value = line === undefined ? null : figureOf(line);
  const against = base === undefined ? null : figureOf(base);
  if (value === null || against === null || against === 0) return null;
  const ratio = value / against;
  const percent = `${ratio < 1 ? '−' : '+'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;
  if (Math.abs(ratio - 1) < 0.0005) return { text: 'same', value: ratio };
  const verdict = ratio > 1 === isMoreBetter ? 'better' : 'worse';
  return {
    text: `${ratio > 1 ? '▲' : '▼'} ${percent} ${verdict}`,
    value: ratio,
    kind: verdict,
  };
}

/** What a report was made by and of: what differs here may be why the figures do. */
function reportMarkup(name: string, document: ReportDocument): Markup {
  const environment = Object.entries(document.sealdisk?.environment ?? {});
  const options = document.jobs.map(({ jobname, 'job options': each }) => [
    `job ${jobname}`,
    Object.entries({ ...document['global options'], ...each })
      .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
      .join('  '),
  ]);
  const version = document['sealdisk version'] ?? document['fio version'] ?? 'unknown';
  const program = document['sealdisk version'] === undefined ? version : `sealdisk ${version}`;
  const when =
    document.timestamp === undefined
      ? []
      : [['made', new Date(document.timestamp * 1e3).toUTCString()]];
  const rows = [
    ['program', program],
    ...when,
    ...environment.map(([key, value]) => [key, `${value}`]),
    ...options,
  ];
  return markup`<section aria-label="${name}"><h2>${name}</h2>
${table(`About ${name}`, ['what', 'value'], rows)}</section>`;
}
