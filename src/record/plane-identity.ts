/** What a data directory says about itself. Made once, never changed. */

export interface PlaneIdentity {
  /** Version of the metadata tables, see meta/tables.ts. */
  readonly formatVersion: number;
  /** 20 characters of [a-z0-9]. */
  readonly planeId: string;
  /** A disk's shard is stored with the disk: the number of shards is fixed for good. */
  readonly shardCount: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
