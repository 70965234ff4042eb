/**
 * Wrapped data keys: a disk's 256-bit data key, encrypted by one version of a master key and bound
 * to what it is for.
 *
 * Format, version 1, 90 bytes, all of fixed length:
 *
 *   offset  0  u8   version of this format: 1
 *           1  u8   algorithm: 1 = AES-256-GCM, 12-byte random IV, 16-byte tag
 *           2  24   id of the master key, ASCII: key-<20>
 *          26  u32  version of the master key, big-endian, from 1
 *          30  12   IV
 *          42  32   ciphertext of the data key
 *          74  16   tag
 *
 * Additional data, each part preceded by its length as u16 big-endian:
 *   "sealdisk wrapped data key", byte 0, byte 1, account id, region id, master key id, master key
 *   version (u32 big-endian), lineage id
 *
 * 1. A change of any bit of the 90, or of any part of the context, is WrappedKeyInvalid, never a
 *    key. The head is authenticated as part of the additional data.
 * 2. A new data key is drawn here, wrapped here and erased here: its plaintext leaves a call of
 *    unwrapDataKey() only.
 *
 * **Thread:** KMS. **Source:** NIST SP 800-38D (GCM).
 */
import { allocateKey, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { KEY_BYTES } from '../limits.ts';
import { isKeyId, KEY_ID_CHARS } from '../record/ids.ts';
import type { WrapContext } from '../record/kms-message.ts';
import { additionalData, type FillRandom, IV_BYTES, open, seal, TAG_BYTES } from './envelope.ts';

const FORMAT_VERSION = 1;
const ALGORITHM_AES_256_GCM = 1;
const KEY_ID_OFFSET = 2;
const KEY_VERSION_OFFSET: number = KEY_ID_OFFSET + KEY_ID_CHARS;
const IV_OFFSET: number = KEY_VERSION_OFFSET + 4;
const CIPHERTEXT_OFFSET: number = IV_OFFSET + IV_BYTES;
const TAG_OFFSET: number = CIPHERTEXT_OFFSET + KEY_BYTES;

export const WRAPPED_KEY_BYTES: number = TAG_OFFSET + TAG_BYTES;
invariant(WRAPPED_KEY_BYTES === 90, 'the format above is the format below');

/** Which version of which master key wraps. */
export interface WrapKey {
  readonly keyId: string;
  readonly version: number;
}

/**
 * Draws a new data key and wraps it.
 *
 * @param material 32 bytes of the master key version, borrowed for the call
 * @returns 90 bytes, the caller's
 */
export function wrapNewDataKey(
  material: Uint8Array,
  wrapKey: WrapKey,
  context: WrapContext,
  fillRandom: FillRandom,
): Uint8Array {
  invariant(isKeyId(wrapKey.keyId), 'a master key has an id of its form');
  const wrapped = new Uint8Array(WRAPPED_KEY_BYTES);
  wrapped[0] = FORMAT_VERSION;
  wrapped[1] = ALGORITHM_AES_256_GCM;
  wrapped.set(new TextEncoder().encode(wrapKey.keyId), KEY_ID_OFFSET);
  new DataView(wrapped.buffer).setUint32(KEY_VERSION_OFFSET, wrapKey.version);
  const iv = wrapped.subarray(IV_OFFSET, CIPHERTEXT_OFFSET);
  fillRandom(iv);
  const dataKey = allocateKey(KEY_BYTES);
  try {
    fillRandom(dataKey);
    const { ciphertext, tag } = seal(material, iv, bindingOf(wrapped, wrapKey, context), dataKey);
    wrapped.set(ciphertext, CIPHERTEXT_OFFSET);
    wrapped.set(tag, TAG_OFFSET);
    return wrapped;
  } finally {
    zeroize(dataKey);
  }
}

/**
 * Reads which master key opens a wrapped key. Nothing is authenticated yet.
 *
 * @param wrapped borrowed for the call, from outside: of any length and content
 * @throws PlaneError WrappedKeyInvalid: not of this format
 */
export function readWrapKey(wrapped: Uint8Array): WrapKey {
  if (wrapped.byteLength !== WRAPPED_KEY_BYTES) {
    throw invalid(`${wrapped.byteLength} bytes, expected ${WRAPPED_KEY_BYTES}`);
  }
  if (wrapped[0] !== FORMAT_VERSION) throw invalid(`format version ${wrapped[0]}, expected 1`);
  if (wrapped[1] !== ALGORITHM_AES_256_GCM) throw invalid(`algorithm ${wrapped[1]}, expected 1`);
  const keyId = String.fromCharCode(...wrapped.subarray(KEY_ID_OFFSET, KEY_VERSION_OFFSET));
  if (!isKeyId(keyId)) throw invalid('it names no master key');
  const view = new DataView(wrapped.buffer, wrapped.byteOffset, wrapped.byteLength);
  const version = view.getUint32(KEY_VERSION_OFFSET);
  if (version === 0) throw invalid('it names version 0 of its master key');
  return { keyId, version };
}

/**
 * @param material 32 bytes of the version readWrapKey() names, borrowed for the call
 * @param wrapped borrowed for the call
 * @returns the 32 bytes of the data key in an ArrayBuffer of their own, off the V8 heap, for
 *   transfer; the caller's to erase
 * @throws PlaneError WrappedKeyInvalid
 */
export function unwrapDataKey(
  material: Uint8Array,
  wrapped: Uint8Array,
  context: WrapContext,
): ArrayBuffer {
  const wrapKey = readWrapKey(wrapped);
  const iv = wrapped.subarray(IV_OFFSET, CIPHERTEXT_OFFSET);
  const dataKey = open(material, iv, bindingOf(wrapped, wrapKey, context), {
    ciphertext: wrapped.subarray(CIPHERTEXT_OFFSET, TAG_OFFSET),
    tag: wrapped.subarray(TAG_OFFSET),
  });
  if (dataKey === null) {
    const key = `version ${wrapKey.version} of ${wrapKey.keyId}`;
    throw invalid(`it was not made by ${key} for lineage ${context.lineageId}`);
  }
  invariant(dataKey.byteLength === KEY_BYTES, 'a data key is 32 bytes');
  invariant(dataKey.buffer.byteLength === KEY_BYTES, 'a data key has memory of its own');
  return dataKey.buffer;
}

function bindingOf(wrapped: Uint8Array, wrapKey: WrapKey, context: WrapContext): Uint8Array {
  return additionalData([
    'sealdisk wrapped data key',
    wrapped.subarray(0, 1),
    wrapped.subarray(1, 2),
    context.accountId,
    context.regionId,
    wrapKey.keyId,
    wrapKey.version,
    context.lineageId,
  ]);
}

function invalid(detail: string): PlaneError {
  return new PlaneError('WrappedKeyInvalid', `wrapped data key: ${detail}`);
}
