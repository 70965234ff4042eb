/** A shard and the threads it has one after the other, which here are objects. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { THREAD_LOSSES_MAX } from '../../../src/limits.ts';
import { allocateShardChannel, ShardChannel } from '../../../src/record/shard-channel.ts';
import type { ShardRequest } from '../../../src/record/shard-message.ts';
import { ShardDispatch } from '../../../src/router/dispatch.ts';
import { RegisteredBuffers } from '../../../src/router/registered-buffers.ts';
import { ShardLane } from '../../../src/router/shard-lane.ts';
import type { ShardThread } from '../../../src/threads/shard-thread.ts';

const LOST = new PlaneError('ShardLost', 'the thread crashed');

class FakeThread {
  readonly channel = new ShardChannel(allocateShardChannel());
  readonly calls: ShardRequest[] = [];
  gone: Promise<void> = Promise.resolve();
  isClosed = false;
  connected = 0;
  onLost: (error: PlaneError) => void = () => undefined;

  async call(request: ShardRequest): Promise<unknown> {
    this.calls.push(request);
    return 'answered';
  }

  async connectKms(): Promise<void> {
    this.connected++;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

interface LaneWish {
  readonly isVolatile?: boolean;
  readonly failStarts?: number;
  readonly startFailure?: PlaneError;
  readonly lossesMax?: number;
}

const UNREADABLE = new PlaneError('ReadFailed', 'the disk does not answer');

function laneOf(options: LaneWish = {}) {
  const threads = [new FakeThread()];
  const log: string[] = [];
  let failures = options.failStarts ?? 0;
  const first = threads[0]!;
  const buffers = new RegisteredBuffers(async () => undefined);
  const dispatch = new ShardDispatch(first.channel, buffers, () => undefined);
  const lane = new ShardLane({
    shardIndex: 3,
    thread: first as unknown as ShardThread,
    restart: async () => {
      if (failures-- > 0) throw options.startFailure ?? UNREADABLE;
      const thread = new FakeThread();
      threads.push(thread);
      return thread as unknown as ShardThread;
    },
    dispatch,
    isVolatile: options.isVolatile ?? false,
    lossesMax: options.lossesMax,
    onLost: () => log.push('lost'),
    onReplaced: () => log.push('replaced'),
    onDown: ({ code }) => log.push(`down ${code}`),
  });
  return { lane, threads, log, dispatch, lose: () => threads.at(-1)!.onLost(LOST) };
}

const STATS: ShardRequest = { op: 'stats' };

describe('a shard', () => {
  it('is served by another thread when the former is gone, and so is what waits', async () => {
    const { lane, threads, log, lose } = laneOf();
    let leave = (): void => undefined;
    threads[0]!.gone = new Promise((resolve) => {
      leave = resolve;
    });
    lose();
    const waiting = lane.call(STATS);
    const connecting = lane.connectKms();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect({ log, threads: threads.length }).toEqual({ log: ['lost'], threads: 1 });
    leave();
    expect(await waiting).toBe('answered');
    await connecting;
    expect(log).toEqual(['lost', 'replaced']);
    expect(threads[1]).toMatchObject({ calls: [STATS], connected: 1 });
    expect(lane.losses).toBe(1);
    await lane.close();
    expect(threads[1]!.isClosed).toBe(true);
  });

  it('tries again where the new thread cannot start', async () => {
    const { lane, log, lose } = laneOf({ failStarts: 2 });
    lose();
    expect(await lane.call(STATS)).toBe('answered');
    expect(log).toEqual(['lost', 'replaced']);
  });

  it('stays down when it was lost too often, and says how often and why', async () => {
    const { lane, log, lose } = laneOf({ failStarts: THREAD_LOSSES_MAX });
    lose();
    const call = lane.call(STATS);
    await expect(call).rejects.toThrow(
      /^ShardLost: shard 3 was lost 5 times within 60 s .*: the disk does not answer$/,
    );
    expect(log).toEqual(['lost', 'down ShardLost']);
    await lane.connectKms();
    await lane.close();
  });

  it('stays down where its store had refused writes for good', async () => {
    const { lane, log, dispatch, lose } = laneOf();
    const failure = new PlaneError('StoreFailed', 'fdatasync failed');
    dispatch.onStoreFailed(failure);
    dispatch.onStoreFailed(new PlaneError('StoreFailed', 'later'));
    lose();
    await expect(lane.call(STATS)).rejects.toBe(failure);
    expect(log).toEqual(['lost', 'down StoreFailed']);
  });

  it('stays down where its store had failed before anybody was told', async () => {
    const { lane, threads, log, lose } = laneOf();
    threads[0]!.channel.markStoreFailed();
    lose();
    await expect(lane.call(STATS)).rejects.toThrow(/^StoreFailed: the store of shard 3 had failed/);
    expect(log).toEqual(['lost', 'down StoreFailed']);
  });

  it('stays down where its store refused writes for good while it was opened again', async () => {
    const startFailure = new PlaneError('StoreFailed', 'fdatasync of a segment failed');
    const { lane, threads, log, lose } = laneOf({ failStarts: 1, startFailure });
    lose();
    await expect(lane.call(STATS)).rejects.toBe(startFailure);
    expect({ log, threads: threads.length }).toEqual({
      log: ['lost', 'down StoreFailed'],
      threads: 1,
    });
  });

  it('is not started again while it is being closed', async () => {
    const { lane, threads, log, lose } = laneOf();
    const closing = lane.close();
    lose();
    await expect(lane.call(STATS)).rejects.toMatchObject({ code: 'ShardLost' });
    await closing;
    expect({ log, threads: threads.length }).toEqual({
      log: ['lost', 'down ShardLost'],
      threads: 1,
    });
  });

  it('in memory does not make again what was lost', async () => {
    const { lane, threads, lose } = laneOf({ isVolatile: true });
    const share = { op: 'shareTree', source: 'd-1', target: 's-1' } as const;
    await lane.call(share);
    lose();
    await expect(lane.call(share)).rejects.toMatchObject({ code: 'DataLost' });
    expect(threads[1]!.calls).toEqual([]);
    expect(await lane.call({ ...share, source: 'd-2' })).toBe('answered');
  });

  it('lets an error that is a bug through', async () => {
    const { lane, threads, lose } = laneOf();
    threads[0]!.gone = Promise.reject(new Error('a bug'));
    const unhandled = new Promise((resolve) => process.once('unhandledRejection', resolve));
    lose();
    expect(await unhandled).toMatchObject({ message: 'a bug' });
    expect(lane.losses).toBe(1);
  });
});
