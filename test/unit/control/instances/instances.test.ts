/** Instances: made, started, stopped, deleted, and every way that is refused. */
import { describe, expect, it } from 'vitest';
import { FAMILIES_WITHOUT_ENCRYPTION } from '../../../../src/control/instances/instance-types.ts';
import { reconcile } from '../../../../src/control/reconcile.ts';
import { NEW_INSTANCE, testCaller } from '../../../support/control-caller.ts';

const NOT_ENABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';

async function world() {
  const caller = await testCaller();
  const { call } = caller;
  return {
    ...caller,
    run: async (more: object = {}) =>
      String((await call('RunInstances', { ...NEW_INSTANCE, ...more })).InstanceIdSets[0]),
    disksOf: async (InstanceId: string) =>
      (await call('DescribeDisks', { InstanceId, PageSize: 100 })).Disks,
    statusOf: async (InstanceId: string) =>
      (await call('DescribeInstances', { InstanceIds: [InstanceId] })).Instances[0]?.Status,
    newKey: async () => (await call('CreateKey', {})).KeyMetadata.KeyId,
  };
}

describe('RunInstances', () => {
  it('makes instances and their disks, and starts them', async () => {
    const { control, call, disksOf, newKey } = await world();
    const KMSKeyId = await newKey();
    const { InstanceIdSets } = await call('RunInstances', {
      ...NEW_INSTANCE,
      Amount: 2,
      InstanceName: 'worker',
      SystemDisk: { Size: '40', Category: 'cloud_essd', PerformanceLevel: 'PL0', DiskName: 'sys' },
      DataDisk: [
        { Size: 100, Encrypted: 'true', KMSKeyId },
        { Size: 5, Encrypted: true, Device: '/dev/xvdz', DeleteWithInstance: false },
        { Size: 6, Encrypted: 'false' },
      ],
      Tag: [{ Key: 'k', Value: 'v' }],
    });
    expect(new Set(InstanceIdSets).size).toBe(2);
    expect(control.held.size).toBe(8);
    const disks = await disksOf(String(InstanceIdSets[1]));
    const byDevice = Object.fromEntries(disks.map((disk) => [disk.Device, disk]));
    expect(Object.keys(byDevice).sort()).toEqual([
      '/dev/xvda',
      '/dev/xvdb',
      '/dev/xvdc',
      '/dev/xvdz',
    ]);
    expect(byDevice['/dev/xvda']).toMatchObject({
      Type: 'system',
      Size: 40,
      PerformanceLevel: 'PL0',
      DiskName: 'sys',
      ImageId: NEW_INSTANCE.ImageId,
      Status: 'In_use',
      Tags: [{ TagKey: 'k', TagValue: 'v' }],
    });
    expect(byDevice['/dev/xvdb']).toMatchObject({ Encrypted: true, KMSKeyId, Size: 100 });
    expect(byDevice['/dev/xvdz']).toMatchObject({ Encrypted: true, DeleteWithInstance: false });
    expect(byDevice['/dev/xvdc']).toMatchObject({ Encrypted: false, DeleteWithInstance: true });
    const { Instances } = await call('DescribeInstances', { InstanceName: 'work*' });
    expect(Instances).toMatchObject([
      { Status: 'Running', InstanceTypeFamily: 'ecs.g7', StartTime: '2026-01-31T12:00:00Z' },
      { Status: 'Running' },
    ]);
  });

  it.each([
    [{ ImageId: 'm-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidImageId.NotFound'],
    [{ ImageId: undefined }, 'MissingParameter'],
    [{ InstanceType: 'large' }, 'InvalidInstanceType.ValueNotSupported'],
    [{ Amount: 101 }, 'InvalidParameter'],
    [{ Amount: 0 }, 'InvalidParameter'],
    [{ ZoneId: 'cn-beijing-a' }, 'InvalidZoneId.NotFound'],
    [{ SystemDisk: { Size: 19 } }, 'InvalidDiskSize.TooSmall'],
    [{ SystemDisk: { Size: 2_049 } }, 'InvalidSize.ValueNotSupported'],
    [{ SystemDisk: { Category: 'cloud', Size: 501 } }, 'InvalidSize.ValueNotSupported'],
    [{ SystemDisk: { Encrypted: 'yes' } }, 'InvalidParameter'],
    [{ SystemDisk: { KMSKeyId: 'key-1' } }, 'InvalidParameter.EncryptedIllegal'],
    [
      { SystemDisk: { Category: 'cloud_ssd', Encrypted: true } },
      'InvalidParameter.EncryptedNotSupported',
    ],
    [{ DataDisk: [{}] }, 'MissingParameter'],
    [{ DataDisk: [{ SnapshotId: 's-1' }] }, 'InvalidSnapshotId.NotFound'],
    [{ DataDisk: [{ Size: 1, Device: '/dev/xvda' }] }, 'InvalidDevice.Malformed'],
    [
      {
        DataDisk: [
          { Size: 1, Device: '/dev/xvdb' },
          { Size: 1, Device: '/dev/vdb' },
        ],
      },
      'InvalidDevice.InUse',
    ],
    [{ DataDisk: Array.from({ length: 17 }, () => ({ Size: 1 })) }, 'InstanceDiskLimitExceeded'],
    [
      { InstanceType: 'ecs.ebmg5.24xlarge', SystemDisk: { Encrypted: true } },
      'InvalidOperation.InstanceTypeNotSupport',
    ],
    [{ DryRun: true, SystemDisk: { Encrypted: true } }, 'DryRunOperation'],
    [{ Sise: 1 }, 'InvalidParameter'],
  ])('with %j is refused with %s, and changes nothing', async (more, code) => {
    const { control, call, refused } = await world();
    expect(await refused('RunInstances', { ...NEW_INSTANCE, ...more })).toBe(code);
    expect(control.told).toEqual([]);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(0);
    expect((await call('DescribeInstances', {})).TotalCount).toBe(0);
  });

  it('leaves nothing when a volume cannot be opened', async () => {
    const { control, call, refused } = await world();
    control.failNext('openVolume');
    const parameters = { ...NEW_INSTANCE, Amount: 2, DataDisk: [{ Size: 1 }] };
    expect(await refused('RunInstances', parameters)).toBe('ShardLost');
    expect(control.held.size).toBe(0);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(0);
    expect((await call('DescribeInstances', {})).TotalCount).toBe(0);
    expect(control.context.metadata.check()).toEqual([]);
  });

  it('takes data disks from snapshots', async () => {
    const { control, call, refused, run, disksOf, newKey } = await world();
    const KMSKeyId = await newKey();
    const { DiskId } = await call('CreateDisk', { Size: 3 });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    const disks = await disksOf(
      await run({ DataDisk: [{ SnapshotId }, { SnapshotId, Encrypted: true, KMSKeyId }] }),
    );
    const [, plain, encrypted] = [...disks].sort((a, b) => (a.Device < b.Device ? -1 : 1));
    expect(plain).toMatchObject({ SourceSnapshotId: SnapshotId, Size: 3, Encrypted: false });
    expect(encrypted).toMatchObject({ SourceSnapshotId: SnapshotId, KMSKeyId });
    expect(control.reencrypted).toEqual([encrypted?.DiskId]);
    const unknown = { ...NEW_INSTANCE, SystemDisk: { Encrypted: true } };
    expect(await refused('CreateInstance', unknown)).toBe('InvalidParameter');
  });
});

describe('starting and stopping', () => {
  it('opens and closes the volumes, and only in the states it may', async () => {
    const { control, call, refused, statusOf } = await world();
    const { InstanceId } = await call('CreateInstance', NEW_INSTANCE);
    expect([await statusOf(InstanceId), control.held.size]).toEqual(['Stopped', 0]);
    expect(await refused('StopInstance', { InstanceId })).toBe('IncorrectInstanceStatus');
    expect(await refused('RebootInstance', { InstanceId })).toBe('IncorrectInstanceStatus');
    expect(await refused('StartInstance', { InstanceId, DryRun: true })).toBe('DryRunOperation');
    await call('StartInstance', { InstanceId });
    expect([await statusOf(InstanceId), control.held.size]).toEqual(['Running', 1]);
    expect(await refused('StartInstance', { InstanceId })).toBe('IncorrectInstanceStatus');
    await call('RebootInstance', { InstanceId });
    expect(await refused('StopInstance', { InstanceId, DryRun: true })).toBe('DryRunOperation');
    await call('StopInstance', { InstanceId });
    expect([await statusOf(InstanceId), control.held.size]).toEqual(['Stopped', 0]);
    const unknown = { InstanceId: 'i-aaaaaaaaaaaaaaaaaaaa' };
    expect(await refused('StartInstance', unknown)).toBe('InvalidInstanceId.NotFound');
  });

  it('is refused whole when one key of several is not enabled', async () => {
    const { control, call, refused, run, statusOf, newKey } = await world();
    const KMSKeyId = await newKey();
    const InstanceId = await run({ DataDisk: [{ Size: 1, Encrypted: true, KMSKeyId }] });
    await call('DisableKey', { KeyId: KMSKeyId });
    expect(await refused('RebootInstance', { InstanceId })).toBe(NOT_ENABLED);
    expect([await statusOf(InstanceId), control.held.size]).toEqual(['Running', 2]);
    await call('StopInstance', { InstanceId });
    expect(await refused('StartInstance', { InstanceId })).toBe(NOT_ENABLED);
    expect([await statusOf(InstanceId), control.held.size]).toEqual(['Stopped', 0]);
    await call('EnableKey', { KeyId: KMSKeyId });
    control.failNext('openVolume');
    expect(await refused('StartInstance', { InstanceId })).toBe('ShardLost');
    await call('StartInstance', { InstanceId });
    control.failNext('openVolume');
    expect(await refused('RebootInstance', { InstanceId })).toBe('ShardLost');
    expect([await statusOf(InstanceId), control.held.size]).toEqual(['Stopped', 0]);
  });

  it('without a system disk is refused', async () => {
    const { call, refused, disksOf } = await world();
    const { InstanceId } = await call('CreateInstance', NEW_INSTANCE);
    const DiskId = String((await disksOf(InstanceId))[0]?.DiskId);
    await call('DetachDisk', { DiskId, InstanceId });
    expect(await refused('StartInstance', { InstanceId })).toBe(
      'InvalidInstance.NotFoundSystemDisk',
    );
  });

  it('and attaching at the same time take turns', async () => {
    const { control, call } = await world();
    const { InstanceId } = await call('CreateInstance', NEW_INSTANCE);
    const made = await Promise.all([1, 2, 3].map((Size) => call('CreateDisk', { Size })));
    await Promise.all([
      call('StartInstance', { InstanceId }),
      ...made.map(({ DiskId }) => call('AttachDisk', { DiskId, InstanceId })),
    ]);
    expect(control.held.size).toBe(4);
    await Promise.all([
      ...made.map(({ DiskId }) => call('DetachDisk', { DiskId, InstanceId })),
      call('StopInstance', { InstanceId }),
    ]);
    expect(control.held.size).toBe(0);
  });
});

describe('DeleteInstance', () => {
  it('takes the disks that go with it, and makes the others available', async () => {
    const { control, call, refused, run } = await world();
    const kept = { Size: 1, DeleteWithInstance: false };
    const InstanceId = await run({ DeletionProtection: true, DataDisk: [kept, { Size: 2 }] });
    const remove = (more: object = {}) => refused('DeleteInstance', { InstanceId, ...more });
    expect(await remove({ Force: true })).toBe('InvalidOperation.DeletionProtection');
    await call('ModifyInstanceAttribute', { InstanceId, DeletionProtection: false });
    expect(await remove()).toBe('IncorrectInstanceStatus');
    expect(await remove({ Force: true, DryRun: true })).toBe('DryRunOperation');
    expect(await remove({ Force: true })).toBe('not refused');
    expect(control.held.size).toBe(0);
    const { Disks } = await call('DescribeDisks', {});
    expect(Disks).toMatchObject([{ Size: 1, Status: 'Available', InstanceId: '' }]);
    expect(await remove()).toBe('InvalidInstanceId.NotFound');
    const removed = control.told.filter(({ request }) => request.op === 'removeTree');
    expect(removed.length).toBe(2);
    expect(control.context.metadata.check()).toEqual([]);
  });
});

describe('an instance', () => {
  it('is renamed and described by its fields', async () => {
    const { call, run, refused } = await world();
    const InstanceId = await run({ Tag: [{ Key: 'a', Value: 'b' }], ZoneId: 'cn-hangzhou-c' });
    await run();
    const names = { InstanceName: 'nn', Description: 'dd', HostName: 'h' };
    await call('ModifyInstanceAttribute', { InstanceId, ...names });
    const one = async (by: object) =>
      (await call('DescribeInstances', by)).Instances.map((each) => each.InstanceId);
    for (const by of [
      { InstanceName: 'nn' },
      { ZoneId: 'cn-hangzhou-c' },
      { Tag: [{ Key: 'a' }] },
    ]) {
      expect(await one(by)).toEqual([InstanceId]);
    }
    expect((await one({ Status: 'Running', InstanceType: 'ecs.g7.large' })).length).toBe(2);
    expect((await one({ ImageId: NEW_INSTANCE.ImageId })).length).toBe(2);
    expect(await one({ Status: 'Stopped' })).toEqual([]);
    expect(await one({ InstanceIds: ['i-1', InstanceId] })).toEqual([InstanceId]);
    const first = await call('DescribeInstances', { MaxResults: 1 });
    const second = await call('DescribeInstances', { MaxResults: 1, NextToken: first.NextToken });
    expect([...first.Instances, ...second.Instances].length).toBe(2);
    expect(second.NextToken).toBe('');
    expect(await refused('DescribeInstances', { Status: 'Broken' })).toBe('InvalidParameter');
  });

  it('has its system disk replaced while it is stopped', async () => {
    const { control, call, refused, run, disksOf } = await world();
    const InstanceId = await run({ SystemDisk: { Category: 'cloud_essd' } });
    const former = String((await disksOf(InstanceId))[0]?.DiskId);
    const { ImageId } = NEW_INSTANCE;
    const replace = (more: object = {}) =>
      refused('ReplaceSystemDisk', { InstanceId, ImageId, ...more });
    expect(await replace()).toBe('IncorrectInstanceStatus');
    await call('StopInstance', { InstanceId });
    expect(await replace({ ImageId: 'm-1' })).toBe('InvalidImageId.NotFound');
    expect(await replace({ SystemDisk: { Size: 1 } })).toBe('InvalidDiskSize.TooSmall');
    const { DiskId } = await call('ReplaceSystemDisk', {
      InstanceId,
      ImageId,
      SystemDisk: { Size: 25 },
      Encrypted: 'true',
      EncryptAlgorithm: 'aes-256',
    });
    const disks = await disksOf(InstanceId);
    expect(disks).toMatchObject([{ DiskId, Size: 25, Encrypted: true, Category: 'cloud_essd' }]);
    expect(control.context.metadata.getDisk(former)).toBeUndefined();
    await call('DetachDisk', { DiskId, InstanceId });
    expect(await replace()).toBe('not refused');
  });

  it('that ran when the process ended is stopped, and its disks stay its own', async () => {
    const { control, call, run, statusOf, disksOf } = await world();
    const InstanceId = await run({ SystemDisk: { Encrypted: true } });
    control.held.clear();
    await reconcile(control.context);
    expect(await statusOf(InstanceId)).toBe('Stopped');
    expect(await disksOf(InstanceId)).toMatchObject([{ Status: 'In_use', InstanceId }]);
    await call('StartInstance', { InstanceId });
    expect(control.held.size).toBe(1);
  });

  it.each(FAMILIES_WITHOUT_ENCRYPTION)('of %s runs with plain disks alone', async (family) => {
    const { refused } = await world();
    const InstanceType = `${family}.large`;
    const run = (SystemDisk: object) =>
      refused('RunInstances', { ...NEW_INSTANCE, InstanceType, SystemDisk });
    expect(await run({})).toBe('not refused');
    expect(await run({ Encrypted: true })).toBe('InvalidOperation.InstanceTypeNotSupport');
  });
});
