/** Rounds: their order, and that what drifts steadily cancels in them. */
import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { blocksOf, differencesOf, orderOfRound } from '../../../src/gate/rounds.ts';

test('are ABBA or BAAB, by a fair coin of a seed', () => {
  const prng = createPrng(7);
  const orders = Array.from({ length: 1000 }, () => orderOfRound(prng).join(''));
  expect(new Set(orders)).toEqual(new Set(['abba', 'baab']));
  expect(orders.filter((order) => order === 'abba').length).toBeGreaterThan(430);
  expect(orders.filter((order) => order === 'abba').length).toBeLessThan(570);
  const again = createPrng(7);
  expect(orders.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => orderOfRound(again).join('')));
});

test('a steady drift cancels, and a part lost is its logarithm', () => {
  // Each turn a tenth slower than the one before: ABBA at 1000, 900, 810, 729.
  expect(differencesOf([{ a: [1000, 729], b: [900, 810] }], true)[0]).toBeCloseTo(0, 12);
  expect(differencesOf([{ a: [1000, 1000], b: [950, 950] }], true)[0]).toBeCloseTo(
    Math.log(0.95),
    12,
  );
  expect(differencesOf([{ a: [100, 100], b: [200, 200] }], false)[0]).toBeCloseTo(-Math.log(2), 12);
});

test('blocks are mean logarithms of four turns; a rest is dropped', () => {
  const e = Math.E;
  expect(blocksOf([1, e, e, e ** 2, 1, 1, 1, 1, 5])).toEqual([1, 0]);
  expect(blocksOf([1, 2, 3])).toEqual([]);
});
