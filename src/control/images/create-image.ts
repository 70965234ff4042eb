/**
 * CreateImage: of an instance, of a snapshot, or of a list of snapshots and empty disks.
 *
 * Of an instance every disk is snapshotted, the system disk first. Snapshots and image are
 * committed together: an image whose third disk cannot be snapshotted leaves nothing.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { IMAGE_DEVICES_MAX } from '../../limits.ts';
import type { ImageDevice, ImageRecord, InstanceRecord } from '../../record/document.ts';
import { isInstanceId, makeImageId } from '../../record/ids.ts';
import type { DiskRecord, SnapshotRecord } from '../../record/resource.ts';
import { checkTags } from '../access/tag-rules.ts';
import { tagsSchema } from '../access/tags.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { type SharedPair, shareAllAndCommit } from '../layers.ts';
import { inGroup, resourceGroupSchema } from '../resource-groups.ts';
import {
  descriptionSchema,
  idSchema,
  imageNameSchema,
  nameSchema,
  sizeSchema,
} from '../schemas.ts';
import { newSnapshot } from '../snapshots/create-snapshot.ts';
import { deviceNames, devicesOf } from './devices.ts';
import { lookUpImage } from './find-image.ts';
import { checkImageName, imageNameLock } from './image-names.ts';
import type { ImageVerbs } from './types.ts';

export const createImageSchema = v.strictObject({
  InstanceId: v.optional(idSchema),
  SnapshotId: v.optional(idSchema),
  DiskDeviceMapping: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          Device: v.optional(v.pipe(v.string(), v.regex(/^\/dev\/[a-z]{3,8}$/, '/dev/xvdb'))),
          DiskType: v.optional(v.picklist(['system', 'data'])),
          Size: v.optional(sizeSchema),
          SnapshotId: v.optional(idSchema),
        }),
      ),
      v.minLength(1),
      v.maxLength(IMAGE_DEVICES_MAX),
    ),
  ),
  ImageName: v.optional(imageNameSchema),
  ImageFamily: v.optional(nameSchema),
  Description: v.optional(descriptionSchema),
  Platform: v.optional(nameSchema),
  Architecture: v.optional(v.picklist(['x86_64', 'arm64', 'i386'])),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
});

type Parameters = ImageVerbs['CreateImage']['parameters'];

export function createImage(
  context: ControlContext,
  parameters: Parameters,
): Promise<ImageVerbs['CreateImage']['result']> {
  const { InstanceId, SnapshotId, DiskDeviceMapping } = parameters;
  const given = [InstanceId, SnapshotId, DiskDeviceMapping].filter((each) => each !== undefined);
  if (given.length === 0) {
    throw new PlaneError(
      'MissingParameter',
      'CreateImage needs InstanceId, SnapshotId or DiskDeviceMapping',
    );
  }
  if (given.length > 1) {
    throw new PlaneError(
      'InvalidParameter.Conflict',
      'CreateImage takes one of InstanceId, SnapshotId and DiskDeviceMapping',
    );
  }
  if (InstanceId !== undefined) return ofInstance(context, parameters, InstanceId);
  return ofSnapshots(context, parameters);
}

async function ofSnapshots(
  context: ControlContext,
  parameters: Parameters,
): Promise<ImageVerbs['CreateImage']['result']> {
  const { SnapshotId, DiskDeviceMapping } = parameters;
  const mapping = DiskDeviceMapping ?? (SnapshotId === undefined ? [] : [{ SnapshotId }]);
  const held = [
    ...mapping.flatMap((device) => device.SnapshotId ?? []),
    ...imageNameLock(context, parameters.ImageName),
  ];
  return context.locks.hold(held, async () => {
    const devices = await devicesOf(context, mapping);
    const image = newImage(context, parameters, devices, null);
    context.passValidation();
    await context.metadata.commit({ putDocuments: [{ kind: 'image', record: image }] });
    return { ImageId: image.imageId };
  });
}

async function ofInstance(
  context: ControlContext,
  parameters: Parameters,
  instanceId: string,
): Promise<ImageVerbs['CreateImage']['result']> {
  const held = [
    instanceId,
    ...disksOf(context, instanceId).map(({ diskId }) => diskId),
    ...imageNameLock(context, parameters.ImageName),
  ];
  return context.locks.hold(held, async () => {
    const instance = findSettledInstance(context, instanceId);
    const disks = disksOf(context, instanceId);
    if (disks.some(({ diskId }) => !held.includes(diskId))) {
      throw new PlaneError('IncorrectInstanceStatus', `disks are being attached to ${instanceId}`);
    }
    if (disks[0]?.type !== 'system') {
      throw new PlaneError('IncorrectInstanceStatus', `${instanceId} has no system disk`);
    }
    const { pairs, snapshots, devices } = await snapshotDisks(context, disks);
    const image = newImage(context, parameters, devices, instance);
    const named = snapshots.map((each) => ({ ...each, description: `Of ${image.imageId}` }));
    context.passValidation();
    await shareAllAndCommit(context, pairs, {
      putSnapshots: named,
      putDocuments: [{ kind: 'image', record: image }],
    });
    for (const { snapshotId, layers } of named) {
      if (layers.length > 1) await context.tasks.reencrypt(snapshotId);
    }
    return { ImageId: image.imageId };
  });
}

async function snapshotDisks(
  context: ControlContext,
  disks: readonly DiskRecord[],
): Promise<{ pairs: SharedPair[]; snapshots: SnapshotRecord[]; devices: ImageDevice[] }> {
  const pairs: SharedPair[] = [];
  const snapshots: SnapshotRecord[] = [];
  const devices: ImageDevice[] = [];
  const names = deviceNames(disks.map(({ device }) => device || null));
  for (const [index, disk] of disks.entries()) {
    const snapshot = await newSnapshot(context, disk, 'image');
    const before = (): Promise<void> => context.volumes.drain(disk.diskId);
    pairs.push({ source: disk, target: snapshot, before });
    snapshots.push(snapshot);
    devices.push({
      device: names[index] as string,
      type: disk.type,
      sizeBytes: disk.sizeBytes,
      snapshotId: snapshot.snapshotId,
    });
  }
  return { pairs, snapshots, devices };
}

function newImage(
  context: ControlContext,
  parameters: Parameters,
  devices: readonly ImageDevice[],
  instance: InstanceRecord | null,
): ImageRecord {
  checkImageName(context, context, parameters.ImageName, null);
  const origin = instance === null ? undefined : lookUpImage(context, instance.imageId)?.image;
  return {
    imageId: makeImageId(context.randomBytes),
    accountId: context.accountId,
    regionId: context.regionId,
    name: parameters.ImageName ?? '',
    description: parameters.Description ?? '',
    tags: checkTags(parameters.Tag ?? []),
    ...inGroup(parameters.ResourceGroupId),
    family: parameters.ImageFamily ?? '',
    status: 'Available',
    devices,
    sourceInstanceId: instance?.instanceId ?? null,
    sourceImageId: null,
    sourceRegionId: null,
    platform: parameters.Platform ?? origin?.platform ?? 'Others Linux',
    osType: origin?.osType ?? 'linux',
    architecture: parameters.Architecture ?? origin?.architecture ?? 'x86_64',
    sharedWith: [],
    isPublic: false,
    createdAt: context.clock.now(),
  };
}

/** The instance, if its disks stay as they are meanwhile. */
function findSettledInstance(context: ControlContext, instanceId: string): InstanceRecord {
  const isId = isInstanceId(instanceId);
  const instance = isId ? context.metadata.getDocument('instance', instanceId) : undefined;
  if (instance === undefined || !isInScope(context, instance)) {
    const shown = JSON.stringify(instanceId.slice(0, 64));
    throw new PlaneError('InvalidInstanceId.NotFound', `there is no instance ${shown}`);
  }
  if (instance.status === 'Running' || instance.status === 'Stopped') return instance;
  throw new PlaneError(
    'IncorrectInstanceStatus',
    `${instanceId} is ${instance.status}: expected Running or Stopped`,
  );
}

/** The system disk first, then by device. */
function disksOf(context: ControlContext, instanceId: string): DiskRecord[] {
  const filter = { scope: context, instanceId };
  const { total } = context.metadata.listDisks(filter, 0, 1);
  if (total === 0) return [];
  const { records } = context.metadata.listDisks(filter, 0, total);
  const rank = (disk: DiskRecord): string => `${disk.type === 'system' ? 0 : 1}${disk.device}`;
  return records.sort((one, other) => (rank(one) < rank(other) ? -1 : 1));
}
