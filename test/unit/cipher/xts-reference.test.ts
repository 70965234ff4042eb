import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { allocateKey, allocateRegion } from '../../../src/base/bytes.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { referenceEngine } from '../../../src/cipher/xts-reference.ts';

function key(): Uint8Array {
  const bytes = allocateKey(64);
  for (let at = 0; at < 64; at++) bytes[at] = at * 5 + 1;
  return bytes;
}

/** AES-256 of one block, by node:crypto. */
function aes(blockKey: Uint8Array, block: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-ecb', blockKey, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

/** The ciphertext of one block of zeros at tweak 0, from the formula of IEEE 1619-2007 5.3.1. */
function expectedBlock(xtsKey: Uint8Array): string {
  const mask = aes(xtsKey.subarray(32), Buffer.alloc(16));
  const block = aes(xtsKey.subarray(0, 32), mask);
  return Buffer.from(block.map((byte, at) => byte ^ (mask[at] ?? 0))).toString('hex');
}

describe('the reference engine', () => {
  it.each([0, 1, 15, 17, 24, 4_095])(
    'refuses a unit of %d bytes: no ciphertext stealing',
    (size) => {
      const { encryption, decryption } = referenceEngine().openDataUnits(key());
      const region = allocateRegion(4_096);
      expect(() => encryption.crypt(region, 0, region, 0, size)).toThrow(InvariantError);
      expect(() => decryption.crypt(region, 0, region, 0, size)).toThrow(InvariantError);
    },
  );

  it('encrypts under its key until it is closed, and has no key after that', () => {
    const { encryption } = referenceEngine().openDataUnits(key());
    const target = allocateRegion(16);
    const crypt = (): string => {
      encryption.crypt(allocateRegion(16), 0, target, 0, 16);
      return Buffer.from(target.bytes).toString('hex');
    };
    expect(crypt()).toBe(expectedBlock(key()));
    encryption.close();
    expect(crypt()).toBe(expectedBlock(new Uint8Array(64)));
  });
});
