import { describe, expect, test } from 'vitest';
import {
  bucketEnd,
  bucketOf,
  LATENCY_BUCKETS,
  quantilesOf,
} from '../../../src/fleet/latency-buckets.ts';
import { nextUint32 } from '../../../src/fleet/random.ts';

const random = Int32Array.of(1, 2, 3, 4);
const draw = (): number => 2 ** ((nextUint32(random) / 2 ** 32) * 36);

describe('buckets', () => {
  test('hold what lies between their ends, and are 1/64 wide at the most', () => {
    for (let turn = 0; turn < 3000; turn++) {
      const latency = draw();
      const bucket = bucketOf(latency);
      expect(latency).toBeLessThan(bucketEnd(bucket));
      expect(latency).toBeGreaterThanOrEqual(bucketEnd(bucket - 1));
      expect(bucketEnd(bucket) / bucketEnd(bucket - 1)).toBeLessThanOrEqual(65 / 64);
    }
  });

  test('take everything: nothing, and what is too long', () => {
    expect(bucketOf(0)).toBe(0);
    expect(bucketOf(0.1)).toBe(0);
    expect(bucketOf(1e15)).toBe(LATENCY_BUCKETS - 1);
  });

  test('give quantiles within one percent of those of the sorted values', () => {
    const values = Array.from({ length: 5000 }, draw).sort((a, b) => a - b);
    const counts = new Uint32Array(LATENCY_BUCKETS);
    for (const value of values) counts[bucketOf(value)] = counts[bucketOf(value)]! + 1;
    const shares = [0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1];
    const found: number[] = [];
    quantilesOf(counts, values.length, shares, found);
    for (const [at, share] of shares.entries()) {
      const exact = values[Math.ceil(share * values.length) - 1]!;
      expect(Math.abs(found[at]! / exact - 1)).toBeLessThan(0.01);
    }
  });

  test('give zeros where nothing was counted', () => {
    const found: number[] = [];
    quantilesOf(new Uint32Array(LATENCY_BUCKETS), 0, [0.5, 1], found);
    expect(found).toEqual([0, 0]);
  });
});
