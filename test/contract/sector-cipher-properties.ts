/**
 * What holds for any key, any sector and any data. Random cases come from a seeded generator; a
 * failure names seed and case.
 */
import { expect, it } from 'vitest';
import { allocateRegion, type MemoryRegion, memoryRegion } from '../../src/base/bytes.ts';
import { createPrng, type Prng } from '../../src/base/prng.ts';
import { SECTOR_BYTES } from '../../src/base/units.ts';
import { closeBoth } from '../../src/cipher/data-unit.ts';
import type { SectorKey } from '../../src/cipher/sector-cipher.ts';
import {
  anyEqualBlock,
  randomKey,
  randomSector,
  type SuiteContext,
  same,
} from './sector-cipher-cases.ts';

/** Sectors a random case has at most: enough for a batch to differ from its first sector. */
const CASE_SECTORS_MAX = 4;

/** One random case: a key, a place, and plaintext somewhere in a pool of random bytes. */
interface Case {
  readonly random: Prng;
  readonly key: SectorKey;
  readonly sector: number;
  readonly count: number;
  /** First byte of the plaintext in the pool; of any alignment. */
  readonly at: number;
  readonly plain: Uint8Array;
}

/** Where random cases take their plaintext from and put their results. */
interface Workbench {
  /** Random bytes. */
  readonly pool: MemoryRegion;
  readonly first: MemoryRegion;
  readonly second: MemoryRegion;
  /** The first sectors of both. */
  readonly firstSector: Uint8Array;
  readonly secondSector: Uint8Array;
}

function createWorkbench(seed: number): Workbench {
  const caseBytes = CASE_SECTORS_MAX * SECTOR_BYTES;
  const pool = memoryRegion(new Uint8Array(new SharedArrayBuffer(4 * caseBytes)));
  const first = allocateRegion(caseBytes);
  const second = memoryRegion(new Uint8Array(new SharedArrayBuffer(caseBytes)));
  createPrng(seed).fill(pool.bytes);
  const [firstSector, secondSector] = [head(first, SECTOR_BYTES), head(second, SECTOR_BYTES)];
  return { pool, first, second, firstSector, secondSector };
}

function head(region: MemoryRegion, byteCount: number): Uint8Array {
  return region.bytes.subarray(0, byteCount);
}

/** Declares a test of a property over all cases; it returns false, or throws, where it fails. */
function property(
  context: SuiteContext,
  { pool }: Workbench,
  fact: string,
  holds: (one: Case) => boolean,
): void {
  const { engine, cases, seed } = context;
  it(`${fact} (${cases} cases)`, () => {
    const random = createPrng(seed);
    for (let number = 0; number < cases; number++) {
      const count = 1 + random.nextBelow(CASE_SECTORS_MAX);
      const sector = randomSector(random, count);
      const key = engine.openKey(randomKey(random));
      const at = random.nextBelow(pool.bytes.byteLength - CASE_SECTORS_MAX * SECTOR_BYTES);
      const plain = pool.bytes.subarray(at, at + count * SECTOR_BYTES);
      const held = holds({ random, key, sector, count, at, plain });
      if (!held) expect.fail(`seed ${seed}, case ${number}, sector ${sector} + ${count}`);
      key.close();
    }
  });
}

