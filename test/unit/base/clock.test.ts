import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';

describe('the system clock', () => {
  it('tells wall time in milliseconds since 1970', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('tells monotonic time that never goes back and has parts of a millisecond', () => {
    const readings = Array.from({ length: 10_000 }, () => systemClock.monotonic());
    expect(readings.every((reading, at) => reading >= (readings[at - 1] ?? 0))).toBe(true);
    expect(readings.some((reading) => !Number.isInteger(reading))).toBe(true);
  });
});
