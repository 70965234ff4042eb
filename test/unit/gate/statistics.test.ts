/** Rank statistics against published worked examples; each says where its numbers are printed. */
import { describe, expect, test } from 'vitest';
import {
  holmLevels,
  normalQuantile,
  rankSumShift,
  signedRankShift,
} from '../../../src/gate/statistics.ts';

describe('the signed-rank test', () => {
  test('of the depression scores of Hollander and Wolfe is as printed', () => {
    // Hollander, Wolfe 1973, p. 29 f.; R's ?wilcox.test: V = 40, p = 0.01953 one-sided, estimate
    // 0.46, interval 0.010 to 0.786.
    const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
    const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
    const shift = signedRankShift(
      before.map((score, at) => score - after[at]!),
      0.05,
    );
    expect(shift.p).toBeCloseTo(2 * 0.01953125, 12);
    expect(shift.estimate).toBeCloseTo(0.46, 12);
    expect(shift.low).toBeCloseTo(0.01, 12);
    expect(shift.high).toBeCloseTo(0.786, 12);
  });

  test("of Darwin's maize is as in SciPy's documentation", () => {
    // scipy.stats.wilcoxon: statistic 24, p = 0.041259765625; one-sided 0.0206298828125.
    const heights = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75];
    const shift = signedRankShift(heights, 0.05);
    expect(shift.p).toBe(0.041259765625);
    expect([shift.low, shift.estimate, shift.high]).toEqual([4, 25, 41.5]);
  });

  test('with ties and zeros counts out the ranks there are', () => {
    // By hand: ranks 1.5 1.5 3 with signs - + +: W = 4.5; sums above: 4.5 (twice), 6: 3 of 8.
    expect(signedRankShift([0, -1, 1, 2], 0.05).p).toBe(0.75);
    expect(signedRankShift([0, 0], 0.05)).toMatchObject({ p: 1, estimate: 0 });
  });

  test('of fewer than six differences is never sure', () => {
    const five = signedRankShift([1, 2, 3, 4, 5], 0.05);
    expect([five.low, five.high]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(five.p).toBe(2 / 2 ** 5);
    expect(signedRankShift([1, 2, 3, 4, 5, 6], 0.05)).toMatchObject({ low: 1, high: 6 });
  });

  test('of many differences is normal, and near to what is exact', () => {
    const differences = Array.from({ length: 60 }, (_, at) => Math.sin(at * 7) + 0.1 + at / 1e6);
    const exact = signedRankShift(differences, 0.05);
    const normal = signedRankShift([...differences, 0.1], 0.05);
    expect(normal.p).toBeCloseTo(exact.p, 2);
    expect(normal.low).toBeCloseTo(exact.low, 1);
    expect(normal.high).toBeCloseTo(exact.high, 1);
  });
});

describe('the rank-sum test', () => {
  test('of the permeability constants of Hollander and Wolfe is as printed', () => {
    // Hollander, Wolfe 1973, p. 69 f.; R's ?wilcox.test: W = 35, p = 0.1272 one-sided; estimate
    // 0.305, interval -0.15 to 0.76.
    const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const early = [1.15, 0.88, 0.9, 0.74, 1.21];
    const shift = rankSumShift(term, early, 0.05);
    expect(shift.p).toBeCloseTo(0.2544122544122544, 12);
    expect(shift.estimate).toBeCloseTo(0.305, 12);
    expect(shift.low).toBeCloseTo(-0.15, 12);
    expect(shift.high).toBeCloseTo(0.76, 12);
  });

  test("of the ages at diagnosis is as in SciPy's documentation", () => {
    // scipy.stats.mannwhitneyu: U1 = 17, exact p = 0.1111111111111111.
    expect(rankSumShift([19, 22, 16, 29, 24], [20, 11, 17, 12], 0.05).p).toBeCloseTo(1 / 9, 14);
  });

  test('of many numbers is normal, corrected for ties and continuity', () => {
    const ones = Array.from({ length: 30 }, (_, at) => at % 10);
    const others = Array.from({ length: 25 }, (_, at) => (at % 10) + 1);
    // scipy.stats.mannwhitneyu(ones, others), method='asymptotic'.
    expect(rankSumShift(ones, others, 0.05).p).toBeCloseTo(0.5636562884859904, 10);
  });

  test('of too few numbers is never sure', () => {
    const shift = rankSumShift([1, 2, 3], [4, 5, 6], 0.05);
    expect(shift).toMatchObject({ p: 0.1, low: Number.NEGATIVE_INFINITY });
    expect(rankSumShift([1, 2, 3, 4], [5, 6, 7, 8], 0.05)).toMatchObject({ low: -7, high: -1 });
  });
});

test("Holm's steps are those of his example", () => {
  // p 0.01 0.04 0.03 0.005 at 0.05: the two smallest are rejected, at 0.0125 and 0.0167.
  const levels = holmLevels([0.01, 0.04, 0.03, 0.005], 0.05);
  expect(levels.map((level) => level.toFixed(4))).toEqual(['0.0167', '0.0250', '0.0250', '0.0125']);
  expect(holmLevels([0.2, 0.9], 0.05)).toEqual([0.025, 0.025]);
  expect(holmLevels([0.001, 0.001], 0.05)).toEqual([0.025, 0.05]);
  expect(holmLevels([], 0.05)).toEqual([]);
});

test('quantiles of the normal distribution are those of the printed tables', () => {
  // Abramowitz and Stegun, table 26.5.
  expect(normalQuantile(0.9)).toBeCloseTo(1.28155, 5);
  expect(normalQuantile(0.975)).toBeCloseTo(1.95996, 5);
  expect(normalQuantile(0.9995)).toBeCloseTo(3.29053, 5);
});
