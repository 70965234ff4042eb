/**
 * One instance with its disks, simulated from beginning to end: the inner loop of a fleet. A disk
 * without an instance is an instance of one disk that has no limits of its own.
 *
 *   source ─ queue depth ─▶ issue ─▶ instance's limits ─▶ disk's limits ─▶ latency ─▶ end
 *                              └─ plus what encryption takes ────────────────────────┘
 *
 * 1. Requests are taken in the order of their issue, over all disks of the instance; so every stage
 *    sees times that do not go back, and what a stage does to a request is final. Disks of
 *    different instances share nothing.
 * 2. Limits and latency are those of performance/pacer.ts, the code that paces real disks; but for
 *    what it keeps for callers that are late, since nobody is here.
 * 3. The host encrypts, or decrypts, one request at a time, in order of issue; what that takes,
 *    waiting included, comes on top of the rest.
 * 4. A disk answers each request after its latency, however many there are; a serial one does one
 *    after the other (Lindley's recursion: M/D/1 or M/M/1, if configured so).
 * 5. queueDepth: the n-th request is not issued before the one queueDepth earlier has ended; the
 *    source waits, and goes on from there. Latency is counted from when the source wanted it.
 *
 * Times are microseconds from the beginning. No object is made for a request: all state is in
 * typed arrays, or in objects that are made once for a disk.
 */
import { PACING_BUCKET_US } from '../limits.ts';
import { DiskPacer } from '../performance/pacer.ts';
import type { PerformanceProfile } from '../performance/profile.ts';
import { drawAlias } from './alias-table.ts';
import { ARRIVAL_SLOTS, AT, nextArrival, startArrivals } from './arrivals.ts';
import { exponentialOf } from './elementary.ts';
import { type KindPlan, STREAM_ARRIVALS, STREAM_REQUESTS } from './fleet-plan.ts';
import { bucketOf, LATENCY_BUCKETS } from './latency-buckets.ts';
import { nextUint32, RANDOM_WORDS, seedRandom } from './random.ts';

/** Slots of a disk's state, after those of its source. */
const ISSUE = ARRIVAL_SLOTS;
/** When a serial disk is done with what it has. */
const DISK_FREE = ARRIVAL_SLOTS + 1;
/** Of the request at hand: how long limits held it, when it ends. */
const WAITED = ARRIVAL_SLOTS + 2;
const END = ARRIVAL_SLOTS + 3;
const STATE_SLOTS = ARRIVAL_SLOTS + 4;

/** What a disk came to: columns of its row. Times are sums of microseconds. */
export const REQUESTS = 0;
export const READS = 1;
/** Of requests that ended before the simulation did, as DONE. */
export const BYTES = 2;
export const THROTTLED = 3;
export const HELD = 4;
export const BURST = 5;
export const WAIT_US = 6;
export const LATENCY_US = 7;
export const LATENCY_MAX_US = 8;
export const DONE = 9;
export const RESULT_COLUMNS = 10;

/** Columns of the time series, by when requests end. */
export const SERIES_REQUESTS = 0;
export const SERIES_BYTES = 1;
export const SERIES_THROTTLED = 2;
export const SERIES_LATENCY_US = 3;
export const SERIES_COLUMNS = 4;

/** Buckets of a disk: of reads, then of writes. */
export const WRITE_BUCKETS: number = LATENCY_BUCKETS;
export const DISK_BUCKETS: number = 2 * LATENCY_BUCKETS;

/** Memory one instance at a time is simulated in, used again for the next. */
export class InstanceRun {
  readonly #plan: KindPlan;
  readonly #seed: number;
  readonly #state: Float64Array;
  readonly #pacers: (DiskPacer | null)[] = [];
  #instancePacer: DiskPacer | null = null;
  /** When the host is done encrypting what was issued: one number, here so that it is not boxed. */
  readonly #encryptedAt = new Float64Array(1);
  readonly #ring: Float64Array;
  readonly #arrivalRandom: readonly Int32Array[];
  readonly #requestRandom: readonly Int32Array[];
  /** Rows of RESULT_COLUMNS. */
  readonly results: Float64Array;
  /** Rows of DISK_BUCKETS. */
  readonly buckets: Uint32Array;
  /** Of all instances simulated here: rows of SERIES_COLUMNS, one more for what ends later. */
  readonly series: Float64Array;
  /** Of all instances: how long requests waited for limits, those that did. */
  readonly waits: Float64Array;
  readonly #stepsPerUs: number;
  readonly #steps: number;

