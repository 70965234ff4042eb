/**
 * The control path's one entrance: a verb by its name, its parameters checked, then run.
 *
 * 1. Parameters are checked completely before anything is looked up: wrong names, types and ranges.
 * 2. A verb's steps are in verbs/, one file each; what may happen when is in the rule tables.
 *
 * **Thread:** main.
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import type { ControlContext } from './context.ts';
import { cloneDisk, cloneDiskSchema } from './verbs/clone-disk.ts';
import { createDisk, createDiskSchema } from './verbs/create-disk.ts';
import { createSnapshot, createSnapshotSchema } from './verbs/create-snapshot.ts';
import { deleteDisk, deleteDiskSchema } from './verbs/delete-disk.ts';
import { deleteSnapshot, deleteSnapshotSchema } from './verbs/delete-snapshot.ts';
import { describeDisks, describeDisksSchema } from './verbs/describe-disks.ts';
import { describeLineage, describeLineageSchema } from './verbs/describe-lineage.ts';
import { describeSnapshots, describeSnapshotsSchema } from './verbs/describe-snapshots.ts';
import * as keys from './verbs/key-verbs.ts';
import { resizeDisk, resizeDiskSchema } from './verbs/resize-disk.ts';
import type { Verbs } from './verbs.ts';

type VerbTable = {
  readonly [V in keyof Verbs]: {
    readonly schema: v.GenericSchema<unknown, unknown>;
    readonly run: (
      context: ControlContext,
      parameters: Verbs[V]['parameters'],
    ) => Promise<Verbs[V]['result']>;
  };
};

/** Every verb there is. */
const VERBS: VerbTable = {
  CreateDisk: { schema: createDiskSchema, run: createDisk },
  DescribeDisks: { schema: describeDisksSchema, run: describeDisks },
  DeleteDisk: { schema: deleteDiskSchema, run: deleteDisk },
  ResizeDisk: { schema: resizeDiskSchema, run: resizeDisk },
  CloneDisk: { schema: cloneDiskSchema, run: cloneDisk },
  CreateSnapshot: { schema: createSnapshotSchema, run: createSnapshot },
  DescribeSnapshots: { schema: describeSnapshotsSchema, run: describeSnapshots },
  DeleteSnapshot: { schema: deleteSnapshotSchema, run: deleteSnapshot },
  DescribeLineage: { schema: describeLineageSchema, run: describeLineage },
  CreateKey: { schema: keys.createKeySchema, run: keys.createKey },
  DescribeKey: { schema: keys.keyIdSchema, run: keys.describeKey },
  ListKeys: { schema: keys.listKeysSchema, run: keys.listKeys },
  EnableKey: { schema: keys.keyIdSchema, run: keys.enableKey },
  DisableKey: { schema: keys.keyIdSchema, run: keys.disableKey },
  CreateKeyVersion: { schema: keys.keyIdSchema, run: keys.createKeyVersion },
  ScheduleKeyDeletion: { schema: keys.scheduleKeyDeletionSchema, run: keys.scheduleKeyDeletion },
  CancelKeyDeletion: { schema: keys.keyIdSchema, run: keys.cancelKeyDeletion },
};

/**
 * Does one control operation.
 *
 * @throws PlaneError UnknownVerb, MissingParameter, InvalidParameter, and what the verb refuses
 * with
 */
export async function callVerb<V extends keyof Verbs>(
  context: ControlContext,
  verb: V,
  parameters: Verbs[V]['parameters'],
): Promise<Verbs[V]['result']> {
  const entry = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (entry === undefined) {
    throw new PlaneError('UnknownVerb', `there is no verb ${JSON.stringify(String(verb))}`);
  }
  const checked = v.safeParse(entry.schema, parameters);
  if (!checked.success) throw toPlaneError(verb, checked.issues[0]);
  return entry.run(context, parameters);
}

function toPlaneError(verb: string, issue: v.BaseIssue<unknown>): PlaneError {
  const name = v.getDotPath(issue) ?? 'the parameters';
  const isMissing =
    issue.input === undefined && issue.kind === 'schema' && name !== 'the parameters';
  if (isMissing && issue.expected !== 'never') {
    return new PlaneError('MissingParameter', `${verb} needs ${name}, ${String(issue.expected)}`);
  }
  if (issue.expected === 'never') {
    return new PlaneError('InvalidParameter', `${verb} has no parameter ${name}`);
  }
  const expected = issue.expected ?? issue.message;
  return new PlaneError(
    'InvalidParameter',
    `${verb} expects ${name} to be ${expected}, got ${issue.received}`,
  );
}
