/**
 * XTS-AES-256 written out from IEEE Std 1619-2007 over the AES of @noble/ciphers.
 *
 * It is there to be read and to disagree: it shares no code with OpenSSL. It is some hundred times
 * slower, and its table-driven AES is open to cache timing, so it serves real disks only where
 * nothing else passes.
 *
 * Names of the standard: Key_1 encrypts data, Key_2 encrypts tweaks, i is the tweak of the data
 * unit, j the number of a block in it, alpha the primitive element x of GF(2^128).
 *
 * **Thread:** any.
 */
import { ecb } from '@noble/ciphers/aes.js';
import { allocateKey, type MemoryRegion, zeroize } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { BLOCK_BYTES, type DataUnitCipher } from './data-unit.ts';
import { type XtsEngine, xtsEngine } from './xts-sector-key.ts';

/** IEEE 1619-2007 5.2: x^128 reduces to x^7 + x^2 + x + 1. */
const REDUCTION = 0x87;

/** Opens the engine. */
export function referenceEngine(): XtsEngine {
  return xtsEngine('noble-reference', 'IEEE 1619 over the AES of @noble/ciphers', (xtsKey) => ({
    encryption: new ReferenceDataUnit('encrypt', xtsKey),
    decryption: new ReferenceDataUnit('decrypt', xtsKey),
  }));
}

class ReferenceDataUnit implements DataUnitCipher {
  readonly tweak: DataView;
  readonly #direction: 'encrypt' | 'decrypt';
  readonly #tweakBytes: Uint8Array;
  readonly #dataKey: Uint8Array;
  readonly #tweakKey: Uint8Array;

  /** @param xtsKey borrowed: copied here, erased by close() */
  constructor(direction: 'encrypt' | 'decrypt', xtsKey: Uint8Array) {
    const halfBytes = xtsKey.byteLength / 2;
    this.#direction = direction;
    // IEEE 1619-2007 5.1: Key = Key_1 | Key_2.
    this.#dataKey = allocateKey(halfBytes);
    this.#dataKey.set(xtsKey.subarray(0, halfBytes));
    this.#tweakKey = allocateKey(halfBytes);
    this.#tweakKey.set(xtsKey.subarray(halfBytes));
    this.#tweakBytes = allocateKey(BLOCK_BYTES);
    this.tweak = new DataView(this.#tweakBytes.buffer);
  }

  crypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    byteCount: number,
  ): void {
    invariant(byteCount >= BLOCK_BYTES && byteCount % BLOCK_BYTES === 0, 'a unit is whole blocks');
    const aes = ecb(this.#dataKey, { disablePadding: true });
    const masks = unitMasks(this.#tweakKey, this.#tweakBytes, byteCount);
    // IEEE 1619-2007 5.3.1 step 2, and 5.4.1 step 2: PP = P xor T, CC = C xor T.
    // (Copied by set(): slice() of a Buffer would be a view of the source.)
    const whitened = new Uint8Array(byteCount);
    whitened.set(source.bytes.subarray(sourceOffset, sourceOffset + byteCount));
    xorInto(whitened, masks);
    // Step 3: AES with Key_1. Blocks are independent, so all of the unit's go at once.
    const result = this.#direction === 'encrypt' ? aes.encrypt(whitened) : aes.decrypt(whitened);
    // Step 4: C = CC xor T, P = PP xor T.
    xorInto(result, masks);
    target.bytes.set(result, targetOffset);
  }

  close(): void {
    zeroize(this.#dataKey);
    zeroize(this.#tweakKey);
  }
}

/**
 * T of every block of a data unit, IEEE 1619-2007 5.3.1 step 1: AES-enc(Key_2, i) * alpha^j.
 *
 * Multiplying by alpha is a doubling in which byte 0 is the least significant (5.2); CMAC and GCM
 * double the other way round. In words w0..w3, little-endian, each takes in the top bit of the one
 * below it, and the top bit of w3 comes back as the reduction.
 */
function unitMasks(tweakKey: Uint8Array, tweak: Uint8Array, byteCount: number): Uint8Array {
  const masks = new Uint8Array(byteCount);
  masks.set(ecb(tweakKey, { disablePadding: true }).encrypt(tweak));
  const words = new DataView(masks.buffer);
  let w0 = words.getUint32(0, true);
  let w1 = words.getUint32(4, true);
  let w2 = words.getUint32(8, true);
  let w3 = words.getUint32(12, true);
  for (let at = BLOCK_BYTES; at < byteCount; at += BLOCK_BYTES) {
    const reduction = w3 >>> 31 === 1 ? REDUCTION : 0;
    w3 = (w3 << 1) | (w2 >>> 31);
    w2 = (w2 << 1) | (w1 >>> 31);
    w1 = (w1 << 1) | (w0 >>> 31);
    w0 = (w0 << 1) ^ reduction;
    words.setUint32(at, w0, true);
    words.setUint32(at + 4, w1, true);
    words.setUint32(at + 8, w2, true);
    words.setUint32(at + 12, w3, true);
  }
  return masks;
}

/** bytes ^= masks, by words: which byte of a word is which does not matter here. */
function xorInto(bytes: Uint8Array, masks: Uint8Array): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const maskWords = new Uint32Array(masks.buffer, masks.byteOffset, words.length);
  for (let at = 0; at < words.length; at++) words[at] = words[at]! ^ maskWords[at]!;
}
