/** Master keys as the KMS API shows them. Source: DescribeKey, KeyMetadata. */
import type {
  AliasDescription,
  AsymmetricSpec,
  KeyDescription,
  KeyVersionDescription,
} from '../../record/kms-key.ts';
import { isoSeconds } from '../schemas.ts';
import type { KeyAlias, KeyMetadata, KeyVersion } from './types.ts';

const SECOND_MS = 1_000;

/** The kind of key that is used here: AES-256, as disks need it. */
export const KEY_SPEC = 'Aliyun_AES_256';
export const KEY_USAGE = 'ENCRYPT/DECRYPT';

export function keyMetadata(key: KeyDescription): KeyMetadata {
  const { rotationIntervalMs, lastRotationAt } = key;
  const nextRotationAt = rotationIntervalMs === null ? null : lastRotationAt + rotationIntervalMs;
  return {
    KeyId: key.keyId,
    Arn: keyArn(key),
    KeyState: key.state,
    KeySpec: key.asymmetricSpec ?? KEY_SPEC,
    KeyUsage: usageOfSpec(key.asymmetricSpec),
    Origin: key.origin,
    ProtectionLevel: key.protectionLevel,
    Creator: key.isServiceKey ? 'Ecs' : key.accountId,
    Description: key.description,
    CreationDate: isoSeconds(key.createdAt),
    DeleteDate: timeOrEmpty(key.deletionAt),
    MaterialExpireTime: timeOrEmpty(key.materialExpiresAt),
    PrimaryKeyVersion: String(key.primaryVersion),
    LastRotationDate: isoSeconds(lastRotationAt),
    AutomaticRotation: automaticRotation(key),
    RotationInterval: rotationIntervalMs === null ? '' : `${rotationIntervalMs / SECOND_MS}s`,
    NextRotationDate: timeOrEmpty(nextRotationAt),
    DeletionProtection: key.isDeletionProtected ? 'Enabled' : 'Disabled',
    DeletionProtectionDescription: key.deletionProtectionDescription,
  };
}

/** What a key of a kind is for. */
export function usageOfSpec(spec: AsymmetricSpec | undefined): string {
  return spec?.startsWith('EC_') ? 'SIGN/VERIFY' : KEY_USAGE;
}

export function keyArn({ accountId, regionId, keyId }: KeyDescription): string {
  return `acs:kms:${regionId}:${accountId}:key/${keyId}`;
}

export function keyVersion(version: KeyVersionDescription): KeyVersion {
  return {
    KeyId: version.keyId,
    KeyVersionId: String(version.version),
    CreationDate: isoSeconds(version.createdAt),
  };
}

export function keyAlias({ accountId, regionId, aliasName, keyId }: AliasDescription): KeyAlias {
  return {
    KeyId: keyId,
    AliasName: aliasName,
    AliasArn: `acs:kms:${regionId}:${accountId}:${aliasName}`,
  };
}

function automaticRotation({ rotationIntervalMs, state }: KeyDescription): string {
  if (rotationIntervalMs === null) return 'Disabled';
  return state === 'Enabled' ? 'Enabled' : 'Suspended';
}

function timeOrEmpty(milliseconds: number | null): string {
  return milliseconds === null ? '' : isoSeconds(milliseconds);
}
