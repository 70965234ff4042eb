import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IntervalSeries, POINTS_MAX, pointPercentile } from '../../../src/load/interval-series.ts';
import { LoadStats } from '../../../src/load/load-stats.ts';
import { READ, WRITE } from '../../../src/load/operation-source.ts';

/** A clone that completes a read each stepMs from beginMs to endMs. */
function statsOf(beginMs: number, endMs: number, stepMs: number): LoadStats {
  const stats = new LoadStats();
  stats.begin(beginMs);
  for (let now = beginMs + stepMs; now < endMs; now += stepMs) {
    stats.direction(READ).record(stepMs, 4096);
    stats.sampleIfDue(now);
  }
  stats.end(endMs);
  return stats;
}

describe('a series over time', () => {
  test('sums up to the totals, and its measured time to the runtime', () => {
    const stats = statsOf(17, 2345.5, 3);
    const { series, requests, bytes, runtimeMs } = stats.direction(READ);
    const points = series.points;
    expect(points.reduce((sum, point) => sum + point.requests, 0)).toBe(requests);
    expect(points.reduce((sum, point) => sum + point.bytes, 0)).toBe(bytes);
    expect(points.reduce((sum, point) => sum + point.measuredMs, 0)).toBeCloseTo(runtimeMs, 6);
    expect(points.length).toBeGreaterThanOrEqual(23);
    expect(stats.direction(WRITE).series.points).toEqual([]);
    stats.release();
  });

  test('has a point with zero for each interval that nothing completed in', () => {
    const stats = new LoadStats();
    stats.begin(0);
    stats.direction(READ).record(1, 512);
    stats.sampleIfDue(1);
    stats.direction(READ).record(1000, 512);
    stats.sampleIfDue(1001);
    stats.end(1001);
    const points = stats.direction(READ).series.points;
    const idle = points.filter(({ requests }) => requests === 0);
    expect(idle.length).toBeGreaterThanOrEqual(8);
    expect(idle.map((point) => pointPercentile(point, 50))).toEqual(idle.map(() => null));
    stats.release();
  });

  test('never has more points than its bound: intervals double, nothing is lost', () => {
    const stats = statsOf(0, 250_000, 10);
    const { series, requests } = stats.direction(READ);
    expect(series.points.length).toBeLessThanOrEqual(POINTS_MAX + 1);
    expect(series.intervalMs).toBe(800);
    expect(series.points.reduce((sum, point) => sum + point.requests, 0)).toBe(requests);
    const rising = series.points.map(({ index }) => index);
    expect(rising).toEqual([...new Set(rising)].sort((one, two) => one - two));
    stats.release();
  });

  test('is the same when it comes from another thread', () => {
    const [one, two] = [statsOf(0, 700, 10), statsOf(300, 900, 7)];
    const sent = LoadStats.fromRecord(structuredClone(two.toRecord()));
    const beside = statsOf(0, 700, 10);
    one.direction(READ).merge(two.direction(READ));
    beside.direction(READ).merge(sent.direction(READ));
    expect(beside.direction(READ).series.points).toEqual(one.direction(READ).series.points);
    for (const stats of [one, two, sent, beside]) stats.release();
  });

  test('that is reset has only what came after', () => {
    const stats = new LoadStats();
    stats.begin(0);
    stats.direction(READ).record(1, 512);
    stats.sampleIfDue(250);
    stats.direction(READ).record(1, 512);
    stats.reset(260);
    stats.direction(READ).record(1, 4096);
    stats.end(400);
    const points = stats.direction(READ).series.points;
    expect(points.reduce((sum, point) => sum + point.bytes, 0)).toBe(4096);
    expect(points.reduce((sum, point) => sum + point.measuredMs, 0)).toBeCloseTo(140, 6);
    stats.release();
  });

  test('of turns leaves out the time between them', () => {
    const stats = statsOf(0, 130, 10);
    stats.begin(1000);
    stats.direction(READ).record(1, 1);
    stats.end(1030);
    const { series } = stats.direction(READ);
    const measuredMs = series.points.reduce((sum, point) => sum + point.measuredMs, 0);
    expect(measuredMs).toBeCloseTo(160, 6);
    expect(series.points.length).toBeLessThanOrEqual(5);
    stats.release();
  });

  test('of clones beside each other add up, also with intervals of different lengths', () => {
    const long = statsOf(0, 100_000, 10);
    const short = statsOf(50_000, 51_000, 5);
    const merged = new LoadStats();
    merged.merge(long);
    merged.merge(short);
    const { series, requests } = merged.direction(READ);
    expect(series.intervalMs).toBe(200);
    expect(series.points.reduce((sum, point) => sum + point.requests, 0)).toBe(requests);
    expect(Math.max(...series.points.map(({ requests: each }) => each))).toBe(60);
    const most = Math.max(...series.points.map(({ measuredMs }) => measuredMs));
    expect(most).toBeCloseTo(200, 6);
    expect(short.direction(READ).series.intervalMs).toBe(100);
    for (const each of [long, short, merged]) each.release();
  });
});

describe('percentiles of an interval', () => {
  test('are within 1.6 % of the exact ones, also after joining', () => {
    const latency = fc.integer({ min: 1, max: 2 ** 41 });
    const property = fc.property(
      fc.array(latency, { minLength: 1, maxLength: 60 }),
      fc.array(latency, { maxLength: 60 }),
      fc.double({ min: 0, max: 100, noNaN: true }),
      (first, second, percent) => {
        const series = new IntervalSeries();
        for (const [index, latencies] of [first, second].entries()) {
          for (const each of latencies) series.record(each, 1);
          series.cut(index, 100);
        }
        series.widen(200);
        const [point] = series.points;
        const sorted = [...first, ...second].sort((one, two) => one - two);
        const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
        const exact = sorted[rank - 1]!;
        const got = pointPercentile(point!, percent)!;
        expect(Math.abs(got - exact)).toBeLessThanOrEqual(Math.max(0.5, exact * 0.016));
      },
    );
    fc.assert(property);
  });

  test('take what is shorter or longer than the buckets', () => {
    const series = new IntervalSeries();
    series.record(0, 1);
    series.record(2 ** 50, 1);
    series.cut(1, 1);
    const [point] = series.points;
    expect(pointPercentile(point!, 1)).toBeLessThan(1.1);
    expect(pointPercentile(point!, 100)).toBeGreaterThan(2 ** 41);
  });
});
