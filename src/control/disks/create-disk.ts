/**
 * CreateDisk: an empty disk, or one with the content of a snapshot.
 *
 * Making a disk is metadata: its tree appears in the shard at the first write. A disk made from a
 * snapshot shares the snapshot's tree, which is durable before the record that names it is; if the
 * record cannot be committed the tree is removed again (and by reconcile.ts after a crash).
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { unreachable } from '../../base/invariant.ts';
import { GIB } from '../../base/units.ts';
import { makeDiskId } from '../../record/ids.ts';
import type { DiskRecord, EncryptionRecord, SnapshotRecord } from '../../record/resource.ts';
import { requireDiskRole } from '../access/roles.ts';
import type { ControlContext } from '../context.ts';
import { decideEncryption } from '../decide-encryption.ts';
import { findSnapshot } from '../find.ts';
import { toDiskError } from '../kms-errors.ts';
import { emptyLayers, layersLike, shareAndCommit } from '../layers.ts';
import { idSchema, nameSchema, sizeSchema } from '../schemas.ts';
import type { DiskVerbs } from './types.ts';

export const createDiskSchema = v.strictObject({
  Size: v.optional(sizeSchema),
  DiskName: v.optional(nameSchema),
  Encrypted: v.optional(v.boolean()),
  KMSKeyId: v.optional(idSchema),
  SnapshotId: v.optional(idSchema),
});

type Parameters = DiskVerbs['CreateDisk']['parameters'];

export async function createDisk(
  context: ControlContext,
  parameters: Parameters,
): Promise<DiskVerbs['CreateDisk']['result']> {
  const { SnapshotId } = parameters;
  if (SnapshotId === undefined) return create(context, parameters, null);
  return context.locks.hold([SnapshotId], () =>
    create(context, parameters, findSnapshot(context, SnapshotId)),
  );
}

async function create(
  context: ControlContext,
  parameters: Parameters,
  snapshot: SnapshotRecord | null,
): Promise<DiskVerbs['CreateDisk']['result']> {
  const diskId = makeDiskId(context.randomBytes);
  const sizeBytes = chooseSize(parameters.Size, snapshot);
  const encryption = await chooseEncryption(context, parameters, snapshot, diskId);
  context.passValidation();
  const disk: DiskRecord = {
    ...newDisk(context, diskId),
    name: parameters.DiskName ?? '',
    sizeBytes,
    encryption,
    layers:
      snapshot === null ? emptyLayers(diskId, encryption) : layersLike(snapshot.layers, diskId),
    sourceSnapshotId: snapshot?.snapshotId ?? null,
    shardIndex: snapshot?.shardIndex ?? context.metadata.leastLoadedShard(context.shards.count),
  };
  if (snapshot === null) await context.metadata.commit({ putDisks: [disk] });
  else await shareAndCommit(context, snapshot, disk, { putDisks: [disk] });
  return { DiskId: diskId };
}

/** A disk with nothing said about it: everything as the cloud has it by default. */
export function newDisk(
  context: ControlContext,
  diskId: string,
): Omit<DiskRecord, 'sizeBytes' | 'encryption' | 'layers' | 'shardIndex'> {
  return {
    diskId,
    accountId: context.accountId,
    regionId: context.regionId,
    zoneId: `${context.regionId}-a`,
    name: '',
    description: '',
    tags: {},
    category: 'cloud_essd',
    performanceLevel: 'PL1',
    provisionedIops: 0,
    burstingEnabled: false,
    type: 'data',
    status: 'Available',
    sourceSnapshotId: null,
    imageId: null,
    instanceId: null,
    device: '',
    deleteWithInstance: false,
    deleteAutoSnapshot: false,
    enableAutoSnapshot: false,
    attachedAt: null,
    detachedAt: null,
    createdAt: context.clock.now(),
  };
}

function chooseSize(sizeGiB: number | undefined, snapshot: SnapshotRecord | null): number {
  if (sizeGiB === undefined) {
    if (snapshot !== null) return snapshot.sizeBytes;
    throw new PlaneError('MissingParameter', 'CreateDisk needs Size or SnapshotId');
  }
  if (snapshot !== null && sizeGiB * GIB < snapshot.sizeBytes) {
    throw new PlaneError(
      'InvalidDiskSize.TooSmall',
      `expected Size of at least ${snapshot.sizeBytes / GIB}, as its snapshot; got ${sizeGiB}`,
    );
  }
  return sizeGiB * GIB;
}

async function chooseEncryption(
  context: ControlContext,
  parameters: Parameters,
  snapshot: SnapshotRecord | null,
  diskId: string,
): Promise<EncryptionRecord | null> {
  const source = snapshot === null ? null : { encryption: snapshot.encryption };
  const { outcome, keyId } = await decideEncryption(context, parameters, source);
  switch (outcome.kind) {
    case 'plain':
      return null;
    case 'sourceKey':
      return snapshot?.encryption ?? null;
    case 'requestedKey':
    case 'serviceKey':
      return newDataKey(context, keyId, diskId);
    case 'refuse':
      throw new PlaneError(outcome.code, 'decideEncryption() throws refusals');
    default:
      return unreachable(outcome);
  }
}

/** A data key of the disk's own, wrapped; main never sees it in plain. */
async function newDataKey(
  context: ControlContext,
  keyId: string,
  diskId: string,
): Promise<EncryptionRecord> {
  requireDiskRole(context);
  const { accountId, regionId } = context;
  const wrapContext = { accountId, regionId, lineageId: diskId };
  try {
    const request = { op: 'generateWrappedDataKey', keyId, context: wrapContext } as const;
    const wrappedKey = await context.kms.call(request);
    return { keyId, wrappedKey, ...wrapContext };
  } catch (error) {
    throw toDiskError(error);
  }
}
