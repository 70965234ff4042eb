/** The shard threads of a plane: how one is started, at first or in place of a lost one. */
import { availableParallelism } from 'node:os';
import { PlaneError } from './base/errors.ts';
import { ACCOUNT_DEFAULT, MEMORY_BYTES_DEFAULT, SHARD_POLL_US } from './limits.ts';
import type { DataDirectory } from './meta/data-directory.ts';
import type { Metadata } from './meta/metadata.ts';
import type { ShardSet } from './router/shard-set.ts';
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

/**
 * A plane has an account before it has any tree. Trees without one have lost their metadata: they
 * must not be taken for what a crash left, and removed.
 *
 * @throws PlaneError DataDirectoryCorrupt
 */
export async function requireMetadata(metadata: Metadata, shards: ShardSet): Promise<void> {
  if (metadata.getDocument('account', ACCOUNT_DEFAULT) !== undefined) return;
  for (let shardIndex = 0; shardIndex < shards.count; shardIndex++) {
    const stats = await shards.call(shardIndex, { op: 'stats' });
    const { trees } = stats as { readonly trees: number };
    if (trees === 0) continue;
    const what = `shard ${shardIndex} holds ${trees} disks and snapshots`;
    throw new PlaneError('DataDirectoryCorrupt', `the metadata is lost: it is empty, and ${what}`);
  }
}

/** Under a key that no caller has: threads/sabotage.ts. */
export function sabotageOf(options: PlaneOptions): Sabotage | null {
  return (options as { readonly [SABOTAGE]?: Sabotage })[SABOTAGE] ?? null;
}
