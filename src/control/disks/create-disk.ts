/**
 * CreateDisk: an empty disk, or one with the content of a snapshot; attached at once to an instance
 * if one is named.
 *
 * Making a disk is metadata: its tree appears in the shard at the first write.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { InstanceRecord } from '../../record/document.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { checkTags } from '../access/tag-rules.ts';
import { tagsSchema } from '../access/tags.ts';
import { charged } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { findInstance } from '../instances/find-instance.ts';
import { removeTrees } from '../layers.ts';
import { inGroup, resourceGroupSchema } from '../resource-groups.ts';
import { descriptionSchema, diskNameSchema, idSchema } from '../schemas.ts';
import { holdSnapshotSource } from '../snapshots/find-source.ts';
import { zoneOf } from '../zones.ts';
import { openAttached, planAttachment } from './attachment.ts';
import { checkPlannedQuotas, type DiskContent, makeDisks, planDisk } from './new-disk.ts';
import { countSchema, requireReady, sizeGiBSchema } from './parameters.ts';
import type { DiskVerbs } from './types.ts';

export const createDiskSchema = v.strictObject({
  Size: v.optional(sizeGiBSchema),
  DiskName: v.optional(diskNameSchema),
  Description: v.optional(descriptionSchema),
  DiskCategory: v.optional(v.string()),
  PerformanceLevel: v.optional(v.string()),
  ProvisionedIops: v.optional(countSchema),
  BurstingEnabled: v.optional(v.boolean()),
  Encrypted: v.optional(v.boolean()),
  KMSKeyId: v.optional(idSchema),
  EncryptAlgorithm: v.optional(v.string()),
  SnapshotId: v.optional(idSchema),
  ZoneId: v.optional(v.string()),
  InstanceId: v.optional(idSchema),
  MultiAttach: v.optional(v.literal('Disabled')),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
});

type Parameters = DiskVerbs['CreateDisk']['parameters'];
type Result = DiskVerbs['CreateDisk']['result'];

export async function createDisk(context: ControlContext, parameters: Parameters): Promise<Result> {
  const { SnapshotId, InstanceId, ZoneId } = parameters;
  if (InstanceId !== undefined && ZoneId !== undefined) {
    const detail = 'expected ZoneId or InstanceId, got both';
    throw new PlaneError('InvalidParam.ZoneIdAndInstanceId.Conflict', detail);
  }
  const also = InstanceId === undefined ? [] : [InstanceId];
  if (SnapshotId === undefined) {
    return context.locks.hold(also, () => create(context, parameters, null));
  }
  return holdSnapshotSource(
    context,
    SnapshotId,
    ({ snapshot, isShared }) =>
      create(context, parameters, { record: requireReady(snapshot), isShared }),
    also,
  );
}

async function create(
  context: ControlContext,
  parameters: Parameters,
  content: DiskContent | null,
): Promise<Result> {
  const { InstanceId, ZoneId } = parameters;
  const instance = InstanceId === undefined ? null : findInstance(context, InstanceId);
  const place = {
    type: 'data',
    zoneId: instance?.zoneId ?? zoneOf(context, ZoneId),
    imageId: null,
    tags: checkTags(parameters.Tag ?? []),
    deleteWithInstance: false,
    ...inGroup(parameters.ResourceGroupId),
    ...charged(instance?.chargeType),
  } as const;
  const blank = await planDisk(context, parameters, place, content);
  checkPlannedQuotas(context, [blank]);
  if (instance === null) {
    context.passValidation();
    await makeDisks(context, [blank], (disks) => ({ putDisks: disks }));
    return { DiskId: blank.disk.diskId };
  }
  const isEncrypted = blank.encryption.decision.outcome !== 'none';
  const attachment = planAttachment(context, { ...blank.disk, isEncrypted }, instance, {});
  const plan = { ...blank, disk: { ...blank.disk, ...attachment } };
  context.passValidation();
  const disks = await makeDisks(context, [plan], (made) => ({ putDisks: made }));
  for (const disk of disks) await openOrRemove(context, disk, instance);
  return { DiskId: plan.disk.diskId };
}

async function openOrRemove(
  context: ControlContext,
  disk: DiskRecord,
  instance: InstanceRecord,
): Promise<void> {
  try {
    await openAttached(context, disk, instance, async () => {});
  } catch (error) {
    await context.metadata.commit({ removeDisks: [disk.diskId] });
    await removeTrees(context, disk);
    throw error;
  }
}
