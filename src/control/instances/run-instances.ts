/**
 * RunInstances, CreateInstance: instances and their disks, made in one commit. CreateInstance
 * leaves its instance Stopped; RunInstances starts its own, and if the volume of one cannot be
 * opened none of them is left.
 *
 * **Thread:** main.
 */
import * as v from 'valibot';
import { RUN_INSTANCES_MAX } from '../../limits.ts';
import type { InstanceRecord } from '../../record/document.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { tagsSchema } from '../access/tags.ts';
import { chargeTypeSchema } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { checkPlannedQuotas, makeDisks } from '../disks/new-disk.ts';
import { countSchema, flagSchema, imageDiskSizeSchema } from '../disks/parameters.ts';
import { findImage } from '../images/find-image.ts';
import { checkImageUse } from '../images/image-rules.ts';
import { removeTrees } from '../layers.ts';
import { resourceGroupSchema } from '../resource-groups.ts';
import {
  descriptionSchema,
  diskNameSchema,
  idSchema,
  instanceNameSchema,
  nameSchema,
} from '../schemas.ts';
import { findSnapshotSource } from '../snapshots/find-source.ts';
import { openVolumes } from './instance-volumes.ts';
import { type PlannedInstance, planInstance } from './plan-instance.ts';
import type { InstanceVerbs, NewInstanceParameters } from './types.ts';

const systemDisk = {
  Category: v.optional(v.string()),
  Size: v.optional(imageDiskSizeSchema),
  DiskName: v.optional(diskNameSchema),
  Description: v.optional(descriptionSchema),
  PerformanceLevel: v.optional(v.string()),
};
const encryption = {
  ProvisionedIops: v.optional(countSchema),
  BurstingEnabled: v.optional(v.boolean()),
  Encrypted: v.optional(flagSchema),
  KMSKeyId: v.optional(idSchema),
  EncryptAlgorithm: v.optional(v.string()),
};
const dataDisk = {
  ...systemDisk,
  ...encryption,
  SnapshotId: v.optional(idSchema),
  Device: v.optional(v.string()),
  DeleteWithInstance: v.optional(v.boolean()),
};

const newInstance = {
  ImageId: idSchema,
  InstanceType: v.string(),
  ZoneId: v.optional(v.string()),
  InstanceName: v.optional(instanceNameSchema),
  HostName: v.optional(nameSchema),
  Description: v.optional(descriptionSchema),
  DeletionProtection: v.optional(v.boolean()),
  DataDisk: v.optional(v.array(v.strictObject(dataDisk))),
  InstanceChargeType: v.optional(chargeTypeSchema),
  Tag: v.optional(tagsSchema),
  // Networks: taken and ignored.
  VSwitchId: v.optional(v.string()),
  SecurityGroupId: v.optional(v.string()),
  SecurityGroupIds: v.optional(v.array(v.string())),
  InternetChargeType: v.optional(v.string()),
  InternetMaxBandwidthIn: v.optional(v.number()),
  InternetMaxBandwidthOut: v.optional(v.number()),
  IoOptimized: v.optional(v.string()),
  KeyPairName: v.optional(v.string()),
  Password: v.optional(v.string()),
  PasswordInherit: v.optional(v.boolean()),
  RamRoleName: v.optional(v.string()),
  ResourceGroupId: v.optional(resourceGroupSchema),
  SpotStrategy: v.optional(v.string()),
  UniqueSuffix: v.optional(v.boolean()),
  UserData: v.optional(v.string()),
};

/** The system disk of CreateInstance has no parameters of encryption. */
export const createInstanceSchema = v.strictObject({
  ...newInstance,
  SystemDisk: v.optional(v.strictObject(systemDisk)),
});

const amount = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(RUN_INSTANCES_MAX));

export const runInstancesSchema = v.strictObject({
  ...newInstance,
  SystemDisk: v.optional(v.strictObject({ ...systemDisk, ...encryption })),
  Amount: v.optional(amount),
  MinAmount: v.optional(amount),
});

export async function createInstance(
  context: ControlContext,
  parameters: InstanceVerbs['CreateInstance']['parameters'],
): Promise<InstanceVerbs['CreateInstance']['result']> {
  return holdSources(context, parameters, async () => {
    const found = findImage(context, parameters.ImageId);
    checkImageUse(context, 'RunInstances', found);
    const plan = await planInstance(context, parameters, found);
    checkPlannedQuotas(context, plan.disks);
    context.passValidation();
    await make(context, [plan], 'Stopped');
    return { InstanceId: plan.instance.instanceId };
  });
}

export async function runInstances(
  context: ControlContext,
  parameters: InstanceVerbs['RunInstances']['parameters'],
): Promise<InstanceVerbs['RunInstances']['result']> {
  const { Amount = 1 } = parameters;
  return holdSources(context, parameters, async () => {
    const found = findImage(context, parameters.ImageId);
    checkImageUse(context, 'RunInstances', found);
    const plans: PlannedInstance[] = [];
    for (let index = 0; index < Amount; index++) {
      plans.push(await planInstance(context, parameters, found));
    }
    checkPlannedQuotas(
      context,
      plans.flatMap((plan) => plan.disks),
    );
    context.passValidation();
    const disks = await make(context, plans, 'Starting');
    await run(context, plans, disks);
    return { InstanceIdSets: plans.map(({ instance }) => instance.instanceId) };
  });
}

/** The image and the snapshots stay while disks are made from them. */
function holdSources<T>(
  context: ControlContext,
  { ImageId, DataDisk = [] }: NewInstanceParameters,
  step: () => Promise<T>,
): Promise<T> {
  const { image } = findImage(context, ImageId);
  const ids = [image.imageId];
  for (const { snapshotId } of image.devices) if (snapshotId !== null) ids.push(snapshotId);
  for (const { SnapshotId } of DataDisk) {
    if (SnapshotId === undefined) continue;
    ids.push(findSnapshotSource(context, SnapshotId).snapshot.snapshotId);
  }
  return context.locks.hold(ids, step);
}

function make(
  context: ControlContext,
  plans: readonly PlannedInstance[],
  status: InstanceRecord['status'],
): Promise<readonly DiskRecord[]> {
  const disks = plans.flatMap((plan) => plan.disks);
  const documents = plans.map(({ instance }) => ({
    kind: 'instance' as const,
    record: { ...instance, status },
  }));
  return makeDisks(context, disks, (putDisks) => ({ putDisks, putDocuments: documents }));
}

async function run(
  context: ControlContext,
  plans: readonly PlannedInstance[],
  disks: readonly DiskRecord[],
): Promise<void> {
  const startedAt = context.clock.now();
  try {
    await openVolumes(context, disks);
    await context.metadata.commit({
      putDocuments: plans.map(({ instance }) => ({
        kind: 'instance',
        record: { ...instance, status: 'Running', startedAt },
      })),
    });
  } catch (error) {
    for (const { diskId } of disks) await context.volumes.release(diskId);
    await context.metadata.commit({
      removeDisks: disks.map(({ diskId }) => diskId),
      removeDocuments: plans.map(({ instance }) => ({
        kind: 'instance',
        key: instance.instanceId,
      })),
    });
    for (const disk of disks) await removeTrees(context, disk);
    throw error;
  }
}
