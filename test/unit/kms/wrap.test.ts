import { describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import {
  readWrapKey,
  unwrapDataKey,
  WRAPPED_KEY_BYTES,
  wrapNewDataKey,
} from '../../../src/kms/wrap.ts';
import { context, fillRandom, rootKeyOf } from './support.ts';

const material = rootKeyOf(1);
const wrapKey = { keyId: 'key-abcdefghijklmnopqrst', version: 1 };
const wrap = (): Uint8Array => wrapNewDataKey(material, wrapKey, context, fillRandom);
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(PlaneError);
    return (error as PlaneError).code;
  }
  return 'no error';
};

describe('a wrapped data key', () => {
  test('names the version of the master key that opens it', () => {
    expect(readWrapKey(wrap())).toEqual(wrapKey);
  });

  test('is WrappedKeyInvalid after a flip of any of its 720 bits', () => {
    const wrapped = wrap();
    for (let bit = 0; bit < WRAPPED_KEY_BYTES * 8; bit++) {
      const changed = wrapped.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => unwrapDataKey(material, changed, context))).toBe('WrappedKeyInvalid');
    }
  });

  test('is WrappedKeyInvalid when cut short, even by tag bytes alone', () => {
    const wrapped = wrap();
    for (let length = 0; length < WRAPPED_KEY_BYTES; length++) {
      const cut = wrapped.subarray(0, length);
      expect(codeOf(() => unwrapDataKey(material, cut, context))).toBe('WrappedKeyInvalid');
    }
  });

  test('is refused for version 0, an unknown format, an unknown algorithm, a crafted id', () => {
    const changed = (change: (bytes: Buffer) => void): Uint8Array => {
      const bytes = Buffer.from(wrap());
      change(bytes);
      return bytes;
    };
    const crafted = [
      changed((bytes) => bytes.writeUInt32BE(0, 26)),
      changed((bytes) => bytes.writeUInt8(2, 0)),
      changed((bytes) => bytes.writeUInt8(2, 1)),
      changed((bytes) => bytes.write('key-../../../etc/passwd/', 2)),
    ];
    for (const wrapped of crafted) {
      expect(codeOf(() => readWrapKey(wrapped))).toBe('WrappedKeyInvalid');
    }
  });

  test('opens into 32 bytes of their own, ready for transfer', () => {
    const key = unwrapDataKey(material, wrap(), context);
    expect(key).toBeInstanceOf(ArrayBuffer);
    expect(key.byteLength).toBe(32);
    const moved = structuredClone(key, { transfer: [key] });
    expect([key.byteLength, moved.byteLength]).toEqual([0, 32]);
  });

  test('says nothing of key bytes in its errors', () => {
    const wrapped = wrap();
    wrapped[80]! ^= 1;
    let message = '';
    try {
      unwrapDataKey(material, wrapped, context);
    } catch (error) {
      message = String(error);
    }
    expect(message).toBe(
      'PlaneError: WrappedKeyInvalid: wrapped data key: it was not made by version 1 of ' +
        'key-abcdefghijklmnopqrst for lineage d-abcdefghijklmnopqrst',
    );
  });

  test('holds a data key no other holds: 10,000 drawn, 10,000 distinct', () => {
    const seen = new Set<string>();
    const ivs = new Set<string>();
    for (let i = 0; i < 10_000; i++) {
      const wrapped = wrap();
      ivs.add(Buffer.from(wrapped.subarray(30, 42)).toString('hex'));
      seen.add(Buffer.from(unwrapDataKey(material, wrapped, context)).toString('hex'));
    }
    expect([seen.size, ivs.size]).toEqual([10_000, 10_000]);
  });

  test('leaves no plaintext behind in the buffer its data key was drawn into', () => {
    const drawn: Uint8Array[] = [];
    wrapNewDataKey(material, wrapKey, context, (bytes) => {
      fillRandom(bytes);
      drawn.push(bytes);
    });
    expect(drawn.map((bytes) => bytes.length)).toEqual([12, 32]);
    expect(drawn[1]!.every((byte) => byte === 0)).toBe(true);
  });

  test('is never made under a key id of another form', () => {
    const badKey = { keyId: 'd-abcdefghijklmnopqrst', version: 1 };
    expect(() => wrapNewDataKey(material, badKey, context, fillRandom)).toThrow(InvariantError);
  });
});
