/** What is done to disks that are there: attached, resized, rolled back, modified, cloned. */
import { describe, expect, it } from 'vitest';
import { CONVERSIONS } from '../../../../src/control/disks/modify-disk.ts';
import { DISK_CATEGORIES } from '../../../../src/control/encryption/categories.ts';
import { NEW_INSTANCE, type TestCaller, testCaller } from '../../../support/control-caller.ts';

const NOT_ENABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';
const GIB = 2 ** 30;

async function withInstance() {
  const caller = await testCaller();
  const { call } = caller;
  const { InstanceId } = await call('CreateInstance', NEW_INSTANCE);
  const [system] = (await call('DescribeDisks', { InstanceId })).Disks;
  const disk = async (more: object = {}) => (await call('CreateDisk', { Size: 1, ...more })).DiskId;
  const described = async (DiskId: string) =>
    (await call('DescribeDisks', { DiskIds: [DiskId] })).Disks[0];
  return { ...caller, InstanceId, systemId: String(system?.DiskId), disk, described };
}

async function newKey({ call }: Pick<TestCaller, 'call'>): Promise<string> {
  return (await call('CreateKey', {})).KeyMetadata.KeyId;
}

describe('AttachDisk', () => {
  it('gives the next device, or the one asked for', async () => {
    const { call, disk, described, InstanceId } = await withInstance();
    const [one, two, three] = [await disk(), await disk(), await disk()];
    await call('AttachDisk', { DiskId: one, InstanceId, Device: '/dev/vdb' });
    await call('AttachDisk', { DiskId: two, InstanceId, DeleteWithInstance: true });
    await call('AttachDisk', { DiskId: three, InstanceId, Device: '/dev/xvdz' });
    const devices = await Promise.all([one, two, three].map(described));
    expect(devices.map((each) => each?.Device)).toEqual(['/dev/xvdb', '/dev/xvdc', '/dev/xvdz']);
    expect(devices.map((each) => each?.DeleteWithInstance)).toEqual([false, true, false]);
    expect(devices[0]?.Attachments).toEqual([
      { InstanceId, Device: '/dev/xvdb', AttachedTime: '2026-01-31T12:00:00Z' },
    ]);
  });

  it('is refused by state, place and number', async () => {
    const { control, call, refused, disk, systemId, InstanceId } = await withInstance();
    const DiskId = await disk();
    const away = await disk({ ZoneId: 'cn-hangzhou-b' });
    const attach = (more: object) => refused('AttachDisk', { DiskId, InstanceId, ...more });
    expect(await attach({ DiskId: 'd-1' })).toBe('InvalidDiskId.NotFound');
    expect(await attach({ InstanceId: 'i-1' })).toBe('InvalidInstanceId.NotFound');
    expect(await attach({ DiskId: away })).toBe('ResourcesNotInSameZone');
    expect(await attach({ Device: '/dev/xvda' })).toBe('InvalidDevice.Malformed');
    expect(await attach({ Device: 'C:' })).toBe('InvalidDevice.Malformed');
    expect(await attach({ Force: true })).toBe('InvalidParameterForce.DiskCategoryNotSupported');
    expect(await attach({ DryRun: true })).toBe('DryRunOperation');
    control.failNext('openVolume');
    expect(await attach({})).toBe('ShardLost');
    expect(await attach({})).toBe('not refused');
    expect(await attach({})).toBe('IncorrectDiskStatus');
    expect(await attach({ DiskId: await disk(), Device: '/dev/xvdb' })).toBe('InvalidDevice.InUse');
    for (let more = 1; more < 16; more++)
      await call('AttachDisk', { DiskId: await disk(), InstanceId });
    expect(await attach({ DiskId: await disk() })).toBe('InstanceDiskLimitExceeded');
    const two = await call('CreateInstance', NEW_INSTANCE);
    await call('DetachDisk', { DiskId: systemId, InstanceId });
    const system = { DiskId: systemId, InstanceId: two.InstanceId };
    expect(await refused('AttachDisk', system)).toBe('DiskTypeViolation');
    expect(await attach({ DiskId: systemId })).toBe('not refused');
    expect(control.held.size).toBe(0);
  });

  it('asks for the key also while the instance is stopped, in its own spelling', async () => {
    const { control, call, refused, disk, InstanceId, ...rest } = await withInstance();
    const KMSKeyId = await newKey({ call });
    const DiskId = await disk({ Encrypted: true, KMSKeyId });
    await call('DisableKey', { KeyId: KMSKeyId });
    expect(await refused('AttachDisk', { DiskId, InstanceId })).toBe(NOT_ENABLED);
    expect((await rest.described(DiskId))?.Status).toBe('Available');
    await call('EnableKey', { KeyId: KMSKeyId });
    const { metadata } = control.context;
    const record = metadata.getDisk(DiskId);
    if (record?.encryption == null) throw new Error('the disk is encrypted');
    // A key that is gone: what a wrapped key names and no vault has.
    const account = metadata.getDocument('account', record.accountId);
    if (account === undefined) throw new Error('the account is there');
    await metadata.commit({
      putDocuments: [{ kind: 'account', record: { ...account, roles: [] } }],
    });
    await call('StartInstance', { InstanceId });
    expect(await refused('ResizeDisk', { DiskId, NewSize: 2 })).toBe(
      'InvalidParameter.KMSKeyId.KMSUnauthorized',
    );
  });
});

