/** The verbs on snapshots: parameters and results, named as the cloud's API names them. */

import type { Tag } from '../access/types.ts';
import type { CreationFilter } from '../creation-filter.ts';
import type { TokenPage, TokenPageResult } from '../list-pages.ts';
import type { TagDescription } from '../tag-parameters.ts';

type Nothing = Record<string, never>;

export interface SnapshotDescription {
  readonly SnapshotId: string;
  readonly SnapshotName: string;
  readonly Description: string;
  readonly RegionId: string;
  readonly SourceDiskId: string;
  /** GiB. */
  readonly SourceDiskSize: number;
  readonly SourceDiskType: 'system' | 'data';
  /** Of a copy: the snapshot it was copied from, and where that is. Otherwise empty. */
  readonly SourceSnapshotId: string;
  readonly SourceRegionId: string;
  /** progressing: a copy that is being encrypted; disks may be made of it already. */
  readonly Status: 'progressing' | 'accomplished' | 'failed';
  /** 40% */
  readonly Progress: string;
  /** Whether disks may be made of it. */
  readonly Available: boolean;
  readonly Encrypted: boolean;
  readonly KMSKeyId: string;
  /** Days, after which the plane deletes it if nothing needs it; 0: for good. */
  readonly RetentionDays: number;
  readonly SnapshotType: 'user';
  readonly Category: 'standard';
  /** What was made of it. */
  readonly Usage: 'image' | 'disk' | 'image_disk' | 'none';
  /** Empty: the account's default group. */
  readonly ResourceGroupId: string;
  readonly CreationTime: string;
  /** A shared one has one tag, which says by whom it is shared. */
  readonly Tags: readonly TagDescription[];
}

/** A lock, as it is now. Times are ISO 8601, UTC. */
export interface LockedSnapshot {
  readonly SnapshotId: string;
  readonly LockMode: 'compliance';
  /** cooloff: it may be unlocked yet; expired: it keeps nothing any more. */
  readonly LockStatus: 'compliance-cooloff' | 'compliance' | 'expired';
  /** Days. */
  readonly LockDuration: number;
  /** Hours. */
  readonly CoolOffPeriod: number;
  readonly LockCreationTime: string;
  readonly LockDurationStartTime: string;
  readonly CoolOffPeriodExpiredTime: string;
  readonly LockExpiredTime: string;
}

/** An account a snapshot is shared with. */
export interface SnapshotShare {
  readonly AccountId: string;
  /** The id that account sees it under. */
  readonly SharedSnapshotId: string;
  readonly SharedTime: string;
}

export interface SnapshotFilters {
  readonly SnapshotIds?: readonly string[];
  readonly SnapshotName?: string;
  readonly DiskId?: string;
  /** Of the disks attached to this instance. */
  readonly InstanceId?: string;
  readonly KMSKeyId?: string;
  readonly Encrypted?: boolean;
  readonly Status?: 'progressing' | 'accomplished' | 'failed' | 'all';
  readonly SnapshotType?: 'auto' | 'user' | 'all';
  readonly SourceDiskType?: 'System' | 'Data' | 'system' | 'data';
  readonly Usage?: 'image' | 'disk' | 'image_disk' | 'none';
  readonly Category?: string;
  readonly ResourceGroupId?: string;
  readonly Tag?: readonly Tag[];
  readonly Filter?: readonly CreationFilter[];
}

export interface SnapshotVerbs {
  CreateSnapshot: {
    parameters: {
      readonly DiskId: string;
      readonly SnapshotName?: string;
      readonly Description?: string;
      /** 1 to 65536. @default for good */
      readonly RetentionDays?: number;
      readonly ResourceGroupId?: string;
      readonly Tag?: readonly Tag[];
    };
    result: { readonly SnapshotId: string };
  };
  /** Own snapshots, then those that other accounts share. */
  DescribeSnapshots: {
    parameters: TokenPage & SnapshotFilters;
    result: TokenPageResult & { readonly Snapshots: readonly SnapshotDescription[] };
  };
  ModifySnapshotAttribute: {
    parameters: {
      readonly SnapshotId: string;
      readonly SnapshotName?: string;
      readonly Description?: string;
      readonly RetentionDays?: number;
    };
    result: Nothing;
  };
  /** To another region as it is, or encrypted anew, there or in the same region. */
  CopySnapshot: {
    parameters: {
      readonly SnapshotId: string;
      readonly DestinationRegionId: string;
      readonly DestinationSnapshotName?: string;
      readonly DestinationSnapshotDescription?: string;
      readonly Encrypted?: boolean;
      /** A key of the destination region. */
      readonly KMSKeyId?: string;
      readonly RetentionDays?: number;
      readonly ResourceGroupId?: string;
      readonly Tag?: readonly Tag[];
    };
    result: { readonly SnapshotId: string };
  };
  DeleteSnapshot: {
    parameters: {
      readonly SnapshotId: string;
      /** Deletes it even if disks were made from it; they keep their content. */
      readonly Force?: boolean;
    };
    result: Nothing;
  };
  /** Nobody deletes it until the lock has expired. Again: another lock, see lock-snapshot.ts. */
  LockSnapshot: {
    parameters: {
      readonly SnapshotId: string;
      readonly LockMode: 'compliance';
      /** Days, 1 to 36500. */
      readonly LockDuration: number;
      /** Hours in which it may be unlocked, 0 to 72. */
      readonly CoolOffPeriod: number;
    };
    result: { readonly LockedSnapshotInfo: LockedSnapshot };
  };
  /** During the cool-off period alone. */
  UnlockSnapshot: { parameters: { readonly SnapshotId: string }; result: Nothing };
  /** Own snapshots that are locked, or were. */
  DescribeLockedSnapshots: {
    parameters: {
      readonly SnapshotIds?: readonly string[];
      readonly LockStatus?: LockedSnapshot['LockStatus'];
      readonly NextToken?: string;
      readonly MaxResults?: number;
    };
    result: {
      readonly LockedSnapshotsInfo: readonly LockedSnapshot[];
      readonly NextToken: string;
    };
  };
  /** The other account sees the snapshot under an id of its own. */
  ShareSnapshot: {
    parameters: { readonly SnapshotId: string; readonly AccountId: string };
    result: { readonly SharedSnapshotId: string };
  };
  UnshareSnapshot: {
    parameters: { readonly SnapshotId: string; readonly AccountId: string };
    result: Nothing;
  };
  /** The accounts a snapshot of one's own is shared with. */
  DescribeSnapshotShares: {
    parameters: { readonly SnapshotId: string };
    result: { readonly Shares: readonly SnapshotShare[] };
  };
}
