/** StartInstances and StopInstances: all or none, or each by itself. */
import { describe, expect, it } from 'vitest';
import { NEW_INSTANCE, testCaller } from '../../../support/control-caller.ts';

const NOT_ENABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';
const UNKNOWN = 'i-aaaaaaaaaaaaaaaaaaaa';

/** Three stopped instances; the disk of the second is under a key of the account's own. */
async function batchWorld() {
  const caller = await testCaller();
  const { call, control } = caller;
  const { KeyId } = (await call('CreateKey', {})).KeyMetadata;
  const ids: string[] = [];
  for (const disk of [{}, { Encrypted: true, KMSKeyId: KeyId }, {}]) {
    const SystemDisk = { Category: 'cloud_essd', PerformanceLevel: 'PL0', ...disk };
    ids.push(...(await call('RunInstances', { ...NEW_INSTANCE, SystemDisk })).InstanceIdSets);
  }
  await call('StopInstances', { InstanceId: ids });
  expect(control.held.size).toBe(0);
  const statuses = async () => {
    const { Instances } = await call('DescribeInstances', { InstanceIds: ids });
    return ids.map((id) => Instances.find(({ InstanceId }) => InstanceId === id)?.Status);
  };
  const [first, second, third] = ids as [string, string, string];
  return { ...caller, ids, first, second, third, KeyId, statuses };
}

const success = (InstanceId: string, PreviousStatus: string, CurrentStatus: string) => ({
  InstanceId,
  Code: '200',
  Message: 'success',
  PreviousStatus,
  CurrentStatus,
});

