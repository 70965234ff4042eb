/** What a disk can be made from: a snapshot of one's own, or one that another account shares. */
import { PlaneError } from '../../base/errors.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { type FindContext, findSnapshot } from '../find.ts';

export interface DiskSource {
  readonly snapshot: SnapshotRecord;
  /** The snapshot is another account's. */
  readonly isShared: boolean;
}

/**
 * The snapshot behind an id: of one's own, or as the id of a share names it.
 *
 * @throws PlaneError InvalidSnapshotId.NotFound, InvalidSnapshotId.NotReady
 */
export function findSource(context: FindContext, snapshotId: string): DiskSource {
  const share = context.metadata.getDocument('share', snapshotId);
  if (share?.accountId === context.accountId && share.regionId === context.regionId) {
    const snapshot = context.metadata.getSnapshot(share.sourceSnapshotId);
    if (snapshot !== undefined) return { snapshot: requireReady(snapshot), isShared: true };
  }
  return { snapshot: requireReady(findSnapshot(context, snapshotId)), isShared: false };
}

/** @throws PlaneError InvalidSnapshotId.NotReady */
export function requireReady(snapshot: SnapshotRecord): SnapshotRecord {
  if (snapshot.status === 'accomplished') return snapshot;
  const detail = `${snapshot.snapshotId} is ${snapshot.status}: the expected status is accomplished`;
  throw new PlaneError('InvalidSnapshotId.NotReady', detail);
}
