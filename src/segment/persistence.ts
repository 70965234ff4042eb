/**
 * What the store tells whoever makes it last. Journal does so in files; a memory store has nobody.
 *
 * **Thread:** shard.
 */
import type { Segment } from './slot-table.ts';

export interface Persistence {
  /**
   * Called before each run that is appended. Keeps what is not committed bounded.
   *
   * @throws PlaneError NoSpace, StoreFailed
   */
  requireAppendable(): void;
  /**
   * Called before any other change of a tree. Unlike an append it is taken when space is short, as
   * long as what there is to write stays bounded.
   *
   * @param isRemoval the maps do not get larger by it: it is taken also when there is no room for
   *   larger ones
   * @throws PlaneError NoSpace, StoreFailed
   */
  requireChangeable(isRemoval: boolean): void;

  /** What has just happened in memory, in order. checksums are borrowed for the call. */
  recordAssign(
    tree: number,
    sector: number,
    sectorCount: number,
    location: number,
    checksums: Uint32Array,
  ): void;
  recordDiscard(tree: number, sector: number, sectorCount: number): void;
  recordCreate(tree: number, name: string): void;
  recordShare(source: number, tree: number, name: string): void;
  recordRemove(tree: number): void;

  /** A slot of the segment is moved elsewhere, and no record says so. */
  noteMove(segment: Segment): void;
  /** A sealed segment has no live slot left: its space is wanted back as soon as that is safe. */
  retire(segment: Segment): void;
  /** Retired segments that something durable may still refer to. */
  readonly hasRetired: boolean;
  /** Retired segments that nothing refers to: removeSome() gives their space back. */
  readonly hasRemovable: boolean;
  /** Gives the space of a few segments back: freeing a file takes milliseconds. Never throws. */
  removeSome(): void;

  /** @throws PlaneError NoSpace, StoreFailed */
  commit(): void;
  /** @throws PlaneError NoSpace, StoreFailed */
  flush(): void;

  /** False while something could not be written. Background work waits for it. */
  readonly isReady: boolean;
  /** Tries again what could not be written, and to make space. Never throws. @returns isReady */
  retry(): boolean;
  /**
   * Slots that can be moved without a record while there is no space for appends, so that what they
   * are moved out of can go all the same. 0: none, or not now.
   */
  spareSlots(): number;
  /** A checkpoint is being written: stepCheckpoint() goes on with it. */
  readonly isCheckpointing: boolean;
  /** What recovery would have to replay: at 1 it is time for a checkpoint, beyond it is overdue. */
  readonly checkpointUrgency: number;
  /** Begins what makes retired segments free: a flush or a checkpoint. Never throws. */
  settle(): void;
  /** Never throws: an error is kept for the next commit(). */
  beginCheckpoint(): void;
  /** Never throws. @param units of work, about a microsecond each */
  stepCheckpoint(units: number): void;
  /** Roots a checkpoint being written keeps beside those of the trees. */
  readonly frozenRoots: readonly number[];

  /** @throws PlaneError what flush() throws, after everything is released */
  close(): void;
}
