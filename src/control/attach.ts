/**
 * The control side of attaching a disk: its state, before and after its volume is open.
 *
 * **Thread:** main.
 */
import type { DiskRecord } from '../record/resource.ts';
import type { ControlContext } from './context.ts';
import { findDisk } from './find.ts';
import { checkDiskState } from './state-rules.ts';

/**
 * Available -> In_use.
 *
 * @throws PlaneError InvalidDiskId.NotFound, IncorrectDiskStatus
 */
export function beginAttach(context: ControlContext, diskId: string): Promise<DiskRecord> {
  return context.locks.hold([diskId], async () => {
    const disk = findDisk(context, diskId);
    checkDiskState('attach', disk);
    const attached: DiskRecord = { ...disk, status: 'In_use' };
    await context.metadata.commit({ putDisks: [attached] });
    return attached;
  });
}

/** In_use -> Available. No error if the disk is gone. */
export function endAttach(context: ControlContext, diskId: string): Promise<void> {
  return context.locks.hold([diskId], async () => {
    const disk = context.metadata.getDisk(diskId);
    if (disk?.status !== 'In_use') return;
    await context.metadata.commit({ putDisks: [{ ...disk, status: 'Available' }] });
  });
}
