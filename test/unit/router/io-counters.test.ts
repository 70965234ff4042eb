import { describe, expect, it } from 'vitest';
import { sharedMicroseconds } from '../../../src/base/clock.ts';
import { TimeHistogram } from '../../../src/base/time-histogram.ts';
import {
  allocateShardChannel,
  OPERATION,
  ShardChannel,
} from '../../../src/record/shard-channel.ts';
import { IoCounters } from '../../../src/router/io-counters.ts';
import { RequestTimes, STAGES, StageSums } from '../../../src/router/request-times.ts';

/** Times of a request whose shard was done with it now, after so many microseconds of each kind. */
function timesOf(crypto: number, store: number, commit: number): RequestTimes {
  const channel = new ShardChannel(allocateShardChannel());
  const times = new RequestTimes();
  channel.noteExecuted(5, crypto, store);
  channel.noteDone(5, commit, sharedMicroseconds());
  times.take(channel, 5);
  times.settle();
  return times;
}

describe('counters of requests', () => {
  it('tell operations and encrypted from plain, and what failed', () => {
    const counters = new IoCounters();
    const done = { operation: OPERATION.write, lengthBytes: 4096, error: null, times: null };
    const read = { ...done, operation: OPERATION.read, times: timesOf(0, 0, 0) };
    expect(counters.count(done, true)).toBeNull();
    expect(counters.count({ ...done, error: new Error('x') }, true)).toBeNull();
    expect(counters.count(read, false)).not.toBeNull();
    const rows = counters.read();
    expect(rows).toHaveLength(8);
    const of = (operation: string, encrypted: boolean) =>
      rows.find((row) => row.operation === operation && row.encrypted === encrypted);
    expect(of('write', true)).toMatchObject({ requests: 2, bytes: 4096, failures: 1 });
    expect(of('write', true)?.times.total).toBe(0);
    expect(of('read', false)).toMatchObject({ requests: 1, bytes: 4096, times: { total: 1 } });
    expect(of('read', true)).toMatchObject({ requests: 0, bytes: 0, failures: 0 });
    expect(of('read', false)?.stages.map(({ stage }) => stage)).toEqual(STAGES);
    for (const { times } of of('read', false)?.stages ?? []) expect(times.total).toBe(1);
    for (const { times } of of('write', true)?.stages ?? []) expect(times.total).toBe(0);
  });

  it('leave a request that failed out of the times, though it was timed', () => {
    const counters = new IoCounters();
    const failed = { operation: OPERATION.read, lengthBytes: 1, error: 1, times: timesOf(1, 1, 1) };
    counters.count(failed, true);
    expect(counters.read().map(({ times }) => times.total)).toEqual(new Array(8).fill(0));
  });
});

describe('the stages of a request', () => {
  it('add up to the whole, and are what the shard said', () => {
    const { whole, ...stages } = timesOf(3, 5, 7).answer();
    expect(stages.crypto).toBeCloseTo(3e-6, 9);
    expect(stages.store).toBeCloseTo(12e-6, 9);
    for (const stage of STAGES) expect(stages[stage]).toBeGreaterThanOrEqual(0);
    // The shard of this test may have been longer at it than the request took.
    const sum = STAGES.reduce((all, stage) => all + stages[stage], 0);
    expect(sum).toBeGreaterThanOrEqual(whole - 1e-9);
    expect(sum).toBeLessThanOrEqual(whole + 15e-6);
  });

  it('count the commit once for all pieces of one batch, and again for those of the next', () => {
    const channel = new ShardChannel(allocateShardChannel());
    const times = new RequestTimes();
    const now = sharedMicroseconds();
    for (const [position, doneAt] of [now, now, now + 100].entries()) {
      channel.noteExecuted(position, 1, 10);
      channel.noteDone(position, 1_000, doneAt);
      times.take(channel, position);
    }
    times.settle();
    const { crypto, store } = times.answer();
    expect(crypto).toBeCloseTo(3e-6, 9);
    expect(store).toBeCloseTo(2_030e-6, 9);
  });

  it('are summed up for a disk', () => {
    const sums = new StageSums();
    expect(sums.read()).toEqual({ requests: 0, queue: 0, crypto: 0, store: 0, held: 0, answer: 0 });
    for (let time = 0; time < 2; time++) sums.add(timesOf(1, 2, 3).answer());
    expect(sums.read()).toMatchObject({ requests: 2, crypto: expect.closeTo(2e-6, 9) });
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
