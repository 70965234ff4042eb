/**
 * What is said to the KMS thread, by main (KmsRequest) and by a shard (UnwrapRequest).
 *
 * 1. Main is never sent a disk's plaintext data key: it travels only in UnwrapReply.key, on the
 *    private channel between a shard and the KMS thread, by transfer (never by clone, which leaves
 *    a copy in the freed serialisation buffer).
 * 2. The fields named `plaintext` are what a caller of the KMS API encrypts or asks for: API data.
 *    No request that answers one opens a disk's wrapped key (kms/ciphertext-blob.ts).
 * 3. Replies carry the id of their request: a channel may hold answers to earlier questions.
 * 4. A request names the account and the region it is made in. Keys of others do not exist for it.
 *
 * What is known about keys: record/kms-key.ts.
 */
import type { ErrorRecord } from '../base/errors.ts';
import type { FaultKind } from '../base/faults.ts';
import type {
  AliasDescription,
  AsymmetricSpec,
  EncryptionContext,
  ImportParameters,
  KeyDescription,
  KeyOrigin,
  KeyScope,
  KeySearch,
  KeyTag,
  KeyVersionDescription,
  KmsAccountStatus,
  ProtectionLevel,
  WrappingAlgorithm,
} from './kms-key.ts';

/** What a wrapped data key is bound to: a change of any field and it never opens. */
export interface WrapContext extends KeyScope {
  /** The disk the data key was made for; snapshots and clones of it keep naming it. */
  readonly lineageId: string;
}

/** A key of the scope: by its id, its ARN, an alias, or the ARN of an alias. */
interface NamedKey extends KeyScope {
  readonly keyId: string;
}

interface NamedKeys extends KeyScope {
  readonly keyIds: readonly string[];
}

/** What CreateKey may be told. */
interface NewKey extends KeyScope {
  readonly description: string;
  /** @default Aliyun_KMS */
  readonly origin?: KeyOrigin;
  /** @default none: Aliyun_AES_256 */
  readonly asymmetricSpec?: AsymmetricSpec;
  /** @default SOFTWARE */
  readonly protectionLevel?: ProtectionLevel;
  /** Milliseconds between automatic rotations. @default none */
  readonly rotationIntervalMs?: number;
  readonly tags?: readonly KeyTag[];
  /** JSON; absent: the one a key begins with. */
  readonly policy?: string;
  /** The id it is to have. Internal: for worlds that are set up with fixed ids. @default drawn */
  readonly fixedKeyId?: string;
}

interface Page {
  readonly skip: number;
  readonly limit: number;
}

interface CryptoRequest extends KeyScope {
  readonly encryptionContext: EncryptionContext;
}

/** The key and the version of it that encrypted or decrypted. */
interface UsedVersion {
  readonly keyId: string;
  readonly version: number;
}

interface Encrypted extends UsedVersion {
  /** Format: kms/ciphertext-blob.ts. */
  readonly ciphertextBlob: Uint8Array;
}

