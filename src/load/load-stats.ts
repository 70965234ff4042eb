/**
 * What a clone of a job measured: requests, bytes and latencies by direction, and the rate as
 * sampled every half second (fio: bwavgtime, iopsavgtime).
 *
 * Times are milliseconds of performance.now(); latencies are recorded in nanoseconds.
 */
import { type HistogramRecord, LatencyHistogram } from './histogram.ts';
import { IntervalSeries, POINTS_MAX, type SeriesRecord } from './interval-series.ts';
import { FLUSH, type Operation } from './operation-source.ts';

const SAMPLE_MS = 500;

/** The measurements of a clone as data, for another thread. */
export interface LoadStatsRecord {
  readonly directions: readonly DirectionRecord[];
  readonly response: HistogramRecord;
  readonly own: HistogramRecord;
}

interface DirectionRecord {
  readonly requests: number;
  readonly bytes: number;
  readonly runtimeMs: number;
  readonly latency: HistogramRecord;
  readonly requestRate: RateRecord;
  readonly kibRate: RateRecord;
  readonly series: SeriesRecord;
}

interface RateRecord {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  readonly deviation: number;
  readonly samples: number;
}

/** Least, most, mean and deviation of a sampled rate. */
export class RateSamples {
  least = Number.POSITIVE_INFINITY;
  most = 0;
  #count = 0;
  #sum = 0;
  #sumOfSquares = 0;
  #mergedMeans = 0;
  #mergedVariances = 0;
  #mergedCount = 0;

  add(rate: number): void {
    this.#count += 1;
    this.#sum += rate;
    this.#sumOfSquares += rate * rate;
    this.least = Math.min(this.least, rate);
    this.most = Math.max(this.most, rate);
  }

  /** Adds a clone that ran beside this one: means add up, as in fio's sum_stat(pure_sum). */
  merge(other: RateSamples): void {
    this.addRecord(other.toRecord());
  }

  toRecord(): RateRecord {
    const { least, most } = this;
    return { least, most, mean: this.mean(), deviation: this.deviation(), samples: this.samples() };
  }

  /** Adds a clone that ran beside this one, in another thread. */
  addRecord({ least, most, mean, deviation, samples }: RateRecord): void {
    if (samples === 0) return;
    this.#mergedMeans += mean;
    this.#mergedVariances += deviation ** 2;
    this.least = Math.min(this.least, least);
    this.most = Math.max(this.most, most);
    this.#mergedCount += samples;
  }

  /** Forgets all samples. */
  reset(): void {
    this.least = Number.POSITIVE_INFINITY;
    this.most = 0;
    this.#count = 0;
    this.#sum = 0;
    this.#sumOfSquares = 0;
    this.#mergedMeans = 0;
    this.#mergedVariances = 0;
    this.#mergedCount = 0;
  }

  /** How many samples, of all clones. */
  samples(): number {
    return this.#count + this.#mergedCount;
  }

  mean(): number {
    return this.#mergedMeans + (this.#count === 0 ? 0 : this.#sum / this.#count);
  }

