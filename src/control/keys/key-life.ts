/** Master keys: made, shown, enabled and disabled, protected, deleted. Source: KMS API. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import {
  KEY_DELETION_DAYS_MAX,
  KEY_DELETION_DAYS_MIN,
  PROTECTION_DESCRIPTION_CHARS_MAX,
} from '../../limits.ts';
import { ASYMMETRIC_SPECS, type AsymmetricSpec } from '../../record/kms-key.ts';
import type { ControlContext } from '../context.ts';
import { pageEntries, pageWindow } from '../schemas.ts';
import { callKms } from './call-kms.ts';
import { done } from './done.ts';
import { KEY_SPEC, KEY_USAGE, keyArn, keyMetadata, usageOfSpec } from './key-metadata.ts';
import { policySchema } from './key-policy.ts';
import {
  descriptionSchema,
  intervalMs,
  intervalSchema,
  keyReferenceSchema,
  tagsSchema,
} from './key-schemas.ts';
import type { KeyVerbs } from './types.ts';

export const createKeySchema = v.strictObject({
  Description: v.optional(descriptionSchema),
  KeySpec: v.optional(v.string()),
  KeyUsage: v.optional(v.string()),
  Origin: v.optional(v.picklist(['Aliyun_KMS', 'EXTERNAL'])),
  ProtectionLevel: v.optional(v.picklist(['SOFTWARE', 'HSM'])),
  EnableAutomaticRotation: v.optional(v.boolean()),
  RotationInterval: v.optional(intervalSchema),
  Policy: v.optional(policySchema),
  Tags: v.optional(tagsSchema),
});
const filterKey = v.picklist([
  'KeyState',
  'KeySpec',
  'KeyUsage',
  'Origin',
  'ProtectionLevel',
  'CreatorType',
]);
export const listKeysSchema = v.strictObject({
  ...pageEntries,
  Filters: v.optional(
    v.pipe(
      v.array(
        v.strictObject({ Key: filterKey, Values: v.pipe(v.array(v.string()), v.minLength(1)) }),
      ),
      v.maxLength(10),
    ),
  ),
});
export const scheduleKeyDeletionSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  PendingWindowInDays: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(KEY_DELETION_DAYS_MIN),
    v.maxValue(KEY_DELETION_DAYS_MAX),
  ),
});
export const setDeletionProtectionSchema = v.strictObject({
  EnableDeletionProtection: v.boolean(),
  ProtectedResourceArn: v.optional(keyReferenceSchema),
  KeyId: v.optional(keyReferenceSchema),
  DeletionProtectionDescription: v.optional(
    v.pipe(v.string(), v.maxLength(PROTECTION_DESCRIPTION_CHARS_MAX)),
  ),
});
export const updateKeyDescriptionSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  Description: descriptionSchema,
});

type KeyId = { readonly KeyId: string };
type Nothing = Record<string, never>;

/** Kinds of keys the cloud makes and this does not. */
const SPECS_NOT_MADE = /^(Aliyun_SM4|RSA_[0-9]+|EC_[A-Z0-9]+|HMAC_[A-Z0-9]+)$/;

/** @throws PlaneError InvalidParameter, UnsupportedOperation, MissingParameter, Rejected.* */
export async function createKey(
  context: ControlContext,
  parameters: KeyVerbs['CreateKey']['parameters'],
): Promise<KeyVerbs['CreateKey']['result']> {
  const { Description, Origin, ProtectionLevel, Policy, Tags = [] } = parameters;
  const asymmetricSpec = asymmetricSpecOf(parameters);
  const rotation = rotationOf(parameters);
  const key = await callKms(context, 'createKey', {
    description: Description ?? '',
    origin: Origin ?? 'Aliyun_KMS',
    ...(asymmetricSpec === undefined ? {} : { asymmetricSpec }),
    protectionLevel: ProtectionLevel ?? 'SOFTWARE',
    tags: Tags.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue })),
    ...(rotation === null ? {} : { rotationIntervalMs: rotation }),
    ...(Policy === undefined ? {} : { policy: Policy }),
  });
  return { KeyMetadata: keyMetadata(key) };
}

export async function describeKey(
  context: ControlContext,
  parameters: KeyId,
): Promise<KeyVerbs['DescribeKey']['result']> {
  const key = await callKms(context, 'describeKey', { keyId: parameters.KeyId });
  return { KeyMetadata: keyMetadata(key) };
}

