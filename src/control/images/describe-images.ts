/**
 * DescribeImages: public images, then own ones in the order of their ids, then those other accounts
 * share, a page at a time. Images other accounts have made public are shown when asked for.
 */
import * as v from 'valibot';
import { GIB } from '../../base/units.ts';
import { DESCRIBE_IDS_MAX } from '../../limits.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { ImageDevice } from '../../record/document.ts';
import { isSnapshotId } from '../../record/ids.ts';
import { tagsSchema } from '../access/tags.ts';
import type { ControlContext } from '../context.ts';
import { creationFilterSchema, isMadeWithin } from '../creation-filter.ts';
import { joinLists, type List, mapList } from '../joined-lists.ts';
import { listingOf, matchesName, pageOf } from '../list-pages.ts';
import { groupOf, resourceGroupSchema } from '../resource-groups.ts';
import { idSchema, isoSeconds, nameSchema, pageEntries } from '../schemas.ts';
import { snapshotProgress } from '../snapshots/progress.ts';
import { describeTags, hasTags } from '../tag-parameters.ts';
import { type FoundImage, type ImageOwner, lookUpImage } from './find-image.ts';
import { publicImages } from './public-images.ts';
import { imageProgress, imageStatus } from './status.ts';
import type { DeviceDescription, ImageDescription, ImageFilters, ImageVerbs } from './types.ts';

const commaListSchema = v.pipe(
  v.string(),
  v.minLength(1),
  v.check((text) => text.split(',').length <= DESCRIBE_IDS_MAX, `at most ${DESCRIBE_IDS_MAX}`),
);

export const describeImagesSchema = v.strictObject({
  ...pageEntries,
  ImageId: v.optional(commaListSchema),
  ImageName: v.optional(nameSchema),
  ImageFamily: v.optional(nameSchema),
  ImageOwnerAlias: v.optional(v.picklist(['system', 'self', 'others', 'marketplace'])),
  ImageOwnerId: v.optional(idSchema),
  SnapshotId: v.optional(idSchema),
  Status: v.optional(commaListSchema),
  OSType: v.optional(v.string()),
  Architecture: v.optional(v.string()),
  Usage: v.optional(v.picklist(['instance', 'none'])),
  IsPublic: v.optional(v.boolean()),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
  Filter: v.optional(creationFilterSchema),
});

export async function describeImages(
  context: ControlContext,
  parameters: ImageVerbs['DescribeImages']['parameters'],
): Promise<ImageVerbs['DescribeImages']['result']> {
  const list = joinLists(listsOf(context, parameters));
  const { records, NextToken: _, ...page } = pageOf(parameters, list, testOf(context, parameters));
  return { ...page, Images: records.map((found) => describe(context, found)) };
}

/** What is looked at. */
function listsOf(context: ControlContext, filters: ImageFilters): List<FoundImage>[] {
  const { ImageId, ImageOwnerAlias, SnapshotId, IsPublic } = filters;
  if (ImageId !== undefined) {
    const ids = new Set(ImageId.split(',').map((id) => id.trim()));
    return [listingOf([...ids].flatMap((id) => lookUpImage(context, id) ?? []))];
  }
  if (SnapshotId !== undefined) {
    return isSnapshotId(SnapshotId) ? [listed(context, `snapshot/${SnapshotId}`, 'self')] : [];
  }
  const scope = scopeGroup(context.accountId, context.regionId);
  if (IsPublic === true) return [listed(context, `public/${context.regionId}`, 'others')];
  const system = publicImages(context.regionId).map(
    (image): FoundImage => ({ image, owner: 'system' }),
  );
  const byOwner: Record<ImageOwner, () => List<FoundImage>> = {
    system: () => listingOf(system),
    self: () => listed(context, `scope/${scope}`, 'self'),
    others: () => listed(context, `shared/${scope}`, 'others'),
  };
  const owners = (['system', 'self', 'others'] as const).filter(
    (owner) => ImageOwnerAlias === undefined || ImageOwnerAlias === owner,
  );
  return owners.map((owner) => byOwner[owner]());
}

function listed(context: ControlContext, group: string, owner: ImageOwner): List<FoundImage> {
  return mapList(
    (skip, limit) => context.metadata.listDocuments('image', group, skip, limit),
    (image) => ({ image, owner }),
  );
}

