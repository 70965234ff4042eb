/**
 * The control side of attaching a disk: its state, before and after its volume is open.
 *
 * **Thread:** main.
 */
import type { DiskRecord } from '../record/resource.ts';
import { authorise } from './access/authorise.ts';
import { findRegion } from './access/regions.ts';
import { requireDiskRole } from './access/roles.ts';
import type { PlaneContext, Principal } from './context.ts';
import { checkDiskState } from './disks/state-rules.ts';
import { findDisk } from './find.ts';
import { toDiskError } from './kms-errors.ts';

/**
 * Available -> In_use, and the volume opened; Available again if it cannot be opened. No other verb
 * on the disk runs meanwhile: a resize in between would miss the volume.
 *
 * @param open opens the volume of the record given
 * @throws PlaneError InvalidAccessKeyId.NotFound, Forbidden.RAM, InvalidRegionId.NotFound,
 *   InvalidDiskId.NotFound, IncorrectDiskStatus, InvalidParameter.KMSKeyId.KMSUnauthorized; what
 *   open() threw, in the words of the ECS API
 */
export async function attachDisk<T>(
  context: PlaneContext,
  principal: Principal,
  diskId: string,
  open: (record: DiskRecord) => Promise<T>,
): Promise<T> {
  authorise(context.metadata, principal, { name: 'AttachDisk', access: 'write', service: 'ecs' });
  const { regionId } = findRegion(principal.regionId);
  const scope = { metadata: context.metadata, accountId: principal.accountId, regionId };
  return context.locks.hold([diskId], async () => {
    const disk = findDisk(scope, diskId);
    checkDiskState('attach', disk);
    if (disk.encryption !== null) requireDiskRole(scope);
    await context.metadata.commit({ putDisks: [{ ...disk, status: 'In_use' }] });
    try {
      return await open(disk);
    } catch (error) {
      await context.metadata.commit({ putDisks: [disk] });
      throw toDiskError(error);
    }
  });
}

/** In_use -> Available. No error if the disk is gone. */
export function detachDisk(context: PlaneContext, diskId: string): Promise<void> {
  return context.locks.hold([diskId], async () => {
    const disk = context.metadata.getDisk(diskId);
    if (disk?.status !== 'In_use') return;
    await context.metadata.commit({ putDisks: [{ ...disk, status: 'Available' }] });
  });
}
