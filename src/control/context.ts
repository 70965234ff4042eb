/**
 * What the verbs are given: told, not asked.
 *
 * **Thread:** main.
 */
import type { Clock } from '../base/clock.ts';
import type { Metadata } from '../meta/metadata.ts';
import type { KmsRequest, KmsResults } from '../record/kms-message.ts';
import type { ShardRequest } from '../record/shard-message.ts';
import type { TokensInUse } from './access/tokens.ts';
import type { RuleSet } from './encryption/cells.ts';
import type { ResourceLocks } from './resource-locks.ts';

/** The KMS thread, as far as the control plane needs it. */
export interface KmsCalls {
  call<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]>;
}

/** Who makes a call. */
export interface Principal {
  readonly accountId: string;
  /** The RAM user; null: the account itself. */
  readonly userName: string | null;
  /** The region of calls that name none. */
  readonly regionId: string;
}

/** What all calls of a plane share. */
export interface PlaneContext {
  readonly clock: Clock;
  readonly randomBytes: (byteCount: number) => Uint8Array;
  readonly metadata: Metadata;
  readonly kms: KmsCalls;
  readonly shards: {
    readonly count: number;
    call(shardIndex: number, request: ShardRequest): Promise<unknown>;
  };
  /** The attached face of disks. */
  readonly volumes: {
    /** Resolves when the requests in flight to the disk are settled. */
    drain(diskId: string): Promise<void>;
    /** Grows the open volume, if the disk is attached. */
    resize(diskId: string, sizeBytes: number): Promise<void>;
  };
  readonly locks: ResourceLocks;
  readonly tokens: TokensInUse;
  /** The generation of the product whose rules hold. */
  readonly ruleSet: RuleSet;
  readonly tasks: {
    /** Begins to move what the lower layers of a disk or snapshot hold up to its top layer. */
    reencrypt(resourceId: string): Promise<void>;
  };
}

/** What one call is given. */
export interface ControlContext extends PlaneContext {
  readonly principal: Principal;
  /** Whose resources the call is about, and where. */
  readonly accountId: string;
  readonly regionId: string;
  /**
   * To be called when everything is checked and nothing is changed yet.
   *
   * @throws PlaneError DryRunOperation: the caller wanted no more than that
   */
  readonly passValidation: () => void;
}