  deviation(): number {
    if (this.#count === 0) return Math.sqrt(this.#mergedVariances);
    const mean = this.#sum / this.#count;
    const variance = Math.max(0, this.#sumOfSquares / this.#count - mean * mean);
    return Math.sqrt(variance + this.#mergedVariances);
  }
}

/** One direction of one clone: reads, writes, trims or flushes. */
export class DirectionStats {
  requests = 0;
  bytes = 0;
  /** Time in which such requests were made, all turns together. */
  runtimeMs = 0;
  readonly latency = new LatencyHistogram();
  /** Requests per second. */
  readonly requestRate = new RateSamples();
  /** KiB per second, fio's unit for bw. */
  readonly kibRate = new RateSamples();
  /** All of the above but runtimeMs, over time. */
  readonly series = new IntervalSeries();
  #sampledRequests = 0;
  #sampledBytes = 0;

  record(latencyMs: number, lengthBytes: number): void {
    this.requests += 1;
    this.bytes += lengthBytes;
    const latencyNs = latencyMs * 1e6;
    this.latency.record(latencyNs);
    this.series.record(latencyNs, lengthBytes);
  }

  sample(elapsedMs: number): void {
    const requests = this.requests - this.#sampledRequests;
    const bytes = this.bytes - this.#sampledBytes;
    this.#sampledRequests = this.requests;
    this.#sampledBytes = this.bytes;
    if (requests === 0) return;
    this.requestRate.add((requests * 1e3) / elapsedMs);
    this.kibRate.add((bytes / 1024) * (1e3 / elapsedMs));
  }

  /** Forgets everything measured. */
  reset(): void {
    this.requests = 0;
    this.bytes = 0;
    this.runtimeMs = 0;
    this.latency.reset();
    this.requestRate.reset();
    this.kibRate.reset();
    this.series.reset();
    this.#sampledRequests = 0;
    this.#sampledBytes = 0;
  }

  merge(other: DirectionStats): void {
    this.requests += other.requests;
    this.bytes += other.bytes;
    this.runtimeMs = Math.max(this.runtimeMs, other.runtimeMs);
    this.latency.add(other.latency);
    this.requestRate.merge(other.requestRate);
    this.kibRate.merge(other.kibRate);
    this.series.merge(other.series);
  }

  toRecord(): DirectionRecord {
    const { requests, bytes, runtimeMs, latency, requestRate, kibRate } = this;
    return {
      requests,
      bytes,
      runtimeMs,
      latency: latency.toRecord(),
      requestRate: requestRate.toRecord(),
      kibRate: kibRate.toRecord(),
      series: this.series.toRecord(),
    };
  }

  addRecord(record: DirectionRecord): void {
    this.requests += record.requests;
    this.bytes += record.bytes;
    this.runtimeMs = Math.max(this.runtimeMs, record.runtimeMs);
    this.latency.addRecord(record.latency);
    this.requestRate.addRecord(record.requestRate);
    this.kibRate.addRecord(record.kibRate);
    this.series.addRecord(record.series);
  }
}

/** Everything one clone measured. */
export class LoadStats {
  /** Indexed by Operation: READ, WRITE, TRIM, FLUSH. */
  readonly directions: readonly DirectionStats[];
  /** Latency counted from when a request was due, not from when it was made; paced runs only. */
  readonly response = new LatencyHistogram();
  /** What the generator itself took for a request, of those that were timed: own-cost.ts. */
  readonly own = new LatencyHistogram();
  #begunAtMs = 0;
  #sampledAtMs = 0;
  #requestsAtBegin: readonly number[] = [];
  #intervalMs: number;
  /** The interval that is open: its number, since when it is measured, and when it ends. */
  #interval = 0;
  #intervalFromMs = 0;
  #intervalEndMs = Number.POSITIVE_INFINITY;

  constructor() {
    this.directions = Array.from({ length: FLUSH + 1 }, () => new DirectionStats());
    this.#intervalMs = this.directions[0]!.series.intervalMs;
  }

  direction(operation: Operation): DirectionStats {
    return this.directions[operation]!;
  }

  /** Starts a turn: from here on time counts. */
  begin(nowMs: number): void {
    this.#begunAtMs = nowMs;
    this.#sampledAtMs = nowMs;
    this.#openInterval(nowMs);
    this.#requestsAtBegin = this.directions.map(({ requests }) => requests);
  }

  /** Forgets everything measured, and goes on with the turn from here. */
  reset(nowMs: number): void {
    for (const direction of this.directions) direction.reset();
    this.response.reset();
    this.own.reset();
    this.begin(nowMs);
  }

  /** Takes a sample of the rates if half a second has passed since the last. */
  sampleIfDue(nowMs: number): void {
    if (nowMs >= this.#intervalEndMs) this.#endIntervals(nowMs);
    const elapsedMs = nowMs - this.#sampledAtMs;
    if (elapsedMs < SAMPLE_MS) return;
    this.#sampledAtMs = nowMs;
    for (const direction of this.directions) direction.sample(elapsedMs);
  }

  /** Ends a turn: its time counts for the directions that made requests in it. */
  end(nowMs: number): void {
    this.#endIntervals(nowMs);
    this.#cut(Math.max(0, nowMs - this.#intervalFromMs));
    this.#intervalEndMs = Number.POSITIVE_INFINITY;
    for (const [index, direction] of this.directions.entries()) {
      if (direction.requests === this.#requestsAtBegin[index]) continue;
      direction.runtimeMs += Math.max(0, nowMs - this.#begunAtMs);
    }
  }

  #openInterval(fromMs: number): void {
    this.#interval = Math.floor((performance.timeOrigin + fromMs) / this.#intervalMs);
    this.#intervalFromMs = fromMs;
    this.#intervalEndMs = (this.#interval + 1) * this.#intervalMs - performance.timeOrigin;
  }

  /** Makes points of all intervals that are over. */
  #endIntervals(nowMs: number): void {
    while (nowMs >= this.#intervalEndMs) {
      const endMs = this.#intervalEndMs;
      this.#cut(endMs - this.#intervalFromMs);
      if (this.directions.some(({ series }) => series.points.length > POINTS_MAX)) {
        this.#intervalMs *= 2;
        for (const { series } of this.directions) series.widen(this.#intervalMs);
      }
      this.#openInterval(endMs);
    }
  }

  #cut(measuredMs: number): void {
    for (const { series } of this.directions) series.cut(this.#interval, measuredMs);
  }

  /** Adds another clone's measurements; runtimes become the longer ones. */
  merge(other: LoadStats): void {
    for (const [index, direction] of this.directions.entries()) {
      direction.merge(other.directions[index]!);
    }
    this.response.add(other.response);
    this.own.add(other.own);
  }

  toRecord(): LoadStatsRecord {
    return {
      directions: this.directions.map((direction) => direction.toRecord()),
      response: this.response.toRecord(),
      own: this.own.toRecord(),
    };
  }

  /** What a clone measured in another thread. */
  static fromRecord(record: LoadStatsRecord): LoadStats {
    const stats = new LoadStats();
    for (const [index, direction] of stats.directions.entries()) {
      direction.addRecord(record.directions[index]!);
    }
    stats.response.addRecord(record.response);
    stats.own.addRecord(record.own);
    return stats;
  }

  requests(): number {
    return this.directions.reduce((sum, { requests }) => sum + requests, 0);
  }

  bytes(): number {
    return this.directions.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Gives the histograms' memory back. */
  release(): void {
    for (const { latency } of this.directions) latency.release();
    this.response.release();
    this.own.release();
  }
}
