/** All shards of a plane, over threads that only write down what they are told. */
import { expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { allocateShardChannel, ShardChannel } from '../../../src/record/shard-channel.ts';
import type { ShardRequest } from '../../../src/record/shard-message.ts';
import { ShardSet } from '../../../src/router/shard-set.ts';
import type { VolumeToOpen } from '../../../src/router/volume-to-open.ts';
import type { ShardThread } from '../../../src/threads/shard-thread.ts';

class SilentThread {
  readonly channel = new ShardChannel(allocateShardChannel());
  readonly gone = Promise.resolve();
  readonly told: ShardRequest[] = [];
  onLost: (error: PlaneError) => void = () => {};
  answer: () => void = () => {};
  isAnswering = false;

  call(request: ShardRequest): Promise<unknown> {
    this.told.push(request);
    return new Promise((resolve) => {
      this.answer = () => resolve(null);
      if (this.isAnswering) resolve(null);
    });
  }
}

/** All that can go on has. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const VOLUME: VolumeToOpen = {
  diskId: 'd-1',
  sizeBytes: 2 ** 30,
  shardIndex: 0,
  layers: [{ tree: 'd-1', wrappedKey: null, context: null }],
};

it('a volume whose thread is lost as it answers is opened in the next one', async () => {
  const first = new SilentThread();
  const second = new SilentThread();
  const shards = new ShardSet({
    threads: [first as unknown as ShardThread],
    restart: async () => second as unknown as ShardThread,
    isVolatile: false,
    cores: 1,
    treesToKeep: () => [],
    reopen: (_, open) => open(VOLUME),
  });
  const attaching = shards.attach(VOLUME, async () => {});
  // Its last answer is taken, and it is known to be lost, before anybody hears of either.
  first.answer();
  first.onLost(new PlaneError('ShardLost', 'gone'));
  const disk = await attaching;
  let outcome = 'waiting';
  disk.flush().catch((error: PlaneError) => {
    outcome = error.code;
  });
  await expect.poll(() => second.told.map(({ op }) => op)).toContain('openVolume');
  expect(outcome).toBe('waiting');
  expect(second.channel.submitted).toBe(0);
});

it('a volume whose thread is lost as it answers is opened once in the next one', async () => {
  const threads = [new SilentThread(), new SilentThread()] as const;
  const [first, second] = threads;
  second.isAnswering = true;
  let start: (() => void) | null = null;
  const shards = new ShardSet({
    threads: [first as unknown as ShardThread],
    restart: () =>
      new Promise((resolve) => {
        start = () => resolve(second as unknown as ShardThread);
      }),
    isVolatile: false,
    cores: 1,
    treesToKeep: () => [],
    reopen: (_, open) => open(VOLUME),
  });
  const attaching = shards.attach(VOLUME, async () => {});
  first.answer();
  first.onLost(new PlaneError('ShardLost', 'gone'));
  const disk = await attaching;
  await expect.poll(() => start).not.toBeNull();
  start!();
  // Behind whatever is sent to open it.
  await shards.call(0, { op: 'stats' });
  await turn();
  const opened = second.told.filter(({ op }) => op === 'openVolume');
  expect(opened).toMatchObject([{ op: 'openVolume', handle: disk.handle }]);
});

it('a layer is put on top when the volume is open in the last of several threads', async () => {
  const threads = Array.from({ length: 3 }, () => new SilentThread());
  for (const thread of threads) thread.isAnswering = true;
  const [first, second, third] = threads as [SilentThread, SilentThread, SilentThread];
  const next = [second, third];
  const ends: (() => void)[] = [];
  const shards = new ShardSet({
    threads: [first as unknown as ShardThread],
    restart: async () => next.shift() as unknown as ShardThread,
    isVolatile: false,
    lossesMax: Number.POSITIVE_INFINITY,
    cores: 1,
    treesToKeep: () => [],
    // With the layers it had when it was asked; what is written down about it takes a while.
    reopen: async (_, open) => {
      await open(VOLUME);
      await new Promise<void>((resolve) => ends.push(resolve));
    },
  });
  await shards.attach(VOLUME, async () => {});
  first.onLost(new PlaneError('ShardLost', 'gone'));
  await expect.poll(() => ends.length).toBe(1);
  second.onLost(new PlaneError('ShardLost', 'gone'));
  await expect.poll(() => ends.length).toBe(2);
  // The opening in the thread that is lost ends while that in the last is under way.
  ends[0]?.();
  await turn();
  const layer = { tree: 'd-1.1', wrappedKey: null, context: null };
  let isPushed = false;
  const pushing = shards.pushLayer('d-1', layer).then(() => {
    isPushed = true;
  });
  await turn();
  expect(isPushed).toBe(false);
  ends[1]?.();
  await pushing;
  expect(third.told.map(({ op }) => op)).toEqual(['retainTrees', 'openVolume', 'pushLayer']);
});

it('a replaced shard removes trees first, then opens disks and snapshots again', async () => {
  const threads = [new SilentThread(), new SilentThread()];
  for (const thread of threads) thread.isAnswering = true;
  const [first, second] = threads as [SilentThread, SilentThread];
  const snapshot = { ...VOLUME, diskId: 's-1', layers: [{ ...VOLUME.layers[0]!, tree: 's-1' }] };
  const shards = new ShardSet({
    threads: [first as unknown as ShardThread],
    restart: async () => second as unknown as ShardThread,
    isVolatile: false,
    cores: 1,
    treesToKeep: (shardIndex) => [`kept-${shardIndex}`],
    reopen: (id, open) => open(id === 's-1' ? snapshot : VOLUME),
  });
  await shards.attach(VOLUME, async () => {});
  const reader = await shards.openSnapshot(snapshot);
  await shards.buffers.register(new SharedArrayBuffer(4096));
  first.onLost(new PlaneError('ShardLost', 'gone'));
  const waiting = shards.call(0, { op: 'stats' });
  await expect.poll(() => second.told.length).toBe(5);
  await waiting;
  expect(second.told).toMatchObject([
    { op: 'retainTrees', names: ['kept-0'] },
    { op: 'registerBuffer' },
    { op: 'openVolume', diskId: 'd-1', isReadOnly: false },
    { op: 'openVolume', diskId: 's-1', isReadOnly: true },
    { op: 'stats' },
  ]);
  expect(shards.readerCount('s-1')).toBe(1);
  await reader.close();
  expect(shards.readerCount('s-1')).toBe(0);
});

it('a tree is removed also if a volume on it is closed as it is to let go of it', async () => {
  const thread = new SilentThread();
  thread.isAnswering = true;
  const shards = new ShardSet({
    threads: [thread as unknown as ShardThread],
    restart: async () => thread as unknown as ShardThread,
    isVolatile: false,
    cores: 1,
    treesToKeep: () => [],
    reopen: (_, open) => open(VOLUME),
  });
  const lower = { tree: 'd-1.lower', wrappedKey: null, context: null };
  await shards.attach({ ...VOLUME, layers: [...VOLUME.layers, lower] }, async () => {});
  const answered = thread.call.bind(thread);
  let code: 'DiskClosed' | 'StoreFailed' = 'DiskClosed';
  thread.call = async (request) => {
    await answered(request);
    if (request.op === 'dropLowerLayers') throw new PlaneError(code, 'refused');
  };
  await shards.call(0, { op: 'removeTree', name: lower.tree });
  expect(thread.told.map(({ op }) => op)).toEqual(['openVolume', 'dropLowerLayers', 'removeTree']);
  code = 'StoreFailed';
  const refused = shards.call(0, { op: 'removeTree', name: lower.tree });
  await expect(refused).rejects.toMatchObject({ code: 'StoreFailed' });
  expect(thread.told.at(-1)).toMatchObject({ op: 'dropLowerLayers' });
});
