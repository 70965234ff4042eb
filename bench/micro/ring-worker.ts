/**
 * The other side of the ring that crossing.bench.ts measures: completes every request at once.
 *
 * It looks without end or sleeps at once: a shard does first the one, for some tens of
 * microseconds, and then the other. It never returns, so it is ended by terminate().
 */
import { workerData } from 'node:worker_threads';
import { ShardChannel, type ShardChannelMemory } from '../../src/record/shard-channel.ts';

export interface RingStart {
  readonly memory: ShardChannelMemory;
  readonly isPolled: boolean;
}

const SLEEP_MS_MAX = 100;
const { memory, isPolled } = workerData as RingStart;
const channel = new ShardChannel(memory);

for (let executed = 0; ; ) {
  const doorbell = Atomics.load(channel.doorbell, 0);
  const { submitted } = channel;
  if (submitted !== executed) {
    executed = submitted;
    channel.publishCompleted(executed);
  } else if (!isPolled) {
    channel.sleepShard(doorbell, executed, SLEEP_MS_MAX);
  }
}
