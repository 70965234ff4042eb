/** StartInstance, StopInstance, RebootInstance, DeleteInstance, ModifyInstanceAttribute. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { ControlContext } from '../context.ts';
import { detached } from '../disks/attachment.ts';
import { removeTrees } from '../layers.ts';
import { descriptionSchema, idSchema, nameSchema } from '../schemas.ts';
import { findInstance } from './find-instance.ts';
import {
  closeVolumes,
  holdInstance,
  holdInstances,
  reboot,
  startHeld,
  stop,
} from './instance-volumes.ts';
import { checkInstanceState } from './state-rules.ts';
import type { InstanceVerbs } from './types.ts';

type Nothing = Record<string, never>;

export const startInstanceSchema = v.strictObject({
  InstanceId: idSchema,
  InitLocalDisk: v.optional(v.boolean()),
});

export async function startInstance(
  context: ControlContext,
  { InstanceId }: InstanceVerbs['StartInstance']['parameters'],
): Promise<Nothing> {
  await startHeld(context, InstanceId);
  return {};
}

export const stopInstanceSchema = v.strictObject({
  InstanceId: idSchema,
  ForceStop: v.optional(v.boolean()),
  ConfirmStop: v.optional(v.boolean()),
  StoppedMode: v.optional(v.string()),
});

export async function stopInstance(
  context: ControlContext,
  { InstanceId }: InstanceVerbs['StopInstance']['parameters'],
): Promise<Nothing> {
  await holdInstances(context, [InstanceId], (held) => stop(context, held));
  return {};
}

export const rebootInstanceSchema = v.strictObject({
  InstanceId: idSchema,
  ForceStop: v.optional(v.boolean()),
});

export async function rebootInstance(
  context: ControlContext,
  { InstanceId }: InstanceVerbs['RebootInstance']['parameters'],
): Promise<Nothing> {
  await holdInstance(context, InstanceId, (held) => reboot(context, held));
  return {};
}

export const deleteInstanceSchema = v.strictObject({
  InstanceId: idSchema,
  Force: v.optional(v.boolean()),
  ForceStop: v.optional(v.boolean()),
  TerminateSubscription: v.optional(v.boolean()),
});

export async function deleteInstance(
  context: ControlContext,
  { InstanceId, Force }: InstanceVerbs['DeleteInstance']['parameters'],
): Promise<Nothing> {
  await holdInstance(context, InstanceId, async ({ instance, disks }) => {
    if (instance.deletionProtection) {
      const detail = `${InstanceId} is protected: DeletionProtection is true`;
      throw new PlaneError('InvalidOperation.DeletionProtection', detail);
    }
    const verb = Force === true ? 'DeleteInstance with Force' : 'DeleteInstance';
    checkInstanceState(verb, instance);
    context.passValidation();
    const now = context.clock.now();
    const removed = disks.filter((disk) => disk.deleteWithInstance);
    const kept = disks.filter((disk) => !disk.deleteWithInstance);
    await context.metadata.commit({
      putDisks: kept.map((disk) => detached(disk, now)),
      removeDisks: removed.map(({ diskId }) => diskId),
      removeDocuments: [{ kind: 'instance', key: InstanceId }],
    });
    await closeVolumes(
      context,
      disks.map(({ diskId }) => diskId),
    );
    for (const disk of removed) await removeTrees(context, disk);
  });
  return {};
}

export const modifyInstanceAttributeSchema = v.strictObject({
  InstanceId: idSchema,
  InstanceName: v.optional(nameSchema),
  Description: v.optional(descriptionSchema),
  HostName: v.optional(nameSchema),
  DeletionProtection: v.optional(v.boolean()),
});

export function modifyInstanceAttribute(
  context: ControlContext,
  parameters: InstanceVerbs['ModifyInstanceAttribute']['parameters'],
): Promise<Nothing> {
  const { InstanceId } = parameters;
  return context.locks.hold([InstanceId], async () => {
    const instance = findInstance(context, InstanceId);
    checkInstanceState('ModifyInstanceAttribute', instance);
    context.passValidation();
    const record = {
      ...instance,
      name: parameters.InstanceName ?? instance.name,
      description: parameters.Description ?? instance.description,
      hostName: parameters.HostName ?? instance.hostName,
      deletionProtection: parameters.DeletionProtection ?? instance.deletionProtection,
    };
    await context.metadata.commit({ putDocuments: [{ kind: 'instance', record }] });
    return {};
  });
}
