/** Records by the ids callers give: an id is recognised before it comes near a store key. */
import { PlaneError } from '../base/errors.ts';
import { isDiskId, isSnapshotId } from '../record/ids.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { ControlContext } from './context.ts';

/** @throws PlaneError InvalidDiskId.NotFound */
export function findDisk(context: ControlContext, diskId: string): DiskRecord {
  const disk = isDiskId(diskId) ? context.metadata.getDisk(diskId) : undefined;
  if (disk === undefined || disk.accountId !== context.accountId) {
    throw new PlaneError('InvalidDiskId.NotFound', `there is no disk ${shown(diskId)}`);
  }
  return disk;
}

/** @throws PlaneError InvalidSnapshotId.NotFound */
export function findSnapshot(context: ControlContext, snapshotId: string): SnapshotRecord {
  const isId = isSnapshotId(snapshotId);
  const snapshot = isId ? context.metadata.getSnapshot(snapshotId) : undefined;
  if (snapshot === undefined || snapshot.accountId !== context.accountId) {
    throw new PlaneError('InvalidSnapshotId.NotFound', `there is no snapshot ${shown(snapshotId)}`);
  }
  return snapshot;
}

/** What a caller gave, short enough for a message. */
function shown(text: string): string {
  return JSON.stringify(String(text).slice(0, 64));
}
