import { createCipheriv } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gcm } from '@noble/ciphers/aes.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import {
  additionalData,
  open,
  openByNodeCrypto,
  openLeavesCopies,
  seal,
} from '../../../src/kms/envelope.ts';
import { nativeGcmOpen } from '../../../src/kms/gcm-openssl.ts';
import { fillRandom, rootKeyOf } from './support.ts';

const key = rootKeyOf(3);
const iv = new Uint8Array(12).fill(9);
const additional = new Uint8Array([1, 2, 3]);
const vectorsPath = fileURLToPath(
  new URL('../../../../shared/facts/crypto-vectors.json', import.meta.url),
);

interface GcmVector {
  id: string;
  key: string;
  iv: string;
  aad: string;
  plaintext: string;
  ciphertext: string;
  tag: string;
  valid: boolean;
}

describe('the envelope', () => {
  // Published NIST and Wycheproof vectors, kept beside the repository and not in it.
  test.skipIf(!existsSync(vectorsPath))('does what the published AES-256-GCM vectors say', () => {
    const { aes256gcm } = JSON.parse(readFileSync(vectorsPath, 'utf8')) as {
      aes256gcm: GcmVector[];
    };
    const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
    let checked = 0;
    for (const vector of aes256gcm) {
      if (vector.iv.length !== 24 || vector.tag.length !== 32) continue;
      const sealed = { ciphertext: hex(vector.ciphertext), tag: hex(vector.tag) };
      const found = open(hex(vector.key), hex(vector.iv), hex(vector.aad), sealed);
      const plaintext = found === null ? null : Buffer.from(found).toString('hex');
      expect([vector.id, plaintext]).toEqual([vector.id, vector.valid ? vector.plaintext : null]);
      if (vector.valid) {
        const again = seal(hex(vector.key), hex(vector.iv), hex(vector.aad), hex(vector.plaintext));
        expect(Buffer.from(again.ciphertext).toString('hex')).toBe(vector.ciphertext);
        expect(Buffer.from(again.tag).toString('hex')).toBe(vector.tag);
      }
      checked++;
    }
    expect(checked).toBeGreaterThanOrEqual(5);
  });

  test('makes what @noble/ciphers makes, and opens what it made', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const iv12 = fc.uint8Array({ minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(key32, iv12, bytes, bytes, (anyKey, anyIv, aad, plaintext) => {
        const theirs = gcm(anyKey, anyIv, aad).encrypt(plaintext);
        const { ciphertext, tag } = seal(anyKey, anyIv, aad, plaintext);
        expect(Buffer.concat([ciphertext, tag]).equals(theirs)).toBe(true);
        const sealed = { ciphertext: theirs.subarray(0, -16), tag: theirs.subarray(-16) };
        expect(Buffer.from(open(anyKey, anyIv, aad, sealed)!).equals(plaintext)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('opens the same by OpenSSL directly and by node:crypto, of any length', () => {
    const native = nativeGcmOpen();
    expect(native === null).toBe(openLeavesCopies());
    if (native === null) return;
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, bytes, fc.nat({ max: 400 }), (aad, plaintext, at) => {
        const { ciphertext, tag } = seal(key, iv, aad, plaintext);
        const sealed = { ciphertext, tag };
        expect(native(key, iv, aad, sealed)).toEqual(openByNodeCrypto(key, iv, aad, sealed));
        const damaged = Buffer.concat([ciphertext, tag]);
        damaged[at % damaged.length]! ^= 1;
        const changed = { ciphertext: damaged.subarray(0, -16), tag: damaged.subarray(-16) };
        expect(native(key, iv, aad, changed)).toBeNull();
        expect(openByNodeCrypto(key, iv, aad, changed)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test('refuses a tag shorter than 16 bytes, which node:crypto would accept', () => {
    const { ciphertext, tag } = seal(key, iv, additional, new Uint8Array(32));
    for (const length of [4, 8, 12, 13, 14, 15]) {
      const short = { ciphertext, tag: tag.subarray(0, length) };
      expect(() => open(key, iv, additional, short)).toThrow(InvariantError);
    }
  });

  test('opens nothing that was changed: key, IV, additional data, ciphertext or tag', () => {
    const sealed = seal(key, iv, additional, new Uint8Array(32));
    const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
      const copy = Uint8Array.from(bytes);
      copy[at]! ^= 1;
      return copy;
    };
    const { ciphertext, tag } = sealed;
    expect(open(key, iv, additional, sealed)).toEqual(new Uint8Array(32));
    expect(open(flipped(key, 31), iv, additional, sealed)).toBeNull();
    expect(open(key, flipped(iv, 0), additional, sealed)).toBeNull();
    expect(open(key, iv, flipped(additional, 2), sealed)).toBeNull();
    expect(open(key, iv, additional, { ciphertext: flipped(ciphertext, 5), tag })).toBeNull();
    expect(open(key, iv, additional, { ciphertext, tag: flipped(tag, 15) })).toBeNull();
  });

  test('opens into memory that is off the V8 heap and nobody else has', () => {
    const plaintext = new Uint8Array(32).fill(5);
    const opened = open(key, iv, additional, seal(key, iv, additional, plaintext))!;
    expect(opened.byteOffset).toBe(0);
    expect(opened.buffer.byteLength).toBe(32);
    expect(opened).toEqual(plaintext);
  });

  test('wants keys of 32 bytes and IVs of 12', () => {
    const none = new Uint8Array(0);
    expect(() => seal(key.subarray(1), iv, none, none)).toThrow(InvariantError);
    expect(() => seal(key, iv.subarray(1), none, none)).toThrow(InvariantError);
    const sealed = { ciphertext: none, tag: new Uint8Array(16) };
    expect(() => open(key.subarray(1), iv, none, sealed)).toThrow(InvariantError);
    expect(() => open(key, iv.subarray(1), none, sealed)).toThrow(InvariantError);
  });

  test('a tag over no plaintext authenticates the additional data alone', () => {
    const { ciphertext, tag } = seal(key, iv, additional, new Uint8Array(0));
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(additional);
    cipher.final();
    expect(tag).toEqual(cipher.getAuthTag());
    expect(open(key, iv, additional, { ciphertext, tag })).toHaveLength(0);
  });
});

describe('additional data', () => {
  test('no two lists of parts make the same bytes', () => {
    const part = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 6 }), fc.nat());
    const canonical = (parts: readonly (string | number | Uint8Array)[]): string =>
      parts
        .map((value) => {
          if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('hex');
          if (typeof value === 'number') return value.toString(16).padStart(8, '0');
          return Buffer.from(value).toString('hex');
        })
        .join('|');
    fc.assert(
      fc.property(fc.array(part), fc.array(part), (a, b) => {
        const areSame = canonical(a) === canonical(b) && a.length === b.length;
        expect(Buffer.from(additionalData(a)).equals(additionalData(b))).toBe(areSame);
      }),
      { numRuns: 2_000 },
    );
    expect(additionalData(['ab', 'c'])).not.toEqual(additionalData(['a', 'bc']));
  });

  test('a part that is too long, or a number that is not a u32, is refused', () => {
    expect(() => additionalData(['x'.repeat(65_536)])).toThrow(InvariantError);
    for (const number of [-1, 1.5, 2 ** 32]) {
      expect(() => additionalData([number])).toThrow(InvariantError);
    }
    expect(additionalData([0xffffffff])).toEqual(Buffer.from([0, 4, 255, 255, 255, 255]));
  });
});

test('random filling is not constant', () => {
  const [a, b] = [new Uint8Array(16), new Uint8Array(16)];
  fillRandom(a);
  fillRandom(b);
  expect(a).not.toEqual(b);
});
