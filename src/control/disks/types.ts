/** The verbs on disks: parameters and results, named as the cloud's API names them. */
import type { Page, PageResult } from '../paging.ts';

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

export interface DiskVerbs {
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
}
