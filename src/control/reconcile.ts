/**
 * What a crash left half done, put right at the opening of a plane:
 *
 *   disk In_use              -> Available: nothing is attached yet
 *   disk Creating, Deleting  -> removed
 *   tree nobody names        -> removed from its shard: a verb told the shard and did not commit,
 *                               or committed a removal and did not tell the shard
 *
 * **Thread:** main.
 */
import type { PlaneContext } from './context.ts';

export async function reconcile(context: PlaneContext): Promise<void> {
  const { metadata, shards } = context;
  const detached = metadata.disksWithStatus(['In_use', 'Attaching', 'Detaching']);
  const halfDone = metadata.disksWithStatus(['Creating', 'Deleting']);
  if (detached.length + halfDone.length > 0) {
    await metadata.commit({
      putDisks: detached.map((disk) => ({ ...disk, status: 'Available' as const })),
      removeDisks: halfDone.map((disk) => disk.diskId),
    });
  }
  for (let shardIndex = 0; shardIndex < shards.count; shardIndex++) {
    const names = metadata.treeNamesOfShard(shardIndex);
    await shards.call(shardIndex, { op: 'retainTrees', names });
  }
}
