/**
 * Records of the metadata service: what a disk, a snapshot and a lineage edge are, as stored.
 *
 * Field names are ours; the verbs translate to the cloud's (DiskId, KMSKeyId, ...). Every record is
 * packed by record/codec.ts with a version byte in front.
 */

/** Source: ECS DescribeDisks, Status. */
export type DiskStatus = 'Available' | 'In_use' | 'Creating' | 'Deleting';
/** Source: ECS DescribeSnapshots, Status. */
export type SnapshotStatus = 'progressing' | 'accomplished' | 'failed';

/** How a disk's sectors are encrypted, and by what its data key is protected. No plaintext key. */
export interface EncryptionRecord {
  readonly keyId: string;
  /** Bytes as kms/wrap.ts defines them. */
  readonly wrappedKey: Uint8Array;
  /** The disk the data key was made for; part of the wrap context. */
  readonly lineageId: string;
}

export interface DiskRecord {
  readonly diskId: string;
  readonly accountId: string;
  readonly regionId: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly status: DiskStatus;
  /** null: stored in plain. */
  readonly encryption: EncryptionRecord | null;
  /** The snapshot the disk was made from, null for an empty one. */
  readonly sourceSnapshotId: string | null;
  /** Shard that holds the disk's tree; snapshots and clones stay with their source. */
  readonly shardIndex: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface SnapshotRecord {
  readonly snapshotId: string;
  readonly accountId: string;
  readonly regionId: string;
  readonly name: string;
  readonly sourceDiskId: string;
  readonly sizeBytes: number;
  readonly status: SnapshotStatus;
  readonly encryption: EncryptionRecord | null;
  readonly shardIndex: number;
  readonly createdAt: number;
}
