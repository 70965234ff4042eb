/** What the set of shards is made of: threads, and how to replace one. */
import type { ShardThread } from '../threads/shard-thread.ts';
import type { VolumeToOpen } from './volume-to-open.ts';

/** What a ShardSet is made of. */
export interface ShardSetOptions {
  /** Started, in order of their index; moved: closed by close(). */
  readonly threads: readonly ShardThread[];
  /** Starts a thread in place of one that is gone. */
  readonly restart: (shardIndex: number) => Promise<ShardThread>;
  /** Stores are in memory. */
  readonly isVolatile: boolean;
  readonly lossesMax?: number | undefined;
  readonly cores: number;
  /** Trees a shard has to keep that is replaced: it has no volume open, and removes all others. */
  readonly treesToKeep: (shardIndex: number) => readonly string[];
  /**
   * Has the volume of an attached disk or an open snapshot opened as its record is now.
   *
   * @throws PlaneError why it cannot be, in the words its callers are answered
   */
  readonly reopen: (id: string, open: (volume: VolumeToOpen) => Promise<void>) => Promise<void>;
}
