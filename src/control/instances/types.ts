/** The verbs on instances: parameters and results, named as the cloud's API names them. */

import type { InstanceStatus } from '../../record/document.ts';
import type { ChargeType } from '../../record/resource.ts';
import type { Tag } from '../access/types.ts';
import type { Flag } from '../disks/parameters.ts';
import type { TokenPage, TokenPageResult } from '../list-pages.ts';
import type { Page, PageResult } from '../paging.ts';
import type { TagDescription } from '../tag-parameters.ts';

export interface InstanceDiskParameters {
  readonly Category?: string;
  /** GiB, also as digits. @default the image's */
  readonly Size?: number | string;
  readonly DiskName?: string;
  readonly Description?: string;
  readonly PerformanceLevel?: string;
  readonly ProvisionedIops?: number;
  readonly BurstingEnabled?: boolean;
  readonly Encrypted?: Flag;
  readonly KMSKeyId?: string;
  readonly EncryptAlgorithm?: string;
}

export interface DataDiskParameters extends InstanceDiskParameters {
  readonly SnapshotId?: string;
  /** One of the image's: these are its parameters. Another, or none: a disk more. */
  readonly Device?: string;
  /** @default true */
  readonly DeleteWithInstance?: boolean;
}

/** What RunInstances and CreateInstance share. What is said of networks is taken and ignored. */
export interface NewInstanceParameters {
  readonly ImageId: string;
  readonly InstanceType: string;
  readonly ZoneId?: string;
  readonly InstanceName?: string;
  readonly HostName?: string;
  readonly Description?: string;
  readonly DeletionProtection?: boolean;
  readonly SystemDisk?: InstanceDiskParameters;
  readonly DataDisk?: readonly DataDiskParameters[];
  readonly Tag?: readonly Tag[];
  readonly VSwitchId?: string;
  readonly SecurityGroupId?: string;
  readonly SecurityGroupIds?: readonly string[];
  /** Of the instance and of its disks. @default PostPaid */
  readonly InstanceChargeType?: ChargeType;
  readonly InternetChargeType?: string;
  readonly InternetMaxBandwidthIn?: number;
  readonly InternetMaxBandwidthOut?: number;
  readonly IoOptimized?: string;
  readonly KeyPairName?: string;
  readonly Password?: string;
  readonly PasswordInherit?: boolean;
  readonly RamRoleName?: string;
  readonly ResourceGroupId?: string;
  readonly SpotStrategy?: string;
  readonly UniqueSuffix?: boolean;
  readonly UserData?: string;
}

export interface InstanceDescription {
  readonly InstanceId: string;
  readonly InstanceName: string;
  readonly Description: string;
  readonly HostName: string;
  readonly Status: string;
  readonly RegionId: string;
  readonly ZoneId: string;
  readonly ImageId: string;
  readonly InstanceType: string;
  readonly InstanceTypeFamily: string;
  readonly InstanceChargeType: ChargeType;
  /** Empty: the account's default group. */
  readonly ResourceGroupId: string;
  readonly DeletionProtection: boolean;
  readonly IoOptimized: boolean;
  readonly SerialNumber: string;
  readonly Tags: readonly TagDescription[];
  /** ISO 8601, UTC; StartTime: empty if it was never started. */
  readonly CreationTime: string;
  readonly StartTime: string;
}

export interface InstanceStatusDescription {
  readonly InstanceId: string;
  readonly Status: InstanceStatus;
}

/** What became of one instance of a batch. */
export interface InstanceResponse {
  readonly InstanceId: string;
  /** 200, or the code it was refused with. */
  readonly Code: string;
  readonly Message: string;
  /** Empty: there is no such instance. */
  readonly PreviousStatus: InstanceStatus | '';
  readonly CurrentStatus: InstanceStatus | '';
}

interface BatchParameters {
  readonly InstanceId: readonly string[];
  /** All or none; or each by itself. @default AllTogether */
  readonly BatchOptimization?: 'AllTogether' | 'SuccessFirst';
}

type OneInstance = { readonly InstanceId: string };
type Nothing = Record<string, never>;

