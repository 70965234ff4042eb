/**
 * ExportImage: what the system disk's snapshot of an image holds, as a raw file. The work is a
 * task's (jobs/export-image-task.ts); here it is decided whether there is to be one.
 *
 * The plane's directory for exports stands for object storage; a bucket is a folder in it.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { isExportDestination } from '../../record/ids.ts';
import { hasRole } from '../access/roles.ts';
import type { ControlContext } from '../context.ts';
import { requireUsableLayers } from '../encryption/check-key.ts';
import { paceSchema } from '../jobs/task-verbs.ts';
import { checkNotErased } from '../layers.ts';
import { idSchema } from '../schemas.ts';
import { checkHandover } from '../snapshots/handover.ts';
import { findImage } from './find-image.ts';
import { checkImageUse } from './image-rules.ts';
import { snapshotsBehind } from './status.ts';
import type { ImageVerbs } from './types.ts';

export const exportImageSchema = v.strictObject({
  ImageId: idSchema,
  OSSBucket: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'the name of a bucket: 3 to 63 of a-z, 0-9 and -'),
  ),
  OSSPrefix: v.optional(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{0,30}$/, 'at most 30 letters and digits')),
  ),
  ImageFormat: v.optional(v.picklist(['raw', 'RAW'])),
  RoleName: v.optional(v.string()),
  BytesPerSecond: v.optional(paceSchema),
});

/**
 * @throws PlaneError InvalidImageId.NotFound, IncorrectImageStatus, OperationDenied,
 *   ImageNotSupported, NoSetRoletoECSServiceAcount, the CMK codes, DataKeyErased,
 *   OperationConflict; UnsupportedOperation: the plane has nowhere to export to
 */
export function exportImage(
  context: ControlContext,
  parameters: ImageVerbs['ExportImage']['parameters'],
): Promise<ImageVerbs['ExportImage']['result']> {
  const { ImageId, OSSBucket, OSSPrefix, BytesPerSecond } = parameters;
  return context.locks.hold([ImageId], async () => {
    const { image } = await checkExport(context, ImageId);
    const destination = `${OSSBucket}/${OSSPrefix ?? ''}${ImageId}.raw`;
    invariant(isExportDestination(destination), 'bucket and prefix are checked');
    context.passValidation();
    const TaskId = await context.tasks.exportImage(image, destination, BytesPerSecond);
    return { RegionId: image.regionId, TaskId };
  });
}

async function checkExport(context: ControlContext, imageId: string) {
  const found = findImage(context, imageId);
  checkImageUse(context, 'ExportImage', found);
  const snapshots = snapshotsBehind(context, found.image);
  for (const { encryption } of snapshots) {
    const request = { operation: 'export', resource: 'image', id: imageId, encryption } as const;
    await checkHandover(context, request);
  }
  if (!hasRole(context, 'AliyunECSImageExportDefaultRole')) {
    throw new PlaneError(
      'NoSetRoletoECSServiceAcount',
      `exporting ${imageId} needs AliyunECSImageExportDefaultRole`,
    );
  }
  // No rule set lets encrypted images out; one that did would still need their keys.
  for (const { snapshotId, layers } of snapshots) {
    checkNotErased(snapshotId, layers);
    await requireUsableLayers(context, layers);
  }
  const live = context.tasks.liveTaskIdOf(imageId);
  if (live !== null) {
    throw new PlaneError('OperationConflict', `${imageId} is being exported by ${live}`);
  }
  if (!context.tasks.canExport) {
    throw new PlaneError(
      'UnsupportedOperation',
      `${imageId} may be exported, but a plane in memory writes no files: ` +
        'open it with exportDirectory',
    );
  }
  return found;
}
