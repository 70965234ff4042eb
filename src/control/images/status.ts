/**
 * The state of an image: that of its record, and of the snapshots behind it. A copy that is being
 * encrypted is Creating until its last snapshot is accomplished; nothing has to be written then.
 */
import type { ImageRecord, ImageStatus } from '../../record/document.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import type { PlaneContext } from '../context.ts';
import { snapshotProgress } from '../snapshots/progress.ts';

/** The snapshots behind an image. */
export function snapshotsBehind(context: PlaneContext, image: ImageRecord): SnapshotRecord[] {
  return image.devices.flatMap(({ snapshotId }) => {
    const snapshot = snapshotId === null ? undefined : context.metadata.getSnapshot(snapshotId);
    return snapshot === undefined ? [] : [snapshot];
  });
}

export function imageStatus(context: PlaneContext, image: ImageRecord): ImageStatus {
  if (image.status !== 'Available') return image.status;
  const statuses = snapshotsBehind(context, image).map(({ status }) => status);
  const wanted = image.devices.filter(({ snapshotId }) => snapshotId !== null).length;
  // The encryption of a copy was cancelled: its snapshot is gone.
  if (statuses.length < wanted) return 'CreateFailed';
  if (statuses.includes('failed')) return 'UnAvailable';
  return statuses.includes('progressing') ? 'Creating' : 'Available';
}

/** @returns 0 to 100, whole: that of the snapshot that is least far */
export function imageProgress(context: PlaneContext, image: ImageRecord): number {
  const snapshots = snapshotsBehind(context, image);
  return Math.min(100, ...snapshots.map((each) => snapshotProgress(context, each)));
}
