/**
 * Where random tests begin: from one seed, so that a run says something about the commit and not
 * about its luck. In the long mode, and with SEALDISK_SEED=random, from another one each time; a
 * number repeats a run. What fails prints it.
 */
import { randomInt } from 'node:crypto';
import { longFactor } from './long.ts';

const FIXED = 20_261_122;

export const suiteSeed = seedFrom(process.env.SEALDISK_SEED);

function seedFrom(given: string | undefined): number {
  const isRandom = given === 'random' || (given === undefined && longFactor > 1);
  if (isRandom) return randomInt(2 ** 31);
  const seed = Number(given ?? FIXED);
  if (!Number.isSafeInteger(seed)) {
    throw new Error(`expected SEALDISK_SEED to be 'random' or a whole number, got ${given}`);
  }
  return seed;
}
