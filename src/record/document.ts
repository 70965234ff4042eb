/**
 * Records of the control plane that are not sectors' homes: accounts, images, instances, tasks and
 * what else is kept by a key. Stored by meta/documents.ts, listed by the groups named there.
 */
import type { ChargeType, DiskType, OwnedRecord } from './resource.ts';

/** A RAM user of an account. */
export interface UserRecord {
  readonly name: string;
  /** Names of attached policies: AliyunECSFullAccess, ... */
  readonly policies: readonly string[];
}

export interface AccountRecord {
  readonly accountId: string;
  readonly name: string;
  readonly users: readonly UserRecord[];
  /** RAM roles there are: AliyunECSDiskEncryptDefaultRole, ... */
  readonly roles: readonly string[];
  /** Whether account-level default encryption was opened to it (by ticket, in the cloud). */
  readonly isDefaultEncryptionGranted: boolean;
  readonly createdAt: number;
}

/** Settings of an account in a region. */
export interface RegionRecord {
  readonly accountId: string;
  readonly regionId: string;
  readonly isDefaultEncryptionOn: boolean;
  /** The default key set by ModifyDiskDefaultKMSKeyId; null: the service key. */
  readonly defaultKeyId: string | null;
}

/** Source: ECS DescribeImages, Status. */
export type ImageStatus =
  | 'Creating'
  | 'Waiting'
  | 'Available'
  | 'UnAvailable'
  | 'CreateFailed'
  | 'Deprecated';

export interface ImageDevice {
  readonly device: string;
  readonly type: DiskType;
  readonly sizeBytes: number;
  /** null: an empty disk, as a public image's system disk is here. */
  readonly snapshotId: string | null;
}

export interface ImageRecord extends OwnedRecord {
  readonly imageId: string;
  readonly family: string;
  readonly status: ImageStatus;
  readonly devices: readonly ImageDevice[];
  readonly sourceInstanceId: string | null;
  readonly sourceImageId: string | null;
  readonly sourceRegionId: string | null;
  readonly platform: string;
  readonly osType: string;
  readonly architecture: string;
  /** Accounts it is shared with. */
  readonly sharedWith: readonly string[];
  readonly isPublic: boolean;
}

/** Source: ECS DescribeInstances, Status. */
export type InstanceStatus = 'Pending' | 'Stopped' | 'Starting' | 'Running' | 'Stopping';

export interface InstanceRecord extends OwnedRecord {
  readonly instanceId: string;
  readonly zoneId: string;
  readonly instanceType: string;
  readonly imageId: string;
  readonly status: InstanceStatus;
  readonly hostName: string;
  readonly deletionProtection: boolean;
  /** Absent: PostPaid. */
  readonly chargeType?: ChargeType;
  /** Milliseconds since 1970; null: never yet. */
  readonly startedAt: number | null;
}

/** A snapshot of one account shown to another under an id of its own. */
export interface ShareRecord {
  /** What the recipient sees: s-... */
  readonly snapshotId: string;
  readonly sourceSnapshotId: string;
  readonly ownerAccountId: string;
  readonly accountId: string;
  readonly regionId: string;
  readonly sharedAt: number;
}

export type TaskState = 'running' | 'paused' | 'finished' | 'cancelled' | 'failed';

/** Work in the background that outlives a restart. */
export interface TaskRecord {
  /** t-... */
  readonly taskId: string;
  /** Tasks of one call are a group; its id. */
  readonly groupId: string;
  readonly accountId: string;
  readonly regionId: string;
  readonly action: string;
  readonly resourceId: string;
  /** Of an export alone: <bucket>/<prefix><imageId>.raw. */
  readonly destination?: string;
  readonly state: TaskState;
  /** Why it is paused or failed: an error code; empty if it is neither. */
  readonly code: string;
  readonly doneSectors: number;
  readonly totalSectors: number;
  readonly bytesPerSecond: number;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

/** A ClientToken that was used: what was asked, and what was answered. */
export interface TokenRecord {
  readonly accountId: string;
  readonly token: string;
  readonly verb: string;
  /** SHA-256 of the parameters, hex. */
  readonly parametersHash: string;
  /** The answer as JSON; empty while there is none yet. */
  readonly result: string;
  /** Ids of what the call has made. */
  readonly created: readonly string[];
  readonly createdAt: number;
}

/**
 * How often one operation used one master key in one month: what KMS counts against the quota, and
 * bills if the key is the user's own. See control/billing.
 */
export interface UsageRecord {
  readonly accountId: string;
  readonly regionId: string;
  /** UTC: 2026-01. */
  readonly month: string;
  readonly keyId: string;
  /** CreateDisk, AttachDisk, ... */
  readonly operation: string;
  readonly calls: number;
}

/** One line of the audit log: a management call, or a use of a key. Appended, never changed. */
export interface AuditRecord {
  /** Counts from 1 without a gap. */
  readonly sequence: number;
  readonly at: number;
  readonly accountId: string;
  readonly regionId: string;
  /** The RAM user, or root. */
  readonly principal: string;
  /** The verb, or Unwrap, WrapDataKey, ... */
  readonly action: string;
  readonly resourceIds: readonly string[];
  readonly keyId: string;
  readonly keyVersion: number;
  /** OK, or the code of the refusal. */
  readonly outcome: string;
  /** Why a key was used: attach, create, reencrypt, ... */
  readonly reason: string;
}
