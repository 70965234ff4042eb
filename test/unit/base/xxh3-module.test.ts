/** The checksum by oracles: another implementation, the specification, and published vectors. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createXXHash3 } from 'hash-wasm';
import { afterEach, describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { SectorMemory } from '../../../src/base/sector-memory.ts';
import { SECTOR_BYTES } from '../../../src/base/units.ts';
import { xxh3Reference } from '../../support/xxh3-reference.ts';

const held: SectorMemory[] = [];

function take(byteCount: number): SectorMemory {
  const memory = new SectorMemory(byteCount);
  held.push(memory);
  return memory;
}

afterEach(() => {
  for (const memory of held.splice(0)) memory.release();
});

/** The bytes xxHash's own sanity check hashes (cli/xsum_sanity_check.c, XSUM_fillTestBuffer). */
function sanityBytes(byteCount: number): Uint8Array {
  let state = 0x9e3779b1n;
  return Uint8Array.from({ length: byteCount }, () => {
    const byte = Number(state >> 56n);
    state = BigInt.asUintN(64, state * 0x9e3779b185ebca8dn);
    return byte;
  });
}

function low32(hash: bigint): number {
  return Number(BigInt.asUintN(32, hash));
}

function checksumOf(sector: Uint8Array): number {
  const memory = take(SECTOR_BYTES);
  memory.region.bytes.set(sector);
  return memory.checksum(0);
}

function fillRandom(memory: SectorMemory, seed: number): void {
  createPrng(seed).fill(memory.region.bytes);
}

describe('the reference', () => {
  // cli/xsum_sanity_check.c of xxHash v0.8.2, XSUM_XXH3_testdata: seed 0, lengths over 240.
  const PUBLISHED: [number, bigint][] = [
    [403, 0xcdeb804d65c6dea4n],
    [512, 0x617e49599013cb6bn],
    [2048, 0xdd59e2c3a5f038e0n],
    [2099, 0xc6b9d9b3fc9ac765n],
    [2240, 0x6e73a90539cf2948n],
    [2367, 0xcb37aeb9e5d361edn],
  ];

  it.each(PUBLISHED)('gives the published hash of %d bytes', (byteCount, hash) => {
    expect(xxh3Reference(sanityBytes(byteCount))).toBe(hash);
  });

  it('refuses inputs that have another algorithm', () => {
    expect(() => xxh3Reference(new Uint8Array(240))).toThrow(RangeError);
  });
});

describe('a checksum', () => {
  // Each by the command, with xxhsum 0.8.1 of Debian 12 (package xxhash).
  const BY_XXHSUM: [command: string, sector: Uint8Array, hash: bigint][] = [
    ['head -c 4096 /dev/zero | xxhsum -H3', new Uint8Array(SECTOR_BYTES), 0x93d76fe148c689ban],
    [
      'yes sealdisk | head -c 4096 | xxhsum -H3',
      Buffer.alloc(SECTOR_BYTES, 'sealdisk\n'),
      0xb30b3eea3ffa4fe9n,
    ],
    [
      "head -c 4096 /dev/zero | tr '\\0' '\\377' | xxhsum -H3",
      new Uint8Array(SECTOR_BYTES).fill(0xff),
      0x074cfac273851dd6n,
    ],
  ];

  it.each(BY_XXHSUM)('is the low half of what `%s` prints', (_command, sector, hash) => {
    expect(checksumOf(sector)).toBe(low32(hash));
    expect(xxh3Reference(sector)).toBe(hash);
  });

  const hasXxhsum = spawnSync('xxhsum', ['--version']).status === 0;
  it.skipIf(!hasXxhsum)('is what xxhsum, where it is installed, says of random sectors', () => {
    for (let seed = 0; seed < 16; seed++) {
      const sector = new Uint8Array(SECTOR_BYTES);
      createPrng(seed).fill(sector);
      const printed = execFileSync('xxhsum', ['-H3'], { input: sector }).toString();
      const hash = /[0-9a-f]{16}/.exec(printed)?.[0];
      expect(checksumOf(sector)).toBe(low32(BigInt(`0x${hash}`)));
    }
  });

  it('is what the reference and another implementation say of 10,000 random sectors', async () => {
    const other = await createXXHash3();
    const memory = take(1000 * SECTOR_BYTES);
    const checksums = new Uint32Array(1000);
    for (let round = 0; round < 10; round++) {
      fillRandom(memory, round);
      memory.checksums(0, 1000, checksums, 0);
      for (let index = 0; index < 1000; index++) {
        const offset = index * SECTOR_BYTES;
        const sector = memory.region.bytes.slice(offset, offset + SECTOR_BYTES);
        const hash = BigInt(`0x${other.init().update(sector).digest()}`);
        if (checksums[index] !== low32(hash)) expect.fail(`round ${round}, sector ${index}`);
        if (index % 50 === 0) expect(xxh3Reference(sector)).toBe(hash);
      }
    }
  });

  it('is an unsigned number', () => {
    const memory = take(64 * SECTOR_BYTES);
    fillRandom(memory, 1);
    const all = Array.from({ length: 64 }, (_, index) => memory.checksum(index * SECTOR_BYTES));
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...all)).toBeGreaterThan(0x7fffffff);
  });

  it('changes with every single bit of the sector', () => {
    const memory = take(SECTOR_BYTES);
    fillRandom(memory, 2);
    const { bytes } = memory.region;
    const original = memory.checksum(0);
    const unnoticed: number[] = [];
    for (let bit = 0; bit < 8 * SECTOR_BYTES; bit++) {
      const mask = 1 << (bit & 7);
      bytes[bit >> 3]! ^= mask;
      if (memory.checksum(0) === original) unnoticed.push(bit);
      bytes[bit >> 3]! ^= mask;
    }
    expect(unnoticed).toEqual([]);
    expect(memory.checksum(0)).toBe(original);
  });

  it('changes when any two 64-byte stripes change places', () => {
    const memory = take(SECTOR_BYTES);
    fillRandom(memory, 3);
    const { bytes } = memory.region;
    const original = memory.checksum(0);
    const stripes = Array.from({ length: 64 }, (_, index) =>
      bytes.slice(64 * index, 64 * index + 64),
    );
    for (let first = 0; first < 64; first++) {
      for (let second = first + 1; second < 64; second++) {
        bytes.set(stripes[second]!, 64 * first);
        bytes.set(stripes[first]!, 64 * second);
        if (memory.checksum(0) === original) expect.fail(`${first} and ${second}`);
        bytes.set(stripes[first]!, 64 * first);
        bytes.set(stripes[second]!, 64 * second);
      }
    }
    expect(memory.checksum(0)).toBe(original);
  });

  it('does not depend on the sectors before and after, or on where the sector lies', () => {
    const memory = take(3 * SECTOR_BYTES);
    fillRandom(memory, 4);
    const { bytes } = memory.region;
    const original = memory.checksum(SECTOR_BYTES);
    bytes.fill(0xa5, 0, SECTOR_BYTES);
    bytes.fill(0x5a, 2 * SECTOR_BYTES);
    expect(memory.checksum(SECTOR_BYTES)).toBe(original);
    bytes.copyWithin(0, SECTOR_BYTES, 2 * SECTOR_BYTES);
    expect(memory.checksum(0)).toBe(original);
  });
});
