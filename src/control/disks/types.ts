/** The verbs on disks: parameters and results, named as the cloud's API names them. */

import type { ChargeType } from '../../record/resource.ts';
import type { Tag } from '../access/types.ts';
import type { TokenPage, TokenPageResult } from '../list-pages.ts';
import type { TagDescription } from '../tag-parameters.ts';

export interface DiskAttachment {
  readonly InstanceId: string;
  readonly Device: string;
  readonly AttachedTime: string;
}

export interface DiskDescription {
  readonly DiskId: string;
  readonly DiskName: string;
  readonly Description: string;
  readonly RegionId: string;
  readonly ZoneId: string;
  readonly Category: string;
  /** PL0 to PL3, empty unless Category is cloud_essd. */
  readonly PerformanceLevel: string;
  readonly ProvisionedIops: number;
  readonly BurstingEnabled: boolean;
  /** GiB. */
  readonly Size: number;
  /** system or data. */
  readonly Type: string;
  readonly Status: string;
  readonly Encrypted: boolean;
  readonly KMSKeyId: string;
  readonly SourceSnapshotId: string;
  readonly ImageId: string;
  readonly InstanceId: string;
  readonly Device: string;
  readonly Attachments: readonly DiskAttachment[];
  readonly MountInstances: readonly DiskAttachment[];
  readonly MountInstanceNum: number;
  readonly MultiAttach: string;
  readonly Portable: boolean;
  /** PrePaid: by subscription, as its instance; PostPaid: as it is used. */
  readonly DiskChargeType: ChargeType;
  /** Empty: the account's default group. */
  readonly ResourceGroupId: string;
  readonly DeleteWithInstance: boolean;
  readonly DeleteAutoSnapshot: boolean;
  readonly EnableAutoSnapshot: boolean;
  readonly IOPS: number;
  readonly IOPSRead: number;
  readonly IOPSWrite: number;
  /** MB/s. */
  readonly Throughput: number;
  readonly ThroughputRead: number;
  readonly ThroughputWrite: number;
  readonly SerialNumber: string;
  readonly Tags: readonly TagDescription[];
  /** ISO 8601, UTC; of AttachedTime and DetachedTime: empty if it never was. */
  readonly CreationTime: string;
  readonly AttachedTime: string;
  readonly DetachedTime: string;
}

export interface DiskFilterParameters {
  readonly DiskIds?: readonly string[];
  readonly KMSKeyId?: string;
  readonly InstanceId?: string;
  readonly SnapshotId?: string;
  /** Ours: the cloud shows ImageId and does not filter by it. */
  readonly ImageId?: string;
  readonly Encrypted?: boolean;
  readonly Status?: string;
  readonly Category?: string;
  /** system, data or all. */
  readonly DiskType?: string;
  readonly DiskName?: string;
  readonly ZoneId?: string;
  readonly Portable?: boolean;
  readonly DiskChargeType?: string;
  readonly DeleteWithInstance?: boolean;
  readonly DeleteAutoSnapshot?: boolean;
  readonly EnableAutoSnapshot?: boolean;
  readonly MultiAttach?: string;
  readonly Tag?: readonly Tag[];
  /** Key: CreationStartTime or CreationEndTime. */
  readonly Filter?: readonly { readonly Key: string; readonly Value: string }[];
  readonly AdditionalAttributes?: readonly string[];
  readonly ResourceGroupId?: string;
}

type Nothing = Record<string, never>;

