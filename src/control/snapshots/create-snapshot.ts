/**
 * CreateSnapshot: the disk as it is at one instant between the request and the answer. It holds
 * every write acknowledged before the request and none issued after the answer.
 *
 * The requests in flight are settled, the trees are shared (durable before the shard answers), then
 * the record is committed. No data is copied.
 */
import * as v from 'valibot';
import { makeSnapshotId } from '../../record/ids.ts';
import type { DiskRecord, SnapshotRecord } from '../../record/resource.ts';
import { checkTags } from '../access/tag-rules.ts';
import { tagsSchema } from '../access/tags.ts';
import type { ControlContext } from '../context.ts';
import { checkDiskState } from '../disks/state-rules.ts';
import { requireUsableKey } from '../encryption/check-key.ts';
import { chooseEncryption } from '../encryption/choose.ts';
import { findDisk } from '../find.ts';
import { layersLike, shareAndCommit } from '../layers.ts';
import { requireQuota } from '../quotas.ts';
import { inGroup, resourceGroupSchema } from '../resource-groups.ts';
import {
  descriptionSchema,
  idSchema,
  retentionDaysSchema,
  snapshotNameSchema,
} from '../schemas.ts';
import { checkFirstUse } from './snapshot-rules.ts';
import type { SnapshotVerbs } from './types.ts';

export const createSnapshotSchema = v.strictObject({
  DiskId: idSchema,
  SnapshotName: v.optional(snapshotNameSchema),
  Description: v.optional(descriptionSchema),
  RetentionDays: v.optional(retentionDaysSchema),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
});

export function createSnapshot(
  context: ControlContext,
  parameters: SnapshotVerbs['CreateSnapshot']['parameters'],
): Promise<SnapshotVerbs['CreateSnapshot']['result']> {
  const { DiskId } = parameters;
  return context.locks.hold([DiskId], async () => {
    const disk = findDisk(context, DiskId);
    const tags = checkTags(parameters.Tag ?? []);
    const group = inGroup(parameters.ResourceGroupId);
    const made = await newSnapshot(context, disk, 'snapshot');
    context.passValidation();
    const snapshot: SnapshotRecord = {
      ...made,
      name: parameters.SnapshotName ?? '',
      description: parameters.Description ?? '',
      tags,
      ...group,
      retentionDays: parameters.RetentionDays ?? 0,
    };
    await context.volumes.drain(DiskId);
    await shareAndCommit(context, disk, snapshot, { putSnapshots: [snapshot] });
    if (snapshot.layers.length > 1) await context.tasks.reencrypt(snapshot.snapshotId);
    return { SnapshotId: snapshot.snapshotId };
  });
}

/**
 * The record of a snapshot of the disk, if one may be taken. The disk is held.
 *
 * @param resource whose rules hold: those of a snapshot, or of the image it will be behind
 * @throws PlaneError IncorrectDiskStatus, QuotaExceed.Snapshot,
 *   QuotaExceed.ConcurrentSnapshotQuota, InvalidParameter.KMSKeyId.NotFound,
 *   InvalidParameter.KMSKeyId.CMKNotEnabled, and what the encryption rules refuse with
 */
export async function newSnapshot(
  context: ControlContext,
  disk: DiskRecord,
  resource: 'snapshot' | 'image',
): Promise<SnapshotRecord> {
  checkDiskState('CreateSnapshot', disk);
  checkFirstUse(disk);
  checkSnapshotQuota(context, disk);
  checkProgressQuota(context);
  await requireUsableKey(context, disk.encryption);
  const snapshotId = makeSnapshotId(context.randomBytes);
  const { encryption } = await chooseEncryption(context, {
    resource,
    action: 'create',
    source: disk,
    isShared: false,
    newId: snapshotId,
    regionId: disk.regionId,
  });
  return {
    snapshotId,
    accountId: disk.accountId,
    regionId: disk.regionId,
    name: '',
    description: '',
    tags: {},
    sourceDiskId: disk.diskId,
    sourceDiskType: disk.type,
    sourceSnapshotId: null,
    sourceRegionId: null,
    sizeBytes: disk.sizeBytes,
    // Of a disk that is being encrypted anew too: its content is complete.
    status: 'accomplished',
    encryption,
    layers: layersLike(disk.layers, snapshotId),
    shardIndex: disk.shardIndex,
    retentionDays: 0,
    createdAt: context.clock.now(),
  };
}

function checkProgressQuota(context: ControlContext): void {
  if (context.quotas.snapshotsInProgress === Number.POSITIVE_INFINITY) return;
  const filter = { scope: context, status: 'progressing' };
  const { total } = context.metadata.listSnapshots(filter, 0, 1);
  requireQuota(context, 'snapshotsInProgress', total + 1);
}

/** Copies name the disk too, but are not taken of it. */
function checkSnapshotQuota(context: ControlContext, { diskId }: DiskRecord): void {
  const filter = { scope: context, diskId };
  const { total } = context.metadata.listSnapshots(filter, 0, 1);
  if (total < context.quotas.snapshotsPerDisk) return;
  const { records } = context.metadata.listSnapshots(filter, 0, Math.max(total, 1));
  const taken = records.filter(({ sourceSnapshotId }) => sourceSnapshotId === null).length;
  requireQuota(context, 'snapshotsPerDisk', taken + 1);
}