  constructor(plan: KindPlan, seed: number, stepUs: number, steps: number) {
    const disks = plan.disksPerInstance;
    const generators = () => Array.from({ length: disks }, () => new Int32Array(RANDOM_WORDS));
    this.#plan = plan;
    this.#seed = seed;
    this.#state = new Float64Array(disks * STATE_SLOTS);
    this.#ring = new Float64Array(disks * plan.load.queueDepth);
    this.#arrivalRandom = generators();
    this.#requestRandom = generators();
    this.results = new Float64Array(disks * RESULT_COLUMNS);
    this.buckets = new Uint32Array(disks * DISK_BUCKETS);
    this.series = new Float64Array((steps + 1) * SERIES_COLUMNS);
    this.waits = new Float64Array(LATENCY_BUCKETS);
    this.#stepsPerUs = 1 / stepUs;
    this.#steps = steps;
  }

  /**
   * Simulates the disks of one instance; their rows are then in results and buckets.
   *
   * @param from number of the first, in its kind
   * @param count at most plan.disksPerInstance
   */
  simulate(from: number, count: number): void {
    const { endUs } = this.#plan.arrivals;
    const state = this.#state;
    this.#start(from, count);
    for (;;) {
      let next = 0;
      for (let disk = 1; disk < count; disk++) {
        const isSooner = state[disk * STATE_SLOTS + ISSUE]! < state[next * STATE_SLOTS + ISSUE]!;
        if (isSooner) next = disk;
      }
      if (state[next * STATE_SLOTS + ISSUE]! >= endUs) break;
      this.#serve(next);
      this.#advance(next, from + next);
    }
    for (let disk = 0; disk < count; disk++) {
      this.results[disk * RESULT_COLUMNS + BURST] = this.#pacers[disk]?.burstOperations ?? 0;
    }
  }

  #start(from: number, count: number): void {
    const plan = this.#plan;
    this.#state.fill(0);
    this.#encryptedAt[0] = 0;
    this.#instancePacer = pacerOf(plan.instanceProfile);
    this.#ring.fill(0);
    this.results.fill(0);
    this.buckets.fill(0);
    for (let disk = 0; disk < count; disk++) {
      this.#pacers[disk] = pacerOf(plan.profile);
      const number = plan.firstDisk + from + disk;
      const random = this.#arrivalRandom[disk]!;
      seedRandom(random, this.#seed, number, STREAM_ARRIVALS);
      seedRandom(this.#requestRandom[disk]!, this.#seed, number, STREAM_REQUESTS);
      const rate = plan.rates[from + disk]!;
      startArrivals(this.#state, disk * STATE_SLOTS, plan.arrivals, random, rate);
      this.#advance(disk, from + disk);
    }
  }

  /** Finds when the disk's next request is issued. */
  #advance(disk: number, numberInKind: number): void {
    const plan = this.#plan;
    const base = disk * STATE_SLOTS;
    const random = this.#arrivalRandom[disk]!;
    nextArrival(this.#state, base, plan.arrivals, random, plan.rates[numberInKind]!);
    const arrival = this.#state[base + AT]!;
    const depth = plan.load.queueDepth;
    let issue = arrival;
    if (depth > 0) {
      const place = this.results[disk * RESULT_COLUMNS + REQUESTS]! % depth;
      const free = this.#ring[disk * depth + place]!;
      if (free > issue) issue = free;
    }
    this.#state[base + ISSUE] = issue;
  }

  /** Takes the request the disk has next through all stages, and counts it. */
  #serve(disk: number): void {
    const plan = this.#plan;
    const random = this.#requestRandom[disk]!;
    const size = drawAlias(plan.sizes, nextUint32(random));
    const isRead = nextUint32(random) < plan.readThreshold;
    const issue = this.#state[disk * STATE_SLOTS + ISSUE]!;
    this.#pace(disk, issue, plan.bytes[size]!, nextUint32(random));
    const cost = plan.encryptionUs[size]!;
    if (cost > 0) {
      const free = this.#encryptedAt[0]!;
      const encrypted = (free > issue ? free : issue) + cost;
      this.#encryptedAt[0] = encrypted;
      const at = disk * STATE_SLOTS + END;
      this.#state[at] = this.#state[at]! + (encrypted - issue);
    }
    this.#count(disk, plan.bytes[size]!, isRead);
  }

  /** Limits and latency: finds WAITED and END. */
  #pace(disk: number, issue: number, bytes: number, uint32: number): void {
    const plan = this.#plan;
    const state = this.#state;
    const base = disk * STATE_SLOTS;
    const instancePacer = this.#instancePacer;
    const pacer = this.#pacers[disk]!;
    const chance = uint32 / 0x1_0000_0000;
    let start = issue;
    if (instancePacer !== null) {
      instancePacer.admit(start, bytes, 0);
      start = instancePacer.startedAt;
    }
    let end = start;
    if (pacer !== null) {
      end = pacer.admit(start, bytes, chance);
      start = pacer.startedAt;
    }
    state[base + WAITED] = start - issue;
    if (plan.isPlain) {
      state[base + END] = end;
      return;
    }
    const latency = plan.isExponential
      ? plan.latencyUs * exponentialOf(uint32)
      : pacer === null
        ? plan.latencyUs
        : end - start;
    if (plan.disks.serial && state[base + DISK_FREE]! > start) start = state[base + DISK_FREE]!;
    state[base + DISK_FREE] = start + latency;
    state[base + END] = start + latency;
  }

