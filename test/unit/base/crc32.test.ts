import { describe, expect, it } from 'vitest';
import { memoryRegion } from '../../../src/base/bytes.ts';
import { crc32OfRegion } from '../../../src/base/crc32.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { createPrng } from '../../../src/base/prng.ts';

/** CRC-32 bit by bit, from its polynomial. */
function expectedCrc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function region(text: string): ReturnType<typeof memoryRegion> {
  return memoryRegion(new TextEncoder().encode(text));
}

describe('crc32OfRegion', () => {
  it('gives the check value of CRC-32', () => {
    expect(crc32OfRegion(region('123456789'), 0, 9)).toBe(0xcbf43926);
  });

  it.each([
    ['', 0],
    ['a', 0xe8b7be43],
    ['abc', 0x352441c2],
  ])('knows the checksum of %j', (text, crc) => {
    expect(crc32OfRegion(region(text), 0, text.length)).toBe(crc);
  });

  it('takes just the range it is given, of any alignment, over shared memory too', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(9_000));
    const random = createPrng(11);
    random.fill(bytes);
    const whole = memoryRegion(bytes);
    for (let turn = 0; turn < 200; turn++) {
      const offset = random.nextBelow(4_800);
      const length = random.nextBelow(4_200);
      const expected = expectedCrc32(bytes.slice(offset, offset + length));
      expect(crc32OfRegion(whole, offset, length)).toBe(expected);
    }
  });

  it('changes with any one bit of a sector', () => {
    const sector = memoryRegion(new Uint8Array(4_096));
    const before = crc32OfRegion(sector, 0, 4_096);
    const random = createPrng(12);
    for (let turn = 0; turn < 200; turn++) {
      const at = random.nextBelow(4_096);
      const bit = 1 << random.nextBelow(8);
      sector.bytes[at] = (sector.bytes[at] ?? 0) ^ bit;
      expect(crc32OfRegion(sector, 0, 4_096)).not.toBe(before);
      sector.bytes[at] = (sector.bytes[at] ?? 0) ^ bit;
    }
  });

  it.each([
    [-1, 4],
    [0.5, 4],
    [0, -1],
    [0, 1.5],
    [0, 9],
    [8, 1],
    [9, 0],
    [Number.NaN, 1],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses offset %d and length %d of 8 bytes', (offset, length) => {
    expect(() => crc32OfRegion(region('8 bytes.'), offset, length)).toThrow(InvariantError);
  });
});
