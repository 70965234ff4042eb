/**
 * Images by the ids callers give: their own, those of other accounts that are shared with them or
 * with everybody, and the public ones. And the snapshots behind an image, which whoever may use the
 * image may use through it.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { ImageRecord } from '../../record/document.ts';
import { isImageId } from '../../record/ids.ts';
import { type FindContext, isInScope } from '../find.ts';
import type { SnapshotSource } from '../snapshots/find-source.ts';
import { publicImages } from './public-images.ts';

/** Whose an image is, as the caller sees it. Source: ECS DescribeImages, ImageOwnerAlias. */
export type ImageOwner = 'self' | 'others' | 'system';

export interface FoundImage {
  readonly image: ImageRecord;
  readonly owner: ImageOwner;
}

/**
 * An image the caller sees. What it may do with it: image-rules.ts.
 *
 * @throws PlaneError InvalidImageId.NotFound
 */
export function findImage(context: FindContext, imageId: string): FoundImage {
  const found = lookUpImage(context, imageId);
  if (found !== undefined) return found;
  const shown = JSON.stringify(String(imageId).slice(0, 64));
  throw new PlaneError('InvalidImageId.NotFound', `there is no image ${shown}`);
}

export function lookUpImage(context: FindContext, imageId: string): FoundImage | undefined {
  if (!isImageId(imageId)) {
    const image = publicImages(context.regionId).find((each) => each.imageId === imageId);
    return image === undefined ? undefined : { image, owner: 'system' };
  }
  const image = context.metadata.getDocument('image', imageId);
  if (image === undefined || image.regionId !== context.regionId) return undefined;
  if (isInScope(context, image)) return { image, owner: 'self' };
  const isShown = image.isPublic || image.sharedWith.includes(context.accountId);
  return isShown ? { image, owner: 'others' } : undefined;
}

/** A snapshot behind an image: `snapshotId` is that of one of its devices. */
export function imageSnapshot(
  context: FindContext,
  { image, owner }: FoundImage,
  snapshotId: string,
): SnapshotSource {
  const isBehind = image.devices.some((device) => device.snapshotId === snapshotId);
  invariant(isBehind, `${snapshotId} is behind ${image.imageId}`);
  const snapshot = context.metadata.getSnapshot(snapshotId);
  invariant(snapshot !== undefined, `${snapshotId} is there as long as ${image.imageId} is`);
  return { snapshot, isShared: owner === 'others', visibleId: snapshotId };
}
