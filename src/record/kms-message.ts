/**
 * What is said to the KMS thread, by main (KmsRequest) and by a shard (UnwrapRequest).
 *
 * 1. Main is never sent a plaintext data key: no reply to main has a field that could hold one.
 * 2. A plaintext data key travels only in UnwrapReply.key, on the private channel between a shard
 *    and the KMS thread, by transfer (never by clone, which leaves a copy in the freed
 *    serialisation buffer).
 * 3. Replies carry the id of their request: a channel may hold answers to earlier questions.
 */
import type { ErrorRecord } from '../base/errors.ts';

/** Public state of a master key. Source: KMS DescribeKey, KeyMetadata.KeyState. */
export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

/** A master key as anyone may see it: no material. */
export interface KeyDescription {
  readonly keyId: string;
  readonly accountId: string;
  readonly regionId: string;
  readonly state: KeyState;
  /** True for the region's own key, alias acs/ecs: cannot be disabled, rotated or deleted. */
  readonly isServiceKey: boolean;
  readonly description: string;
  /** Version new data keys are wrapped under; versions count from 1 and are never removed. */
  readonly primaryVersion: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970, null unless state is PendingDeletion. */
  readonly deletionAt: number | null;
}

/** What a wrapped data key is bound to: a change of any field and it never opens. */
export interface WrapContext {
  readonly accountId: string;
  readonly regionId: string;
  /** The disk the data key was made for; snapshots and clones of it keep naming it. */
  readonly lineageId: string;
}

/** Requests by main. */
export type KmsRequest =
  | {
      readonly op: 'createKey';
      readonly accountId: string;
      readonly regionId: string;
      readonly description: string;
      /** The id it is to have. Internal: for worlds that are set up with fixed ids. @default drawn */
      readonly fixedKeyId?: string;
    }
  | { readonly op: 'serviceKey'; readonly accountId: string; readonly regionId: string }
  | { readonly op: 'describeKey'; readonly keyId: string }
  | { readonly op: 'listKeys'; readonly accountId: string; readonly regionId: string }
  | { readonly op: 'enableKey'; readonly keyId: string }
  | { readonly op: 'disableKey'; readonly keyId: string }
  | { readonly op: 'rotateKey'; readonly keyId: string }
  | { readonly op: 'scheduleKeyDeletion'; readonly keyId: string; readonly pendingDays: number }
  | { readonly op: 'cancelKeyDeletion'; readonly keyId: string }
  | {
      readonly op: 'generateWrappedDataKey';
      readonly keyId: string;
      readonly context: WrapContext;
    }
  /** Looks for a data key in every file below a directory. Answered when all are read. */
  | {
      readonly op: 'searchForKey';
      readonly wrappedKey: Uint8Array;
      readonly context: WrapContext;
      readonly directory: string;
    };

/** What a search of files for a data key found. */
export interface KeySearch {
  readonly files: number;
  readonly bytes: number;
  /** Places where the data key lies in plain, in any form looked for. */
  readonly hits: number;
  /** Places where it lies wrapped: proof that the search finds keys where there are some. */
  readonly wrappedKeyHits: number;
}

/** What each request answers when it succeeds. */
export interface KmsResults {
  createKey: KeyDescription;
  serviceKey: KeyDescription;
  describeKey: KeyDescription;
  listKeys: KeyDescription[];
  enableKey: KeyDescription;
  disableKey: KeyDescription;
  rotateKey: KeyDescription;
  scheduleKeyDeletion: KeyDescription;
  cancelKeyDeletion: KeyDescription;
  /** The wrapped data key's bytes: format in kms/wrap.ts. The plaintext was erased. */
  generateWrappedDataKey: Uint8Array;
  searchForKey: KeySearch;
}

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
