/**
 * DATA: the operations of ECS on images, instances, regions, tags and tasks.
 *
 * **Source:** ECS API 2014-05-26.
 */
import { wrapped } from './answer-shape.ts';
import { filters, page, shownTags, tags } from './ecs-disks.ts';
import { operation, operations } from './operation.ts';
import {
  clamped,
  commas,
  flag,
  json,
  list,
  number,
  structure,
  structures,
  text,
  word,
} from './parameter-kinds.ts';

const needsRegion = true;
const tellsRegion = true;

const device = { Device: word, DiskType: word, Size: number, SnapshotId: word };
const image = {
  DiskDeviceMappings: wrapped('DiskDeviceMapping', { Size: 'text' }),
  ImageOwnerId: 'number',
  Tags: shownTags,
} as const;

export const IMAGE_OPERATIONS = operations([
  operation(
    'CreateImage',
    {
      Architecture: word,
      Description: text,
      DiskDeviceMapping: structures(device),
      ImageFamily: word,
      ImageName: word,
      InstanceId: word,
      Platform: word,
      ResourceGroupId: word,
      SnapshotId: word,
      Tag: tags,
    },
    { needsRegion },
  ),
  operation(
    'CopyImage',
    {
      DestinationDescription: text,
      DestinationImageName: text,
      DestinationRegionId: word,
      Encrypted: flag,
      ImageId: word,
      KMSKeyId: word,
      ResourceGroupId: word,
      Tag: tags,
    },
    { needsRegion },
  ),
  operation(
    'DescribeImages',
    {
      ...page,
      Architecture: word,
      Filter: filters,
      ImageFamily: word,
      ImageId: word,
      ImageName: word,
      ImageOwnerAlias: word,
      ImageOwnerId: word,
      IsPublic: flag,
      OSType: word,
      ResourceGroupId: word,
      SnapshotId: word,
      Status: word,
      Tag: tags,
      Usage: word,
    },
    { needsRegion, tellsRegion, gives: { Images: wrapped('Image', image) } },
  ),
  operation(
    'ModifyImageAttribute',
    { Description: text, ImageFamily: text, ImageId: word, ImageName: text, Status: word },
    { needsRegion },
  ),
  operation('DeleteImage', { Force: flag, ImageId: word }, { needsRegion }),
  operation(
    'ModifyImageSharePermission',
    { AddAccount: list, ImageId: word, IsPublic: flag, RemoveAccount: list },
    { needsRegion },
  ),
  operation(
    'DescribeImageSharePermission',
    { ...page, ImageId: word },
    { needsRegion, tellsRegion, gives: { Accounts: wrapped('Account') } },
  ),
  operation(
    'ExportImage',
    { ImageFormat: word, ImageId: word, OSSBucket: word, OSSPrefix: word, RoleName: word },
    { needsRegion, tellsRegion },
  ),
]);

const systemDisk = {
  Category: word,
  Description: text,
  DiskName: text,
  PerformanceLevel: word,
  Size: number,
};
const encryption = {
  BurstingEnabled: flag,
  EncryptAlgorithm: word,
  Encrypted: flag,
  KMSKeyId: word,
  ProvisionedIops: number,
};
const dataDisk = {
  ...systemDisk,
  ...encryption,
  DeleteWithInstance: flag,
  Device: word,
  SnapshotId: word,
};
const newInstance = {
  DataDisk: structures(dataDisk),
  DeletionProtection: flag,
  Description: text,
  HostName: word,
  ImageId: word,
  InstanceChargeType: word,
  InstanceName: word,
  InstanceType: word,
  InternetChargeType: word,
  InternetMaxBandwidthIn: number,
  InternetMaxBandwidthOut: number,
  IoOptimized: word,
  KeyPairName: word,
  Password: word,
  PasswordInherit: flag,
  RamRoleName: word,
  ResourceGroupId: word,
  SecurityGroupId: word,
  SecurityGroupIds: list,
  SpotStrategy: word,
  Tag: tags,
  UniqueSuffix: flag,
  UserData: word,
  VSwitchId: word,
  ZoneId: word,
};

