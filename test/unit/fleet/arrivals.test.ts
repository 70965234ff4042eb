import { describe, expect, test } from 'vitest';
import {
  ARRIVAL_SLOTS,
  type ArrivalOptions,
  AT,
  nextArrival,
  planArrivals,
  startArrivals,
} from '../../../src/fleet/arrivals.ts';
import { seedRandom } from '../../../src/fleet/random.ts';

const EVEN: ArrivalOptions = {
  isBursty: false,
  onShare: 0.1,
  onUs: 1e6,
  tail: 0,
  diurnal: 0,
  peakHour: 14,
};

/** Times in microseconds of one source's requests. */
function arrivalsOf(
  options: Partial<ArrivalOptions>,
  perSecond: number,
  seconds: number,
  disk = 0,
): Float64Array {
  const plan = planArrivals({ ...EVEN, ...options }, seconds * 1e6);
  const random = new Int32Array(4);
  seedRandom(random, 1, disk, 0);
  const state = new Float64Array(ARRIVAL_SLOTS);
  startArrivals(state, 0, plan, random, perSecond / 1e6);
  const times: number[] = [];
  for (;;) {
    nextArrival(state, 0, plan, random, perSecond / 1e6);
    if (state[AT]! >= plan.endUs) return Float64Array.from(times);
    times.push(state[AT]!);
  }
}

/** Requests in each span of time. */
function countsOf(times: Float64Array, spanUs: number, spans: number): Float64Array {
  const counts = new Float64Array(spans);
  for (const time of times) {
    const span = Math.floor(time / spanUs);
    counts[span] = counts[span]! + 1;
  }
  return counts;
}

function dispersionOf(counts: Float64Array): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  return variance / mean;
}

describe('a Poisson source', () => {
  test('asks at its rate, evenly, with gaps that are exponential', () => {
    const times = arrivalsOf({}, 1000, 200);
    // 200,000 +- 447; five deviations.
    expect(Math.abs(times.length - 200_000)).toBeLessThan(2236);
    const gaps = times.slice(1).map((time, at) => time - times[at]!);
    const longer = (gap: number): number => gaps.filter((each) => each > gap).length / gaps.length;
    for (const part of [0.5, 1, 2, 4]) {
      expect(Math.abs(longer(part * 1000) - Math.exp(-part))).toBeLessThan(0.006);
    }
    // Counts of a Poisson process vary by as much as they are.
    expect(Math.abs(dispersionOf(countsOf(times, 1e5, 2000)) - 1)).toBeLessThan(0.16);
  });

  test('that is asked for nothing asks for nothing', () => {
    expect(arrivalsOf({}, 0, 1000)).toHaveLength(0);
    expect(arrivalsOf({ isBursty: true }, 0, 1000)).toHaveLength(0);
  });

  test('swings over the day as it is told, and keeps its mean', () => {
    const times = arrivalsOf({ diurnal: 0.5, peakHour: 14 }, 2, 4 * 86_400);
    expect(Math.abs(times.length / (2 * 4 * 86_400) - 1)).toBeLessThan(0.01);
    const hours = new Float64Array(24);
    for (const time of times) {
      const hour = Math.floor((time / 3600e6) % 24);
      hours[hour] = hours[hour]! + 1;
    }
    for (const [hour, count] of hours.entries()) {
      const rate = 1 + 0.5 * Math.cos((2 * Math.PI * (hour + 0.5 - 14)) / 24);
      expect(Math.abs(count / (4 * 7200) - rate)).toBeLessThan(0.05);
    }
  });
});

describe('a bursty source', () => {
  test('with exponential turns varies as an interrupted Poisson process does', () => {
    // On for 1 s at 100 a second, off for 9 s; index of dispersion of counts, at infinity:
    // 1 + 2 peak on-rate / (on-rate + off-rate)^2 (Fischer and Meier-Hellstern 1993, section 2).
    const seconds = 200_000;
    const times = arrivalsOf({ isBursty: true }, 10, seconds);
    expect(Math.abs(times.length / (10 * seconds) - 1)).toBeLessThan(0.05);
    const [ending, beginning] = [1, 1 / 9];
    const formula = 1 + (2 * 100 * ending) / (ending + beginning) ** 2;
    const measured = dispersionOf(countsOf(times, 200e6, seconds / 200));
    // 1,000 spans: the variance is known to 1/sqrt(500), five times that; the span adds 1 %.
    expect(Math.abs(measured / formula - 1)).toBeLessThan(0.23);
  });

  test.each([1.2, 1.5, 3])('with Pareto turns of exponent %s keeps its mean', (tail) => {
    let requests = 0;
    for (let disk = 0; disk < 100; disk++) {
      requests += arrivalsOf({ isBursty: true, tail, onShare: 0.25 }, 5, 4000, disk).length;
    }
    expect(Math.abs(requests / (100 * 4000 * 5) - 1)).toBeLessThan(0.08);
  });

  test('with Pareto turns is more uneven over long spans than with exponential ones', () => {
    const over = (tail: number): number =>
      dispersionOf(countsOf(arrivalsOf({ isBursty: true, tail }, 10, 100_000), 500e6, 200));
    expect(over(1.2)).toBeGreaterThan(1.5 * over(0));
  });

  test('is on for its share of the time', () => {
    const times = arrivalsOf({ isBursty: true, onShare: 0.3, tail: 0 }, 30, 20_000);
    const busy = countsOf(times, 1e5, 200_000).filter((count) => count > 0).length;
    // Spans of 0.1 s that a turn of 1 s begins or ends in are busy in part: some 0.1 x 2 / 2 more.
    expect(busy / 200_000).toBeGreaterThan(0.3);
    expect(busy / 200_000).toBeLessThan(0.36);
  });
});