describe('DetachDisk', () => {
  it('is refused unless the disk is attached to that instance', async () => {
    const { call, refused, disk, systemId, InstanceId } = await withInstance();
    const DiskId = await disk();
    const detach = (more: object) => refused('DetachDisk', { DiskId, InstanceId, ...more });
    expect(await detach({})).toBe('InvalidDisk.AlreadyDetached');
    expect(await detach({ DiskId: 'd-1' })).toBe('InvalidDiskId.NotFound');
    await call('AttachDisk', { DiskId, InstanceId });
    const other = await call('CreateInstance', NEW_INSTANCE);
    expect(await detach({ InstanceId: other.InstanceId })).toBe('DependencyViolation');
    expect(await detach({ DryRun: true })).toBe('DryRunOperation');
    await call('StartInstance', { InstanceId });
    expect(await detach({ DiskId: systemId })).toBe('IncorrectInstanceStatus');
    expect(await detach({})).toBe('not refused');
    expect(await refused('DeleteDisk', { DiskId: systemId })).toBe('IncorrectDiskStatus');
    expect(await refused('DeleteDisk', { DiskId })).toBe('not refused');
  });
});

describe('ResizeDisk', () => {
  it('grows a volume at once, or when its instance starts again', async () => {
    const { control, call, refused, disk, systemId, InstanceId } = await withInstance();
    const DiskId = await disk({ DiskCategory: 'cloud', Size: 5 });
    expect(await refused('ResizeDisk', { DiskId, NewSize: 2_001 })).toBe(
      'InvalidDiskSize.TooLarge',
    );
    expect(await refused('ResizeDisk', { DiskId, NewSize: 5 })).toBe('InvalidDiskSize.TooSmall');
    const wrong = { DiskId, NewSize: 6, Type: 'sideways' };
    expect(await refused('ResizeDisk', wrong)).toBe('InvalidParameter');
    await call('StartInstance', { InstanceId });
    await call('ResizeDisk', { DiskId: systemId, NewSize: 21 });
    expect(control.resized).toEqual([]);
    await call('ResizeDisk', { DiskId: systemId, NewSize: 22, Type: 'online' });
    await call('ResizeDisk', { DiskId, NewSize: 6 });
    expect(control.resized).toEqual([
      [systemId, 22 * GIB],
      [DiskId, 6 * GIB],
    ]);
  });
});

