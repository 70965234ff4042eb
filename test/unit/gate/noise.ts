/**
 * Noise of machines, made up and recorded: what turns of one and the same program come to.
 *
 * Each kind is a function from a seed to a series of rates, as long as asked, with a typical turn
 * near 1. The recorded one is real-noise.json: rates of random writes and reads of 4 KiB, and the
 * inverse of their median latencies, turn by turn on two cores that seven builds were running on.
 */
import { readFileSync } from 'node:fs';
import { createPrng, type Prng } from '../../../src/base/prng.ts';

export type Noise = (seed: number, turns: number) => number[];

const recorded = JSON.parse(
  readFileSync(new URL('./real-noise.json', import.meta.url), 'utf8'),
) as { readonly series: readonly (readonly number[])[] };

/** A standard normal number. */
function normal(prng: Prng): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw++) sum += prng.nextFloat();
  return sum;
}

function series(make: (prng: Prng, turns: number) => (turn: number) => number): Noise {
  return (seed, turns) => {
    const prng = createPrng(seed);
    const next = make(prng, turns);
    return Array.from({ length: turns }, (_, turn) => Math.exp(next(turn)));
  };
}

/** Slower by an exponentially distributed part, never faster. */
const skewed = (prng: Prng, scale: number): number => Math.log(1 - prng.nextFloat()) * scale;

export const NOISES: Readonly<Record<string, Noise>> = {
  quiet: series((prng) => () => normal(prng) * 0.01),
  skewed: series((prng) => () => skewed(prng, 0.04)),
  drifting: series((prng, turns) => (turn) => skewed(prng, 0.03) - (0.4 * turn) / turns),
  waves: series((prng) => (turn) => normal(prng) * 0.02 + 0.15 * Math.sin(turn / 9)),
  'correlated in time': series((prng) => {
    let level = 0;
    return () => {
      level = 0.8 * level + normal(prng) * 0.04;
      return level + skewed(prng, 0.01);
    };
  }),
  'with slow outliers': series((prng) => () => {
    const isSlow = prng.nextFloat() < 0.08;
    return normal(prng) * 0.02 - (isSlow ? 0.3 + prng.nextFloat() * 2 : 0);
  }),
  recorded: (seed, turns) => {
    const prng = createPrng(seed);
    const from = recorded.series[prng.nextBelow(recorded.series.length)]!;
    const start = prng.nextBelow(from.length);
    return Array.from({ length: turns }, (_, turn) => from[(start + turn) % from.length]!);
  },
};
