/**
 * ResetDisk: a disk is again what it was when one of its snapshots was taken. ReInitDisk: a disk is
 * again what it was when it was made. What was written since is gone for good.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { DiskRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { requireUsableLayers } from '../encryption/check-key.ts';
import { findDisk, findSnapshot } from '../find.ts';
import { findInstance } from '../instances/find-instance.ts';
import { startHeld } from '../instances/instance-volumes.ts';
import { checkInstanceState, type InstanceVerb } from '../instances/state-rules.ts';
import { idSchema } from '../schemas.ts';
import { requireReady } from './parameters.ts';
import { replaceContent } from './replace-content.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const resetDiskSchema = v.strictObject({ DiskId: idSchema, SnapshotId: idSchema });

export function resetDisk(
  context: ControlContext,
  parameters: DiskVerbs['ResetDisk']['parameters'],
): Promise<DiskVerbs['ResetDisk']['result']> {
  const { DiskId, SnapshotId } = parameters;
  return context.locks.hold([DiskId, SnapshotId], async () => {
    const disk = findDisk(context, DiskId);
    checkDiskState('ResetDisk', disk);
    checkHolder('ResetDisk', context, disk);
    const snapshot = findSnapshot(context, SnapshotId);
    if (snapshot.sourceDiskId !== DiskId || snapshot.sourceSnapshotId !== null) {
      const detail = `${SnapshotId} was not made from ${DiskId}`;
      throw new PlaneError('InvalidParameter.Mismatch', detail);
    }
    requireReady(snapshot);
    await requireUsableLayers(context, [...disk.layers, ...snapshot.layers]);
    context.passValidation();
    await replaceContent(context, disk, snapshot);
    return {};
  });
}

export const reInitDiskSchema = v.strictObject({
  DiskId: idSchema,
  AutoStartInstance: v.optional(v.boolean()),
  KeyPairName: v.optional(v.string()),
  Password: v.optional(v.string()),
  SecurityEnhancementStrategy: v.optional(v.string()),
});

export async function reInitDisk(
  context: ControlContext,
  parameters: DiskVerbs['ReInitDisk']['parameters'],
): Promise<DiskVerbs['ReInitDisk']['result']> {
  const { DiskId, AutoStartInstance } = parameters;
  const { sourceSnapshotId } = findDisk(context, DiskId);
  const held = sourceSnapshotId === null ? [DiskId] : [DiskId, sourceSnapshotId];
  const instanceId = await context.locks.hold(held, async () => {
    const disk = findDisk(context, DiskId);
    checkDiskState('ReInitDisk', disk);
    checkHolder('ReInitDisk', context, disk);
    const source = sourceOf(context, disk);
    await requireUsableLayers(context, [...disk.layers, ...(source?.layers ?? [])]);
    context.passValidation();
    await replaceContent(context, disk, source);
    return disk.instanceId;
  });
  if (AutoStartInstance === true && instanceId !== null) await startHeld(context, instanceId);
  return {};
}

/** What the disk was made from, whoever's it is. */
function sourceOf(context: ControlContext, disk: DiskRecord): SnapshotRecord | null {
  if (disk.sourceSnapshotId === null) return null;
  const snapshot = context.metadata.getSnapshot(disk.sourceSnapshotId);
  if (snapshot !== undefined) return snapshot;
  const detail = `${disk.sourceSnapshotId}, which ${disk.diskId} was made from, was deleted`;
  throw new PlaneError('InvalidSourceSnapshot', detail);
}

/** No volume may be open: the disk is attached to nothing, or to an instance that is stopped. */
function checkHolder(
  verb: InstanceVerb & ('ResetDisk' | 'ReInitDisk'),
  context: ControlContext,
  disk: DiskRecord,
): void {
  if (disk.instanceId !== null) {
    const instance = findInstance(context, disk.instanceId);
    checkInstanceState(verb, instance);
    if (verb === 'ResetDisk' || instance.startedAt !== null) return;
    const detail = `${instance.instanceId} was never started`;
    throw new PlaneError('IncorrectInstanceStatus', detail);
  }
  if (disk.status === 'Available') return;
  const detail = `${disk.diskId} is attached by a caller of the library, who has to close it first`;
  throw new PlaneError('IncorrectDiskStatus', detail);
}
