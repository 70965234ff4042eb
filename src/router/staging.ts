/**
 * Space in a shard's staging area, taken and freed in the same order (shard-channel.ts, rule 3).
 *
 *   0        freed         taken            STAGING_BYTES
 *   |. . . . |############|. . . . . . . . .|     taken, freed: bytes since the beginning of time
 *
 * 1. A range is contiguous: what does not fit before the end starts at 0, and the rest of the area
 *    counts as part of that range until it is freed.
 * 2. When nothing is in flight the next range starts at 0, so that a light load stays in cache.
 */
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';

export class StagingSpace {
  /** Value of `end` to free a range by: everything up to its end. */
  end = 0;
  private readonly size: number;
  private freed = 0;

  constructor(sizeBytes: number) {
    this.size = sizeBytes;
  }

  /**
   * Takes a range.
   *
   * @param bytes whole sectors, at most the area's size
   * @returns its offset in the area, or -1 if it does not fit now
   */
  take(bytes: number): number {
    invariant(bytes % SECTOR_BYTES === 0 && bytes <= this.size, 'a range is whole sectors');
    if (this.end === this.freed) {
      this.end = 0;
      this.freed = 0;
    }
    let at = this.end % this.size;
    const skipped = at + bytes > this.size ? this.size - at : 0;
    if (this.end + skipped + bytes - this.freed > this.size) return -1;
    if (skipped > 0) at = 0;
    this.end += skipped + bytes;
    return at;
  }

  /** Frees everything taken up to `end`, a value of `this.end` read after some take(). */
  freeUpTo(end: number): void {
    invariant(
      end >= this.freed && end <= this.end,
      'ranges are freed in the order they were taken',
    );
    this.freed = end;
  }
}
