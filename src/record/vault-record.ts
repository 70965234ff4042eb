/**
 * Records of the KMS vault. Each is stored as the body of a sealed record (kms/sealed-record.ts),
 * so a change by anyone without the root key is found. The record of a master key itself is its
 * KeyDescription, that of an alias its AliasDescription.
 */
import type { KeyScope, KmsAccountStatus, WrappingAlgorithm } from './kms-key.ts';

/** Tells a wrong root key from a damaged vault. */
export interface VaultCheckRecord {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** One version of a master key; its material is the secret of the same sealed record. */
export interface KeyVersionRecord extends KeyScope {
  readonly keyId: string;
  /** Counts from 1. */
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Messages this version may have encrypted so far: never less than it has. */
  readonly wrapsReserved: number;
}

/** What is kept of imported material when it is deleted or expires. */
export interface ImportedMaterialRecord extends KeyScope {
  readonly keyId: string;
  /** HMAC-SHA-256 under a key of the vault: tells the same material from another, and no more. */
  readonly fingerprint: Uint8Array;
  /** As in KeyVersionRecord, of when the material went: the count goes on when it is back. */
  readonly wrapsReserved: number;
}

/**
 * A pair of keys made for an import, the latest of its master key. The private key is the secret of
 * the stored record; the same body, sealed without it, is the import token.
 */
export interface ImportParametersRecord extends KeyScope {
  readonly keyId: string;
  readonly tokenId: string;
  readonly wrappingAlgorithm: WrappingAlgorithm;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** An account that is not as every account is at first: with KMS activated. */
export interface KmsAccountRecord extends KeyScope {
  readonly status: KmsAccountStatus;
}
