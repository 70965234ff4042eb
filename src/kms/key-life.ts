/**
 * The life of a master key: made, described, enabled and disabled, protected, deleted.
 *
 * 1. Every account has one service key in every region, made at first use, alias acs/ecs. It is
 *    outside the quota, and nothing but use is allowed (key-states.ts).
 * 2. A key with Origin EXTERNAL is made without material: import-material.ts.
 *
 * **Thread:** KMS. **Source:** KMS API 2016-01-20.
 */
import { PlaneError } from '../base/errors.ts';
import type { KeyValueTransaction } from '../kv/key-value-store.ts';
import { KEY_DELETION_DAYS_MAX, KEY_DELETION_DAYS_MIN, MASTER_KEYS_MAX } from '../limits.ts';
import { isKeyId, makeKeyId } from '../record/ids.ts';
import type { KeyDescription, KeyScope } from '../record/kms-key.ts';
import type { KmsRequestOf } from '../record/kms-message.ts';
import { parseKeyReference, SERVICE_KEY_ALIAS, shown } from './key-reference.ts';
import { stateAfter } from './key-states.ts';
import { checkTags, withTags } from './key-tags.ts';
import { checkInterval, makeMaterial, requireVersionLeft } from './key-versions.ts';
import { isSameScope, type NamedKey, type Vault } from './vault.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * @throws PlaneError Rejected.LimitExceeded: MASTER_KEYS_MAX keys in the region;
 *   UnsupportedOperation: rotation of an EXTERNAL key; InvalidParameter
 */
export async function createKey(
  vault: Vault,
  request: KmsRequestOf<'createKey'>,
): Promise<KeyDescription> {
  const key = newKey(vault, request, request);
  checkTags(request.tags ?? []);
  if (key.rotationIntervalMs !== null) {
    stateAfter('setRotationPolicy', { ...key, state: 'Enabled' });
    checkInterval(key.rotationIntervalMs, key.protectionLevel);
  }
  return vault.transact((transaction) => {
    const keys = vault.keysIn(transaction, request).filter((one) => !one.isServiceKey);
    if (keys.length >= MASTER_KEYS_MAX) {
      const detail = `${request.regionId} has ${keys.length} keys, the most an account may have`;
      throw new PlaneError('Rejected.LimitExceeded', detail);
    }
    requireVersionLeft(vault, transaction, request);
    return storeNew(vault, transaction, withTags(key, request.tags ?? []));
  });
}

/** The service key of an account in a region, made if this is its first use. */
export async function serviceKey(
  vault: Vault,
  scope: KmsRequestOf<'serviceKey'>,
): Promise<KeyDescription> {
  const found = vault.tables.serviceKey(vault.reader, scope);
  if (found !== null) return found;
  return vault.transact((transaction) => {
    const made = vault.tables.serviceKey(transaction, scope);
    if (made !== null) return made;
    const key = newKey(vault, scope, { description: 'Service key of ECS disk encryption' });
    return storeNew(vault, transaction, { ...key, isServiceKey: true });
  });
}

/** @throws PlaneError Forbidden.KeyNotFound */
export function describeKey(vault: Vault, request: KmsRequestOf<'describeKey'>): KeyDescription {
  return find(vault, request);
}

function find(vault: Vault, request: NamedKey): KeyDescription {
  const key = vault.requireKey(vault.reader, request);
  stateAfter('describe', key);
  return key;
}

/** @throws PlaneError Forbidden.KeyNotFound, Forbidden.AliasNotFound */
export async function resolveKey(
  vault: Vault,
  request: KmsRequestOf<'resolveKey'>,
): Promise<KeyDescription> {
  const { kind, name, scope } = parseKeyReference(request.keyId);
  const isHere = scope === null || isSameScope(scope, request);
  const isServiceKey = kind === 'alias' && name === SERVICE_KEY_ALIAS && isHere;
  return isServiceKey ? serviceKey(vault, { ...request, op: 'serviceKey' }) : find(vault, request);
}

/** @throws PlaneError Forbidden.KeyNotFound, Rejected.* */
export function checkKeyUsable(
  vault: Vault,
  request: KmsRequestOf<'checkKeyUsable'>,
): KeyDescription {
  const key = vault.requireKey(vault.reader, request);
  stateAfter('use', key);
  return key;
}

/** Oldest first. Those made at one time stay in the order of their ids, in which they are kept. */
export function listKeys(vault: Vault, scope: KmsRequestOf<'listKeys'>): KeyDescription[] {
  return vault.keysIn(vault.reader, scope).sort((a, b) => a.createdAt - b.createdAt);
}

export function enableKey(
  vault: Vault,
  request: KmsRequestOf<'enableKey'>,
): Promise<KeyDescription> {
  return vault.change('enable', request, (key) => key);
}

