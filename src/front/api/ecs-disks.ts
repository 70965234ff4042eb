/**
 * DATA: the operations of ECS on disks, snapshots and account-level default encryption.
 *
 * **Source:** ECS API 2014-05-26.
 */
import { wrapped } from './answer-shape.ts';
import { operation, operations } from './operation.ts';
import { clamped, flag, json, list, number, structures, text, word } from './parameter-kinds.ts';

/** Lists of tags: as they are given, and as they are shown. */
export const tags = structures({ Key: text, Value: text });
export const shownTags = wrapped('Tag');
export const filters = structures({ Key: word, Value: word });
export const page = { PageNumber: number, PageSize: number };
const needsRegion = true;
const attachments = (wrapper: string) => wrapped(wrapper);

/** Source: ECS DescribeDisks, DescribeSnapshots: MaxResults. */
const diskPage = { ...page, NextToken: word, MaxResults: clamped(10, 500) };
const snapshotPage = { ...page, NextToken: word, MaxResults: number };

const disk = {
  Attachments: attachments('Attachment'),
  MountInstances: attachments('MountInstance'),
  Tags: shownTags,
};

export const DISK_OPERATIONS = operations([
  operation(
    'CreateDisk',
    {
      BurstingEnabled: flag,
      Description: text,
      DiskCategory: word,
      DiskName: text,
      EncryptAlgorithm: word,
      Encrypted: flag,
      InstanceId: word,
      KMSKeyId: word,
      MultiAttach: word,
      PerformanceLevel: word,
      ProvisionedIops: number,
      ResourceGroupId: word,
      Size: number,
      SnapshotId: word,
      Tag: tags,
      ZoneId: word,
    },
    { needsRegion },
  ),
  operation(
    'DescribeDisks',
    {
      ...diskPage,
      AdditionalAttributes: list,
      Category: word,
      DeleteAutoSnapshot: flag,
      DeleteWithInstance: flag,
      DiskChargeType: word,
      DiskIds: json,
      DiskName: word,
      DiskType: word,
      EnableAutoSnapshot: flag,
      Encrypted: flag,
      Filter: filters,
      ImageId: word,
      InstanceId: word,
      KMSKeyId: word,
      MultiAttach: word,
      Portable: flag,
      ResourceGroupId: word,
      SnapshotId: word,
      Status: word,
      Tag: tags,
      ZoneId: word,
    },
    { needsRegion, gives: { Disks: wrapped('Disk', disk) } },
  ),
  operation('DeleteDisk', { DiskId: word }),
  operation('AttachDisk', {
    Bootable: flag,
    DeleteWithInstance: flag,
    Device: word,
    DiskId: word,
    Force: flag,
    InstanceId: word,
    KeyPairName: word,
    Password: word,
  }),
  operation('DetachDisk', { DeleteWithInstance: flag, DiskId: word, InstanceId: word }),
  operation('ReInitDisk', {
    AutoStartInstance: flag,
    DiskId: word,
    KeyPairName: word,
    Password: word,
    SecurityEnhancementStrategy: word,
  }),
  operation('ResetDisk', { DiskId: word, SnapshotId: word }),
  operation('ResizeDisk', { DiskId: word, NewSize: number, Type: word }),
  operation('ModifyDiskAttribute', {
    BurstingEnabled: flag,
    DeleteAutoSnapshot: flag,
    DeleteWithInstance: flag,
    Description: text,
    DiskId: word,
    DiskIds: list,
    DiskName: text,
    EnableAutoSnapshot: flag,
  }),
  operation('ModifyDiskSpec', {
    DiskCategory: word,
    DiskId: word,
    PerformanceLevel: word,
    ProvisionedIops: number,
  }),
  operation(
    'ModifyDiskChargeType',
    { AutoPay: flag, DiskChargeType: word, DiskIds: json, InstanceId: word },
    { needsRegion },
  ),
  operation(
    'CloneDisks',
    {
      BurstingEnabled: flag,
      DiskCategory: word,
      DiskName: text,
      Encrypted: flag,
      KmsKeyId: word,
      MultiAttach: word,
      PerformanceLevel: word,
      ProvisionedIops: number,
      ResourceGroupId: word,
      Size: number,
      SourceDiskId: word,
      Tag: tags,
    },
    { needsRegion },
  ),
]);

export const SNAPSHOT_OPERATIONS = operations([
  operation('CreateSnapshot', {
    Description: text,
    DiskId: word,
    ResourceGroupId: word,
    RetentionDays: number,
    SnapshotName: text,
    Tag: tags,
  }),
  operation(
    'DescribeSnapshots',
    {
      ...snapshotPage,
      Category: word,
      DiskId: word,
      Encrypted: flag,
      Filter: filters,
      InstanceId: word,
      KMSKeyId: word,
      ResourceGroupId: word,
      SnapshotIds: json,
      SnapshotName: word,
      SnapshotType: word,
      SourceDiskType: word,
      Status: word,
      Tag: tags,
      Usage: word,
    },
    {
      needsRegion,
      gives: { Snapshots: wrapped('Snapshot', { SourceDiskSize: 'text', Tags: shownTags }) },
    },
  ),
  operation('ModifySnapshotAttribute', {
    Description: text,
    RetentionDays: number,
    SnapshotId: word,
    SnapshotName: text,
  }),
  operation(
    'CopySnapshot',
    {
      DestinationRegionId: word,
      DestinationSnapshotDescription: text,
      DestinationSnapshotName: text,
      Encrypted: flag,
      KMSKeyId: word,
      ResourceGroupId: word,
      RetentionDays: number,
      SnapshotId: word,
      Tag: tags,
    },
    { needsRegion },
  ),
  operation(
    'LockSnapshot',
    { CoolOffPeriod: number, LockDuration: number, LockMode: word, SnapshotId: word },
    { needsRegion },
  ),
  operation('UnlockSnapshot', { SnapshotId: word }, { needsRegion }),
  operation(
    'DescribeLockedSnapshots',
    { LockStatus: word, MaxResults: clamped(10, 100), NextToken: word, SnapshotIds: list },
    { needsRegion },
  ),
  operation('DeleteSnapshot', { Force: flag, SnapshotId: word }),
]);

export const DEFAULT_ENCRYPTION_OPERATIONS = operations([
  operation('EnableDiskEncryptionByDefault', {}, { needsRegion }),
  operation('DisableDiskEncryptionByDefault', {}, { needsRegion }),
  operation('DescribeDiskEncryptionByDefaultStatus', {}, { needsRegion }),
  operation('ModifyDiskDefaultKMSKeyId', { KMSKeyId: word }, { needsRegion }),
  operation('ResetDiskDefaultKMSKeyId', {}, { needsRegion }),
  operation('DescribeDiskDefaultKMSKeyId', {}, { needsRegion }),
]);
