/**
 * The real shard and the real dispatch in one thread: what main submits is executed when the test
 * says so. The KMS side is a function.
 */
import { systemClock } from '../../src/base/clock.ts';
import { referenceEngine } from '../../src/cipher/xts-reference.ts';
import type { UnwrapReply, UnwrapRequest } from '../../src/record/kms-message.ts';
import { allocateShardChannel, ShardChannel } from '../../src/record/shard-channel.ts';
import type { ShardReply, ShardRequest } from '../../src/record/shard-message.ts';
import { ShardDispatch } from '../../src/router/dispatch.ts';
import { RegisteredBuffers } from '../../src/router/registered-buffers.ts';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { Shard } from '../../src/shard/serve.ts';

export interface OneThreadShard {
  readonly channel: ShardChannel;
  readonly shard: Shard;
  readonly dispatch: ShardDispatch;
  readonly buffers: RegisteredBuffers;
  /** Control replies in the order they were given. */
  readonly replies: ShardReply[];
  /** Unwrap requests nobody has answered yet. */
  readonly unwraps: UnwrapRequest[];
  control(request: ShardRequest): ShardReply | undefined;
  answer(reply: UnwrapReply): void;
  /** Publishes, executes and settles until nothing is in flight. */
  run(): Promise<void>;
}

/** @param yieldProcessor see ShardParts */
export function oneThreadShard(
  store: ShardStore,
  yieldProcessor: () => void = () => {},
): OneThreadShard {
  const channel = new ShardChannel(allocateShardChannel());
  const replies: ShardReply[] = [];
  const unwraps: UnwrapRequest[] = [];
  const shard = new Shard({
    channel,
    store,
    engine: referenceEngine(),
    clock: systemClock,
    reply: (reply) => replies.push(reply),
    unwrap: (request) => unwraps.push(request),
    connectKms: () => {},
    yieldProcessor,
  });
  let id = 1;
  const buffers = new RegisteredBuffers(async (request) => shard.handle({ id: id++, request }));
  const dispatch = new ShardDispatch(channel, buffers, () => {});
  return {
    channel,
    shard,
    dispatch,
    buffers,
    replies,
    unwraps,
    control: (request) => {
      const before = replies.length;
      shard.handle({ id: id++, request });
      return replies[before];
    },
    answer: (reply) => shard.takeKey(reply),
    run: async () => {
      do {
        await Promise.resolve();
        while (shard.serveBatch());
        dispatch.settle();
        await Promise.resolve();
      } while (dispatch.inFlight > 0);
    },
  };
}
