/** Versions of master keys and their rotation. Source: KMS API. */
import * as v from 'valibot';
import type { ControlContext } from '../context.ts';
import { pageEntries, pageWindow } from '../schemas.ts';
import { callKms } from './call-kms.ts';
import { done } from './done.ts';
import { rotationOf } from './key-life.ts';
import { keyVersion } from './key-metadata.ts';
import { intervalSchema, keyReferenceSchema } from './key-schemas.ts';
import type { KeyVerbs } from './types.ts';

export const listKeyVersionsSchema = v.strictObject({ KeyId: keyReferenceSchema, ...pageEntries });
export const describeKeyVersionSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  KeyVersionId: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
});
export const updateRotationPolicySchema = v.strictObject({
  KeyId: keyReferenceSchema,
  EnableAutomaticRotation: v.boolean(),
  RotationInterval: v.optional(intervalSchema),
});

export async function createKeyVersion(
  context: ControlContext,
  { KeyId }: KeyVerbs['CreateKeyVersion']['parameters'],
): Promise<KeyVerbs['CreateKeyVersion']['result']> {
  const key = await callKms(context, 'rotateKey', { keyId: KeyId });
  const { keyId, primaryVersion: version, lastRotationAt: createdAt } = key;
  return { KeyVersion: keyVersion({ keyId, version, createdAt }) };
}

export async function listKeyVersions(
  context: ControlContext,
  parameters: KeyVerbs['ListKeyVersions']['parameters'],
): Promise<KeyVerbs['ListKeyVersions']['result']> {
  const { PageNumber, PageSize, skip } = pageWindow(parameters);
  const said = { keyId: parameters.KeyId, skip, limit: PageSize };
  const { total, versions } = await callKms(context, 'listKeyVersions', said);
  return { TotalCount: total, PageNumber, PageSize, KeyVersions: versions.map(keyVersion) };
}

/** @throws PlaneError Forbidden.KeyVersionNotFound */
export async function describeKeyVersion(
  context: ControlContext,
  { KeyId, KeyVersionId }: KeyVerbs['DescribeKeyVersion']['parameters'],
): Promise<KeyVerbs['DescribeKeyVersion']['result']> {
  const said = { keyId: KeyId, version: versionNumber(KeyVersionId) };
  return { KeyVersion: keyVersion(await callKms(context, 'describeKeyVersion', said)) };
}

/** @throws PlaneError MissingParameter, InvalidParameter, UnsupportedOperation, Rejected.* */
export async function updateRotationPolicy(
  context: ControlContext,
  parameters: KeyVerbs['UpdateRotationPolicy']['parameters'],
): Promise<KeyVerbs['UpdateRotationPolicy']['result']> {
  const rotationIntervalMs = rotationOf(parameters);
  const said = { keyId: parameters.KeyId, rotationIntervalMs };
  return done(callKms(context, 'updateRotationPolicy', said));
}

/** 0, which no version is, for what is not the id of one. */
export function versionNumber(keyVersionId: string): number {
  return /^[1-9][0-9]{0,8}$/.test(keyVersionId) ? Number(keyVersionId) : 0;
}
