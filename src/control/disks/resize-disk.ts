/**
 * ResizeDisk: a disk grows, attached or not. New space reads as zeros and costs nothing.
 *
 * Online, or not attached to a running instance: at once. Offline, while its instance runs: the
 * record grows now, the volume when the instance starts again. Source: ECS ResizeDisk, Type.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import type { ControlContext } from '../context.ts';
import { requireUsableLayers } from '../encryption/check-key.ts';
import { findDisk } from '../find.ts';
import { checkDiskQuotas, withDiskQuotas } from '../quotas.ts';
import { idSchema } from '../schemas.ts';
import { checkGrowth, kindOf } from './category-rules.ts';
import { profileOfDisk } from './disk-profile.ts';
import { sizeGiBSchema } from './parameters.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const resizeDiskSchema = v.strictObject({
  DiskId: idSchema,
  NewSize: sizeGiBSchema,
  Type: v.optional(v.picklist(['offline', 'online'])),
});

export function resizeDisk(
  context: ControlContext,
  parameters: DiskVerbs['ResizeDisk']['parameters'],
): Promise<DiskVerbs['ResizeDisk']['result']> {
  const { DiskId, NewSize, Type = 'offline' } = parameters;
  return context.locks.hold([DiskId], async () => {
    const disk = findDisk(context, DiskId);
    checkDiskState('ResizeDisk', disk);
    const sizeBytes = NewSize * GIB;
    if (sizeBytes <= disk.sizeBytes) {
      throw new PlaneError(
        'InvalidDiskSize.TooSmall',
        `expected NewSize above ${disk.sizeBytes / GIB}, the size of ${DiskId}; got ${NewSize}`,
      );
    }
    checkGrowth(kindOf(disk), disk.type, NewSize);
    await requireUsableLayers(context, disk.layers);
    const grown = { ...disk, sizeBytes };
    checkDiskQuotas(context, [grown], [disk]);
    context.passValidation();
    await withDiskQuotas(context, [grown], [disk], () =>
      context.metadata.commit({ putDisks: [grown] }),
    );
    const waitsForStart = disk.instanceId !== null && Type === 'offline';
    if (!waitsForStart) {
      await context.volumes.resize(DiskId, sizeBytes);
      context.volumes.changeProfile(DiskId, profileOfDisk(grown));
    }
    return {};
  });
}
