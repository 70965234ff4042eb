/**
 * The control side of attaching a disk to the library's caller: its state, before and after its
 * volume is open.
 *
 *   Available                      the caller's own: In_use until it is closed
 *   In_use, of a running instance  a face on the volume the instance keeps open
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
import { findInstance } from './instances/find-instance.ts';
import { checkInstanceState } from './instances/state-rules.ts';
import { toDiskError } from './kms-errors.ts';

/**
 * Available -> In_use, and the volume opened; Available again if it cannot be opened. No other verb
 * on the disk runs meanwhile: a resize in between would miss the volume.
 *
 * @param open opens the volume of the record given
 * @param face gives a face on the volume that an instance keeps open
 * @throws PlaneError InvalidAccessKeyId.NotFound, Forbidden.RAM, InvalidRegionId.NotFound,
 *   InvalidDiskId.NotFound, IncorrectDiskStatus, IncorrectInstanceStatus,
 *   InvalidParameter.KMSKeyId.KMSUnauthorized; what opening threw, in the words of the ECS API
 */
export async function attachDisk<T>(
  context: PlaneContext,
  principal: Principal,
  diskId: string,
  open: (record: DiskRecord) => Promise<T>,
  face?: (diskId: string) => T,
): Promise<T> {
  authorise(context.metadata, principal, { name: 'AttachDisk', access: 'write', service: 'ecs' });
  const { regionId } = findRegion(principal.regionId);
  const scope = { metadata: context.metadata, accountId: principal.accountId, regionId };
  return context.locks.hold([diskId], async () => {
    const disk = findDisk(scope, diskId);
    if (disk.instanceId !== null && face !== undefined) {
      checkInstanceState('attach', findInstance(scope, disk.instanceId));
      return face(diskId);
    }
    checkDiskState('attach', disk);
    if (disk.encryption !== null) requireDiskRole(scope);
    const attachedAt = context.clock.now();
    await context.metadata.commit({ putDisks: [{ ...disk, status: 'In_use', attachedAt }] });
    try {
      return await open(disk);
    } catch (error) {
      await context.metadata.commit({ putDisks: [disk] });
      throw toDiskError(error, 'AttachDisk');
    }
  });
}

/** In_use -> Available. No error if the disk is gone. */
export function detachDisk(context: PlaneContext, diskId: string): Promise<void> {
  return context.locks.hold([diskId], async () => {
    const disk = context.metadata.getDisk(diskId);
    if (disk?.status !== 'In_use' || disk.instanceId !== null) return;
    const detachedAt = context.clock.now();
    await context.metadata.commit({ putDisks: [{ ...disk, status: 'Available', detachedAt }] });
  });
}
