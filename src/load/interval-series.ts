/**
 * What one direction of a clone did over time: requests, bytes and latencies, interval by interval.
 *
 * 1. Intervals lie on one grid for all clones, whatever thread they run in: point n is the time
 *    from n to n + 1 intervals after the epoch. So clones add up, and variants lie beside each
 *    other.
 * 2. A request belongs to the interval it completed in. Every request is in one point: the points
 *    sum up to the totals.
 * 3. A point says how much of its interval was measured: turns begin and end inside of intervals.
 *    An interval in which a request should have completed and none did is a point with zero.
 * 4. At most POINTS_MAX points: when there are more, the interval is doubled and points are added
 *    together. Latencies are counts in buckets, so that percentiles stay right.
 *
 * Buckets are 32 to an octave: a percentile read from them is within 1.6 % of the exact one. The
 * bucket is the top of a double's bits, 4 to 8 ns a record.
 */

/** 1 ns to 2^42 ns, over an hour. */
const OCTAVES = 42;
const BUCKETS_PER_OCTAVE = 32;
const BUCKETS = OCTAVES * BUCKETS_PER_OCTAVE;
/** The upper word of 1.0, down to its five highest bits of mantissa. */
const BUCKET_OF_ONE = 1023 * BUCKETS_PER_OCTAVE;
const MANTISSA_BITS_LEFT = 15;

/** Short enough for a run of a few seconds to have a shape. */
const INTERVAL_MS = 100;
export const POINTS_MAX = 600;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const UPPER_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** One interval. */
export interface SeriesPoint {
  /** The interval's number on the grid. */
  readonly index: number;
  readonly measuredMs: number;
  readonly requests: number;
  readonly bytes: number;
  readonly mostNs: number;
  /** Pairs: a bucket's number, rising, and how many latencies are in it. */
  readonly buckets: Uint32Array;
}

/** A series as data, also from another thread. */
export interface SeriesRecord {
  readonly intervalMs: number;
  /** From the earliest; intervals nothing was measured in are left out. */
  readonly points: readonly SeriesPoint[];
}

export class IntervalSeries implements SeriesRecord {
  intervalMs = INTERVAL_MS;
  #points: SeriesPoint[] = [];
  readonly #counts = new Uint32Array(BUCKETS);
  #requests = 0;
  #bytes = 0;
  #mostNs = 0;

  /** Counts a request into the interval that is open. */
  record(latencyNs: number, lengthBytes: number): void {
    double[0] = latencyNs < 1 ? 1 : latencyNs;
    const bucket = (words[UPPER_WORD]! >>> MANTISSA_BITS_LEFT) - BUCKET_OF_ONE;
    this.#counts[bucket < BUCKETS ? bucket : BUCKETS - 1]! += 1;
    this.#requests += 1;
    this.#bytes += lengthBytes;
    if (latencyNs > this.#mostNs) this.#mostNs = latencyNs;
  }

