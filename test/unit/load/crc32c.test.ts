import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../src/load/crc32c.ts';

const crcOfBytes = (bytes: Uint8Array): number =>
  crc32c(new Int32Array(bytes.slice().buffer), 0, bytes.length / 4) >>> 0;

// RFC 3720, appendix B.4: 32 bytes each.
test.each([
  ['zeros', new Uint8Array(32), 0x8a9136aa],
  ['ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['incrementing', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  ['decrementing', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
])('the published vector of %s', (_name, bytes, sum) => {
  expect(crcOfBytes(bytes)).toBe(sum);
});

test('it is the polynomial, bit by bit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 256 }), (some) => {
      const bytes = some.subarray(0, some.length & ~15);
      let crc = 0xffffffff;
      for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
      }
      expect(crcOfBytes(bytes)).toBe(~crc >>> 0);
    }),
  );
});

test('a part of the words is summed from where it is asked', () => {
  const words = Int32Array.from({ length: 16 }, (_, index) => index * 77);
  expect(crc32c(words, 4, 8)).toBe(crc32c(words.slice(4, 12), 0, 8));
  expect(() => crc32c(words, 0, 3)).toThrow('whole steps of words');
  expect(() => crc32c(words, 12, 8)).toThrow('whole steps of words');
});
