/**
 * The sums a verified unit can carry: CRC-32C and XXH32 worked out here, the others by OpenSSL.
 *
 * A sum fills its words, little-endian, of a unit in which those words are zero.
 */
import { createHash } from 'node:crypto';
import { crc32c } from './crc32c.ts';

/** Sums by their names in job files. */
export type DigestName = 'crc32c' | 'xxhash' | 'md5' | 'sha1' | 'sha256' | 'sha512' | 'sha3-256';

export interface Digest {
  /** Words of 32 bits it fills. */
  readonly words: number;
  /** The sum of count words from from on, into target from its index 0. */
  compute(words: Int32Array, from: number, count: number, target: Int32Array): void;
}

const HASH_WORDS: Readonly<Record<Exclude<DigestName, 'crc32c' | 'xxhash'>, number>> = {
  md5: 4,
  sha1: 5,
  sha256: 8,
  sha512: 16,
  'sha3-256': 8,
};

export function digestOf(name: DigestName): Digest {
  if (name === 'crc32c') return oneWord(crc32c);
  if (name === 'xxhash') return oneWord(xxh32);
  return {
    words: HASH_WORDS[name],
    compute: (words, from, count, target) => {
      const bytes = new Uint8Array(words.buffer, words.byteOffset + from * 4, count * 4);
      const sum = createHash(name).update(bytes).digest();
      for (let at = 0; at < HASH_WORDS[name]; at++) target[at] = sum.readInt32LE(at * 4);
    },
  };
}

function oneWord(sum: (words: Int32Array, from: number, count: number) => number): Digest {
  return {
    words: 1,
    compute: (words, from, count, target) => {
      target[0] = sum(words, from, count);
    },
  };
}

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
/** Words taken together. */
const STRIPE_WORDS = 4;

/**
 * XXH32 with seed 0 of whole words, as a signed number.
 *
 * Source: xxHash fast digest algorithm, doc/xxhash_spec.md, "XXH32 algorithm".
 *
 * @param count a multiple of 4
 */
export function xxh32(words: Int32Array, from: number, count: number): number {
  let a = (PRIME_1 + PRIME_2) | 0;
  let b = PRIME_2 | 0;
  let c = 0;
  let d = -PRIME_1 | 0;
  for (let at = from; at < from + count; at += STRIPE_WORDS) {
    a = round(a, words[at]!);
    b = round(b, words[at + 1]!);
    c = round(c, words[at + 2]!);
    d = round(d, words[at + 3]!);
  }
  let sum = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18) + count * 4) | 0;
  sum = Math.imul(sum ^ (sum >>> 15), PRIME_2);
  sum = Math.imul(sum ^ (sum >>> 13), PRIME_3);
  return sum ^ (sum >>> 16);
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
