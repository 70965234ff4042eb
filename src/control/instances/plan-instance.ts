/**
 * A new instance and its disks, planned completely before anything is made.
 *
 * The image says which disks there are and what is on them; the parameters say more of each, or ask
 * for more disks. A disk of the image is named by its Device.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import { INSTANCE_DATA_DISKS_MAX } from '../../limits.ts';
import type { ImageDevice, InstanceRecord } from '../../record/document.ts';
import { makeInstanceId } from '../../record/ids.ts';
import { checkTags } from '../access/tag-rules.ts';
import { charged } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { checkDevice, dataDeviceName, SYSTEM_DEVICE } from '../disks/attachment.ts';
import {
  type DiskContent,
  type DiskPlace,
  type DiskWishes,
  type PlannedDisk,
  planDisk,
} from '../disks/new-disk.ts';
import { readFlag, requireReady } from '../disks/parameters.ts';
import { type FoundImage, imageSnapshot } from '../images/find-image.ts';
import { inGroup } from '../resource-groups.ts';
import { findSnapshotSource } from '../snapshots/find-source.ts';
import { zoneOf } from '../zones.ts';
import { checkInstanceType, checkIoOptimized } from './instance-types.ts';
import type { DataDiskParameters, InstanceDiskParameters, NewInstanceParameters } from './types.ts';

export interface PlannedInstance {
  readonly instance: InstanceRecord;
  readonly disks: readonly PlannedDisk[];
}

/** @throws PlaneError what any of its disks is refused with; what its type is refused with */
export async function planInstance(
  context: ControlContext,
  parameters: NewInstanceParameters,
  found: FoundImage,
): Promise<PlannedInstance> {
  const { image } = found;
  const tags = checkTags(parameters.Tag ?? []);
  const instanceId = makeInstanceId(context.randomBytes);
  const zoneId = zoneOf(context, parameters.ZoneId);
  const group = inGroup(parameters.ResourceGroupId);
  const charge = charged(parameters.InstanceChargeType);
  const instance: InstanceRecord = {
    instanceId,
    accountId: context.accountId,
    regionId: context.regionId,
    zoneId,
    name: parameters.InstanceName ?? instanceId,
    description: parameters.Description ?? '',
    hostName: parameters.HostName ?? instanceId,
    instanceType: parameters.InstanceType,
    imageId: image.imageId,
    tags,
    status: 'Stopped',
    deletionProtection: parameters.DeletionProtection ?? false,
    startedAt: null,
    ...group,
    ...charge,
    createdAt: context.clock.now(),
  };
  const place = { zoneId, imageId: image.imageId, tags, ...group, ...charge };
  const disks = [
    await planSystemDisk(context, instanceId, found, parameters.SystemDisk ?? {}, place),
    ...(await planDataDisks(context, instanceId, found, parameters.DataDisk ?? [], place)),
  ];
  const isEncrypted = disks.some(({ encryption }) => encryption.decision.outcome !== 'none');
  checkInstanceType(parameters.InstanceType, isEncrypted);
  checkIoOptimized(parameters.IoOptimized, isEncrypted);
  return { instance, disks };
}

type Place = Omit<DiskPlace, 'type' | 'deleteWithInstance'>;

/** @throws PlaneError what the disk is refused with */
export function planSystemDisk(
  context: ControlContext,
  instanceId: string,
  found: FoundImage,
  parameters: InstanceDiskParameters,
  place: Place,
): Promise<PlannedDisk> {
  const device = found.image.devices.find(({ type }) => type === 'system');
  if (device === undefined) {
    const detail = `${found.image.imageId} has no system disk`;
    throw new PlaneError('InvalidImageId.NotFound', detail);
  }
  const content = contentOf(context, found, device);
  const wishes = wishesOf(parameters, device);
  const where = { ...place, type: 'system', deleteWithInstance: true } as const;
  return planAttached(context, instanceId, SYSTEM_DEVICE, wishes, where, content);
}

