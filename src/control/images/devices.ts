/**
 * The disks of an image that is made of snapshots: DiskDeviceMapping, checked and completed.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import type { ImageDevice } from '../../record/document.ts';
import type { ControlContext } from '../context.ts';
import { requireUsableKey } from '../encryption/check-key.ts';
import { chooseEncryption } from '../encryption/choose.ts';
import { findSnapshotSource } from '../snapshots/find-source.ts';
import { checkSnapshotUse } from '../snapshots/snapshot-rules.ts';
import type { DeviceParameter } from './types.ts';

const DEVICE_LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/**
 * @throws PlaneError InvalidParameter, MissingParameter, InvalidDiskSize.TooSmall,
 *   InvalidSnapshotId.NotFound, InvalidSnapshotId.NotReady, OperationDenied, the codes of master
 *   keys, and what the encryption rules refuse with
 */
export async function devicesOf(
  context: ControlContext,
  mapping: readonly DeviceParameter[],
): Promise<ImageDevice[]> {
  const names = deviceNames(mapping.map(({ Device }) => Device ?? null));
  const types = mapping.map(({ DiskType }, index) => DiskType ?? (index === 0 ? 'system' : 'data'));
  const systemDisks = types.filter((type) => type === 'system').length;
  if (systemDisks !== 1) {
    throw new PlaneError('InvalidParameter', `expected one system disk, got ${systemDisks}`);
  }
  const devices: ImageDevice[] = [];
  for (const [index, { SnapshotId, Size }] of mapping.entries()) {
    const type = types[index] as ImageDevice['type'];
    const device = names[index] as string;
    if (SnapshotId === undefined) {
      if (Size === undefined || type === 'system') {
        const needs = type === 'system' ? 'SnapshotId' : 'SnapshotId or Size';
        throw new PlaneError('MissingParameter', `the ${type} disk ${device} needs ${needs}`);
      }
      devices.push({ device, type, sizeBytes: Size * GIB, snapshotId: null });
      continue;
    }
    const sizeBytes = await checkSnapshot(context, SnapshotId, Size);
    devices.push({ device, type, sizeBytes, snapshotId: SnapshotId });
  }
  // The system disk first, the others as they were given.
  return devices.sort((one, other) => Number(one.type === 'data') - Number(other.type === 'data'));
}

/** @returns the size of a disk of it */
async function checkSnapshot(
  context: ControlContext,
  snapshotId: string,
  sizeGiB: number | undefined,
): Promise<number> {
  const source = findSnapshotSource(context, snapshotId);
  checkSnapshotUse('CreateImage', source);
  const { snapshot, isShared } = source;
  const sizeBytes = sizeGiB === undefined ? snapshot.sizeBytes : sizeGiB * GIB;
  if (sizeBytes < snapshot.sizeBytes) {
    throw new PlaneError(
      'InvalidDiskSize.TooSmall',
      `expected Size of at least ${snapshot.sizeBytes / GIB}, as ${snapshotId}; got ${sizeGiB}`,
    );
  }
  await requireUsableKey(context, snapshot.encryption);
  await chooseEncryption(context, {
    resource: 'image',
    action: 'create',
    source: snapshot,
    isShared,
    newId: snapshotId,
    regionId: context.regionId,
  });
  return sizeBytes;
}

/**
 * A name for every disk: what was given, else the first letter that is free.
 *
 * @throws PlaneError InvalidParameter: a name is given twice
 */
export function deviceNames(given: readonly (string | null)[]): string[] {
  const taken = new Set<string>();
  for (const name of given) {
    if (name !== null && taken.has(name)) {
      throw new PlaneError('InvalidParameter', `the device ${name} is given twice`);
    }
    if (name !== null) taken.add(name);
  }
  return given.map((name) => {
    if (name !== null) return name;
    const letter = [...DEVICE_LETTERS].find((each) => !taken.has(`/dev/xvd${each}`)) ?? 'z';
    taken.add(`/dev/xvd${letter}`);
    return `/dev/xvd${letter}`;
  });
}
