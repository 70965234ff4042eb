import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { overheadOf, overheadOfAll, studentQuantile } from '../../../src/load/paired-overhead.ts';
import { turnsOf } from '../../../src/load/turns.ts';

test("Student's quantiles are those of the printed tables", () => {
  // Abramowitz and Stegun, table 26.10; Fisher and Yates.
  const table: [number, number, number][] = [
    [0.975, 1, 12.706],
    [0.975, 4, 2.776],
    [0.975, 9, 2.262],
    [0.975, 30, 2.042],
    [0.975, 120, 1.98],
    [0.8, 4, 0.941],
    [0.8, 9, 0.883],
    [0.95, 10, 1.812],
  ];
  for (const [probability, freedom, value] of table) {
    expect(studentQuantile(probability, freedom)).toBeCloseTo(value, 3);
  }
});

test('a worked example: five pairs of which the first is warm-up', () => {
  const ratios = [0.1, 0.9, 0.8, 0.85, 0.95];
  const overhead = overheadOf(
    ratios,
    ratios.map(() => 1),
  )!;
  // Logarithms -.1054 -.2231 -.1625 -.0513: mean -.13558, deviation .07404, error .03702.
  expect(overhead.pairs).toBe(4);
  expect(overhead.percent).toBeCloseTo((1 - Math.exp(-0.13558)) * 100, 2);
  expect(overhead.low).toBeCloseTo((1 - Math.exp(-0.13558 + 3.182 * 0.03702)) * 100, 1);
  expect(overhead.high).toBeCloseTo((1 - Math.exp(-0.13558 - 3.182 * 0.03702)) * 100, 1);
  expect(overhead.smallest).toBeCloseTo((1 - Math.exp(-(3.182 + 0.978) * 0.03702)) * 100, 1);
});

/** Rates of turns on a machine that drifts and jitters, and the same slowed by a share. */
function simulate(seed: number, turns: number, cost: number): [number[], number[]] {
  const prng = createPrng(seed);
  const jitter = (): number => {
    let sum = -6;
    for (let draw = 0; draw < 12; draw++) sum += prng.nextFloat();
    return Math.exp(sum * 0.05);
  };
  const rates = (slow: number): number[] =>
    Array.from({ length: turns }, (_, turn) => (1000 - turn) * jitter() * slow);
  return [rates(1 - cost), rates(1)];
}

test('the interval holds the true cost in 95 of 100 runs, and finds what it says it could', () => {
  let held = 0;
  let falseAlarms = 0;
  let found = 0;
  const said = Array.from(
    { length: 99 },
    (_, seed) => overheadOf(...simulate(seed, 20, 0))!.smallest,
  );
  const smallest = said.sort((a, b) => a - b)[49]! / 100;
  for (let seed = 0; seed < 600; seed++) {
    const { low, high } = overheadOf(...simulate(seed, 20, 0.1))!;
    if (low <= 10 && high >= 10) held += 1;
    const idle = overheadOf(...simulate(seed + 1000, 20, 0))!;
    if (idle.low > 0 || idle.high < 0) falseAlarms += 1;
    if (overheadOf(...simulate(seed + 2000, 20, smallest))!.low > 0) found += 1;
  }
  expect(held / 600).toBeGreaterThan(0.93);
  expect(held / 600).toBeLessThan(0.975);
  expect(falseAlarms / 600).toBeLessThan(0.07);
  expect(found / 600).toBeGreaterThan(0.75);
  expect(found / 600).toBeLessThan(0.87);
});

test('several workloads make one figure, with a narrower interval than each alone', () => {
  const workloads = [1, 2, 3, 4].map((seed) => {
    const [encrypted, plain] = simulate(seed, 20, 0.2);
    return { encrypted, plain };
  });
  const all = overheadOfAll(workloads)!;
  expect(all.pairs).toBe(4 * 19);
  expect(all.low).toBeLessThan(20);
  expect(all.high).toBeGreaterThan(20);
  const [first] = workloads;
  const alone = overheadOf(first!.encrypted, first!.plain)!;
  expect(all.high - all.low).toBeLessThan(alone.high - alone.low);
  expect(overheadOfAll([...workloads, { encrypted: [1], plain: [1] }])).toBeNull();
  expect(overheadOfAll([])).toBeNull();
});

test('too few pairs, or turns in which nothing was done, give no figure', () => {
  expect(overheadOf([1, 1, 1, 1], [1, 1, 1, 1])).toBeNull();
  expect(overheadOf([1, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 0])).toBeNull();
  expect(overheadOf([1, 2, 2, 2, 2], [1, 2, 2, 2, 2])).toMatchObject({ percent: 0, smallest: 0 });
});

test('jobs are cut into turns of half a second that end by time only', () => {
  const read = (text: string) => turnsOf(readJobFile(`[a]\n${text}`, 'a.fio'));
  expect(read('size=1m\nruntime=10').turns).toBe(21);
  expect(read('size=1m\nruntime=10\nnumber_ios=5').file.jobs[0]).toMatchObject({
    runtimeUs: 5e5,
    isTimeBased: true,
    requestsMax: 0,
  });
  expect(read('size=1m').turns).toBe(13);
  expect(read('size=1m\nruntime=1').turns).toBe(7);
  expect(read('size=1m\nruntime=1h').turns).toBe(61);
});
