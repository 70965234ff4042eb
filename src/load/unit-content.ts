/**
 * What a verified write puts into each 512-byte unit, so that a read can be judged by itself.
 *
 * A unit is 128 words of 32 bits, little-endian:
 *
 *   word 0     version: which write of this disk, from 1
 *   word 1     place: the unit's index in the disk, mixed with the disk's salt
 *   word 2..   'meta': as below; a sum (crc32c, xxhash, sha256 ..): of the unit, these words taken
 *              as 0; one word to sixteen
 *   the rest   TEMPLATE[i] xor key, key a hash of version and place
 *
 * So content is a function of (disk, unit, version), and no two units ever written are alike: a
 * lost, stale, misplaced, torn or damaged unit cannot look right. Word i is its own function of i,
 * with no chain through the unit, and words are taken six at a time: 4 GB/s where one at a time
 * is 1.3 (Node 20).
 *
 * 'pattern' is fio's verify=pattern: the same bytes over and over. fio begins anew at each block,
 * we at each unit, so that requests of any size agree; the two are alike if the length divides 512.
 * It tells damage and zeros, but not one write from another.
 */
import { invariant } from '../base/invariant.ts';
import { createPrng } from '../base/prng.ts';
import { type DigestName, digestOf } from './unit-digest.ts';
import { UNIT_BYTES, UNKNOWN_VERSION, ZEROS_VERSION } from './version-map.ts';

export const UNIT_WORDS: number = UNIT_BYTES / 4;
/** Words 0 and 1 are the header; the 126 after it are filled and compared six at a time. */
const HEADER_WORDS = 2;
const STEP = 6;

invariant((UNIT_WORDS - HEADER_WORDS) % STEP === 0, 'the body is whole steps');

/** How a disk's content is made and judged. Words are views of a request's buffer. */
export interface UnitContent {
  /** Fills unitCount units of a request. */
  stamp(words: Int32Array, firstUnit: number, unitCount: number, version: number): void;
  /**
   * @param unitAt position of the unit in the request
   * @param version what it must be; UNKNOWN_VERSION: whole and in its place, whatever the version
   */
  matches(words: Int32Array, unitAt: number, unit: number, version: number): boolean;
  /** What a unit that does not match looks like, in words for people. */
  describe(words: Int32Array, unitAt: number, unit: number): string;
}

/** True if the unit is all zeros. */
export function isZeros(words: Int32Array, unitAt: number): boolean {
  const from = unitAt * UNIT_WORDS;
  let bits = 0;
  for (let index = from; index < from + UNIT_WORDS; index++) bits |= words[index]!;
  return bits === 0;
}

const TEMPLATE: Int32Array = makeTemplate();

function makeTemplate(): Int32Array {
  const template = new Int32Array(UNIT_WORDS);
  createPrng(0x5ea1d15c).fill(new Uint8Array(template.buffer));
  return template;
}

function placeOf(unit: number, salt: number): number {
  return unit ^ Math.imul(Math.floor(unit / 2 ** 32), 0x9e3779b1) ^ salt;
}

function keyOf(version: number, place: number): number {
  let key = Math.imul(version, 0x85ebca6b) ^ Math.imul(place, 0xc2b2ae35);
  key = Math.imul(key ^ (key >>> 15), 0x2c1b3c6d);
  return key ^ (key >>> 13);
}

/** Units made of version, place and template. @param salt differs from disk to disk */
export function createStampContent(salt: number): UnitContent {
  return {
    stamp: (words, firstUnit, unitCount, version) => {
      for (let at = 0; at < unitCount; at++) {
        stampUnit(words, at * UNIT_WORDS, version, placeOf(firstUnit + at, salt));
      }
    },
    matches: (words, unitAt, unit, version) => {
      const from = unitAt * UNIT_WORDS;
      const found = words[from]! >>> 0;
      if (version !== UNKNOWN_VERSION && found !== version) return false;
      const place = placeOf(unit, salt);
      if (words[from + 1] !== place || found === ZEROS_VERSION) return false;
      return isBody(words, from, keyOf(found, place));
    },
    describe: (words, unitAt, unit) => describeHeader(words, unitAt, placeOf(unit, salt)),
  };
}

