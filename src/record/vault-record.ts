/**
 * Records of the KMS vault. Each is stored as the body of a sealed record (kms/sealed-record.ts),
 * so a change by anyone without the root key is found. The record of a master key itself is its
 * KeyDescription.
 */

/** Tells a wrong root key from a damaged vault. */
export interface VaultCheckRecord {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** One version of a master key; its material is the secret of the same sealed record. */
export interface KeyVersionRecord {
  readonly keyId: string;
  readonly accountId: string;
  readonly regionId: string;
  /** Counts from 1. */
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Data keys this version may have wrapped so far: never less than it has. */
  readonly wrapsReserved: number;
}