export async function listKeys(
  context: ControlContext,
  parameters: KeyVerbs['ListKeys']['parameters'],
): Promise<KeyVerbs['ListKeys']['result']> {
  const { PageNumber, PageSize, skip } = pageWindow(parameters);
  const { Filters = [] } = parameters;
  const keys = (await callKms(context, 'listKeys', {})).filter((key) => {
    const known: Readonly<Record<string, unknown>> = {
      ...keyMetadata(key),
      CreatorType: key.isServiceKey ? 'Service' : 'User',
    };
    return Filters.every(({ Key, Values }) => Values.includes(String(known[Key])));
  });
  const Keys = keys
    .slice(skip, skip + PageSize)
    .map((key) => ({ KeyId: key.keyId, KeyArn: keyArn(key) }));
  return { TotalCount: keys.length, PageNumber, PageSize, Keys };
}

export function enableKey(context: ControlContext, parameters: KeyId): Promise<Nothing> {
  return done(callKms(context, 'enableKey', { keyId: parameters.KeyId }));
}

export function disableKey(context: ControlContext, parameters: KeyId): Promise<Nothing> {
  return done(callKms(context, 'disableKey', { keyId: parameters.KeyId }));
}

export function scheduleKeyDeletion(
  context: ControlContext,
  parameters: KeyVerbs['ScheduleKeyDeletion']['parameters'],
): Promise<Nothing> {
  const { KeyId, PendingWindowInDays } = parameters;
  const said = { keyId: KeyId, pendingDays: PendingWindowInDays };
  return done(callKms(context, 'scheduleKeyDeletion', said));
}

export function cancelKeyDeletion(context: ControlContext, parameters: KeyId): Promise<Nothing> {
  return done(callKms(context, 'cancelKeyDeletion', { keyId: parameters.KeyId }));
}

/** @throws PlaneError MissingParameter: neither of the two names of the key; InvalidParameter */
export async function setDeletionProtection(
  context: ControlContext,
  parameters: KeyVerbs['SetDeletionProtection']['parameters'],
): Promise<Nothing> {
  const { ProtectedResourceArn, KeyId, EnableDeletionProtection: isProtected } = parameters;
  const keyId = ProtectedResourceArn ?? KeyId;
  if (keyId === undefined) {
    const detail = 'SetDeletionProtection needs ProtectedResourceArn or KeyId, string';
    throw new PlaneError('MissingParameter', detail);
  }
  if (ProtectedResourceArn !== undefined && KeyId !== undefined) {
    const detail = 'SetDeletionProtection expects one of ProtectedResourceArn and KeyId, got both';
    throw new PlaneError('InvalidParameter', detail);
  }
  const description = parameters.DeletionProtectionDescription ?? '';
  return done(callKms(context, 'setDeletionProtection', { keyId, isProtected, description }));
}

export function updateKeyDescription(
  context: ControlContext,
  parameters: KeyVerbs['UpdateKeyDescription']['parameters'],
): Promise<Nothing> {
  const { KeyId, Description } = parameters;
  const said = { keyId: KeyId, description: Description };
  return done(callKms(context, 'updateKeyDescription', said));
}

/**
 * @returns the interval of automatic rotation, null if it is off
 * @throws PlaneError MissingParameter
 */
export function rotationOf(parameters: {
  readonly EnableAutomaticRotation?: boolean;
  readonly RotationInterval?: string;
}): number | null {
  if (parameters.EnableAutomaticRotation !== true) return null;
  if (parameters.RotationInterval !== undefined) return intervalMs(parameters.RotationInterval);
  const detail = 'EnableAutomaticRotation needs RotationInterval, days or seconds, as in 365d';
  throw new PlaneError('MissingParameter', detail);
}

/**
 * @returns undefined: a symmetric key
 * @throws PlaneError InvalidParameter, UnsupportedOperation
 */
function asymmetricSpecOf(
  parameters: KeyVerbs['CreateKey']['parameters'],
): AsymmetricSpec | undefined {
  const { KeySpec = KEY_SPEC } = parameters;
  const spec = ASYMMETRIC_SPECS.find((each) => each === KeySpec);
  const { KeyUsage = usageOfSpec(spec) } = parameters;
  const isMade = KeySpec === KEY_SPEC || spec !== undefined;
  if (isMade && KeyUsage === usageOfSpec(spec)) return spec;
  const isOfCloud = isMade || SPECS_NOT_MADE.test(KeySpec);
  const isUsage = [KEY_USAGE, 'SIGN/VERIFY', 'GENERATE/VERIFY_MAC'].includes(KeyUsage);
  const code = isOfCloud && isUsage ? 'UnsupportedOperation' : 'InvalidParameter';
  const specs = [KEY_SPEC, ...ASYMMETRIC_SPECS].join(', ');
  const detail = `CreateKey expects KeySpec of ${specs}, and the KeyUsage that is theirs`;
  throw new PlaneError(code, detail);
}
