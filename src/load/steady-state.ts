/**
 * steadystate: ends jobs when their rate has stopped changing.
 *
 *   rates, one an interval ─▶ window of ss_dur ─▶ criterion ─below the limit─▶ jobs end
 *
 * The window rolls: each new rate takes the oldest one's place. The criterion is the largest
 * distance of a rate from the window's mean, or the slope of the line of least squares through it,
 * in the rate's unit or in percent of the mean (fio HOWTO, "Steady state"; steadystate.c). With
 * group_reporting the rates are those of all jobs of the group, which end together.
 */
import { invariant } from '../base/invariant.ts';
import type { LoadStats } from './load-stats.ts';
import { READ, TRIM, WRITE } from './operation-source.ts';

/** What the rate is judged by. */
export interface SteadyCriterion {
  readonly quantity: 'iops' | 'bw';
  /** Otherwise the largest distance from the mean. */
  readonly isSlope: boolean;
  readonly limit: number;
  /** The limit is in percent of the mean. */
  readonly isPercent: boolean;
}

/** Times of the watch, milliseconds. */
export interface SteadyTimes {
  /** Length of the window; 0: nothing is watched. */
  readonly windowMs: number;
  /** Not looked at, from the first request on. */
  readonly rampMs: number;
  /** Between two rates. */
  readonly intervalMs: number;
}

/** What was seen, for a report. */
export interface SteadyResult extends SteadyCriterion {
  readonly windowMs: number;
  readonly isAttained: boolean;
  /** What was last compared with the limit; 0 before the window was full. */
  readonly criterion: number;
  readonly deviation: number;
  readonly slope: number;
  /** The window, oldest first. */
  readonly iops: readonly number[];
  /** Bytes a second. */
  readonly bw: readonly number[];
}

/** The window and its judgement. */
export class SteadyState {
  readonly #criterion: SteadyCriterion;
  readonly #windowMs: number;
  readonly #length: number;
  readonly #iops: number[] = [];
  readonly #bw: number[] = [];
  #last = 0;
  #deviation = 0;
  #slope = 0;
  #isAttained = false;

  constructor(criterion: SteadyCriterion, { windowMs, intervalMs }: SteadyTimes) {
    this.#criterion = criterion;
    this.#windowMs = windowMs;
    this.#length = Math.max(1, Math.floor(windowMs / intervalMs));
  }

  /** Takes the rates of an interval. @returns true if the state is steady */
  add(requestsPerSecond: number, bytesPerSecond: number): boolean {
    invariant(!this.#isAttained, 'nobody watches what is steady');
    this.#iops.push(Math.round(requestsPerSecond));
    this.#bw.push(Math.round(bytesPerSecond));
    if (this.#iops.length > this.#length) {
      this.#iops.shift();
      this.#bw.shift();
    }
    if (this.#iops.length < this.#length) return false;
    const { quantity, isSlope, isPercent, limit } = this.#criterion;
    const window = quantity === 'iops' ? this.#iops : this.#bw;
    const mean = window.reduce((sum, each) => sum + each, 0) / window.length;
    if (isSlope) this.#slope = slopeOf(window, mean);
    else this.#deviation = Math.max(...window.map((each) => Math.abs(each - mean)));
    const value = isSlope ? this.#slope : this.#deviation;
    this.#last = isPercent ? (100 * value) / mean : value;
    this.#isAttained = Math.abs(this.#last) < limit;
    return this.#isAttained;
  }

  result(): SteadyResult {
    return {
      ...this.#criterion,
      windowMs: this.#windowMs,
      isAttained: this.#isAttained,
      criterion: this.#last,
      deviation: this.#deviation,
      slope: this.#slope,
      iops: [...this.#iops],
      bw: [...this.#bw],
    };
  }
}

/** Slope of the line of least squares through values one apart; 0 for a single one. */
function slopeOf(values: readonly number[], mean: number): number {
  const middle = (values.length - 1) / 2;
  let products = 0;
  let squares = 0;
  for (const [at, value] of values.entries()) {
    products += (at - middle) * (value - mean);
    squares += (at - middle) ** 2;
  }
  return squares === 0 ? 0 : products / squares;
}

/** Looks at jobs once an interval, and ends them when they are steady. */
export class SteadyWatch {
  readonly state: SteadyState;
  readonly #parts: readonly LoadStats[];
  readonly #times: SteadyTimes;
  readonly #onSteady: () => void;
  #timer: NodeJS.Timeout | null = null;
  #beganAtMs = Number.NaN;
  #before = { requests: 0, bytes: 0, atMs: 0 };

  /** @param parts what the jobs measure, judged together */
  constructor(
    parts: readonly LoadStats[],
    criterion: SteadyCriterion,
    times: SteadyTimes,
    onSteady: () => void,
  ) {
    this.state = new SteadyState(criterion, times);
    this.#parts = parts;
    this.#times = times;
    this.#onSteady = onSteady;
  }

  begin(): void {
    this.#timer = setInterval(() => this.#look(performance.now()), this.#times.intervalMs);
  }

  /** No more looks: jobs that have ended would look very steady. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(nowMs: number): void {
    const { requests, bytes, atMs } = this.#before;
    const now = { ...this.#counts(), atMs: nowMs };
    if (now.requests === 0) return;
    this.#before = now;
    const isFirst = Number.isNaN(this.#beganAtMs);
    if (isFirst) this.#beganAtMs = nowMs;
    if (isFirst || nowMs - this.#beganAtMs < this.#times.rampMs) return;
    const seconds = (nowMs - atMs) / 1e3;
    if (!this.state.add((now.requests - requests) / seconds, (now.bytes - bytes) / seconds)) return;
    this.end();
    this.#onSteady();
  }

  /** Reads, writes and trims; flushes are not counted, as in fio. */
  #counts(): { requests: number; bytes: number } {
    let requests = 0;
    let bytes = 0;
    for (const stats of this.#parts) {
      for (const operation of [READ, WRITE, TRIM] as const) {
        requests += stats.direction(operation).requests;
        bytes += stats.direction(operation).bytes;
      }
    }
    return { requests, bytes };
  }
}
