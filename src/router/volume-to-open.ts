/** What a volume is opened with, and what a job gets that opens one of its own. */
import type { PerformanceProfile, Rates } from '../performance/profile.ts';
import type { ReencryptProgress, VolumeLayer } from '../record/shard-message.ts';

/** What has to be known to open a disk's volume. No plaintext key. */
export interface VolumeToOpen {
  readonly diskId: string;
  readonly sizeBytes: number;
  readonly shardIndex: number;
  /** Top first, at least one. */
  readonly layers: readonly VolumeLayer[];
  /** How fast its callers are to see it. @default as fast as it is */
  readonly profile?: PerformanceProfile | undefined;
  /** With a profile: what it shares with the other disks of an instance. @default nothing */
  readonly instance?: InstanceLimits | undefined;
}

/** What an instance does at the most on all its disks together. */
export interface InstanceLimits extends Rates {
  readonly instanceId: string;
}

/** A volume that a re-encryption job has open. */
export interface OpenReencryption {
  /** Moves at most so many sectors. @throws PlaneError what the shard answered, ShardLost */
  /** @param sliceSectors moved at once between the requests of callers */
  step(sectorsMax: number, sliceSectors: number): Promise<ReencryptProgress>;
  /** Requests of callers are in flight to the same shard. */
  isShardBusy(): boolean;
  /** Erases its keys. */
  close(): Promise<void>;
}