  /**
   * Ends the open interval, or a part of it: what was counted becomes a point, or joins the last.
   *
   * @param index on the grid of intervalMs; never less than before
   */
  cut(index: number, measuredMs: number): void {
    const isUnused = this.#requests === 0 && this.#points.length === 0;
    if (isUnused || (this.#requests === 0 && measuredMs === 0)) return;
    const buckets = this.#requests > 0 ? sparse(this.#counts) : new Uint32Array(0);
    if (this.#requests > 0) this.#counts.fill(0);
    const point: SeriesPoint = {
      index,
      measuredMs,
      requests: this.#requests,
      bytes: this.#bytes,
      mostNs: this.#mostNs,
      buckets,
    };
    [this.#requests, this.#bytes, this.#mostNs] = [0, 0, 0];
    const last = this.#points.at(-1);
    if (last?.index === index) {
      const together = last.measuredMs + measuredMs;
      this.#points[this.#points.length - 1] = joinPoints(last, point, index, together);
    } else this.#points.push(point);
  }

  /** Intervals of this length from here on, a power of two of what they were; all points join. */
  widen(intervalMs: number): void {
    const factor = intervalMs / this.intervalMs;
    if (factor === 1) return;
    this.intervalMs = intervalMs;
    const joined: SeriesPoint[] = [];
    for (const point of this.#points) {
      const index = Math.floor(point.index / factor);
      const last = joined.at(-1);
      if (last?.index !== index) joined.push({ ...point, index });
      else {
        const together = last.measuredMs + point.measuredMs;
        joined[joined.length - 1] = joinPoints(last, point, index, together);
      }
    }
    this.#points = joined;
  }

  /** Adds what a clone did beside this one. The other is unchanged. */
  merge(other: IntervalSeries): void {
    this.addRecord(other.toRecord());
  }

  /** What is in the open interval is not part of it. */
  toRecord(): SeriesRecord {
    return { intervalMs: this.intervalMs, points: this.#points };
  }

  /** Adds what a clone did beside this one, in another thread. */
  addRecord({ intervalMs, points }: SeriesRecord): void {
    const beside = new IntervalSeries();
    beside.intervalMs = intervalMs;
    beside.#points = [...points];
    const widest = Math.max(this.intervalMs, intervalMs);
    this.widen(widest);
    beside.widen(widest);
    const byIndex = new Map(this.#points.map((point) => [point.index, point]));
    for (const point of beside.#points) {
      const same = byIndex.get(point.index);
      const measuredMs = Math.max(point.measuredMs, same?.measuredMs ?? 0);
      byIndex.set(
        point.index,
        same === undefined ? point : joinPoints(same, point, point.index, measuredMs),
      );
    }
    this.#points = [...byIndex.values()].sort((one, two) => one.index - two.index);
    while (this.#points.length > POINTS_MAX) this.widen(this.intervalMs * 2);
  }

  /** Forgets everything, but how long intervals are. */
  reset(): void {
    this.#points = [];
    this.#counts.fill(0);
    [this.#requests, this.#bytes, this.#mostNs] = [0, 0, 0];
  }

  get points(): readonly SeriesPoint[] {
    return this.#points;
  }
}

/** All that several series have of the intervals since then, as one point. */
export function pointSince(all: readonly SeriesRecord[], sinceEpochMs: number): SeriesPoint {
  const counts = new Uint32Array(BUCKETS);
  let [measuredMs, requests, bytes, mostNs] = [0, 0, 0, 0];
  for (const { intervalMs, points } of all) {
    for (let at = points.length - 1; at >= 0; at--) {
      const point = points[at]!;
      if (point.index * intervalMs < sinceEpochMs) break;
      measuredMs += point.measuredMs;
      requests += point.requests;
      bytes += point.bytes;
      mostNs = Math.max(mostNs, point.mostNs);
      const { buckets } = point;
      for (let pair = 0; pair < buckets.length; pair += 2) {
        counts[buckets[pair]!]! += buckets[pair + 1]!;
      }
    }
  }
  return { index: 0, measuredMs, requests, bytes, mostNs, buckets: sparse(counts) };
}

/** The buckets that are not empty, as a point has them. */
function sparse(counts: Uint32Array): Uint32Array {
  const buckets: number[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (counts[bucket]! > 0) buckets.push(bucket, counts[bucket]!);
  }
  return Uint32Array.from(buckets);
}

function joinPoints(
  one: SeriesPoint,
  two: SeriesPoint,
  index: number,
  measuredMs: number,
): SeriesPoint {
  return {
    index,
    measuredMs,
    requests: one.requests + two.requests,
    bytes: one.bytes + two.bytes,
    mostNs: Math.max(one.mostNs, two.mostNs),
    buckets: joinBuckets(one.buckets, two.buckets),
  };
}

function joinBuckets(one: Uint32Array, two: Uint32Array): Uint32Array {
  const counts = new Map<number, number>();
  for (const buckets of [one, two]) {
    for (let at = 0; at < buckets.length; at += 2) {
      counts.set(buckets[at]!, (counts.get(buckets[at]!) ?? 0) + buckets[at + 1]!);
    }
  }
  return Uint32Array.from([...counts].sort(([left], [right]) => left - right).flat());
}

/**
 * The latency that percent of a point's requests did not exceed, nanoseconds, to 1.6 %.
 *
 * @returns null if it has none
 */
export function pointPercentile(
  { requests, buckets, mostNs }: SeriesPoint,
  percent: number,
): number | null {
  if (requests === 0) return null;
  const rank = Math.max(1, Math.ceil((percent / 100) * requests));
  let seen = 0;
  for (let at = 0; at < buckets.length; at += 2) {
    seen += buckets[at + 1]!;
    if (seen >= rank) return Math.min(mostNs, bucketMiddle(buckets[at]!));
  }
  return mostNs;
}

function bucketMiddle(bucket: number): number {
  const octave = 2 ** Math.floor(bucket / BUCKETS_PER_OCTAVE);
  return octave * (1 + ((bucket % BUCKETS_PER_OCTAVE) + 0.5) / BUCKETS_PER_OCTAVE);
}
