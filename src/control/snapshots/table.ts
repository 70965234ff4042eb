/** The verbs on snapshots. */
import type { VerbRows } from '../verb-row.ts';
import { copySnapshot, copySnapshotSchema } from './copy-snapshot.ts';
import { createSnapshot, createSnapshotSchema } from './create-snapshot.ts';
import { deleteSnapshot, deleteSnapshotSchema } from './delete-snapshot.ts';
import { describeSnapshots, describeSnapshotsSchema } from './describe-snapshots.ts';
import * as locks from './lock-snapshot.ts';
import { modifySnapshot, modifySnapshotSchema } from './modify-snapshot.ts';
import {
  describeSnapshotShares,
  shareSnapshot,
  shareSnapshotSchema,
  snapshotSharesSchema,
  unshareSnapshot,
} from './share-snapshot.ts';
import type { SnapshotVerbs } from './types.ts';

const write = { access: 'write', service: 'ecs' } as const;
const read = { access: 'read', service: 'ecs' } as const;

export const SNAPSHOT_VERBS: VerbRows<SnapshotVerbs> = {
  CreateSnapshot: { schema: createSnapshotSchema, run: createSnapshot, ...write },
  DescribeSnapshots: { schema: describeSnapshotsSchema, run: describeSnapshots, ...read },
  ModifySnapshotAttribute: { schema: modifySnapshotSchema, run: modifySnapshot, ...write },
  CopySnapshot: { schema: copySnapshotSchema, run: copySnapshot, ...write },
  DeleteSnapshot: { schema: deleteSnapshotSchema, run: deleteSnapshot, ...write },
  LockSnapshot: { schema: locks.lockSnapshotSchema, run: locks.lockSnapshot, ...write },
  UnlockSnapshot: { schema: locks.unlockSnapshotSchema, run: locks.unlockSnapshot, ...write },
  DescribeLockedSnapshots: {
    schema: locks.describeLockedSnapshotsSchema,
    run: locks.describeLockedSnapshots,
    ...read,
  },
  ShareSnapshot: { schema: shareSnapshotSchema, run: shareSnapshot, ...write },
  UnshareSnapshot: { schema: shareSnapshotSchema, run: unshareSnapshot, ...write },
  DescribeSnapshotShares: {
    schema: snapshotSharesSchema,
    run: describeSnapshotShares,
    ...read,
  },
};
