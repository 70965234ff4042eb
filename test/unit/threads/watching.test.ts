/** What is known of a thread from outside: that it hangs, how often it was lost, what is safe. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settlesWithin } from '../../../src/base/deadline.ts';
import { OPERATIONS } from '../../../src/kms/operations.ts';
import {
  THREAD_LOSS_WINDOW_MS,
  THREAD_LOSSES_MAX,
  THREAD_RESTART_MS,
  WATCH_MS,
} from '../../../src/limits.ts';
import { watchForHang } from '../../../src/threads/hang-watch.ts';
import { IS_REPEATABLE } from '../../../src/threads/kms-repeat.ts';
import { LossHistory } from '../../../src/threads/loss-history.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a watch', () => {
  function watched() {
    const thread = { isAwaited: true, progress: 0 };
    const hangs: number[] = [];
    const end = watchForHang(thread, 10 * WATCH_MS, (silentMs) => hangs.push(silentMs));
    return { thread, hangs, end };
  }

  it('tells, once, of a thread that is awaited and silent', () => {
    const { hangs } = watched();
    vi.advanceTimersByTime(9 * WATCH_MS);
    expect(hangs).toEqual([]);
    vi.advanceTimersByTime(50 * WATCH_MS);
    expect(hangs).toEqual([10 * WATCH_MS]);
  });

  it('tells of none that works, however slowly, or that nobody waits for', () => {
    const { thread, hangs } = watched();
    for (let round = 0; round < 10; round++) {
      vi.advanceTimersByTime(9 * WATCH_MS);
      thread.progress++;
    }
    thread.isAwaited = false;
    vi.advanceTimersByTime(100 * WATCH_MS);
    expect(hangs).toEqual([]);
    thread.isAwaited = true;
    vi.advanceTimersByTime(11 * WATCH_MS);
    expect(hangs).toHaveLength(1);
  });

  it('told late, again and again, takes its time for the machine’s, and tells in the end', () => {
    const thread = { isAwaited: true, progress: 0 };
    const hangs: number[] = [];
    let time = 0;
    const clock = { now: () => time, monotonic: () => time };
    const end = watchForHang(thread, 10 * WATCH_MS, (silentMs) => hangs.push(silentMs), clock);
    const look = (afterMs: number): void => {
      time += afterMs;
      vi.advanceTimersByTime(WATCH_MS);
    };
    // A minute in ten looks: main had no time, and neither may the thread have had.
    for (let count = 0; count < 10; count++) look(6_000);
    expect(hangs).toEqual([]);
    // What is a little late is in time.
    for (let count = 0; count < 7; count++) look(1.9 * WATCH_MS);
    expect(hangs).toEqual([]);
    look(WATCH_MS);
    expect(hangs).toEqual([10.5 * WATCH_MS]);
    end();
  });

  it('told late finds a thread that hangs, in four times as many looks', () => {
    const hangs: number[] = [];
    let time = 0;
    const clock = { now: () => time, monotonic: () => time };
    const thread = { isAwaited: true, progress: 0 };
    watchForHang(thread, 10 * WATCH_MS, (silentMs) => hangs.push(silentMs), clock);
    for (let count = 0; count < 40; count++) {
      expect(hangs).toEqual([]);
      time += 10 * WATCH_MS;
      vi.advanceTimersByTime(WATCH_MS);
    }
    expect(hangs).toEqual([10 * WATCH_MS]);
  });

  it('finds a starved thread silent, and gives it four times as long', () => {
    const hangs: number[] = [];
    const thread = { isAwaited: true, progress: 0 };
    let isStarved = true;
    const look = () => isStarved;
    const clock = { now: () => 0, monotonic: () => 0 };
    watchForHang(thread, 10 * WATCH_MS, (silentMs) => hangs.push(silentMs), clock, { look });
    vi.advanceTimersByTime(39 * WATCH_MS);
    thread.progress++;
    vi.advanceTimersByTime(40 * WATCH_MS);
    expect(hangs).toEqual([]);
    isStarved = false;
    vi.advanceTimersByTime(WATCH_MS);
    expect(hangs).toEqual([10.75 * WATCH_MS]);
  });

  it('tells of none after its end', () => {
    const { hangs, end } = watched();
    end();
    vi.advanceTimersByTime(100 * WATCH_MS);
    expect(hangs).toEqual([]);
  });
});

describe('a wait with a deadline', () => {
  it('ends when the promise settles, either way, or when the time is over', async () => {
    expect(await settlesWithin(Promise.resolve(), 100)).toBe(true);
    expect(await settlesWithin(Promise.reject(new Error('refused')), 100)).toBe(true);
    const late = settlesWithin(new Promise(() => undefined), 100);
    await vi.advanceTimersByTimeAsync(100);
    expect(await late).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('losses', () => {
  it('are followed by a start, later each time, and at last by none', () => {
    const history = new LossHistory();
    const delays = Array.from({ length: THREAD_LOSSES_MAX }, (_, index) => history.add(index));
    const expected = [0, 1, 2, 4].map((factor) => factor * THREAD_RESTART_MS);
    expect(delays).toEqual([...expected, null]);
    expect(history.text).toMatch(/^was lost 5 times within 60 s/);
  });

  it('long ago do not count', () => {
    const history = new LossHistory();
    for (let time = 0; time < 100; time++) {
      expect(history.add(time * THREAD_LOSS_WINDOW_MS)).toBe(0);
    }
  });

  it('without a limit are always followed by a start at once', () => {
    const history = new LossHistory(Number.POSITIVE_INFINITY);
    for (let time = 0; time < 100; time++) expect(history.add(time)).toBe(0);
  });
});

it('of every request to the KMS it is said whether it may be made twice', () => {
  expect(Object.keys(IS_REPEATABLE).sort()).toEqual(Object.keys(OPERATIONS).sort());
});
