import { createCipheriv, createDecipheriv } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { allocateKey, allocateRegion } from '../../../src/base/bytes.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { SECTOR_BYTES } from '../../../src/base/units.ts';
import { nodeEngine } from '../../../src/cipher/xts-node.ts';

function randomKey(): Uint8Array {
  const key = allocateKey(64);
  createPrng(1).fill(key);
  return key;
}

/** Whose methods every cipher object has, and every decipher object. */
const cipherPrototype = prototypeOf(createCipheriv);
const decipherPrototype = prototypeOf(createDecipheriv);

function prototypeOf(create: typeof createCipheriv): ReturnType<typeof createCipheriv>;
function prototypeOf(create: typeof createDecipheriv): ReturnType<typeof createDecipheriv>;
function prototypeOf(create: typeof createCipheriv | typeof createDecipheriv): unknown {
  return Object.getPrototypeOf(create('aes-256-xts', randomKey(), Buffer.alloc(16)));
}

afterEach(() => vi.restoreAllMocks());

describe('what node:crypto does, which shapes the engine', () => {
  it('restarts the tweak at a second update(), without an error', () => {
    const halves = createCipheriv('aes-256-xts', randomKey(), Buffer.alloc(16));
    const plain = Buffer.alloc(1024, 'sector');
    halves.update(plain.subarray(0, 512));
    const second = halves.update(plain.subarray(512));
    const start = createCipheriv('aes-256-xts', randomKey(), Buffer.alloc(16));
    expect(second).toEqual(start.update(plain.subarray(512)));
  });
});

describe('the node:crypto engine', () => {
  it('makes one update() and one final() per sector, in both directions', () => {
    const spies = [cipherPrototype, decipherPrototype].map((prototype) => ({
      update: vi.spyOn(prototype, 'update'),
      final: vi.spyOn(prototype, 'final'),
    }));
    const key = nodeEngine().openKey(randomKey());
    const region = allocateRegion(5 * SECTOR_BYTES);
    key.encrypt(region, 0, region, 0, 9, 5);
    key.decrypt(region, 0, region, 0, 9, 5);
    key.close();
    for (const { update, final } of spies) {
      expect(update).toHaveBeenCalledTimes(5);
      expect(final).toHaveBeenCalledTimes(5);
    }
  });

  it('calls final() also when update() fails, so that OpenSSL erases the key', () => {
    const final = vi.spyOn(cipherPrototype, 'final');
    vi.spyOn(cipherPrototype, 'update').mockImplementation(() => {
      throw new Error('update fails');
    });
    const key = nodeEngine().openKey(randomKey());
    const region = allocateRegion(SECTOR_BYTES);
    expect(() => key.encrypt(region, 0, region, 0, 0, 1)).toThrow('update fails');
    expect(final).toHaveBeenCalledTimes(1);
    key.close();
  });

  it('ends the thread when update() does not do a whole sector', () => {
    vi.spyOn(cipherPrototype, 'update').mockReturnValue(Buffer.alloc(16) as never);
    const key = nodeEngine().openKey(randomKey());
    const region = allocateRegion(SECTOR_BYTES);
    expect(() => key.encrypt(region, 0, region, 0, 0, 1)).toThrow(/invariant broken: one update/);
    key.close();
  });

  it('erases its copies of the key when it is closed', () => {
    const { encryption, decryption } = nodeEngine().openDataUnits(randomKey());
    const region = allocateRegion(SECTOR_BYTES);
    encryption.crypt(region, 0, region, 0, SECTOR_BYTES);
    encryption.close();
    decryption.close();
    // OpenSSL encrypts under no key of two equal halves, such as an erased one.
    expect(() => encryption.crypt(region, 0, region, 0, SECTOR_BYTES)).toThrow(/duplicated|keys/);
    const zeroKeyText = createDecipheriv('aes-256-xts', Buffer.alloc(64), Buffer.alloc(16));
    const expected = zeroKeyText.update(region.bytes);
    const target = allocateRegion(SECTOR_BYTES);
    decryption.crypt(region, 0, target, 0, SECTOR_BYTES);
    expect(Buffer.compare(target.bytes, expected)).toBe(0);
  });

  it('leaves the recording of stacks as it was, also when it fails', () => {
    const key = nodeEngine().openKey(randomKey());
    const region = allocateRegion(SECTOR_BYTES);
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 17;
    try {
      key.encrypt(region, 0, region, 0, 0, 1);
      expect(Error.stackTraceLimit).toBe(17);
      const { encryption } = nodeEngine().openDataUnits(randomKey());
      expect(() => encryption.crypt(region, 0, region, 0, 8)).toThrow();
      expect(Error.stackTraceLimit).toBe(17);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      key.close();
    }
  });

  it('says what it is', () => {
    expect(nodeEngine().name).toBe('node-crypto');
    expect(nodeEngine().method).toContain(process.versions.openssl);
  });
});
