/**
 * The control side of attaching a disk: its state, before and after its volume is open, and in the
 * audit log the use of its keys.
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
import { toDiskError } from './kms-errors.ts';
import { checkNotErased } from './layers.ts';

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
    checkNotErased(diskId, disk.layers);
    const call = { verb: 'AttachDisk', principal, regionId: disk.regionId };
    await context.metadata.commit({
      putDisks: [{ ...disk, status: 'In_use' }],
      appendAudit: [callEntry(context, call, diskId, 'OK')],
    });
    const use = { reason: 'AttachDisk', resourceId: diskId, layers: disk.layers };
    const opened = await open(disk).catch(async (error: unknown) => {
      const refusal = toDiskError(error);
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
    if (disk?.status !== 'In_use') return;
    const { accountId, regionId } = disk;
    const principal = { accountId, userName: null, regionId };
    const call = { verb: 'DetachDisk', principal, regionId };
    await context.metadata.commit({
      putDisks: [{ ...disk, status: 'Available' }],
      appendAudit: [callEntry(context, call, diskId, 'OK')],
      addUsage: usageOf(context, call, { putDisks: [disk] }),
    });
  });
}