/** Units that carry a sum of themselves. @param salt differs from disk to disk */
export function createDigestContent(name: DigestName, salt: number): UnitContent {
  const digest = digestOf(name);
  const sum = new Int32Array(digest.words);
  const carried = new Int32Array(digest.words);
  const first = HEADER_WORDS;
  return {
    stamp: (words, firstUnit, unitCount, version) => {
      for (let at = 0; at < unitCount; at++) {
        const from = at * UNIT_WORDS;
        stampUnit(words, from, version, placeOf(firstUnit + at, salt));
        words.fill(0, from + first, from + first + digest.words);
        digest.compute(words, from, UNIT_WORDS, sum);
        words.set(sum, from + first);
      }
    },
    matches: (words, unitAt, unit, version) => {
      const from = unitAt * UNIT_WORDS;
      const found = words[from]! >>> 0;
      if (version !== UNKNOWN_VERSION && found !== version) return false;
      if (words[from + 1] !== placeOf(unit, salt) || found === ZEROS_VERSION) return false;
      let difference = 0;
      for (let at = 0; at < digest.words; at++) carried[at] = words[from + first + at]!;
      words.fill(0, from + first, from + first + digest.words);
      digest.compute(words, from, UNIT_WORDS, sum);
      words.set(carried, from + first);
      for (let at = 0; at < digest.words; at++) difference |= sum[at]! ^ carried[at]!;
      return difference === 0;
    },
    describe: (words, unitAt, unit) => describeHeader(words, unitAt, placeOf(unit, salt)),
  };
}

/**
 * Units of a repeated pattern, begun anew in each unit.
 *
 * @param pattern 1 to 512 bytes
 */
export function createPatternContent(pattern: Uint8Array): UnitContent {
  const bytes = Uint8Array.from({ length: UNIT_BYTES }, (_, at) => pattern[at % pattern.length]!);
  const wanted = new Int32Array(bytes.buffer);
  return {
    stamp: (words, _firstUnit, unitCount) => {
      for (let at = 0; at < unitCount; at++) words.set(wanted, at * UNIT_WORDS);
    },
    matches: (words, unitAt) => {
      const from = unitAt * UNIT_WORDS;
      let difference = 0;
      for (let index = 0; index < UNIT_WORDS; index++) {
        difference |= words[from + index]! ^ wanted[index]!;
      }
      return difference === 0;
    },
    describe: (words, unitAt) => (isZeros(words, unitAt) ? 'zeros' : 'not the pattern'),
  };
}

function stampUnit(words: Int32Array, from: number, version: number, place: number): void {
  const key = keyOf(version, place);
  words[from] = version;
  words[from + 1] = place;
  for (let index = HEADER_WORDS; index < UNIT_WORDS; index += STEP) {
    const at = from + index;
    words[at] = TEMPLATE[index]! ^ key;
    words[at + 1] = TEMPLATE[index + 1]! ^ key;
    words[at + 2] = TEMPLATE[index + 2]! ^ key;
    words[at + 3] = TEMPLATE[index + 3]! ^ key;
    words[at + 4] = TEMPLATE[index + 4]! ^ key;
    words[at + 5] = TEMPLATE[index + 5]! ^ key;
  }
}

/** True if the words after the header are the template under this key. */
function isBody(words: Int32Array, from: number, key: number): boolean {
  let left = 0;
  let right = 0;
  for (let index = HEADER_WORDS; index < UNIT_WORDS; index += STEP) {
    const at = from + index;
    left |=
      (words[at]! ^ TEMPLATE[index]! ^ key) |
      (words[at + 1]! ^ TEMPLATE[index + 1]! ^ key) |
      (words[at + 2]! ^ TEMPLATE[index + 2]! ^ key);
    right |=
      (words[at + 3]! ^ TEMPLATE[index + 3]! ^ key) |
      (words[at + 4]! ^ TEMPLATE[index + 4]! ^ key) |
      (words[at + 5]! ^ TEMPLATE[index + 5]! ^ key);
  }
  return (left | right) === 0;
}

function describeHeader(words: Int32Array, unitAt: number, place: number): string {
  if (isZeros(words, unitAt)) return 'zeros';
  const from = unitAt * UNIT_WORDS;
  if (words[from + 1] !== place) return 'bytes of another place';
  return `version ${words[from]! >>> 0}`;
}
