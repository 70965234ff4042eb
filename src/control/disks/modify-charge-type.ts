/** ModifyDiskChargeType: data disks of a subscription instance, billed by subscription or not. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { chargedAs, chargeTypeOf, chargeTypeSchema, checkCharge } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { findDisk } from '../find.ts';
import { findInstance } from '../instances/find-instance.ts';
import { idSchema } from '../schemas.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

/** Source: ECS ModifyDiskChargeType, parameter DiskIds. */
const CHARGED_DISKS_MAX = 16;

export const modifyDiskChargeTypeSchema = v.strictObject({
  InstanceId: idSchema,
  DiskIds: v.pipe(v.array(idSchema), v.minLength(1), v.maxLength(CHARGED_DISKS_MAX)),
  DiskChargeType: v.optional(chargeTypeSchema),
  AutoPay: v.optional(v.boolean()),
});

/**
 * All disks or none.
 *
 * @throws PlaneError InvalidInstanceId.NotFound, InvalidDiskId.NotFound, IncorrectDiskStatus,
 *   DependencyViolation, ChargeTypeViolation
 */
export function modifyDiskChargeType(
  context: ControlContext,
  parameters: DiskVerbs['ModifyDiskChargeType']['parameters'],
): Promise<DiskVerbs['ModifyDiskChargeType']['result']> {
  const { InstanceId, DiskIds, DiskChargeType = 'PrePaid' } = parameters;
  return context.locks.hold([InstanceId, ...DiskIds], async () => {
    const instance = chargeTypeOf(findInstance(context, InstanceId));
    const putDisks = [...new Set(DiskIds)].map((id): DiskRecord => {
      const disk = findDisk(context, id);
      checkDiskState('ModifyDiskChargeType', disk);
      if (disk.instanceId !== InstanceId) {
        throw new PlaneError('DependencyViolation', `${id} is not attached to ${InstanceId}`);
      }
      const verb = 'ModifyDiskChargeType';
      checkCharge({ verb, instance, disk: chargeTypeOf(disk), use: disk.type }, id);
      return chargedAs(disk, DiskChargeType);
    });
    context.passValidation();
    await context.metadata.commit({ putDisks });
    return {};
  });
}
