/**
 * ShareSnapshot, UnshareSnapshot, DescribeSnapshotShares: sharing with another account in the same
 * region. In the cloud the Resource Sharing API does it; ECS has no operation for it.
 *
 * The other account sees the snapshot under an id of its own. It may make disks and copies of it,
 * under another key if it is encrypted, and nothing else. What it made stays when the sharing ends:
 * until nothing in it needs the owner's key any more, the sharing cannot be ended.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { SHARED_SNAPSHOTS_MAX, SNAPSHOT_SHARES_MAX } from '../../limits.ts';
import type { ShareRecord } from '../../record/document.ts';
import { isScopeId, makeSnapshotId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { idSchema, isoSeconds } from '../schemas.ts';
import { findSnapshotSource, holdSnapshotSource } from './find-source.ts';
import { checkHandover, checkNothingNeeds, checkRecipient } from './handover.ts';
import { checkSnapshotUse } from './snapshot-rules.ts';
import type { SnapshotVerbs } from './types.ts';

const accountIdSchema = v.pipe(v.string(), v.check(isScopeId, 'an account id'));
export const shareSnapshotSchema = v.strictObject({
  SnapshotId: idSchema,
  AccountId: accountIdSchema,
});
export const snapshotSharesSchema = v.strictObject({ SnapshotId: idSchema });

export function shareSnapshot(
  context: ControlContext,
  { SnapshotId, AccountId }: SnapshotVerbs['ShareSnapshot']['parameters'],
): Promise<SnapshotVerbs['ShareSnapshot']['result']> {
  // The recipient is held too, for the sake of its quota.
  const held = [`account/${AccountId}`];
  return holdSnapshotSource(
    context,
    SnapshotId,
    (source) => share(context, AccountId, source),
    held,
  );
}

async function share(
  context: ControlContext,
  AccountId: string,
  source: ReturnType<typeof findSnapshotSource>,
): Promise<SnapshotVerbs['ShareSnapshot']['result']> {
  checkSnapshotUse('ShareSnapshot', source);
  const { snapshot } = source;
  const { snapshotId, encryption, layers } = snapshot;
  checkRecipient(context, AccountId);
  await checkHandover(context, {
    operation: 'share',
    resource: 'snapshot',
    id: snapshotId,
    encryption,
  });
  if (layers.length > 1) {
    throw new PlaneError(
      'InvalidSnapshotId.NotReady',
      `${snapshotId} is being encrypted anew, and shared when it needs one key only`,
    );
  }
  const shares = sharesOf(context, snapshotId);
  const former = shares.find(({ accountId }) => accountId === AccountId);
  if (former === undefined) checkQuotas(context, AccountId, shares.length);
  context.passValidation();
  if (former !== undefined) return { SharedSnapshotId: former.snapshotId };
  const record: ShareRecord = {
    snapshotId: makeSnapshotId(context.randomBytes),
    sourceSnapshotId: snapshotId,
    ownerAccountId: snapshot.accountId,
    accountId: AccountId,
    regionId: snapshot.regionId,
    sharedAt: context.clock.now(),
  };
  await context.metadata.commit({ putDocuments: [{ kind: 'share', record }] });
  return { SharedSnapshotId: record.snapshotId };
}

export function unshareSnapshot(
  context: ControlContext,
  { SnapshotId, AccountId }: SnapshotVerbs['UnshareSnapshot']['parameters'],
): Promise<SnapshotVerbs['UnshareSnapshot']['result']> {
  return holdSnapshotSource(context, SnapshotId, async (source) => {
    checkSnapshotUse('ModifySnapshotAttribute', source);
    const shares = sharesOf(context, SnapshotId);
    const record = shares.find(({ accountId }) => accountId === AccountId);
    if (record === undefined) {
      throw new PlaneError(
        'InvalidAccount.NotFound',
        `${SnapshotId} is not shared with ${AccountId}`,
      );
    }
    checkNothingNeeds(context, SnapshotId, AccountId);
    context.passValidation();
    const removal = { kind: 'share', key: record.snapshotId } as const;
    await context.metadata.commit({ removeDocuments: [removal] });
    return {};
  });
}

export async function describeSnapshotShares(
  context: ControlContext,
  { SnapshotId }: SnapshotVerbs['DescribeSnapshotShares']['parameters'],
): Promise<SnapshotVerbs['DescribeSnapshotShares']['result']> {
  const source = findSnapshotSource(context, SnapshotId);
  checkSnapshotUse('ModifySnapshotAttribute', source);
  const Shares = sharesOf(context, SnapshotId).map((record) => ({
    AccountId: record.accountId,
    SharedSnapshotId: record.snapshotId,
    SharedTime: isoSeconds(record.sharedAt),
  }));
  return { Shares };
}

function sharesOf(context: ControlContext, snapshotId: string): ShareRecord[] {
  const group = `source/${snapshotId}`;
  return context.metadata.listDocuments('share', group, 0, SNAPSHOT_SHARES_MAX).records;
}

function checkQuotas(context: ControlContext, accountId: string, shareCount: number): void {
  if (shareCount >= SNAPSHOT_SHARES_MAX) {
    throw new PlaneError(
      'QuotaExceed.Snapshot',
      `a snapshot is shared with at most ${SNAPSHOT_SHARES_MAX} accounts`,
    );
  }
  const { total } = context.metadata.listDocuments('share', `recipient/${accountId}`, 0, 1);
  if (total < SHARED_SNAPSHOTS_MAX) return;
  throw new PlaneError(
    'QuotaExceed.Snapshot',
    `at most ${SHARED_SNAPSHOTS_MAX} snapshots are shared with account ${accountId}`,
  );
}