  #count(disk: number, bytes: number, isRead: boolean): void {
    const { load, arrivals } = this.#plan;
    const { results, series } = this;
    const base = disk * STATE_SLOTS;
    const row = disk * RESULT_COLUMNS;
    const end = this.#state[base + END]!;
    const arrival = this.#state[base + AT]!;
    const issue = this.#state[base + ISSUE]!;
    const latency = end - arrival;
    const waited = this.#state[base + WAITED]!;
    const requests = results[row + REQUESTS]!;
    if (load.queueDepth > 0) {
      this.#ring[disk * load.queueDepth + (requests % load.queueDepth)] = end;
    }
    results[row + REQUESTS] = requests + 1;
    results[row + LATENCY_US] = results[row + LATENCY_US]! + latency;
    if (latency > results[row + LATENCY_MAX_US]!) results[row + LATENCY_MAX_US] = latency;
    if (isRead) results[row + READS] = results[row + READS]! + 1;
    if (end < arrivals.endUs) {
      results[row + DONE] = results[row + DONE]! + 1;
      results[row + BYTES] = results[row + BYTES]! + bytes;
    }
    const bucket = disk * DISK_BUCKETS + bucketOf(latency) + (isRead ? 0 : WRITE_BUCKETS);
    this.buckets[bucket] = this.buckets[bucket]! + 1;
    const step = end < arrivals.endUs ? Math.floor(end * this.#stepsPerUs) : this.#steps;
    const at = step * SERIES_COLUMNS;
    series[at + SERIES_REQUESTS] = series[at + SERIES_REQUESTS]! + 1;
    series[at + SERIES_BYTES] = series[at + SERIES_BYTES]! + bytes;
    series[at + SERIES_LATENCY_US] = series[at + SERIES_LATENCY_US]! + latency;
    if (issue > arrival) {
      results[row + HELD] = results[row + HELD]! + 1;
      // The source waited with it.
      this.#state[base + AT] = issue;
    }
    if (waited > 0) {
      results[row + THROTTLED] = results[row + THROTTLED]! + 1;
      results[row + WAIT_US] = results[row + WAIT_US]! + waited;
      series[at + SERIES_THROTTLED] = series[at + SERIES_THROTTLED]! + 1;
      const wait = bucketOf(waited);
      this.waits[wait] = this.waits[wait]! + 1;
    }
  }
}

function pacerOf(profile: PerformanceProfile | null): DiskPacer | null {
  return profile === null ? null : new DiskPacer(profile, 0, PACING_BUCKET_US);
}
