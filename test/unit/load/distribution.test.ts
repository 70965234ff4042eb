import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import {
  createDraw,
  type Distribution,
  paretoRanks,
  readDistribution,
  zetaOf,
  zipfRanks,
} from '../../../src/load/distribution.ts';
import { chiSquareDeviations, tally } from './chi-square.ts';

const PLACE = { fileName: 'a.fio', line: 1, option: 'random_distribution' };
const read = (value: string): Distribution => readDistribution(PLACE, value, Number);
const drawOf = (value: string, count: number, seed = 7): (() => number) =>
  createDraw(
    read(value) as Exclude<Distribution, { kind: 'random' }>,
    count,
    4096,
    createPrng(seed),
  );

const genzipf = spawnSync('fio-genzipf', ['-h'], { encoding: 'utf8' });
const genzipfAbsent = genzipf.error === undefined ? '' : 'fio-genzipf is not installed';

/** The share of each rank, from the inverse of fio's zipf_next. */
function zipfShares(theta: number, count: number): number[] {
  let zeta = 0;
  for (let rank = 1; rank <= count; rank++) zeta += 1 / rank ** theta;
  const zetaOfTwo = 1 + 1 / 2 ** theta;
  const eta = (1 - (2 / count) ** (1 - theta)) / (1 - zetaOfTwo / zeta);
  const uniformAt = (value: number): number => ((value / count) ** (1 - theta) - 1 + eta) / eta;
  const edge = (value: number): number => Math.min(1, Math.max(zetaOfTwo / zeta, uniformAt(value)));
  return Array.from({ length: count }, (_, value) => {
    const formula = edge(value + 1) - edge(value);
    if (value === 0) return 1 / zeta + formula;
    return value === 1 ? (zetaOfTwo - 1) / zeta + formula : formula;
  });
}

test.each([0.5, 0.8, 1.1, 1.4])('zipf:%d draws each rank as often as fio defines', (theta) => {
  const shares = zipfShares(theta, 1000);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  const counts = tally(zipfRanks(theta, 1000, createPrng(11)), 200_000, 1000);
  expect(chiSquareDeviations(counts, shares)).toBeLessThan(4);
});

test('the test tells one theta from another', () => {
  const counts = tally(zipfRanks(1.1, 1000, createPrng(11)), 200_000, 1000);
  expect(chiSquareDeviations(counts, zipfShares(1.15, 1000))).toBeGreaterThan(20);
});

test.each([0.5, 1.2])(
  'the sum for zipf:%d is the plain sum, also where it is an integral',
  (theta) => {
    let plain = 0;
    for (let rank = 3_000_000; rank >= 1; rank--) plain += rank ** -theta;
    expect(zetaOf(theta, 3_000_000) / plain).toBeCloseTo(1, 9);
    expect(zetaOf(theta, 3)).toBeCloseTo(1 + 2 ** -theta + 3 ** -theta, 12);
  },
);

describe.skipIf(genzipfAbsent !== '')(`beside fio-genzipf ${genzipfAbsent}`, () => {
  /** Counts of fio's hottest blocks: as many draws as blocks. */
  const theirs = (kind: string, parameter: string): number[] => {
    const options = ['-t', kind, '-i', parameter, '-b', '4096', '-g', '1', '-c'];
    const { stdout } = spawnSync('fio-genzipf', options, { encoding: 'utf8' });
    return [...stdout.matchAll(/^\d+, (\d+)$/gm)].map((match) => Number(match[1]));
  };
  const blocks = 2 ** 18;

  test.each(['0.9', '1.2'])('zipf:%s has the same hottest blocks', (theta) => {
    const counts = theirs('zipf', theta).slice(0, 8);
    const ours = tally(zipfRanks(Number(theta), blocks, createPrng(3)), blocks, blocks);
    const hottest = ours.toSorted((a, b) => b - a).slice(0, 8);
    for (const [rank, count] of counts.entries()) {
      expect(Math.abs(hottest[rank]! - count)).toBeLessThan(6 * Math.sqrt(2 * count));
    }
  });

  test('pareto:0.2 has the same hottest block', () => {
    const [count] = theirs('pareto', '0.2');
    const ours = tally(paretoRanks(0.2, blocks, createPrng(3)), blocks, blocks);
    expect(Math.abs(ours.reduce((most, each) => Math.max(most, each)) - count!)).toBeLessThan(
      6 * Math.sqrt(2 * count!),
    );
  });
});

