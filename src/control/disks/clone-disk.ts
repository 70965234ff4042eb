/**
 * CloneDisk: a disk with the content another has now, sharing its stored sectors, its data key and
 * its master key. Like a snapshot and a disk made from it, without the snapshot.
 *
 * CloneDisks: the cloud's own operation, which may choose a category, and another key.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { checkTags } from '../access/tag-rules.ts';
import { tagsSchema } from '../access/tags.ts';
import type { ControlContext } from '../context.ts';
import { findDisk } from '../find.ts';
import { inGroup, resourceGroupSchema } from '../resource-groups.ts';
import { diskNameSchema, idSchema } from '../schemas.ts';
import { doneTask } from './modify-disk.ts';
import {
  checkPlannedQuotas,
  type DiskPlace,
  type DiskWishes,
  makeDisks,
  type PlannedDisk,
  planDisk,
  wishesLike,
} from './new-disk.ts';
import { countSchema, sizeGiBSchema } from './parameters.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const cloneDiskSchema = v.strictObject({
  SourceDiskId: idSchema,
  DiskName: v.optional(diskNameSchema),
  Size: v.optional(sizeGiBSchema),
});

export function cloneDisk(
  context: ControlContext,
  parameters: DiskVerbs['CloneDisk']['parameters'],
): Promise<DiskVerbs['CloneDisk']['result']> {
  const { SourceDiskId } = parameters;
  return context.locks.hold([SourceDiskId], async () => {
    const source = findDisk(context, SourceDiskId);
    checkDiskState('CloneDisk', source);
    const plan = await planClone(
      context,
      source,
      { ...wishesLike(source), ...parameters },
      { tags: {} },
    );
    context.passValidation();
    await context.volumes.drain(SourceDiskId);
    await makeDisks(context, [plan], (disks) => ({
      putDisks: disks,
      putEdges: [edge(plan, source)],
    }));
    return { DiskId: plan.disk.diskId };
  });
}

/** ESSD-series disks alone. Source: ECS CloneDisks. */
const CLONED_CATEGORIES = ['cloud_essd', 'cloud_auto', 'cloud_essd_entry'];

export const cloneDisksSchema = v.strictObject({
  SourceDiskId: idSchema,
  DiskCategory: v.string(),
  Size: sizeGiBSchema,
  MultiAttach: v.optional(v.literal('Disabled')),
  DiskName: v.optional(diskNameSchema),
  PerformanceLevel: v.optional(v.string()),
  ProvisionedIops: v.optional(countSchema),
  BurstingEnabled: v.optional(v.boolean()),
  Encrypted: v.optional(v.boolean()),
  KmsKeyId: v.optional(idSchema),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
});

export function cloneDisks(
  context: ControlContext,
  parameters: DiskVerbs['CloneDisks']['parameters'],
): Promise<DiskVerbs['CloneDisks']['result']> {
  const { SourceDiskId, KmsKeyId, ResourceGroupId, Tag } = parameters;
  return context.locks.hold([SourceDiskId], async () => {
    const source = findDisk(context, SourceDiskId);
    checkDiskState('CloneDisks', source);
    for (const category of [source.category, parameters.DiskCategory]) {
      if (CLONED_CATEGORIES.includes(category)) continue;
      throw new PlaneError(
        'InvalidDiskCategory.NotSupported',
        `expected one of ${CLONED_CATEGORIES.join(', ')}, got ${category.slice(0, 64)}`,
      );
    }
    const wishes = { ...parameters, KMSKeyId: KmsKeyId };
    const own = { tags: checkTags(Tag ?? []), ...inGroup(ResourceGroupId) };
    const plan = await planClone(context, source, wishes, own);
    const task = doneTask(context, 'CloneDisks', plan.disk.diskId);
    context.passValidation();
    await context.volumes.drain(SourceDiskId);
    await makeDisks(context, [plan], (disks) => ({
      putDisks: disks,
      putEdges: [edge(plan, source)],
      putDocuments: [{ kind: 'task', record: task }],
    }));
    return { TaskGroupId: task.groupId };
  });
}

async function planClone(
  context: ControlContext,
  source: DiskRecord,
  wishes: DiskWishes,
  own: Pick<DiskPlace, 'tags' | 'resourceGroupId'>,
): Promise<PlannedDisk> {
  const { zoneId } = source;
  const place = { ...own, type: 'data', zoneId, imageId: null, deleteWithInstance: false } as const;
  const plan = await planDisk(context, wishes, place, { record: source, isShared: false });
  checkPlannedQuotas(context, [plan]);
  return plan;
}

function edge(plan: PlannedDisk, source: DiskRecord): { childId: string; parentId: string } {
  return { childId: plan.disk.diskId, parentId: source.diskId };
}
