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

/** T of every block of a data unit, IEEE 1619-2007 5.3.1 step 1: AES-enc(Key_2, i) * alpha^j. */
function unitMasks(tweakKey: Uint8Array, tweak: Uint8Array, byteCount: number): Uint8Array {
  const masks = new Uint8Array(byteCount);
  masks.set(ecb(tweakKey, { disablePadding: true }).encrypt(tweak));
  for (let at = BLOCK_BYTES; at < byteCount; at += BLOCK_BYTES) multiplyByAlpha(masks, at);
  return masks;
}

/**
 * Makes the block at `at` the block before it times alpha. IEEE 1619-2007 5.2: a doubling in which
 * byte 0 is the least significant (CMAC and GCM double the other way round).
 */
function multiplyByAlpha(masks: Uint8Array, at: number): void {
  let carry = 0;
  for (let byte = 0; byte < BLOCK_BYTES; byte++) {
    const before = masks[at - BLOCK_BYTES + byte] ?? 0;
    masks[at + byte] = ((before << 1) | carry) & 0xff;
    carry = before >>> 7;
  }
  if (carry === 1) masks[at] = (masks[at] ?? 0) ^ REDUCTION;
}

function xorInto(bytes: Uint8Array, masks: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; at++) bytes[at] = (bytes[at] ?? 0) ^ (masks[at] ?? 0);
}
