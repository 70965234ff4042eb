/**
 * What is known about master keys. No field holds key material.
 *
 * Names and values are the cloud's where it has some. **Source:** KMS API 2016-01-20, DescribeKey.
 */

/** Public state of a master key. Source: KMS DescribeKey, KeyMetadata.KeyState. */
export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport';

/** Who made the material: the KMS, or the key's owner, who imports it (BYOK). */
export type KeyOrigin = 'Aliyun_KMS' | 'EXTERNAL';

/** Kinds of asymmetric keys. No pair is made: nothing here signs, and none can protect a disk. */
export const ASYMMETRIC_SPECS = ['RSA_2048', 'RSA_3072', 'EC_P256', 'EC_P256K'] as const;
export type AsymmetricSpec = (typeof ASYMMETRIC_SPECS)[number];

/** Recorded and answered; what an HSM would protect is kept as SOFTWARE is. */
export type ProtectionLevel = 'SOFTWARE' | 'HSM';

/** Index is the cloud's word for an account that is overdue. Only Enabled serves. */
export type KmsAccountStatus = 'Enabled' | 'NotEnabled' | 'Index' | 'Suspended';

export type WrappingAlgorithm = 'RSAES_OAEP_SHA_256' | 'RSAES_OAEP_SHA_1' | 'RSAES_PKCS1_V1_5';

/** The account and region a key belongs to. */
export interface KeyScope {
  readonly accountId: string;
  readonly regionId: string;
}

export interface KeyTag {
  readonly key: string;
  readonly value: string;
}

/** A master key as anyone may see it: no material. */
export interface KeyDescription extends KeyScope {
  readonly keyId: string;
  readonly state: KeyState;
  readonly origin: KeyOrigin;
  /** Absent: Aliyun_AES_256, the one kind that is used. */
  readonly asymmetricSpec?: AsymmetricSpec;
  readonly protectionLevel: ProtectionLevel;
  /** True for the region's own key, alias acs/ecs: it only serves, nobody changes it. */
  readonly isServiceKey: boolean;
  readonly description: string;
  /** Version new data keys are wrapped under; versions count from 1 and are never removed. */
  readonly primaryVersion: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970, null unless state is PendingDeletion. */
  readonly deletionAt: number | null;
  /** False for an EXTERNAL key whose material was not imported, was deleted, or expired. */
  readonly hasMaterial: boolean;
  /** Milliseconds since 1970, null: never. */
  readonly materialExpiresAt: number | null;
  /** When the primary version was made, milliseconds since 1970. */
  readonly lastRotationAt: number;
  /** Time between automatic rotations, null: there are none. */
  readonly rotationIntervalMs: number | null;
  readonly isDeletionProtected: boolean;
  readonly deletionProtectionDescription: string;
  /** By key, each key once. */
  readonly tags: readonly KeyTag[];
  /** JSON, as its owner wrote it; absent: the one a key begins with. Kept, and not enforced. */
  readonly policy?: string;
}

export interface KeyVersionDescription {
  readonly keyId: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface AliasDescription extends KeyScope {
  /** alias/..., unique in its scope. */
  readonly aliasName: string;
  readonly keyId: string;
}

/** What a key's owner needs to wrap the material for import. */
export interface ImportParameters {
  readonly keyId: string;
  /** To be given back with the material. Opaque, authenticated. */
  readonly importToken: Uint8Array;
  /** SubjectPublicKeyInfo, DER. The private half never leaves the vault. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What a ciphertext of the API is bound to, not stored in it. The order means nothing. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** What a search of files for a data key found. */
export interface KeySearch {
  readonly files: number;
  readonly bytes: number;
  /** Places where the data key lies in plain, in any form looked for. */
  readonly hits: number;
  /** Places where it lies wrapped: proof that the search finds keys where there are some. */
  readonly wrappedKeyHits: number;
}
