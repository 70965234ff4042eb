/** Tasks over the real metadata, with volumes that do what a test says. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type ErrorCode, PlaneError } from '../../../src/base/errors.ts';
import { TaskRunner } from '../../../src/control/jobs/task-runner.ts';
import { TASK_RETRY_MS } from '../../../src/limits.ts';
import type { TaskRecord } from '../../../src/record/document.ts';
import { makeDiskId, makeSnapshotId } from '../../../src/record/ids.ts';
import type { DiskRecord, LayerRecord, SnapshotRecord } from '../../../src/record/resource.ts';
import type { ReencryptProgress } from '../../../src/record/shard-message.ts';
import { type TestControl, testControl } from '../../support/control-context.ts';
import { disk as diskRecord } from '../meta/fixtures.ts';

type StepOutcome = ReencryptProgress | ErrorCode;
const done: ReencryptProgress = { movedSectors: 5, remainingSectors: 0, isDone: true };
const some: ReencryptProgress = { movedSectors: 5, remainingSectors: 20, isDone: false };

describe('a task', () => {
  let control: TestControl;
  let runner: TaskRunner;
  /** What steps answer next; the last one is repeated. An error code refuses. */
  let outcomes: StepOutcome[];
  let openRefusals: ErrorCode[];
  /** What was done to volumes, in order. */
  let seen: string[];

  const makeRunner = (): TaskRunner =>
    new TaskRunner({
      ...control.context,
      exportFiles: null,
      taskVolumes: {
        openReader: () => Promise.reject(new Error('nothing is exported here')),
        openReencryption: async ({ layers }) => {
          const refusal = openRefusals.shift();
          if (refusal !== undefined) throw new PlaneError(refusal, 'the test says so');
          seen.push(`open ${layers.length}`);
          return {
            step: async () => {
              await new Promise(setImmediate);
              const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
              if (typeof outcome === 'string') throw new PlaneError(outcome, 'the test says so');
              return outcome;
            },
            isShardBusy: () => false,
            close: async () => void seen.push('close'),
          };
        },
        dropLowerLayers: async () => {
          seen.push('drop');
        },
      },
    });

  beforeEach(async () => {
    control = await testControl();
    outcomes = [some, done];
    openRefusals = [];
    seen = [];
    runner = makeRunner();
  });

  const layer = (tree: string): LayerRecord => ({
    tree,
    encryption: {
      keyId: 'key-aaaaaaaaaaaaaaaaaaaa',
      wrappedKey: new Uint8Array([1]),
      accountId: control.context.accountId,
      regionId: control.context.regionId,
      lineageId: 'd-aaaaaaaaaaaaaaaaaaaa',
    },
  });

  const layers = (id: string) => {
    const both = [layer(id), layer(`${id}.1`)];
    return { layers: both, encryption: both[0]!.encryption, sizeBytes: 2 ** 30, shardIndex: 1 };
  };

  async function addDisk(): Promise<string> {
    const { context } = control;
    const diskId = makeDiskId(context.randomBytes);
    const { accountId, regionId } = context;
    const disk: DiskRecord = diskRecord(diskId, { accountId, regionId, ...layers(diskId) });
    await context.metadata.commit({ putDisks: [disk] });
    return diskId;
  }

  async function addCopy(): Promise<string> {
    const { context } = control;
    const { accountId, regionId, randomBytes, metadata } = context;
    const sourceDiskId = await addDisk();
    const snapshotId = makeSnapshotId(randomBytes);
    const snapshot: SnapshotRecord = {
      snapshotId,
      accountId,
      regionId,
      name: '',
      description: '',
      tags: {},
      sourceDiskId,
      sourceDiskType: 'data',
      sourceSnapshotId: null,
      sourceRegionId: null,
      status: 'progressing',
      retentionDays: 0,
      createdAt: 1,
      ...layers(snapshotId),
    };
    await metadata.commit({ putSnapshots: [snapshot] });
    return snapshotId;
  }

  const task = (taskId: string | null): TaskRecord =>
    control.context.metadata.getDocument('task', taskId ?? '')!;

  const removedTrees = (): unknown[] =>
    control.told.flatMap(({ request }) => (request.op === 'removeTree' ? [request.name] : []));

  const until = (taskId: string | null, state: string): Promise<void> =>
    vi.waitFor(() => expect(task(taskId).state).toBe(state));

  /** The uses of keys the audit log tells of: why, how it ended, for which resource. */
  const keyUses = (): unknown[] =>
    control.context.metadata
      .listDocuments('audit', null, 0, 100)
      .records.filter(({ action }) => action === 'UnwrapDataKey')
      .map(({ reason, outcome, resourceIds }) => [reason, outcome, resourceIds[0]]);

  it('a key that is refused is told of in the audit log, and the task pauses', async () => {
    const diskId = await addDisk();
    openRefusals = ['Rejected.Disabled'];
    const taskId = await runner.reencrypt(diskId);
    await until(taskId, 'paused');
    await runner.close();
    expect(keyUses()).toEqual([['Reencrypt', 'Rejected.Disabled', diskId]]);
  });

  it('ends with one layer: volumes first, then the record, then the trees', async () => {
    const diskId = await addDisk();
    const taskId = await runner.reencrypt(diskId);
    await until(taskId, 'finished');
    await runner.close();
    expect(seen).toEqual(['open 2', 'close', 'drop']);
    expect(keyUses()).toEqual([['Reencrypt', 'OK', diskId]]);
    const disk = control.context.metadata.getDisk(diskId)!;
    expect(disk.layers.map(({ tree }) => tree)).toEqual([diskId]);
    expect(removedTrees()).toEqual([`${diskId}.1`]);
    expect(task(taskId)).toMatchObject({ doneSectors: 10, totalSectors: 10, code: '' });
    expect(await runner.reencrypt(diskId)).toBeNull();
  });

  it('makes a copy accomplished when all of it is under its own key', async () => {
    const snapshotId = await addCopy();
    const taskId = await runner.reencrypt(snapshotId);
    await until(taskId, 'finished');
    await runner.close();
    const snapshot = control.context.metadata.getSnapshot(snapshotId)!;
    expect(snapshot).toMatchObject({ status: 'accomplished' });
    expect(snapshot.layers).toHaveLength(1);
    // Whoever reads the copy meanwhile drops the lower layers too.
    expect(seen).toEqual(['open 2', 'close', 'drop']);
  });

  it('takes a copy that is not finished with it when it is cancelled', async () => {
    outcomes = [some];
    const snapshotId = await addCopy();
    const taskId = (await runner.reencrypt(snapshotId))!;
    await runner.cancel(taskId);
    expect(task(taskId)).toMatchObject({ state: 'cancelled', code: '' });
    expect(control.context.metadata.getSnapshot(snapshotId)).toBeUndefined();
    expect(removedTrees()).toEqual([snapshotId, `${snapshotId}.1`]);
  });

  it('is one for a resource, and none for one that has one layer or is not there', async () => {
    outcomes = [some];
    const diskId = await addDisk();
    const taskId = await runner.reencrypt(diskId);
    expect(await runner.reencrypt(diskId)).toBe(taskId);
    expect(runner.liveTaskIdOf(diskId)).toBe(taskId);
    expect(await runner.reencrypt(makeDiskId(control.context.randomBytes))).toBeNull();
    await runner.close();
  });

  it.each(['ChecksumMismatch', 'WrappedKeyInvalid', 'Forbidden.KeyNotFound'] as const)(
    'that meets %s has failed, and the resource is as it was',
    async (code) => {
      outcomes = [some, code];
      const diskId = await addDisk();
      const taskId = await runner.reencrypt(diskId);
      await until(taskId, 'failed');
      expect(task(taskId)).toMatchObject({ code, finishedAt: expect.any(Number) });
      expect(control.context.metadata.getDisk(diskId)!.layers).toHaveLength(2);
      expect(seen).toEqual(['open 2', 'close']);
      await expect(runner.resume(taskId!)).rejects.toMatchObject({ code: 'IncorrectTaskStatus' });
    },
  );

  it('that is refused waits with the code, tries again by itself, and when told to', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      openRefusals = ['Rejected.Disabled', 'Rejected.Disabled', 'KmsUnavailable'];
      const taskId = await runner.reencrypt(await addDisk());
      const settle = async (code: string): Promise<void> => {
        for (let turn = 0; turn < 200 && task(taskId).code !== code; turn++) {
          await new Promise(setImmediate);
        }
        expect(task(taskId)).toMatchObject({ state: 'paused', code });
      };
      await settle('Rejected.Disabled');
      await vi.advanceTimersByTimeAsync(TASK_RETRY_MS);
      await settle('Rejected.Disabled');
      expect(openRefusals).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(2 * TASK_RETRY_MS);
      await settle('KmsUnavailable');
      await runner.resume(taskId!);
      for (let turn = 0; turn < 200 && task(taskId).state !== 'finished'; turn++) {
        await new Promise(setImmediate);
      }
      expect(task(taskId)).toMatchObject({ state: 'finished', code: '' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('begins again with the layers there are when another verb has changed them', async () => {
    outcomes = [some, 'DiskClosed', done];
    const diskId = await addDisk();
    const { metadata } = control.context;
    const disk = metadata.getDisk(diskId)!;
    const taskId = await runner.reencrypt(diskId);
    const replaced = [layer(`${diskId}.7`), layer(`${diskId}.8`), layer(`${diskId}.9`)];
    await metadata.commit({ putDisks: [{ ...disk, layers: replaced }] });
    await until(taskId, 'finished');
    await runner.close();
    expect(metadata.getDisk(diskId)!.layers).toEqual([replaced[0]]);
    expect(removedTrees()).toContain(diskId);
  });

  it('goes on when a plane is opened again; one that a caller has paused rests', async () => {
    outcomes = [some];
    const [first, second] = [await addDisk(), await addDisk()];
    const running = await runner.reencrypt(first);
    const paused = await runner.reencrypt(second);
    await runner.pause(paused!);
    await vi.waitFor(() => expect(task(running).doneSectors).toBeGreaterThan(0));
    await runner.close();
    const before = task(running).doneSectors;
    outcomes = [done];
    const again = makeRunner();
    await again.start();
    await until(running, 'finished');
    expect(task(running).doneSectors).toBe(before + 5);
    expect(task(paused)).toMatchObject({ state: 'paused', code: '' });
    await again.resume(paused!, 1 << 30);
    await until(paused, 'finished');
    expect(task(paused).bytesPerSecond).toBe(1 << 30);
    await again.close();
  });

  it('that rests is over when a plane is opened again without its disk', async () => {
    outcomes = [some];
    const diskId = await addDisk();
    const taskId = await runner.reencrypt(diskId);
    await runner.pause(taskId!);
    await control.context.metadata.commit({ removeDisks: [diskId] });
    await runner.close();
    const again = makeRunner();
    await again.start();
    await until(taskId, 'cancelled');
    await again.close();
  });

  it('is made when a plane is opened for layers that have none, unless cancelled', async () => {
    outcomes = [some];
    const [orphan, cancelled] = [await addDisk(), await addDisk()];
    const cancelledId = await runner.reencrypt(cancelled);
    await runner.cancel(cancelledId!);
    await runner.close();
    outcomes = [done];
    const again = makeRunner();
    await again.start();
    const taskId = again.liveTaskIdOf(orphan);
    expect(taskId).not.toBeNull();
    await until(taskId, 'finished');
    expect(again.liveTaskIdOf(cancelled)).toBeNull();
    expect(control.context.metadata.getDisk(cancelled)!.layers).toHaveLength(2);
    await again.close();
  });
});
