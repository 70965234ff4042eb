/** Sharing snapshots: what may be shared, what the other account may do, how it ends. */
import { describe, expect, it } from 'vitest';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import {
  findSnapshotSource,
  holdSnapshotSource,
} from '../../../../src/control/snapshots/find-source.ts';
import {
  ABROAD,
  codeOf,
  controlWorld,
  HOME,
  OWNER,
  RECIPIENT,
  STRANGER,
} from '../../../support/control-world.ts';

async function shareWorld(encryption: 'plain' | 'service' | 'user') {
  const world = await controlWorld();
  const source = await world.snapshotOf(encryption);
  const { SnapshotId } = source;
  const share = async (AccountId = RECIPIENT) =>
    (await world.as(OWNER)('ShareSnapshot', { SnapshotId, AccountId })).SharedSnapshotId;
  const unshare = (AccountId = RECIPIENT) =>
    codeOf(world.as(OWNER)('UnshareSnapshot', { SnapshotId, AccountId }));
  return { ...world, ...source, share, unshare };
}

describe('ShareSnapshot', () => {
  it('shows the snapshot under a new id, once, however often it is called', async () => {
    const { as, share, SnapshotId } = await shareWorld('user');
    const id = await share();
    expect(id).toMatch(/^s-[a-z0-9]{20}$/);
    expect(id).not.toBe(SnapshotId);
    expect(await share()).toBe(id);
    const other = await share(STRANGER);
    expect(other).not.toBe(id);
    const { Shares } = await as(OWNER)('DescribeSnapshotShares', { SnapshotId });
    const SharedTime = '2026-01-31T12:00:00Z';
    expect(Shares.toSorted((a, b) => (a.AccountId < b.AccountId ? -1 : 1))).toEqual([
      { AccountId: RECIPIENT, SharedSnapshotId: id, SharedTime },
      { AccountId: STRANGER, SharedSnapshotId: other, SharedTime },
    ]);
  });

  it('refuses a snapshot under the service key', async () => {
    const { refused, SnapshotId } = await shareWorld('service');
    const call = { SnapshotId, AccountId: RECIPIENT };
    expect(await refused('ShareSnapshot', call)).toBe('InvalidSnapshotId.EncryptedNotSupport');
  });

  it.each(['2018', '2020'] as const)('is not there by the rules of %s', async (ruleSet) => {
    const world = await controlWorld(ruleSet);
    const { SnapshotId } = await world.snapshotOf('plain');
    const call = { SnapshotId, AccountId: RECIPIENT };
    expect(await world.refused('ShareSnapshot', call)).toBe('UnsupportedOperation');
  });

  it.each([
    [{ AccountId: '7999999999999999' }, 'InvalidAccount.NotFound'],
    [{ AccountId: OWNER }, 'InvalidAccount.Forbbiden'],
    [{ AccountId: '../x' }, 'InvalidParameter'],
    [{ AccountId: undefined }, 'MissingParameter'],
    [{ SnapshotId: 'nothing' }, 'InvalidSnapshotId.NotFound'],
    [{ RegionId: ABROAD }, 'InvalidSnapshotId.NotFound'],
    [{ DryRun: true }, 'DryRunOperation'],
  ])('refuses %j with %s', async (parameters, code) => {
    const { refused, control, SnapshotId } = await shareWorld('plain');
    const call = { SnapshotId, AccountId: RECIPIENT, ...parameters };
    expect(await refused('ShareSnapshot', call)).toBe(code);
    expect(control.context.metadata.listDocuments('share', null, 0, 1).total).toBe(0);
  });

  it('needs the role for what is encrypted, and an enabled key; for plain neither', async () => {
    const { as, control, refused, snapshotOf, SnapshotId, KMSKeyId } = await shareWorld('user');
    const plain = await snapshotOf('plain');
    const record = { ...fullAccount(OWNER, 0), roles: [] };
    const { metadata } = control.context;
    const call = { SnapshotId, AccountId: RECIPIENT };
    await as(OWNER)('DisableKey', { KeyId: KMSKeyId });
    expect(await refused('ShareSnapshot', call)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    expect(await refused('ShareSnapshot', call)).toBe('AssumeRoleError');
    await as(OWNER)('ShareSnapshot', { ...call, SnapshotId: plain.SnapshotId });
  });

  it('shares with 64 accounts and no more, and 1024 with one account', async () => {
    const { control, refused, share, snapshotOf, SnapshotId } = await shareWorld('plain');
    const { metadata } = control.context;
    const id = (number: number) => `s-${String(number).padStart(20, '0')}`;
    const accounts = Array.from({ length: 64 }, (_, index) => `5${index}`);
    await metadata.commit({
      putDocuments: accounts.map((each) => ({ kind: 'account', record: fullAccount(each, 0) })),
    });
    for (const account of accounts) await share(account);
    expect(await share(accounts[0])).toMatch(/^s-/);
    const more = { SnapshotId, AccountId: RECIPIENT };
    expect(await refused('ShareSnapshot', more)).toBe('QuotaExceed.Snapshot');
    const shares = Array.from({ length: 1024 }, (_, number) => ({
      snapshotId: id(number),
      sourceSnapshotId: id(100_000 + number),
      ownerAccountId: '6',
      accountId: RECIPIENT,
      regionId: ABROAD,
      sharedAt: 0,
    }));
    await metadata.commit({
      putDocuments: shares.map((record) => ({ kind: 'share', record })),
    });
    const other = await snapshotOf('plain');
    const full = { ...more, SnapshotId: other.SnapshotId };
    expect(await refused('ShareSnapshot', full)).toBe('QuotaExceed.Snapshot');
  });
});

describe('a shared snapshot', () => {
  it('is found under its own id by its recipient, in its region, and by nobody else', async () => {
    const { control, share, SnapshotId } = await shareWorld('user');
    const id = await share();
    const { context } = control;
    const seen = { ...context, accountId: RECIPIENT };
    const source = findSnapshotSource(seen, id);
    expect(source).toMatchObject({
      isShared: true,
      visibleId: id,
      snapshot: { snapshotId: SnapshotId },
    });
    const own = findSnapshotSource(context, SnapshotId);
    expect(own).toMatchObject({ isShared: false, visibleId: SnapshotId });
    for (const [where, what] of [
      [context, id],
      [seen, SnapshotId],
      [{ ...seen, regionId: ABROAD }, id],
      [{ ...seen, accountId: STRANGER }, id],
      [seen, 'nothing'],
    ] as const) {
      expect(() => findSnapshotSource(where, what)).toThrow('InvalidSnapshotId.NotFound');
    }
    const held = holdSnapshotSource(seen, id, async ({ visibleId }) => visibleId);
    expect(await held).toBe(id);
  });

  it('is held by who makes something of it: unsharing waits', async () => {
    const { control, share, unshare } = await shareWorld('plain');
    const id = await share();
    const seen = { ...control.context, accountId: RECIPIENT };
    const order: string[] = [];
    const making = holdSnapshotSource(seen, id, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('made');
    });
    const ending = unshare().then(() => order.push('unshared'));
    const late = codeOf(holdSnapshotSource(seen, id, async () => order.push('made too late')));
    await Promise.all([making, ending]);
    expect(order).toEqual(['made', 'unshared']);
    expect(await late).toBe('InvalidSnapshotId.NotFound');
  });

  it('cannot be changed, deleted, shared or made an image of by its recipient', async () => {
    const { as, share } = await shareWorld('user');
    const SnapshotId = await share();
    const call = as(RECIPIENT);
    const DENIED = 'OperationDenied';
    expect(await codeOf(call('DeleteSnapshot', { SnapshotId, Force: true }))).toBe(DENIED);
    expect(await codeOf(call('CreateImage', { SnapshotId }))).toBe(DENIED);
    expect(await codeOf(call('ShareSnapshot', { SnapshotId, AccountId: STRANGER }))).toBe(DENIED);
    expect(await codeOf(call('UnshareSnapshot', { SnapshotId, AccountId: STRANGER }))).toBe(DENIED);
    expect(await codeOf(call('DescribeSnapshotShares', { SnapshotId }))).toBe(DENIED);
    const rename = call('ModifySnapshotAttribute', { SnapshotId, SnapshotName: 'mine' });
    expect(await codeOf(rename)).toBe(DENIED);
  });

  it('is copied by its recipient under a key of the recipient’s own', async () => {
    const { as, snapshot, share, SnapshotId, KMSKeyId } = await shareWorld('user');
    const id = await share();
    const call = as(RECIPIENT);
    const wanted = { SnapshotId: id, DestinationRegionId: HOME, Encrypted: true };
    const copy = await call('CopySnapshot', wanted);
    const record = snapshot(copy.SnapshotId);
    expect(record).toMatchObject({ accountId: RECIPIENT, sourceSnapshotId: SnapshotId });
    expect(record.encryption).toMatchObject({ accountId: RECIPIENT, lineageId: copy.SnapshotId });
    expect(record.encryption?.keyId).not.toBe(KMSKeyId);
    expect(record.layers[1]?.encryption?.keyId).toBe(KMSKeyId);
    const kept = await codeOf(call('CopySnapshot', { ...wanted, KMSKeyId }));
    expect(['InvalidParam.EncryptedMismatch', 'InvalidParameter.KMSKeyId.NotFound']).toContain(
      kept,
    );
    const plain = { SnapshotId: id, DestinationRegionId: ABROAD };
    expect(await codeOf(call('CopySnapshot', plain))).toBe('InvalidEncrypted.NotSupportDecrypt');
  });

  it('that is plain is copied across regions as it is', async () => {
    const { as, snapshot, share } = await shareWorld('plain');
    const call = as(RECIPIENT);
    const wanted = { SnapshotId: await share(), DestinationRegionId: ABROAD };
    const copy = await call('CopySnapshot', wanted);
    expect(snapshot(copy.SnapshotId)).toMatchObject({ accountId: RECIPIENT, encryption: null });
  });
});

