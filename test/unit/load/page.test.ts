import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Chart, CURVES_MAX, chartsOf } from '../../../src/load/page/chart-data.ts';
import { comparePage } from '../../../src/load/page/compare-page.ts';
import { loadPage } from '../../../src/load/page/load-page.ts';
import { embeddedJson, markup } from '../../../src/load/page/markup.ts';
import { type Page, renderPage } from '../../../src/load/page/page.ts';
import {
  linesOf,
  type PageLine,
  type ReportDocument,
  readDocument,
} from '../../../src/load/page/report-document.ts';

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64');
const render = (page: Page): string =>
  renderPage(page, { scripts: ['first()', 'second()'], style: 'p{}', hashOf });

interface JobParts {
  readonly name: string;
  readonly target?: string;
  readonly group?: number;
  /** When its intervals of 100 ms began. */
  readonly at?: readonly number[];
  readonly iops?: number;
  readonly bins?: Readonly<Record<string, number>>;
}

function jobOf({ name, target = 'memory', group = 0, at, iops = 1000, bins }: JobParts): object {
  const column = (value: number | null): (number | null)[] => (at ?? []).map(() => value);
  const series = {
    at_ms: at,
    measured_ms: column(100),
    total_ios: column(100),
    io_bytes: column(409_600),
    p50_ns: column(1e5),
    p99_ns: column(2e5),
    p999_ns: column(null),
    max_ns: column(4e5),
  };
  return {
    jobname: name,
    groupid: group,
    job_runtime: 1000,
    'job options': { rw: 'read', direct: '' },
    read: {
      total_ios: 1000,
      iops,
      bw_bytes: iops * 4096,
      clat_ns: {
        mean: 1e9 / iops,
        max: 9e6,
        percentile: { '50.000000': 1e5, '99.000000': 2e5, '99.900000': 3e5 },
        ...(bins === undefined ? {} : { bins }),
      },
    },
    sealdisk: {
      target,
      series: at === undefined ? null : { interval_ms: 100, read: series, write: null, trim: null },
    },
  };
}

function documentOf(jobs: readonly object[], rest: object = {}): ReportDocument {
  const document = readDocument({ 'sealdisk version': '1.2.3', timestamp: 1e9, jobs, ...rest });
  expect(document).not.toBeNull();
  return document!;
}

const chartOf = (lines: readonly PageLine[], kind: Chart['kind']): Chart | undefined =>
  chartsOf(lines).find((chart) => chart.kind === kind);

describe('markup', () => {
  test('takes text for text, wherever it comes from', () => {
    const { html } = markup`<a title="${'"x"'}">${"<b>&'"}${null}${['<', markup`<i>`, 1]}</a>`;
    expect(html).toBe('<a title="&quot;x&quot;">&lt;b&gt;&amp;&#39;&lt;<i>1</a>');
  });

  test('puts JSON into a script so that nothing in it ends the script, and it is the same', () => {
    const value = { a: '</script><!--\u2028\u2029&', b: [1, null] };
    const { html } = embeddedJson(value);
    expect(html).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(html)).toEqual(value);
  });
});

