/** The verbs on snapshots. */
import type { VerbRows } from '../verb-row.ts';
import { createSnapshot, createSnapshotSchema } from './create-snapshot.ts';
import { deleteSnapshot, deleteSnapshotSchema } from './delete-snapshot.ts';
import { describeSnapshots, describeSnapshotsSchema } from './describe-snapshots.ts';
import type { SnapshotVerbs } from './types.ts';

const write = { access: 'write', service: 'ecs' } as const;
const read = { access: 'read', service: 'ecs' } as const;

export const SNAPSHOT_VERBS: VerbRows<SnapshotVerbs> = {
  CreateSnapshot: { schema: createSnapshotSchema, run: createSnapshot, ...write },
  DescribeSnapshots: { schema: describeSnapshotsSchema, run: describeSnapshots, ...read },
  DeleteSnapshot: { schema: deleteSnapshotSchema, run: deleteSnapshot, ...write },
};
