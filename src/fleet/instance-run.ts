/**
 * One instance with its disks, simulated from beginning to end: the inner loop of a fleet. A disk
 * without an instance is an instance of one disk whose own limits are none.
 *
 *   source ─ queue depth ─▶ issue ─▶ instance limits ─▶ disk limits ─▶ disk ─▶ end
 *                             └ the host encrypts before (writes) or decrypts after (reads)
 *
 * 1. Requests are taken in the order of their issue, over all disks of the instance; so every stage
 *    sees times that do not go back, and what a stage does to a request is final.
 * 2. A limit is a clock that runs ahead (the virtual scheduling of ITU-T I.371, as in
 *    performance/pacer.ts): a request is admitted when both clocks have come, and moves each on by
 *    what it takes of them. Disks of different instances share nothing.
 * 3. The host encrypts one request at a time, in order of issue; a read takes its place in that
 *    order when it is issued.
 * 4. A disk answers each request after its latency, however many there are; a serial one does one
 *    after the other (a queue by Lindley's recursion: M/D/1 or M/M/1, if configured so).
 * 5. queueDepth: the n-th request is not issued before the one queueDepth earlier has ended; the
 *    source waits, and goes on from there. Latency is counted from when the source wanted it.
 *
 * Nothing is allocated for a request: all state is in typed arrays, and functions of the loop give
 * results through them.
 */
import { bucketOf, LATENCY_BUCKETS } from './latency-buckets.ts';
import { drawAlias } from './alias-table.ts';
import { ARRIVAL_SLOTS, AT, nextArrival, startArrivals } from './arrivals.ts';
import { exponentialOf } from './elementary.ts';
import { type KindPlan, STREAM_ARRIVALS, STREAM_REQUESTS } from './fleet-plan.ts';
import { nextUint32, RANDOM_WORDS, seedRandom } from './random.ts';

/** Slots of a disk's state, after those of its source. */
const ISSUE = ARRIVAL_SLOTS;
const REQUEST_CLOCK = ARRIVAL_SLOTS + 1;
const BYTE_CLOCK = ARRIVAL_SLOTS + 2;
const BASE_REQUEST_CLOCK = ARRIVAL_SLOTS + 3;
const BASE_BYTE_CLOCK = ARRIVAL_SLOTS + 4;
const DISK_CLOCK = ARRIVAL_SLOTS + 5;
const STATE_SLOTS = ARRIVAL_SLOTS + 6;

/** What a disk came to: columns of its row. Times are sums of nanoseconds. */
export const REQUESTS = 0;
export const READS = 1;
export const BYTES = 2;
export const THROTTLED = 3;
export const HELD = 4;
export const BURST = 5;
export const WAIT_NS = 6;
export const LATENCY_NS = 7;
export const LATENCY_MAX_NS = 8;
/** Ended before the simulation did. */
export const DONE = 9;
export const RESULT_COLUMNS = 10;

/** Columns of the time series, by when requests end. */
export const SERIES_REQUESTS = 0;
export const SERIES_BYTES = 1;
export const SERIES_THROTTLED = 2;
export const SERIES_LATENCY_NS = 3;
export const SERIES_COLUMNS = 4;

/** Slots of the instance's own state. */
const INSTANCE_REQUEST_CLOCK = 0;
const INSTANCE_BYTE_CLOCK = 1;
const ENGINE_CLOCK = 2;
/** Results of admit() for the request at hand. */
const ADMITTED = 3;
const WAITED = 4;
const INSTANCE_SLOTS = 5;

const BURST_SECOND_NS = 1e9;

/** Buckets of a disk: of reads, then of writes. */
export const WRITE_BUCKETS: number = LATENCY_BUCKETS;
export const DISK_BUCKETS: number = 2 * LATENCY_BUCKETS;

/** Memory one instance at a time is simulated in, used again for the next. */
export class InstanceRun {
  readonly #plan: KindPlan;
  readonly #seed: number;
  readonly #state: Float64Array;
  readonly #shared = new Float64Array(INSTANCE_SLOTS);
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
  readonly #stepsPerNs: number;
  readonly #steps: number;

  constructor(plan: KindPlan, seed: number, stepNs: number, steps: number) {
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
    this.#stepsPerNs = 1 / stepNs;
    this.#steps = steps;
  }

  /**
   * Simulates the disks of one instance; their rows are then in results and buckets.
   *
   * @param from number of the first, in its kind
   * @param count at most plan.disksPerInstance
   */
  simulate(from: number, count: number): void {
    const { endNs } = this.#plan.arrivals;
    const state = this.#state;
    this.#start(from, count);
    if (count === 1) {
      while (state[ISSUE]! < endNs) {
        this.#serve(0);
        this.#advance(0, from);
      }
      return;
    }
    for (;;) {
      let next = 0;
      for (let disk = 1; disk < count; disk++) {
        const isSooner = state[disk * STATE_SLOTS + ISSUE]! < state[next * STATE_SLOTS + ISSUE]!;
        if (isSooner) next = disk;
      }
      if (state[next * STATE_SLOTS + ISSUE]! >= endNs) return;
      this.#serve(next);
      this.#advance(next, from + next);
    }
  }

