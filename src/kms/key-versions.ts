/**
 * Versions of a master key, and their rotation by hand and by the clock.
 *
 * 1. What is new is encrypted under the newest version; what any version encrypted it decrypts for
 *    as long as the key exists. No disk's data is touched by a rotation.
 * 2. A key with a rotation interval gets a version when lastRotationAt + interval has come and it
 *    is Enabled; while it is not, its rotation is suspended, and made up for afterwards.
 * 3. The cloud rotates symmetric keys by the clock only, and offers CreateKeyVersion for asymmetric
 *    ones, seven days apart. Here it rotates any key of our own at any time: a test cannot wait.
 *
 * **Thread:** KMS. **Source:** KMS developer guide, key rotation; UpdateRotationPolicy.
 */
import { allocateKey, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import type { KeyValueReader, KeyValueTransaction } from '../kv/key-value-store.ts';
import {
  KEY_BYTES,
  KEY_ROTATION_DAYS_HSM_MAX,
  KEY_ROTATION_DAYS_MAX,
  KEY_ROTATION_DAYS_MIN,
  KEY_VERSIONS_MAX,
} from '../limits.ts';
import type {
  KeyDescription,
  KeyScope,
  KeyVersionDescription,
  ProtectionLevel,
} from '../record/kms-key.ts';
import type { KmsRequestOf, KmsResults } from '../record/kms-message.ts';
import { stateAfter } from './key-states.ts';
import type { Vault } from './vault.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** @throws PlaneError Rejected.LimitExceeded, Rejected.*, UnsupportedOperation */
export function rotateKey(
  vault: Vault,
  request: KmsRequestOf<'rotateKey'>,
): Promise<KeyDescription> {
  return vault.change('rotate', request, (key, transaction) => {
    requireVersionLeft(vault, transaction, key);
    return addVersion(vault, transaction, key);
  });
}

/** @throws PlaneError InvalidParameter, Rejected.*, UnsupportedOperation */
export function updateRotationPolicy(
  vault: Vault,
  request: KmsRequestOf<'updateRotationPolicy'>,
): Promise<KeyDescription> {
  const { rotationIntervalMs } = request;
  return vault.change('setRotationPolicy', request, (key) => {
    if (rotationIntervalMs !== null) checkInterval(rotationIntervalMs, key.protectionLevel);
    return { ...key, rotationIntervalMs };
  });
}

/** @throws PlaneError InvalidParameter */
export function checkInterval(intervalMs: number, protectionLevel: ProtectionLevel): void {
  const days = intervalMs / DAY_MS;
  const daysMax = protectionLevel === 'HSM' ? KEY_ROTATION_DAYS_HSM_MAX : KEY_ROTATION_DAYS_MAX;
  if (Number.isInteger(intervalMs) && days >= KEY_ROTATION_DAYS_MIN && days <= daysMax) return;
  const expected = `${KEY_ROTATION_DAYS_MIN} to ${daysMax} days`;
  throw new PlaneError('InvalidParameter', `RotationInterval: expected ${expected}, got ${days}`);
}

/** An imported key whose material is gone has no versions to show. */
export function listKeyVersions(
  vault: Vault,
  request: KmsRequestOf<'listKeyVersions'>,
): KmsResults['listKeyVersions'] {
  const { reader } = vault;
  const key = vault.requireKey(reader, request);
  stateAfter('describe', key);
  const total = key.hasMaterial ? key.primaryVersion : 0;
  const versions: KeyVersionDescription[] = [];
  const end = Math.min(total, request.skip + request.limit);
  for (let version = request.skip + 1; version <= end; version++) {
    versions.push(describeVersion(vault, reader, key, version));
  }
  return { total, versions };
}

/** @throws PlaneError Forbidden.KeyVersionNotFound */
export function describeKeyVersion(
  vault: Vault,
  request: KmsRequestOf<'describeKeyVersion'>,
): KeyVersionDescription {
  const key = vault.requireKey(vault.reader, request);
  stateAfter('describe', key);
  const { version } = request;
  const isOne = Number.isInteger(version) && version >= 1 && version <= key.primaryVersion;
  if (!isOne || !key.hasMaterial) {
    throw new PlaneError('Forbidden.KeyVersionNotFound', `${key.keyId} has no version ${version}`);
  }
  return describeVersion(vault, vault.reader, key, version);
}

/** Makes the next version and its material. @returns the key, not yet stored */
export function addVersion(
  vault: Vault,
  transaction: KeyValueTransaction,
  key: KeyDescription,
): KeyDescription {
  const now = vault.clock.now();
  const rotated = { ...key, primaryVersion: key.primaryVersion + 1, lastRotationAt: now };
  makeMaterial(vault, transaction, rotated);
  return rotated;
}

/** Draws the material of the key's primary version. */
export function makeMaterial(
  vault: Vault,
  transaction: KeyValueTransaction,
  key: KeyDescription,
): void {
  const { keyId, accountId, regionId, primaryVersion: version, lastRotationAt: createdAt } = key;
  const record = { keyId, accountId, regionId, version, createdAt, wrapsReserved: 0 };
  const material = allocateKey(KEY_BYTES);
  try {
    vault.fillRandom(material);
    vault.tables.putVersion(transaction, record, material);
  } finally {
    zeroize(material);
  }
}

/** @throws PlaneError Rejected.LimitExceeded: KEY_VERSIONS_MAX versions in the region */
export function requireVersionLeft(vault: Vault, reader: KeyValueReader, scope: KeyScope): void {
  if (hasVersionLeft(vault, reader, scope)) return;
  const detail = `${scope.regionId} has ${KEY_VERSIONS_MAX} key versions, the most there may be`;
  throw new PlaneError('Rejected.LimitExceeded', detail);
}

export function hasVersionLeft(vault: Vault, reader: KeyValueReader, scope: KeyScope): boolean {
  const keys = vault.keysIn(reader, scope).filter((key) => !key.isServiceKey);
  const versions = keys.reduce((sum, key) => sum + key.primaryVersion, 0);
  return versions < KEY_VERSIONS_MAX;
}

function describeVersion(
  vault: Vault,
  reader: KeyValueReader,
  key: KeyDescription,
  version: number,
): KeyVersionDescription {
  return vault.tables.withVersion(reader, key, version, ({ createdAt }) => ({
    keyId: key.keyId,
    version,
    createdAt,
  }));
}