export interface InstanceVerbs {
  /** Makes instances and their disks, and starts them. */
  RunInstances: {
    parameters: NewInstanceParameters & { readonly Amount?: number; readonly MinAmount?: number };
    result: { readonly InstanceIdSets: readonly string[] };
  };
  /** Makes an instance and its disks; it is Stopped. */
  CreateInstance: { parameters: NewInstanceParameters; result: OneInstance };
  /** Opens the volumes of its disks: refused if the key of one is not enabled. */
  StartInstance: {
    parameters: OneInstance & { readonly InitLocalDisk?: boolean };
    result: Nothing;
  };
  /** Closes the volumes of its disks: their data keys are erased. */
  StopInstance: {
    parameters: OneInstance & {
      readonly ForceStop?: boolean;
      readonly ConfirmStop?: boolean;
      readonly StoppedMode?: string;
    };
    result: Nothing;
  };
  StartInstances: {
    parameters: BatchParameters;
    result: { readonly InstanceResponses: readonly InstanceResponse[] };
  };
  StopInstances: {
    parameters: BatchParameters & { readonly ForceStop?: boolean; readonly StoppedMode?: string };
    result: { readonly InstanceResponses: readonly InstanceResponse[] };
  };
  /** Refused, and nothing closed, if the key of a disk is not enabled. */
  RebootInstance: { parameters: OneInstance & { readonly ForceStop?: boolean }; result: Nothing };
  /** Its disks with DeleteWithInstance go too, the others become Available. */
  DeleteInstance: {
    parameters: OneInstance & {
      /** Also while it runs. */
      readonly Force?: boolean;
      readonly ForceStop?: boolean;
      readonly TerminateSubscription?: boolean;
    };
    result: Nothing;
  };
  /** DeleteInstance of several: all of them, or none. */
  DeleteInstances: {
    parameters: {
      readonly InstanceId: readonly string[];
      readonly Force?: boolean;
      readonly ForceStop?: boolean;
      readonly TerminateSubscription?: boolean;
    };
    result: Nothing;
  };
  /** PrePaid: also of its system disk, and of its data disks if IncludeDataDisks says so. */
  ModifyInstanceChargeType: {
    parameters: {
      readonly InstanceIds: readonly string[];
      /** @default PrePaid */
      readonly InstanceChargeType?: ChargeType;
      /** Of an instance that becomes PrePaid. @default false */
      readonly IncludeDataDisks?: boolean;
      /** Taken and ignored: nothing is paid for. */
      readonly AutoPay?: boolean;
      readonly Period?: number;
      readonly PeriodUnit?: string;
    };
    result: Nothing;
  };
  ModifyInstanceAttribute: {
    parameters: OneInstance & {
      readonly InstanceName?: string;
      readonly Description?: string;
      readonly HostName?: string;
      readonly DeletionProtection?: boolean;
    };
    result: Nothing;
  };
  /** A new system disk from an image, in place of the one there is, which is deleted. */
  ReplaceSystemDisk: {
    parameters: OneInstance & {
      readonly ImageId: string;
      readonly SystemDisk?: { readonly Size?: number | string };
      readonly Encrypted?: Flag;
      readonly KMSKeyId?: string;
      readonly EncryptAlgorithm?: string;
      readonly KeyPairName?: string;
      readonly Password?: string;
      readonly PasswordInherit?: boolean;
    };
    result: { readonly DiskId: string };
  };
  DescribeInstanceStatus: {
    parameters: Page & {
      readonly InstanceId?: readonly string[];
      readonly ZoneId?: string;
      /** Taken and ignored: there are no clusters. */
      readonly ClusterId?: string;
    };
    result: PageResult & { readonly InstanceStatuses: readonly InstanceStatusDescription[] };
  };
  DescribeInstances: {
    parameters: TokenPage & {
      readonly InstanceIds?: readonly string[];
      readonly InstanceName?: string;
      readonly ImageId?: string;
      readonly InstanceType?: string;
      readonly Status?: string;
      readonly ZoneId?: string;
      readonly InstanceChargeType?: ChargeType;
      readonly ResourceGroupId?: string;
      readonly Tag?: readonly Tag[];
    };
    result: TokenPageResult & { readonly Instances: readonly InstanceDescription[] };
  };
}
