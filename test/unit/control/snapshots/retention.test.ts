/** Snapshots whose days have passed, over the real metadata and a clock that a test moves. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { callVerb } from '../../../../src/control/call.ts';
import { RetentionSweeps } from '../../../../src/control/snapshots/retention.ts';
import { RETENTION_PAGE_SNAPSHOTS, RETENTION_SWEEP_MS } from '../../../../src/limits.ts';
import { type TestControl, testControl } from '../../../support/control-context.ts';
import { type Caller, RECIPIENT } from '../../../support/control-world.ts';

const DAY = 24 * 60 * 60 * 1000;

async function retentionWorld() {
  let time = Date.UTC(2026, 0, 31, 12, 30);
  const control: TestControl = await testControl({ now: () => time, monotonic: () => time });
  const { context } = control;
  const call: Caller = (verb, parameters) => callVerb(context, context.principal, verb, parameters);
  const { DiskId } = await call('CreateDisk', { Size: 20 });
  const kept = async (RetentionDays?: number): Promise<string> => {
    const days = RetentionDays === undefined ? {} : { RetentionDays };
    return (await call('CreateSnapshot', { DiskId, ...days })).SnapshotId;
  };
  const there = async (): Promise<string[]> =>
    (await call('DescribeSnapshots', { PageSize: 100 })).Snapshots.map((each) => each.SnapshotId);
  /** Outcomes of the deletions nobody asked for, by snapshot. */
  const told = (): string[][] =>
    context.metadata
      .listDocuments('audit', null, 0, 1000)
      .records.filter(({ reason }) => reason === 'RetentionDays')
      .map(({ resourceIds, outcome, action, principal }) => [
        String(resourceIds[0]),
        outcome,
        action,
        principal,
      ]);
  return {
    control,
    call,
    DiskId,
    kept,
    there,
    told,
    sweeps: new RetentionSweeps(context),
    wait: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a snapshot with RetentionDays', () => {
  it('is deleted when its days have passed, not a millisecond earlier, trees and all', async () => {
    const { control, kept, there, told, sweeps, wait } = await retentionWorld();
    const [one, two, forGood] = [await kept(1), await kept(2), await kept()];
    await sweeps.sweep();
    wait(DAY - 1);
    await sweeps.sweep();
    expect((await there()).sort()).toEqual([one, two, forGood].sort());
    wait(1);
    await sweeps.sweep();
    expect((await there()).sort()).toEqual([two, forGood].sort());
    wait(1000 * DAY);
    await sweeps.sweep();
    expect(await there()).toEqual([forGood]);
    expect(told()).toEqual([
      [one, 'OK', 'DeleteSnapshot', 'root'],
      [two, 'OK', 'DeleteSnapshot', 'root'],
    ]);
    const removed = control.told.flatMap(({ request }) =>
      request.op === 'removeTree' ? [request.name] : [],
    );
    expect(removed).toEqual([one, two]);
    expect(control.context.metadata.check()).toEqual([]);
  });

  it('is kept as long as ModifySnapshotAttribute says, counted from when it was made', async () => {
    const { call, kept, there, sweeps, wait } = await retentionWorld();
    const SnapshotId = await kept(1);
    await call('ModifySnapshotAttribute', { SnapshotId, RetentionDays: 3 });
    wait(2 * DAY);
    await sweeps.sweep();
    expect(await there()).toEqual([SnapshotId]);
    wait(DAY);
    await sweeps.sweep();
    expect(await there()).toEqual([]);
  });

  it('stays while DeleteSnapshot refuses, is told of once for each reason, then goes', async () => {
    const { call, kept, there, told, sweeps, wait } = await retentionWorld();
    const [imaged, shared, used, free] = [
      await kept(1),
      await kept(1),
      await kept(1),
      await kept(1),
    ];
    const { ImageId } = await call('CreateImage', { SnapshotId: imaged });
    await call('ShareSnapshot', { SnapshotId: shared, AccountId: RECIPIENT });
    const { DiskId: made } = await call('CreateDisk', { SnapshotId: used });
    wait(DAY);
    await sweeps.sweep();
    await sweeps.sweep();
    expect(await there()).not.toContain(free);
    const refusals = told().filter(([, outcome]) => outcome !== 'OK');
    expect(refusals.map(([id, outcome]) => [id, outcome]).sort()).toEqual(
      [
        [imaged, 'SnapshotCreatedImage'],
        [shared, 'InvalidSnapshotId.InUse'],
        [used, 'SnapshotCreatedDisk'],
      ].sort(),
    );
    // Another reason is told of again.
    await call('DeleteImage', { ImageId });
    await call('CreateDisk', { SnapshotId: imaged });
    await sweeps.sweep();
    expect(
      told()
        .filter(([id]) => id === imaged)
        .map(([, outcome]) => outcome),
    ).toEqual(['SnapshotCreatedImage', 'SnapshotCreatedDisk']);
    await call('DeleteDisk', { DiskId: made });
    await sweeps.sweep();
    expect((await there()).sort()).toEqual([imaged, shared].sort());
  });

  it('is found behind more that is due and stays than one page holds', async () => {
    const { call, DiskId, kept, there, sweeps, wait, control } = await retentionWorld();
    const first = await kept(1);
    const { metadata } = control.context;
    const record = metadata.getSnapshot(first)!;
    const stuck = Array.from({ length: RETENTION_PAGE_SNAPSHOTS + 5 }, (_, index) => {
      const snapshotId = `s-${String(index).padStart(20, '0')}`;
      const layers = [{ tree: snapshotId, encryption: null }];
      return { ...record, snapshotId, layers };
    });
    const image = await call('CreateImage', { SnapshotId: first });
    const found = metadata.getDocument('image', image.ImageId)!;
    const device = found.devices[0]!;
    const devices = stuck.map(({ snapshotId }) => ({ ...device, snapshotId }));
    await metadata.commit({ putSnapshots: stuck });
    await metadata.commit({
      putDocuments: [{ kind: 'image', record: { ...found, devices } }],
    });
    wait(DAY);
    await sweeps.sweep();
    expect(await there()).not.toContain(first);
    expect(metadata.listSnapshots({ diskId: DiskId }, 0, 1000).total).toBe(stuck.length);
  });

  it('is looked for when it starts, then every minute, until it is closed', async () => {
    const { kept, there, sweeps, wait } = await retentionWorld();
    const [one, two] = [await kept(1), await kept(2)];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    wait(DAY);
    sweeps.start();
    const until = async (ids: readonly string[]): Promise<void> => {
      for (let turn = 0; turn < 500 && (await there()).length !== ids.length; turn++) {
        await new Promise(setImmediate);
      }
      expect(await there()).toEqual(ids);
    };
    await until([two]);
    wait(DAY);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(await there()).toEqual([two]);
    await vi.advanceTimersByTimeAsync(RETENTION_SWEEP_MS);
    await until([]);
    await sweeps.close();
    await sweeps.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(one).not.toBe(two);
  });

  it('waits for the next look when the metadata cannot be read', async () => {
    const { control, kept, there, sweeps, wait } = await retentionWorld();
    await kept(1);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    wait(DAY);
    const { metadata } = control.context;
    const { PlaneError } = await import('../../../../src/base/errors.ts');
    const broken = vi.spyOn(metadata, 'snapshotsDue').mockImplementation(() => {
      throw new PlaneError('DataDirectoryCorrupt', 'the test says so');
    });
    sweeps.start();
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    broken.mockRestore();
    expect(await there()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(RETENTION_SWEEP_MS);
    for (let turn = 0; turn < 500 && (await there()).length > 0; turn++) {
      await new Promise(setImmediate);
    }
    expect(await there()).toEqual([]);
    await sweeps.close();
  });
});
