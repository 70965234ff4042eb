/** Records by the ids callers give: an id is recognised before it comes near a store key. */
import { PlaneError } from '../base/errors.ts';
import type { Metadata } from '../meta/metadata.ts';
import { isDiskId, isImageId, isInstanceId, isSnapshotId } from '../record/ids.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';

/** Where to look, and for whom. */
export interface FindContext {
  readonly metadata: Metadata;
  readonly accountId: string;
  readonly regionId: string;
}

/** @throws PlaneError InvalidDiskId.NotFound */
export function findDisk(context: FindContext, diskId: string): DiskRecord {
  const disk = isDiskId(diskId) ? context.metadata.getDisk(diskId) : undefined;
  if (disk === undefined || !isInScope(context, disk)) {
    throw new PlaneError('InvalidDiskId.NotFound', `there is no disk ${shown(diskId)}`);
  }
  return disk;
}

/** @throws PlaneError InvalidSnapshotId.NotFound */
export function findSnapshot(context: FindContext, snapshotId: string): SnapshotRecord {
  const isId = isSnapshotId(snapshotId);
  const snapshot = isId ? context.metadata.getSnapshot(snapshotId) : undefined;
  if (snapshot === undefined || !isInScope(context, snapshot)) {
    throw new PlaneError('InvalidSnapshotId.NotFound', `there is no snapshot ${shown(snapshotId)}`);
  }
  return snapshot;
}

/** Another account's resources, and those of other regions, do not exist for a call. */
export function isInScope(
  context: FindContext,
  record: { readonly accountId: string; readonly regionId: string },
): boolean {
  return record.accountId === context.accountId && record.regionId === context.regionId;
}

/** The region of a disk, snapshot, image or instance, whoever it belongs to. */
export function findRegionOf(metadata: Metadata, id: string): string | undefined {
  if (isDiskId(id)) return metadata.getDisk(id)?.regionId;
  if (isImageId(id)) return metadata.getDocument('image', id)?.regionId;
  if (isInstanceId(id)) return metadata.getDocument('instance', id)?.regionId;
  if (!isSnapshotId(id)) return undefined;
  return (metadata.getSnapshot(id) ?? metadata.getDocument('share', id))?.regionId;
}

/** What a caller gave, short enough for a message. */
function shown(text: string): string {
  return JSON.stringify(String(text).slice(0, 64));
}
