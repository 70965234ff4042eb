/**
 * CiphertextBlob: what Encrypt and GenerateDataKey of the API answer, and Decrypt opens.
 *
 * Format, version 1, 62 bytes and the plaintext's length:
 *
 *   offset  0  4    ASCII "SDKB"
 *           4  u8   version of this format: 1
 *           5  u8   algorithm: 1 = AES-256-GCM, 12-byte random IV, 16-byte tag
 *           6  24   id of the master key, ASCII: key-<20>
 *          30  u32  version of the master key, big-endian, from 1
 *          34  12   IV
 *          46  n    ciphertext, 1 to KMS_PLAINTEXT_BYTES_MAX bytes
 *        46+n  16   tag
 *
 * Additional data, each part preceded by its length as u16 big-endian:
 *   "sealdisk kms ciphertext", bytes 0 to 5, account id, region id, master key id, master key
 *   version (u32 big-endian), then key and value of each entry of the encryption context as
 *   UTF-16LE, in the order of the keys' UTF-16 code units
 *
 * 1. A change of any bit, or of the encryption context (not of its order), and it does not open.
 * 2. Blobs and wrapped data keys of disks (wrap.ts) are two domains under the same material: their
 *    additional data begins with another purpose, so neither ever opens as the other, whatever is
 *    done to its head. No request of the API opens a disk's data key.
 *
 * **Thread:** KMS. **Source:** NIST SP 800-38D (GCM); KMS Encrypt, EncryptionContext.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { KMS_PLAINTEXT_BYTES_MAX } from '../limits.ts';
import { isKeyId, KEY_ID_CHARS } from '../record/ids.ts';
import type { EncryptionContext, KeyScope } from '../record/kms-key.ts';
import { additionalData, type FillRandom, IV_BYTES, open, seal, TAG_BYTES } from './envelope.ts';
import type { WrapKey } from './wrap.ts';

const HEAD = Uint8Array.of(0x53, 0x44, 0x4b, 0x42, 1, 1);
const KEY_ID_OFFSET: number = HEAD.byteLength;
const KEY_VERSION_OFFSET: number = KEY_ID_OFFSET + KEY_ID_CHARS;
const IV_OFFSET: number = KEY_VERSION_OFFSET + 4;
const CIPHERTEXT_OFFSET: number = IV_OFFSET + IV_BYTES;
const FRAME_BYTES: number = CIPHERTEXT_OFFSET + TAG_BYTES;
invariant(FRAME_BYTES === 62, 'the format above is the format below');

/** What a blob is bound to and does not hold. */
export interface BlobBinding extends KeyScope {
  readonly encryptionContext: EncryptionContext;
}

/**
 * @param material 32 bytes of the key's version, borrowed for the call
 * @param plaintext borrowed for the call, 1 to KMS_PLAINTEXT_BYTES_MAX bytes
 */
export function sealBlob(
  material: Uint8Array,
  key: WrapKey,
  binding: BlobBinding,
  plaintext: Uint8Array,
  fillRandom: FillRandom,
): Uint8Array {
  invariant(isKeyId(key.keyId), 'a master key has an id of its form');
  const { byteLength } = plaintext;
  invariant(byteLength >= 1 && byteLength <= KMS_PLAINTEXT_BYTES_MAX, 'a plaintext is bounded');
  const blob = new Uint8Array(FRAME_BYTES + byteLength);
  blob.set(HEAD);
  blob.set(new TextEncoder().encode(key.keyId), KEY_ID_OFFSET);
  new DataView(blob.buffer).setUint32(KEY_VERSION_OFFSET, key.version);
  const iv = blob.subarray(IV_OFFSET, CIPHERTEXT_OFFSET);
  fillRandom(iv);
  const { ciphertext, tag } = seal(material, iv, bindingOf(key, binding), plaintext);
  blob.set(ciphertext, CIPHERTEXT_OFFSET);
  blob.set(tag, CIPHERTEXT_OFFSET + byteLength);
  return blob;
}

/**
 * Reads which master key opens a blob. Nothing is authenticated yet.
 *
 * @param blob borrowed for the call, from outside: of any length and content
 * @throws PlaneError InvalidParameter: not of this format
 */
export function readBlobKey(blob: Uint8Array): WrapKey {
  const { byteLength } = blob;
  const isLong = byteLength > FRAME_BYTES && byteLength <= FRAME_BYTES + KMS_PLAINTEXT_BYTES_MAX;
  if (!isLong) throw invalid(`${byteLength} bytes are none`);
  if (!HEAD.every((byte, index) => blob[index] === byte)) throw invalid('it has another head');
  const keyId = String.fromCharCode(...blob.subarray(KEY_ID_OFFSET, KEY_VERSION_OFFSET));
  if (!isKeyId(keyId)) throw invalid('it names no master key');
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const version = view.getUint32(KEY_VERSION_OFFSET);
  if (version === 0) throw invalid('it names version 0 of its master key');
  return { keyId, version };
}

/**
 * @param material 32 bytes of the version readBlobKey() names, borrowed for the call
 * @returns the plaintext in memory of its own
 * @throws PlaneError InvalidParameter
 */
export function openBlob(
  material: Uint8Array,
  blob: Uint8Array,
  binding: BlobBinding,
): Uint8Array<ArrayBuffer> {
  const key = readBlobKey(blob);
  const tagOffset = blob.byteLength - TAG_BYTES;
  const iv = blob.subarray(IV_OFFSET, CIPHERTEXT_OFFSET);
  const plaintext = open(material, iv, bindingOf(key, binding), {
    ciphertext: blob.subarray(CIPHERTEXT_OFFSET, tagOffset),
    tag: blob.subarray(tagOffset),
  });
  if (plaintext === null) {
    throw invalid(`${key.keyId} did not make it with this EncryptionContext`);
  }
  return plaintext;
}

function bindingOf(key: WrapKey, binding: BlobBinding): Uint8Array {
  const entries = Object.entries(binding.encryptionContext);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return additionalData([
    'sealdisk kms ciphertext',
    HEAD,
    binding.accountId,
    binding.regionId,
    key.keyId,
    key.version,
    ...entries.flat().map((text) => Buffer.from(text, 'utf16le')),
  ]);
}

function invalid(detail: string): PlaneError {
  return new PlaneError('InvalidParameter', `CiphertextBlob: ${detail}`);
}