describe('ResetDisk and ReInitDisk', () => {
  it('name new trees, commit, and remove the old ones', async () => {
    const { control, call, disk } = await withInstance();
    const DiskId = await disk({ Encrypted: true });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    control.told.length = 0;
    await call('ResetDisk', { DiskId, SnapshotId });
    const layer = control.context.metadata.getDisk(DiskId)?.layers[0];
    expect(layer?.tree.startsWith(`${DiskId}.`)).toBe(true);
    expect(control.told.at(-1)?.request).toEqual({ op: 'removeTree', name: DiskId });
    expect(control.told.length).toBe(2);
  });

  it('are refused by state, by whose snapshot it is, and by the key', async () => {
    const { control, call, refused, disk, systemId, InstanceId } = await withInstance();
    const KMSKeyId = await newKey({ call });
    const DiskId = await disk({ Encrypted: true, KMSKeyId });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    const reset = (more: object = {}) => refused('ResetDisk', { DiskId, SnapshotId, ...more });
    expect(await reset({ SnapshotId: 's-1' })).toBe('InvalidSnapshotId.NotFound');
    expect(await reset({ DiskId: await disk() })).toBe('InvalidParameter.Mismatch');
    expect(await reset({ DryRun: true })).toBe('DryRunOperation');
    expect(await refused('ReInitDisk', { DiskId })).toBe('IncorrectDiskStatus');
    const { metadata } = control.context;
    const record = metadata.getDisk(DiskId);
    if (record === undefined) throw new Error('the disk is there');
    await metadata.commit({ putDisks: [{ ...record, status: 'In_use' }] });
    expect(await reset()).toBe('IncorrectDiskStatus');
    await metadata.commit({ putDisks: [record] });
    expect(await refused('ReInitDisk', { DiskId: systemId })).toBe('IncorrectInstanceStatus');
    await call('AttachDisk', { DiskId, InstanceId });
    await call('StartInstance', { InstanceId });
    expect(await reset()).toBe('IncorrectInstanceStatus');
    expect(await refused('ReInitDisk', { DiskId })).toBe('IncorrectInstanceStatus');
    await call('StopInstance', { InstanceId });
    await call('DisableKey', { KeyId: KMSKeyId });
    expect(await reset()).toBe(NOT_ENABLED);
    expect(await refused('ReInitDisk', { DiskId })).toBe(NOT_ENABLED);
    await call('EnableKey', { KeyId: KMSKeyId });
    control.failNext('shareTree');
    expect(await reset()).toBe('ShardLost');
    expect(metadata.getDisk(DiskId)?.layers[0]?.tree).toBe(DiskId);
    expect(await reset()).toBe('not refused');
    expect(await refused('ReInitDisk', { DiskId, AutoStartInstance: true })).toBe('not refused');
    expect(control.held.size).toBe(2);
  });

  it('of a disk made from a snapshot that was deleted is refused', async () => {
    const { call, refused, disk, InstanceId } = await withInstance();
    const { SnapshotId } = await call('CreateSnapshot', { DiskId: await disk() });
    const DiskId = await disk({ SnapshotId });
    await call('AttachDisk', { DiskId, InstanceId });
    await call('StartInstance', { InstanceId });
    await call('StopInstance', { InstanceId });
    expect(await refused('ReInitDisk', { DiskId })).toBe('not refused');
    await call('DeleteSnapshot', { SnapshotId, Force: true });
    expect(await refused('ReInitDisk', { DiskId })).toBe('InvalidSourceSnapshot');
  });
});

