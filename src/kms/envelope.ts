/**
 * AES-256-GCM as the vault uses it: one call to seal, one to open.
 *
 * 1. Keys and opened plaintext are in memory off the V8 heap; nothing else ever holds them whole.
 *    Opening goes through OpenSSL directly (gcm-openssl.ts). Where that cannot be had node:crypto
 *    does it, and leaves a copy of what it opened in freed memory: openLeavesCopies() is true.
 * 2. One update() per message. Node's Buffer.concat([update(), final()]) would leave another copy.
 * 3. final() runs on every path, also when opening fails: until then OpenSSL keeps the round keys.
 * 4. The tag has 16 bytes and Node is told so: unasked, it accepts tags of 4.
 * 5. Nothing opened leaves before final() has verified the tag (NIST SP 800-38D, 7.2).
 * 6. IVs are 12 random bytes; who seals under a key counts how often (SP 800-38D, 8.3).
 *
 * Additional data is a list of parts, each preceded by its length as u16 big-endian, so no two
 * lists make the same bytes. The first part names the purpose.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { allocateKey, zeroize } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { KEY_BYTES } from '../limits.ts';
import { type GcmOpen, nativeGcmOpen } from './gcm-openssl.ts';

const ALGORITHM = 'aes-256-gcm';
export const IV_BYTES = 12;
export const TAG_BYTES = 16;

/** Fills bytes with unpredictable ones; node:crypto's randomFillSync outside tests. */
export type FillRandom = (bytes: Uint8Array) => void;

export interface SealedBytes {
  /** As long as the plaintext. */
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/**
 * @param key 32 bytes, borrowed for the call
 * @param iv 12 bytes never used with this key before
 * @param additional authenticated beside the plaintext, see additionalData()
 * @param plaintext borrowed for the call; may be empty
 */
export function seal(
  key: Uint8Array,
  iv: Uint8Array,
  additional: Uint8Array,
  plaintext: Uint8Array,
): SealedBytes {
  invariant(key.byteLength === KEY_BYTES, 'a sealing key is 32 bytes');
  invariant(iv.byteLength === IV_BYTES, 'an IV is 12 bytes');
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(additional);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return { ciphertext, tag: cipher.getAuthTag() };
}

/**
 * @param key 32 bytes with memory of their own, borrowed for the call
 * @returns the plaintext in memory of its own, which the caller zeroizes; null if anything at all
 *   differs from what was sealed
 */
export function open(
  key: Uint8Array,
  iv: Uint8Array,
  additional: Uint8Array,
  sealed: SealedBytes,
): Uint8Array<ArrayBuffer> | null {
  invariant(key.byteLength === KEY_BYTES, 'a sealing key is 32 bytes');
  invariant(iv.byteLength === IV_BYTES, 'an IV is 12 bytes');
  invariant(sealed.tag.byteLength === TAG_BYTES, 'a tag is 16 bytes');
  chosenOpen ??= chooseOpen();
  return chosenOpen(key, iv, additional, sealed);
}

/**
 * Opens nothing, with a key of zeros. AES with AVX-512 leaves what it opened in vector registers
 * that hardly any other code uses; whatever saves registers later (the dynamic linker does, on the
 * stack) would write key bytes to memory. Found by a memory scan on Node 22: half a data key at the
 * base of the KMS thread's stack, after the thread had ended. Call it when a key was opened or
 * sealed.
 */
export function displaceRegisters(): void {
  const nothing = { ciphertext: new Uint8Array(KEY_BYTES), tag: new Uint8Array(TAG_BYTES) };
  const opened = open(
    allocateKey(KEY_BYTES),
    new Uint8Array(IV_BYTES),
    nothing.ciphertext,
    nothing,
  );
  invariant(opened === null, 'zeros do not authenticate');
}

/** True if opened key bytes leave copies in freed memory: no native code on this platform. */
export function openLeavesCopies(): boolean {
  chosenOpen ??= chooseOpen();
  return chosenOpen === openByNodeCrypto;
}

let chosenOpen: GcmOpen | undefined;

/** OpenSSL's own calls if the binary has them and they open what node:crypto sealed. */
function chooseOpen(): GcmOpen {
  const native = nativeGcmOpen();
  if (native === null) return openByNodeCrypto;
  const key = allocateKey(KEY_BYTES);
  const iv = new Uint8Array(IV_BYTES);
  const probe = Uint8Array.of(3, 1, 4, 1, 5);
  const opened = native(key, iv, probe, seal(key, iv, probe, probe));
  const isRight = opened !== null && Buffer.compare(opened, probe) === 0;
  return isRight ? native : openByNodeCrypto;
}

/** open() by node:crypto. Exported for tests: both ways must do the same. */
export function openByNodeCrypto(
  key: Uint8Array,
  iv: Uint8Array,
  additional: Uint8Array,
  { ciphertext, tag }: SealedBytes,
): Uint8Array<ArrayBuffer> | null {
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(tag);
  decipher.setAAD(additional);
  const unverified = decipher.update(ciphertext);
  try {
    decipher.final();
    const plaintext = allocateKey(unverified.byteLength);
    plaintext.set(unverified);
    return plaintext;
  } catch {
    // The one way final() fails is a tag that does not match; its message says no more.
    return null;
  } finally {
    zeroize(unverified);
  }
}

/** Additional data of parts; numbers are u32 big-endian. */
export function additionalData(parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    const bytes = partBytes(part);
    invariant(bytes.byteLength <= 0xffff, 'a part has a 16-bit length');
    pieces.push(Uint8Array.of(bytes.byteLength >> 8, bytes.byteLength & 0xff), bytes);
  }
  return Buffer.concat(pieces);
}

function partBytes(part: string | number | Uint8Array): Uint8Array {
  if (typeof part === 'string') return new TextEncoder().encode(part);
  if (typeof part !== 'number') return part;
  invariant(Number.isInteger(part) && part >= 0 && part <= 0xffffffff, 'a number part is a u32');
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, part);
  return bytes;
}
