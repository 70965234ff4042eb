import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { LatencyHistogram } from '../../../src/load/histogram.ts';

/** The smallest recorded value that at least percent of the values do not exceed. */
function exactPercentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

test('percentiles are exact to three figures, from nanoseconds to hours', () => {
  const prng = createPrng(1);
  const histogram = new LatencyHistogram();
  const values = Array.from({ length: 20_000 }, () => Math.floor(10 ** (prng.nextFloat() * 13)));
  for (const value of values) histogram.record(value);
  const sorted = values.toSorted((a, b) => a - b);
  for (const percent of [0, 1, 10, 50, 90, 99, 99.9, 99.99, 100]) {
    const exact = exactPercentile(sorted, percent);
    expect(Math.abs(histogram.percentile(percent) - exact)).toBeLessThanOrEqual(exact * 0.001 + 1);
  }
  histogram.release();
});

test('count, least, most, mean and deviation are exact', () => {
  const histogram = new LatencyHistogram();
  for (const value of [2, 4, 4, 4, 5, 5, 7, 9.9]) histogram.record(value);
  expect([histogram.count, histogram.least, histogram.most]).toEqual([8, 2, 9]);
  expect(histogram.mean()).toBe(5);
  expect(histogram.deviation()).toBe(2);
  histogram.release();
});

test('an empty histogram answers zero', () => {
  const histogram = new LatencyHistogram();
  expect([
    histogram.mean(),
    histogram.deviation(),
    histogram.percentile(99),
    histogram.most,
  ]).toEqual([0, 0, 0, 0]);
  histogram.release();
});

test('latencies past the expected minute are kept', () => {
  const histogram = new LatencyHistogram();
  histogram.record(7200e9);
  histogram.record(5e9);
  expect(histogram.percentile(100)).toBe(7200e9);
  expect(Math.abs(histogram.percentile(50) - 5e9)).toBeLessThan(5e6);
  histogram.release();
});

test('adding is as if one had recorded both', () => {
  const [left, right, both] = [
    new LatencyHistogram(),
    new LatencyHistogram(),
    new LatencyHistogram(),
  ];
  for (let value = 1; value <= 1000; value++) {
    (value % 3 === 0 ? left : right).record(value * 1000);
    both.record(value * 1000);
  }
  left.add(right);
  expect([left.count, left.least, left.most, left.mean()]).toEqual([1000, 1000, 1e6, both.mean()]);
  expect(left.deviation()).toBeCloseTo(both.deviation(), 6);
  for (const percent of [1, 50, 99])
    expect(left.percentile(percent)).toBe(both.percentile(percent));
  for (const each of [left, right, both]) each.release();
});

test('reset forgets', () => {
  const histogram = new LatencyHistogram();
  histogram.record(5);
  histogram.reset();
  histogram.record(7);
  expect([histogram.count, histogram.least, histogram.percentile(50)]).toEqual([1, 7, 7]);
  histogram.release();
});

test('a negative latency, and use after release, are bugs', () => {
  const histogram = new LatencyHistogram();
  expect(() => histogram.record(-1)).toThrow('a latency is not negative');
  histogram.release();
  histogram.release();
  expect(() => histogram.record(1)).toThrow('the histogram was released');
});
