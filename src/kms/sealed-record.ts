/**
 * Sealed records: how everything in the vault is stored. A body anyone may read and nobody without
 * the root key may change, and a secret nobody without the root key may read.
 *
 *   offset  0  u8   version of this format: 1
 *           1  12   IV
 *          13  16   tag
 *          29  u32  length of the body, little-endian
 *          33  ...  body: a record of the vault, see record/codec.ts
 *         ...  ...  ciphertext of the secret: 32 bytes of key material, a private key for an
 *                   import, or nothing
 *
 * AES-256-GCM under the root key; additional data: "sealdisk sealed record", byte 0, the kind of
 * record, the body. So a state changed, a version number raised or a material moved to another key
 * does not open. What this cannot find is an old record put back whole: who may write the file may
 * restore yesterday's, a key's former state included.
 *
 * Random IVs under one root key allow 2^32 sealings (NIST SP 800-38D, 8.3). A vault seals when a
 * key is made or changes, and once per WRAPS_RESERVED_STEP messages: it does not get there.
 */
import { decodeRecord, encodeRecord } from '../record/codec.ts';
import type { Records } from '../record/shapes.ts';
import { additionalData, type FillRandom, IV_BYTES, open, seal, TAG_BYTES } from './envelope.ts';

const FORMAT_VERSION = 1;
const TAG_OFFSET = 1 + IV_BYTES;
const LENGTH_OFFSET = TAG_OFFSET + TAG_BYTES;
const BODY_OFFSET = LENGTH_OFFSET + 4;

export type VaultRecordKind =
  | 'vaultCheck'
  | 'masterKey'
  | 'keyVersion'
  | 'keyAlias'
  | 'importedMaterial'
  | 'importParameters'
  | 'importToken'
  | 'kmsAccount';

export interface OpenedRecord<K extends VaultRecordKind> {
  readonly body: Records[K];
  /** Off the V8 heap, the caller's to zeroize; empty if none was sealed. */
  readonly secret: Uint8Array;
}

/**
 * @param rootKey 32 bytes, borrowed for the call
 * @param secret borrowed for the call; may be empty
 */
export function sealRecord<K extends VaultRecordKind>(
  rootKey: Uint8Array,
  kind: K,
  body: Records[K],
  secret: Uint8Array,
  fillRandom: FillRandom,
): Uint8Array {
  const bodyBytes = encodeRecord(kind, body);
  const sealed = new Uint8Array(BODY_OFFSET + bodyBytes.byteLength + secret.byteLength);
  sealed[0] = FORMAT_VERSION;
  const iv = sealed.subarray(1, TAG_OFFSET);
  fillRandom(iv);
  const { ciphertext, tag } = seal(rootKey, iv, binding(kind, bodyBytes), secret);
  sealed.set(tag, TAG_OFFSET);
  new DataView(sealed.buffer).setUint32(LENGTH_OFFSET, bodyBytes.byteLength, true);
  sealed.set(bodyBytes, BODY_OFFSET);
  sealed.set(ciphertext, BODY_OFFSET + bodyBytes.byteLength);
  return sealed;
}

/**
 * @param rootKey 32 bytes, borrowed for the call
 * @param sealed borrowed for the call
 * @returns null if it was not sealed as this kind under this root key, or was changed since
 * @throws PlaneError DataDirectoryVersion: authentic, but of a later version's shape
 */
export function openRecord<K extends VaultRecordKind>(
  rootKey: Uint8Array,
  kind: K,
  sealed: Uint8Array,
): OpenedRecord<K> | null {
  if (sealed.byteLength < BODY_OFFSET || sealed[0] !== FORMAT_VERSION) return null;
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const secretOffset = BODY_OFFSET + view.getUint32(LENGTH_OFFSET, true);
  if (secretOffset > sealed.byteLength) return null;
  const bodyBytes = sealed.subarray(BODY_OFFSET, secretOffset);
  const secret = open(rootKey, sealed.subarray(1, TAG_OFFSET), binding(kind, bodyBytes), {
    ciphertext: sealed.subarray(secretOffset),
    tag: sealed.subarray(TAG_OFFSET, LENGTH_OFFSET),
  });
  return secret === null ? null : { body: decodeRecord(kind, bodyBytes), secret };
}

function binding(kind: VaultRecordKind, bodyBytes: Uint8Array): Uint8Array {
  return additionalData(['sealdisk sealed record', Uint8Array.of(FORMAT_VERSION), kind, bodyBytes]);
}
