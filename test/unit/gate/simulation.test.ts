/**
 * The gate on simulated machines: how often it raises a false alarm, how often it finds what is
 * there, and whether it may be believed when it says what it could have seen. Seeds are fixed.
 */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { differencesOf, orderOfRound, type Round } from '../../../src/gate/rounds.ts';
import { signedRankShift } from '../../../src/gate/statistics.ts';
import { DEFAULT_TERMS, type Judgement, judge } from '../../../src/gate/verdict.ts';
import { longFactor } from '../../support/long.ts';
import { NOISES, type Noise } from './noise.ts';

const RUNS = 200 * longFactor;

/** Turns as the gate makes them, on a machine with this noise; B is slower by a part. */
function simulate(noise: Noise, seed: number, rounds: number, loss: number): Round[] {
  const machine = noise(seed, 4 * rounds);
  const prng = createPrng(seed + 1_000_000);
  return Array.from({ length: rounds }, (_, round) => {
    const sides: { a: number[]; b: number[] } = { a: [], b: [] };
    for (const [turn, side] of orderOfRound(prng).entries()) {
      const rate = 1000 * machine[4 * round + turn]!;
      sides[side].push(side === 'b' ? rate * (1 - loss) : rate);
    }
    return sides;
  });
}

function judged(noise: Noise, seed: number, rounds: number, loss: number): Judgement {
  const differences = differencesOf(simulate(noise, seed, rounds, loss), {
    isBiggerBetter: true,
  });
  const shift = (level: number): ReturnType<typeof signedRankShift> =>
    signedRankShift(differences, level);
  return judge([{ rounds, shift }], { ...DEFAULT_TERMS, tolerance: 0.02 })[0]!;
}

/** Many rounds take long to count out: all machines have them in the long mode only. */
const MANY = longFactor > 1 ? Object.keys(NOISES) : ['correlated in time', 'recorded'];
const CASES = Object.entries(NOISES).flatMap(([name, noise]) =>
  (MANY.includes(name) ? [12, 30] : [12]).map((rounds) => ({ name, noise, rounds })),
);

describe.each(CASES)('$rounds rounds on a machine that is $name', ({ name, noise, rounds }) => {
  test('with no change: at most one false alarm in twenty', () => {
    let alarms = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const { verdict } = judged(noise, seed, rounds, 0);
      if (verdict === 'regression' || verdict === 'improvement') alarms += 1;
    }
    expect(alarms / RUNS).toBeLessThanOrEqual(0.05);
  });

  test('a loss of 5 in 100 is found in nine of ten runs that claim to see it', () => {
    let claimed = 0;
    let found = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const { smallest, verdict } = judged(noise, seed, rounds, 0.05);
      if (smallest === null || smallest > 0.05) continue;
      claimed += 1;
      if (verdict === 'regression') found += 1;
    }
    if (name === 'quiet') expect(claimed).toBe(RUNS);
    expect(found).toBeGreaterThanOrEqual(0.9 * claimed);
  });
});