/** Every request of main: what it says beside `op`, and what it answers when it succeeds. */
interface KmsOperations {
  createKey: { request: NewKey; result: KeyDescription };
  /** The region's service key, made if this is its first use. Internal: for disks. */
  serviceKey: { request: KeyScope; result: KeyDescription };
  describeKey: { request: NamedKey; result: KeyDescription };
  /** As describeKey; alias acs/ecs is made if this is its first use. Internal: for disks. */
  resolveKey: { request: NamedKey; result: KeyDescription };
  /** Refuses as a use of the key would, and changes nothing. Internal: for disks. */
  checkKeyUsable: { request: NamedKey; result: KeyDescription };
  /** All keys of the region, the service key among them, oldest first. */
  listKeys: { request: KeyScope; result: KeyDescription[] };
  enableKey: { request: NamedKey; result: KeyDescription };
  disableKey: { request: NamedKey; result: KeyDescription };
  scheduleKeyDeletion: {
    request: NamedKey & { readonly pendingDays: number };
    result: KeyDescription;
  };
  cancelKeyDeletion: { request: NamedKey; result: KeyDescription };
  setDeletionProtection: {
    request: NamedKey & { readonly isProtected: boolean; readonly description: string };
    result: KeyDescription;
  };
  updateKeyDescription: {
    request: NamedKey & { readonly description: string };
    result: KeyDescription;
  };
  setKeyPolicy: {
    request: NamedKey & { readonly policy: string };
    result: KeyDescription;
  };
  /** Gives the key a new primary version. */
  rotateKey: { request: NamedKey; result: KeyDescription };
  /** null: no automatic rotation. */
  updateRotationPolicy: {
    request: NamedKey & { readonly rotationIntervalMs: number | null };
    result: KeyDescription;
  };
  /** Oldest first. */
  listKeyVersions: {
    request: NamedKey & Page;
    result: { readonly total: number; readonly versions: KeyVersionDescription[] };
  };
  describeKeyVersion: {
    request: NamedKey & { readonly version: number };
    result: KeyVersionDescription;
  };
  createAlias: { request: NamedKey & { readonly aliasName: string }; result: AliasDescription };
  updateAlias: { request: NamedKey & { readonly aliasName: string }; result: AliasDescription };
  deleteAlias: { request: KeyScope & { readonly aliasName: string }; result: null };
  /** By name. keyId null: of all keys. */
  listAliases: {
    request: KeyScope & { readonly keyId: string | null };
    result: AliasDescription[];
  };
  /** All keys or none. */
  tagKeys: {
    request: NamedKeys & { readonly tags: readonly KeyTag[] };
    result: KeyDescription[];
  };
  /** tagKeys null: all a user may remove. All keys or none. */
  untagKeys: {
    request: NamedKeys & { readonly tagKeys: readonly string[] | null };
    result: KeyDescription[];
  };
  /** Says on the key itself that it protects disks, as its first wrapping for one does too. */
  tagForDisks: { request: NamedKey; result: KeyDescription };
  getImportParameters: {
    request: NamedKey & { readonly wrappingAlgorithm: WrappingAlgorithm };
    result: ImportParameters;
  };
  importKeyMaterial: {
    request: NamedKey & {
      readonly encryptedMaterial: Uint8Array;
      readonly importToken: Uint8Array;
      /** Milliseconds since 1970; null: never. */
      readonly expiresAt: number | null;
    };
    result: KeyDescription;
  };
  deleteKeyMaterial: { request: NamedKey; result: KeyDescription };
  /** plaintext is null unless it was asked for. */
  generateDataKey: {
    request: CryptoRequest &
      NamedKey & { readonly byteCount: number; readonly withPlaintext: boolean };
    result: Encrypted & { readonly plaintext: Uint8Array | null };
  };
  encrypt: {
    request: CryptoRequest & NamedKey & { readonly plaintext: Uint8Array };
    result: Encrypted;
  };
  decrypt: {
    request: CryptoRequest & { readonly ciphertextBlob: Uint8Array };
    result: UsedVersion & { readonly plaintext: Uint8Array };
  };
  /** encryptionContext is the source's. keyId is the key to encrypt under. */
  reEncrypt: {
    request: CryptoRequest &
      NamedKey & {
        readonly ciphertextBlob: Uint8Array;
        readonly destinationContext: EncryptionContext;
        /** The key the blob must be of; null: any. */
        readonly sourceKeyId: string | null;
        readonly sourceVersion: number | null;
      };
    result: Encrypted;
  };
  openKms: { request: KeyScope; result: KmsAccountStatus };
  describeAccountStatus: { request: KeyScope; result: KmsAccountStatus };
  /** Internal: for worlds that are set up with KMS not activated, suspended or overdue. */
  setAccountStatus: {
    request: KeyScope & { readonly status: KmsAccountStatus };
    result: KmsAccountStatus;
  };
  /** The wrapped data key's bytes: format in kms/wrap.ts. The plaintext was erased. */
  generateWrappedDataKey: {
    request: { readonly keyId: string; readonly context: WrapContext };
    result: Uint8Array;
  };
  /** Looks for a data key in every file below a directory. Answered when all are read. */
  searchForKey: {
    request: {
      readonly wrappedKey: Uint8Array;
      readonly context: WrapContext;
      readonly directory: string;
    };
    result: KeySearch;
  };
}

export type KmsOperation = keyof KmsOperations;

/** The request of one operation. */
export type KmsRequestOf<O extends KmsOperation> = KmsOperations[O]['request'] & {
  readonly op: O;
  /** Changes nothing: DryRunOperationError, if it would have succeeded. @default false */
  readonly dryRun?: boolean;
};

/** Requests by main. */
export type KmsRequest = { [O in KmsOperation]: KmsRequestOf<O> }[KmsOperation];

/** What each request answers when it succeeds. */
export type KmsResults = { [O in KmsOperation]: KmsOperations[O]['result'] };

/** Main to KMS. */
export type KmsCall =
  | { readonly kind: 'call'; readonly id: number; readonly request: KmsRequest }
  /** Hands over one end of a shard's private channel, and its doorbell (see shard-channel.ts). */
  | {
      readonly kind: 'introduce';
      readonly id: number;
      readonly port: unknown;
      readonly doorbell: Int32Array;
    }
  /** To be answered: does it live? */
  | { readonly kind: 'ping'; readonly id: number }
  /** A fault to have. Only a thread that tests have started takes it. */
  | { readonly kind: 'sabotage'; readonly id: number; readonly fault: FaultKind }
  | { readonly kind: 'close'; readonly id: number };

/** KMS to main. */
export type KmsReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: ErrorRecord }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorRecord };

/** Shard to KMS, private channel. */
export interface UnwrapRequest {
  readonly id: number;
  readonly wrappedKey: Uint8Array;
  readonly context: WrapContext;
}

/** KMS to shard, private channel. `key` is 32 bytes and is transferred. */
export type UnwrapReply =
  | { readonly id: number; readonly key: ArrayBuffer }
  | { readonly id: number; readonly error: ErrorRecord };
