/** ModifyImageAttribute and DeleteImage. The snapshots behind an image stay when it is deleted. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { ControlContext } from '../context.ts';
import { descriptionSchema, idSchema, imageNameSchema, nameSchema } from '../schemas.ts';
import { findImage } from './find-image.ts';
import { checkImageName, imageNameLock } from './image-names.ts';
import { checkImageUse } from './image-rules.ts';
import type { ImageVerbs } from './types.ts';

export const modifyImageSchema = v.strictObject({
  ImageId: idSchema,
  ImageName: v.optional(imageNameSchema),
  ImageFamily: v.optional(nameSchema),
  Description: v.optional(descriptionSchema),
  Status: v.optional(v.picklist(['Available', 'Deprecated'])),
});

export const deleteImageSchema = v.strictObject({
  ImageId: idSchema,
  Force: v.optional(v.boolean()),
});

export function modifyImage(
  context: ControlContext,
  parameters: ImageVerbs['ModifyImageAttribute']['parameters'],
): Promise<ImageVerbs['ModifyImageAttribute']['result']> {
  const { ImageId, ImageName, ImageFamily, Description, Status } = parameters;
  return context.locks.hold([ImageId, ...imageNameLock(context, ImageName)], async () => {
    const found = findImage(context, ImageId);
    checkImageUse(context, 'ModifyImageAttribute', found);
    const given = [ImageName, ImageFamily, Description, Status];
    if (given.every((each) => each === undefined)) {
      throw new PlaneError(
        'MissingParameter',
        'ModifyImageAttribute needs ImageName, ImageFamily, Description or Status',
      );
    }
    checkImageName(context, context, ImageName, ImageId);
    context.passValidation();
    const { image } = found;
    const record = {
      ...image,
      name: ImageName ?? image.name,
      family: ImageFamily ?? image.family,
      description: Description ?? image.description,
      status: Status ?? image.status,
    };
    await context.metadata.commit({ putDocuments: [{ kind: 'image', record }] });
    return {};
  });
}

export function deleteImage(
  context: ControlContext,
  { ImageId, Force }: ImageVerbs['DeleteImage']['parameters'],
): Promise<ImageVerbs['DeleteImage']['result']> {
  return context.locks.hold([ImageId], async () => {
    const found = findImage(context, ImageId);
    checkImageUse(context, 'DeleteImage', found);
    const exporting = context.tasks.liveTaskIdOf(ImageId);
    if (exporting !== null) {
      throw new PlaneError('ImageIsExporting', `${ImageId} is being exported by ${exporting}`);
    }
    const { sharedWith, isPublic } = found.image;
    if (sharedWith.length > 0 || isPublic) {
      const whom = isPublic ? 'everybody' : `${sharedWith.length} accounts`;
      throw new PlaneError('ImageUseShared', `${ImageId} is shared with ${whom}: unshare it first`);
    }
    const used = context.metadata.listDocuments('instance', `image/${ImageId}`, 0, 1);
    if (used.total > 0 && Force !== true) {
      throw new PlaneError(
        'ImageUsingByInstance',
        `${used.total} instances use ${ImageId}, one is ${used.records[0]?.instanceId}`,
      );
    }
    context.passValidation();
    await context.metadata.commit({ removeDocuments: [{ kind: 'image', key: ImageId }] });
    return {};
  });
}
