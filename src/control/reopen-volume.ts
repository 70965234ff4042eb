/**
 * The volume of an attached disk, or of an open snapshot, opened again, because its shard was
 * replaced: as its record is now, under the conditions of a new attach, and told in the audit log
 * as one.
 *
 * It takes no lock: a verb that holds the resource may be waiting for its volume. It changes no record,
 * and who changes the layers of a disk sees to it that its volume has them (router/shard-set.ts).
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import type { Metadata } from '../meta/metadata.ts';
import { isDiskId } from '../record/ids.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { VolumeToOpen } from '../router/volume-to-open.ts';
import { requireDiskRole } from './access/roles.ts';
import { keyUseEntries } from './audit/audit-call.ts';
import type { PlaneContext } from './context.ts';
import { toDiskError } from './kms-errors.ts';
import { checkNotErased } from './layers.ts';
import { volumeOf } from './volume-of.ts';

const REASON = 'ReplaceShard';

/**
 * @throws PlaneError InvalidDiskId.NotFound, InvalidSnapshotId.NotFound, DataKeyErased,
 *   InvalidParameter.KMSKeyId.KMSUnauthorized; what opening threw, in the words of the ECS API
 */
export async function reopenVolume(
  context: Pick<PlaneContext, 'clock' | 'metadata'>,
  id: string,
  open: (volume: VolumeToOpen) => Promise<void>,
): Promise<void> {
  const { metadata } = context;
  const record = findRecord(metadata, id);
  const { accountId, regionId, layers } = record;
  const caller = { principal: { accountId, userName: null, regionId }, regionId };
  const log = async (outcome: string): Promise<void> => {
    const use = { reason: REASON, resourceId: id, layers, outcome };
    const appendAudit = keyUseEntries(context, caller, use);
    if (appendAudit.length > 0) await metadata.commit({ appendAudit });
  };
  try {
    if (record.encryption !== null) requireDiskRole({ metadata, accountId });
    checkNotErased(id, layers);
    await open(volumeOf(record));
  } catch (error) {
    await log(error instanceof PlaneError ? error.code : 'InternalError');
    throw toDiskError(error);
  }
  await log('OK');
}

function findRecord(metadata: Metadata, id: string): DiskRecord | SnapshotRecord {
  const record = isDiskId(id) ? metadata.getDisk(id) : metadata.getSnapshot(id);
  if (record !== undefined) return record;
  const code = isDiskId(id) ? 'InvalidDiskId.NotFound' : 'InvalidSnapshotId.NotFound';
  throw new PlaneError(code, `there is no ${id} any more`);
}
