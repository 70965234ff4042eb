/** The verbs on master keys: each is one request to the KMS thread. Source: KMS API 2016-01-20. */
import * as v from 'valibot';
import {
  DESCRIPTION_CHARS_MAX,
  KEY_DELETION_DAYS_MAX,
  KEY_DELETION_DAYS_MIN,
} from '../../limits.ts';
import type { KeyDescription } from '../../record/kms-message.ts';
import type { ControlContext } from '../context.ts';
import { resolveKey } from '../encryption/resolve-key.ts';
import { idSchema, isoSeconds, pageEntries, pageWindow } from '../schemas.ts';
import type { KeyMetadata, Verbs } from '../verbs.ts';

export const createKeySchema = v.strictObject({
  Description: v.optional(v.pipe(v.string(), v.maxLength(DESCRIPTION_CHARS_MAX))),
});
export const keyIdSchema = v.strictObject({ KeyId: idSchema });
export const listKeysSchema = v.strictObject({ ...pageEntries });
export const scheduleKeyDeletionSchema = v.strictObject({
  KeyId: idSchema,
  PendingWindowInDays: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(KEY_DELETION_DAYS_MIN),
    v.maxValue(KEY_DELETION_DAYS_MAX),
  ),
});

type KeyId = { readonly KeyId: string };
type Nothing = Record<string, never>;

export async function createKey(
  context: ControlContext,
  parameters: Verbs['CreateKey']['parameters'],
): Promise<Verbs['CreateKey']['result']> {
  const { accountId, regionId } = context;
  const description = parameters.Description ?? '';
  const key = await context.kms.call({ op: 'createKey', accountId, regionId, description });
  return { KeyMetadata: describe(key) };
}

export async function describeKey(
  context: ControlContext,
  parameters: KeyId,
): Promise<Verbs['DescribeKey']['result']> {
  const keyId = await resolveKey(context, parameters.KeyId);
  return { KeyMetadata: describe(await context.kms.call({ op: 'describeKey', keyId })) };
}

export async function listKeys(
  context: ControlContext,
  parameters: Verbs['ListKeys']['parameters'],
): Promise<Verbs['ListKeys']['result']> {
  const { PageNumber, PageSize, skip } = pageWindow(parameters);
  const { accountId, regionId } = context;
  const keys = await context.kms.call({ op: 'listKeys', accountId, regionId });
  const Keys = keys.slice(skip, skip + PageSize).map(describe);
  return { TotalCount: keys.length, PageNumber, PageSize, Keys };
}

export async function enableKey(context: ControlContext, parameters: KeyId): Promise<Nothing> {
  const keyId = await resolveKey(context, parameters.KeyId);
  await context.kms.call({ op: 'enableKey', keyId });
  return {};
}

export async function disableKey(context: ControlContext, parameters: KeyId): Promise<Nothing> {
  const keyId = await resolveKey(context, parameters.KeyId);
  await context.kms.call({ op: 'disableKey', keyId });
  return {};
}

export async function createKeyVersion(
  context: ControlContext,
  parameters: KeyId,
): Promise<Verbs['CreateKeyVersion']['result']> {
  const keyId = await resolveKey(context, parameters.KeyId);
  const key = await context.kms.call({ op: 'rotateKey', keyId });
  return { KeyVersion: String(key.primaryVersion) };
}

export async function scheduleKeyDeletion(
  context: ControlContext,
  parameters: Verbs['ScheduleKeyDeletion']['parameters'],
): Promise<Nothing> {
  const keyId = await resolveKey(context, parameters.KeyId);
  const pendingDays = parameters.PendingWindowInDays;
  await context.kms.call({ op: 'scheduleKeyDeletion', keyId, pendingDays });
  return {};
}

export async function cancelKeyDeletion(
  context: ControlContext,
  parameters: KeyId,
): Promise<Nothing> {
  const keyId = await resolveKey(context, parameters.KeyId);
  await context.kms.call({ op: 'cancelKeyDeletion', keyId });
  return {};
}

function describe(key: KeyDescription): KeyMetadata {
  return {
    KeyId: key.keyId,
    Arn: `acs:kms:${key.regionId}:${key.accountId}:key/${key.keyId}`,
    KeyState: key.state,
    Creator: key.isServiceKey ? 'Ecs' : key.accountId,
    Description: key.description,
    PrimaryKeyVersion: String(key.primaryVersion),
    CreationDate: isoSeconds(key.createdAt),
    DeleteDate: key.deletionAt === null ? '' : isoSeconds(key.deletionAt),
  };
}
