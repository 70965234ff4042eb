/** Key material of the key's owner (BYOK): imported, deleted. Source: KMS API. */
import * as v from 'valibot';
import type { ControlContext } from '../context.ts';
import { isoSeconds } from '../schemas.ts';
import { callKms } from './call-kms.ts';
import { done } from './done.ts';
import { base64Schema, fromBase64, keyReferenceSchema, toBase64 } from './key-schemas.ts';
import type { KeyVerbs } from './types.ts';

const SECOND_MS = 1_000;
/** Both are of one length in fact; longer is refused before it is looked at. */
const WRAPPED_MATERIAL_BYTES_MAX = 512;
const IMPORT_TOKEN_BYTES_MAX = 4_096;

export const getParametersForImportSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  WrappingAlgorithm: v.picklist(['RSAES_OAEP_SHA_256', 'RSAES_OAEP_SHA_1', 'RSAES_PKCS1_V1_5']),
  WrappingKeySpec: v.picklist(['RSA_2048']),
});
export const importKeyMaterialSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  EncryptedKeyMaterial: base64Schema(WRAPPED_MATERIAL_BYTES_MAX),
  ImportToken: base64Schema(IMPORT_TOKEN_BYTES_MAX),
  KeyMaterialExpireUnix: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(0),
    v.maxValue(Number.MAX_SAFE_INTEGER / SECOND_MS),
  ),
});

/** @throws PlaneError Unsupported.Origin, UnsupportedOperation, Rejected.* */
export async function getParametersForImport(
  context: ControlContext,
  { KeyId, WrappingAlgorithm }: KeyVerbs['GetParametersForImport']['parameters'],
): Promise<KeyVerbs['GetParametersForImport']['result']> {
  const said = { keyId: KeyId, wrappingAlgorithm: WrappingAlgorithm };
  const made = await callKms(context, 'getImportParameters', said);
  return {
    KeyId: made.keyId,
    ImportToken: toBase64(made.importToken),
    PublicKey: toBase64(made.publicKey),
    TokenExpireTime: isoSeconds(made.expiresAt),
  };
}

/** @throws PlaneError InvalidImportToken, ExpiredImportToken, InvalidKeyMaterial, ... */
export function importKeyMaterial(
  context: ControlContext,
  parameters: KeyVerbs['ImportKeyMaterial']['parameters'],
): Promise<KeyVerbs['ImportKeyMaterial']['result']> {
  const { KeyId, EncryptedKeyMaterial, ImportToken, KeyMaterialExpireUnix } = parameters;
  const changed = callKms(context, 'importKeyMaterial', {
    keyId: KeyId,
    encryptedMaterial: fromBase64(EncryptedKeyMaterial),
    importToken: fromBase64(ImportToken),
    expiresAt: KeyMaterialExpireUnix === 0 ? null : KeyMaterialExpireUnix * SECOND_MS,
  });
  return done(changed);
}

export function deleteKeyMaterial(
  context: ControlContext,
  { KeyId }: KeyVerbs['DeleteKeyMaterial']['parameters'],
): Promise<KeyVerbs['DeleteKeyMaterial']['result']> {
  return done(callKms(context, 'deleteKeyMaterial', { keyId: KeyId }));
}
