/** The verbs on snapshots: parameters and results, named as the cloud's API names them. */
import type { Page, PageResult } from '../paging.ts';

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

export interface SnapshotVerbs {
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
}
