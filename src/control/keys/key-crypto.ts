/**
 * The cryptographic verbs of the KMS: for its callers' own data and data keys. A disk's data key is
 * neither made nor opened by any of them: kms/ciphertext-blob.ts. Source: KMS API.
 */
import * as v from 'valibot';
import { KMS_DATA_KEY_BYTES_MAX, KMS_PLAINTEXT_BYTES_MAX } from '../../limits.ts';
import type { ControlContext } from '../context.ts';
import { callKms } from './call-kms.ts';
import {
  base64Schema,
  encryptionContextSchema,
  fromBase64,
  keyReferenceSchema,
  toBase64,
} from './key-schemas.ts';
import { versionNumber } from './key-versions.ts';
import type { KeyVerbs } from './types.ts';

/** A blob is a plaintext and 62 bytes: longer ones are refused before they are looked at. */
const BLOB_BYTES_MAX = 2 * KMS_PLAINTEXT_BYTES_MAX;
const DATA_KEY_BYTES = { AES_256: 32, AES_128: 16 };

const encryptionContext = v.optional(encryptionContextSchema);
const blob = base64Schema(BLOB_BYTES_MAX);
export const generateDataKeySchema = v.strictObject({
  KeyId: keyReferenceSchema,
  KeySpec: v.optional(v.picklist(['AES_256', 'AES_128'])),
  NumberOfBytes: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(KMS_DATA_KEY_BYTES_MAX)),
  ),
  EncryptionContext: encryptionContext,
});
export const encryptSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  Plaintext: base64Schema(KMS_PLAINTEXT_BYTES_MAX),
  EncryptionContext: encryptionContext,
});
export const decryptSchema = v.strictObject({
  CiphertextBlob: blob,
  EncryptionContext: encryptionContext,
});
export const reEncryptSchema = v.strictObject({
  CiphertextBlob: blob,
  DestinationKeyId: keyReferenceSchema,
  SourceEncryptionContext: encryptionContext,
  DestinationEncryptionContext: encryptionContext,
  SourceKeyId: v.optional(keyReferenceSchema),
  SourceKeyVersionId: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
});

export async function generateDataKey(
  context: ControlContext,
  parameters: KeyVerbs['GenerateDataKey']['parameters'],
): Promise<KeyVerbs['GenerateDataKey']['result']> {
  const { plaintext, ...encrypted } = await generate(context, parameters, true);
  return { ...describe(encrypted), Plaintext: toBase64(plaintext ?? new Uint8Array(0)) };
}

export async function generateDataKeyWithoutPlaintext(
  context: ControlContext,
  parameters: KeyVerbs['GenerateDataKeyWithoutPlaintext']['parameters'],
): Promise<KeyVerbs['GenerateDataKeyWithoutPlaintext']['result']> {
  return describe(await generate(context, parameters, false));
}

export async function encrypt(
  context: ControlContext,
  parameters: KeyVerbs['Encrypt']['parameters'],
): Promise<KeyVerbs['Encrypt']['result']> {
  const encrypted = await callKms(context, 'encrypt', {
    keyId: parameters.KeyId,
    plaintext: fromBase64(parameters.Plaintext),
    encryptionContext: parameters.EncryptionContext ?? {},
  });
  return describe(encrypted);
}

/** @throws PlaneError InvalidParameter: not a blob of a key of the caller with this context */
export async function decrypt(
  context: ControlContext,
  parameters: KeyVerbs['Decrypt']['parameters'],
): Promise<KeyVerbs['Decrypt']['result']> {
  const { keyId, version, plaintext } = await callKms(context, 'decrypt', {
    ciphertextBlob: fromBase64(parameters.CiphertextBlob),
    encryptionContext: parameters.EncryptionContext ?? {},
  });
  return { Plaintext: toBase64(plaintext), KeyId: keyId, KeyVersionId: String(version) };
}

export async function reEncrypt(
  context: ControlContext,
  parameters: KeyVerbs['ReEncrypt']['parameters'],
): Promise<KeyVerbs['ReEncrypt']['result']> {
  const { SourceKeyId, SourceKeyVersionId } = parameters;
  const encrypted = await callKms(context, 'reEncrypt', {
    keyId: parameters.DestinationKeyId,
    ciphertextBlob: fromBase64(parameters.CiphertextBlob),
    encryptionContext: parameters.SourceEncryptionContext ?? {},
    destinationContext: parameters.DestinationEncryptionContext ?? {},
    sourceKeyId: SourceKeyId ?? null,
    sourceVersion: SourceKeyVersionId === undefined ? null : versionNumber(SourceKeyVersionId),
  });
  return describe(encrypted);
}

function generate(
  context: ControlContext,
  parameters: KeyVerbs['GenerateDataKey']['parameters'],
  withPlaintext: boolean,
) {
  const { KeyId, KeySpec = 'AES_256', NumberOfBytes, EncryptionContext = {} } = parameters;
  return callKms(context, 'generateDataKey', {
    keyId: KeyId,
    byteCount: NumberOfBytes ?? DATA_KEY_BYTES[KeySpec],
    encryptionContext: EncryptionContext,
    withPlaintext,
  });
}

function describe(encrypted: {
  readonly ciphertextBlob: Uint8Array;
  readonly keyId: string;
  readonly version: number;
}): KeyVerbs['Encrypt']['result'] {
  return {
    CiphertextBlob: toBase64(encrypted.ciphertextBlob),
    KeyId: encrypted.keyId,
    KeyVersionId: String(encrypted.version),
  };
}