export const INSTANCE_OPERATIONS = operations([
  operation(
    'RunInstances',
    {
      ...newInstance,
      Amount: number,
      MinAmount: number,
      SystemDisk: structure({ ...systemDisk, ...encryption }),
    },
    { needsRegion, gives: { InstanceIdSets: wrapped('InstanceIdSet') } },
  ),
  // Its SystemDisk has no Encrypted and no KMSKeyId: the cloud's API neither.
  operation(
    'CreateInstance',
    { ...newInstance, SystemDisk: structure(systemDisk) },
    { needsRegion },
  ),
  operation('StartInstance', { InitLocalDisk: flag, InstanceId: word }),
  operation('StopInstance', {
    ConfirmStop: flag,
    ForceStop: flag,
    InstanceId: word,
    StoppedMode: word,
  }),
  operation(
    'StartInstances',
    { BatchOptimization: word, InstanceId: list },
    { needsRegion, gives: { InstanceResponses: wrapped('InstanceResponse') } },
  ),
  operation(
    'StopInstances',
    { BatchOptimization: word, ForceStop: flag, InstanceId: list, StoppedMode: word },
    { needsRegion, gives: { InstanceResponses: wrapped('InstanceResponse') } },
  ),
  operation('RebootInstance', { ForceStop: flag, InstanceId: word }),
  operation('DeleteInstance', {
    Force: flag,
    ForceStop: flag,
    InstanceId: word,
    TerminateSubscription: flag,
  }),
  operation(
    'DeleteInstances',
    { Force: flag, ForceStop: flag, InstanceId: list, TerminateSubscription: flag },
    { needsRegion },
  ),
  operation(
    'DescribeInstanceStatus',
    { ...page, ClusterId: word, InstanceId: list, ZoneId: word },
    { needsRegion, gives: { InstanceStatuses: wrapped('InstanceStatus') } },
  ),
  operation(
    'ModifyInstanceChargeType',
    {
      AutoPay: flag,
      IncludeDataDisks: flag,
      InstanceChargeType: word,
      InstanceIds: json,
      Period: number,
      PeriodUnit: word,
    },
    { needsRegion },
  ),
  operation('ModifyInstanceAttribute', {
    DeletionProtection: flag,
    Description: text,
    HostName: word,
    InstanceId: word,
    InstanceName: word,
  }),
  operation('ReplaceSystemDisk', {
    EncryptAlgorithm: word,
    Encrypted: flag,
    ImageId: word,
    InstanceId: word,
    KMSKeyId: word,
    KeyPairName: word,
    Password: word,
    PasswordInherit: flag,
    SystemDisk: structure({ Size: number }),
  }),
  operation(
    'DescribeInstances',
    {
      ...page,
      ImageId: word,
      InstanceChargeType: word,
      InstanceIds: json,
      InstanceName: word,
      InstanceType: word,
      // Source: ECS DescribeInstances, MaxResults.
      MaxResults: clamped(10, 100),
      NextToken: word,
      ResourceGroupId: word,
      Status: word,
      Tag: tags,
      ZoneId: word,
    },
    { needsRegion, gives: { Instances: wrapped('Instance', { Tags: shownTags }) } },
  ),
]);

export const REGION_OPERATIONS = operations([
  operation('DescribeRegions', {}, { gives: { Regions: wrapped('Region') } }),
  operation(
    'DescribeZones',
    {},
    {
      needsRegion,
      gives: {
        Zones: wrapped('Zone', { AvailableResourceCreation: wrapped('ResourceTypes') }),
      },
    },
  ),
]);

export const RESOURCE_GROUP_OPERATIONS = operations([
  operation('JoinResourceGroup', { ResourceGroupId: text, ResourceId: word, ResourceType: word }),
]);

/** Of both APIs: KMS has these for keys. */
export const TAG_OPERATIONS = operations([
  operation('TagResources', { ResourceId: list, ResourceType: word, Tag: tags }),
  operation('UntagResources', { All: flag, ResourceId: list, ResourceType: word, TagKey: list }),
  operation(
    'ListTagResources',
    { NextToken: word, ResourceId: list, ResourceType: word, Tag: tags },
    { gives: { TagResources: wrapped('TagResource') } },
  ),
]);

export const TASK_OPERATIONS = operations([
  operation(
    'DescribeTasks',
    {
      ...page,
      ResourceIds: list,
      TaskAction: word,
      TaskGroupId: word,
      TaskIds: commas,
      TaskStatus: word,
    },
    {
      needsRegion,
      tellsRegion,
      gives: { Tasks: wrapped('Task', { SupportCancel: 'text' }, 'TaskSet') },
    },
  ),
  operation('CancelTask', { TaskId: word }, { needsRegion }),
]);
