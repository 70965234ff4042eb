/**
 * The shard threads of a plane: how one is started, at first or in place of a lost one; and the
 * volumes in them, as the control plane asks for them.
 */
import { availableParallelism } from 'node:os';
import type { PlaneContext } from './control/context.ts';
import type { TaskVolumes } from './control/jobs/task-work.ts';
import { volumeWith } from './control/volume-of.ts';
import { MEMORY_BYTES_DEFAULT, SHARD_POLL_US } from './limits.ts';
import type { DataDirectory } from './meta/data-directory.ts';
import type { HeldVolumes } from './router/held-volumes.ts';
import type { ShardSet } from './router/shard-set.ts';
import type { KmsThread } from './threads/kms-thread.ts';
import { SABOTAGE, type Sabotage } from './threads/sabotage.ts';
import { ShardThread } from './threads/shard-thread.ts';
import type { DiskPerformance, PlaneOptions } from './types.ts';

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

/** What the verbs are told volumes by. @param checkDebugger throws DebuggerOpen */
export function volumesOf(
  shards: ShardSet,
  held: HeldVolumes,
  checkDebugger: () => void,
  performance: DiskPerformance,
): PlaneContext['volumes'] {
  return {
    drain: (diskId) => shards.drain(diskId),
    resize: (diskId, sizeBytes) => shards.resize(diskId, sizeBytes),
    changeProfile: (diskId, profile) => shards.changeProfile(diskId, profile),
    pushLayer: (diskId, layer) => shards.pushLayer(diskId, layer),
    hold: async (disk) => {
      checkDebugger();
      return held.hold(volumeWith(disk, performance));
    },
    release: (diskId) => held.release(diskId),
    readerCount: (snapshotId) => shards.readerCount(snapshotId),
  };
}

/** What tasks open volumes by. */
export function taskVolumesOf(shards: ShardSet): TaskVolumes {
  return {
    openReencryption: (volume) => shards.openReencryption(volume),
    openReader: (volume) => shards.attach(volume, async () => {}),
    dropLowerLayers: (resourceId) => shards.dropLowerLayers(resourceId),
  };
}
