/**
 * What the verbs are given: told, not asked.
 *
 * **Thread:** main.
 */
import type { Clock } from '../base/clock.ts';
import type { Metadata } from '../meta/metadata.ts';
import type { PerformanceProfile } from '../performance/profile.ts';
import type { ImageRecord } from '../record/document.ts';
import type { KmsRequest, KmsResults } from '../record/kms-message.ts';
import type { DiskRecord } from '../record/resource.ts';
import type { ShardRequest, VolumeLayer } from '../record/shard-message.ts';
import type { TokensInUse } from './access/tokens.ts';
import type { RuleSet } from './encryption/cells.ts';
import type { Quotas } from './quotas.ts';
import type { ResourceLocks } from './resource-locks.ts';
import type { UnnamedTrees } from './unnamed-trees.ts';

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
    /** Has an attached disk that is modelled be as fast as this. */
    changeProfile(diskId: string, profile: PerformanceProfile): void;
    /**
     * Opens the volume of a disk of a running instance, and keeps it open.
     *
     * @param disk its instanceId says whose limits it shares
     * @throws PlaneError Busy, what KMS or the shard answered: it is not open then
     */
    hold(disk: DiskRecord): Promise<void>;
    /** Waits for its requests in flight, closes it and erases its keys. No error if not held. */
    release(diskId: string): Promise<void>;
    /** How many times a snapshot is open for reading. */
    readerCount(snapshotId: string): number;
    /** Puts a new, empty layer on top of the open volume, if the disk is attached. */
    pushLayer(diskId: string, layer: VolumeLayer): Promise<void>;
  };
  readonly locks: ResourceLocks;
  readonly unnamedTrees: UnnamedTrees;
  readonly tokens: TokensInUse;
  /** The generation of the product whose rules hold. */
  readonly ruleSet: RuleSet;
  readonly quotas: Quotas;
  readonly tasks: {
    /**
     * Begins to move what the lower layers of a disk or snapshot hold up to its top layer; nothing
     * if it has one layer, or a task does so already. To be called when the record is committed.
     *
     * @param bytesPerSecond pace; 0 or none: as fast as the requests of callers allow
     * @returns the task's id, null if there is nothing to do
     */
    reencrypt(resourceId: string, bytesPerSecond?: number): Promise<string | null>;
    /** Whether images can be exported: the plane has a directory to write them to. */
    readonly canExport: boolean;
    /**
     * Begins to export an image, which no task exports yet.
     *
     * @param destination as record/ids.ts has it
     * @param bytesPerSecond as above
     * @returns the task's id
     */
    exportImage(
      image: Pick<ImageRecord, 'imageId' | 'accountId' | 'regionId'>,
      destination: string,
      bytesPerSecond?: number,
    ): Promise<string>;
    /** The task of a disk, snapshot or image that is running or paused; null: there is none. */
    liveTaskIdOf(resourceId: string): string | null;
    /** Tells a task to go on, or to stop: see jobs/task-runner.ts. */
    pause(taskId: string): Promise<void>;
    resume(taskId: string, bytesPerSecond?: number): Promise<void>;
    cancel(taskId: string): Promise<void>;
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
