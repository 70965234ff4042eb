/**
 * ModifyInstanceChargeType: instances, and disks of theirs, billed by subscription or as they are
 * used. The system disk goes with its instance. Data disks become pay-as-you-go with it, because a
 * pay-as-you-go instance has no others; subscription disks if IncludeDataDisks says so.
 */
import * as v from 'valibot';
import { chargedAs, chargeTypeSchema } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { idSchema } from '../schemas.ts';
import { holdInstances } from './instance-volumes.ts';
import { checkInstanceState } from './state-rules.ts';
import type { InstanceVerbs } from './types.ts';

/** Source: ECS ModifyInstanceChargeType, parameter InstanceIds. */
const CHARGED_INSTANCES_MAX = 20;

export const modifyInstanceChargeTypeSchema = v.strictObject({
  InstanceIds: v.pipe(v.array(idSchema), v.minLength(1), v.maxLength(CHARGED_INSTANCES_MAX)),
  InstanceChargeType: v.optional(chargeTypeSchema),
  IncludeDataDisks: v.optional(v.boolean()),
  AutoPay: v.optional(v.boolean()),
  Period: v.optional(v.number()),
  PeriodUnit: v.optional(v.string()),
});

/**
 * All instances or none.
 *
 * @throws PlaneError InvalidInstanceId.NotFound, IncorrectInstanceStatus
 */
export async function modifyInstanceChargeType(
  context: ControlContext,
  parameters: InstanceVerbs['ModifyInstanceChargeType']['parameters'],
): Promise<InstanceVerbs['ModifyInstanceChargeType']['result']> {
  const { InstanceIds, InstanceChargeType: type = 'PrePaid', IncludeDataDisks } = parameters;
  const isOfAll = type === 'PostPaid' || IncludeDataDisks === true;
  return holdInstances(context, [...new Set(InstanceIds)], async (all) => {
    for (const { instance } of all) checkInstanceState('ModifyInstanceChargeType', instance);
    const changed = all.flatMap(({ disks }) => disks);
    context.passValidation();
    await context.metadata.commit({
      putDocuments: all.map(({ instance }) => ({
        kind: 'instance',
        record: chargedAs(instance, type),
      })),
      putDisks: changed
        .filter((disk) => isOfAll || disk.type === 'system')
        .map((disk) => chargedAs(disk, type)),
    });
    return {};
  });
}