describe('StartInstances and StopInstances', () => {
  it('change all of a batch, and answer for each, in the order asked', async () => {
    const { call, control, ids, statuses } = await batchWorld();
    const started = await call('StartInstances', { InstanceId: [...ids, ids[0]!].reverse() });
    expect(started.InstanceResponses).toEqual(
      [ids[0]!, ids[2]!, ids[1]!].map((id) => success(id, 'Stopped', 'Running')),
    );
    expect(await statuses()).toEqual(['Running', 'Running', 'Running']);
    expect(control.held.size).toBe(3);
    const stopped = await call('StopInstances', {
      InstanceId: ids,
      BatchOptimization: 'SuccessFirst',
      ForceStop: true,
      StoppedMode: 'KeepCharging',
    });
    expect(stopped.InstanceResponses).toEqual(ids.map((id) => success(id, 'Running', 'Stopped')));
    expect(control.held.size).toBe(0);
  });

  it('AllTogether: one that may not is the refusal of all, and none is touched', async () => {
    const { call, control, refused, ids, first, second, third, KeyId, statuses } =
      await batchWorld();
    await call('DisableKey', { KeyId });
    expect(await refused('StartInstances', { InstanceId: ids })).toBe(NOT_ENABLED);
    const unknown = { InstanceId: [first, UNKNOWN], BatchOptimization: 'AllTogether' };
    expect(await refused('StartInstances', unknown)).toBe('InvalidInstanceId.NotFound');
    expect(await statuses()).toEqual(['Stopped', 'Stopped', 'Stopped']);
    await call('StartInstance', { InstanceId: third });
    expect(await refused('StartInstances', { InstanceId: [first, third] })).toBe(
      'IncorrectInstanceStatus',
    );
    expect(await refused('StopInstances', { InstanceId: [third, second] })).toBe(
      'IncorrectInstanceStatus',
    );
    expect(await statuses()).toEqual(['Stopped', 'Stopped', 'Running']);
    expect(control.held.size).toBe(1);
  });

  it('AllTogether: a volume that cannot be opened closes those of the others again', async () => {
    const { control, refused, ids, statuses } = await batchWorld();
    control.failNext('openVolume');
    expect(await refused('StartInstances', { InstanceId: ids })).toBe('ShardLost');
    expect(control.held.size).toBe(0);
    expect(await statuses()).toEqual(['Stopped', 'Stopped', 'Stopped']);
  });

  it('SuccessFirst: those that may are changed, of the others it says why not', async () => {
    const { call, control, ids, first, second, third, KeyId, statuses } = await batchWorld();
    await call('DisableKey', { KeyId });
    await call('StartInstance', { InstanceId: third });
    const { InstanceResponses } = await call('StartInstances', {
      InstanceId: [...ids, UNKNOWN],
      BatchOptimization: 'SuccessFirst',
    });
    expect(InstanceResponses).toMatchObject([
      success(first, 'Stopped', 'Running'),
      {
        InstanceId: second,
        Code: NOT_ENABLED,
        PreviousStatus: 'Stopped',
        CurrentStatus: 'Stopped',
      },
      { InstanceId: third, Code: 'IncorrectInstanceStatus', CurrentStatus: 'Running' },
      { InstanceId: UNKNOWN, Code: 'InvalidInstanceId.NotFound', CurrentStatus: '' },
    ]);
    expect(InstanceResponses.slice(1).every(({ Message }) => Message !== '')).toBe(true);
    expect(await statuses()).toEqual(['Running', 'Stopped', 'Running']);
    expect(control.held.size).toBe(2);
  });

  it('take dry runs, each in its own word, and change nothing', async () => {
    const { call, refused, ids, first, statuses } = await batchWorld();
    const start = { InstanceId: ids, DryRun: true };
    expect(await refused('StartInstances', start)).toBe('DryRunOperation');
    const one = { ...start, BatchOptimization: 'SuccessFirst' };
    expect(await refused('StartInstances', one)).toBe('DryRunOperation');
    expect(await refused('StopInstances', start)).toBe('IncorrectInstanceStatus');
    await call('StartInstance', { InstanceId: first });
    const stop = { InstanceId: [first], DryRun: true };
    expect(await refused('StopInstances', stop)).toBe('DRYRUN.SUCCESS');
    expect(await statuses()).toEqual(['Running', 'Stopped', 'Stopped']);
  });

  it.each([
    [{}, 'MissingParameter'],
    [{ InstanceId: [] }, 'InvalidParameter'],
    [{ InstanceId: Array.from({ length: 101 }, () => UNKNOWN) }, 'InvalidParameter'],
    [{ InstanceId: UNKNOWN }, 'InvalidParameter'],
    [{ InstanceId: [UNKNOWN], BatchOptimization: 'Slowly' }, 'InvalidParameter'],
  ])('refuse %j with %s', async (parameters, code) => {
    const { refused } = await testCaller();
    expect(await refused('StartInstances', parameters)).toBe(code);
    expect(await refused('StopInstances', parameters)).toBe(code);
  });
});

