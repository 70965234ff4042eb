/**
 * What every sector cipher engine does, as a suite over a factory.
 *
 * Random cases come from a seeded generator; a failure names engine, seed and case.
 */
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { allocateRegion, type MemoryRegion, memoryRegion } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { createPrng } from '../../src/base/prng.ts';
import { SECTOR_BYTES } from '../../src/base/units.ts';
import { closeBoth, type DataUnitCipher } from '../../src/cipher/data-unit.ts';
import { deriveXtsKey } from '../../src/cipher/xts-key.ts';
import { runKnownAnswers } from '../../src/cipher/xts-known-answers.ts';
import type { XtsEngine } from '../../src/cipher/xts-sector-key.ts';
import { anyEqualBlock, GUARD, randomKey, type SuiteContext, same } from './sector-cipher-cases.ts';
import { batchProperties, dataProperties, indexProperties } from './sector-cipher-properties.ts';
import { keyRefusals, rangeRefusals } from './sector-cipher-refusals.ts';
import {
  goldenImage,
  labelledBytes,
  ownVectors,
  publishedVectors,
  type XtsVector,
} from './sector-cipher-vectors.ts';

export interface SuiteOptions {
  /** Random cases of each property. @default 10000 */
  readonly cases?: number;
  /** @default 20240229 */
  readonly seed?: number;
}

const GUARD_BYTES = 64;

export function sectorCipherSuite(
  name: string,
  engineFactory: () => XtsEngine,
  options: SuiteOptions = {},
): void {
  describe(name, () => {
    const context: SuiteContext = {
      engine: engineFactory(),
      cases: options.cases ?? 10_000,
      seed: options.seed ?? 20240229,
    };
    describe('answers', () => answers(context));
    describe('properties of data', () => dataProperties(context));
    describe('properties of indexes', () => indexProperties(context));
    describe('properties of batches', () => batchProperties(context));
    describe('ranges', () => ranges(context));
    describe('refused ranges', () => rangeRefusals(context));
    describe('refused keys', () => keyRefusals(context));
    describe('closing', () => closing(context));
  });
}

function answers({ engine }: SuiteContext): void {
  it('passes its known answers', () => {
    runKnownAnswers(engine);
  });

  it.each(ownVectors())('gives nettle’s ciphertext: $id', (vector) => {
    checkVector(engine, vector);
  });

  const published = publishedVectors();
  it.skipIf(published === null)(
    'gives every published ciphertext (needs ../shared/facts/crypto-vectors.json)',
    () => {
      expect(published?.length).toBeGreaterThanOrEqual(39);
      for (const vector of published ?? []) checkVector(engine, vector);
    },
  );

  it('writes the golden image: the on-disk format, pinned', () => {
    const golden = goldenImage();
    const byteCount = golden.sectorCount * SECTOR_BYTES;
    const image = memoryRegion(new Uint8Array(labelledBytes(golden.plaintextLabel, byteCount)));
    const key = engine.openKey(deriveXtsKey(Buffer.from(golden.dataKey, 'hex')));
    key.encrypt(image, 0, image, 0, golden.firstSector, golden.sectorCount);
    const digest = createHash('sha256').update(image.bytes).digest('hex');
    expect(digest).toBe(golden.ciphertextSha256);
    key.decrypt(image, 0, image, 0, golden.firstSector, golden.sectorCount);
    expect(same(image.bytes, labelledBytes(golden.plaintextLabel, byteCount))).toBe(true);
    key.close();
  });
}

function checkVector(engine: XtsEngine, vector: XtsVector): void {
  const byteCount = vector.plaintext.byteLength;
  const source = allocateRegion(byteCount);
  source.bytes.set(vector.plaintext);
  const target = allocateRegion(byteCount);
  const ciphers = engine.openDataUnits(vector.key);
  const crypt = (cipher: DataUnitCipher, from: MemoryRegion, to: MemoryRegion): void => {
    for (const [at, byte] of vector.tweak.entries()) cipher.tweak.setUint8(at, byte);
    cipher.crypt(from, 0, to, 0, byteCount);
  };
  crypt(ciphers.encryption, source, target);
  const start = target.bytes.subarray(0, vector.ciphertextStart.byteLength);
  expect(Buffer.from(start).toString('hex'), vector.id).toBe(
    vector.ciphertextStart.toString('hex'),
  );
  const digest = createHash('sha256').update(target.bytes).digest('hex');
  expect(digest, vector.id).toBe(vector.ciphertextSha256);
  crypt(ciphers.decryption, target, target);
  expect(same(target.bytes, vector.plaintext), `${vector.id}, decrypted`).toBe(true);
  closeBoth(ciphers);
}

