/** The wrapped data key format as a suite: what one implementation wraps, any other must open. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { WrapKey } from '../../src/kms/wrap.ts';
import type { WrapContext } from '../../src/record/kms-message.ts';

export interface WrapImplementation {
  /** @returns 90 bytes */
  wrap(
    material: Uint8Array,
    wrapKey: WrapKey,
    context: WrapContext,
    iv: Uint8Array,
    dataKey: Uint8Array,
  ): Uint8Array;
  /** @throws if anything differs from what was wrapped */
  unwrap(material: Uint8Array, wrapped: Uint8Array, context: WrapContext): Uint8Array;
}

/** Bytes that differ from name to name and never from run to run. */
const bytesOf = (name: string, byteCount = 32): Uint8Array =>
  new Uint8Array(createHash('sha512').update(name).digest().subarray(0, byteCount));

const context: WrapContext = {
  accountId: '1234567890123456',
  regionId: 'cn-hangzhou',
  lineageId: 'd-abcdefghijklmnopqrst',
};
const wrapKey: WrapKey = { keyId: 'key-abcdefghijklmnopqrst', version: 3 };

const material = bytesOf('material');
const iv = bytesOf('iv', 12);
const dataKey = bytesOf('data key');

export function wrapContract(
  name: string,
  mine: WrapImplementation,
  other: WrapImplementation,
): void {
  describe(`wrapped data key contract: ${name}`, () => {
    const wrapped = mine.wrap(material, wrapKey, context, iv, dataKey);
    const opened = (...args: Parameters<WrapImplementation['unwrap']>): Buffer =>
      Buffer.from(mine.unwrap(...args));

    test('the other implementation makes the same bytes and opens these', () => {
      expect(Buffer.from(wrapped)).toEqual(
        Buffer.from(other.wrap(material, wrapKey, context, iv, dataKey)),
      );
      const byOther = other.unwrap(material, wrapped, context);
      expect(Buffer.from(byOther).equals(dataKey)).toBe(true);
    });

    test('the same key and context open it', () => {
      expect(opened(material, wrapped, context).equals(dataKey)).toBe(true);
    });

    test('the format has not changed: these are the bytes of version 1', () => {
      expect(createHash('sha256').update(wrapped).digest('hex')).toBe(
        'e8b0994d8bd2d47c29e7c47ccede15da401e518376a7cfd6698f8a23b9699df2',
      );
    });

    test('a flip of any single bit of it never opens', () => {
      expect(wrapped).toHaveLength(90);
      for (let bit = 0; bit < 90 * 8; bit++) {
        const changed = Uint8Array.from(wrapped);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => mine.unwrap(material, changed, context)).toThrow();
      }
    });

    test('another value of any field of the context never opens it', () => {
      const others: WrapContext[] = [
        { ...context, accountId: '1234567890123457' },
        { ...context, regionId: 'cn-beijing' },
        { ...context, lineageId: 'd-abcdefghijklmnopqrsu' },
        { ...context, accountId: context.regionId, regionId: context.accountId },
        // The same characters, cut at another place.
        { ...context, accountId: '123456789012345', regionId: '6cn-hangzhou' },
        { ...context, lineageId: '' },
      ];
      for (const changed of others) {
        expect(() => mine.unwrap(material, wrapped, changed)).toThrow();
      }
    });

    test('another key, or another version in its place, never opens it', () => {
      expect(() => mine.unwrap(bytesOf('other material'), wrapped, context)).toThrow();
      const moved = Buffer.from(wrapped);
      moved.write('key-abcdefghijklmnopqrsu', 2);
      expect(() => mine.unwrap(material, moved, context)).toThrow();
      const rotated = Buffer.from(wrapped);
      rotated.writeUInt32BE(4, 26);
      expect(() => mine.unwrap(material, rotated, context)).toThrow();
    });

    test('no other length than 90 opens', () => {
      const longer = Buffer.concat([wrapped, Buffer.from([0])]);
      for (let length = 0; length <= longer.length; length++) {
        if (length === 90) continue;
        expect(() => mine.unwrap(material, longer.subarray(0, length), context)).toThrow();
      }
    });
  });
}
