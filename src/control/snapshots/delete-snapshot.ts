/**
 * DeleteSnapshot: disks made from it have trees of their own and stay as they are.
 *
 * Where it is open for reading it is not deleted, unless by force: then its readers' next request
 * answers DiskClosed. The cloud has no such readers; to take a backup's source away from under it
 * should need saying so.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { ControlContext } from '../context.ts';
import { removeTrees } from '../layers.ts';
import { idSchema } from '../schemas.ts';
import { holdSnapshotSource } from './find-source.ts';
import { checkUnlocked } from './snapshot-lock.ts';
import { checkSnapshotUse } from './snapshot-rules.ts';
import type { SnapshotVerbs } from './types.ts';

export const deleteSnapshotSchema = v.strictObject({
  SnapshotId: idSchema,
  Force: v.optional(v.boolean()),
});

export function deleteSnapshot(
  context: ControlContext,
  parameters: SnapshotVerbs['DeleteSnapshot']['parameters'],
): Promise<SnapshotVerbs['DeleteSnapshot']['result']> {
  const { SnapshotId, Force } = parameters;
  return holdSnapshotSource(context, SnapshotId, async (source) => {
    checkSnapshotUse('DeleteSnapshot', source);
    checkUnlocked(source.snapshot, context.clock.now());
    checkUnused(context, SnapshotId, Force === true);
    context.passValidation();
    await context.metadata.commit({ removeSnapshots: [SnapshotId] });
    await removeTrees(context, source.snapshot);
    return {};
  });
}

/** Source: ECS DeleteSnapshot, SnapshotCreatedImage (never by force), SnapshotCreatedDisk. */
function checkUnused(context: ControlContext, snapshotId: string, isForced: boolean): void {
  const { metadata } = context;
  const readers = context.volumes.readerCount(snapshotId);
  if (readers > 0 && !isForced) {
    throw new PlaneError(
      'InvalidSnapshotId.InUse',
      `${snapshotId} is open for reading, ${readers} times: close it first, or use Force`,
    );
  }
  const images = metadata.listDocuments('image', `snapshot/${snapshotId}`, 0, 1);
  if (images.total > 0) {
    throw new PlaneError(
      'SnapshotCreatedImage',
      `${images.total} images were made from ${snapshotId}, one is ${images.records[0]?.imageId}`,
    );
  }
  const shares = metadata.listDocuments('share', `source/${snapshotId}`, 0, 1);
  if (shares.total > 0) {
    throw new PlaneError(
      'InvalidSnapshotId.InUse',
      `${snapshotId} is shared with ${shares.total} accounts: unshare it first`,
    );
  }
  const disks = metadata.listDisks({ sourceSnapshotId: snapshotId }, 0, 1);
  if (disks.total > 0 && !isForced) {
    throw new PlaneError(
      'SnapshotCreatedDisk',
      `${disks.total} disks were made from ${snapshotId}, one is ${disks.records[0]?.diskId}`,
    );
  }
}
