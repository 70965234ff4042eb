/**
 * Latencies counted in buckets of a typed array: 64 for each doubling, so that a bucket is at most
 * 1/64 of its value wide; from a quarter of a microsecond to 13 days. What is less or more counts
 * in the first or the last bucket. The scheme is HdrHistogram's (Gil Tene), by the bits of a
 * double: exponent and upper fraction, read as one number, are the bucket.
 *
 * Adding is a load, a shift and a store; src/load/histogram.ts is for real time, where a run has a
 * few histograms, not one for each of 100,000 disks.
 */

const FRACTION_BITS = 6;
/** A quarter of a microsecond. */
const EXPONENT_LEAST = -2;
/** 2^40 us is 13 days. */
const EXPONENT_END = 40;

export const LATENCY_BUCKETS: number = (EXPONENT_END - EXPONENT_LEAST) << FRACTION_BITS;

const SHIFT = 20 - FRACTION_BITS;
const OFFSET = (1023 + EXPONENT_LEAST) << FRACTION_BITS;
const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The bucket of a latency >= 0, microseconds. */
export function bucketOf(microseconds: number): number {
  bits[0] = microseconds;
  const bucket = (words[HIGH]! >>> SHIFT) - OFFSET;
  if (bucket < 0) return 0;
  return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/** Where a bucket ends, microseconds: nothing counted in it is above that. */
export function bucketEnd(bucket: number): number {
  words[1 - HIGH] = 0;
  words[HIGH] = (bucket + 1 + OFFSET) << SHIFT;
  return bits[0]!;
}

/** The middle of a bucket, microseconds: what its members are taken for. */
function bucketMiddle(bucket: number): number {
  const end = bucketEnd(bucket);
  return bucket === 0 ? end : (bucketEnd(bucket - 1) + end) / 2;
}

/**
 * The latencies that these shares of the requests did not exceed.
 *
 * @param shares ascending, each in (0, 1]
 * @param into gets one value for each share, from `at` on; zeros if nothing was counted
 */
export function quantilesOf(
  counts: ArrayLike<number>,
  total: number,
  shares: readonly number[],
  into: { [index: number]: number },
  at = 0,
): void {
  let below = 0;
  let bucket = -1;
  for (let index = 0; index < shares.length; index++) {
    const rank = Math.ceil(shares[index]! * total);
    while (below < rank && bucket + 1 < LATENCY_BUCKETS) {
      bucket += 1;
      below += counts[bucket]!;
    }
    into[at + index] = total === 0 ? 0 : bucketMiddle(bucket);
  }
}
