/**
 * Imported key material (BYOK): for keys with Origin EXTERNAL.
 *
 *   getImportParameters   an RSA pair made here; its public half goes to the owner, with a token
 *   importKeyMaterial     the owner's 32 bytes, encrypted to that public key
 *   deleteKeyMaterial     or expiry: the material is destroyed, the key waits in PendingImport
 *
 * 1. A key takes one material in its life. What was imported first leaves a fingerprint, keyed so
 *    that it tells equal from different and no more; anything else is InvalidKeyMaterial. So what
 *    the key encrypted before is readable again, and nothing is ever encrypted under two materials.
 * 2. The private key is sealed in the vault, and only the latest of each key: a new pair makes
 *    older tokens invalid. A token opens here alone, and for IMPORT_TOKEN_MS.
 * 3. RSAES_PKCS1_V1_5 is offered only where Node can decrypt it: with an OpenSSL that rejects
 *    implicitly (3.2 and later), as a padding oracle is open otherwise (CVE-2023-46809). There bad
 *    padding decrypts to random bytes, not to an error; the chance that they are 32 is why OAEP is
 *    the better choice.
 *
 * **Thread:** KMS. **Source:** KMS GetParametersForImport, ImportKeyMaterial, DeleteKeyMaterial.
 */
import {
  constants,
  createHmac,
  createPrivateKey,
  generateKeyPair,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { promisify } from 'node:util';
import { allocateKey, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { IMPORT_TOKEN_MS, KEY_BYTES } from '../limits.ts';
import type { ImportParameters, KeyDescription, WrappingAlgorithm } from '../record/kms-key.ts';
import type { KmsRequestOf } from '../record/kms-message.ts';
import type { ImportParametersRecord } from '../record/vault-record.ts';
import { stateAfter } from './key-states.ts';
import type { Vault } from './vault.ts';

/** WrappingKeySpec RSA_2048, the only one there is. */
const MODULUS_BITS = 2_048;
const TOKEN_ID_BYTES = 16;

const PADDINGS: { readonly [A in WrappingAlgorithm]: { padding: number; oaepHash?: string } } = {
  RSAES_OAEP_SHA_256: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
  RSAES_OAEP_SHA_1: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  RSAES_PKCS1_V1_5: { padding: constants.RSA_PKCS1_PADDING },
};

/** @throws PlaneError Unsupported.Origin, Rejected.*, UnsupportedOperation: see 3. */
export async function getImportParameters(
  vault: Vault,
  request: KmsRequestOf<'getImportParameters'>,
): Promise<ImportParameters> {
  const { wrappingAlgorithm } = request;
  stateAfter('getImportParameters', vault.requireKey(vault.reader, request));
  const pair = await promisify(generateKeyPair)('rsa', {
    modulusLength: MODULUS_BITS,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  try {
    if (!canDecrypt(pair, wrappingAlgorithm)) {
      const detail = `this Node refuses to decrypt ${wrappingAlgorithm}: use RSAES_OAEP_SHA_256`;
      throw new PlaneError('UnsupportedOperation', detail);
    }
    return await vault.transact((transaction) => {
      const key = vault.requireKey(transaction, request);
      stateAfter('getImportParameters', key);
      const { keyId, accountId, regionId } = key;
      const tokenId = Buffer.from(vault.randomBytes(TOKEN_ID_BYTES)).toString('hex');
      const expiresAt = vault.clock.now() + IMPORT_TOKEN_MS;
      const record = { keyId, accountId, regionId, tokenId, wrappingAlgorithm, expiresAt };
      vault.tables.putImportParameters(transaction, record, pair.privateKey);
      const importToken = vault.tables.sealed.seal('importToken', record);
      return { keyId, importToken, publicKey: new Uint8Array(pair.publicKey), expiresAt };
    });
  } finally {
    zeroize(pair.privateKey);
  }
}

/**
 * @throws PlaneError Unsupported.Origin, Rejected.PendingDeletion, InvalidImportToken,
 *   ExpiredImportToken, InvalidParameter: an expiry that is over; InvalidKeyMaterial
 */
export function importKeyMaterial(
  vault: Vault,
  request: KmsRequestOf<'importKeyMaterial'>,
): Promise<KeyDescription> {
  const { encryptedMaterial, importToken, expiresAt } = request;
  return vault.change('importMaterial', request, (key, transaction) => {
    const now = vault.clock.now();
    const token = requireToken(vault, key, importToken);
    if (expiresAt !== null && expiresAt <= now) {
      throw new PlaneError('InvalidParameter', 'KeyMaterialExpireUnix: expected a time to come');
    }
    const isTaken = vault.tables.withImportParameters(transaction, key, (parameters, pkcs8) => {
      if (parameters.tokenId !== token.tokenId) return false;
      const material = decryptMaterial(pkcs8, parameters.wrappingAlgorithm, encryptedMaterial);
      try {
        const fingerprint = fingerprintOf(vault, key.keyId, material);
        const known = vault.tables.readImported(transaction, key);
        if (known !== null && !Buffer.from(known.fingerprint).equals(fingerprint)) {
          const detail = `${key.keyId} takes the material it had before, and no other`;
          throw new PlaneError('InvalidKeyMaterial', detail);
        }
        const wrapsReserved = vault.tables.importedCount(transaction, key);
        const { keyId, accountId, regionId, primaryVersion: version } = key;
        const imported = { keyId, accountId, regionId, fingerprint, wrapsReserved };
        vault.tables.putImported(transaction, imported);
        const record = { keyId, accountId, regionId, version, createdAt: now, wrapsReserved };
        vault.tables.putVersion(transaction, record, material);
        return true;
      } finally {
        zeroize(material);
      }
    });
    if (isTaken !== true) throw invalidToken('newer import parameters were made since');
    return { ...key, hasMaterial: true, materialExpiresAt: expiresAt };
  });
}

/** The material is destroyed; the same may be imported again. */
export function deleteKeyMaterial(
  vault: Vault,
  request: KmsRequestOf<'deleteKeyMaterial'>,
): Promise<KeyDescription> {
  return vault.change('deleteMaterial', request, (key) => ({
    ...key,
    hasMaterial: false,
    materialExpiresAt: null,
  }));
}

function requireToken(
  vault: Vault,
  key: KeyDescription,
  importToken: Uint8Array,
): ImportParametersRecord {
  const token = vault.tables.sealed.open('importToken', importToken);
  if (token === null) throw invalidToken('it was not made here, or was changed since');
  if (token.keyId !== key.keyId) throw invalidToken(`it was made for ${token.keyId}`);
  if (token.expiresAt <= vault.clock.now()) {
    const detail = `the token expired at ${new Date(token.expiresAt).toISOString()}`;
    throw new PlaneError('ExpiredImportToken', detail);
  }
  return token;
}

/** @returns 32 bytes off the V8 heap, the caller's to erase */
function decryptMaterial(
  pkcs8: Uint8Array,
  algorithm: WrappingAlgorithm,
  encrypted: Uint8Array,
): Uint8Array {
  let decrypted: Uint8Array;
  try {
    decrypted = decrypt(pkcs8, algorithm, encrypted);
  } catch (cause) {
    const detail = `it does not decrypt as ${algorithm} under the key of its token`;
    throw new PlaneError('InvalidKeyMaterial', detail, { cause });
  }
  try {
    if (decrypted.byteLength !== KEY_BYTES) {
      const detail = `expected ${KEY_BYTES} bytes of material, got ${decrypted.byteLength}`;
      throw new PlaneError('InvalidKeyMaterial', detail);
    }
    const material = allocateKey(KEY_BYTES);
    material.set(decrypted);
    return material;
  } finally {
    zeroize(decrypted);
  }
}

function decrypt(
  pkcs8: Uint8Array,
  algorithm: WrappingAlgorithm,
  encrypted: Uint8Array,
): Uint8Array {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  return privateDecrypt({ key, ...PADDINGS[algorithm] }, encrypted);
}

function canDecrypt(
  pair: { readonly publicKey: Buffer; readonly privateKey: Buffer },
  algorithm: WrappingAlgorithm,
): boolean {
  if (algorithm !== 'RSAES_PKCS1_V1_5') return true;
  const probe = Uint8Array.of(3, 1, 4, 1, 5);
  const publicKey = { key: pair.publicKey, format: 'der', type: 'spki' } as const;
  const encrypted = publicEncrypt({ ...publicKey, ...PADDINGS[algorithm] }, probe);
  try {
    return Buffer.from(decrypt(pair.privateKey, algorithm, encrypted)).equals(probe);
  } catch {
    // Node says ERR_INVALID_ARG_VALUE whatever the ciphertext: its OpenSSL would be an oracle.
    return false;
  }
}

function fingerprintOf(vault: Vault, keyId: string, material: Uint8Array): Uint8Array {
  const key = vault.tables.sealed.deriveKey('sealdisk material fingerprint');
  try {
    return new Uint8Array(createHmac('sha256', key).update(keyId).update(material).digest());
  } finally {
    zeroize(key);
  }
}

function invalidToken(why: string): PlaneError {
  return new PlaneError('InvalidImportToken', `the import token is not valid: ${why}`);
}