/** @returns null if everything that is looked at passes */
function testOf(
  context: ControlContext,
  filters: ImageFilters,
): ((found: FoundImage) => boolean) | null {
  const { ImageId, ImageName, ImageFamily, ImageOwnerAlias, ImageOwnerId, SnapshotId } = filters;
  const { Status, OSType, Architecture, Usage, IsPublic, ResourceGroupId, Tag, Filter } = filters;
  const tests: ((found: FoundImage) => boolean)[] = [];
  const ask = (isAsked: boolean, test: (found: FoundImage) => boolean): void => {
    if (isAsked) tests.push(test);
  };
  if (ImageId !== undefined || SnapshotId !== undefined || IsPublic === true) {
    ask(ImageOwnerAlias !== undefined, ({ owner }) => owner === ImageOwnerAlias);
  }
  ask(SnapshotId !== undefined, ({ image }) => isBehind(context, image, SnapshotId ?? ''));
  ask(IsPublic === true, ({ image, owner }) => image.isPublic && owner !== 'system');
  ask(ImageName !== undefined, ({ image }) => matchesName(image.name, ImageName ?? ''));
  ask(ImageFamily !== undefined, ({ image }) => image.family === ImageFamily);
  ask(ImageOwnerId !== undefined, ({ image }) => image.accountId === ImageOwnerId);
  const statuses = Status?.split(',').map((status) => status.trim()) ?? [];
  ask(Status !== undefined, ({ image }) => statuses.includes(imageStatus(context, image)));
  ask(OSType !== undefined, ({ image }) => image.osType === OSType?.toLowerCase());
  ask(Architecture !== undefined, ({ image }) => image.architecture === Architecture);
  ask(Usage !== undefined, ({ image }) => usageOf(context, image.imageId) === Usage);
  ask(ResourceGroupId !== undefined, (found) => groupOfFound(found) === ResourceGroupId);
  ask(Tag !== undefined, (found) => hasTags(tagsOf(found), Tag ?? []));
  ask(Filter !== undefined, ({ image }) => isMadeWithin(image.createdAt, Filter ?? []));
  return tests.length === 0 ? null : (found) => tests.every((passes) => passes(found));
}

/** Of one's own images: a snapshot is its owner's. */
function isBehind(
  context: ControlContext,
  image: FoundImage['image'],
  snapshotId: string,
): boolean {
  const isOwn = image.accountId === context.accountId && image.regionId === context.regionId;
  return isOwn && image.devices.some((device) => device.snapshotId === snapshotId);
}

/** Tags and groups are the owner's alone. */
function tagsOf({ image, owner }: FoundImage): Readonly<Record<string, string>> {
  return owner === 'self' ? image.tags : {};
}

function groupOfFound({ image, owner }: FoundImage): string {
  return owner === 'self' ? groupOf(image) : '';
}

function usageOf(context: ControlContext, imageId: string): ImageDescription['Usage'] {
  const { total } = context.metadata.listDocuments('instance', `image/${imageId}`, 0, 1);
  return total > 0 ? 'instance' : 'none';
}

function describe(context: ControlContext, found: FoundImage): ImageDescription {
  const { image, owner } = found;
  return {
    ImageId: image.imageId,
    ImageName: image.name,
    Description: image.description,
    ImageFamily: image.family,
    ImageOwnerAlias: owner,
    ImageOwnerId: image.accountId,
    Status: imageStatus(context, image),
    Progress: `${imageProgress(context, image)}%`,
    CreationTime: isoSeconds(image.createdAt),
    Size: (image.devices[0]?.sizeBytes ?? 0) / GIB,
    OSType: image.osType,
    Platform: image.platform,
    Architecture: image.architecture,
    IsCopied: image.sourceImageId !== null,
    IsPublic: image.isPublic,
    IsSelfShared: owner === 'self' && image.sharedWith.length > 0,
    Usage: usageOf(context, image.imageId),
    ResourceGroupId: groupOfFound(found),
    DiskDeviceMappings: image.devices.map((device) => describeDevice(context, device)),
    Tags: describeTags(tagsOf(found)),
  };
}

function describeDevice(context: ControlContext, device: ImageDevice): DeviceDescription {
  const { snapshotId } = device;
  const snapshot = snapshotId === null ? undefined : context.metadata.getSnapshot(snapshotId);
  return {
    Device: device.device,
    Type: device.type,
    Size: device.sizeBytes / GIB,
    SnapshotId: snapshotId ?? '',
    Encrypted: (snapshot?.encryption ?? null) !== null,
    Progress: `${snapshot === undefined ? 100 : snapshotProgress(context, snapshot)}%`,
  };
}
