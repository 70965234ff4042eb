/**
 * CloneDisk: a disk with the content another has now, sharing its stored sectors, its data key and
 * its master key. Like a snapshot and a disk made from it, without the snapshot.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import { makeDiskId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { findDisk } from '../find.ts';
import { layersLike, shareAndCommit } from '../layers.ts';
import { idSchema, nameSchema, sizeSchema } from '../schemas.ts';
import { newDisk } from './create-disk.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const cloneDiskSchema = v.strictObject({
  SourceDiskId: idSchema,
  DiskName: v.optional(nameSchema),
  Size: v.optional(sizeSchema),
});

export function cloneDisk(
  context: ControlContext,
  parameters: DiskVerbs['CloneDisk']['parameters'],
): Promise<DiskVerbs['CloneDisk']['result']> {
  const { SourceDiskId, DiskName, Size } = parameters;
  return context.locks.hold([SourceDiskId], async () => {
    const source = findDisk(context, SourceDiskId);
    checkDiskState('CloneDisk', source);
    const sizeBytes = Size === undefined ? source.sizeBytes : Size * GIB;
    if (sizeBytes < source.sizeBytes) {
      throw new PlaneError(
        'InvalidDiskSize.TooSmall',
        `expected Size of at least ${source.sizeBytes / GIB}, as ${SourceDiskId}; got ${Size}`,
      );
    }
    const diskId = makeDiskId(context.randomBytes);
    context.passValidation();
    await context.volumes.drain(SourceDiskId);
    const clone = {
      ...source,
      ...newDisk(context, diskId),
      name: DiskName ?? '',
      sizeBytes,
      layers: layersLike(source.layers, diskId),
    };
    await shareAndCommit(context, source, clone, {
      putDisks: [clone],
      putEdges: [{ childId: diskId, parentId: SourceDiskId }],
    });
    return { DiskId: diskId };
  });
}
