import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPermutation } from '../../../src/load/permutation.ts';

const order = (count: number, seed: number): number[] => {
  const permutation = createPermutation(count, seed);
  return Array.from({ length: count }, (_, position) => permutation(position));
};

test('each number below any count comes exactly once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer(), (count, seed) => {
      const seen = new Uint8Array(count);
      for (const number of order(count, seed)) seen[number]! += 1;
      return seen.every((times) => times === 1);
    }),
    { numRuns: 200 },
  );
});

test('every count from 1 to 300 is covered', () => {
  for (let count = 1; count <= 300; count++) {
    expect(order(count, 9).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
  }
});

test('the seed is the order', () => {
  expect(order(1000, 1)).toEqual(order(1000, 1));
  expect(order(1000, 1)).not.toEqual(order(1000, 2));
});

test('numbers past 32 bits stay exact and distinct', () => {
  const count = 2 ** 37 - 5;
  const permutation = createPermutation(count, 3);
  const seen = new Set<number>();
  for (let position = 0; position < 20_000; position++) {
    const number = permutation(position);
    expect(Number.isSafeInteger(number) && number >= 0 && number < count).toBe(true);
    seen.add(number);
  }
  expect(seen.size).toBe(20_000);
  expect(Math.max(...seen)).toBeGreaterThan(2 ** 36);
});

test('any part of the order is spread evenly over the range', () => {
  const count = 1_000_003;
  const permutation = createPermutation(count, 77);
  const bins = new Array<number>(64).fill(0);
  const draws = 64 * 500;
  for (let position = 5000; position < 5000 + draws; position++) {
    bins[Math.floor((permutation(position) * 64) / count)]! += 1;
  }
  // Chi-square with 63 degrees of freedom: 1 in 10^6 exceeds 131.
  const chiSquare = bins.reduce((sum, hits) => sum + (hits - 500) ** 2 / 500, 0);
  expect(chiSquare).toBeLessThan(131);
});

test('neighbours in the order are not neighbours in the range', () => {
  const permutation = createPermutation(4096, 5);
  let near = 0;
  for (let position = 1; position < 4096; position++) {
    if (Math.abs(permutation(position) - permutation(position - 1)) <= 4) near += 1;
  }
  // By chance 8 of 4096 places are that near: 8 in the mean, 30 once in 10^9.
  expect(near).toBeLessThan(30);
});

test('a count that is no count is a bug', () => {
  for (const count of [0, -1, 1.5, 2 ** 53]) {
    expect(() => createPermutation(count, 1)).toThrow('invariant broken: permutation count');
  }
});
