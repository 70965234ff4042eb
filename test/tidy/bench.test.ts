/** The benchmarks run, so that they cannot rot; and their report says what it must. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Chart, drawChart } from '../../bench/curves/chart.ts';
import { fleetChart, rateChart } from '../../bench/curves/charts.ts';
import { median, parseReference } from '../../bench/reference.ts';
import { makeReport, renderReport, reportName } from '../../bench/report.ts';
import { loadTree, ROOT } from './tree.ts';

interface Row {
  readonly suite: string;
  readonly name: string;
  readonly opsPerSecond: number;
  readonly bytesPerSecond: number | null;
}

describe('a smoke run', () => {
  test('has rows of every benchmark file, each with a figure', async () => {
    const program = join(ROOT, 'dist/bench/run.js');
    const { stdout } = await promisify(execFile)(process.execPath, [program, '--smoke', '--json']);
    const report = JSON.parse(stdout) as { readonly isSmoke: boolean; readonly rows: Row[] };
    expect(report.isSmoke).toBe(true);
    for (const row of report.rows) {
      expect(row.opsPerSecond, row.name).toBeGreaterThan(0);
      expect(row.opsPerSecond, row.name).toBeLessThan(Number.POSITIVE_INFINITY);
      expect(row.bytesPerSecond === null || row.bytesPerSecond > 0, row.name).toBe(true);
    }
    const names = report.rows.map((row) => `${row.suite}: ${row.name}`);
    expect(new Set(names).size).toBe(names.length);
    const files = loadTree().paths.filter((path) => path.endsWith('.bench.ts'));
    const suites = files.map((path) => path.replace('bench/micro/', '').replace('.bench.ts', ''));
    expect([...new Set(report.rows.map((row) => row.suite))].sort()).toEqual(suites);
  });
});

describe('the curves', () => {
  const read = (name: string): string => readFileSync(join(ROOT, 'bench/curves', name), 'utf8');

  test('are drawn from the measured figures that are kept beside them', () => {
    const { rates, fleets } = JSON.parse(read('measured.json'));
    expect(drawChart(rateChart(rates))).toBe(read('rate.svg'));
    expect(drawChart(fleetChart(fleets))).toBe(read('fleet.svg'));
  });

  test('show what the disks are sold with: virtual time reaches it where it is deep enough', () => {
    const { rates } = JSON.parse(read('measured.json'));
    expect(rates).toHaveLength(4);
    for (const { published, points } of rates) {
      expect(Math.abs(points.at(-1).virtual / published - 1)).toBeLessThan(0.001);
    }
  });

  test('stand where their values are, by the logarithm, and names do not meet', () => {
    const axis = { title: 'a < b', ticks: [1, 100], text: String };
    const line = (name: string, y: number) => ({
      name,
      colour: 0,
      mark: 'line' as const,
      points: [[1, 1] as const, [10, 10] as const, [100, y] as const],
    });
    const chart: Chart = {
      title: 't',
      subtitle: 's',
      x: axis,
      y: axis,
      series: [line('one', 100), line('other', 99)],
    };
    const svg = drawChart(chart);
    expect(svg).toContain('a &lt; b');
    const [first] = /points="[^"]*"/.exec(svg) ?? [''];
    const [[x1, y1], [x2, y2], [x3, y3]] = [...first.matchAll(/([\d.]+),([\d.]+)/g)].map(
      ([, x, y]) => [Number(x), Number(y)] as const,
    ) as [[number, number], [number, number], [number, number]];
    expect([x2 - x1, y1 - y2]).toEqual([x3 - x2, y2 - y3]);
    const names = [...svg.matchAll(/class="name" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) =>
      Number(y),
    );
    expect(Math.abs(names[0]! - names[1]!)).toBeGreaterThanOrEqual(15);
  });
});

describe('the report', () => {
  const rows = [
    { name: 'encrypt', opsPerSecond: 500_000, bytesPerSecond: 2e9 },
    { name: 'ask', opsPerSecond: 10_000, bytesPerSecond: null },
  ];
  const report = makeReport([{ suite: 'cipher', rows }], [5e9, 1e9, 4e9], false);

  test('gives throughput as a part of the median reference', () => {
    expect(report.reference).toBe(4e9);
    expect(report.rows.map((row) => row.partOfReference)).toEqual([0.5, null]);
  });

  test('shows a line per row and names machine and commit', () => {
    const text = renderReport(report);
    expect(text).toMatch(/^cipher: encrypt +500000 +2\.00 +2000 +50\.0 %$/m);
    expect(text).toMatch(/^cipher: ask +10000 +100\.00 +- +-$/m);
    expect(text).toContain(`Node ${process.versions.node}`);
    expect(text).toContain(report.commit);
  });

  test('shows no ratio where there is nothing to compare with', () => {
    const alone = makeReport([{ suite: 'cipher', rows }], [], true);
    expect(alone.rows.map((row) => row.partOfReference)).toEqual([null, null]);
    expect(renderReport(alone)).toContain('no openssl command');
    expect(renderReport(alone)).toContain('mean nothing');
  });

  test('of uncommitted code is kept under a name git ignores', () => {
    const at = { ...report, date: '2026-01-02T03:04:05.000Z' };
    expect(reportName({ ...at, commit: 'abc1234' })).toBe('2026-01-02-abc1234.json');
    expect(reportName({ ...at, commit: 'abc1234-dirty' })).toMatch(/\.local\.json$/);
  });
});

describe('the reference', () => {
  test('is read from the report of openssl speed', () => {
    const output = '+DT:AES-256-XTS:1:4096\n+H:4096\n+F:25:AES-256-XTS:3803488256.00\n';
    expect(parseReference(output)).toBe(3803488256);
    expect(() => parseReference('+H:4096\n')).toThrow('no figure');
  });

  test('is a median: one outlier does not move it', () => {
    expect(median([3, 1, 1000])).toBe(3);
    expect(median([1, 2])).toBe(1.5);
    expect(() => median([])).toThrow('nothing');
  });
});
