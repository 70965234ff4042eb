/**
 * The head of a wrapped data key, as main may read it: which version of which master key opens it.
 * The format is that of kms/wrap.ts, which alone authenticates; here nothing is, and what is not of
 * the format is null.
 */
import { isKeyId, KEY_ID_CHARS } from './ids.ts';
import type { LayerKey } from './lineage.ts';
import type { EncryptionRecord } from './resource.ts';

const KEY_ID_OFFSET = 2;
const KEY_VERSION_OFFSET: number = KEY_ID_OFFSET + KEY_ID_CHARS;

/** @returns null: not of the format, or empty because it was erased */
export function readWrappedKeyHead(
  wrapped: Uint8Array,
): { readonly keyId: string; readonly version: number } | null {
  if (wrapped.byteLength < KEY_VERSION_OFFSET + 4) return null;
  const keyId = String.fromCharCode(...wrapped.subarray(KEY_ID_OFFSET, KEY_VERSION_OFFSET));
  if (!isKeyId(keyId)) return null;
  const view = new DataView(wrapped.buffer, wrapped.byteOffset, wrapped.byteLength);
  return { keyId, version: view.getUint32(KEY_VERSION_OFFSET) };
}

/** @returns null: plain */
export function layerKeyOf(encryption: EncryptionRecord | null): LayerKey | null {
  if (encryption === null) return null;
  const { keyId, lineageId, wrappedKey } = encryption;
  return { keyId, version: readWrappedKeyHead(wrappedKey)?.version ?? 0, lineageId };
}
