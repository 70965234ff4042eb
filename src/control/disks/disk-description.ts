/** A disk as DescribeDisks shows it. */
import { GIB, MIB } from '../../base/units.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { chargeTypeOf } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { groupOf } from '../resource-groups.ts';
import { isoSeconds } from '../schemas.ts';
import { describeTags } from '../tag-parameters.ts';
import { ratesOfDisk } from './disk-profile.ts';
import type { DiskAttachment, DiskDescription } from './types.ts';

/** Shares of one snapshot that are looked at for the caller's own. */
const SHARES_MAX = 100;

export function describeDisk(context: ControlContext, disk: DiskRecord): DiskDescription {
  const size = disk.sizeBytes / GIB;
  const { iops, bytesPerSecond } = ratesOfDisk(disk);
  const throughput = Math.floor(bytesPerSecond / MIB);
  const attachments = attachmentsOf(disk);
  return {
    DiskId: disk.diskId,
    DiskName: disk.name,
    Description: disk.description,
    RegionId: disk.regionId,
    ZoneId: disk.zoneId,
    Category: disk.category,
    PerformanceLevel: disk.performanceLevel,
    ProvisionedIops: disk.provisionedIops,
    BurstingEnabled: disk.burstingEnabled,
    Size: size,
    Type: disk.type,
    Status: disk.status,
    Encrypted: disk.encryption !== null,
    KMSKeyId: disk.encryption?.keyId ?? '',
    SourceSnapshotId: visibleSnapshotId(context, disk.sourceSnapshotId),
    ImageId: disk.imageId ?? '',
    InstanceId: disk.instanceId ?? '',
    Device: disk.device,
    Attachments: attachments,
    MountInstances: attachments,
    MountInstanceNum: attachments.length,
    MultiAttach: 'Disabled',
    Portable: disk.type === 'data',
    DiskChargeType: chargeTypeOf(disk),
    ResourceGroupId: groupOf(disk),
    DeleteWithInstance: disk.deleteWithInstance,
    DeleteAutoSnapshot: disk.deleteAutoSnapshot,
    EnableAutoSnapshot: disk.enableAutoSnapshot,
    IOPS: iops,
    IOPSRead: iops,
    IOPSWrite: iops,
    Throughput: throughput,
    ThroughputRead: throughput,
    ThroughputWrite: throughput,
    SerialNumber: disk.diskId.slice('d-'.length),
    Tags: describeTags(disk.tags),
    CreationTime: isoSeconds(disk.createdAt),
    AttachedTime: timeOf(disk.attachedAt),
    DetachedTime: timeOf(disk.detachedAt),
  };
}

function attachmentsOf(disk: DiskRecord): readonly DiskAttachment[] {
  if (disk.instanceId === null) return [];
  const { instanceId, device, attachedAt } = disk;
  return [{ InstanceId: instanceId, Device: device, AttachedTime: timeOf(attachedAt) }];
}

/** A snapshot by the id this caller knows it by: a shared one has another for each account. */
function visibleSnapshotId(context: ControlContext, snapshotId: string | null): string {
  if (snapshotId === null) return '';
  const snapshot = context.metadata.getSnapshot(snapshotId);
  if (snapshot === undefined || isInScope(context, snapshot)) return snapshotId;
  const own = scopeGroup(context.accountId, context.regionId);
  const group = `source/${snapshotId}`;
  const { records } = context.metadata.listDocuments('share', group, 0, SHARES_MAX);
  const share = records.find(({ accountId, regionId }) => scopeGroup(accountId, regionId) === own);
  return share?.snapshotId ?? snapshotId;
}

function timeOf(at: number | null): string {
  return at === null ? '' : isoSeconds(at);
}
