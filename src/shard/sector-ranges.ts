/**
 * A list of sector ranges that is filled, walked and emptied again without making objects.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';

export class SectorRanges {
  private readonly firsts: number[] = [];
  private readonly counts: number[] = [];
  private used = 0;

  get length(): number {
    return this.used;
  }

  /** @param first not below the end of the range added before */
  add(first: number, count: number): void {
    const last = this.used - 1;
    const isAscending = this.used === 0 || first >= this.firsts[last]! + this.counts[last]!;
    invariant(count > 0 && isAscending, 'ranges come in ascending order');
    this.firsts[this.used] = first;
    this.counts[this.used] = count;
    this.used++;
  }

  firstOf(index: number): number {
    invariant(index < this.used, 'the range is there');
    return this.firsts[index]!;
  }

  countOf(index: number): number {
    invariant(index < this.used, 'the range is there');
    return this.counts[index]!;
  }

  clear(): void {
    this.used = 0;
  }
}