describe('ModifyDiskAttribute and ModifyDiskSpec', () => {
  it('change what they are told, of one disk or of several', async () => {
    const { call, refused, disk, described } = await withInstance();
    const [one, two] = [await disk({ Size: 40 }), await disk({ Size: 40 })];
    const DiskIds = [one, two];
    await call('ModifyDiskAttribute', { DiskIds, DiskName: 'nn', Description: 'dd' });
    const flags = {
      DeleteWithInstance: true,
      DeleteAutoSnapshot: false,
      EnableAutoSnapshot: false,
    };
    await call('ModifyDiskAttribute', { DiskId: one, BurstingEnabled: true, ...flags });
    expect(await described(one)).toMatchObject({ DiskName: 'nn', BurstingEnabled: true, ...flags });
    expect(await described(two)).toMatchObject({ Description: 'dd', BurstingEnabled: false });
    expect(await refused('ModifyDiskAttribute', { DiskName: 'xx' })).toBe('MissingParameter');
    const both = { DiskId: one, DiskIds };
    expect(await refused('ModifyDiskAttribute', both)).toBe('InvalidParameter.Conflict');
    const half = { DiskIds: [one, 'd-1'], DiskName: 'xx' };
    expect(await refused('ModifyDiskAttribute', half)).toBe('InvalidDiskId.NotFound');
    expect((await described(one))?.DiskName).toBe('nn');
  });

  it('move a disk to another category, level and IOPS, within what there is', async () => {
    const { call, refused, disk, described } = await withInstance();
    const DiskId = await disk({ Size: 40 });
    const spec = (more: object) => refused('ModifyDiskSpec', { DiskId, ...more });
    expect(await spec({})).toBe('MissingParameter');
    expect(await spec({ ProvisionedIops: 1_000_000 })).toBe('InvalidProvisionedIops.LimitExceed');
    expect(await spec({ ProvisionedIops: 2_000 })).toBe('not refused');
    expect(await spec({ PerformanceLevel: 'PL1' })).toBe('InvalidPerformanceLevel.Malformed');
    const essd = { DiskCategory: 'cloud_essd', PerformanceLevel: 'PL2' };
    expect(await spec(essd)).toBe('OperationDenied.PerformanceLevelNotMatch');
    expect(await spec({ DiskCategory: 'cloud_ssd' })).toBe('InvalidDiskCategory.NotSupported');
    const { TaskId } = await call('ModifyDiskSpec', { DiskId, DiskCategory: 'cloud_essd' });
    expect(await described(DiskId)).toMatchObject({ PerformanceLevel: 'PL1', ProvisionedIops: 0 });
    const { Tasks } = await call('DescribeTasks', { TaskIds: [TaskId] });
    expect(Tasks).toMatchObject([{ ResourceId: DiskId, TaskStatus: 'Finished' }]);
    expect(await spec({ PerformanceLevel: 'PL0' })).toBe('not refused');
  });

  it('have one row of conversions for each category', () => {
    expect(CONVERSIONS.map(({ from }) => from).sort()).toEqual([...DISK_CATEGORIES].sort());
  });
});

describe('CloneDisks', () => {
  it('is refused outside the ESSD series, and never decrypts', async () => {
    const { control, call, refused, disk } = await withInstance();
    const SourceDiskId = await disk({ Size: 20, Encrypted: true });
    const clone = (more: object) =>
      refused('CloneDisks', { SourceDiskId, DiskCategory: 'cloud_auto', Size: 20, ...more });
    expect(await clone({ DiskCategory: 'cloud_ssd' })).toBe('InvalidDiskCategory.NotSupported');
    expect(await clone({ Size: 19 })).toBe('InvalidDiskSize.TooSmall');
    expect(await clone({ Encrypted: false })).toBe('InvalidEncrypted.NotMatchSnapshot');
    expect(await clone({ SourceDiskId: 'd-1' })).toBe('InvalidDiskId.NotFound');
    const old = await disk({ Size: 20, DiskCategory: 'cloud_ssd' });
    expect(await clone({ SourceDiskId: old })).toBe('InvalidDiskCategory.NotSupported');
    expect(await clone({ DryRun: true })).toBe('DryRunOperation');
    expect(control.drained).toEqual([]);
    const KmsKeyId = await newKey({ call });
    expect(await clone({ Encrypted: true, KmsKeyId })).toBe('not refused');
    expect(control.drained).toEqual([SourceDiskId]);
    expect(control.reencrypted.length).toBe(1);
  });
});
