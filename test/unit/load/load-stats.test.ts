import { expect, test } from 'vitest';
import { DirectionStats, LoadStats, RateSamples } from '../../../src/load/load-stats.ts';
import { READ, WRITE } from '../../../src/load/operation-source.ts';

test('samples have least, most, mean and deviation', () => {
  const samples = new RateSamples();
  for (const rate of [2, 4, 4, 4, 5, 5, 7, 9]) samples.add(rate);
  expect([samples.samples(), samples.least, samples.most]).toEqual([8, 2, 9]);
  expect([samples.mean(), samples.deviation()]).toEqual([5, 2]);
  expect(new RateSamples().mean()).toBe(0);
  expect(new RateSamples().deviation()).toBe(0);
});

test('clones that ran beside each other have rates that add up', () => {
  const merged = new RateSamples();
  for (const rate of [100, 300]) {
    const one = new RateSamples();
    one.add(rate);
    one.add(rate);
    merged.merge(one);
  }
  merged.merge(new RateSamples());
  expect([merged.mean(), merged.samples(), merged.least, merged.most]).toEqual([400, 4, 100, 300]);
});

test('a rate is sampled every half second from what was done since', () => {
  const stats = new LoadStats();
  stats.begin(1000);
  for (let request = 0; request < 50; request++) stats.direction(READ).record(1, 4096);
  stats.sampleIfDue(1499);
  expect(stats.direction(READ).requestRate.samples()).toBe(0);
  stats.sampleIfDue(1500);
  for (let request = 0; request < 10; request++) stats.direction(READ).record(1, 4096);
  stats.sampleIfDue(2500);
  const { requestRate, kibRate } = stats.direction(READ);
  expect([requestRate.most, requestRate.least]).toEqual([100, 10]);
  expect(kibRate.most).toBe(400);
  expect(stats.direction(WRITE).requestRate.samples()).toBe(0);
  stats.release();
});

test('time counts for the directions that were used in it, turn by turn', () => {
  const stats = new LoadStats();
  stats.begin(0);
  stats.direction(READ).record(1, 1);
  stats.end(100);
  stats.begin(1000);
  stats.direction(READ).record(1, 1);
  stats.direction(WRITE).record(1, 1);
  stats.end(1050);
  expect([stats.direction(READ).runtimeMs, stats.direction(WRITE).runtimeMs]).toEqual([150, 50]);
  stats.begin(5000);
  stats.end(4000);
  expect(stats.direction(READ).runtimeMs).toBe(150);
  stats.release();
});

test('merging adds requests and bytes and keeps the longer time', () => {
  const [left, right] = [new DirectionStats(), new DirectionStats()];
  left.record(1, 10);
  left.runtimeMs = 5;
  right.record(3, 20);
  right.runtimeMs = 7;
  left.merge(right);
  expect([left.requests, left.bytes, left.runtimeMs, left.latency.count]).toEqual([2, 30, 7, 2]);
  expect(left.latency.mean()).toBe(2e6);
});