test.each([0.1, 0.2, 0.4])('pareto:%d: the share 1-h of the draws goes to the share h', (h) => {
  const count = 10_000;
  const counts = tally(paretoRanks(h, count, createPrng(5)), 100_000, count);
  const hot = counts.slice(0, count * h).reduce((sum, each) => sum + each, 0);
  expect(Math.abs(hot / 100_000 - (1 - h))).toBeLessThan(0.006);
});

test.each(['zipf:1.2', 'pareto:0.2'])('%s spreads its hot blocks over the region', (value) => {
  const counts = tally(drawOf(value, 1000), 100_000, 1000);
  const hottest = counts
    .map((count, block) => ({ count, block }))
    .sort((a, b) => b.count - a.count)
    .slice(0, 20)
    .map(({ block }) => block);
  expect(Math.min(...hottest)).toBeLessThan(300);
  expect(Math.max(...hottest)).toBeGreaterThan(700);
});

test('normal is the mean of twelve even draws: a bell around the middle', () => {
  const count = 1200;
  const draw = drawOf('normal', count);
  const values = Array.from({ length: 50_000 }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean - count / 2)).toBeLessThan(5);
  // Of twelve draws from [0, n): n / sqrt(12 * 12).
  expect(Math.abs(Math.sqrt(variance) - count / 12)).toBeLessThan(2);
  const wide = Array.from({ length: 20_000 }, drawOf('normal:50', count));
  const spread = Math.sqrt(wide.reduce((sum, value) => sum + (value - 600) ** 2, 0) / 20_000);
  expect(Math.abs(spread - Math.hypot(count / 12, 600 / Math.sqrt(12)))).toBeLessThan(4);
  expect(wide.every((value) => value >= 0 && value < count)).toBe(true);
});

test('zoned gives each part of the region its share, evenly inside', () => {
  const counts = tally(drawOf('zoned:50/5:30/15:20/', 1000), 100_000, 1000);
  const shares = counts.map((_, block) => {
    if (block < 50) return 0.5 / 50;
    return block < 200 ? 0.3 / 150 : 0.2 / 800;
  });
  expect(chiSquareDeviations(counts, shares)).toBeLessThan(4);
});

test('zoned_abs counts in bytes', () => {
  const counts = tally(drawOf('zoned_abs:60/40960:40/81920', 1000), 20_000, 1000);
  const shares = counts.map((_, block) => (block < 10 ? 0.06 : block < 30 ? 0.02 : 0));
  expect(counts.slice(30).every((count) => count === 0)).toBe(true);
  expect(chiSquareDeviations(counts.slice(0, 30), shares.slice(0, 30))).toBeLessThan(4);
});

test('regions of one and two blocks have those', () => {
  for (const value of ['zipf:1.2', 'pareto:0.2', 'normal', 'zoned:50/50:50/50']) {
    expect(tally(drawOf(value, 1), 10, 1)).toEqual([10]);
    expect(tally(drawOf(value, 2), 100, 2).reduce((sum, count) => sum + count, 0)).toBe(100);
  }
});

test.each([
  ['zipf:1', 'a theta other than 1'],
  ['zipf:x', 'a number of at least 0'],
  ['pareto:0', 'h between 0 and 1'],
  ['pareto:2', 'a number of 0 to 1'],
  ['normal:101', 'a number of 0 to 100'],
  ['zoned:50/10:40/90', 'accesses that add up to 100 percent'],
  ['zoned:50/100:50/', 'sizes that leave room'],
  ['zoned:50/60:50/60', 'sizes of 100 percent at most'],
  ['zoned:x/10', 'a whole number'],
  ['uniform', 'random, zipf, pareto, normal, zoned or zoned_abs'],
])('%s is refused', (value, message) => {
  expect(() => read(value)).toThrow(message);
});

test('what is not said has the parameters of fio', () => {
  expect(read('random')).toEqual({ kind: 'random' });
  expect(read('zipf')).toEqual({ kind: 'zipf', parameter: 1.1 });
  expect(read('pareto')).toEqual({ kind: 'pareto', parameter: 0.2 });
  expect(read('gauss')).toEqual({ kind: 'normal', parameter: 0 });
});
