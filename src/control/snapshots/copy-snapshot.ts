/**
 * CopySnapshot: to another region as it is, or encrypted anew, in the same region or another.
 *
 * All regions of a plane are in one process, so a plain copy shares the source's trees. Copy and
 * Encrypt puts an empty tree under a new data key on top of them, and the data is moved up in the
 * background: the copy can be used at once, and is `progressing` until nothing in it needs the old
 * data key any more; the task sets `accomplished`. Tags and retention are not the source's.
 */
import * as v from 'valibot';
import { makeSnapshotId } from '../../record/ids.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { findRegion } from '../access/regions.ts';
import { checkTags } from '../access/tag-rules.ts';
import { tagsSchema } from '../access/tags.ts';
import type { ControlContext } from '../context.ts';
import type { Resource } from '../encryption/cells.ts';
import { requireUsableKey } from '../encryption/check-key.ts';
import { chooseEncryption } from '../encryption/choose.ts';
import { layersLike, layersOver, shareAndCommit } from '../layers.ts';
import { questionRecord } from '../lineage/explain-encryption.ts';
import { inGroup, resourceGroupSchema } from '../resource-groups.ts';
import {
  descriptionSchema,
  idSchema,
  retentionDaysSchema,
  snapshotNameSchema,
} from '../schemas.ts';
import { holdSnapshotSource, type SnapshotSource } from './find-source.ts';
import { checkSnapshotUse } from './snapshot-rules.ts';
import type { SnapshotVerbs } from './types.ts';

export const copySnapshotSchema = v.strictObject({
  SnapshotId: idSchema,
  DestinationRegionId: v.string(),
  DestinationSnapshotName: v.optional(snapshotNameSchema),
  DestinationSnapshotDescription: v.optional(descriptionSchema),
  Encrypted: v.optional(v.boolean()),
  KMSKeyId: v.optional(idSchema),
  RetentionDays: v.optional(retentionDaysSchema),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
});

export function copySnapshot(
  context: ControlContext,
  parameters: SnapshotVerbs['CopySnapshot']['parameters'],
): Promise<SnapshotVerbs['CopySnapshot']['result']> {
  return holdSnapshotSource(context, parameters.SnapshotId, async (source) => {
    checkSnapshotUse('CopySnapshot', source);
    const { regionId } = findRegion(parameters.DestinationRegionId);
    const tags = checkTags(parameters.Tag ?? []);
    const group = inGroup(parameters.ResourceGroupId);
    const made = await newCopy(context, source, { ...parameters, resource: 'snapshot', regionId });
    context.passValidation();
    const copy: SnapshotRecord = {
      ...made,
      name: parameters.DestinationSnapshotName ?? '',
      description: parameters.DestinationSnapshotDescription ?? '',
      tags,
      ...group,
      retentionDays: parameters.RetentionDays ?? 0,
    };
    await shareAndCommit(context, source.snapshot, copy, { putSnapshots: [copy] });
    if (copy.layers.length > 1) await context.tasks.reencrypt(copy.snapshotId);
    return { SnapshotId: copy.snapshotId };
  });
}

export interface CopyRequest {
  /** Whose rules hold: those of a snapshot, or of the image it is behind. */
  readonly resource: Extract<Resource, 'snapshot' | 'image'>;
  /** The destination. */
  readonly regionId: string;
  readonly Encrypted?: boolean;
  readonly KMSKeyId?: string;
}

/**
 * The record of a copy of the snapshot. The snapshot is held.
 *
 * @throws PlaneError InvalidParameter.KMSKeyId.NotFound, InvalidParameter.KMSKeyId.CMKNotEnabled:
 *   of the source's key or the copy's; and what the encryption rules refuse with
 */
export async function newCopy(
  context: ControlContext,
  { snapshot, isShared }: SnapshotSource,
  request: CopyRequest,
): Promise<SnapshotRecord> {
  const { resource, regionId, Encrypted, KMSKeyId } = request;
  const snapshotId = makeSnapshotId(context.randomBytes);
  const { encryption, keepsSource, decision } = await chooseEncryption(context, {
    resource,
    action: regionId === snapshot.regionId ? 'copy-local' : 'copy-cross',
    source: snapshot,
    isShared,
    newId: snapshotId,
    regionId,
    ...(Encrypted === undefined ? {} : { Encrypted }),
    ...(KMSKeyId === undefined ? {} : { KMSKeyId }),
  });
  await requireUsableKey(context, snapshot.encryption);
  const { layers } = snapshot;
  return {
    snapshotId,
    accountId: context.accountId,
    regionId,
    name: '',
    description: '',
    tags: {},
    sourceDiskId: snapshot.sourceDiskId,
    sourceDiskType: snapshot.sourceDiskType,
    sourceSnapshotId: snapshot.snapshotId,
    sourceRegionId: snapshot.regionId,
    sizeBytes: snapshot.sizeBytes,
    status: keepsSource ? 'accomplished' : 'progressing',
    encryption,
    question: questionRecord(decision.question),
    layers: keepsSource
      ? layersLike(layers, snapshotId)
      : layersOver(layers, snapshotId, encryption),
    shardIndex: snapshot.shardIndex,
    retentionDays: 0,
    createdAt: context.clock.now(),
  };
}
