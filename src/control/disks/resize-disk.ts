/** ResizeDisk: a disk grows, attached or not. New space reads as zeros and costs nothing. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import type { ControlContext } from '../context.ts';
import { findDisk } from '../find.ts';
import { idSchema, sizeSchema } from '../schemas.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const resizeDiskSchema = v.strictObject({ DiskId: idSchema, NewSize: sizeSchema });

export function resizeDisk(
  context: ControlContext,
  parameters: DiskVerbs['ResizeDisk']['parameters'],
): Promise<DiskVerbs['ResizeDisk']['result']> {
  const { DiskId, NewSize } = parameters;
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
    context.passValidation();
    await context.metadata.commit({ putDisks: [{ ...disk, sizeBytes }] });
    await context.volumes.resize(DiskId, sizeBytes);
    return {};
  });
}