describe('an instance with a disk whose data key was erased', () => {
  it('is not started, alone or in a batch, nor its disk attached, in a dry run too', async () => {
    const { call, refused, control, ids, second, statuses } = await batchWorld();
    const { Disks } = await call('DescribeDisks', { InstanceId: second });
    const { DiskId } = Disks[0]!;
    await call('DetachDisk', { DiskId, InstanceId: second });
    await call('AttachDisk', { DiskId, InstanceId: second });
    // Erased as it lies there: no verb does it to a disk that is In_use.
    const disk = control.context.metadata.getDisk(DiskId)!;
    const encryption = { ...disk.encryption!, wrappedKey: new Uint8Array(0), erasedAt: 1 };
    const layers = disk.layers.map((layer) => ({ ...layer, encryption }));
    await control.context.metadata.commit({ putDisks: [{ ...disk, encryption, layers }] });
    const one = { InstanceId: second };
    expect(await refused('StartInstance', one)).toBe('DataKeyErased');
    expect(await refused('StartInstance', { ...one, DryRun: true })).toBe('DataKeyErased');
    expect(await refused('StartInstances', { InstanceId: ids })).toBe('DataKeyErased');
    expect(await statuses()).toEqual(['Stopped', 'Stopped', 'Stopped']);
    await call('DetachDisk', { DiskId, InstanceId: second });
    const attach = { DiskId, InstanceId: second };
    expect(await refused('AttachDisk', attach)).toBe('DataKeyErased');
    expect(await refused('AttachDisk', { ...attach, DryRun: true })).toBe('DataKeyErased');
    expect(control.held.size).toBe(0);
    expect(control.context.metadata.getDisk(DiskId)).toMatchObject({ status: 'Available' });
  });

  it('is not rebooted while it runs: its volumes stay open', async () => {
    const { call, refused, control, second, statuses } = await batchWorld();
    await call('StartInstance', { InstanceId: second });
    const { Disks } = await call('DescribeDisks', { InstanceId: second });
    const disk = control.context.metadata.getDisk(Disks[0]!.DiskId)!;
    const encryption = { ...disk.encryption!, wrappedKey: new Uint8Array(0), erasedAt: 1 };
    const layers = disk.layers.map((layer) => ({ ...layer, encryption }));
    await control.context.metadata.commit({ putDisks: [{ ...disk, encryption, layers }] });
    expect(await refused('RebootInstance', { InstanceId: second })).toBe('DataKeyErased');
    expect(await statuses()).toEqual(['Stopped', 'Running', 'Stopped']);
    expect(control.held.size).toBe(1);
  });
});

describe('DeleteInstances', () => {
  it('removes all of a batch with the disks that go with them, or none', async () => {
    const { call, refused, ids, first, second, control } = await batchWorld();
    await call('StartInstance', { InstanceId: second });
    const wanted = { InstanceId: [...ids, first] };
    expect(await refused('DeleteInstances', wanted)).toBe('IncorrectInstanceStatus');
    expect((await call('DescribeInstances', {})).TotalCount).toBe(3);
    const missing = { InstanceId: [first, UNKNOWN] };
    expect(await refused('DeleteInstances', missing)).toBe('InvalidInstanceId.NotFound');
    const tried = { ...wanted, Force: true, DryRun: true };
    expect(await refused('DeleteInstances', tried)).toBe('DryRunOperation');
    await call('ModifyInstanceAttribute', { InstanceId: first, DeletionProtection: true });
    const forced = { ...wanted, Force: true };
    expect(await refused('DeleteInstances', forced)).toBe('InvalidOperation.DeletionProtection');
    await call('ModifyInstanceAttribute', { InstanceId: first, DeletionProtection: false });
    await call('DeleteInstances', forced);
    expect((await call('DescribeInstances', {})).TotalCount).toBe(0);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(0);
    expect(control.held.size).toBe(0);
  });
});

describe('DescribeInstanceStatus', () => {
  it('tells the state of each, of those asked for, of a zone, a page at a time', async () => {
    const { call, ids, second } = await batchWorld();
    await call('StartInstance', { InstanceId: second });
    const all = await call('DescribeInstanceStatus', {});
    expect(all).toMatchObject({ TotalCount: 3, PageNumber: 1, PageSize: 10 });
    const statusOf = (id: string) => (id === second ? 'Running' : 'Stopped');
    const expected = [...ids].sort().map((id) => ({ InstanceId: id, Status: statusOf(id) }));
    expect(all.InstanceStatuses).toEqual(expected);
    const asked = { InstanceId: [second, UNKNOWN] };
    expect((await call('DescribeInstanceStatus', asked)).InstanceStatuses).toEqual([
      { InstanceId: second, Status: 'Running' },
    ]);
    const elsewhere = await call('DescribeInstanceStatus', { ZoneId: 'cn-hangzhou-b' });
    expect(elsewhere.InstanceStatuses).toEqual([]);
    const last = await call('DescribeInstanceStatus', { PageNumber: 2, PageSize: 2 });
    expect(last.InstanceStatuses).toEqual(expected.slice(2));
  });
});
