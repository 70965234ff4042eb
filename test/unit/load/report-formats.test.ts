/** fio's own output formats, beside fio's own output. */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { LatencyHistogram } from '../../../src/load/histogram.ts';
import { type LoadReport, reportClones } from '../../../src/load/report.ts';
import { reportDocument } from '../../../src/load/report-json.ts';
import { depthShares, reportNormal, shortNumber } from '../../../src/load/report-normal.ts';
import { reportTerse } from '../../../src/load/report-terse.ts';
import { createNullTarget } from '../../../src/load/target.ts';
import { runJobs } from './doubles.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

async function reportOf(text: string): Promise<LoadReport> {
  return {
    version: '1.2.3',
    timestampMs: 1_795_312_488_932,
    globalOptions: {},
    jobs: reportClones(await runJobs(text, createNullTarget())),
    comparison: null,
    overhead: null,
    isPartial: false,
    notes: [],
    environment: {},
  };
}

const TEXT = '[j]\nrw=randrw\nsize=4m\nbs=4k\nfsync=16';
const FIO = ['--name=j', '--ioengine=null', '--rw=randrw', '--size=4m', '--bs=4k', '--fsync=16'];

/** A line without what differs from run to run. */
function skeleton(line: string): string {
  return line
    .replace(/pid=.*$/, 'pid')
    .replace(/[0-9.]+/g, 'N')
    .replace(/[kKMG]i?(?=B|,)|[num]sec(?=\))/g, '')
    .replace(/(?<=N)[kMG](?=,)/g, '')
    .replace(/ +/g, ' ')
    .replace(/\[ /g, '[')
    .replace(/= /g, '=');
}

describe.skipIf(fioAbsent !== '')(`beside fio ${fioAbsent}`, () => {
  test('every line of the normal output has the shape of a line of fio', async () => {
    const theirs = new Set(
      fio(...FIO)
        .split('\n')
        .map(skeleton),
    );
    const ours = reportNormal(await reportOf(TEXT), 77)
      .split('\n')
      .map(skeleton);
    expect(ours.filter((line) => !theirs.has(line))).toEqual([
      ' generator : (): avg=N, pN=N, cpu=N%, samples=N',
    ]);
    expect(ours.length).toBeGreaterThan(30);
  });

  test('terse has as many fields as fio, percent signs in the same places', async () => {
    const [theirs] = fio(...FIO, '--output-format=terse')
      .trim()
      .split('\n');
    const [ours] = reportTerse(await reportOf(TEXT))
      .trim()
      .split('\n');
    const signs = (line: string): string[] =>
      line.split(';').map((field) => field.replace(/[^%=]/g, ''));
    expect(signs(ours!)).toEqual(signs(theirs!));
    expect(ours!.split(';').slice(0, 5)).toEqual(['3', 'sealdisk-1.2.3', 'j', '0', '0']);
    const kib = (line: string): number => Number(line.split(';')[5]) + Number(line.split(';')[46]);
    expect(kib(ours!)).toBe(4096);
    expect(kib(theirs!)).toBe(4096);
  });
});

test('numbers have as many figures as asked for, with the prefix that needs', () => {
  // As fio 3.33 prints them.
  expect(shortNumber(40 * 2 ** 20, 4, true)).toBe('40.0Mi');
  expect(shortNumber(10_043_392, 4, true)).toBe('9808Ki');
  expect(shortNumber(10_436_608, 4, true)).toBe('9.95Mi');
  expect(shortNumber(10_043_392, 4, false)).toBe('10.0M');
  expect(shortNumber(1_226_400, 4, false)).toBe('1226k');
  expect(shortNumber(98.7, 4, false)).toBe('98');
  expect(shortNumber(1_226_400, 6, false)).toBe('1226.4k');
  expect(shortNumber(1_999_999, 3, false)).toBe('2.0M');
});

test('significant_figures reaches the normal output', async () => {
  const text = reportNormal(await reportOf(`${TEXT}\nsignificant_figures=7`), 1);
  expect(text).toMatch(/io=\d{1,7}(\.\d+)?(Ki)?B/);
});

test('shares of latency are all of the requests; depths are those asked for', async () => {
  const fields = reportTerse(await reportOf(TEXT))
    .trim()
    .split(';');
  const shares = fields.slice(-22).map((field) => Number.parseFloat(field));
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 0);
  expect([1, 2, 3, 8, 64, 4096].map((depth) => depthShares(depth).indexOf(100))).toEqual([
    0, 1, 1, 3, 6, 6,
  ]);
});

test('json+ has every bucket; their counts are all requests', async () => {
  const report = await reportOf(TEXT);
  const { jobs } = reportDocument(report, true) as unknown as {
    jobs: { read: { clat_ns: { N: number; min: number; bins: Record<string, number> } } }[];
  };
  const { N, bins } = jobs[0]!.read.clat_ns;
  expect(Object.values(bins).reduce((sum, count) => sum + count, 0)).toBe(N);
  expect(JSON.stringify(reportDocument(report))).not.toContain('bins');
});

test('buckets hold what was recorded, to three figures', () => {
  const prng = createPrng(8);
  const histogram = new LatencyHistogram();
  const recorded = Array.from({ length: 5000 }, () =>
    Math.floor(100 * 2 ** (prng.nextFloat() * 20)),
  );
  for (const value of recorded) histogram.record(value);
  const bins = histogram.bins();
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(5000);
  const sorted = recorded.sort((left, right) => left - right);
  let rank = 0;
  for (const { nanoseconds, count } of bins) {
    for (const value of sorted.slice(rank, rank + count)) {
      expect(Math.abs(value - nanoseconds) / nanoseconds).toBeLessThan(0.002);
    }
    rank += count;
  }
  histogram.release();
  const empty = new LatencyHistogram();
  expect(empty.bins()).toEqual([]);
  empty.release();
});

test('a job that did nothing, and one that failed, are printed too', async () => {
  const report = await reportOf('[j]\nrw=read\nsize=64k');
  const failed = { ...report.jobs[0]!, error: new Error('x') };
  expect(reportNormal({ ...report, jobs: [failed] }, 1)).toContain('err= 5:');
  expect(reportTerse({ ...report, jobs: [failed] }).split(';')[4]).toBe('5');
});
