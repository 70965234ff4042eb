/**
 * A page: one HTML document that needs nothing but itself. No request leaves it, its two scripts
 * and its style are named by their hashes, and nothing else may run (Content-Security-Policy).
 * Without scripts, and on paper, the tables say what the charts draw.
 */
import { type Chart, CURVES_MAX, chartsOf } from './chart-data.ts';
import { embeddedJson, type Markup, markup } from './markup.ts';
import type { PageLine } from './report-document.ts';
import { histogramTable, latencyTable, percentileTable, throughputTable } from './tables.ts';

/** What is put into every page. */
export interface PageAssets {
  readonly scripts: readonly string[];
  readonly style: string;
  /** The SHA-256 of a text, in base64. */
  readonly hashOf: (text: string) => string;
}

export interface PageSection {
  readonly title: string;
  /** Above the charts. */
  readonly remark: Markup | null;
  readonly lines: readonly PageLine[];
}

export interface Page {
  readonly title: string;
  readonly subtitle: string;
  /** What must not be overlooked: interrupted, failed. */
  readonly warnings: readonly string[];
  readonly headline: readonly Markup[];
  readonly sections: readonly PageSection[];
  /** After all charts: the job, the environment. */
  readonly appendix: readonly Markup[];
}

const CHARTS: Readonly<
  Record<
    Chart['kind'],
    { title: string; remark: string; table: (lines: readonly PageLine[]) => Markup }
  >
> = {
  throughput: {
    title: 'Throughput over time',
    remark: 'requests a second; seconds since the beginning',
    table: throughputTable,
  },
  latency: {
    title: 'Latency over time',
    remark: 'of each interval; logarithmic',
    table: latencyTable,
  },
  percentiles: {
    title: 'Latency by percentile',
    remark: 'percent of the requests that were not slower; both axes logarithmic',
    table: percentileTable,
  },
  histogram: {
    title: 'Latency histogram',
    remark: 'percent of the requests in each bar; 6 bars an octave',
    table: histogramTable,
  },
};

/** The whole document. */
export function renderPage(page: Page, { scripts, style, hashOf }: PageAssets): string {
  const charts = page.sections.map(({ lines }) => chartsOf(lines));
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map((text) => `'sha256-${hashOf(text)}'`).join(' ')}`,
    `style-src 'sha256-${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const { html } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<style>${{ html: style }}</style>
</head>
<body>
<main>
<header><h1>${page.title}</h1><p class="subtitle">${page.subtitle}</p></header>
${page.warnings.map((text) => markup`<p class="warning" role="alert">${text}</p>\n`)}
${[...page.headline]}
${page.sections.map((section, at) => sectionMarkup(section, charts[at]!, at))}
${[...page.appendix]}
</main>
<script type="application/json" id="charts">${embeddedJson(charts)}</script>
${scripts.map((text) => markup`<script>${{ html: text }}</script>\n`)}
</body>
</html>
`;
  return html;
}

function sectionMarkup(section: PageSection, charts: readonly Chart[], index: number): Markup {
  const { title, lines, remark } = section;
  const rest = lines.length - CURVES_MAX;
  const figures = charts.map(({ kind }, at) => {
    const chart = CHARTS[kind];
    return markup`<figure class="chart">
<figcaption><h3>${chart.title}</h3><p class="dim">${chart.remark}</p></figcaption>
<div class="plot" id="chart-${index}-${at}" hidden></div>
<details open><summary>Table: ${chart.title.toLowerCase()}</summary>${chart.table(lines)}</details>
</figure>\n`;
  });
  const missing =
    rest > 0
      ? markup`<p class="dim">The ${CURVES_MAX} busiest are drawn; the tables have all.</p>`
      : null;
  return markup`<section aria-label="${title}"><h2>${title}</h2>${remark}${missing}
<div class="charts">${figures}</div></section>\n`;
}
