/**
 * A pseudo-random order of 0..count-1 that visits each number exactly once and stores none.
 *
 * It is an alternating Feistel network over the smallest even-or-odd number of bits that holds
 * count, walked on past results outside the range (cycle walking): a bijection of [0, 2^bits)
 * restricted to [0, count) stays a bijection, and since count > 2^bits / 2 a step walks twice at
 * most on average. So a random pass over 64 TiB of disk needs a few numbers of memory, where fio's
 * random map needs a bit per block.
 *
 * Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (CT-RSA 2002), cycle-walking
 * and generalised Feistel.
 */
import { invariant } from '../base/invariant.ts';
import { createPrng } from '../base/prng.ts';

/** Six rounds: at four, neighbouring inputs of small domains still show. */
const ROUNDS = 6;
/** Largest domain: two halves of at most 26 bits, exact in a number. */
const COUNT_MAX = 2 ** 52;

/** Maps a position to the number at that position. */
export type Permutation = (position: number) => number;

/**
 * @param count how many numbers: 1 to 2^52
 * @param seed the order
 */
export function createPermutation(count: number, seed: number): Permutation {
  invariant(Number.isSafeInteger(count) && count >= 1 && count <= COUNT_MAX, 'permutation count');
  const bits = Math.max(2, Math.ceil(Math.log2(count)));
  const lowBits = bits >> 1;
  const lowMask = 2 ** lowBits - 1;
  const highMask = 2 ** (bits - lowBits) - 1;
  const lowSize = 2 ** lowBits;
  invariant(2 ** bits >= count, 'the network covers the range');
  const prng = createPrng(seed);
  const keys = Int32Array.from({ length: ROUNDS }, () => prng.nextUint32() | 0);

  const permute = (position: number): number => {
    let high = Math.floor(position / lowSize);
    let low = position % lowSize;
    for (let round = 0; round < ROUNDS; round += 2) {
      high ^= mix(low, keys[round]!) & highMask;
      low ^= mix(high, keys[round + 1]!) & lowMask;
    }
    return high * lowSize + low;
  };
  return (position) => {
    let number = permute(position);
    while (number >= count) number = permute(number);
    return number;
  };
}

/** A 32-bit finaliser (murmur3's): every output bit depends on every input bit. */
function mix(half: number, key: number): number {
  let hash = half ^ key;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
