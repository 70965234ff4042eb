/** Trees between a shard and the records: what a shard that is replaced keeps, and what goes. */
import { describe, expect, it, vi } from 'vitest';
import { type ErrorCode, PlaneError } from '../../../src/base/errors.ts';
import { callVerb } from '../../../src/control/call.ts';
import type { ControlContext } from '../../../src/control/context.ts';
import type { ShardRequest } from '../../../src/record/shard-message.ts';
import { testControl } from '../../support/control-context.ts';

type Answer = (request: ShardRequest) => Promise<unknown>;

/** A control plane with one disk, on shard 0, whose shards answer as told. */
async function withDisk() {
  const { context, told } = await testControl();
  const { principal } = context;
  const { DiskId } = await callVerb(context, principal, 'CreateDisk', { Size: 1 });
  const answering = (answer: Answer): ControlContext => ({
    ...context,
    shards: { count: 2, call: (_, request) => answer(request) },
  });
  const snapshot = (with_: ControlContext = context): Promise<{ SnapshotId: string }> =>
    callVerb(with_, principal, 'CreateSnapshot', { DiskId });
  const toKeep = (): string[] => context.unnamedTrees.namesToKeep(context.metadata, 0);
  return { context, told, DiskId, answering, snapshot, toKeep };
}

const refusing =
  (op: ShardRequest['op'], code: ErrorCode): Answer =>
  async (request) => {
    if (request.op === op) throw new PlaneError(code, 'the test says so');
    return null;
  };

describe('a shard that is replaced', () => {
  it('keeps the tree of a snapshot whose record is being committed', async () => {
    const { context, DiskId, answering, snapshot, toKeep } = await withDisk();
    const seen: string[][] = [];
    const made: string[] = [];
    const { metadata } = context;
    const shard = answering(async (request) => {
      if (request.op === 'shareTree') made.push(request.target);
      seen.push(toKeep());
      return null;
    });
    const commit = metadata.commit.bind(metadata);
    vi.spyOn(metadata, 'commit').mockImplementation((change) => {
      seen.push(toKeep());
      return commit(change);
    });
    const { SnapshotId } = await snapshot(shard);
    expect(made).toEqual([SnapshotId]);
    // When it is shared, when it is committed: not named yet, and kept.
    expect(seen.slice(0, 2)).toEqual([
      [DiskId, SnapshotId],
      [DiskId, SnapshotId],
    ]);
    expect(toKeep().sort()).toEqual([DiskId, SnapshotId].sort());
    expect(context.unnamedTrees.namesToKeep(metadata, 1)).toEqual([]);
  });

  it('does not keep a tree whose making was lost with it, or refused', async () => {
    const { context, DiskId, answering, snapshot, toKeep } = await withDisk();
    for (const code of ['ShardLost', 'NoSpace', 'Busy'] as const) {
      const failing = snapshot(answering(refusing('shareTree', code)));
      await expect(failing).rejects.toMatchObject({ code });
      expect(toKeep()).toEqual([DiskId]);
    }
    expect(context.metadata.listSnapshots({}, 0, 10).total).toBe(0);
  });
});

describe('a verb', () => {
  it('that gave up waiting for a tree has it removed', async () => {
    const { answering, snapshot } = await withDisk();
    const asked: string[] = [];
    const late = answering(async (request) => {
      asked.push(request.op);
      if (request.op === 'shareTree') throw new PlaneError('Busy', 'no answer in 30 s');
      return null;
    });
    await expect(snapshot(late)).rejects.toMatchObject({ code: 'Busy' });
    expect(asked).toEqual(['shareTree', 'removeTree']);
  });

  it.each(['ShardLost', 'Busy'] as const)(
    'that is committed is done, though its shard answers a removal %s',
    async (code) => {
      const { context, DiskId, answering, toKeep } = await withDisk();
      const lossy = answering(refusing('removeTree', code));
      await callVerb(lossy, context.principal, 'DeleteDisk', { DiskId });
      expect(context.metadata.getDisk(DiskId)).toBeUndefined();
      expect(toKeep()).toEqual([]);
    },
  );

  it('says so where its store takes no removal', async () => {
    const { context, DiskId, answering } = await withDisk();
    const failing = answering(refusing('removeTree', 'StoreFailed'));
    const deleting = callVerb(failing, context.principal, 'DeleteDisk', { DiskId });
    await expect(deleting).rejects.toMatchObject({ code: 'StoreFailed' });
  });
});
