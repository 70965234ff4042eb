/**
 * DescribeLineage: who came from whom, under which key; of a key, everything it protects. Resources
 * of other accounts are not shown, whatever came from them or was made of them.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { RESULTS_DEFAULT } from '../../limits.ts';
import type { LineageEntry, LineageSubject } from '../../meta/metadata.ts';
import { isKeyId, isLineageId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { resolveKey } from '../keys/resolve-key.ts';
import { idSchema, isoSeconds, maxResultsSchema } from '../schemas.ts';
import { cursorSchema, decodeCursor, encodeCursor } from './cursor.ts';
import type { LineageNode, LineageVerbs } from './types.ts';

export const describeLineageSchema = v.strictObject({
  Id: v.optional(idSchema),
  DataKeyId: v.optional(idSchema),
  NextToken: v.optional(cursorSchema),
  MaxResults: v.optional(maxResultsSchema),
});

type Parameters = LineageVerbs['DescribeLineage']['parameters'];

export async function describeLineage(
  context: ControlContext,
  parameters: Parameters,
): Promise<LineageVerbs['DescribeLineage']['result']> {
  const subject = await subjectOf(context, parameters);
  const { entries, cursor } = context.metadata.lineagePage({
    subject,
    accountId: context.accountId,
    cursor: decodeCursor(parameters.NextToken),
    limit: parameters.MaxResults ?? RESULTS_DEFAULT,
  });
  const isNothing = entries.length === 0 && cursor === null && parameters.NextToken === undefined;
  if (isNothing && subject.kind !== 'scope') throw notFound();
  return { Nodes: entries.map(describe), NextToken: encodeCursor(cursor) };
}

async function subjectOf(
  context: ControlContext,
  { Id, DataKeyId }: Parameters,
): Promise<LineageSubject> {
  if (Id !== undefined && DataKeyId !== undefined) {
    throw new PlaneError('InvalidParameter.Conflict', 'expected one of Id and DataKeyId');
  }
  if (DataKeyId !== undefined) {
    if (!isLineageId(DataKeyId)) throw notFound();
    return { kind: 'dataKey', lineageId: DataKeyId };
  }
  if (Id === undefined) {
    return { kind: 'scope', accountId: context.accountId, regionId: context.regionId };
  }
  if (isLineageId(Id)) return { kind: 'resource', id: Id };
  if (!isKeyId(Id) && !Id.includes('alias/')) throw notFound();
  const keyId = await resolveKey(context, Id);
  if (!isKeyId(keyId)) throw notFound();
  return { kind: 'key', keyId };
}

function notFound(): PlaneError {
  return new PlaneError(
    'InvalidParameter',
    'DescribeLineage expects Id to be a disk, a snapshot, an image, an instance or a key that ' +
      'protects something, or DataKeyId to name a data key',
  );
}

function describe(entry: LineageEntry): LineageNode {
  return {
    Id: entry.id,
    Kind: entry.kind,
    Relation: entry.relation,
    Depth: entry.depth,
    From: entry.from,
    AccountId: entry.accountId,
    RegionId: entry.regionId,
    Name: entry.name,
    KMSKeyId: entry.keys[0]?.keyId ?? '',
    Layers: entry.keys.map((key, index) => ({
      Layer: index,
      DataKeyId: key?.lineageId ?? '',
      KMSKeyId: key?.keyId ?? '',
      KeyVersion: key?.version ?? 0,
    })),
    CreationTime: isoSeconds(entry.createdAt),
    DeletionTime: entry.deletedAt === null ? '' : isoSeconds(entry.deletedAt),
    Status: entry.status,
    InstanceId: entry.instanceId ?? '',
  };
}
