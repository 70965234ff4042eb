/** The verbs by name: parameters and results, named as the cloud's API names them. */

export interface DiskDescription {
  readonly DiskId: string;
  readonly DiskName: string;
  readonly RegionId: string;
  /** GiB. */
  readonly Size: number;
  readonly Status: string;
  readonly Encrypted: boolean;
  readonly KMSKeyId: string;
  readonly SourceSnapshotId: string;
  /** ISO 8601, UTC. */
  readonly CreationTime: string;
}

export interface SnapshotDescription {
  readonly SnapshotId: string;
  readonly SnapshotName: string;
  readonly SourceDiskId: string;
  /** GiB. */
  readonly SourceDiskSize: number;
  readonly Status: string;
  readonly Encrypted: boolean;
  readonly KMSKeyId: string;
  readonly CreationTime: string;
}

export interface KeyMetadata {
  readonly KeyId: string;
  readonly Arn: string;
  readonly KeyState: string;
  readonly Creator: string;
  readonly Description: string;
  readonly PrimaryKeyVersion: string;
  readonly CreationDate: string;
  /** Empty unless KeyState is PendingDeletion. */
  readonly DeleteDate: string;
}

/** One record of the lineage of a disk, snapshot or key: who came from whom, under which key. */
export interface LineageNode {
  readonly Id: string;
  readonly Kind: 'disk' | 'snapshot' | 'key';
  /** The id this one was made from; empty for what was made empty. */
  readonly From: readonly string[];
  /** The master key protecting it, empty if stored in plain. */
  readonly KMSKeyId: string;
}

interface Page {
  readonly PageNumber?: number;
  readonly PageSize?: number;
}

interface PageResult {
  readonly TotalCount: number;
  readonly PageNumber: number;
  readonly PageSize: number;
}

/** Verb name -> parameters and result. */
export interface Verbs {
  CreateDisk: {
    parameters: {
      /** GiB, 1 to 65536; may be left out with SnapshotId. */
      readonly Size?: number;
      readonly DiskName?: string;
      readonly Encrypted?: boolean;
      readonly KMSKeyId?: string;
      readonly SnapshotId?: string;
    };
    result: { readonly DiskId: string };
  };
  DescribeDisks: {
    parameters: Page & { readonly DiskIds?: readonly string[]; readonly KMSKeyId?: string };
    result: PageResult & { readonly Disks: readonly DiskDescription[] };
  };
  DeleteDisk: { parameters: { readonly DiskId: string }; result: Record<string, never> };
  ResizeDisk: {
    parameters: { readonly DiskId: string; readonly NewSize: number };
    result: Record<string, never>;
  };
  /** Makes a disk with the content SourceDiskId has now. */
  CloneDisk: {
    parameters: {
      readonly SourceDiskId: string;
      readonly DiskName?: string;
      readonly Size?: number;
    };
    result: { readonly DiskId: string };
  };
  CreateSnapshot: {
    parameters: { readonly DiskId: string; readonly SnapshotName?: string };
    result: { readonly SnapshotId: string };
  };
  DescribeSnapshots: {
    parameters: Page & { readonly SnapshotIds?: readonly string[]; readonly DiskId?: string };
    result: PageResult & { readonly Snapshots: readonly SnapshotDescription[] };
  };
  DeleteSnapshot: {
    parameters: {
      readonly SnapshotId: string;
      /** Deletes it even if disks were made from it; they keep their content. */
      readonly Force?: boolean;
    };
    result: Record<string, never>;
  };
  /** Ancestors and descendants of a disk, a snapshot or a master key. */
  DescribeLineage: {
    parameters: { readonly Id: string };
    result: { readonly Nodes: readonly LineageNode[] };
  };
  CreateKey: {
    parameters: { readonly Description?: string };
    result: { readonly KeyMetadata: KeyMetadata };
  };
  DescribeKey: {
    parameters: { readonly KeyId: string };
    result: { readonly KeyMetadata: KeyMetadata };
  };
  ListKeys: { parameters: Page; result: PageResult & { readonly Keys: readonly KeyMetadata[] } };
  EnableKey: { parameters: { readonly KeyId: string }; result: Record<string, never> };
  DisableKey: { parameters: { readonly KeyId: string }; result: Record<string, never> };
  /** Rotates: new data keys are wrapped under a new version; old versions unwrap for ever. */
  CreateKeyVersion: {
    parameters: { readonly KeyId: string };
    result: { readonly KeyVersion: string };
  };
  ScheduleKeyDeletion: {
    parameters: { readonly KeyId: string; readonly PendingWindowInDays: number };
    result: Record<string, never>;
  };
  CancelKeyDeletion: { parameters: { readonly KeyId: string }; result: Record<string, never> };
}
