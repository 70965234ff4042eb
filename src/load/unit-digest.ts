/**
 * The sums a verified unit can carry, all that fio has: OpenSSL's, zlib's, and those worked out
 * here.
 *
 * A sum fills its words, little-endian, of a unit in which those words are zero.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crc32c } from './crc32c.ts';
import { crc7, crc16, crc64 } from './table-crc.ts';

export interface Digest {
  /** Words of 32 bits it fills. */
  readonly words: number;
  /** The sum of count words from from on, into target from its index 0. */
  compute(words: Int32Array, from: number, count: number, target: Int32Array): void;
}

/** Digests of OpenSSL's, and the words they have. */
const HASH_WORDS = {
  md5: 4,
  sha1: 5,
  sha256: 8,
  sha512: 16,
  'sha3-224': 7,
  'sha3-256': 8,
  'sha3-384': 12,
  'sha3-512': 16,
} as const;

const OWN_DIGESTS = {
  crc7: oneWord(crc7),
  crc16: oneWord(crc16),
  crc32: oneWord((words, from, count) => {
    return crc32(new Uint8Array(words.buffer, words.byteOffset + from * 4, count * 4));
  }),
  crc32c: oneWord(crc32c),
  crc64: { words: 2, compute: crc64 },
  xxhash: oneWord(xxh32),
} as const satisfies Record<string, Digest>;

type HashName = keyof typeof HASH_WORDS;
type OwnName = keyof typeof OWN_DIGESTS;

/** Sums by their names in job files. */
export type DigestName = HashName | OwnName;

export const DIGEST_NAMES: readonly DigestName[] = [
  ...(Object.keys(OWN_DIGESTS) as OwnName[]),
  ...(Object.keys(HASH_WORDS) as HashName[]),
];

export function digestOf(name: DigestName): Digest {
  return name in OWN_DIGESTS ? OWN_DIGESTS[name as OwnName] : hashDigest(name as HashName);
}

function hashDigest(name: HashName): Digest {
  const count = HASH_WORDS[name];
  return {
    words: count,
    compute: (words, from, length, target) => {
      const bytes = new Uint8Array(words.buffer, words.byteOffset + from * 4, length * 4);
      const sum = createHash(name).update(bytes).digest();
      for (let at = 0; at < count; at++) target[at] = sum.readInt32LE(at * 4);
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
