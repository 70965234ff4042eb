/**
 * DATA: is a new disk encrypted, and by which key. Hit policy unique: exactly one row for each
 * combination of source, Encrypted and KMSKeyId (tested over the whole product).
 *
 * These rows are those without account-level default encryption. A row that would need the source's
 * data encrypted anew refuses: disks share their source's ciphertext.
 */
import type { ErrorCode } from '../base/errors.ts';

export type SourceKind = 'none' | 'plain' | 'encrypted';
export type EncryptedParameter = 'absent' | 'false' | 'true';
/** 'source': the KMSKeyId given is the one the source is encrypted under. */
export type KeyParameter = 'absent' | 'source' | 'other';

export type EncryptionOutcome =
  /** Stored in plain. */
  | { readonly kind: 'plain' }
  /** A data key of its own under KMSKeyId. */
  | { readonly kind: 'requestedKey' }
  /** A data key of its own under the service key, alias acs/ecs. */
  | { readonly kind: 'serviceKey' }
  /** The data key and the master key of the source. */
  | { readonly kind: 'sourceKey' }
  | { readonly kind: 'refuse'; readonly code: ErrorCode };

export interface EncryptionRule {
  readonly sources: readonly SourceKind[];
  readonly encrypted: readonly EncryptedParameter[];
  readonly keys: readonly KeyParameter[];
  readonly outcome: EncryptionOutcome;
  readonly because: string;
  /** The document the row comes from. */
  readonly source: string;
}

const OVERVIEW_2018 = 'ECS disk encryption (2018)';
const DEFAULT_ENCRYPTION_2025 = 'Account-level EBS Default Encryption (2025)';

export const ENCRYPTION_RULES: readonly EncryptionRule[] = [
  {
    sources: ['none', 'plain'],
    encrypted: ['absent', 'false'],
    keys: ['absent'],
    outcome: { kind: 'plain' },
    because: 'encryption was not asked for, and the source is not encrypted',
    source: DEFAULT_ENCRYPTION_2025,
  },
  {
    sources: ['none', 'plain'],
    encrypted: ['absent', 'false'],
    keys: ['source', 'other'],
    outcome: { kind: 'refuse', code: 'InvalidParameter.EncryptedIllegal' },
    because: 'a key was given, but encryption was not asked for',
    source: 'ECS CreateDisk, InvalidParameter.EncryptedIllegal',
  },
  {
    sources: ['none'],
    encrypted: ['true'],
    keys: ['absent'],
    outcome: { kind: 'serviceKey' },
    because: 'without a key the service key of the region is used',
    source: DEFAULT_ENCRYPTION_2025,
  },
  {
    sources: ['none'],
    encrypted: ['true'],
    keys: ['source', 'other'],
    outcome: { kind: 'requestedKey' },
    because: 'the key given has precedence over all others',
    source: DEFAULT_ENCRYPTION_2025,
  },
  {
    sources: ['plain'],
    encrypted: ['true'],
    keys: ['absent', 'source', 'other'],
    outcome: { kind: 'refuse', code: 'InvalidParameter.EncryptedNotMatch' },
    because: 'the source is not encrypted, and its data would have to be encrypted anew',
    source: OVERVIEW_2018,
  },
  {
    sources: ['encrypted'],
    encrypted: ['absent', 'true'],
    keys: ['absent', 'source'],
    outcome: { kind: 'sourceKey' },
    because: 'disks made from an encrypted source keep its key',
    source: OVERVIEW_2018,
  },
  {
    sources: ['encrypted'],
    encrypted: ['absent', 'true'],
    keys: ['other'],
    outcome: { kind: 'refuse', code: 'InvalidParameter.Conflict' },
    because:
      'the source is encrypted under another key, and its data would have to be encrypted anew',
    source: OVERVIEW_2018,
  },
  {
    sources: ['encrypted'],
    encrypted: ['false'],
    keys: ['absent', 'source', 'other'],
    outcome: { kind: 'refuse', code: 'InvalidParameter.EncryptedNotMatch' },
    because: 'what is encrypted never becomes unencrypted',
    source: OVERVIEW_2018,
  },
];

/** Every row that matches: one, if the table is what it promises to be. */
export function matchEncryptionRules(
  source: SourceKind,
  encrypted: EncryptedParameter,
  key: KeyParameter,
): readonly EncryptionRule[] {
  return ENCRYPTION_RULES.filter(
    (row) =>
      row.sources.includes(source) && row.encrypted.includes(encrypted) && row.keys.includes(key),
  );
}
