import { describe, expect, it } from 'vitest';
import { allocateKey, type MemoryRegion } from '../../../src/base/bytes.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { SECTOR_BYTES } from '../../../src/base/units.ts';
import type { DataUnitCipher } from '../../../src/cipher/data-unit.ts';
import type { SectorKey } from '../../../src/cipher/sector-cipher.ts';
import { checkXtsKey, xtsEngine } from '../../../src/cipher/xts-sector-key.ts';

/** A region as it is where there is no native code. */
function addressless(bytes: Uint8Array): MemoryRegion {
  return { bytes, address: 0 };
}

interface Recorded {
  readonly key: SectorKey;
  readonly units: string[];
  readonly closed: string[];
}

/** A key whose ciphers only write down what they are asked. */
function recorded(): Recorded {
  const units: string[] = [];
  const closed: string[] = [];
  const cipher = (direction: string): DataUnitCipher => {
    const tweak = new DataView(new ArrayBuffer(16));
    return {
      tweak,
      crypt(_source, sourceOffset, _target, targetOffset, byteCount) {
        const sector = tweak.getBigUint64(0, true);
        units.push(`${direction} ${sector}: ${sourceOffset} -> ${targetOffset}, ${byteCount}`);
      },
      close: () => void closed.push(direction),
    };
  };
  const engine = xtsEngine('noble-reference', 'recorded', () => ({
    encryption: cipher('encrypt'),
    decryption: cipher('decrypt'),
  }));
  const keyBytes = allocateKey(64);
  keyBytes[0] = 1;
  return { key: engine.openKey(keyBytes), units, closed };
}

describe('a sector key', () => {
  it('asks for one unit per sector, each with its own tweak', () => {
    const { key, units } = recorded();
    const source = addressless(new Uint8Array(4 * SECTOR_BYTES));
    const target = addressless(new Uint8Array(4 * SECTOR_BYTES));
    key.encrypt(source, 0, target, 16, 2 ** 32 - 1, 3);
    key.decrypt(source, 4096, target, 0, 7, 1);
    expect(units).toEqual([
      'encrypt 4294967295: 0 -> 16, 4096',
      'encrypt 4294967296: 4096 -> 4112, 4096',
      'encrypt 4294967297: 8192 -> 8208, 4096',
      'decrypt 7: 4096 -> 0, 4096',
    ]);
  });

  it('closes each direction once', () => {
    const { key, closed } = recorded();
    key.close();
    key.close();
    expect(closed).toEqual(['encrypt', 'decrypt']);
  });

  it('finds overlaps by buffer where regions have no addresses', () => {
    const { key, units } = recorded();
    const buffer = new ArrayBuffer(4 * SECTOR_BYTES);
    const whole = addressless(new Uint8Array(buffer));
    const part = addressless(new Uint8Array(buffer, SECTOR_BYTES));
    expect(() => key.encrypt(whole, 1, whole, 0, 0, 1)).toThrow(InvariantError);
    expect(() => key.encrypt(whole, SECTOR_BYTES + 1, part, 0, 0, 1)).toThrow(InvariantError);
    expect(units).toEqual([]);
    key.encrypt(whole, SECTOR_BYTES, part, 0, 0, 2);
    key.encrypt(whole, 0, part, 0, 0, 1);
    key.encrypt(whole, 0, addressless(new Uint8Array(SECTOR_BYTES + 1)), 1, 0, 1);
    expect(units).toHaveLength(4);
  });
});

describe('checkXtsKey', () => {
  it('says nothing about the bytes of the key it refuses', () => {
    const bytes = allocateKey(64).fill(0x5e);
    expect(() => checkXtsKey(bytes)).toThrow('the halves of an XTS key differ, equal ones came');
    try {
      checkXtsKey(bytes);
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toMatch(/5e5e|94,94/i);
    }
  });

  it('takes keys of which one half is zero', () => {
    const bytes = allocateKey(64);
    bytes[63] = 1;
    expect(() => checkXtsKey(bytes)).not.toThrow();
  });
});
