/** What the parts of the shard store suite work on, and the words they say things in. */
import type { ShardStore } from '../../src/segment/shard-store.ts';

/** The last sector a tree can have. */
export const LAST_SECTOR = 2 ** 34 - 1;

/** A store made anew for each test: read `store` inside the test, not before. */
export interface StoreSubject {
  readonly store: ShardStore;
  /** Sectors in one segment. */
  readonly segmentSectors: number;
  /** Every sector of a version holds bytes that tell the version. */
  write(tree: string, sector: number, sectorCount: number, version: number): void;
  versions(tree: string, sector: number, sectorCount: number): number[];
  expectSound(): void;
}