  #start(from: number, count: number): void {
    const plan = this.#plan;
    this.#state.fill(0);
    this.#shared.fill(0);
    this.#ring.fill(0);
    this.results.fill(0);
    this.buckets.fill(0);
    for (let disk = 0; disk < count; disk++) {
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
    const { columns } = plan;
    const state = this.#state;
    const shared = this.#shared;
    const base = disk * STATE_SLOTS;
    const random = this.#requestRandom[disk]!;
    const size = drawAlias(plan.sizes, nextUint32(random));
    const isRead = nextUint32(random) < plan.readThreshold;
    const spread = nextUint32(random);
    const issue = state[base + ISSUE]!;
    const engine = shared[ENGINE_CLOCK]!;
    const encrypted = (engine > issue ? engine : issue) + columns.encryptionNs[size]!;
    if (columns.encryptionNs[size]! > 0) shared[ENGINE_CLOCK] = encrypted;
    this.#admit(base, size, isRead ? issue : encrypted);
    const latency = plan.isExponential
      ? plan.latencyNs * exponentialOf(spread)
      : plan.latencyNs + plan.latencySpreadNs * (spread / 0x8000_0000 - 1);
    let end = shared[ADMITTED]!;
    if (plan.disks.serial) {
      if (state[base + DISK_CLOCK]! > end) end = state[base + DISK_CLOCK]!;
      state[base + DISK_CLOCK] = end + latency;
    }
    end += latency;
    if (isRead) end += encrypted - issue;
    this.#count(disk, size, isRead, end);
  }

  /** When instance and disk let a request pass that comes to them at a time. */
  #admit(base: number, size: number, at: number): void {
    const { columns, canBurst } = this.#plan;
    const state = this.#state;
    const shared = this.#shared;
    let time = at;
    if (shared[INSTANCE_REQUEST_CLOCK]! > time) time = shared[INSTANCE_REQUEST_CLOCK]!;
    if (shared[INSTANCE_BYTE_CLOCK]! > time) time = shared[INSTANCE_BYTE_CLOCK]!;
    shared[INSTANCE_REQUEST_CLOCK] = time + columns.instanceRequestNs[size]!;
    shared[INSTANCE_BYTE_CLOCK] = time + columns.instanceByteNs[size]!;
    if (state[base + REQUEST_CLOCK]! > time) time = state[base + REQUEST_CLOCK]!;
    if (state[base + BYTE_CLOCK]! > time) time = state[base + BYTE_CLOCK]!;
    state[base + REQUEST_CLOCK] = time + columns.requestNs[size]!;
    state[base + BYTE_CLOCK] = time + columns.byteNs[size]!;
    shared[ADMITTED] = time;
    shared[WAITED] = time - at;
    if (canBurst) this.#countBurst(base, size, time);
  }

  /** Counts what the disk could not have done in a second without bursting. */
  #countBurst(base: number, size: number, time: number): void {
    const { columns } = this.#plan;
    const state = this.#state;
    const requestClock = state[base + BASE_REQUEST_CLOCK]!;
    const byteClock = state[base + BASE_BYTE_CLOCK]!;
    if (requestClock > time + BURST_SECOND_NS || byteClock > time + BURST_SECOND_NS) {
      const row = (base / STATE_SLOTS) * RESULT_COLUMNS;
      this.results[row + BURST] = this.results[row + BURST]! + 1;
      return;
    }
    state[base + BASE_REQUEST_CLOCK] = (requestClock > time ? requestClock : time) + columns.baseRequestNs[size]!;
    state[base + BASE_BYTE_CLOCK] = (byteClock > time ? byteClock : time) + columns.baseByteNs[size]!;
  }

  #count(disk: number, size: number, isRead: boolean, end: number): void {
    const { load, arrivals, columns } = this.#plan;
    const { results, series } = this;
    const base = disk * STATE_SLOTS;
    const row = disk * RESULT_COLUMNS;
    const bytes = columns.bytes[size]!;
    const arrival = this.#state[base + AT]!;
    const issue = this.#state[base + ISSUE]!;
    const latency = end - arrival;
    const waited = this.#shared[WAITED]!;
    const requests = results[row + REQUESTS]!;
    if (load.queueDepth > 0) {
      this.#ring[disk * load.queueDepth + (requests % load.queueDepth)] = end;
    }
    results[row + REQUESTS] = requests + 1;
    results[row + BYTES] = results[row + BYTES]! + bytes;
    results[row + LATENCY_NS] = results[row + LATENCY_NS]! + latency;
    if (latency > results[row + LATENCY_MAX_NS]!) results[row + LATENCY_MAX_NS] = latency;
    if (isRead) results[row + READS] = results[row + READS]! + 1;
    if (end < arrivals.endNs) results[row + DONE] = results[row + DONE]! + 1;
    const bucket = disk * DISK_BUCKETS + bucketOf(latency) + (isRead ? 0 : WRITE_BUCKETS);
    this.buckets[bucket] = this.buckets[bucket]! + 1;
    const step = end < arrivals.endNs ? Math.floor(end * this.#stepsPerNs) : this.#steps;
    const at = step * SERIES_COLUMNS;
    series[at + SERIES_REQUESTS] = series[at + SERIES_REQUESTS]! + 1;
    series[at + SERIES_BYTES] = series[at + SERIES_BYTES]! + bytes;
    series[at + SERIES_LATENCY_NS] = series[at + SERIES_LATENCY_NS]! + latency;
    if (issue > arrival) {
      results[row + HELD] = results[row + HELD]! + 1;
      // The source waited with it.
      this.#state[base + AT] = issue;
    }
    if (waited > 0) {
      results[row + THROTTLED] = results[row + THROTTLED]! + 1;
      results[row + WAIT_NS] = results[row + WAIT_NS]! + waited;
      series[at + SERIES_THROTTLED] = series[at + SERIES_THROTTLED]! + 1;
      const wait = bucketOf(waited);
      this.waits[wait] = this.waits[wait]! + 1;
    }
  }
}
