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
import { checkDiskState } from '../disks/state-rules.ts';
import { findDisk } from '../find.ts';
import { layersLike, shareAndCommit } from '../layers.ts';
import { idSchema, nameSchema } from '../schemas.ts';
import type { SnapshotVerbs } from './types.ts';

export const createSnapshotSchema = v.strictObject({
  DiskId: idSchema,
  SnapshotName: v.optional(nameSchema),
});

export function createSnapshot(
  context: ControlContext,
  parameters: SnapshotVerbs['CreateSnapshot']['parameters'],
): Promise<SnapshotVerbs['CreateSnapshot']['result']> {
  const { DiskId } = parameters;
  return context.locks.hold([DiskId], async () => {
    const disk = findDisk(context, DiskId);
    checkDiskState('CreateSnapshot', disk);
    const snapshotId = makeSnapshotId(context.randomBytes);
    context.passValidation();
    await context.volumes.drain(DiskId);
    const snapshot: SnapshotRecord = {
      snapshotId,
      accountId: disk.accountId,
      regionId: disk.regionId,
      name: parameters.SnapshotName ?? '',
      description: '',
      tags: {},
      sourceDiskId: DiskId,
      sourceDiskType: disk.type,
      sourceSnapshotId: null,
      sourceRegionId: null,
      sizeBytes: disk.sizeBytes,
      status: 'accomplished',
      encryption: disk.encryption,
      layers: layersLike(disk.layers, snapshotId),
      shardIndex: disk.shardIndex,
      retentionDays: 0,
      createdAt: context.clock.now(),
    };
    await shareAndCommit(context, disk, snapshot, { putSnapshots: [snapshot] });
    if (snapshot.layers.length > 1) await context.tasks.reencrypt(snapshot.snapshotId);
    return { SnapshotId: snapshotId };
  });
}
