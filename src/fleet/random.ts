/**
 * The chance of a fleet: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47, 2021), one generator for each stream of each disk.
 *
 * 1. The state is four integers in an array of the caller: no object is made for a draw.
 * 2. A stream depends on the seed, the disk and its number, on nothing that ran before: disks may
 *    be simulated in any order, on any thread.
 * 3. Different (seed, disk, stream) never have the same state: each word of it goes through a
 *    bijection (the finaliser of MurmurHash3), one of them for each of the three.
 *
 * base/prng.ts is not used because it keeps its state in a closure, one object for each stream.
 */

/** Words of one generator. */
export const RANDOM_WORDS = 4;

/** Draws thrown away before the first: states that differ in few bits then give other numbers. */
const WARM_UP_DRAWS = 16;

/** The next draw, uniform in [0, 2^32). */
export function nextUint32(state: Int32Array): number {
  const b = state[1]!;
  const product = Math.imul(b, 5);
  const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
  const c = state[2]! ^ state[0]!;
  const d = state[3]! ^ b;
  state[1] = b ^ c;
  state[0] = state[0]! ^ d;
  state[2] = c ^ (b << 9);
  state[3] = (d << 11) | (d >>> 21);
  return result;
}

/** Begins a stream. All three numbers are whole, in [0, 2^32). */
export function seedRandom(state: Int32Array, seed: number, disk: number, stream: number): void {
  state[0] = finalise(seed ^ 0x9e3779b9);
  state[1] = finalise(disk ^ 0x3c6ef372);
  state[2] = finalise(stream ^ 0x5aa66d2b);
  // Never zero: a generator whose state is all zeros stays there.
  state[3] = finalise(0x78dde6e4);
  for (let draw = 0; draw < WARM_UP_DRAWS; draw++) nextUint32(state);
}

/** fmix32 of MurmurHash3 (Austin Appleby, public domain): a bijection of 32-bit words. */
function finalise(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
