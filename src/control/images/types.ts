/** The verbs on images: parameters and results, named as the cloud's API names them. */
import type { ImageStatus } from '../../record/document.ts';
import type { Tag } from '../access/types.ts';
import type { CreationFilter } from '../creation-filter.ts';
import type { Page, PageResult } from '../paging.ts';
import type { TagDescription } from '../tag-parameters.ts';

type Nothing = Record<string, never>;

/** A disk of an image, as CreateImage is told. */
export interface DeviceParameter {
  /** @default the next of /dev/xvda, /dev/xvdb, ... */
  readonly Device?: string;
  /** @default system for the first, data for the others */
  readonly DiskType?: 'system' | 'data';
  /** GiB. @default the snapshot's; a device without a snapshot needs one */
  readonly Size?: number;
  readonly SnapshotId?: string;
}

export interface DeviceDescription {
  readonly Device: string;
  readonly Type: 'system' | 'data';
  /** GiB. */
  readonly Size: number;
  /** Empty: an empty disk. */
  readonly SnapshotId: string;
  readonly Encrypted: boolean;
  readonly Progress: string;
}

export interface ImageDescription {
  readonly ImageId: string;
  readonly ImageName: string;
  readonly Description: string;
  readonly ImageFamily: string;
  readonly ImageOwnerAlias: 'self' | 'others' | 'system';
  readonly ImageOwnerId: string;
  /** Creating: a copy that is being encrypted; it may be used already. */
  readonly Status: ImageStatus;
  readonly Progress: string;
  readonly CreationTime: string;
  /** GiB, of the system disk. */
  readonly Size: number;
  readonly OSType: string;
  readonly Platform: string;
  readonly Architecture: string;
  readonly IsCopied: boolean;
  readonly IsPublic: boolean;
  /** Whether its owner shares it with somebody. */
  readonly IsSelfShared: boolean;
  readonly Usage: 'instance' | 'none';
  /** Empty: the account's default group. */
  readonly ResourceGroupId: string;
  readonly DiskDeviceMappings: readonly DeviceDescription[];
  readonly Tags: readonly TagDescription[];
}

export interface ImageFilters {
  /** One id, or several with commas between. */
  readonly ImageId?: string;
  readonly ImageName?: string;
  readonly ImageFamily?: string;
  readonly ImageOwnerAlias?: 'system' | 'self' | 'others' | 'marketplace';
  readonly ImageOwnerId?: string;
  readonly SnapshotId?: string;
  /** One status, or several with commas between. */
  readonly Status?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly Usage?: 'instance' | 'none';
  /** true: images that other accounts have made public, and no others. */
  readonly IsPublic?: boolean;
  readonly ResourceGroupId?: string;
  readonly Tag?: readonly Tag[];
  readonly Filter?: readonly CreationFilter[];
}

export interface ImageVerbs {
  /** From one of InstanceId, SnapshotId and DiskDeviceMapping. */
  CreateImage: {
    parameters: {
      /** Every disk of it is snapshotted. */
      readonly InstanceId?: string;
      /** The system disk's. */
      readonly SnapshotId?: string;
      readonly DiskDeviceMapping?: readonly DeviceParameter[];
      readonly ImageName?: string;
      readonly ImageFamily?: string;
      readonly Description?: string;
      readonly Platform?: string;
      readonly Architecture?: 'x86_64' | 'arm64' | 'i386';
      readonly ResourceGroupId?: string;
      readonly Tag?: readonly Tag[];
    };
    result: { readonly ImageId: string };
  };
  /** Every snapshot behind it is copied as CopySnapshot would. */
  CopyImage: {
    parameters: {
      readonly ImageId: string;
      /** @default the region of the call */
      readonly DestinationRegionId?: string;
      readonly DestinationImageName?: string;
      readonly DestinationDescription?: string;
      readonly Encrypted?: boolean;
      readonly KMSKeyId?: string;
      readonly ResourceGroupId?: string;
      readonly Tag?: readonly Tag[];
    };
    result: { readonly ImageId: string };
  };
  /** Public images, own ones, and those that other accounts share. */
  DescribeImages: {
    parameters: Page & ImageFilters;
    result: PageResult & { readonly Images: readonly ImageDescription[] };
  };
  ModifyImageAttribute: {
    parameters: {
      readonly ImageId: string;
      readonly ImageName?: string;
      readonly ImageFamily?: string;
      readonly Description?: string;
      readonly Status?: 'Available' | 'Deprecated';
    };
    result: Nothing;
  };
  /** The snapshots behind it stay. */
  DeleteImage: {
    parameters: {
      readonly ImageId: string;
      /** Deletes it even if instances were made from it. */
      readonly Force?: boolean;
    };
    result: Nothing;
  };
  ModifyImageSharePermission: {
    parameters: {
      readonly ImageId: string;
      readonly AddAccount?: readonly string[];
      readonly RemoveAccount?: readonly string[];
      /** Shows it to everybody, or no longer. */
      readonly IsPublic?: boolean;
    };
    result: Nothing;
  };
  /** Its system disk's content: <exportDirectory>/<OSSBucket>/<OSSPrefix><ImageId>.raw. */
  ExportImage: {
    parameters: {
      readonly ImageId: string;
      readonly OSSBucket: string;
      readonly OSSPrefix?: string;
      readonly ImageFormat?: 'raw' | 'RAW';
      readonly RoleName?: string;
      /** Ours: pace of the task. @default as fast as the requests of callers allow */
      readonly BytesPerSecond?: number;
    };
    result: { readonly RegionId: string; readonly TaskId: string };
  };
  DescribeImageSharePermission: {
    parameters: Page & { readonly ImageId: string };
    result: PageResult & {
      readonly ImageId: string;
      readonly Accounts: readonly { readonly AliyunId: string }[];
    };
  };
}
