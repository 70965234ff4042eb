/** Completions that are held until they are due: when, in which order, and what wakes them. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { PACING_LATE_MS, PACING_LEAD_MS, PACING_WAIT_MS_MAX } from '../../../src/limits.ts';
import { HeldCompletions } from '../../../src/router/held-completions.ts';

const A = {};
const B = {};

function heldWithLog() {
  const log: string[] = [];
  const settings: number[] = [];
  let ring: () => void = () => {};
  let isClosed = false;
  const completions = new HeldCompletions((onRing) => {
    ring = onRing;
    return {
      set: (milliseconds) => void settings.push(milliseconds),
      close: async () => {
        isClosed = true;
      },
    };
  });
  const start = systemClock.monotonic();
  const hold = (name: string, inMs: number, owner: object = A): void =>
    completions.hold({ dueMs: start + inMs, owner, deliver: () => void log.push(name) });
  return { completions, log, settings, hold, ring: () => ring(), isClosed: () => isClosed };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('held completions', () => {
  it('are delivered when the alarm rings and they are due, not before', () => {
    const { completions, log, hold, ring } = heldWithLog();
    hold('a', 1);
    ring();
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    ring();
    ring();
    expect(log).toEqual(['a']);
    expect(completions.count).toBe(0);
  });

  it('set the alarm for the next one alone, a little before it is due', () => {
    const { settings, hold, ring } = heldWithLog();
    hold('late', 10);
    hold('later', 20);
    hold('early', 5, B);
    expect(settings).toEqual([10 - PACING_LEAD_MS, 5 - PACING_LEAD_MS]);
    vi.advanceTimersByTime(5);
    ring();
    expect(settings).toHaveLength(3);
    expect(settings[2]).toBeCloseTo(5 - PACING_LEAD_MS, 6);
  });

  it('wake by a timer if the alarm does not ring, and a second time for the next', () => {
    const { log, hold } = heldWithLog();
    hold('a', 10);
    hold('b', 40);
    vi.advanceTimersByTime(10 + PACING_LATE_MS);
    expect(log).toEqual(['a']);
    vi.advanceTimersByTime(30);
    expect(log).toEqual(['a', 'b']);
  });

  it('wake in time for one that is held later and due sooner', () => {
    const { log, hold } = heldWithLog();
    hold('far', 900);
    hold('near', 10);
    vi.advanceTimersByTime(10 + PACING_LATE_MS);
    expect(log).toEqual(['near']);
  });

  it('due after the longest time an alarm is set for are delivered when they are due', () => {
    const { log, settings, hold } = heldWithLog();
    hold('far', 3 * PACING_WAIT_MS_MAX + 1);
    expect(settings[0]).toBeLessThanOrEqual(PACING_WAIT_MS_MAX);
    vi.advanceTimersByTime(3 * PACING_WAIT_MS_MAX);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(4 * PACING_LATE_MS);
    expect(log).toEqual(['far']);
  });

  it('of an owner are let go at once, in the order they are due, and others stay', async () => {
    const { completions, log, hold, isClosed } = heldWithLog();
    hold('a3', 30);
    hold('b1', 10, B);
    hold('a1', 10);
    hold('a2', 20);
    completions.letGo(A);
    expect(log).toEqual(['a1', 'a2', 'a3']);
    expect(completions.count).toBe(1);
    completions.letGo(A);
    completions.letGo(B);
    await completions.close();
    expect([log.length, isClosed()]).toEqual([4, true]);
  });

  it('may be held again by whom one is delivered to', () => {
    const { log, hold, ring, completions } = heldWithLog();
    const start = systemClock.monotonic();
    completions.hold({ dueMs: start, owner: A, deliver: () => hold('again', 1) });
    ring();
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    ring();
    expect(log).toEqual(['again']);
  });

  it('come in the order they are due, then in the order they were held, whatever they are', () => {
    const check = fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (dues) => {
      const { log, hold, ring } = heldWithLog();
      for (const [index, due] of dues.entries()) hold(`${due} ${index}`, due);
      vi.advanceTimersByTime(51);
      ring();
      const expected = dues
        .map((due, index) => ({ due, index }))
        .sort((one, other) => one.due - other.due || one.index - other.index);
      expect(log).toEqual(expected.map(({ due, index }) => `${due} ${index}`));
    });
    fc.assert(check, { numRuns: 100 });
  });
});
