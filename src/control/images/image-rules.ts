/**
 * DATA: what may be done with an image: whose it is, and how far it is. Hit policy unique: exactly
 * one row for every combination (tested over the product).
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { ImageStatus } from '../../record/document.ts';
import type { PlaneContext } from '../context.ts';
import type { FoundImage, ImageOwner } from './find-image.ts';
import { imageStatus } from './status.ts';

export type ImageUse =
  | 'RunInstances'
  | 'CopyImage'
  | 'ModifyImageAttribute'
  | 'ModifyImageSharePermission'
  | 'DeleteImage'
  | 'ExportImage';

export interface ImageRule {
  readonly uses: readonly ImageUse[];
  readonly owners: readonly ImageOwner[];
  readonly statuses: readonly ImageStatus[];
  /** null: it may. */
  readonly code: ErrorCode | null;
  readonly because: string;
  readonly source: string;
}

const ANYONE = ['self', 'others', 'system'] as const;
const HALF_DONE = ['Creating', 'Waiting'] as const;
const UNUSABLE = ['UnAvailable', 'CreateFailed'] as const;
const ANY_STATUS = [...HALF_DONE, ...UNUSABLE, 'Available', 'Deprecated'] as const;

export const IMAGE_RULES: readonly ImageRule[] = [
  {
    uses: ['RunInstances'],
    owners: ANYONE,
    statuses: ['Available', 'Creating'],
    code: null,
    because: 'instances are made of an image; of a copy while it is being encrypted, too',
    source: 'ECS RunInstances; Creating: ours, the cloud has one wait',
  },
  {
    uses: ['RunInstances'],
    owners: ANYONE,
    statuses: ['Waiting', ...UNUSABLE, 'Deprecated'],
    code: 'IncorrectImageStatus',
    because: 'no instance is made of an image that is not ready, or that is deprecated',
    source: 'ECS RunInstances, IncorrectImageStatus; ModifyImageAttribute, Status',
  },
  {
    uses: ['CopyImage'],
    owners: ['self', 'others'],
    statuses: ['Available', 'Deprecated'],
    code: null,
    because: 'one’s own image and a shared one are copied when they are complete',
    source: 'ECS CopyImage',
  },
  {
    uses: ['CopyImage'],
    owners: ['self', 'others'],
    statuses: [...HALF_DONE, ...UNUSABLE],
    code: 'IncorrectImageStatus',
    because: 'an image is copied when it is complete',
    source: 'ECS CopyImage, IncorrectImageStatus',
  },
  {
    uses: ['CopyImage', 'ExportImage'],
    owners: ['system'],
    statuses: ANY_STATUS,
    code: 'OperationDenied',
    because: 'public images are in every region, and only custom images are copied or exported',
    source: 'ECS encryption overview (2020): custom images are copied',
  },
  {
    uses: ['ExportImage'],
    owners: ['self'],
    statuses: ['Available', 'Deprecated'],
    code: null,
    because: 'one’s own image is exported when it is complete',
    source: 'ECS ExportImage',
  },
  {
    uses: ['ExportImage'],
    owners: ['self'],
    statuses: [...HALF_DONE, ...UNUSABLE],
    code: 'IncorrectImageStatus',
    because: 'an image is exported when it is complete',
    source: 'ECS ExportImage, IncorrectImageStatus',
  },
  {
    uses: ['ExportImage', 'ModifyImageAttribute', 'ModifyImageSharePermission', 'DeleteImage'],
    owners: ['others'],
    statuses: ANY_STATUS,
    code: 'InvalidImageId.NotFound',
    because: 'only its owner changes, shares, exports or deletes an image',
    source: 'ECS DeleteImage, InvalidImageId.NotFound',
  },
  {
    uses: ['ModifyImageAttribute', 'ModifyImageSharePermission', 'DeleteImage'],
    owners: ['system'],
    statuses: ANY_STATUS,
    code: 'InvalidImageId.NotFound',
    because: 'nobody changes, shares or deletes a public image',
    source: 'ECS DeleteImage, InvalidImageId.NotFound',
  },
  {
    uses: ['ModifyImageAttribute'],
    owners: ['self'],
    statuses: ANY_STATUS,
    code: null,
    because: 'an owner names an image at any time',
    source: 'ECS ModifyImageAttribute',
  },
  {
    uses: ['ModifyImageSharePermission'],
    owners: ['self'],
    statuses: ['Available', 'Deprecated'],
    code: null,
    because: 'an image is shared when it is complete',
    source: 'ECS ModifyImageSharePermission',
  },
  {
    uses: ['ModifyImageSharePermission'],
    owners: ['self'],
    statuses: [...HALF_DONE, ...UNUSABLE],
    code: 'IncorrectImageStatus',
    because: 'an image is shared when it is complete',
    source: 'ECS ModifyImageSharePermission',
  },
  {
    uses: ['DeleteImage'],
    owners: ['self'],
    statuses: ['Available', 'Deprecated', ...UNUSABLE],
    code: null,
    because: 'an owner deletes an image',
    source: 'ECS DeleteImage',
  },
  {
    uses: ['DeleteImage'],
    owners: ['self'],
    statuses: HALF_DONE,
    code: 'OperationDenied.ImageCopying',
    because: 'an image that is being copied is not deleted',
    source: 'ECS DeleteImage, OperationDenied.ImageCopying',
  },
];

/** Every row that matches: one, if the table is what it promises to be. */
export function matchImageRules(
  use: ImageUse,
  owner: ImageOwner,
  status: ImageStatus,
): ImageRule[] {
  return IMAGE_RULES.filter(
    (rule) =>
      rule.uses.includes(use) && rule.owners.includes(owner) && rule.statuses.includes(status),
  );
}

/**
 * @throws PlaneError IncorrectImageStatus, OperationDenied, OperationDenied.ImageCopying,
 *   InvalidImageId.NotFound
 */
export function checkImageUse(context: PlaneContext, use: ImageUse, found: FoundImage): void {
  const { image, owner } = found;
  const status = imageStatus(context, image);
  const [rule, ...others] = matchImageRules(use, owner, status);
  invariant(rule !== undefined && others.length === 0, 'one rule matches every combination');
  if (rule.code === null) return;
  throw new PlaneError(rule.code, `${use} of ${image.imageId} (${status}): ${rule.because}`);
}
