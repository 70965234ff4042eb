/** The shard threads of a plane: how one is started, at first or in place of a lost one. */
import { availableParallelism } from 'node:os';
import { MEMORY_BYTES_DEFAULT, SHARD_POLL_US } from './limits.ts';
import type { DataDirectory } from './meta/data-directory.ts';
import type { KmsThread } from './threads/kms-thread.ts';
import { SABOTAGE, type Sabotage } from './threads/sabotage.ts';
import { ShardThread } from './threads/shard-thread.ts';
import type { PlaneOptions } from './types.ts';

type StartShard = (shardIndex: number) => Promise<ShardThread>;

export function shardStarter(
  options: PlaneOptions,
  directory: DataDirectory | null,
  shardCount: number,
  kms: KmsThread,
): StartShard {
  const limitBytes = options.memoryLimitBytes ?? MEMORY_BYTES_DEFAULT;
  const hasCoreEach = availableParallelism() >= 2;
  return (shardIndex) =>
    ShardThread.start({
      shardIndex,
      store:
        directory === null
          ? { kind: 'memory', memoryLimitBytes: Math.floor(limitBytes / shardCount) }
          : { kind: 'file', directory: directory.shardPath(shardIndex) },
      engine: options.engine ?? 'auto',
      pollMicroseconds: hasCoreEach ? SHARD_POLL_US : 0,
      introduce: (port, doorbell) => kms.introduce(port, doorbell),
      sabotage: sabotageOf(options),
    });
}

export async function startShards(
  start: StartShard,
  shardCount: number,
  undo: (() => Promise<void>)[],
): Promise<ShardThread[]> {
  const starting = Array.from({ length: shardCount }, async (_, shardIndex) => {
    const thread = await start(shardIndex);
    undo.push(() => thread.close());
    return thread;
  });
  const outcomes = await Promise.allSettled(starting);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** Under a key that no caller has: threads/sabotage.ts. */
export function sabotageOf(options: PlaneOptions): Sabotage | null {
  return (options as { readonly [SABOTAGE]?: Sabotage })[SABOTAGE] ?? null;
}
