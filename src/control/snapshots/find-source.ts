/**
 * Snapshots by the ids callers give: their own, and those other accounts share with them, which
 * they see under ids of their own.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { ShareRecord } from '../../record/document.ts';
import { isSnapshotId } from '../../record/ids.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { type FindContext, findSnapshot, isInScope } from '../find.ts';
import type { ResourceLocks } from '../resource-locks.ts';

/** What something may be made of. */
export interface SnapshotSource {
  readonly snapshot: SnapshotRecord;
  /** By another account. */
  readonly isShared: boolean;
  /** The id the caller knows it by. */
  readonly visibleId: string;
}

/** The share a caller sees under this id, if it is one. */
export function findShare(context: FindContext, snapshotId: string): ShareRecord | undefined {
  if (!isSnapshotId(snapshotId)) return undefined;
  const share = context.metadata.getDocument('share', snapshotId);
  return share !== undefined && isInScope(context, share) ? share : undefined;
}

/** @throws PlaneError InvalidSnapshotId.NotFound */
export function findSnapshotSource(context: FindContext, snapshotId: string): SnapshotSource {
  const share = findShare(context, snapshotId);
  if (share === undefined) {
    const snapshot = findSnapshot(context, snapshotId);
    return { snapshot, isShared: false, visibleId: snapshotId };
  }
  const snapshot = context.metadata.getSnapshot(share.sourceSnapshotId);
  if (snapshot === undefined) {
    throw new PlaneError('InvalidSnapshotId.NotFound', `${snapshotId} is shared no longer`);
  }
  return { snapshot, isShared: true, visibleId: snapshotId };
}

/**
 * Runs a step while the snapshot can be neither deleted nor unshared.
 *
 * @param alsoHeld other ids the step is about
 * @throws PlaneError InvalidSnapshotId.NotFound; what the step throws
 */
export function holdSnapshotSource<T>(
  context: FindContext & { readonly locks: Pick<ResourceLocks, 'hold'> },
  snapshotId: string,
  step: (source: SnapshotSource) => Promise<T>,
  alsoHeld: readonly string[] = [],
): Promise<T> {
  const { snapshot } = findSnapshotSource(context, snapshotId);
  // Found again when it is held: it may have gone meanwhile.
  return context.locks.hold([snapshot.snapshotId, ...alsoHeld], () =>
    step(findSnapshotSource(context, snapshotId)),
  );
}
