/** ModifySnapshotAttribute: how a snapshot is named, and how long it is to be kept. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { ControlContext } from '../context.ts';
import {
  idSchema,
  newDescriptionSchema,
  retentionDaysSchema,
  snapshotNameSchema,
} from '../schemas.ts';
import { holdSnapshotSource } from './find-source.ts';
import { checkSnapshotUse } from './snapshot-rules.ts';
import type { SnapshotVerbs } from './types.ts';

export const modifySnapshotSchema = v.strictObject({
  SnapshotId: idSchema,
  SnapshotName: v.optional(snapshotNameSchema),
  Description: v.optional(newDescriptionSchema),
  RetentionDays: v.optional(retentionDaysSchema),
});

export function modifySnapshot(
  context: ControlContext,
  parameters: SnapshotVerbs['ModifySnapshotAttribute']['parameters'],
): Promise<SnapshotVerbs['ModifySnapshotAttribute']['result']> {
  const { SnapshotId, SnapshotName, Description, RetentionDays } = parameters;
  return holdSnapshotSource(context, SnapshotId, async (source) => {
    checkSnapshotUse('ModifySnapshotAttribute', source);
    const given = [SnapshotName, Description, RetentionDays];
    if (given.every((each) => each === undefined)) {
      throw new PlaneError(
        'MissingParameter',
        'ModifySnapshotAttribute needs SnapshotName, Description or RetentionDays',
      );
    }
    context.passValidation();
    const { snapshot } = source;
    const changed = {
      ...snapshot,
      name: SnapshotName ?? snapshot.name,
      description: Description ?? snapshot.description,
      retentionDays: RetentionDays ?? snapshot.retentionDays,
    };
    await context.metadata.commit({ putSnapshots: [changed] });
    return {};
  });
}
