/**
 * The volume of an attached disk opened again, because its shard was replaced: as its record is
 * now, under the conditions of a new attach, and told in the audit log as one.
 *
 * It takes no lock: a verb that holds the disk may be waiting for its volume. It changes no record,
 * and who changes the layers of a disk sees to it that its volume has them (router/shard-set.ts).
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import type { VolumeToOpen } from '../router/shard-set.ts';
import { requireDiskRole } from './access/roles.ts';
import { keyUseEntries } from './audit/audit-call.ts';
import type { PlaneContext } from './context.ts';
import { toDiskError } from './kms-errors.ts';
import { checkNotErased } from './layers.ts';
import { volumeOf } from './volume-of.ts';

const REASON = 'ReplaceShard';

/**
 * @throws PlaneError InvalidDiskId.NotFound, DataKeyErased,
 *   InvalidParameter.KMSKeyId.KMSUnauthorized; what opening threw, in the words of the ECS API
 */
export async function reopenVolume(
  context: Pick<PlaneContext, 'clock' | 'metadata'>,
  diskId: string,
  open: (volume: VolumeToOpen) => Promise<void>,
): Promise<void> {
  const { metadata } = context;
  const disk = metadata.getDisk(diskId);
  if (disk === undefined) {
    throw new PlaneError('InvalidDiskId.NotFound', `there is no disk ${diskId}`);
  }
  const { accountId, regionId, layers } = disk;
  const caller = { principal: { accountId, userName: null, regionId }, regionId };
  const log = async (outcome: string): Promise<void> => {
    const use = { reason: REASON, resourceId: diskId, layers, outcome };
    const appendAudit = keyUseEntries(context, caller, use);
    if (appendAudit.length > 0) await metadata.commit({ appendAudit });
  };
  try {
    if (disk.encryption !== null) requireDiskRole({ metadata, accountId });
    checkNotErased(diskId, layers);
    await open(volumeOf(disk));
  } catch (error) {
    await log(error instanceof PlaneError ? error.code : 'InternalError');
    throw toDiskError(error);
  }
  await log('OK');
}
