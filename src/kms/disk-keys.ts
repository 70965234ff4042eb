/**
 * Data keys of disks: made wrapped, unwrapped for a shard. Their plaintext never goes to main.
 *
 * The account and the region are those of the wrap context: of whoever owns the master key, which
 * for a disk made from a shared snapshot is not who owns the disk.
 *
 * **Thread:** KMS.
 */
import { zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import type { KeySearch } from '../record/kms-key.ts';
import type { KmsRequestOf, WrapContext } from '../record/kms-message.ts';
import { requireActivated } from './accounts.ts';
import { searchForKey } from './key-search.ts';
import { tagForDisks } from './key-tags.ts';
import { encryptCounted, requireUsable } from './message-count.ts';
import type { Vault } from './vault.ts';
import { readWrapKey, unwrapDataKey, wrapNewDataKey } from './wrap.ts';

/**
 * Makes a data key and answers it wrapped; its plaintext is erased before the call ends. A master
 * key that wraps for a disk for the first time is tagged as one that does.
 *
 * @throws PlaneError Forbidden.KeyNotFound, Forbidden.AliasNotFound, Rejected.*
 */
export async function generateWrappedDataKey(
  vault: Vault,
  { keyId, context }: KmsRequestOf<'generateWrappedDataKey'>,
): Promise<Uint8Array> {
  await tagForDisks(vault, { ...context, keyId });
  return encryptCounted(vault, { ...context, keyId }, (key, material) => {
    const wrapKey = { keyId: key.keyId, version: key.primaryVersion };
    return wrapNewDataKey(material, wrapKey, context, vault.fillRandom);
  });
}

/**
 * @param wrapped borrowed for the call, of any length and content
 * @returns 32 bytes in an ArrayBuffer of their own, for transfer; the caller's to erase
 * @throws PlaneError WrappedKeyInvalid, Forbidden.KeyNotFound, Forbidden.KmsServiceNotEnabled,
 *   Rejected.*
 */
export function unwrapForShard(
  vault: Vault,
  wrapped: Uint8Array,
  context: WrapContext,
): ArrayBuffer {
  const { keyId, version } = readWrapKey(wrapped);
  requireActivated(vault, context);
  const key = requireUsable(vault, { ...context, keyId });
  if (version > key.primaryVersion) {
    const detail = `wrapped data key: ${keyId} has no version ${version}`;
    throw new PlaneError('WrappedKeyInvalid', detail);
  }
  return vault.tables.withVersion(vault.reader, key, version, (_, material) =>
    unwrapDataKey(material, wrapped, context),
  );
}

/** @throws PlaneError as unwrapForShard() does */
export async function searchForDiskKey(
  vault: Vault,
  { wrappedKey, context, directory }: KmsRequestOf<'searchForKey'>,
): Promise<KeySearch> {
  const dataKey = new Uint8Array(unwrapForShard(vault, wrappedKey, context));
  try {
    return await searchForKey(directory, dataKey, wrappedKey);
  } finally {
    zeroize(dataKey);
  }
}
