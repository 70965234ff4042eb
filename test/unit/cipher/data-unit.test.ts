import { describe, expect, it } from 'vitest';
import {
  closeBoth,
  countingRegion,
  type DataUnitCipher,
  setSectorTweak,
} from '../../../src/cipher/data-unit.ts';

describe('setSectorTweak', () => {
  it.each([0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER])(
    'writes %d as 64 bits, little-endian, and leaves the high half alone',
    (sector) => {
      const tweak = new DataView(new ArrayBuffer(16));
      tweak.setBigUint64(8, 0x1122334455667788n, true);
      setSectorTweak(tweak, sector);
      expect(tweak.getBigUint64(0, true)).toBe(BigInt(sector));
      expect(tweak.getBigUint64(8, true)).toBe(0x1122334455667788n);
    },
  );
});

describe('countingRegion', () => {
  it.each([0, 1, 255, 256, 257, 4_096, 8_192, 5_000])('counts through %d bytes', (byteCount) => {
    const { bytes } = countingRegion(byteCount);
    expect(bytes.byteLength).toBe(byteCount);
    expect(bytes.every((byte, at) => byte === at % 256)).toBe(true);
  });
});

describe('closeBoth', () => {
  it('closes the second direction also when the first one fails to', () => {
    let closed = 0;
    const failing = {
      close() {
        throw new Error('first');
      },
    } as unknown as DataUnitCipher;
    const counting = { close: () => void closed++ } as unknown as DataUnitCipher;
    expect(() => closeBoth({ encryption: failing, decryption: counting })).toThrow('first');
    expect(closed).toBe(1);
  });
});
