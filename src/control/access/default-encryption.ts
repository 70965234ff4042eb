/**
 * Account-level default encryption: a switch and a default key, per account and region.
 *
 *   off ──Enable──▶ on, service key ──Modify──▶ on, a key of the user's
 *    ▲                    ▲────────────Reset──────────┘
 *    └──────Disable───────┴───────────────────────────┘
 *
 * 1. Who may: accounts the feature was granted to; of their RAM users those whose policies allow
 *    ECS to be managed (policies.ts), who are refused before they come here.
 * 2. Where: in regions that offer encryption; a key of one's own where those can be chosen.
 * 3. The switch decides about what is made from now on. What is there stays as it is.
 * 4. Not every generation of the product has it: encryption/documents.ts.
 *
 * Asked by the encryption rules through the region's record. **Thread:** main.
 * **Source:** Account-level EBS Default Encryption (2025); ECS API pages of the six operations.
 */
import * as v from 'valibot';
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { RegionRecord } from '../../record/document.ts';
import type { ControlContext } from '../context.ts';
import { ruleSetRow } from '../encryption/documents.ts';
import { toDiskError } from '../kms-errors.ts';
import { idSchema } from '../schemas.ts';
import { findCaller } from './accounts.ts';
import { findRegion } from './regions.ts';
import { requireDiskRole } from './roles.ts';
import type { AccessVerbs } from './types.ts';

type Nothing = Record<string, never>;

const SERVICE_KEY_ALIAS = 'alias/acs/ecs';

export const keySchema = v.strictObject({ KMSKeyId: idSchema });

export async function enableByDefault(context: ControlContext): Promise<Nothing> {
  requireFeature(context);
  return context.locks.hold([lockOf(context)], async () => {
    if (settingOf(context)?.isDefaultEncryptionOn === true) {
      throw new PlaneError(
        'InvalidOperation.DefaultEncryptionAlreadyEnabled',
        `default encryption is on already in ${context.regionId}`,
      );
    }
    requireDiskRole(context);
    // Makes it, where it is used for the first time: with KMS not activated there is none.
    await serviceKeyOf(context);
    context.passValidation();
    await put(context, { isDefaultEncryptionOn: true, defaultKeyId: null });
    return {};
  });
}

export async function disableByDefault(context: ControlContext): Promise<Nothing> {
  requireFeature(context);
  return context.locks.hold([lockOf(context)], async () => {
    requireSetting(context);
    context.passValidation();
    await put(context, { isDefaultEncryptionOn: false, defaultKeyId: null });
    return {};
  });
}

export async function describeByDefault(
  context: ControlContext,
): Promise<AccessVerbs['DescribeDiskEncryptionByDefaultStatus']['result']> {
  requireFeature(context);
  return { Encrypted: settingOf(context)?.isDefaultEncryptionOn ?? false };
}

export async function modifyDefaultKey(
  context: ControlContext,
  { KMSKeyId }: AccessVerbs['ModifyDiskDefaultKMSKeyId']['parameters'],
): Promise<Nothing> {
  requireFeature(context);
  return context.locks.hold([lockOf(context)], async () => {
    requireSetting(context);
    requireDiskRole(context);
    const defaultKeyId = await chooseKey(context, KMSKeyId);
    context.passValidation();
    await put(context, { isDefaultEncryptionOn: true, defaultKeyId });
    return {};
  });
}

export async function resetDefaultKey(context: ControlContext): Promise<Nothing> {
  requireFeature(context);
  return context.locks.hold([lockOf(context)], async () => {
    requireSetting(context);
    context.passValidation();
    await put(context, { isDefaultEncryptionOn: true, defaultKeyId: null });
    return {};
  });
}

export async function describeDefaultKey(
  context: ControlContext,
): Promise<AccessVerbs['DescribeDiskDefaultKMSKeyId']['result']> {
  requireFeature(context);
  const { defaultKeyId } = requireSetting(context);
  return { KMSKeyId: defaultKeyId ?? (await serviceKeyOf(context)) };
}

