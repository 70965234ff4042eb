/**
 * What torture writes: units of 512 bytes, each of which tells which write it came from.
 *
 *   word 0     1     2     3        4 .. 127
 *        seed  disk  unit  version  a sequence that begins with all four
 *
 * So whoever reads a unit knows whether it is whole, whose it is, and how old. A sector is eight
 * units: one that holds units of several writes, where no write wrote a part of it, is torn.
 * Version 0 is all zeros: never written, trimmed or zeroed.
 */
export const UNIT_BYTES = 512;
export const SECTOR_UNITS = 8;
/** The version of zeros. */
export const ZEROS = 0;
/** A unit that no write of ours made. */
export const FOREIGN = -1;

const UNIT_WORDS: number = UNIT_BYTES / 4;

/** Whose bytes they are: a data directory has a seed, a disk a number in it. */
export interface Owner {
  readonly seed: number;
  readonly disk: number;
}

/** Bytes as words: the machine's byte order, for they never leave it. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function putUnit(words: Uint32Array, at: number, owner: Owner, unit: number, version: number) {
  words[at] = owner.seed;
  words[at + 1] = owner.disk;
  words[at + 2] = unit;
  words[at + 3] = version;
  let state = owner.seed ^ Math.imul(owner.disk + 1, 0x85ebca6b);
  state ^= Math.imul(unit + 1, 0xc2b2ae35) ^ Math.imul(version + 1, 0x27d4eb2f);
  for (let index = 4; index < UNIT_WORDS; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[at + index] = state ^ (state >>> 15);
  }
}

/** Bytes of `count` units from `unit` on, all of one version. */
export function bytesOf(owner: Owner, unit: number, count: number, version: number): Uint8Array {
  const bytes = new Uint8Array(count * UNIT_BYTES);
  const words = wordsOf(bytes);
  for (let index = 0; index < count; index++) {
    putUnit(words, index * UNIT_WORDS, owner, unit + index, version);
  }
  return bytes;
}

const expected = new Uint32Array(UNIT_WORDS);

function versionAt(words: Uint32Array, at: number, owner: Owner, unit: number): number {
  const version = words[at + 3]!;
  if (version === ZEROS) {
    for (let index = 0; index < UNIT_WORDS; index++) if (words[at + index] !== 0) return FOREIGN;
    return ZEROS;
  }
  putUnit(expected, 0, owner, unit, version);
  for (let index = 0; index < UNIT_WORDS; index++) {
    if (words[at + index] !== expected[index]) return FOREIGN;
  }
  return version;
}

/** The versions of the units in some bytes; FOREIGN where they are not whole, or not ours. */
export function versionsOf(bytes: Uint8Array, owner: Owner, firstUnit: number): number[] {
  const words = wordsOf(bytes);
  const versions: number[] = [];
  for (let at = 0; at < words.length; at += UNIT_WORDS) {
    versions.push(versionAt(words, at, owner, firstUnit + versions.length));
  }
  return versions;
}

/** What a unit says of itself, for people. */
export function describeUnit(bytes: Uint8Array, index: number): string {
  const [seed, disk, unit, version] = wordsOf(bytes).subarray(index * UNIT_WORDS);
  return `seed ${seed}, disk ${disk}, unit ${unit}, version ${version}`;
}
