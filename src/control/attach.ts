/**
 * The control side of attaching a disk to the library's caller: its state, before and after its
 * volume is open, and in the audit log the use of its keys.
 *
 *   Available                      the caller's own: In_use until it is closed
 *   In_use, of a running instance  a face on the volume the instance keeps open
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import type { DiskRecord } from '../record/resource.ts';
import { authorise } from './access/authorise.ts';
import { findRegion } from './access/regions.ts';
import { requireDiskRole } from './access/roles.ts';
import { callEntry, keyUseEntries } from './audit/audit-call.ts';
import { usageOf } from './billing/usage.ts';
import type { PlaneContext, Principal } from './context.ts';
import { checkDiskState } from './disks/state-rules.ts';
import { findDisk } from './find.ts';
import { findInstance } from './instances/find-instance.ts';
import { checkInstanceState } from './instances/state-rules.ts';
import { toDiskError } from './kms-errors.ts';
import { checkNotErased } from './layers.ts';

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
    checkNotErased(diskId, disk.layers);
    const call = { verb: 'AttachDisk', principal, regionId: disk.regionId };
    await context.metadata.commit({
      putDisks: [{ ...disk, status: 'In_use', attachedAt: context.clock.now() }],
      appendAudit: [callEntry(context, call, diskId, 'OK')],
    });
    const use = { reason: 'AttachDisk', resourceId: diskId, layers: disk.layers };
    const opened = await open(disk).catch(async (error: unknown) => {
      const refusal = toDiskError(error, 'AttachDisk');
      const outcome = refusal instanceof PlaneError ? refusal.code : 'InternalError';
      const keyUses = keyUseEntries(context, call, { ...use, outcome });
      const appendAudit = [callEntry(context, call, diskId, outcome), ...keyUses];
      await context.metadata.commit({ putDisks: [disk], appendAudit });
      throw refusal;
    });
    const appendAudit = keyUseEntries(context, call, { ...use, outcome: 'OK' });
    const addUsage = usageOf(context, call, { putDisks: [disk] });
    if (appendAudit.length > 0) await context.metadata.commit({ appendAudit, addUsage });
    return opened;
  });
}

/** In_use -> Available. No error if the disk is gone. */
export function detachDisk(context: PlaneContext, diskId: string): Promise<void> {
  return context.locks.hold([diskId], async () => {
    const disk = context.metadata.getDisk(diskId);
    if (disk?.status !== 'In_use' || disk.instanceId !== null) return;
    const { accountId, regionId } = disk;
    const principal = { accountId, userName: null, regionId };
    const call = { verb: 'DetachDisk', principal, regionId };
    const detachedAt = context.clock.now();
    await context.metadata.commit({
      putDisks: [{ ...disk, status: 'Available', detachedAt }],
      appendAudit: [callEntry(context, call, diskId, 'OK')],
      addUsage: usageOf(context, call, { putDisks: [disk] }),
    });
  });
}
