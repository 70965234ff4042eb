/**
 * Bursty arrivals beside a real disk: two hours of one production disk (CloudPhysics), where the
 * trace is at hand. What is compared is how uneven requests are over spans of time.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';

const trace = new URL('../../../../shared/traces/cloudphysics.csv', import.meta.url).pathname;
const SPAN_SECONDS = 100;

/** Variance over mean of the requests in spans; 1 of a Poisson process. */
function dispersionOf(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length / mean;
}

function dispersionOfTrace(): { readonly perSecond: number; readonly dispersion: number } {
  const lines = readFileSync(trace, 'utf8').trim().split('\n').slice(1);
  const times = lines.map((line) => Number(line.split(',')[1]));
  const first = times[0]!;
  const spans = Math.floor((times.at(-1)! - first + 1) / SPAN_SECONDS);
  const counts = new Array<number>(spans).fill(0);
  for (const time of times) {
    const span = Math.floor((time - first) / SPAN_SECONDS);
    if (span < spans) counts[span]! += 1;
  }
  return {
    perSecond: lines.length / (times.at(-1)! - first),
    dispersion: dispersionOf(counts),
  };
}

/** The median over some disks, each for as long as the trace. */
function dispersionOfModel(perSecond: number, onDuration: string): number {
  const disks = Array.from({ length: 7 }, (_, seed) => {
    const { series } = simulate({
      seed,
      duration: 7200,
      step: SPAN_SECONDS,
      load: { iopsPerDisk: perSecond, onDuration },
      disks: [{ count: 1, category: 'unlimited' }],
    });
    return dispersionOf(series.map(({ iops }) => iops * SPAN_SECONDS));
  });
  return disks.sort((a, b) => a - b)[3]!;
}

const absent = existsSync(trace) ? '' : ' (skipped: ../shared/traces is not here)';
test.skipIf(absent !== '')(
  `on for a minute at a time, a disk is as uneven as a real one${absent}`,
  () => {
    const { perSecond, dispersion } = dispersionOfTrace();
    expect(dispersion).toBeGreaterThan(10_000);
    const minute = dispersionOfModel(perSecond, '1m');
    expect(minute / dispersion).toBeGreaterThan(0.25);
    expect(minute / dispersion).toBeLessThan(4);
  },
);
