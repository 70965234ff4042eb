/** Quotas: as many disks as a plane was opened for, whatever verb makes them. */
import { describe, expect, it } from 'vitest';
import { callVerb } from '../../../src/control/call.ts';
import { QUOTA_ROWS, type Quotas, quotasOf } from '../../../src/control/quotas.ts';
import { NEW_INSTANCE } from '../../support/control-caller.ts';
import { testControl } from '../../support/control-context.ts';
import { type Caller, codeOf } from '../../support/control-world.ts';

async function quotaWorld(quotas: Partial<Quotas>) {
  const control = await testControl();
  const context = { ...control.context, quotas: quotasOf(quotas) };
  const call: Caller = (verb, parameters) => callVerb(context, context.principal, verb, parameters);
  const stranger: Caller = (verb, parameters) =>
    callVerb(context, { ...context.principal, accountId: '1000000000000002' }, verb, parameters);
  const refused: (...asked: Parameters<Caller>) => Promise<string> = (verb, parameters) =>
    codeOf(call(verb, parameters as never));
  const count = async () => (await call('DescribeDisks', {})).TotalCount;
  return { control, call, stranger, refused, count };
}

const INSTANCE = { ...NEW_INSTANCE, SystemDisk: { Size: 20 } };

describe('a quota of disks', () => {
  it('of a number is of an account in a region, and freed by deleting', async () => {
    const { call, stranger, refused, count } = await quotaWorld({ postPaidDisks: 2 });
    const { DiskId } = await call('CreateDisk', { Size: 20 });
    await call('CreateDisk', { Size: 20 });
    expect(await refused('CreateDisk', { Size: 20 })).toBe('QuotaExceed.PostPaidDisk');
    expect(await refused('CreateDisk', { Size: 20, DryRun: true })).toBe(
      'QuotaExceed.PostPaidDisk',
    );
    await call('CreateDisk', { Size: 20, RegionId: 'cn-beijing' });
    await stranger('CreateDisk', { Size: 20 });
    expect(await refused('CloneDisk', { SourceDiskId: DiskId })).toBe('QuotaExceed.PostPaidDisk');
    await call('DeleteDisk', { DiskId });
    await call('CreateDisk', { Size: 20 });
    expect(await count()).toBe(2);
  });

  it('holds when disks are made at the same time', async () => {
    const { refused, count } = await quotaWorld({ postPaidDisks: 3 });
    const asked = Array.from({ length: 8 }, () => refused('CreateDisk', { Size: 20 }));
    const outcomes = await Promise.all(asked);
    expect(outcomes.filter((each) => each === 'QuotaExceed.PostPaidDisk')).toHaveLength(5);
    expect(await count()).toBe(3);
  });

  it('of capacity counts what is made and what grows', async () => {
    const { call, refused } = await quotaWorld({ diskCapacityGiB: 100 });
    const { DiskId } = await call('CreateDisk', { Size: 60 });
    expect(await refused('CreateDisk', { Size: 41 })).toBe('QuotaExceed.DiskCapacity');
    expect(await refused('ResizeDisk', { DiskId, NewSize: 101 })).toBe('QuotaExceed.DiskCapacity');
    await call('ResizeDisk', { DiskId, NewSize: 80 });
    await call('CreateDisk', { Size: 20 });
    expect(await refused('CreateDisk', { Size: 1 })).toBe('QuotaExceed.DiskCapacity');
  });

  it('of portable disks leaves system disks out; all disks of a call count together', async () => {
    const { control, call, refused, count } = await quotaWorld({ portableDisks: 1 });
    const two = { ...INSTANCE, DataDisk: [{ Size: 20 }, { Size: 20 }] };
    expect(await refused('RunInstances', two)).toBe('QuotaExceed.PortableCloudDisk');
    expect(await refused('CreateInstance', two)).toBe('QuotaExceed.PortableCloudDisk');
    const one = { ...INSTANCE, Amount: 2, DataDisk: [{ Size: 20 }] };
    expect(await refused('RunInstances', one)).toBe('QuotaExceed.PortableCloudDisk');
    expect([await count(), control.told]).toEqual([0, []]);
    await call('RunInstances', { ...INSTANCE, Amount: 3 });
    await call('CreateDisk', { Size: 20 });
    expect(await refused('CreateDisk', { Size: 20 })).toBe('QuotaExceed.PortableCloudDisk');
  });

  it('lets a system disk be replaced where there is room for one only', async () => {
    const { call } = await quotaWorld({ postPaidDisks: 1, diskCapacityGiB: 20 });
    const { InstanceId } = await call('CreateInstance', INSTANCE);
    const { ImageId } = NEW_INSTANCE;
    await call('ReplaceSystemDisk', { InstanceId, ImageId, SystemDisk: { Size: 20 } });
  });

  it('of snapshots is of each disk', async () => {
    const { call, refused } = await quotaWorld({ snapshotsPerDisk: 1 });
    const { DiskId } = await call('CreateDisk', { Size: 20 });
    await call('CreateSnapshot', { DiskId });
    expect(await refused('CreateSnapshot', { DiskId })).toBe('QuotaExceed.Snapshot');
    const none = await quotaWorld({ snapshotsPerDisk: 0 });
    const other = await none.call('CreateDisk', { Size: 20 });
    expect(await none.refused('CreateSnapshot', other)).toBe('QuotaExceed.Snapshot');
  });

  it('of unfinished snapshots counts those of the account in the region', async () => {
    const { control, call, refused } = await quotaWorld({ snapshotsInProgress: 1 });
    const { DiskId } = await call('CreateDisk', { Size: 20 });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    const { metadata } = control.context;
    const setStatus = async (status: 'progressing' | 'accomplished'): Promise<void> => {
      const record = metadata.getSnapshot(SnapshotId);
      if (record === undefined) throw new Error('it was made');
      await metadata.commit({ putSnapshots: [{ ...record, status }] });
    };
    await setStatus('progressing');
    const code = 'QuotaExceed.ConcurrentSnapshotQuota';
    expect(await refused('CreateSnapshot', { DiskId })).toBe(code);
    expect(await refused('CreateSnapshot', { DiskId, DryRun: true })).toBe(code);
    await setStatus('accomplished');
    await call('CreateSnapshot', { DiskId });
  });

  it('of images shared with an account counts those of everybody', async () => {
    const { call, refused } = await quotaWorld({ imagesSharedWith: 1 });
    const { DiskId } = await call('CreateDisk', { Size: 20 });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    const [first, second] = [
      (await call('CreateImage', { SnapshotId })).ImageId,
      (await call('CreateImage', { SnapshotId })).ImageId,
    ];
    const AddAccount = ['1000000000000002'];
    const share = 'ModifyImageSharePermission';
    await call(share, { ImageId: first, AddAccount });
    await call(share, { ImageId: first, AddAccount });
    const code = 'QuotaExceed.ShareImageUser';
    expect(await refused(share, { ImageId: second, AddAccount })).toBe(code);
    await call(share, { ImageId: second, AddAccount: ['2000000000000002'] });
    await call(share, { ImageId: first, RemoveAccount: AddAccount });
    await call(share, { ImageId: second, AddAccount });
  });

  it('has a row each, and no other name or number is one', () => {
    const usual = quotasOf({});
    expect(QUOTA_ROWS.map(({ name }) => name).sort()).toEqual(Object.keys(usual).sort());
    for (const { name, most } of QUOTA_ROWS) expect(usual[name]).toBe(most);
    for (const wrong of [{ disks: 1 }, { postPaidDisks: -1 }, { postPaidDisks: 1.5 }]) {
      expect(() => quotasOf(wrong)).toThrowError(/expected quotas of diskCapacityGiB/);
    }
  });
});
