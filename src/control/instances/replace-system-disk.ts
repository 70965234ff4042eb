/**
 * ReplaceSystemDisk: a new system disk from an image takes the place of the one there is, which is
 * deleted. The instance is stopped.
 *
 * **Thread:** main.
 */
import * as v from 'valibot';
import type { MetadataChange } from '../../meta/metadata.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { charged, chargeTypeOf } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { checkPlannedQuotas, makeDisks } from '../disks/new-disk.ts';
import { flagSchema, imageDiskSizeSchema } from '../disks/parameters.ts';
import { findImage } from '../images/find-image.ts';
import { checkImageUse } from '../images/image-rules.ts';
import { removeTrees } from '../layers.ts';
import { inGroup } from '../resource-groups.ts';
import { idSchema } from '../schemas.ts';
import { holdInstance } from './instance-volumes.ts';
import { planSystemDisk } from './plan-instance.ts';
import { checkInstanceState } from './state-rules.ts';
import type { InstanceVerbs } from './types.ts';

export const replaceSystemDiskSchema = v.strictObject({
  InstanceId: idSchema,
  ImageId: idSchema,
  SystemDisk: v.optional(
    v.strictObject({
      Size: v.optional(imageDiskSizeSchema),
    }),
  ),
  Encrypted: v.optional(flagSchema),
  KMSKeyId: v.optional(idSchema),
  EncryptAlgorithm: v.optional(v.string()),
  KeyPairName: v.optional(v.string()),
  Password: v.optional(v.string()),
  PasswordInherit: v.optional(v.boolean()),
});

export function replaceSystemDisk(
  context: ControlContext,
  parameters: InstanceVerbs['ReplaceSystemDisk']['parameters'],
): Promise<InstanceVerbs['ReplaceSystemDisk']['result']> {
  const { InstanceId, ImageId, Encrypted, KMSKeyId, EncryptAlgorithm } = parameters;
  return holdInstance(context, InstanceId, async ({ instance, disks }) => {
    checkInstanceState('ReplaceSystemDisk', instance);
    const found = findImage(context, ImageId);
    checkImageUse(context, 'RunInstances', found);
    const former = disks.find(({ type }) => type === 'system');
    const wishes = {
      ...parameters.SystemDisk,
      ...(Encrypted === undefined ? {} : { Encrypted }),
      ...(KMSKeyId === undefined ? {} : { KMSKeyId }),
      ...(EncryptAlgorithm === undefined ? {} : { EncryptAlgorithm }),
      ...(former === undefined ? {} : { Category: former.category }),
      ...(former?.performanceLevel ? { PerformanceLevel: former.performanceLevel } : {}),
    };
    const { zoneId } = instance;
    const place = {
      zoneId,
      imageId: found.image.imageId,
      tags: former?.tags ?? {},
      ...inGroup(former?.resourceGroupId),
      ...charged(chargeTypeOf(instance)),
    };
    const plan = await planSystemDisk(context, InstanceId, found, wishes, place);
    const replaced = former === undefined ? [] : [former];
    checkPlannedQuotas(context, [plan], replaced);
    context.passValidation();
    const record = { ...instance, imageId: found.image.imageId };
    const change = (made: readonly DiskRecord[]): MetadataChange => ({
      putDisks: made,
      removeDisks: replaced.map(({ diskId }) => diskId),
      putDocuments: [{ kind: 'instance', record }],
    });
    await makeDisks(context, [plan], change, replaced);
    if (former !== undefined) await removeTrees(context, former);
    return { DiskId: plan.disk.diskId };
  });
}
