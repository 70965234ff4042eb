/** Locked snapshots, over the real metadata and a clock that a test moves. */
import { describe, expect, it } from 'vitest';
import { callVerb } from '../../../../src/control/call.ts';
import { RetentionSweeps } from '../../../../src/control/snapshots/retention.ts';
import { type TestControl, testControl } from '../../../support/control-context.ts';
import { type Caller, codeOf } from '../../../support/control-world.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

async function lockWorld() {
  let time = Date.UTC(2026, 0, 31, 12);
  const control: TestControl = await testControl({ now: () => time, monotonic: () => time });
  const { context } = control;
  const call: Caller = (verb, parameters) => callVerb(context, context.principal, verb, parameters);
  const { DiskId } = await call('CreateDisk', { Size: 20, Encrypted: true });
  const { SnapshotId } = await call('CreateSnapshot', { DiskId, RetentionDays: 1 });
  const lock = async (LockDuration: number, CoolOffPeriod = 0) => {
    const terms = { LockMode: 'compliance', LockDuration, CoolOffPeriod } as const;
    return (await call('LockSnapshot', { SnapshotId, ...terms })).LockedSnapshotInfo;
  };
  const statusIn = async (LockStatus: 'compliance-cooloff' | 'compliance' | 'expired') =>
    (await call('DescribeLockedSnapshots', { LockStatus })).LockedSnapshotsInfo.map(
      (each) => each.SnapshotId,
    );
  const wait = (milliseconds: number): void => {
    time += milliseconds;
  };
  return { control, call, DiskId, SnapshotId, lock, statusIn, wait };
}

describe('a locked snapshot', () => {
  it('says what its lock is, and what has become of it', async () => {
    const { call, SnapshotId, lock, statusIn, wait } = await lockWorld();
    const told = await lock(2, 3);
    expect(told).toEqual({
      SnapshotId,
      LockMode: 'compliance',
      LockStatus: 'compliance-cooloff',
      LockDuration: 2,
      CoolOffPeriod: 3,
      LockCreationTime: '2026-01-31T12:00:00Z',
      LockDurationStartTime: '2026-01-31T12:00:00Z',
      CoolOffPeriodExpiredTime: '2026-01-31T15:00:00Z',
      LockExpiredTime: '2026-02-02T12:00:00Z',
    });
    expect((await call('DescribeLockedSnapshots', {})).LockedSnapshotsInfo).toEqual([told]);
    const other = { SnapshotIds: ['s-00000000000000000000'] };
    expect((await call('DescribeLockedSnapshots', other)).LockedSnapshotsInfo).toEqual([]);
    wait(3 * HOUR - 1);
    expect(await statusIn('compliance-cooloff')).toEqual([SnapshotId]);
    wait(1);
    expect(await statusIn('compliance')).toEqual([SnapshotId]);
    expect(await statusIn('compliance-cooloff')).toEqual([]);
    wait(2 * DAY - 3 * HOUR);
    expect(await statusIn('expired')).toEqual([SnapshotId]);
  });

  it('is deleted by nobody until its lock has expired, by force or by its retention', async () => {
    const { control, call, SnapshotId, lock, wait } = await lockWorld();
    await lock(2, 3);
    const sweeps = new RetentionSweeps(control.context);
    const remove = (): Promise<unknown> => call('DeleteSnapshot', { SnapshotId, Force: true });
    expect(await codeOf(remove())).toBe('OperationDenied');
    wait(2 * DAY - 1);
    await sweeps.sweep();
    expect(await codeOf(remove())).toBe('OperationDenied');
    expect(control.context.metadata.getSnapshot(SnapshotId)).toBeDefined();
    wait(1);
    await sweeps.sweep();
    expect(control.context.metadata.getSnapshot(SnapshotId)).toBeUndefined();
  });

  it('is not made unreadable: its data key is not erased', async () => {
    const { control, call, DiskId, SnapshotId, lock, wait } = await lockWorld();
    await lock(1);
    const erase = (): Promise<unknown> => call('EraseDataKey', { DiskId, Force: true });
    expect(await codeOf(erase())).toBe('OperationDenied');
    const { encryption } = control.context.metadata.getSnapshot(SnapshotId)!;
    expect(encryption?.wrappedKey.length).toBeGreaterThan(0);
    wait(DAY);
    expect(await erase()).toMatchObject({ ErasedResources: 2 });
  });

  it('is unlocked, or locked for less time, in its cool-off period and not after', async () => {
    const { call, SnapshotId, lock, wait } = await lockWorld();
    const unlock = (): Promise<unknown> => call('UnlockSnapshot', { SnapshotId });
    expect(await codeOf(unlock())).toBe('OperationDenied');
    await lock(9, 5);
    expect(await lock(3, 1)).toMatchObject({ LockDuration: 3, CoolOffPeriod: 1 });
    await unlock();
    expect((await call('DescribeLockedSnapshots', {})).LockedSnapshotsInfo).toEqual([]);
    await lock(3, 1);
    wait(HOUR);
    expect(await codeOf(unlock())).toBe('OperationDenied');
    expect(await codeOf(lock(2))).toBe('OperationDenied');
    expect(await codeOf(lock(9, 1))).toBe('OperationDenied');
    expect(await lock(9)).toMatchObject({
      LockStatus: 'compliance',
      LockDuration: 9,
      LockCreationTime: '2026-01-31T12:00:00Z',
      LockExpiredTime: '2026-02-09T12:00:00Z',
    });
  });

  it('is locked anew when its lock has expired, and in a dry run not at all', async () => {
    const { call, SnapshotId, lock, wait } = await lockWorld();
    await lock(1);
    wait(2 * DAY);
    expect(await codeOf(call('UnlockSnapshot', { SnapshotId }))).toBe('OperationDenied');
    const terms = { LockMode: 'compliance', LockDuration: 1, CoolOffPeriod: 0 } as const;
    const dry = call('LockSnapshot', { SnapshotId, ...terms, DryRun: true });
    expect(await codeOf(dry)).toBe('DryRunOperation');
    const [before] = (await call('DescribeLockedSnapshots', {})).LockedSnapshotsInfo;
    expect(before?.LockStatus).toBe('expired');
    expect(await lock(1)).toMatchObject({
      LockStatus: 'compliance',
      LockCreationTime: '2026-02-02T12:00:00Z',
    });
  });

  it.each([
    { LockDuration: 0 },
    { LockDuration: 36_501 },
    { CoolOffPeriod: 73 },
    { CoolOffPeriod: -1 },
    { LockMode: 'governance' },
  ])('is not locked with %j', async (wrong) => {
    const { call, SnapshotId } = await lockWorld();
    const terms = { LockMode: 'compliance', LockDuration: 1, CoolOffPeriod: 0, ...wrong };
    const locking = call('LockSnapshot', { SnapshotId, ...terms } as never);
    expect(await codeOf(locking)).toBe('InvalidParameter');
  });
});
