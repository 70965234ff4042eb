/** DeleteSnapshot: disks made from it have trees of their own and stay as they are. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { ControlContext } from '../context.ts';
import { findSnapshot } from '../find.ts';
import { removeTrees } from '../layers.ts';
import { idSchema } from '../schemas.ts';
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
  return context.locks.hold([SnapshotId], async () => {
    const snapshot = findSnapshot(context, SnapshotId);
    const made = context.metadata.listDisks({ sourceSnapshotId: SnapshotId }, 0, 1);
    // ECS DeleteSnapshot, SnapshotCreatedDisk: passes with Force=true.
    if (made.total > 0 && Force !== true) {
      throw new PlaneError(
        'SnapshotCreatedDisk',
        `${made.total} disks were made from ${SnapshotId}, one is ${made.records[0]?.diskId}`,
      );
    }
    context.passValidation();
    await context.metadata.commit({ removeSnapshots: [SnapshotId] });
    await removeTrees(context, snapshot);
    return {};
  });
}
