/** Aliases of master keys. Source: KMS API. */
import * as v from 'valibot';
import type { ControlContext } from '../context.ts';
import { pageEntries, pageWindow } from '../schemas.ts';
import { callKms } from './call-kms.ts';
import { keyAlias } from './key-metadata.ts';
import { keyReferenceSchema } from './key-schemas.ts';
import type { KeyVerbs } from './types.ts';

const aliasName = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
export const namedAliasSchema = v.strictObject({ KeyId: keyReferenceSchema, AliasName: aliasName });
export const deleteAliasSchema = v.strictObject({ AliasName: aliasName });
export const listAliasesSchema = v.strictObject({ ...pageEntries });
export const listAliasesByKeyIdSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  ...pageEntries,
});

type Nothing = Record<string, never>;

export async function createAlias(
  context: ControlContext,
  { KeyId, AliasName }: KeyVerbs['CreateAlias']['parameters'],
): Promise<Nothing> {
  await callKms(context, 'createAlias', { keyId: KeyId, aliasName: AliasName });
  return {};
}

export async function updateAlias(
  context: ControlContext,
  { KeyId, AliasName }: KeyVerbs['UpdateAlias']['parameters'],
): Promise<Nothing> {
  await callKms(context, 'updateAlias', { keyId: KeyId, aliasName: AliasName });
  return {};
}

export async function deleteAlias(
  context: ControlContext,
  { AliasName }: KeyVerbs['DeleteAlias']['parameters'],
): Promise<Nothing> {
  await callKms(context, 'deleteAlias', { aliasName: AliasName });
  return {};
}

export function listAliases(
  context: ControlContext,
  parameters: KeyVerbs['ListAliases']['parameters'],
): Promise<KeyVerbs['ListAliases']['result']> {
  return list(context, parameters, null);
}

export function listAliasesByKeyId(
  context: ControlContext,
  parameters: KeyVerbs['ListAliasesByKeyId']['parameters'],
): Promise<KeyVerbs['ListAliasesByKeyId']['result']> {
  return list(context, parameters, parameters.KeyId);
}

async function list(
  context: ControlContext,
  page: KeyVerbs['ListAliases']['parameters'],
  keyId: string | null,
): Promise<KeyVerbs['ListAliases']['result']> {
  const { PageNumber, PageSize, skip } = pageWindow(page);
  const aliases = await callKms(context, 'listAliases', { keyId });
  const Aliases = aliases.slice(skip, skip + PageSize).map(keyAlias);
  return { TotalCount: aliases.length, PageNumber, PageSize, Aliases };
}
