/**
 * A disk attached to an instance: what has to hold, and what attaching and detaching do.
 *
 *   instance Running: the volume is open and stays open, its data keys in its shard
 *   instance Stopped: no volume is open, though the disk is In_use; attaching opens and closes one
 *                     at once, as the cloud asks KMS for the key when a disk is attached
 *
 * The caller holds the disk and the instance (resource-locks.ts).
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { INSTANCE_DATA_DISKS_MAX } from '../../limits.ts';
import type { InstanceRecord } from '../../record/document.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { chargeTypeOf, checkCharge } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { disksOfInstance } from '../instances/find-instance.ts';
import { checkInstanceType } from '../instances/instance-types.ts';
import { checkInstanceState } from '../instances/state-rules.ts';
import { toDiskError } from '../kms-errors.ts';
import { checkNotErased } from '../layers.ts';

export const SYSTEM_DEVICE = '/dev/xvda';
const DEVICE = /^\/dev\/(?:xvd|vd|sd)([a-z]{1,2})$/;

export interface AttachWishes {
  readonly Device?: string | undefined;
  readonly DeleteWithInstance?: boolean | undefined;
}

type Attachment = Pick<
  DiskRecord,
  'status' | 'instanceId' | 'device' | 'deleteWithInstance' | 'attachedAt'
>;

/**
 * What the record of the disk says once it is attached.
 *
 * @throws PlaneError IncorrectInstanceStatus, ResourcesNotInSameZone, InstanceDiskLimitExceeded,
 *   InvalidDevice.InUse, InvalidDevice.Malformed, DiskTypeViolation,
 *   InvalidOperation.InstanceTypeNotSupport, InvalidOperation.OtherInstanceUnsupported,
 *   ChargeTypeViolation
 */
export function planAttachment(
  context: ControlContext,
  disk: Pick<
    DiskRecord,
    'diskId' | 'zoneId' | 'type' | 'systemOf' | 'ephemeralOf' | 'chargeType'
  > & { readonly isEncrypted: boolean },
  instance: InstanceRecord,
  wishes: AttachWishes,
): Attachment {
  const { instanceId } = instance;
  const isSystem = disk.type === 'system';
  checkInstanceState(isSystem ? 'AttachDisk of a system disk' : 'AttachDisk', instance);
  if (disk.zoneId !== instance.zoneId) {
    const detail = `${disk.diskId} is in ${disk.zoneId}, ${instanceId} in ${instance.zoneId}`;
    throw new PlaneError('ResourcesNotInSameZone', detail);
  }
  if (disk.ephemeralOf !== undefined && disk.ephemeralOf !== instanceId) {
    const detail = `${disk.diskId} is ephemeral, and goes back to ${disk.ephemeralOf} alone`;
    throw new PlaneError('InvalidOperation.OtherInstanceUnsupported', detail);
  }
  checkAttachedCharge(disk, instance);
  checkInstanceType(instance.instanceType, disk.isEncrypted);
  const others = disksOfInstance(context.metadata, instanceId);
  const device = isSystem ? systemDevice(disk, instanceId, others) : dataDevice(wishes, others);
  return {
    status: 'In_use',
    instanceId,
    device,
    deleteWithInstance: wishes.DeleteWithInstance ?? false,
    attachedAt: context.clock.now(),
  };
}

function checkAttachedCharge(
  disk: Pick<DiskRecord, 'diskId' | 'type' | 'chargeType'>,
  instance: InstanceRecord,
): void {
  const charges = { instance: chargeTypeOf(instance), disk: chargeTypeOf(disk) };
  checkCharge({ verb: 'AttachDisk', ...charges, use: disk.type }, disk.diskId);
}

/**
 * Opens the volume, then does what makes the disk attached; closes it again if that fails.
 *
 * @throws PlaneError the CMK codes, what the shard refuses with; what `commit` throws
 */
export async function openAttached(
  { volumes }: ControlContext,
  disk: DiskRecord,
  instance: InstanceRecord,
  commit: () => Promise<void>,
): Promise<void> {
  checkNotErased(disk.diskId, disk.layers);
  try {
    await volumes.hold({ ...disk, instanceId: instance.instanceId });
  } catch (error) {
    throw toDiskError(error, 'AttachDisk');
  }
  try {
    if (instance.status !== 'Running') await volumes.release(disk.diskId);
    await commit();
  } catch (error) {
    await volumes.release(disk.diskId);
    throw error;
  }
}

function isEphemeral({ category }: DiskRecord): boolean {
  return category.startsWith('elastic_ephemeral');
}

/** The record of a disk once it is attached to no instance. */
export function detached(disk: DiskRecord, now: number): DiskRecord {
  return {
    ...disk,
    ...(disk.type === 'system' && disk.instanceId !== null ? { systemOf: disk.instanceId } : {}),
    ...(isEphemeral(disk) && disk.instanceId !== null ? { ephemeralOf: disk.instanceId } : {}),
    status: 'Available',
    instanceId: null,
    device: '',
    deleteWithInstance: false,
    detachedAt: now,
  };
}

/** The nth data disk's device, from /dev/xvdb on. */
export function dataDeviceName(index: number): string {
  invariant(index >= 0 && index < 25, 'a data disk has a letter from b to z');
  return `/dev/xvd${String.fromCharCode('b'.charCodeAt(0) + index)}`;
}

function systemDevice(
  { diskId, systemOf }: Pick<DiskRecord, 'diskId' | 'systemOf'>,
  instanceId: string,
  others: readonly DiskRecord[],
): string {
  const there = others.find((other) => other.type === 'system');
  if (there !== undefined) {
    const detail = `${instanceId} has the system disk ${there.diskId}; ${diskId} is another`;
    throw new PlaneError('DiskTypeViolation', detail);
  }
  if (systemOf === undefined || systemOf === instanceId) return SYSTEM_DEVICE;
  const detail = `${diskId} is the system disk of ${systemOf}, and goes back to it alone`;
  throw new PlaneError('DiskTypeViolation', detail);
}

function dataDevice({ Device }: AttachWishes, others: readonly DiskRecord[]): string {
  const used = new Set(others.map(({ device }) => device));
  if (others.filter(({ type }) => type === 'data').length >= INSTANCE_DATA_DISKS_MAX) {
    const detail = `the instance has ${INSTANCE_DATA_DISKS_MAX} data disks already`;
    throw new PlaneError('InstanceDiskLimitExceeded', detail);
  }
  if (Device !== undefined && Device !== '') return checkDevice(Device, used);
  for (let index = 0; ; index++) {
    const device = dataDeviceName(index);
    if (!used.has(device)) return device;
  }
}

/** @throws PlaneError InvalidDevice.Malformed, InvalidDevice.InUse */
export function checkDevice(device: string, used: ReadonlySet<string>): string {
  const match = DEVICE.exec(device);
  if (match === null || match[1] === 'a') {
    const shown = JSON.stringify(device.slice(0, 64));
    throw new PlaneError('InvalidDevice.Malformed', `expected /dev/xvdb to z, got ${shown}`);
  }
  const own = `/dev/xvd${match[1]}`;
  if (!used.has(own)) return own;
  throw new PlaneError('InvalidDevice.InUse', `${own} of the instance is used by another disk`);
}
