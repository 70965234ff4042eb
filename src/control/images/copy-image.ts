/**
 * CopyImage: every snapshot behind the image is copied, to another region as it is or encrypted
 * anew, in the same region or another; then the image of the copies is committed with them. All of
 * it or nothing.
 */
import * as v from 'valibot';
import type { ImageDevice, ImageRecord } from '../../record/document.ts';
import { makeImageId } from '../../record/ids.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { findRegion } from '../access/regions.ts';
import { checkTags } from '../access/tag-rules.ts';
import { tagsSchema } from '../access/tags.ts';
import type { ControlContext } from '../context.ts';
import { type EncryptionRequest, prepareEncryption } from '../encryption/choose.ts';
import { type SharedPair, shareAllAndCommit } from '../layers.ts';
import { inGroup, resourceGroupSchema } from '../resource-groups.ts';
import { descriptionSchema, idSchema, imageNameSchema } from '../schemas.ts';
import { newCopy } from '../snapshots/copy-snapshot.ts';
import { type FoundImage, findImage, imageSnapshot } from './find-image.ts';
import { checkImageName, imageNameLock } from './image-names.ts';
import { checkImageUse } from './image-rules.ts';
import type { ImageVerbs } from './types.ts';

export const copyImageSchema = v.strictObject({
  ImageId: idSchema,
  DestinationRegionId: v.optional(v.string()),
  DestinationImageName: v.optional(imageNameSchema),
  DestinationDescription: v.optional(descriptionSchema),
  Encrypted: v.optional(v.boolean()),
  KMSKeyId: v.optional(idSchema),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
});

type Parameters = ImageVerbs['CopyImage']['parameters'];

export function copyImage(
  context: ControlContext,
  parameters: Parameters,
): Promise<ImageVerbs['CopyImage']['result']> {
  const { ImageId } = parameters;
  const behind = findImage(context, ImageId).image.devices.flatMap(({ snapshotId }) =>
    snapshotId === null ? [] : [snapshotId],
  );
  const { DestinationImageName } = parameters;
  const destination = {
    accountId: context.accountId,
    regionId: parameters.DestinationRegionId ?? context.regionId,
  };
  const held = [ImageId, ...behind, ...imageNameLock(destination, DestinationImageName)];
  return context.locks.hold(held, async () => {
    const found = findImage(context, ImageId);
    checkImageUse(context, 'CopyImage', found);
    const { regionId } = findRegion(parameters.DestinationRegionId ?? context.regionId);
    const tags = checkTags(parameters.Tag ?? []);
    const { resourceGroupId: _, ...copied } = found.image;
    const group = inGroup(parameters.ResourceGroupId);
    checkImageName(context, { ...destination, regionId }, DestinationImageName, null);
    const { devices, pairs, copies } = await copyDevices(context, found, parameters, regionId);
    context.passValidation();
    const image: ImageRecord = {
      ...copied,
      ...group,
      imageId: makeImageId(context.randomBytes),
      accountId: context.accountId,
      regionId,
      name: DestinationImageName ?? '',
      description: parameters.DestinationDescription ?? '',
      tags,
      status: 'Available',
      devices,
      sourceInstanceId: null,
      sourceImageId: ImageId,
      sourceRegionId: found.image.regionId,
      sharedWith: [],
      isPublic: false,
      createdAt: context.clock.now(),
    };
    await shareAllAndCommit(context, pairs, {
      putSnapshots: copies,
      putDocuments: [{ kind: 'image', record: image }],
    });
    for (const { snapshotId, layers } of copies) {
      if (layers.length > 1) await context.tasks.reencrypt(snapshotId);
    }
    return { ImageId: image.imageId };
  });
}

interface DeviceCopies {
  readonly devices: ImageDevice[];
  readonly pairs: SharedPair[];
  readonly copies: SnapshotRecord[];
}

async function copyDevices(
  context: ControlContext,
  found: FoundImage,
  { Encrypted, KMSKeyId }: Parameters,
  regionId: string,
): Promise<DeviceCopies> {
  const made: DeviceCopies = { devices: [], pairs: [], copies: [] };
  for (const device of found.image.devices) {
    if (device.snapshotId === null) {
      await checkEmptyDevice(context, found, { Encrypted, KMSKeyId }, regionId);
      made.devices.push(device);
      continue;
    }
    const source = imageSnapshot(context, found, device.snapshotId);
    const copy = await newCopy(context, source, {
      resource: 'image',
      regionId,
      ...(Encrypted === undefined ? {} : { Encrypted }),
      ...(KMSKeyId === undefined ? {} : { KMSKeyId }),
    });
    made.copies.push(copy);
    made.pairs.push({ source: source.snapshot, target: copy });
    made.devices.push({ ...device, snapshotId: copy.snapshotId });
  }
  return made;
}

/** An empty disk has no content to encrypt, but the rules of the copy are those of its image. */
async function checkEmptyDevice(
  context: ControlContext,
  { image, owner }: FoundImage,
  wanted: Pick<EncryptionRequest, 'Encrypted' | 'KMSKeyId'>,
  regionId: string,
): Promise<void> {
  await prepareEncryption(context, {
    resource: 'image',
    action: regionId === image.regionId ? 'copy-local' : 'copy-cross',
    source: { encryption: null },
    isShared: owner === 'others',
    newId: image.imageId,
    regionId,
    ...wanted,
  });
}
