/**
 * DescribeKeyImpact: what becomes unreadable, now and on the next attach or start, if a master key
 * is disabled or deleted. A resource counts if any of its layers is under the key: what
 * re-encryption has not moved yet still needs the old one.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { PAGE_SIZE_MAX, RESULTS_DEFAULT } from '../../limits.ts';
import type { LineageEntry } from '../../meta/metadata.ts';
import { isKeyId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { resolveKey } from '../keys/resolve-key.ts';
import { idSchema, maxResultsSchema } from '../schemas.ts';
import { cursorSchema, decodeCursor, encodeCursor } from './cursor.ts';
import { type ImpactKind, type ImpactSituation, impactOn } from './impact-rules.ts';
import type { ImpactedDependent, ImpactedResource, LineageVerbs } from './types.ts';

export const describeKeyImpactSchema = v.strictObject({
  KeyId: idSchema,
  NextToken: v.optional(cursorSchema),
  MaxResults: v.optional(maxResultsSchema),
});

export async function describeKeyImpact(
  context: ControlContext,
  parameters: LineageVerbs['DescribeKeyImpact']['parameters'],
): Promise<LineageVerbs['DescribeKeyImpact']['result']> {
  const { metadata, accountId } = context;
  const keyId = await resolveKey(context, parameters.KeyId);
  if (!isKeyId(keyId)) throw notFound(keyId);
  const { entries, cursor } = metadata.lineagePage({
    subject: { kind: 'key', keyId },
    accountId,
    cursor: decodeCursor(parameters.NextToken),
    limit: parameters.MaxResults ?? RESULTS_DEFAULT,
  });
  const KeyState = await stateOf(context, keyId, entries.length > 0 || cursor !== null);
  const { disks, attachedDisks, snapshots } = metadata.countsOfKey(keyId);
  return {
    KeyId: keyId,
    KeyState,
    DiskCount: disks,
    AttachedDiskCount: attachedDisks,
    SnapshotCount: snapshots,
    Resources: entries.map((entry) => impactedResource(context, keyId, entry)),
    NextToken: encodeCursor(cursor),
  };
}

/** @throws PlaneError Forbidden.KeyNotFound: the account has no such key, and nothing under it */
async function stateOf(context: ControlContext, keyId: string, isUsed: boolean): Promise<string> {
  const { accountId, regionId } = context;
  const request = { op: 'describeKey', keyId, accountId, regionId } as const;
  try {
    const key = await context.kms.call(request);
    if (key.accountId === accountId || isUsed) return key.state;
  } catch (error) {
    const isGone = error instanceof PlaneError && error.code === 'Forbidden.KeyNotFound';
    if (!isGone) throw error;
    if (isUsed) return 'Deleted';
  }
  throw notFound(keyId);
}

function notFound(keyId: string): PlaneError {
  const shown = JSON.stringify(keyId.slice(0, 64));
  return new PlaneError('Forbidden.KeyNotFound', `there is no key ${shown}`);
}

function impactedResource(
  context: ControlContext,
  keyId: string,
  entry: LineageEntry,
): ImpactedResource {
  const { id, kind, name, regionId, status, instanceId, keys } = entry;
  const isDisk = kind === 'disk';
  const isAttached = isDisk && status !== 'Available';
  const { now, next } = impactOn(isDisk ? 'disk' : 'snapshot', situation(isAttached));
  return {
    Id: id,
    Kind: isDisk ? 'disk' : 'snapshot',
    Name: name,
    RegionId: regionId,
    Status: status,
    InstanceId: instanceId ?? '',
    Layers: keys.flatMap((key, layer) => (key?.keyId === keyId ? [layer] : [])),
    Now: now,
    Next: next,
    Dependents: dependentsOf(context, entry, isAttached),
  };
}

/** What stops with a resource. Of more than PAGE_SIZE_MAX images or tasks, the first. */
function dependentsOf(
  { metadata, accountId }: ControlContext,
  { id, instanceId }: LineageEntry,
  isAttached: boolean,
): ImpactedDependent[] {
  const images = metadata.listDocuments('image', `snapshot/${id}`, 0, PAGE_SIZE_MAX).records;
  const tasks = metadata.listDocuments('task', `resource/${id}`, 0, PAGE_SIZE_MAX).records;
  const instance = instanceId === null ? undefined : metadata.getDocument('instance', instanceId);
  const isRunning = instance !== undefined && instance.status !== 'Stopped';
  return [
    ...(instance === undefined
      ? []
      : [dependent('instance', instance.instanceId, instance.status, isRunning)]),
    ...images
      .filter((image) => image.accountId === accountId)
      .map((image) => dependent('image', image.imageId, image.status, false)),
    ...tasks
      .filter((task) => task.state === 'running' || task.state === 'paused')
      .map((task) => dependent('task', task.taskId, task.state, isAttached)),
  ];
}

function dependent(
  kind: ImpactKind & ImpactedDependent['Kind'],
  id: string,
  status: string,
  isInUse: boolean,
): ImpactedDependent {
  const { now, next } = impactOn(kind, situation(isInUse));
  return { Id: id, Kind: kind, Status: status, Now: now, Next: next };
}

function situation(isInUse: boolean): ImpactSituation {
  return isInUse ? 'in use' : 'at rest';
}
