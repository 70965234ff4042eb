/**
 * Records of the metadata service: what a disk, a snapshot and a lineage edge are, as stored.
 *
 * Field names are ours; the verbs translate to the cloud's (DiskId, KMSKeyId, ...). Every record is
 * packed by record/codec.ts with a version byte in front.
 */

/** Source: ECS DescribeDisks, Status. Deleting is ours: seen only after a crash. */
export type DiskStatus =
  | 'Creating'
  | 'Available'
  | 'Attaching'
  | 'In_use'
  | 'Detaching'
  | 'ReIniting'
  | 'Deleting';
/** Source: ECS DescribeSnapshots, Status. */
export type SnapshotStatus = 'progressing' | 'accomplished' | 'failed';
/** Source: ECS DescribeDisks, Type. */
export type DiskType = 'system' | 'data';

/** How sectors are encrypted, and by what their data key is protected. No plaintext key. */
export interface EncryptionRecord {
  readonly keyId: string;
  /** Bytes as kms/wrap.ts defines them. */
  readonly wrappedKey: Uint8Array;
  /** The wrap context: account and region of the master key, and the disk the key was made for. */
  readonly accountId: string;
  readonly regionId: string;
  readonly lineageId: string;
  /** When the wrapped key was destroyed, and wrappedKey emptied; absent: it was not. */
  readonly erasedAt?: number;
}

/** One tree of a disk or snapshot; what it holds is encrypted under one data key, or plain. */
export interface LayerRecord {
  /** The tree's name in its shard's store. */
  readonly tree: string;
  /** null: stored in plain. */
  readonly encryption: EncryptionRecord | null;
}

/** What every disk, snapshot, image and instance has. */
export interface OwnedRecord {
  readonly accountId: string;
  readonly regionId: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** rg-...; absent: the account's default group. */
  readonly resourceGroupId?: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** PrePaid: by subscription. Source: ECS DescribeDisks, DiskChargeType. */
export type ChargeType = 'PrePaid' | 'PostPaid';

/** What keeps a snapshot from being deleted. Times are milliseconds since 1970. */
export interface SnapshotLockRecord {
  readonly lockedAt: number;
  /** Until then the lock may be taken off, or be made a shorter one. */
  readonly coolOffEndsAt: number;
  readonly expiresAt: number;
}

/** What was asked of the encryption tables when a resource was made. */
export interface QuestionRecord {
  readonly ruleSet: string;
  readonly resource: string;
  readonly action: string;
  readonly source: string;
  readonly encrypted: string;
  readonly default: boolean;
  readonly key: boolean;
  readonly isSourceKey: boolean;
  /** Of a disk; empty of others. */
  readonly category: string;
  readonly use: string;
}

interface StoredRecord extends OwnedRecord {
  readonly sizeBytes: number;
  /** That of the top layer: what the resource is said to be encrypted under. null: plain. */
  readonly encryption: EncryptionRecord | null;
  /** Absent: the content was shared as it is, and nothing was decided anew. */
  readonly question?: QuestionRecord;
  /** Top first, at least one. More than one while data under an older key is being moved. */
  readonly layers: readonly LayerRecord[];
  /** Shard that holds the trees; snapshots, clones and copies stay with their source. */
  readonly shardIndex: number;
}

export interface DiskRecord extends StoredRecord {
  readonly diskId: string;
  readonly zoneId: string;
  /** cloud, cloud_efficiency, cloud_ssd, cloud_essd, cloud_auto, ... */
  readonly category: string;
  /** PL0 to PL3 for cloud_essd, else empty. */
  readonly performanceLevel: string;
  /** cloud_auto only, else 0. */
  readonly provisionedIops: number;
  readonly burstingEnabled: boolean;
  readonly type: DiskType;
  readonly status: DiskStatus;
  /** The snapshot the disk was made from, null for an empty one. */
  readonly sourceSnapshotId: string | null;
  /** The image a system disk, or a data disk of an image, was made from. */
  readonly imageId: string | null;
  /** The instance it is attached to; null: to none (also when attached by the library). */
  readonly instanceId: string | null;
  /** The instance a system disk was detached from: it goes back to that one alone. */
  readonly systemOf?: string;
  /** Of an ephemeral disk: the instance it was attached to, which it goes back to. */
  readonly ephemeralOf?: string;
  /** /dev/xvda, /dev/xvdb, ...; empty when not attached to an instance. */
  readonly device: string;
  readonly deleteWithInstance: boolean;
  readonly deleteAutoSnapshot: boolean;
  readonly enableAutoSnapshot: boolean;
  /** Absent: PostPaid. */
  readonly chargeType?: ChargeType;
  /** Milliseconds since 1970; null: never yet. */
  readonly attachedAt: number | null;
  readonly detachedAt: number | null;
}

export interface SnapshotRecord extends StoredRecord {
  readonly snapshotId: string;
  readonly sourceDiskId: string;
  readonly sourceDiskType: DiskType;
  /** The snapshot this one was copied from, and where that is; null: made from the disk. */
  readonly sourceSnapshotId: string | null;
  readonly sourceRegionId: string | null;
  readonly status: SnapshotStatus;
  /** Days; 0: for good. */
  readonly retentionDays: number;
  /** Absent: it never was locked, or was unlocked. */
  readonly lock?: SnapshotLockRecord;
}
