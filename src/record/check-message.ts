/** What a thread that checks shard directories is told, and what it says: one CheckedStore each. */

export interface CheckStart {
  readonly directories: readonly string[];
  /** Shared: changes as long as it reads. */
  readonly beat: Int32Array;
}

export interface CheckedStore {
  readonly trees: readonly string[];
  readonly sectorsChecked: number;
  /** Files the next open removes. */
  readonly leftOverFiles: number;
  /** One sentence each. */
  readonly problems: readonly string[];
}
