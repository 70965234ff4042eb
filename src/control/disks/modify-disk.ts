/**
 * ModifyDiskAttribute: names and what becomes of a disk with its instance. ModifyDiskSpec: its
 * category, performance level and provisioned IOPS. Neither touches its content.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import type { TaskRecord } from '../../record/document.ts';
import { makeTaskId } from '../../record/ids.ts';
import type { DiskRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import type { DiskCategory } from '../encryption/categories.ts';
import type { RuleSet } from '../encryption/cells.ts';
import { findDisk } from '../find.ts';
import { descriptionSchema, diskNameSchema, idListSchema, idSchema } from '../schemas.ts';
import { checkSize, chooseKind, type DiskKind, kindOf } from './category-rules.ts';
import { profileOfDisk } from './disk-profile.ts';
import { chooseAuto } from './new-disk.ts';
import { countSchema } from './parameters.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const modifyDiskAttributeSchema = v.strictObject({
  DiskId: v.optional(idSchema),
  DiskIds: v.optional(idListSchema),
  DiskName: v.optional(diskNameSchema),
  Description: v.optional(descriptionSchema),
  DeleteWithInstance: v.optional(v.boolean()),
  DeleteAutoSnapshot: v.optional(v.boolean()),
  EnableAutoSnapshot: v.optional(v.boolean()),
  BurstingEnabled: v.optional(v.boolean()),
});

export async function modifyDiskAttribute(
  context: ControlContext,
  parameters: DiskVerbs['ModifyDiskAttribute']['parameters'],
): Promise<DiskVerbs['ModifyDiskAttribute']['result']> {
  const { DiskId, DiskIds } = parameters;
  const ids = DiskIds ?? (DiskId === undefined ? [] : [DiskId]);
  if (ids.length === 0) throw new PlaneError('MissingParameter', 'expected DiskId or DiskIds');
  if (DiskId !== undefined && DiskIds !== undefined) {
    throw new PlaneError('InvalidParameter.Conflict', 'expected DiskId or DiskIds, got both');
  }
  return context.locks.hold(ids, async () => {
    const putDisks = [...new Set(ids)].map((id) => {
      const disk = findDisk(context, id);
      checkDiskState('ModifyDiskAttribute', disk);
      return withAttributes(disk, parameters);
    });
    context.passValidation();
    await context.metadata.commit({ putDisks });
    if (parameters.BurstingEnabled !== undefined) {
      for (const disk of putDisks) {
        context.volumes.changeProfile(disk.diskId, profileOfDisk(disk));
      }
    }
    return {};
  });
}

function withAttributes(
  disk: DiskRecord,
  parameters: DiskVerbs['ModifyDiskAttribute']['parameters'],
): DiskRecord {
  const { BurstingEnabled } = parameters;
  const auto =
    BurstingEnabled === undefined
      ? {}
      : { burstingEnabled: bursting(disk, BurstingEnabled).burstingEnabled };
  return {
    ...disk,
    ...auto,
    name: parameters.DiskName ?? disk.name,
    description: parameters.Description ?? disk.description,
    deleteWithInstance: parameters.DeleteWithInstance ?? disk.deleteWithInstance,
    deleteAutoSnapshot: parameters.DeleteAutoSnapshot ?? disk.deleteAutoSnapshot,
    enableAutoSnapshot: parameters.EnableAutoSnapshot ?? disk.enableAutoSnapshot,
  };
}

function bursting(disk: DiskRecord, BurstingEnabled: boolean): Pick<DiskRecord, 'burstingEnabled'> {
  return chooseAuto(kindOf(disk), disk.sizeBytes / GIB, { BurstingEnabled });
}

/** DATA: what a disk of one category can become. Source: ECS ModifyDiskSpec, DiskCategory. */
export const CONVERSIONS: readonly {
  readonly from: DiskCategory;
  readonly to: readonly DiskCategory[];
}[] = [
  { from: 'cloud', to: [] },
  { from: 'cloud_efficiency', to: ['cloud_essd', 'cloud_auto'] },
  { from: 'cloud_ssd', to: ['cloud_essd', 'cloud_auto'] },
  { from: 'cloud_essd', to: ['cloud_auto'] },
  { from: 'cloud_essd_entry', to: ['cloud_essd', 'cloud_auto'] },
  { from: 'cloud_auto', to: ['cloud_essd'] },
  { from: 'cloud_regional_disk_auto', to: [] },
  { from: 'elastic_ephemeral_disk_standard', to: [] },
  { from: 'elastic_ephemeral_disk_premium', to: [] },
  { from: 'ephemeral_ssd', to: [] },
];