describe('UnshareSnapshot', () => {
  it('takes it away from one account and leaves the others', async () => {
    const { as, share, unshare } = await shareWorld('plain');
    const [gone, stays] = [await share(), await share(STRANGER)];
    expect(await unshare()).toBe('it was not refused');
    const shown = async (account: string) =>
      (await as(account)('DescribeSnapshots', {})).Snapshots.map((each) => each.SnapshotId);
    expect(await shown(RECIPIENT)).toEqual([]);
    expect(await shown(STRANGER)).toEqual([stays]);
    const copy = { SnapshotId: gone, DestinationRegionId: ABROAD };
    expect(await codeOf(as(RECIPIENT)('CopySnapshot', copy))).toBe('InvalidSnapshotId.NotFound');
    expect(await unshare()).toBe('InvalidAccount.NotFound');
  });

  it('is refused until what was made of it needs the owner’s key no longer', async () => {
    const { as, finish, share, unshare } = await shareWorld('user');
    await share(STRANGER);
    const wanted = { SnapshotId: await share(), DestinationRegionId: ABROAD, Encrypted: true };
    const copy = await as(RECIPIENT)('CopySnapshot', wanted);
    expect(await unshare()).toBe('InvalidOperation.Conflict');
    expect(await unshare(STRANGER)).toBe('it was not refused');
    await finish(copy.SnapshotId);
    expect(await unshare()).toBe('it was not refused');
  });

  it('changes nothing in a dry run', async () => {
    const { as, refused, share, SnapshotId } = await shareWorld('plain');
    await share();
    const dry = { SnapshotId, AccountId: RECIPIENT, DryRun: true };
    expect(await refused('UnshareSnapshot', dry)).toBe('DryRunOperation');
    expect((await as(RECIPIENT)('DescribeSnapshots', {})).TotalCount).toBe(1);
  });
});
