/** Rounds: their order, and that what drifts steadily cancels in them. */
import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { blocksOf, differencesOf, orderOfRound } from '../../../src/gate/rounds.ts';

const RATE = { isBiggerBetter: true } as const;
const LATENCY = { isBiggerBetter: false } as const;

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
  expect(differencesOf([{ a: [1000, 729], b: [900, 810] }], RATE)[0]).toBeCloseTo(0, 12);
  expect(differencesOf([{ a: [1000, 1000], b: [950, 950] }], RATE)[0]).toBeCloseTo(
    Math.log(0.95),
    12,
  );
  expect(differencesOf([{ a: [100, 100], b: [200, 200] }], LATENCY)[0]).toBeCloseTo(
    -Math.log(2),
    12,
  );
});

test('blocks are mean logarithms of four turns; a rest is dropped', () => {
  const e = Math.E;
  expect(blocksOf([1, e, e, e ** 2, 1, 1, 1, 1, 5])).toEqual([1, 0]);
  expect(blocksOf([1, 2, 3])).toEqual([]);
});

test('the best of turns is what one in twenty is better than, whatever the others do', () => {
  const best = { isBiggerBetter: false, summary: 'best' } as const;
  const clean = Array.from({ length: 21 }, (_, at) => 100 + at);
  const disturbed = clean.map((value, at) => (at > 1 ? value * 7 : value)).reverse();
  expect(differencesOf([{ a: clean, b: disturbed }], best)[0]).toBeCloseTo(0, 12);
  const slower = disturbed.map((value) => value * 1.1);
  expect(differencesOf([{ a: clean, b: slower }], best)[0]).toBeCloseTo(-Math.log(1.1), 12);
  // Of two turns a twentieth of the way from the better to the other.
  const [two] = differencesOf([{ a: [100, 100], b: [100, 200] }], best);
  expect(two).toBeCloseTo(-Math.log(2) / 20, 12);
  const rate = { isBiggerBetter: true, summary: 'best' } as const;
  const [gain] = differencesOf([{ a: [100, 10], b: [200, 20] }], rate);
  expect(gain).toBeCloseTo(Math.log(2), 12);
});
