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

it('a shard that is replaced removes trees first, then opens disks and snapshots again', async () => {
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