export const modifyDiskSpecSchema = v.strictObject({
  DiskId: idSchema,
  DiskCategory: v.optional(v.string()),
  PerformanceLevel: v.optional(v.string()),
  ProvisionedIops: v.optional(countSchema),
});

export function modifyDiskSpec(
  context: ControlContext,
  parameters: DiskVerbs['ModifyDiskSpec']['parameters'],
): Promise<DiskVerbs['ModifyDiskSpec']['result']> {
  const { DiskId } = parameters;
  return context.locks.hold([DiskId], async () => {
    const disk = findDisk(context, DiskId);
    checkDiskState('ModifyDiskSpec', disk);
    const changed = withSpec(context.ruleSet, disk, parameters);
    const record = doneTask(context, 'ModifyDiskSpec', DiskId);
    context.passValidation();
    await context.metadata.commit({
      putDisks: [changed],
      putDocuments: [{ kind: 'task', record }],
    });
    context.volumes.changeProfile(DiskId, profileOfDisk(changed));
    return { TaskId: record.taskId };
  });
}

function withSpec(
  ruleSet: RuleSet,
  disk: DiskRecord,
  { DiskCategory, PerformanceLevel, ProvisionedIops }: DiskVerbs['ModifyDiskSpec']['parameters'],
): DiskRecord {
  const current = kindOf(disk);
  if ((DiskCategory ?? PerformanceLevel ?? ProvisionedIops) === undefined) {
    const detail = 'expected DiskCategory, PerformanceLevel or ProvisionedIops';
    throw new PlaneError('MissingParameter', detail);
  }
  const category = DiskCategory ?? current.category;
  const keepsLevel = category === current.category && current.performanceLevel !== '';
  const level = PerformanceLevel ?? (keepsLevel ? current.performanceLevel : undefined);
  const kind = chooseKind(ruleSet, category, level);
  checkConversion(current, kind, disk.diskId);
  const sizeGiB = disk.sizeBytes / GIB;
  checkSize(kind, disk.type, sizeGiB);
  const keepsIops = kind.category === 'cloud_auto' ? disk.provisionedIops : 0;
  const auto = chooseAuto(kind, sizeGiB, ProvisionedIops === undefined ? {} : { ProvisionedIops });
  return {
    ...disk,
    ...kind,
    provisionedIops: ProvisionedIops === undefined ? keepsIops : auto.provisionedIops,
    burstingEnabled: kind.category === 'cloud_auto' && disk.burstingEnabled,
  };
}

function checkConversion(from: DiskKind, to: DiskKind, diskId: string): void {
  if (from.category === to.category) return;
  const row = CONVERSIONS.find((each) => each.from === from.category);
  if (row?.to.includes(to.category)) return;
  throw new PlaneError(
    'InvalidDiskCategory.NotSupported',
    `${diskId} is of ${from.category}, which cannot become ${to.category}`,
  );
}

/** What DescribeTasks says of work that was done within the call. */
export function doneTask(context: ControlContext, action: string, resourceId: string): TaskRecord {
  const { accountId, regionId, randomBytes, clock } = context;
  const now = clock.now();
  const taskId = makeTaskId(randomBytes);
  const progress = { doneSectors: 0, totalSectors: 0, bytesPerSecond: 0 };
  const times = { createdAt: now, finishedAt: now };
  const own = { taskId, groupId: taskId, accountId, regionId, action, resourceId };
  return { ...own, state: 'finished', code: '', ...progress, ...times };
}