describe('charts', () => {
  test('draw the rate of each interval in its middle, and break where nothing was measured', () => {
    const lines = linesOf(documentOf([jobOf({ name: 'a', at: [0, 100, 600, 700] })]));
    const { views } = chartOf(lines, 'throughput')!;
    expect(views.map(({ name }) => name)).toEqual(['IOPS', 'MB/s']);
    expect(views[0]!.curves[0]).toMatchObject({
      x: [0.05, 0.15, 0.4, 0.65, 0.75],
      y: [1000, 1000, null, 1000, 1000],
    });
    expect(views[1]!.curves[0]!.y[0]).toBe(4_096_000);
  });

  test('leave out intervals of which too little was measured', () => {
    const document = documentOf([jobOf({ name: 'a', at: [0, 100, 200] })]);
    document.jobs[0]!.sealdisk!.series!.read!.measured_ms[2] = 19;
    const [curve] = chartOf(linesOf(document), 'throughput')!.views[0]!.curves;
    expect(curve!.x).toEqual([0.05, 0.15]);
  });

  test('begin where the lines do; what ran when the first was over is moved there', () => {
    const document = documentOf([
      jobOf({ name: 'w/encrypted', at: [5000, 5100, 5200] }),
      jobOf({ name: 'w/plain', at: [5100, 5200] }),
      jobOf({ name: 'w/naive', at: [9000, 9100] }),
    ]);
    const curves = chartOf(linesOf(document), 'throughput')!.views[0]!.curves;
    expect(curves.map(({ x }) => x[0])).toEqual([0.05, 0.15, 0.05]);
  });

  test('of latency have all percentiles of one line, and of several one at a time', () => {
    const one = linesOf(documentOf([jobOf({ name: 'a', at: [0, 100] })]));
    const alone = chartOf(one, 'latency')!.views;
    expect(alone.map(({ curves }) => curves.map(({ label }) => label))).toEqual([
      ['p50', 'p99', 'p99.9'],
    ]);
    const two = linesOf(
      documentOf([jobOf({ name: 'a', at: [0, 100] }), jobOf({ name: 'b', at: [0, 100] })]),
    );
    const views = chartOf(two, 'latency')!.views;
    expect(views.map(({ name, curves }) => [name, curves.length])).toEqual([
      ['p99', 2],
      ['p50', 2],
      ['p99.9', 2],
    ]);
  });

  test('of percentiles are drawn from buckets, or from what is listed without them', () => {
    const bins = { '100': 900, '200': 90, '400': 9, '800': 1 };
    const counted = linesOf(documentOf([jobOf({ name: 'a', bins })]));
    const [curve] = chartOf(counted, 'percentiles')!.views[0]!.curves;
    expect([curve!.x, curve!.y]).toEqual([
      [0, 1, 2, 3],
      [100, 200, 400, 800],
    ]);
    const listed = linesOf(documentOf([jobOf({ name: 'a' })]));
    expect(chartsOf(listed).map(({ kind }) => kind)).toEqual(['percentiles']);
    expect(chartOf(listed, 'percentiles')!.views[0]!.curves[0]!.x).toEqual([0.301, 2, 3]);
  });

  test('of a histogram have bars that add up to all requests, empty ones between them', () => {
    const lines = linesOf(documentOf([jobOf({ name: 'a', bins: { '1000': 999, '8000': 1 } })]));
    const { x, y } = chartOf(lines, 'histogram')!.views[0]!.curves[0]!;
    expect(y.reduce<number>((sum, share) => sum + share!, 0)).toBeCloseTo(100, 6);
    expect(x).toHaveLength(3 * 6 + 3);
    expect([y[0], y.at(-1)]).toEqual([0, 0]);
  });

  test('draw the busiest lines if there are many', () => {
    const jobs = Array.from({ length: 9 }, (_, at) => jobOf({ name: `j${at}`, at: [0, 100] }));
    const html = render(loadPage(documentOf(jobs)));
    expect(html).toContain(`The ${CURVES_MAX} busiest are drawn`);
    const lines = linesOf(documentOf(jobs));
    expect(chartOf(lines, 'throughput')!.views[0]!.curves).toHaveLength(CURVES_MAX);
  });
});

