/**
 * Trees that verbs under way make in a shard and that no record names yet.
 *
 * A shard that was replaced is told which trees to keep (router/shard-set.ts): those that records
 * name, and these. What it has besides was left by a call that was lost with its thread, between
 * the two halves of making or removing a tree: nobody would ever remove it.
 *
 * **Thread:** main.
 */
import type { Metadata } from '../meta/metadata.ts';
import type { LayeredRecord } from './layers.ts';

export class UnnamedTrees {
  private readonly held = new Set<LayeredRecord>();

  /**
   * To be called before a tree of the record is made.
   *
   * @returns to be called when the record is committed, or its trees are removed
   */
  hold(record: LayeredRecord): () => void {
    this.held.add(record);
    return () => void this.held.delete(record);
  }

  /** Of a shard, and a few that may not be there. */
  namesToKeep(metadata: Metadata, shardIndex: number): string[] {
    const names = metadata.treeNamesOfShard(shardIndex);
    for (const record of this.held) {
      if (record.shardIndex === shardIndex) names.push(...record.layers.map(({ tree }) => tree));
    }
    return names;
  }
}
