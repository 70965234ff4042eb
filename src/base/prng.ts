/**
 * Chance as a parameter: a seeded generator for load patterns and tests. Never for keys.
 *
 * The algorithm is sfc32 (Chris Doty-Humphrey, PractRand), chosen because it is four adds and
 * shifts on 32-bit integers and passes PractRand; state from one 32-bit seed by splitmix32.
 */

export interface Prng {
  /** Uniform in [0, 2^32). */
  nextUint32(): number;
  /** Uniform in [0, limit) for any safe integer limit > 0. */
  nextBelow(limit: number): number;
  /** Uniform in [0, 1). */
  nextFloat(): number;
  /** Fills bytes with pseudo-random content; the caller keeps the buffer. */
  fill(bytes: Uint8Array): void;
}

export function createPrng(seed: number): Prng {
  let state = seed >>> 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitmix() | 0;
  let b = splitmix() | 0;
  let c = splitmix() | 0;
  let counter = 1;
  const nextUint32 = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) nextUint32();
  return {
    nextUint32,
    nextBelow: (limit) =>
      Math.floor(((nextUint32() * 2 ** 21 + (nextUint32() >>> 11)) / 2 ** 53) * limit),
    nextFloat: () => nextUint32() / 2 ** 32,
    fill: (bytes) => {
      const wholeBytes = bytes.byteLength & ~3;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < wholeBytes; at += 4) view.setUint32(at, nextUint32(), true);
      for (let at = wholeBytes; at < bytes.byteLength; at++) bytes[at] = nextUint32() & 0xff;
    },
  };
}
