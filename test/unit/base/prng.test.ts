import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';

/**
 * sfc32 and splitmix32 written again over BigInt, from their published definitions: 32-bit
 * arithmetic by masks, nothing taken from the code under test.
 */
function expectedUint32s(seed: number, count: number): number[] {
  const mask = 0xffffffffn;
  let state = BigInt(seed);
  const splitmix = (): bigint => {
    state = (state + 0x9e3779b9n) & mask;
    let z = state ^ (state >> 16n);
    z = (z * 0x21f0aaadn) & mask;
    z ^= z >> 15n;
    z = (z * 0x735a2d97n) & mask;
    return z ^ (z >> 15n);
  };
  let [a, b, c, counter] = [splitmix(), splitmix(), splitmix(), 1n];
  const numbers: number[] = [];
  for (let turn = 0; turn < 12 + count; turn++) {
    const t = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((c << 21n) & mask) | (c >> 11n);
    c = (c + t) & mask;
    if (turn >= 12) numbers.push(Number(t));
  }
  return numbers;
}

describe('createPrng', () => {
  it.each([0, 1, 42, 2 ** 31, 2 ** 32 - 1])('is sfc32 seeded by splitmix32: seed %d', (seed) => {
    const prng = createPrng(seed);
    const numbers = Array.from({ length: 1_000 }, () => prng.nextUint32());
    expect(numbers).toEqual(expectedUint32s(seed, 1_000));
  });

  it('takes a seed modulo 2^32', () => {
    expect(createPrng(2 ** 32 + 5).nextUint32()).toBe(createPrng(5).nextUint32());
    expect(createPrng(-1).nextUint32()).toBe(createPrng(2 ** 32 - 1).nextUint32());
  });

  it.each([1, 2, 10, 1_000, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    'nextBelow(%d) stays below it and spreads over it',
    (limit) => {
      const prng = createPrng(3);
      const quarters = [0, 0, 0, 0];
      for (let draw = 0; draw < 4_000; draw++) {
        const number = prng.nextBelow(limit);
        if (!Number.isSafeInteger(number) || number < 0 || number >= limit) {
          expect.fail(`${number}`);
        }
        const quarter = Math.floor((number / limit) * 4);
        quarters[quarter] = (quarters[quarter] ?? 0) + 1;
      }
      if (limit >= 1_000) for (const drawn of quarters) expect(drawn).toBeGreaterThan(850);
    },
  );

  it('reaches odd numbers near 2^53', () => {
    const prng = createPrng(1);
    const draws = Array.from({ length: 1_000 }, () => prng.nextBelow(Number.MAX_SAFE_INTEGER));
    expect(draws.some((number) => number % 2 === 1)).toBe(true);
  });

  it('nextFloat stays in [0, 1) with a mean of a half', () => {
    const prng = createPrng(9);
    let sum = 0;
    for (let draw = 0; draw < 10_000; draw++) {
      const number = prng.nextFloat();
      if (number < 0 || number >= 1) expect.fail(`${number}`);
      sum += number;
    }
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });

  it.each([0, 1, 2, 3, 4, 5, 7, 8, 1_023])('fills all of %d bytes and none outside', (length) => {
    const bytes = new Uint8Array(length + 16).fill(0xaa);
    createPrng(5).fill(bytes.subarray(8, 8 + length));
    expect(bytes.subarray(0, 8).every((byte) => byte === 0xaa)).toBe(true);
    expect(bytes.subarray(8 + length).every((byte) => byte === 0xaa)).toBe(true);
    const words = expectedUint32s(5, Math.ceil(length / 4) + 4);
    const wholeWords = Math.floor(length / 4);
    const view = new DataView(bytes.buffer, 8, length);
    for (let word = 0; word < wholeWords; word++) {
      expect(view.getUint32(4 * word, true)).toBe(words[word]);
    }
    for (let at = 4 * wholeWords, word = wholeWords; at < length; at++, word++) {
      expect(view.getUint8(at)).toBe((words[word] ?? 0) & 0xff);
    }
  });
});
