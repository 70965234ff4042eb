/** What a sector cipher refuses, and that it has written nothing then. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allocateKey, allocateRegion, memoryRegion } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { createPrng } from '../../src/base/prng.ts';
import { SECTOR_BYTES } from '../../src/base/units.ts';
import type { SectorKey } from '../../src/cipher/sector-cipher.ts';
import { GUARD, randomKey, type SuiteContext } from './sector-cipher-cases.ts';

type Arguments = Parameters<SectorKey['encrypt']>;

const region = allocateRegion(4 * SECTOR_BYTES);
const other = allocateRegion(4 * SECTOR_BYTES);

const WRONG: [string, Arguments][] = [
  ['a source that begins before its region', [region, -1, other, 0, 0, 1]],
  ['a source that ends after its region', [region, 3 * SECTOR_BYTES + 1, other, 0, 0, 1]],
  ['a source offset with a fraction', [region, 0.5, other, 0, 0, 1]],
  ['a source offset that is no number', [region, Number.NaN, other, 0, 0, 1]],
  ['a target that begins before its region', [region, 0, other, -1, 0, 1]],
  ['a target that ends after its region', [region, 0, other, 1, 0, 4]],
  ['a target offset with a fraction', [region, 0, other, 1.5, 0, 1]],
  ['a target offset that is no number', [region, 0, other, Number.NaN, 0, 1]],
  ['more sectors than there are bytes', [region, 0, other, 0, 0, 5]],
  ['more sectors than a number counts', [region, 0, other, 0, 0, 2 ** 53]],
  ['fewer than no sectors', [region, 0, other, 0, 0, -1]],
  ['half a sector', [region, 0, other, 0, 0, 0.5]],
  ['a sector index below zero', [region, 0, other, 0, -1, 1]],
  ['a sector index with a fraction', [region, 0, other, 0, 1.5, 1]],
  ['a sector index that is no longer exact', [region, 0, other, 0, 2 ** 53, 1]],
  ['a batch whose last index is no longer exact', [region, 0, other, 0, 2 ** 53 - 2, 3]],
  ['overlapping ranges, target first', [region, 1, region, 0, 0, 1]],
  ['overlapping ranges, source first', [region, 0, region, SECTOR_BYTES, 0, 2]],
];

export function rangeRefusals({ engine, seed }: SuiteContext): void {
  let key: SectorKey;
  beforeAll(() => {
    key = engine.openKey(randomKey(createPrng(seed)));
  });
  afterAll(() => key.close());

  it.each(WRONG)('refuses %s', (_, callArguments) => {
    for (const bytes of [region.bytes, other.bytes]) bytes.fill(GUARD);
    expect(() => key.encrypt(...callArguments)).toThrow(InvariantError);
    expect(() => key.decrypt(...callArguments)).toThrow(InvariantError);
    for (const bytes of [region.bytes, other.bytes]) {
      expect(
        bytes.every((byte) => byte === GUARD),
        'nothing was written',
      ).toBe(true);
    }
  });

  it('refuses ranges that overlap through two regions over the same memory', () => {
    const twin = memoryRegion(region.bytes.subarray(SECTOR_BYTES));
    expect(() => key.encrypt(region, SECTOR_BYTES, twin, 16, 0, 1)).toThrow(InvariantError);
    expect(() => key.encrypt(region, SECTOR_BYTES, twin, 0, 0, 1)).not.toThrow();
  });

  it('refuses a region whose buffer was transferred away', () => {
    const bytes = new Uint8Array(new ArrayBuffer(SECTOR_BYTES));
    const gone = memoryRegion(bytes);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(() => key.encrypt(gone, 0, other, 0, 0, 1)).toThrow(InvariantError);
    expect(() => key.decrypt(other, 0, gone, 0, 0, 1)).toThrow(InvariantError);
  });
}

export function keyRefusals({ engine, seed, cases }: SuiteContext): void {
  it.each([0, 1, 16, 31, 32, 33, 48, 63, 65, 96, 128])('refuses a key of %i bytes', (byteCount) => {
    const keyBytes = allocateKey(byteCount);
    createPrng(seed).fill(keyBytes);
    expect(() => engine.openKey(keyBytes)).toThrow(/InvalidArgument: an XTS key is 64 bytes/);
    expect(() => engine.openDataUnits(keyBytes)).toThrow(/InvalidArgument/);
  });

  it('refuses an all-zero key', () => {
    expect(() => engine.openKey(allocateKey(64))).toThrow(/InvalidArgument: .*all-zero/);
  });

  it(`refuses keys of two equal halves (${cases} cases)`, () => {
    const random = createPrng(seed);
    const keyBytes = allocateKey(64);
    for (let number = 0; number < cases; number++) {
      random.fill(keyBytes.subarray(0, 32));
      keyBytes.copyWithin(32, 0, 32);
      let refusal: unknown;
      try {
        engine.openKey(keyBytes).close();
      } catch (error) {
        refusal = error;
      }
      if (!/InvalidArgument: .*halves/.test(String(refusal))) expect.fail(`case ${number}`);
    }
  });

  it('takes keys whose halves differ in one bit', () => {
    for (let bit = 0; bit < 256; bit++) {
      const keyBytes = allocateKey(64);
      keyBytes[bit >>> 3] = 1 << (bit & 7);
      engine.openKey(keyBytes).close();
    }
  });
}