/** Data keys can neither be made nor unwrapped until it is enabled again. */
export function disableKey(
  vault: Vault,
  request: KmsRequestOf<'disableKey'>,
): Promise<KeyDescription> {
  return vault.change('disable', request, (key) => key);
}

/**
 * @throws PlaneError InvalidParameter: pendingDays outside the limits;
 *   Rejected.UnsupportedOperation: the key is protected against deletion
 */
export async function scheduleKeyDeletion(
  vault: Vault,
  request: KmsRequestOf<'scheduleKeyDeletion'>,
): Promise<KeyDescription> {
  const { pendingDays } = request;
  const isAllowed = pendingDays >= KEY_DELETION_DAYS_MIN && pendingDays <= KEY_DELETION_DAYS_MAX;
  if (!Number.isInteger(pendingDays) || !isAllowed) {
    const limits = `${KEY_DELETION_DAYS_MIN} to ${KEY_DELETION_DAYS_MAX} days`;
    const detail = `PendingWindowInDays: expected ${limits}, got ${pendingDays}`;
    throw new PlaneError('InvalidParameter', detail);
  }
  return vault.change('scheduleDeletion', request, (key) => {
    if (key.isDeletionProtected) {
      const detail = `${key.keyId} is protected against deletion: lift the protection first`;
      throw new PlaneError('Rejected.UnsupportedOperation', detail);
    }
    return { ...key, deletionAt: vault.clock.now() + pendingDays * DAY_MS };
  });
}

export function cancelKeyDeletion(
  vault: Vault,
  request: KmsRequestOf<'cancelKeyDeletion'>,
): Promise<KeyDescription> {
  return vault.change('cancelDeletion', request, (key) => ({ ...key, deletionAt: null }));
}

export function setDeletionProtection(
  vault: Vault,
  request: KmsRequestOf<'setDeletionProtection'>,
): Promise<KeyDescription> {
  const { isProtected, description } = request;
  return vault.change('setDeletionProtection', request, (key) => ({
    ...key,
    isDeletionProtected: isProtected,
    deletionProtectionDescription: isProtected ? description : '',
  }));
}

export function updateKeyDescription(
  vault: Vault,
  request: KmsRequestOf<'updateKeyDescription'>,
): Promise<KeyDescription> {
  const { description } = request;
  return vault.change('updateDescription', request, (key) => ({ ...key, description }));
}

/** Like the description, a policy is text about the key: nothing here is decided by it. */
export function setKeyPolicy(
  vault: Vault,
  request: KmsRequestOf<'setKeyPolicy'>,
): Promise<KeyDescription> {
  const { policy } = request;
  return vault.change('updateDescription', request, (key) => ({ ...key, policy }));
}

type KeyPlan = Pick<
  KmsRequestOf<'createKey'>,
  | 'description'
  | 'origin'
  | 'asymmetricSpec'
  | 'protectionLevel'
  | 'rotationIntervalMs'
  | 'policy'
  | 'fixedKeyId'
>;

function newKey(vault: Vault, scope: KeyScope, plan: KeyPlan): KeyDescription {
  const { fixedKeyId, origin = 'Aliyun_KMS', asymmetricSpec, policy } = plan;
  if (fixedKeyId !== undefined && !isKeyId(fixedKeyId)) {
    throw new PlaneError('InvalidParameter', `${shown(fixedKeyId)} is no id of a key`);
  }
  if (asymmetricSpec !== undefined && origin === 'EXTERNAL') {
    const detail = `material is imported for symmetric keys, not for ${asymmetricSpec}`;
    throw new PlaneError('UnsupportedOperation', detail);
  }
  const now = vault.clock.now();
  const hasMaterial = origin === 'Aliyun_KMS';
  return {
    keyId: fixedKeyId ?? makeKeyId((byteCount) => vault.randomBytes(byteCount)),
    accountId: scope.accountId,
    regionId: scope.regionId,
    state: hasMaterial ? 'Enabled' : 'PendingImport',
    origin,
    ...(asymmetricSpec === undefined ? {} : { asymmetricSpec }),
    protectionLevel: plan.protectionLevel ?? 'SOFTWARE',
    isServiceKey: false,
    description: plan.description,
    primaryVersion: 1,
    createdAt: now,
    deletionAt: null,
    hasMaterial,
    materialExpiresAt: null,
    lastRotationAt: now,
    rotationIntervalMs: plan.rotationIntervalMs ?? null,
    isDeletionProtected: false,
    deletionProtectionDescription: '',
    tags: [],
    ...(policy === undefined ? {} : { policy }),
  };
}

function storeNew(
  vault: Vault,
  transaction: KeyValueTransaction,
  key: KeyDescription,
): KeyDescription {
  if (vault.tables.readKey(transaction, key.keyId) !== null) {
    throw new PlaneError('InvalidParameter', `there is a key ${key.keyId} already`);
  }
  if (key.hasMaterial) makeMaterial(vault, transaction, key);
  vault.putKey(transaction, key);
  return key;
}