/** @throws PlaneError UserNotInTheWhiteList, Abs.InvalidAction.RegionNotSupport */
function requireFeature(context: ControlContext): void {
  const { ruleSet, regionId } = context;
  const { code, because, document } = ruleSetRow(ruleSet);
  if (code !== null) throw new PlaneError(code, `${document}: ${because}`);
  const region = findRegion(regionId);
  if (region.encryption === 'none') {
    throw new PlaneError('Abs.InvalidAction.RegionNotSupport', `${regionId}: ${region.because}`);
  }
  const { account } = findCaller(context.metadata, context.principal);
  if (account.isDefaultEncryptionGranted) return;
  throw new PlaneError(
    'UserNotInTheWhiteList',
    `account-level default encryption was not granted to account ${account.accountId}`,
  );
}

/** @throws PlaneError InvalidDefaultEncryption.NotFound: it is not on */
function requireSetting(context: ControlContext): RegionRecord {
  const setting = settingOf(context);
  if (setting?.isDefaultEncryptionOn === true) return setting;
  throw new PlaneError(
    'InvalidDefaultEncryption.NotFound',
    `default encryption is not on in ${context.regionId}`,
  );
}

/**
 * The key to encrypt with by default; null: the service key.
 *
 * @throws PlaneError InvalidOperation.KMSKeyIdNotFound, InvalidParameter.KMSKeyId.CMKNotEnabled,
 *   Abs.InvalidAction.RegionNotSupport
 */
async function chooseKey(context: ControlContext, keyId: string): Promise<string | null> {
  const { accountId, regionId } = context;
  if (keyId === SERVICE_KEY_ALIAS) return null;
  const key = await ask(() =>
    context.kms.call({ op: 'describeKey', keyId, ...{ accountId, regionId } }),
  );
  if (key.accountId !== accountId || key.regionId !== regionId) {
    throw new PlaneError(
      'InvalidOperation.KMSKeyIdNotFound',
      `${regionId} has no key ${JSON.stringify(keyId)}`,
    );
  }
  if (key.isServiceKey) return null;
  const region = findRegion(regionId);
  if (region.encryption === 'serviceKeyOnly') {
    throw new PlaneError('Abs.InvalidAction.RegionNotSupport', `${regionId}: ${region.because}`);
  }
  if (key.state === 'Enabled') return key.keyId;
  throw new PlaneError(
    'InvalidParameter.KMSKeyId.CMKNotEnabled',
    `expected a key that is Enabled, ${key.keyId} is ${key.state}`,
  );
}

async function serviceKeyOf({ kms, accountId, regionId }: ControlContext): Promise<string> {
  return (await ask(() => kms.call({ op: 'serviceKey', accountId, regionId }))).keyId;
}

/** What these six operations say in place of KMS, where it is not what other disk verbs say. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  'Forbidden.KeyNotFound': 'InvalidOperation.KMSKeyIdNotFound',
  'Forbidden.AliasNotFound': 'InvalidOperation.KMSKeyIdNotFound',
  'Forbidden.KmsServiceNotEnabled': 'InvalidOperation.KMSServiceNotOpen',
};

async function ask<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const code = error instanceof PlaneError ? CODES[error.code] : undefined;
    if (code === undefined) throw toDiskError(error);
    throw new PlaneError(code, (error as PlaneError).toRecord().message, { cause: error });
  }
}

function settingOf({ metadata, accountId, regionId }: ControlContext): RegionRecord | undefined {
  return metadata.getDocument('region', scopeGroup(accountId, regionId));
}

async function put(
  { metadata, accountId, regionId }: ControlContext,
  setting: Omit<RegionRecord, 'accountId' | 'regionId'>,
): Promise<void> {
  const record = { accountId, regionId, ...setting };
  await metadata.commit({ putDocuments: [{ kind: 'region', record }] });
}

function lockOf({ accountId, regionId }: ControlContext): string {
  return `default-encryption/${accountId}/${regionId}`;
}
