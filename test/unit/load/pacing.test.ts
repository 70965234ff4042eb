import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { everyDirection } from '../../../src/load/job-values.ts';
import { READ, WRITE } from '../../../src/load/operation-source.ts';
import { isPaced, Pacer } from '../../../src/load/pacing.ts';
import { chiSquareDeviations } from './chi-square.ts';

const none = everyDirection(0);

test('rate counts bytes: a request is due when the bytes before it should have been made', () => {
  const rateBytes = { read: 4_096_000, write: 0, trim: 0 };
  const pacer = new Pacer({ rateBytes, rateRequests: none, isPoisson: false }, createPrng(1));
  pacer.begin(500);
  expect(pacer.dueAtMs(READ)).toBe(500);
  pacer.give(READ, 4096);
  expect(pacer.dueAtMs(READ)).toBe(501);
  pacer.give(READ, 40960);
  expect(pacer.dueAtMs(READ)).toBe(511);
  pacer.shift(100);
  expect(pacer.dueAtMs(READ)).toBe(611);
  expect(pacer.dueAtMs(WRITE)).toBe(0);
  pacer.give(WRITE, 4096);
  pacer.begin(0);
  expect(pacer.dueAtMs(READ)).toBe(0);
});

test('rate_iops counts requests, whatever their length, and wins over rate', () => {
  const pacer = new Pacer(
    { rateBytes: everyDirection(1), rateRequests: everyDirection(200), isPoisson: false },
    createPrng(1),
  );
  pacer.begin(0);
  pacer.give(READ, 1e6);
  expect(pacer.dueAtMs(READ)).toBe(5);
});

test('poisson gaps are exponential with the mean of the rate', () => {
  const settings = { rateBytes: none, rateRequests: everyDirection(1000), isPoisson: true };
  const pacer = new Pacer(settings, createPrng(17));
  pacer.begin(0);
  const edges = Array.from({ length: 9 }, (_, at) => -Math.log(1 - (at + 1) / 10));
  const counts = new Array<number>(10).fill(0);
  let before = 0;
  for (let draw = 0; draw < 20_000; draw++) {
    pacer.give(WRITE, 4096);
    const gap = pacer.dueAtMs(WRITE) - before;
    before = pacer.dueAtMs(WRITE);
    counts[edges.filter((edge) => gap >= edge).length]! += 1;
  }
  expect(
    chiSquareDeviations(
      counts,
      counts.map(() => 0.1),
    ),
  ).toBeLessThan(4);
  expect(Math.abs(before / 20_000 - 1)).toBeLessThan(0.03);
});

test('a job without a rate is not paced', () => {
  expect(isPaced({ rateBytes: none, rateRequests: none, isPoisson: true })).toBe(false);
  expect(isPaced({ rateBytes: { ...none, trim: 5 }, rateRequests: none, isPoisson: false })).toBe(
    true,
  );
});
