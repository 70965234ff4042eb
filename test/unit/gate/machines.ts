/**
 * Machines: what pairs of processes of one and the same build came to, every turn of them.
 *
 * The recorded ones are the files of machines/, by `npm run gate:proof -- --only same --record
 * FILE`: rates and processor time a request of bench/jobs/gate.fio, as parts of their median. busy:
 * two cores of a virtual machine with a load average of 12, stopped by its host now and then. calm:
 * the same with nothing else to do.
 * The one made up is what a machine with nothing else to do is like: a turn is 2 in 100 off, slower
 * by as much again one time in five, and a process 1 in 100 off from its first turn to its last.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createPrng, type Prng } from '../../../src/base/prng.ts';
import type { Metric } from '../../../src/gate/metric.ts';

/** The turns of one pair of processes: of the one and of the other, in the order made. */
export interface RecordedPair {
  readonly one: readonly number[];
  readonly other: readonly number[];
}

export interface RecordedMetric {
  readonly metric: Metric;
  readonly pairs: readonly RecordedPair[];
}

export interface Machine {
  readonly name: string;
  readonly isQuiet: boolean;
  /** Of runs of a minute, at least this share claims that it would see a loss of 5 in 100. */
  readonly claimsMin: number;
  readonly metrics: readonly RecordedMetric[];
}

const PAIRS = 80;
const TURNS = 32;

function normal(prng: Prng): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw++) sum += prng.nextFloat();
  return sum;
}

function madeUp(): RecordedMetric[] {
  const prng = createPrng(11);
  const turns = (isRate: boolean): number[] => {
    const process = normal(prng) * 0.01;
    return Array.from({ length: TURNS }, () => {
      const slower = prng.nextFloat() < 0.2 ? Math.abs(normal(prng)) * 0.04 : 0;
      const logarithm = process + normal(prng) * 0.02;
      return Math.exp(isRate ? logarithm - slower : logarithm + slower);
    });
  };
  return (['w iops', 'w cpu', 'r iops', 'r cpu'] as const).map((name) => {
    const isBiggerBetter = name.endsWith('iops');
    const summary = isBiggerBetter ? 'mean' : 'best';
    return {
      metric: { name, unit: '', isBiggerBetter, summary },
      pairs: Array.from({ length: PAIRS }, () => ({
        one: turns(isBiggerBetter),
        other: turns(isBiggerBetter),
      })),
    };
  });
}

/** Of recorded machines; on the others a minute is too short to claim anything. */
const CLAIMS_MIN: Readonly<Record<string, number>> = { 'calm.json': 0.25 };

const FOLDER = new URL('./machines/', import.meta.url);

function recorded(fileName: string): Machine {
  const document = JSON.parse(readFileSync(new URL(fileName, FOLDER), 'utf8')) as {
    readonly metrics: readonly RecordedMetric[];
  };
  return {
    name: fileName,
    isQuiet: false,
    claimsMin: CLAIMS_MIN[fileName] ?? 0,
    metrics: document.metrics,
  };
}

export const MACHINES: readonly Machine[] = [
  { name: 'a quiet machine made up', isQuiet: true, claimsMin: 0.9, metrics: madeUp() },
  ...readdirSync(FOLDER).sort().map(recorded),
];
