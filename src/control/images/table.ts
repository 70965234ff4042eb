/** The verbs on images. */
import type { VerbRows } from '../verb-row.ts';
import { deleteImage, deleteImageSchema, modifyImage, modifyImageSchema } from './change-image.ts';
import { copyImage, copyImageSchema } from './copy-image.ts';
import { createImage, createImageSchema } from './create-image.ts';
import { describeImages, describeImagesSchema } from './describe-images.ts';
import { exportImage, exportImageSchema } from './export-image.ts';
import {
  describeImageShares,
  imageSharesSchema,
  shareImage,
  shareImageSchema,
} from './share-image.ts';
import type { ImageVerbs } from './types.ts';

const write = { access: 'write', service: 'ecs' } as const;
const read = { access: 'read', service: 'ecs' } as const;

export const IMAGE_VERBS: VerbRows<ImageVerbs> = {
  CreateImage: { schema: createImageSchema, run: createImage, ...write },
  CopyImage: { schema: copyImageSchema, run: copyImage, ...write },
  DescribeImages: { schema: describeImagesSchema, run: describeImages, ...read },
  ModifyImageAttribute: { schema: modifyImageSchema, run: modifyImage, ...write },
  DeleteImage: { schema: deleteImageSchema, run: deleteImage, ...write },
  ExportImage: { schema: exportImageSchema, run: exportImage, ...write },
  ModifyImageSharePermission: { schema: shareImageSchema, run: shareImage, ...write },
  DescribeImageSharePermission: { schema: imageSharesSchema, run: describeImageShares, ...read },
};
