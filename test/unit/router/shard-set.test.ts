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

  call(request: ShardRequest): Promise<unknown> {
    this.told.push(request);
    return new Promise((resolve) => {
      this.answer = () => resolve(null);
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