export function dataProperties(context: SuiteContext): void {
  const bench = createWorkbench(context.seed);
  const { pool, first, second, firstSector, secondSector } = bench;

  property(context, bench, 'decrypts what it encrypted', ({ key, sector, count, at, plain }) => {
    key.encrypt(pool, at, first, 0, sector, count);
    key.decrypt(first, 0, second, 0, sector, count);
    return same(head(second, plain.byteLength), plain);
  });

  property(context, bench, 'gives the same data other ciphertext in every other sector', (one) => {
    const { key, sector, at, random } = one;
    const other = randomSector(random, 1);
    if (other === sector) return true;
    key.encrypt(pool, at, first, 0, sector, 1);
    key.encrypt(pool, at, second, 0, other, 1);
    return !anyEqualBlock(firstSector, secondSector);
  });

  property(context, bench, 'gives the same data other ciphertext under every other key', (one) => {
    const { key, sector, at, random } = one;
    const otherKey = context.engine.openKey(randomKey(random));
    key.encrypt(pool, at, first, 0, sector, 1);
    otherKey.encrypt(pool, at, second, 0, sector, 1);
    otherKey.close();
    return !anyEqualBlock(firstSector, secondSector);
  });

  property(
    context,
    bench,
    'turns one changed bit of ciphertext into exactly one changed block',
    (one) => {
      const { key, sector, at, plain, random } = one;
      key.encrypt(pool, at, first, 0, sector, 1);
      const changed = random.nextBelow(SECTOR_BYTES);
      first.bytes[changed] = (first.bytes[changed] ?? 0) ^ (1 << random.nextBelow(8));
      key.decrypt(first, 0, second, 0, sector, 1);
      const start = changed - (changed % 16);
      const part = (from: number, to: number): boolean =>
        same(secondSector.subarray(from, to), plain.subarray(from, to));
      return part(0, start) && part(start + 16, SECTOR_BYTES) && !part(start, start + 16);
    },
  );
}

export function batchProperties(context: SuiteContext): void {
  const bench = createWorkbench(context.seed);
  const { pool, first, second } = bench;

  property(context, bench, 'encrypts a batch as it encrypts single sectors', (one) => {
    const { key, sector, count, at, plain } = one;
    key.encrypt(pool, at, first, 0, sector, count);
    for (let turn = count - 1; turn >= 0; turn--) {
      const offset = turn * SECTOR_BYTES;
      key.encrypt(pool, at + offset, second, offset, sector + turn, 1);
    }
    return same(head(first, plain.byteLength), head(second, plain.byteLength));
  });

  property(
    context,
    bench,
    'works in place as it works out of place',
    ({ key, sector, count, at, plain }) => {
      key.encrypt(pool, at, first, 0, sector, count);
      second.bytes.set(plain);
      key.encrypt(second, 0, second, 0, sector, count);
      if (!same(head(first, plain.byteLength), head(second, plain.byteLength))) return false;
      key.decrypt(second, 0, second, 0, sector, count);
      return same(head(second, plain.byteLength), plain);
    },
  );

  property(
    context,
    bench,
    'does not depend on how a batch is split, nor on which key object did it',
    (one) => {
      const { key, sector, count, at, plain, random } = one;
      const keyBytes = randomKey(random);
      const twins = [context.engine.openKey(keyBytes), context.engine.openKey(keyBytes)];
      twins[0]?.encrypt(pool, at, first, 0, sector, count);
      for (let done = 0; done < count; ) {
        const part = 1 + random.nextBelow(count - done);
        const offset = done * SECTOR_BYTES;
        // Another key is used in between, as a shard does that serves several disks.
        key.encrypt(pool, at, second, offset, sector, 1);
        twins[done % 2]?.encrypt(pool, at + offset, second, offset, sector + done, part);
        done += part;
      }
      for (const twin of twins) twin.close();
      return same(head(first, plain.byteLength), head(second, plain.byteLength));
    },
  );
}

export function indexProperties(context: SuiteContext): void {
  const { engine, cases, seed } = context;
  const { pool, first, second, firstSector, secondSector } = createWorkbench(seed);

  it(`takes a sector index as its 64 bits, little-endian (${cases} cases)`, () => {
    const random = createPrng(seed);
    const keyBytes = randomKey(random);
    const key = engine.openKey(keyBytes);
    const ciphers = engine.openDataUnits(keyBytes);
    for (let number = 0; number < cases; number++) {
      const sector = randomSector(random, 1);
      key.encrypt(pool, 0, first, 0, sector, 1);
      ciphers.encryption.tweak.setBigUint64(0, BigInt(sector), true);
      ciphers.encryption.crypt(pool, 0, second, 0, SECTOR_BYTES);
      const agree = same(firstSector, secondSector);
      if (!agree) expect.fail(`seed ${seed}, case ${number}, sector ${sector}`);
    }
    key.close();
    closeBoth(ciphers);
  });
}
