/**
 * The control side of opening a snapshot for reading: whether the caller may, and in the audit log
 * the use of its keys. A snapshot has no state of being open: its record stays as it is.
 *
 * Nothing like it is in the ECS API, where a snapshot is read through a disk made of it. So it is
 * refused as that would be, and logged as a call of its own name.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { authorise } from '../access/authorise.ts';
import { findRegion } from '../access/regions.ts';
import { requireDiskRole } from '../access/roles.ts';
import { callEntry, keyUseEntries } from '../audit/audit-call.ts';
import type { PlaneContext, Principal } from '../context.ts';
import { toDiskError } from '../kms-errors.ts';
import { checkNotErased } from '../layers.ts';
import { holdSnapshotSource } from './find-source.ts';
import { checkSnapshotUse } from './snapshot-rules.ts';

/** What a user needs a policy for: bytes are shown, so that looking at ECS does not suffice. */
const VERB = { name: 'OpenSnapshot', access: 'write', service: 'ecs' } as const;

/**
 * Opens a snapshot of the caller's own. It is not deleted, nor its data key erased, meanwhile.
 *
 * @param open opens a volume on the snapshot's trees, its keys unwrapped in the shard
 * @throws PlaneError InvalidAccessKeyId.NotFound, Forbidden.RAM, InvalidRegionId.NotFound,
 *   InvalidSnapshotId.NotFound, InvalidSnapshotId.NotReady, OperationDenied, DataKeyErased,
 *   InvalidParameter.KMSKeyId.KMSUnauthorized; what opening threw, in the words of the ECS API
 */
export async function openSnapshot<T extends { close(): Promise<void> }>(
  context: PlaneContext,
  principal: Principal,
  snapshotId: string,
  open: (record: SnapshotRecord) => Promise<T>,
): Promise<T> {
  authorise(context.metadata, principal, VERB);
  const { regionId } = findRegion(principal.regionId);
  const { accountId } = principal;
  const scope = { metadata: context.metadata, locks: context.locks, accountId, regionId };
  return holdSnapshotSource(scope, snapshotId, async (source) => {
    const { snapshot } = source;
    checkSnapshotUse('openSnapshot', source);
    if (snapshot.encryption !== null) requireDiskRole(scope);
    checkNotErased(snapshotId, snapshot.layers);
    const log = (outcome: string): Promise<void> => {
      const call = { verb: VERB.name, principal, regionId };
      const use = { reason: VERB.name, resourceId: snapshotId, layers: snapshot.layers, outcome };
      const own = callEntry(context, call, snapshotId, outcome);
      const appendAudit = [own, ...keyUseEntries(context, call, use)];
      return context.metadata.commit({ appendAudit });
    };
    const opened = await open(snapshot).catch(async (error: unknown) => {
      const refusal = toDiskError(error);
      await log(refusal instanceof PlaneError ? refusal.code : 'InternalError');
      throw refusal;
    });
    try {
      await log('OK');
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  });
}
