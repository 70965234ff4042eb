/** DescribeLineage: who came from whom, under which key; of a key, everything it protects. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { isDiskId, isKeyId, isSnapshotId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { resolveKey } from '../keys/resolve-key.ts';
import { idSchema } from '../schemas.ts';
import type { LineageVerbs } from './types.ts';

export const describeLineageSchema = v.strictObject({ Id: idSchema });

export async function describeLineage(
  context: ControlContext,
  parameters: LineageVerbs['DescribeLineage']['parameters'],
): Promise<LineageVerbs['DescribeLineage']['result']> {
  const id = await resolveKey(context, parameters.Id);
  const isKnownForm = isDiskId(id) || isSnapshotId(id) || isKeyId(id);
  const entries = isKnownForm ? context.metadata.lineage(id) : [];
  if (entries.length === 0) {
    throw new PlaneError(
      'InvalidParameter',
      'DescribeLineage expects Id to be a disk, a snapshot or a key that protects something',
    );
  }
  const Nodes = entries.map((entry) => ({
    Id: entry.id,
    Kind: entry.kind,
    From: entry.from,
    KMSKeyId: entry.keyId,
  }));
  return { Nodes };
}