function ranges({ engine, seed }: SuiteContext): void {
  const random = createPrng(seed);
  const key = engine.openKey(randomKey(random));
  const sectorBytes = 3 * SECTOR_BYTES;
  const filled = (byteCount: number): MemoryRegion => {
    const region = allocateRegion(byteCount);
    region.bytes.fill(GUARD);
    return region;
  };
  afterAll(() => key.close());

  it.each(['encrypt', 'decrypt'] as const)('%ss only the target range', (direction) => {
    const source = filled(sectorBytes + 2 * GUARD_BYTES);
    random.fill(source.bytes.subarray(GUARD_BYTES, GUARD_BYTES + sectorBytes));
    const sourceBefore = Buffer.from(source.bytes);
    const target = filled(sectorBytes + 2 * GUARD_BYTES + 1);
    key[direction](source, GUARD_BYTES, target, GUARD_BYTES + 1, 77, 3);
    const guards = Buffer.concat([
      target.bytes.subarray(0, GUARD_BYTES + 1),
      target.bytes.subarray(GUARD_BYTES + 1 + sectorBytes),
    ]);
    expect(guards.every((byte) => byte === GUARD)).toBe(true);
    expect(same(source.bytes, sourceBefore), 'the source is as it was').toBe(true);
    const written = target.bytes.subarray(GUARD_BYTES + 1, GUARD_BYTES + 1 + sectorBytes);
    expect(anyEqualBlock(new Uint8Array(written), filled(sectorBytes).bytes)).toBe(false);
  });

  it('leaves a source that is a Buffer as it was', () => {
    const source = memoryRegion(Buffer.from(labelledBytes('source', SECTOR_BYTES)));
    const target = allocateRegion(SECTOR_BYTES);
    key.encrypt(source, 0, target, 0, 1, 1);
    expect(same(source.bytes, labelledBytes('source', SECTOR_BYTES))).toBe(true);
  });

  it('works between neighbouring sectors of one region', () => {
    const region = filled(4 * SECTOR_BYTES);
    random.fill(region.bytes.subarray(0, 2 * SECTOR_BYTES));
    const plain = Buffer.from(region.bytes.subarray(0, 2 * SECTOR_BYTES));
    key.encrypt(region, 0, region, 2 * SECTOR_BYTES, 5, 2);
    key.decrypt(region, 2 * SECTOR_BYTES, region, 0, 5, 2);
    expect(same(region.bytes.subarray(0, 2 * SECTOR_BYTES), plain)).toBe(true);
  });

  it('reaches the last sector a number can name', () => {
    const region = filled(SECTOR_BYTES);
    key.encrypt(region, 0, region, 0, Number.MAX_SAFE_INTEGER, 1);
    key.decrypt(region, 0, region, 0, Number.MAX_SAFE_INTEGER, 1);
    expect(region.bytes.every((byte) => byte === GUARD)).toBe(true);
  });

  it('does nothing for no sectors', () => {
    const region = filled(SECTOR_BYTES);
    key.encrypt(region, 0, region, SECTOR_BYTES, 9, 0);
    key.decrypt(region, SECTOR_BYTES, region, 0, 9, 0);
    expect(region.bytes.every((byte) => byte === GUARD)).toBe(true);
  });
}

function closing({ engine, seed }: SuiteContext): void {
  const region = allocateRegion(SECTOR_BYTES);

  it('refuses a closed key, however often it is closed', () => {
    const key = engine.openKey(randomKey(createPrng(seed)));
    key.encrypt(region, 0, region, 0, 0, 1);
    const before = Buffer.from(region.bytes);
    for (let time = 0; time < 3; time++) key.close();
    expect(() => key.encrypt(region, 0, region, 0, 0, 1)).toThrow(InvariantError);
    expect(() => key.decrypt(region, 0, region, 0, 0, 1)).toThrow(InvariantError);
    expect(() => key.encrypt(region, 0, region, 0, 0, 0)).toThrow(InvariantError);
    expect(same(region.bytes, before)).toBe(true);
  });

  it('keeps no hold on the caller’s key: erasing it changes nothing', () => {
    const keyBytes = randomKey(createPrng(seed));
    const key = engine.openKey(keyBytes);
    const expected = allocateRegion(SECTOR_BYTES);
    region.bytes.fill(1);
    key.encrypt(region, 0, expected, 0, 3, 1);
    keyBytes.fill(0);
    const again = allocateRegion(SECTOR_BYTES);
    key.encrypt(region, 0, again, 0, 3, 1);
    key.close();
    expect(same(again.bytes, expected.bytes)).toBe(true);
  });

  it('takes a key that lies on the V8 heap, or inside a larger buffer', () => {
    const keyBytes = randomKey(createPrng(seed));
    const onHeap = new Uint8Array(64);
    onHeap.set(keyBytes);
    const larger = Buffer.concat([Buffer.alloc(7), keyBytes, Buffer.alloc(7)]);
    const results = [keyBytes, onHeap, larger.subarray(7, 71)].map((bytes) => {
      const key = engine.openKey(bytes);
      const target = allocateRegion(SECTOR_BYTES);
      key.encrypt(region, 0, target, 0, 12, 1);
      key.close();
      return Buffer.from(target.bytes).toString('hex');
    });
    expect(new Set(results).size).toBe(1);
  });

  it('closing one key leaves the others whole', () => {
    const random = createPrng(seed);
    const keyBytes = randomKey(random);
    const lasting = engine.openKey(keyBytes);
    const expected = allocateRegion(SECTOR_BYTES);
    lasting.encrypt(region, 0, expected, 0, 4, 1);
    for (let number = 0; number < 200; number++) {
      const passing = engine.openKey(randomKey(random));
      passing.encrypt(region, 0, region, 0, number, 1);
      passing.decrypt(region, 0, region, 0, number, 1);
      passing.close();
    }
    const again = allocateRegion(SECTOR_BYTES);
    lasting.encrypt(region, 0, again, 0, 4, 1);
    lasting.close();
    expect(same(again.bytes, expected.bytes)).toBe(true);
  });
}
