/**
 * EraseDataKey destroys the wrapped data key of a disk's or snapshot's top layer in every record
 * that has it: what has a layer under it is unreadable for ever. This is crypto-erase.
 *
 * 1. A data key is its wrapped bytes: another data key of the same resource (after a re-encryption)
 *    stays, and what it protects.
 * 2. All resources are locked before any is changed: none is attached or open, and nothing is
 *    made from one, meanwhile. What was made before the locks were held is found by looking again.
 * 3. Many are erased by several commits; the call can be repeated if it did not come to its end.
 * 4. The records are overwritten in the metadata store, whose file may keep former bytes in free
 *    pages until they are used again. Whoever has to rule that out deletes the master key.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { ERASE_BATCH_RESOURCES } from '../../limits.ts';
import type { DiskRecord, EncryptionRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { findDisk, findSnapshot } from '../find.ts';
import { checkNotErased } from '../layers.ts';
import { idSchema } from '../schemas.ts';
import { checkUnlocked } from '../snapshots/snapshot-lock.ts';
import type { LineageVerbs } from './types.ts';

export const eraseDataKeySchema = v.strictObject({
  DiskId: v.optional(idSchema),
  SnapshotId: v.optional(idSchema),
  Force: v.optional(v.boolean()),
});

type Result = LineageVerbs['EraseDataKey']['result'];

export async function eraseDataKey(
  context: ControlContext,
  parameters: LineageVerbs['EraseDataKey']['parameters'],
): Promise<Result> {
  const encryption = dataKeyOf(context, parameters);
  if (parameters.Force !== true) {
    throw new PlaneError(
      'InvalidParameter',
      'EraseDataKey expects Force to be true: what is under the data key cannot be read again',
    );
  }
  for (;;) {
    const found = resourcesUnder(context, encryption);
    const ids = found.map(idOf);
    const result = await context.locks.hold(ids, async () => {
      const again = resourcesUnder(context, encryption);
      if (again.some((each) => !ids.includes(idOf(each)))) return null;
      return eraseAll(context, encryption, again);
    });
    if (result !== null) return result;
  }
}

/** @throws PlaneError what names no data key of the account's, or one that is erased already */
function dataKeyOf(
  context: ControlContext,
  { DiskId, SnapshotId }: { readonly DiskId?: string; readonly SnapshotId?: string },
): EncryptionRecord {
  if ((DiskId === undefined) === (SnapshotId === undefined)) {
    throw new PlaneError('InvalidParameter.Conflict', 'expected one of DiskId and SnapshotId');
  }
  const record =
    DiskId === undefined ? findSnapshot(context, SnapshotId ?? '') : findDisk(context, DiskId);
  const { encryption } = record;
  if (encryption === null) {
    throw new PlaneError('InvalidParameter', `${idOf(record)} is stored in plain: it has no key`);
  }
  if (encryption.accountId !== context.accountId) {
    throw new PlaneError(
      'InvalidParameter',
      `the data key of ${idOf(record)} is another account's`,
    );
  }
  checkNotErased(idOf(record), record.layers);
  return encryption;
}

async function eraseAll(
  context: ControlContext,
  encryption: EncryptionRecord,
  resources: readonly (DiskRecord | SnapshotRecord)[],
): Promise<Result> {
  const attached = resources.find((each) => 'diskId' in each && each.status !== 'Available');
  if (attached !== undefined) {
    throw new PlaneError(
      'IncorrectDiskStatus',
      `${idOf(attached)} is under the data key and ${attached.status}, expected Available`,
    );
  }
  const open = resources.find((each) => context.volumes.readerCount(idOf(each)) > 0);
  if (open !== undefined) {
    throw new PlaneError(
      'InvalidSnapshotId.InUse',
      `${idOf(open)} is under the data key and open for reading: close it first`,
    );
  }
  const erasedAt = context.clock.now();
  for (const each of resources) if ('snapshotId' in each) checkUnlocked(each, erasedAt);
  context.passValidation();
  for (let first = 0; first < resources.length; first += ERASE_BATCH_RESOURCES) {
    const batch = resources
      .slice(first, first + ERASE_BATCH_RESOURCES)
      .map((each) => erased(each, encryption, erasedAt));
    await context.metadata.commit({
      putDisks: batch.filter((each): each is DiskRecord => 'diskId' in each),
      putSnapshots: batch.filter((each): each is SnapshotRecord => 'snapshotId' in each),
    });
  }
  return { DataKeyId: encryption.lineageId, ErasedResources: resources.length };
}

/** Every disk and snapshot with a layer under the data key. */
function resourcesUnder(
  { metadata }: ControlContext,
  encryption: EncryptionRecord,
): (DiskRecord | SnapshotRecord)[] {
  const filter = { dataKeyId: encryption.lineageId };
  const found: (DiskRecord | SnapshotRecord)[] = [];
  const isUnder = ({ layers }: DiskRecord | SnapshotRecord): boolean =>
    layers.some((layer) => isSameDataKey(layer.encryption, encryption));
  const step = ERASE_BATCH_RESOURCES;
  for (let skip = 0, isMore = true; isMore; skip += step) {
    const disks = metadata.listDisks(filter, skip, step);
    const snapshots = metadata.listSnapshots(filter, skip, step);
    found.push(...disks.records.filter(isUnder), ...snapshots.records.filter(isUnder));
    isMore = Math.max(disks.total, snapshots.total) > skip + step;
  }
  return found;
}

function erased<R extends DiskRecord | SnapshotRecord>(
  record: R,
  encryption: EncryptionRecord,
  erasedAt: number,
): R {
  const withoutKey = (its: EncryptionRecord | null): EncryptionRecord | null =>
    its !== null && isSameDataKey(its, encryption)
      ? { ...its, wrappedKey: new Uint8Array(0), erasedAt }
      : its;
  return {
    ...record,
    encryption: withoutKey(record.encryption),
    layers: record.layers.map((layer) => ({ ...layer, encryption: withoutKey(layer.encryption) })),
  };
}

function isSameDataKey(a: EncryptionRecord | null, b: EncryptionRecord): boolean {
  return a?.lineageId === b.lineageId && Buffer.compare(a.wrappedKey, b.wrappedKey) === 0;
}

function idOf(record: DiskRecord | SnapshotRecord): string {
  return 'diskId' in record ? record.diskId : record.snapshotId;
}
