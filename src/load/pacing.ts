/**
 * When each request of a job with a rate is due.
 *
 * 1. A schedule is counted from the start of the turn, not from the request before: a job that fell
 *    behind catches up, and how late a request is made counts in its response time (fio io_u.c,
 *    usec_for_io).
 * 2. linear: request n is due when n requests (rate_iops), or the bytes before it (rate), should
 *    have been made. poisson: gaps are exponential, with the same mean.
 * 3. Reads, writes and trims each have a schedule; a direction without a rate is always due.
 */
import type { Prng } from '../base/prng.ts';
import type { PerDirection } from './job-values.ts';
import { FLUSH, type Operation, READ, TRIM, WRITE } from './operation-source.ts';

export interface PaceSettings {
  /** Bytes a second; 0: no limit. */
  readonly rateBytes: PerDirection;
  /** Requests a second; 0: no limit. Wins over rateBytes. */
  readonly rateRequests: PerDirection;
  readonly isPoisson: boolean;
}

/** True if some direction has a rate. */
export function isPaced({ rateBytes, rateRequests }: PaceSettings): boolean {
  return [rateBytes, rateRequests].some(({ read, write, trim }) => read + write + trim > 0);
}

/** What one direction has been given, and at which rate. */
interface Lane {
  readonly perSecond: number;
  readonly countsBytes: boolean;
  /** Bytes or requests given so far; with poisson the sum of gaps, milliseconds. */
  given: number;
  dueMs: number;
}

export class Pacer {
  readonly #lanes: readonly (Lane | null)[];
  readonly #gaps: Prng | null;
  #beganAtMs = 0;

  constructor({ rateBytes, rateRequests, isPoisson }: PaceSettings, prng: Prng) {
    const laneOf = (bytes: number, requests: number): Lane | null => {
      if (bytes === 0 && requests === 0) return null;
      const countsBytes = requests === 0;
      return { perSecond: countsBytes ? bytes : requests, countsBytes, given: 0, dueMs: 0 };
    };
    const lanes: (Lane | null)[] = [];
    lanes[READ] = laneOf(rateBytes.read, rateRequests.read);
    lanes[WRITE] = laneOf(rateBytes.write, rateRequests.write);
    lanes[TRIM] = laneOf(rateBytes.trim, rateRequests.trim);
    lanes[FLUSH] = null;
    this.#lanes = lanes;
    this.#gaps = isPoisson ? prng : null;
  }

  /** Starts the schedules: what is given from here on is due from nowMs on. */
  begin(nowMs: number): void {
    this.#beganAtMs = nowMs;
    for (const lane of this.#lanes) {
      if (lane === null) continue;
      lane.given = 0;
      lane.dueMs = 0;
    }
  }

  /** Moves what is still to come: time that does not count. */
  shift(milliseconds: number): void {
    this.#beganAtMs += milliseconds;
  }

  /** When the next request of that kind is due, on performance.now()'s clock; 0: always. */
  dueAtMs(operation: Operation): number {
    const lane = this.#lanes[operation]!;
    return lane === null ? 0 : this.#beganAtMs + lane.dueMs;
  }

  /** Counts a request that was given. */
  give(operation: Operation, lengthBytes: number): void {
    const lane = this.#lanes[operation]!;
    if (lane === null) return;
    const amount = lane.countsBytes ? lengthBytes : 1;
    if (this.#gaps !== null) {
      const meanMs = (amount * 1e3) / lane.perSecond;
      lane.dueMs += -Math.log(1 - this.#gaps.nextFloat()) * meanMs;
      return;
    }
    lane.given += amount;
    lane.dueMs = (lane.given * 1e3) / lane.perSecond;
  }
}
