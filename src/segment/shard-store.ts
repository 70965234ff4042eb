/**
 * The contract of a shard's store: named trees of sectors over append-only ciphertext segments.
 *
 * A tree is the map of one disk, snapshot or clone. The store knows bytes and places, never keys
 * or plaintext: ciphertext is put into its segments by the caller (SectorFiller) and taken from
 * them (SectorVisitor).
 *
 * 1. Every sector of a tree is a hole, or a reference (location, checksum) to one slot of a
 *    segment.
 * 2. The checksum of the ciphertext lives in the reference, never beside the sector, so a
 *    misplaced, stale or damaged sector is found (PlaneError ChecksumMismatch) before anyone
 *    decrypts it.
 * 3. A slot is written once and not again until no tree, and no durable map, refers to it.
 * 4. shareTree() copies no data and costs the same whatever the size of the tree.
 * 5. Stored slots / live slots stays <= SPACE_AMPLIFICATION_MAX, beyond SPACE_SLACK_SEGMENTS,
 *    once idle() has run dry.
 * 6. After commit() nothing acknowledged is lost if the process is killed; after flush() nothing is
 *    lost if the power fails. (The memory store has neither promise; both calls do nothing.)
 *
 * **Thread:** shard. One store belongs to one thread. All calls are synchronous and run to their
 * end.
 */
import type { MemoryRegion } from '../base/bytes.ts';

/** An open tree. Valid until removeTree() of its name or close() of the store. */
export interface Tree {
  readonly name: string;
}

/** Puts ciphertext where the store says. */
export interface SectorFiller {
  /**
   * @param target borrowed for the call: write exactly sectorCount * 4096 bytes at targetOffset
   * @param firstSector index in the tree of the first sector
   * @param sectorCount sectors of this run; runs come in ascending order and cover the request
   */
  fill(target: MemoryRegion, targetOffset: number, firstSector: number, sectorCount: number): void;
}

/** Takes ciphertext from where the store has it. Runs and holes come in ascending order. */
export interface SectorVisitor {
  /** Sectors that were never written, or were discarded: they read as zeros. */
  hole(firstSector: number, sectorCount: number): void;
  /**
   * @param source borrowed for the call: verified ciphertext, sectorCount * 4096 bytes at
   *   sourceOffset
   */
  run(source: MemoryRegion, sourceOffset: number, firstSector: number, sectorCount: number): void;
}

/** What begins at a sector of a tree. Made once by whoever asks, and filled by every extentAt(). */
export interface Extent {
  isHole: boolean;
  /** At least one. A hole may go on behind it only where it ends at a multiple of 2^32. */
  sectorCount: number;
}

export interface ShardStoreStats {
  /** Slots some tree refers to. */
  readonly liveSectors: number;
  /** Slots that take up memory or file space: live ones and garbage. */
  readonly storedSectors: number;
  /** Bytes of the chunk maps: nodes and slot references, allocated or not yet used. */
  readonly mapBytes: number;
  readonly segments: number;
  readonly trees: number;
  /** Sectors moved by reclaim since open. */
  readonly reclaimedSectors: number;
}

/** What check() found; empty problems means every rule above holds. */
export interface StoreCheck {
  readonly treesChecked: number;
  readonly sectorsChecked: number;
  /** One sentence each, naming tree, sector, segment and slot. */
  readonly problems: readonly string[];
}

export interface ShardStore {
  /** Names of all trees, in no order. */
  treeNames(): string[];
  /** Opens a tree, made empty if there is none of that name. */
  openTree(name: string): Tree;
  /**
   * Makes target a second tree with the content source has now. A missing source is an empty tree.
   *
   * @throws PlaneError InvalidArgument: target exists
   */
  shareTree(source: string, target: string): void;
  /** Removes a tree and its references; no error if there is none. Its Tree objects are dead. */
  removeTree(name: string): void;

  /**
   * Appends sectors and makes the tree refer to them, run by run.
   *
   * @param sector index of the first sector, 0 <= sector < 2^34
   * @throws PlaneError NoSpace: refused before the first run if that is known, otherwise whole
   *   leading runs are new and the rest is old; StoreFailed: the store accepts no writes any more
   */
  append(tree: Tree, sector: number, sectorCount: number, filler: SectorFiller): void;
  /**
   * Visits what the tree has for a range of sectors, verified.
   *
   * @throws PlaneError ChecksumMismatch naming tree and sector; ReadFailed
   */
  read(tree: Tree, sector: number, sectorCount: number, visitor: SectorVisitor): void;
  /** Makes a range holes. Cost grows with what is mapped in the range, not with its length. */
  discard(tree: Tree, sector: number, sectorCount: number): void;
  /** Number of mapped sectors in a range (for allocation reports and tests). */
  countMapped(tree: Tree, sector: number, sectorCount: number): number;
  /**
   * Finds what begins at a sector: a hole, or sectors that are mapped. Reads no ciphertext; a hole
   * costs the same whatever its length.
   *
   * @param sectorCountMax > 0; the extent is no longer than that
   */
  extentAt(tree: Tree, sector: number, sectorCountMax: number, extent: Extent): void;

  /** Hands everything appended to the operating system. Called at the end of each batch. */
  commit(): void;
  /** commit(), then forces everything to stable storage. A failed fsync is never retried. */
  flush(): void;
  /**
   * One bounded step (about a millisecond) of background work: reclaim, checkpoint.
   *
   * @returns true if there is more to do
   */
  idle(): boolean;
  stats(): ShardStoreStats;
  /** Reads everything and checks every rule. Takes as long as that takes. */
  check(): StoreCheck;
  /** Flushes and releases files and memory. */
  close(): void;
}
