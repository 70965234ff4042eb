/**
 * Random keys and places, and how results are compared, for the sector cipher suite.
 */
import { allocateKey } from '../../src/base/bytes.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { XtsEngine } from '../../src/cipher/xts-sector-key.ts';

/** What memory that must not be written is filled with. */
export const GUARD = 0xe7;

export interface SuiteContext {
  readonly engine: XtsEngine;
  readonly cases: number;
  readonly seed: number;
}

export function randomKey(random: Prng): Uint8Array {
  const key = allocateKey(64);
  random.fill(key);
  return key;
}

/** Half of them near an edge of the 32-bit words of the tweak, the other half anywhere. */
export function randomSector(random: Prng, sectorCount: number): number {
  const last = Number.MAX_SAFE_INTEGER - sectorCount;
  const edges = [0, 2 ** 31, 2 ** 32, 2 ** 33, 2 ** 34, 2 ** 52, last];
  const edge = edges[random.nextBelow(edges.length)] ?? 0;
  const near = edge - sectorCount + random.nextBelow(2 * sectorCount);
  const anywhere = random.nextBelow(last);
  return random.nextUint32() % 2 === 0 ? anywhere : Math.min(last, Math.max(0, near));
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/**
 * True if any 16-byte block at the same place is equal: chance makes one in 2^120 sectors.
 * Both begin at the beginning of their buffers.
 */
export function anyEqualBlock(a: Uint8Array, b: Uint8Array): boolean {
  const aWords = new BigUint64Array(a.buffer, 0, a.byteLength / 8);
  const bWords = new BigUint64Array(b.buffer, 0, b.byteLength / 8);
  for (let at = 0; at < aWords.length; at += 2) {
    if (aWords[at] === bWords[at] && aWords[at + 1] === bWords[at + 1]) return true;
  }
  return false;
}
