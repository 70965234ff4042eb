/**
 * Latencies of one kind of request: exact count, least, most, mean and deviation, and percentiles
 * to three significant figures over any range, from nanoseconds to hours.
 *
 * The only importer of hdr-histogram-js, in its WebAssembly form: a record costs 21-36 ns there and
 * 137-162 ns in its JavaScript form (Node 20, Xeon, 2 million log-uniform values), and a run makes
 * one record per request.
 *
 * The WebAssembly memory is not seen by the collector: release() gives it back.
 */
import { build, type Histogram, initWebAssemblySync, WasmHistogram } from 'hdr-histogram-js';
import { invariant } from '../base/invariant.ts';

/** Buckets are laid out for latencies up to this at first, and grow beyond it: one minute. */
const NANOSECONDS_EXPECTED = 60e9;
const SIGNIFICANT_FIGURES = 3;

interface NativeHistogram extends Histogram {
  destroy(): void;
  encode(): Uint8Array;
}

/** A histogram as data, for another thread. */
export interface HistogramRecord {
  readonly count: number;
  readonly least: number;
  readonly most: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** HdrHistogram V2, not compressed. */
  readonly buckets: Uint8Array;
}

export class LatencyHistogram {
  count = 0;
  /** Nanoseconds; Infinity if count is 0. */
  least = Number.POSITIVE_INFINITY;
  /** Nanoseconds; 0 if count is 0. */
  most = 0;
  #sum = 0;
  #sumOfSquares = 0;
  #buckets: NativeHistogram | null;

  constructor() {
    initWebAssemblySync();
    this.#buckets = build({
      bitBucketSize: 64,
      lowestDiscernibleValue: 1,
      highestTrackableValue: NANOSECONDS_EXPECTED,
      numberOfSignificantValueDigits: SIGNIFICANT_FIGURES,
      autoResize: true,
      useWebAssembly: true,
    }) as NativeHistogram;
  }

  /** @param nanoseconds >= 0; fractions are dropped */
  record(nanoseconds: number): void {
    invariant(nanoseconds >= 0, 'a latency is not negative');
    const whole = Math.floor(nanoseconds);
    this.count += 1;
    this.#sum += whole;
    this.#sumOfSquares += whole * whole;
    if (whole < this.least) this.least = whole;
    if (whole > this.most) this.most = whole;
    this.#open().recordValue(whole);
  }

  /** Nanoseconds; 0 if count is 0. */
  mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /** Standard deviation of all that was recorded, nanoseconds. */
  deviation(): number {
    if (this.count === 0) return 0;
    const mean = this.mean();
    return Math.sqrt(Math.max(0, this.#sumOfSquares / this.count - mean * mean));
  }

  /**
   * The latency that percent of the requests did not exceed, nanoseconds; 0 if count is 0.
   *
   * @param percent 0 to 100
   */
  percentile(percent: number): number {
    if (this.count === 0) return 0;
    const value = this.#open().getValueAtPercentile(percent);
    // A bucket's upper edge may lie past the largest value recorded in it.
    return Math.max(this.least, Math.min(value, this.most));
  }

  /**
   * Every bucket that holds something, from the least: its value, as percentile() gives it, and how
   * many requests are in it. The library lists no buckets in its WebAssembly form, so they are
   * found by asking for the request of each rank: 20 questions a bucket.
   */
  bins(): { readonly nanoseconds: number; readonly count: number }[] {
    const bins: { nanoseconds: number; count: number }[] = [];
    // The quarter keeps the library's rounding to whole ranks on the rank meant.
    const atRank = (rank: number): number => this.percentile(((rank - 0.25) / this.count) * 100);
    for (let rank = 1; rank <= this.count; ) {
      const nanoseconds = atRank(rank);
      let step = 1;
      while (rank + step <= this.count && atRank(rank + step) === nanoseconds) step *= 2;
      let [same, other] = [rank + Math.floor(step / 2), Math.min(rank + step, this.count + 1)];
      while (other - same > 1) {
        const middle = Math.floor((same + other) / 2);
        if (atRank(middle) === nanoseconds) same = middle;
        else other = middle;
      }
      bins.push({ nanoseconds, count: same + 1 - rank });
      rank = same + 1;
    }
    return bins;
  }

  /** Adds what another recorded. The other is unchanged. */
  add(other: LatencyHistogram): void {
    const { count, least, most } = other;
    this.#addTotals({ count, least, most, sum: other.#sum, sumOfSquares: other.#sumOfSquares });
    this.#open().add(other.#open());
  }

  toRecord(): HistogramRecord {
    const { count, least, most } = this;
    const buckets = this.#open().encode();
    return { count, least, most, sum: this.#sum, sumOfSquares: this.#sumOfSquares, buckets };
  }

  /** Adds what a histogram of another thread recorded. */
  addRecord(record: HistogramRecord): void {
    const buckets = WasmHistogram.decode(record.buckets, 64, NANOSECONDS_EXPECTED);
    this.#addTotals(record);
    this.#open().add(buckets);
    (buckets as NativeHistogram).destroy();
  }

  /** Forgets everything recorded. */
  reset(): void {
    this.count = 0;
    this.#sum = 0;
    this.#sumOfSquares = 0;
    this.least = Number.POSITIVE_INFINITY;
    this.most = 0;
    this.#open().reset();
  }

  /** Gives the buckets' memory back. Idempotent; nothing else may be called after it. */
  release(): void {
    this.#buckets?.destroy();
    this.#buckets = null;
  }

  #addTotals(other: Omit<HistogramRecord, 'buckets'>): void {
    this.count += other.count;
    this.#sum += other.sum;
    this.#sumOfSquares += other.sumOfSquares;
    this.least = Math.min(this.least, other.least);
    this.most = Math.max(this.most, other.most);
  }

  #open(): NativeHistogram {
    invariant(this.#buckets !== null, 'the histogram was released');
    return this.#buckets;
  }
}