describe('the page of a load', () => {
  test('lets nothing run but its own scripts', () => {
    const html = render(loadPage(documentOf([jobOf({ name: 'a', at: [0, 100] })])));
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    expect(policy).toContain('default-src &#39;none&#39;');
    for (const text of ['first()', 'second()', 'p{}']) expect(policy).toContain(hashOf(text));
    expect(html).toContain('<script>first()</script>');
    expect(html).not.toMatch(/(?:src|href)=/);
  });

  test('begins with what encryption costs, and how sure that is', () => {
    const overhead = { percent: 12.34, low: -1, high: 25, smallest: 9, pairs: 12 };
    const pair = [
      jobOf({ name: 'w/encrypted', target: 'encrypted', iops: 880 }),
      jobOf({ name: 'w/plain', target: 'plain', iops: 1000 }),
    ];
    const comparison = [{ workload: 'w', overhead }];
    const one = render(loadPage(documentOf(pair, { sealdisk: { overhead, comparison } })));
    expect(one).toMatch(/Encryption costs<\/dt><dd><b>12\.3<\/b> <span>% of the IOPS/);
    expect(one).toContain('interval −1.0 to 25.0 %; may be none at all');
    expect(one).toMatch(/Encrypted<\/dt><dd><b>880/);
    const two = [
      ...comparison,
      { workload: 'x', overhead: { ...overhead, low: 5 } },
      { workload: 'y', overhead: null },
    ];
    const more = [
      jobOf({ name: 'x/encrypted', target: 'encrypted', group: 1 }),
      jobOf({ name: 'x/plain', target: 'plain', group: 1 }),
    ];
    const all = render(
      loadPage(documentOf([...pair, ...more], { sealdisk: { overhead, comparison: two } })),
    );
    expect(all).toContain('all together');
    expect(all).not.toContain('Encrypted</dt>');
    expect(all.match(/<h2>[wx]<\/h2>/g)).toEqual(['<h2>w</h2>', '<h2>x</h2>']);
  });

  test('says the best of several groups, and what went wrong', () => {
    const failed = {
      ...jobOf({ name: 'b', group: 1, iops: 5000 }),
      sealdisk: { target: 'memory', error: { code: 'NoSpace', message: 'full' } },
    };
    const sealdisk = {
      partial: true,
      notes: ['a <note>'],
      environment: { cores: 2, node: '20' },
    };
    const document = documentOf([jobOf({ name: 'a' }), failed], {
      sealdisk,
      'global options': { bs: '4k' },
    });
    const html = render(loadPage(document));
    expect(html).toMatch(/Most requests<\/dt><dd><b>5\.00k<\/b> <span>IOPS<\/span><small>b</);
    expect(html).toContain('Interrupted');
    expect(html).toContain('b failed: NoSpace: full');
    expect(html).toContain('a &lt;note&gt;');
    expect(html).toContain('[global]');
    expect(html).toContain('rw=read  direct');
  });

  test('is refused for what is no report, and made for one in which nothing was done', () => {
    expect(readDocument({ jobs: 5 })).toBeNull();
    expect(readDocument(null)).toBeNull();
    expect(render(loadPage(documentOf([])))).toContain('<h1>Load report: </h1>');
  });
});

describe('the page of a comparison', () => {
  const report = (name: string, ...jobs: readonly object[]) => ({
    name,
    document: documentOf(jobs),
  });

  test('says for each figure how it changed, and whether that is better', () => {
    const page = comparePage([
      report('x/a.json', jobOf({ name: 'w', iops: 1000, at: [0, 100] })),
      report('x/b.json', jobOf({ name: 'w', iops: 800, at: [7000, 7100] })),
    ]);
    expect(page.title).toBe('Compared: a.json, b.json');
    const html = render(page);
    expect(html).toContain('class="worse" data-value="0.8">▼ −20.0 % worse');
    expect(html).toContain('class="worse" data-value="1.25">▲ +25.0 % worse');
    expect(html).toContain('data-value="1">same');
    const better = render(
      comparePage([
        report('b', jobOf({ name: 'w', iops: 800 })),
        report('a', jobOf({ name: 'w' })),
      ]),
    );
    expect(better).toContain('class="better" data-value="1.25">▲ +25.0 % better');
  });

  test('tells files of one name apart, and shows what only one of them has', () => {
    const paths = comparePage([
      report('x/r.json', jobOf({ name: 'a' }), jobOf({ name: 'a' })),
      report('y/r.json', jobOf({ name: 'b' })),
    ]);
    expect(paths.title).toBe('Compared: x/r.json, y/r.json');
    expect(paths.sections.map(({ title }) => title)).toEqual(['a, read', 'a #2, read', 'b, read']);
    expect(render(paths)).toContain('<td class="none">–</td>');
    const same = comparePage([
      report('r', jobOf({ name: 'a' })),
      report('r', jobOf({ name: 'a' })),
    ]);
    expect(same.title).toBe('Compared: r (1), r (2)');
  });

  test("takes fio's own reports, and says who made each", () => {
    const fio = { 'fio version': 'fio-3.33', 'sealdisk version': undefined, timestamp: undefined };
    const html = render(
      comparePage([
        report('ours', jobOf({ name: 'a' })),
        { name: 'theirs', document: documentOf([jobOf({ name: 'a' })], fio) },
      ]),
    );
    expect(html).toContain('fio-3.33');
    expect(html).toContain('sealdisk 1.2.3');
    const sealdisk = { partial: true };
    const interrupted = { name: 'i', document: documentOf([], { sealdisk }) };
    expect(render(comparePage([interrupted, interrupted]))).toContain('i (1) was interrupted');
  });
});
