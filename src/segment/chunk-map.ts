/**
 * SIGNATURES ONLY: being implemented. See the docstrings.
 */

/** What a lookup found: a hole, or consecutive sectors whose slots are consecutive too. */
export interface ChunkRun {
  /** True: sectorCount unmapped sectors. */
  isHole: boolean;
  sectorCount: number;
  /** Slot of the first sector; meaningless for a hole. */
  location: number;
  /** Checksums of the run's sectors, at indexes 0..sectorCount-1; meaningless for a hole. */
  readonly checksums: Uint32Array;
}

/** Told of every leaf entry that begins or ceases to refer to a slot. */
export interface SlotReferences {
  acquire(location: number): void;
  release(location: number): void;
}