async function planDataDisks(
  context: ControlContext,
  instanceId: string,
  found: FoundImage,
  parameters: readonly DataDiskParameters[],
  place: Place,
): Promise<PlannedDisk[]> {
  const own = found.image.devices.filter(({ type }) => type === 'data');
  const isOwn = ({ Device }: DataDiskParameters): boolean =>
    own.some(({ device }) => device === Device);
  const more = parameters.filter((disk) => !isOwn(disk));
  if (own.length + more.length > INSTANCE_DATA_DISKS_MAX) {
    const detail = `expected at most ${INSTANCE_DATA_DISKS_MAX} data disks`;
    throw new PlaneError('InstanceDiskLimitExceeded', `${detail}, got ${own.length + more.length}`);
  }
  const used = new Set<string>(own.map(({ device }) => device));
  const planned: PlannedDisk[] = [];
  for (const device of own) {
    const disk = parameters.find(({ Device }) => Device === device.device) ?? {};
    const content = contentOf(context, found, device);
    const where = { ...place, ...dataPlace(disk) };
    const wishes = wishesOf(disk, device);
    planned.push(await planAttached(context, instanceId, device.device, wishes, where, content));
  }
  for (const disk of more) {
    const device = disk.Device === undefined ? freeDevice(used) : checkDevice(disk.Device, used);
    used.add(device);
    const content = snapshotContent(context, disk.SnapshotId);
    const where = { ...place, ...dataPlace(disk), imageId: null };
    const wishes = wishesOf(disk, null);
    planned.push(await planAttached(context, instanceId, device, wishes, where, content));
  }
  return planned;
}

async function planAttached(
  context: ControlContext,
  instanceId: string,
  device: string,
  wishes: DiskWishes,
  place: DiskPlace,
  content: DiskContent | null,
): Promise<PlannedDisk> {
  const plan = await planDisk(context, wishes, place, content);
  const attachedAt = context.clock.now();
  const disk = { ...plan.disk, status: 'In_use', instanceId, device, attachedAt } as const;
  return { ...plan, disk };
}

function dataPlace({ DeleteWithInstance }: DataDiskParameters): {
  readonly type: 'data';
  readonly deleteWithInstance: boolean;
} {
  return { type: 'data', deleteWithInstance: DeleteWithInstance ?? true };
}

/** @param device the image's, if it is one of its disks */
function wishesOf(parameters: InstanceDiskParameters, device: ImageDevice | null): DiskWishes {
  const { Size, Category, Encrypted, ...wishes } = parameters;
  const leastGiB = device === null ? undefined : device.sizeBytes / GIB;
  const size = Size === undefined ? leastGiB : Number(Size);
  if (size !== undefined && leastGiB !== undefined && size < leastGiB) {
    const detail = `expected Size of at least ${leastGiB}, as the image's; got ${size}`;
    throw new PlaneError('InvalidDiskSize.TooSmall', detail);
  }
  return { ...wishes, Size: size, DiskCategory: Category, Encrypted: readFlag(Encrypted) };
}

function contentOf(
  context: ControlContext,
  found: FoundImage,
  { snapshotId }: ImageDevice,
): DiskContent | null {
  if (snapshotId === null) return null;
  const { snapshot, isShared } = imageSnapshot(context, found, snapshotId);
  return { record: requireReady(snapshot), isShared };
}

function snapshotContent(
  context: ControlContext,
  snapshotId: string | undefined,
): DiskContent | null {
  if (snapshotId === undefined) return null;
  const { snapshot, isShared } = findSnapshotSource(context, snapshotId);
  return { record: requireReady(snapshot), isShared };
}

function freeDevice(used: ReadonlySet<string>): string {
  for (let index = 0; ; index++) {
    const device = dataDeviceName(index);
    if (!used.has(device)) return device;
  }
}
