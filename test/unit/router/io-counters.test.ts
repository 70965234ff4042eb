import { describe, expect, it } from 'vitest';
import { TimeHistogram } from '../../../src/base/time-histogram.ts';
import { OPERATION } from '../../../src/record/shard-channel.ts';
import { IoCounters } from '../../../src/router/io-counters.ts';

describe('counters of requests', () => {
  it('tell operations and encrypted from plain, and what failed', () => {
    const counters = new IoCounters();
    const done = { lengthBytes: 4096, error: null };
    counters.count(OPERATION.write, true, done, 0);
    counters.count(OPERATION.write, true, { ...done, error: new Error('x') }, 0);
    counters.count(OPERATION.read, false, done, performance.now());
    const rows = counters.read();
    expect(rows).toHaveLength(8);
    const of = (operation: string, encrypted: boolean) =>
      rows.find((row) => row.operation === operation && row.encrypted === encrypted);
    expect(of('write', true)).toMatchObject({ requests: 2, bytes: 4096, failures: 1 });
    expect(of('write', true)?.times.total).toBe(0);
    expect(of('read', false)).toMatchObject({ requests: 1, bytes: 4096, times: { total: 1 } });
    expect(of('read', true)).toMatchObject({ requests: 0, bytes: 0, failures: 0 });
  });

  it('take the time of the first request and of one in 32', () => {
    const counters = new IoCounters();
    const begun = Array.from({ length: 97 }, () => counters.begin());
    expect(begun.flatMap((at, index) => (at > 0 ? [index] : []))).toEqual([0, 32, 64, 96]);
  });
});

describe('a histogram of times', () => {
  it('counts up to each bound, and what is longer in all only', () => {
    const histogram = new TimeHistogram([0.1, 1]);
    for (const seconds of [0.1, 0.05, 0.5, 3]) histogram.add(seconds);
    expect(histogram.read()).toEqual({
      atMost: [
        [0.1, 2],
        [1, 3],
      ],
      seconds: 3.65,
      total: 4,
    });
  });
});
