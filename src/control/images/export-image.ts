/**
 * ExportImage: as far as the rules go. An image that may be exported is refused too, in words of
 * its own: a plane has no object storage to export to.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { hasRole } from '../access/roles.ts';
import type { ControlContext } from '../context.ts';
import { idSchema } from '../schemas.ts';
import { checkHandover } from '../snapshots/handover.ts';
import { findImage } from './find-image.ts';
import { checkImageUse } from './image-rules.ts';
import { snapshotsBehind } from './status.ts';
import type { ImageVerbs } from './types.ts';

export const exportImageSchema = v.strictObject({
  ImageId: idSchema,
  OSSBucket: idSchema,
  OSSPrefix: v.optional(v.string()),
  ImageFormat: v.optional(v.picklist(['raw', 'RAW'])),
  RoleName: v.optional(v.string()),
});

/**
 * @throws PlaneError always: InvalidImageId.NotFound, IncorrectImageStatus, OperationDenied,
 *   ImageNotSupported, NoSetRoletoECSServiceAcount; UnsupportedOperation if none of these
 */
export function exportImage(
  context: ControlContext,
  { ImageId }: ImageVerbs['ExportImage']['parameters'],
): Promise<ImageVerbs['ExportImage']['result']> {
  return context.locks.hold([ImageId], async () => {
    const found = findImage(context, ImageId);
    checkImageUse(context, 'ExportImage', found);
    for (const { encryption } of snapshotsBehind(context, found.image)) {
      const request = { operation: 'export', resource: 'image', id: ImageId, encryption } as const;
      await checkHandover(context, request);
    }
    if (!hasRole(context, 'AliyunECSImageExportDefaultRole')) {
      throw new PlaneError(
        'NoSetRoletoECSServiceAcount',
        `exporting ${ImageId} needs AliyunECSImageExportDefaultRole`,
      );
    }
    throw new PlaneError(
      'UnsupportedOperation',
      `${ImageId} may be exported, but this plane has no object storage to export it to`,
    );
  });
}
