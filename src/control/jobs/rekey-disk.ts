/**
 * RekeyDisk: a disk, attached or not, moves to a new data key while it is used.
 *
 *   new data key ─▶ record: a new, empty layer on top ─▶ the attached volume takes it too: from
 *   here on what is written is under the new key ─▶ a task moves the rest
 *
 * The record names the new tree before it can hold anything. As long as it is empty it hides
 * nothing, so a crash in between leaves a disk that is as it was.
 */
import * as v from 'valibot';
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { DiskRecord, EncryptionRecord } from '../../record/resource.ts';
import { requireDiskRole } from '../access/roles.ts';
import type { ControlContext } from '../context.ts';
import { checkDiskState } from '../disks/state-rules.ts';
import { findDisk } from '../find.ts';
import { resolveKey } from '../keys/resolve-key.ts';
import { toDiskError } from '../kms-errors.ts';
import { checkNotErased, freshTreeName } from '../layers.ts';
import { idSchema } from '../schemas.ts';
import { volumeLayerOf } from '../volume-of.ts';
import { paceSchema } from './task-verbs.ts';
import type { TaskVerbs } from './types.ts';

export const rekeyDiskSchema = v.strictObject({
  DiskId: idSchema,
  KMSKeyId: v.optional(idSchema),
  BytesPerSecond: v.optional(paceSchema),
});

/**
 * After these the volume has the layer, or has it as soon as it is opened: one that is not open
 * any more, and one whose shard is replaced, is opened with the layers its record names.
 */
const OPENED_BY_RECORD: ReadonlySet<ErrorCode> = new Set(['DiskClosed', 'ShardLost']);

export function rekeyDisk(
  context: ControlContext,
  parameters: TaskVerbs['RekeyDisk']['parameters'],
): Promise<TaskVerbs['RekeyDisk']['result']> {
  const { DiskId, KMSKeyId, BytesPerSecond } = parameters;
  return context.locks.hold([DiskId], async () => {
    const disk = findDisk(context, DiskId);
    checkDiskState('RekeyDisk', disk);
    if (disk.encryption === null) {
      const what = `expected an encrypted disk to be given a new key, ${DiskId} is stored in plain`;
      throw new PlaneError('InvalidParameter.EncryptedIllegal', what);
    }
    checkNotErased(DiskId, disk.layers);
    const live = context.tasks.liveTaskIdOf(DiskId);
    if (live !== null) {
      throw new PlaneError('OperationConflict', `${DiskId} is being re-encrypted by ${live}`);
    }
    const keyId =
      KMSKeyId === undefined ? disk.encryption.keyId : await resolveKey(context, KMSKeyId);
    const encryption = await newDataKey(context, keyId, disk);
    context.passValidation();
    await pushLayer(context, disk, encryption);
    const taskId = await context.tasks.reencrypt(DiskId, BytesPerSecond);
    invariant(taskId !== null, `${DiskId} has layers to move`);
    return { TaskId: taskId };
  });
}

async function newDataKey(
  context: ControlContext,
  keyId: string,
  disk: DiskRecord,
): Promise<EncryptionRecord> {
  requireDiskRole(context);
  const { accountId, regionId, diskId } = disk;
  const wrapContext = { accountId, regionId, lineageId: diskId };
  try {
    const request = { op: 'generateWrappedDataKey', keyId, context: wrapContext } as const;
    const wrappedKey = await context.kms.call(request);
    return { keyId, wrappedKey, ...wrapContext };
  } catch (error) {
    throw toDiskError(error);
  }
}

async function pushLayer(
  context: ControlContext,
  disk: DiskRecord,
  encryption: EncryptionRecord,
): Promise<void> {
  const { metadata, volumes, randomBytes } = context;
  const layer = { tree: freshTreeName(disk.diskId, randomBytes), encryption };
  const layers = [layer, ...disk.layers];
  await metadata.commit({ putDisks: [{ ...disk, encryption, layers }] });
  try {
    await volumes.pushLayer(disk.diskId, volumeLayerOf(layer));
  } catch (error) {
    if (error instanceof PlaneError && OPENED_BY_RECORD.has(error.code)) return;
    // After Busy the volume may have it, and callers may be writing to it: then the record has to
    // name it. No task moves anything to it before it is known that the volume looks there: it is
    // when the disk is opened again, or when another layer has been put on top.
    const isUnknown = error instanceof PlaneError && error.code === 'Busy';
    if (!isUnknown) await metadata.commit({ putDisks: [disk] });
    throw toDiskError(error);
  }
}
