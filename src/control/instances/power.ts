/** StartInstance, StopInstance, RebootInstance, DeleteInstance(s), ModifyInstanceAttribute. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { BATCH_INSTANCES_MAX } from '../../limits.ts';
import { chargeTypeOf, checkCharge } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { detached } from '../disks/attachment.ts';
import { removeTrees } from '../layers.ts';
import { descriptionSchema, idSchema, instanceNameSchema, nameSchema } from '../schemas.ts';
import { findInstance } from './find-instance.ts';
import {
  closeVolumes,
  type HeldInstance,
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
  parameters: InstanceVerbs['DeleteInstance']['parameters'],
): Promise<Nothing> {
  await holdInstances(context, [parameters.InstanceId], (held) =>
    remove(context, held, parameters),
  );
  return {};
}

export const deleteInstancesSchema = v.strictObject({
  InstanceId: v.pipe(v.array(idSchema), v.minLength(1), v.maxLength(BATCH_INSTANCES_MAX)),
  Force: v.optional(v.boolean()),
  ForceStop: v.optional(v.boolean()),
  TerminateSubscription: v.optional(v.boolean()),
});

/** All of them, or none. */
export async function deleteInstances(
  context: ControlContext,
  parameters: InstanceVerbs['DeleteInstances']['parameters'],
): Promise<Nothing> {
  const ids = [...new Set(parameters.InstanceId)];
  await holdInstances(context, ids, (held) => remove(context, held, parameters));
  return {};
}

interface Removal {
  readonly Force?: boolean;
  readonly TerminateSubscription?: boolean;
}

/**
 * @throws PlaneError InvalidOperation.DeletionProtection, IncorrectInstanceStatus,
 *   ChargeTypeViolation
 */
async function remove(
  context: ControlContext,
  held: readonly HeldInstance[],
  { Force, TerminateSubscription }: Removal,
): Promise<void> {
  const ends = TerminateSubscription === true;
  const verb = ends ? 'DeleteInstance with TerminateSubscription' : 'DeleteInstance';
  for (const { instance } of held) {
    if (instance.deletionProtection) {
      const detail = `${instance.instanceId} is protected: DeletionProtection is true`;
      throw new PlaneError('InvalidOperation.DeletionProtection', detail);
    }
    const isForced = Force === true;
    checkInstanceState(isForced ? 'DeleteInstance with Force' : 'DeleteInstance', instance);
    const charge = chargeTypeOf(instance);
    checkCharge({ verb, instance: charge, disk: 'none', use: 'none' }, instance.instanceId);
  }
  context.passValidation();
  const now = context.clock.now();
  const disks = held.flatMap((each) => each.disks);
  const removed = disks.filter((disk) => disk.deleteWithInstance);
  const kept = disks.filter((disk) => !disk.deleteWithInstance);
  await context.metadata.commit({
    putDisks: kept.map((disk) => detached(disk, now)),
    removeDisks: removed.map(({ diskId }) => diskId),
    removeDocuments: held.map(({ instance }) => ({ kind: 'instance', key: instance.instanceId })),
  });
  await closeVolumes(
    context,
    disks.map(({ diskId }) => diskId),
  );
  for (const disk of removed) await removeTrees(context, disk);
}

export const modifyInstanceAttributeSchema = v.strictObject({
  InstanceId: idSchema,
  InstanceName: v.optional(instanceNameSchema),
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
