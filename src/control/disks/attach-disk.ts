/** AttachDisk, DetachDisk: a disk becomes an instance's, and its own again. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { ControlContext } from '../context.ts';
import { requireUsableLayers } from '../encryption/check-key.ts';
import { findDisk } from '../find.ts';
import { findInstance } from '../instances/find-instance.ts';
import { checkInstanceState } from '../instances/state-rules.ts';
import { idSchema } from '../schemas.ts';
import { detached, openAttached, planAttachment } from './attachment.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const attachDiskSchema = v.strictObject({
  DiskId: idSchema,
  InstanceId: idSchema,
  Device: v.optional(v.string()),
  DeleteWithInstance: v.optional(v.boolean()),
  Bootable: v.optional(v.boolean()),
  Force: v.optional(v.boolean()),
  KeyPairName: v.optional(v.string()),
  Password: v.optional(v.string()),
});

export function attachDisk(
  context: ControlContext,
  parameters: DiskVerbs['AttachDisk']['parameters'],
): Promise<DiskVerbs['AttachDisk']['result']> {
  const { DiskId, InstanceId } = parameters;
  return context.locks.hold([DiskId, InstanceId], async () => {
    const disk = findDisk(context, DiskId);
    const instance = findInstance(context, InstanceId);
    checkDiskState('AttachDisk', disk);
    if (parameters.Force === true) {
      throw new PlaneError(
        'InvalidParameterForce.DiskCategoryNotSupported',
        `a disk of ${disk.category} is not attached by force`,
      );
    }
    const isEncrypted = disk.encryption !== null;
    const attachment = planAttachment(context, { ...disk, isEncrypted }, instance, parameters);
    await requireUsableLayers(context, disk.layers, 'AttachDisk');
    const attached = { ...disk, ...attachment };
    context.passValidation();
    await openAttached(context, disk, instance, () =>
      context.metadata.commit({ putDisks: [attached] }),
    );
    return {};
  });
}

export const detachDiskSchema = v.strictObject({
  DiskId: idSchema,
  InstanceId: idSchema,
  DeleteWithInstance: v.optional(v.boolean()),
});

export function detachDisk(
  context: ControlContext,
  parameters: DiskVerbs['DetachDisk']['parameters'],
): Promise<DiskVerbs['DetachDisk']['result']> {
  const { DiskId, InstanceId } = parameters;
  return context.locks.hold([DiskId, InstanceId], async () => {
    const disk = findDisk(context, DiskId);
    const instance = findInstance(context, InstanceId);
    checkDiskState('DetachDisk', disk);
    if (disk.instanceId !== InstanceId) {
      const where = disk.instanceId ?? 'no instance';
      const detail = `expected ${DiskId} on ${InstanceId}, it is attached to ${where}`;
      throw new PlaneError('DependencyViolation', detail);
    }
    const isSystem = disk.type === 'system';
    checkInstanceState(isSystem ? 'DetachDisk of a system disk' : 'DetachDisk', instance);
    context.passValidation();
    await context.metadata.commit({ putDisks: [detached(disk, context.clock.now())] });
    await context.volumes.release(DiskId);
    return {};
  });
}
