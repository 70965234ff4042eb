/**
 * CreateSnapshot: the disk as it is at one instant between the request and the answer. It holds
 * every write acknowledged before the request and none issued after the answer.
 *
 * The requests in flight are settled, the tree is shared (durable before the shard answers), then
 * the record is committed. No data is copied.
 */
import * as v from 'valibot';
import { makeSnapshotId } from '../../record/ids.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { findDisk } from '../find.ts';
import { idSchema, nameSchema } from '../schemas.ts';
import { checkDiskState } from '../state-rules.ts';
import type { Verbs } from '../verbs.ts';

export const createSnapshotSchema = v.strictObject({
  DiskId: idSchema,
  SnapshotName: v.optional(nameSchema),
});

export function createSnapshot(
  context: ControlContext,
  parameters: Verbs['CreateSnapshot']['parameters'],
): Promise<Verbs['CreateSnapshot']['result']> {
  const { DiskId } = parameters;
  return context.locks.hold([DiskId], async () => {
    const disk = findDisk(context, DiskId);
    checkDiskState('CreateSnapshot', disk);
    const snapshotId = makeSnapshotId(context.randomBytes);
    const { shardIndex } = disk;
    await context.volumes.drain(DiskId);
    await context.shards.call(shardIndex, { op: 'shareTree', source: DiskId, target: snapshotId });
    const snapshot: SnapshotRecord = {
      snapshotId,
      accountId: disk.accountId,
      regionId: disk.regionId,
      name: parameters.SnapshotName ?? '',
      sourceDiskId: DiskId,
      sizeBytes: disk.sizeBytes,
      status: 'accomplished',
      encryption: disk.encryption,
      shardIndex,
      createdAt: context.clock.now(),
    };
    try {
      const putEdges = [{ childId: snapshotId, parentId: DiskId }];
      await context.metadata.commit({ putSnapshots: [snapshot], putEdges });
    } catch (error) {
      await context.shards.call(shardIndex, { op: 'removeTree', name: snapshotId });
      throw error;
    }
    return { SnapshotId: snapshotId };
  });
}
