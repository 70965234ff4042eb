/**
 * The cryptographic operations of the KMS API: GenerateDataKey, Encrypt, Decrypt, ReEncrypt.
 *
 * Their plaintext is the caller's, comes from main and goes to main. It has nothing to do with a
 * disk's data key, which none of them makes or opens (ciphertext-blob.ts, 2.).
 *
 * **Thread:** KMS. **Source:** KMS API 2016-01-20.
 */
import { allocateKey, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { KMS_DATA_KEY_BYTES_MAX } from '../limits.ts';
import type { EncryptionContext, KeyScope } from '../record/kms-key.ts';
import type { KmsRequestOf, KmsResults } from '../record/kms-message.ts';
import { openBlob, readBlobKey, sealBlob } from './ciphertext-blob.ts';
import { encryptCounted, requireUsable } from './message-count.ts';
import { dryRunError, type NamedKey, type Vault } from './vault.ts';

/** @throws PlaneError Forbidden.KeyNotFound, Rejected.*, DryRunOperationError */
export async function generateDataKey(
  vault: Vault,
  request: KmsRequestOf<'generateDataKey'>,
): Promise<KmsResults['generateDataKey']> {
  const { byteCount } = request;
  invariant(byteCount >= 1 && byteCount <= KMS_DATA_KEY_BYTES_MAX, 'a data key is bounded');
  const plaintext = allocateKey(byteCount);
  vault.fillRandom(plaintext);
  const encrypted = await encryptFor(vault, request, request.encryptionContext, plaintext);
  if (request.withPlaintext) return { ...encrypted, plaintext };
  zeroize(plaintext);
  return { ...encrypted, plaintext: null };
}

/** @throws PlaneError Forbidden.KeyNotFound, Rejected.*, DryRunOperationError */
export function encrypt(
  vault: Vault,
  request: KmsRequestOf<'encrypt'>,
): Promise<KmsResults['encrypt']> {
  return encryptFor(vault, request, request.encryptionContext, request.plaintext);
}

/** @throws PlaneError InvalidParameter, Forbidden.KeyNotFound, Rejected.*, DryRunOperationError */
export function decrypt(vault: Vault, request: KmsRequestOf<'decrypt'>): KmsResults['decrypt'] {
  const decrypted = decryptFor(vault, request, request.ciphertextBlob, request.encryptionContext);
  if (!vault.isDryRun) return decrypted;
  zeroize(decrypted.plaintext);
  throw dryRunError();
}

/** @throws PlaneError as decrypt() and encrypt() do; InvalidParameter: of another source key */
export async function reEncrypt(
  vault: Vault,
  request: KmsRequestOf<'reEncrypt'>,
): Promise<KmsResults['reEncrypt']> {
  const { ciphertextBlob, encryptionContext, destinationContext } = request;
  checkSource(vault, request);
  const { plaintext } = decryptFor(vault, request, ciphertextBlob, encryptionContext);
  try {
    return await encryptFor(vault, request, destinationContext, plaintext);
  } finally {
    zeroize(plaintext);
  }
}

function encryptFor(
  vault: Vault,
  named: NamedKey,
  encryptionContext: EncryptionContext,
  plaintext: Uint8Array,
): Promise<KmsResults['encrypt']> {
  return encryptCounted(vault, named, (key, material) => {
    const { keyId, primaryVersion: version, accountId, regionId } = key;
    const binding = { accountId, regionId, encryptionContext };
    const sealKey = { keyId, version };
    const ciphertextBlob = sealBlob(material, sealKey, binding, plaintext, vault.fillRandom);
    return { keyId, version, ciphertextBlob };
  });
}

function decryptFor(
  vault: Vault,
  scope: KeyScope,
  blob: Uint8Array,
  encryptionContext: EncryptionContext,
): KmsResults['decrypt'] {
  const { keyId, version } = readBlobKey(blob);
  const { accountId, regionId } = scope;
  const key = requireUsable(vault, { accountId, regionId, keyId });
  if (version > key.primaryVersion) {
    throw new PlaneError('InvalidParameter', `CiphertextBlob: ${keyId} has no version ${version}`);
  }
  const binding = { accountId, regionId, encryptionContext };
  const plaintext = vault.tables.withVersion(vault.reader, key, version, (_, material) =>
    openBlob(material, blob, binding),
  );
  return { keyId, version, plaintext };
}

/** SourceKeyId and SourceKeyVersionId, if they are given, are what the blob says. */
function checkSource(vault: Vault, request: KmsRequestOf<'reEncrypt'>): void {
  const { accountId, regionId, ciphertextBlob, sourceKeyId, sourceVersion } = request;
  const { keyId, version } = readBlobKey(ciphertextBlob);
  if (sourceKeyId !== null) {
    const source = vault.requireKey(vault.reader, { accountId, regionId, keyId: sourceKeyId });
    if (source.keyId !== keyId) {
      throw new PlaneError('InvalidParameter', `SourceKeyId: the blob is not of ${source.keyId}`);
    }
  }
  if (sourceVersion !== null && sourceVersion !== version) {
    const detail = `SourceKeyVersionId: the blob is not of version ${sourceVersion}`;
    throw new PlaneError('InvalidParameter', detail);
  }
}
