/**
 * Sizes of a store that are part of its files, or that tests shrink so that a small history rolls
 * segments over, reclaims and checkpoints. Everybody else uses STORE_GEOMETRY.
 */
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import {
  COMMIT_PENDING_BYTES_MAX,
  MAP_LOG_BYTES_MAX,
  PIECE_BYTES_MAX,
  SEGMENT_SECTORS,
  SPACE_RESERVE_BYTES,
  TREE_SECTORS_MAX,
} from '../limits.ts';

export interface StoreGeometry {
  /** Sector slots in one segment: a power of two. */
  readonly segmentSectors: number;
  /** A longer map log is replaced by a checkpoint (unless the map is more than twice as large). */
  readonly logBytesMax: number;
  /** Bytes held back on the file system beside those for a checkpoint (space-reserve.ts). */
  readonly reserveBytes: number;
}

export const STORE_GEOMETRY: StoreGeometry = {
  segmentSectors: SEGMENT_SECTORS,
  logBytesMax: MAP_LOG_BYTES_MAX,
  reserveBytes: SPACE_RESERVE_BYTES,
};

/** Sectors one chunk map root covers: its keys have 32 bits. */
export const ROOT_SECTORS: number = 2 ** 32;
export const ROOTS_PER_TREE: number = TREE_SECTORS_MAX / ROOT_SECTORS;
/** Longest run handed to a filler or visitor, and read from a file at once. */
export const RUN_SECTORS_MAX = 256;

invariant(RUN_SECTORS_MAX * SECTOR_BYTES <= COMMIT_PENDING_BYTES_MAX, 'a run is bounded as well');
invariant(RUN_SECTORS_MAX * SECTOR_BYTES >= PIECE_BYTES_MAX, 'a piece is one run if it can be');