export interface DiskVerbs {
  CreateDisk: {
    parameters: {
      /** GiB; may be left out with SnapshotId. */
      readonly Size?: number;
      readonly DiskName?: string;
      readonly Description?: string;
      /** @default cloud_essd with a PerformanceLevel; without, cloud_auto (2025) or cloud_essd */
      readonly DiskCategory?: string;
      readonly PerformanceLevel?: string;
      readonly ProvisionedIops?: number;
      readonly BurstingEnabled?: boolean;
      readonly Encrypted?: boolean;
      readonly KMSKeyId?: string;
      /** AES-256. */
      readonly EncryptAlgorithm?: string;
      /** One's own, or one that another account shares. */
      readonly SnapshotId?: string;
      readonly ZoneId?: string;
      /** Attaches the disk at once. Excludes ZoneId. */
      readonly InstanceId?: string;
      readonly MultiAttach?: 'Disabled';
      readonly ResourceGroupId?: string;
      readonly Tag?: readonly Tag[];
    };
    result: { readonly DiskId: string };
  };
  DescribeDisks: {
    parameters: TokenPage & DiskFilterParameters;
    result: TokenPageResult & { readonly Disks: readonly DiskDescription[] };
  };
  /** A disk that does not exist is ignored. */
  DeleteDisk: { parameters: { readonly DiskId: string }; result: Nothing };
  AttachDisk: {
    parameters: {
      readonly DiskId: string;
      readonly InstanceId: string;
      /** @default the first that is free from /dev/xvdb on */
      readonly Device?: string;
      readonly DeleteWithInstance?: boolean;
      readonly Bootable?: boolean;
      readonly Force?: boolean;
      readonly KeyPairName?: string;
      readonly Password?: string;
    };
    result: Nothing;
  };
  DetachDisk: {
    parameters: {
      readonly DiskId: string;
      readonly InstanceId: string;
      readonly DeleteWithInstance?: boolean;
    };
    result: Nothing;
  };
  /** Gives a disk the content it was made with; its instance is stopped. */
  ReInitDisk: {
    parameters: {
      readonly DiskId: string;
      readonly AutoStartInstance?: boolean;
      readonly KeyPairName?: string;
      readonly Password?: string;
      readonly SecurityEnhancementStrategy?: string;
    };
    result: Nothing;
  };
  /** Gives a disk the content of a snapshot of its own. */
  ResetDisk: {
    parameters: { readonly DiskId: string; readonly SnapshotId: string };
    result: Nothing;
  };
  ResizeDisk: {
    parameters: {
      readonly DiskId: string;
      /** GiB. */
      readonly NewSize: number;
      /** offline: a volume that a running instance has open grows when it starts again. */
      readonly Type?: 'offline' | 'online';
    };
    result: Nothing;
  };
  ModifyDiskAttribute: {
    parameters: {
      readonly DiskId?: string;
      readonly DiskIds?: readonly string[];
      readonly DiskName?: string;
      readonly Description?: string;
      readonly DeleteWithInstance?: boolean;
      readonly DeleteAutoSnapshot?: boolean;
      readonly EnableAutoSnapshot?: boolean;
      readonly BurstingEnabled?: boolean;
    };
    result: Nothing;
  };
  ModifyDiskSpec: {
    parameters: {
      readonly DiskId: string;
      readonly DiskCategory?: string;
      readonly PerformanceLevel?: string;
      readonly ProvisionedIops?: number;
    };
    result: { readonly TaskId: string };
  };
  /** Data disks of a subscription instance, all or none. The cloud answers an OrderId too. */
  ModifyDiskChargeType: {
    parameters: {
      /** Which they are attached to. */
      readonly InstanceId: string;
      readonly DiskIds: readonly string[];
      /** @default PrePaid */
      readonly DiskChargeType?: ChargeType;
      /** Taken and ignored: nothing is paid for. */
      readonly AutoPay?: boolean;
    };
    result: Nothing;
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
  /** The cloud's own: the clone's id is the ResourceId of the task. */
  CloneDisks: {
    parameters: {
      readonly SourceDiskId: string;
      readonly DiskCategory: string;
      readonly Size: number;
      readonly MultiAttach?: 'Disabled';
      readonly DiskName?: string;
      readonly PerformanceLevel?: string;
      readonly ProvisionedIops?: number;
      readonly BurstingEnabled?: boolean;
      readonly Encrypted?: boolean;
      readonly KmsKeyId?: string;
      readonly ResourceGroupId?: string;
      readonly Tag?: readonly Tag[];
    };
    result: { readonly TaskGroupId: string };
  };
}
