/**
 * rate_min: looks once a cycle whether a job makes what it must, and says so if it does not.
 *
 * As in fio (check_min_rate), each direction is looked at by itself over each cycle, and one that
 * made nothing at all yet is not judged before its first request.
 */
import { PlaneError } from '../base/errors.ts';
import type { PerDirection } from './job-values.ts';
import type { LoadStats } from './load-stats.ts';
import { type Operation, READ, TRIM, WRITE } from './operation-source.ts';

export interface FloorSettings {
  /** Bytes a second; 0: no floor. */
  readonly leastRateBytes: PerDirection;
  /** Requests a second; 0: no floor. */
  readonly leastRateRequests: PerDirection;
  readonly rateCycleMs: number;
}

const DIRECTIONS: readonly (readonly [Operation, keyof PerDirection])[] = [
  [READ, 'read'],
  [WRITE, 'write'],
  [TRIM, 'trim'],
];

/** True if some direction has a floor. */
export function hasFloor({ leastRateBytes, leastRateRequests }: FloorSettings): boolean {
  return [leastRateBytes, leastRateRequests].some(
    ({ read, write, trim }) => read + write + trim > 0,
  );
}

export class RateFloor {
  readonly #settings: FloorSettings;
  readonly #stats: LoadStats;
  #before: { requests: number; bytes: number }[];
  #lookedAtMs: number;

  constructor(settings: FloorSettings, stats: LoadStats, nowMs: number) {
    this.#settings = settings;
    this.#stats = stats;
    this.#before = this.#counts();
    this.#lookedAtMs = nowMs;
  }

  /** Judges the time since the last look. @returns what is wrong; null: nothing */
  look(nowMs: number): PlaneError | null {
    const seconds = (nowMs - this.#lookedAtMs) / 1e3;
    const now = this.#counts();
    const before = this.#before;
    this.#before = now;
    this.#lookedAtMs = nowMs;
    for (const [operation, direction] of DIRECTIONS) {
      const { requests, bytes } = now[operation]!;
      if (requests === 0) continue;
      const perSecond = (made: number): number => Math.floor(made / seconds);
      const leastBytes = this.#settings.leastRateBytes[direction];
      const madeBytes = perSecond(bytes - before[operation]!.bytes);
      if (madeBytes < leastBytes) return missed(direction, leastBytes, madeBytes, 'bytes');
      const least = this.#settings.leastRateRequests[direction];
      const made = perSecond(requests - before[operation]!.requests);
      if (made < least) return missed(direction, least, made, 'requests');
    }
    return null;
  }

  #counts(): { requests: number; bytes: number }[] {
    return this.#stats.directions.map(({ requests, bytes }) => ({ requests, bytes }));
  }
}

function missed(direction: string, least: number, made: number, unit: string): PlaneError {
  return new PlaneError(
    'RateNotHeld',
    `${direction}: expected at least ${least} ${unit} a second, got ${made}`,
  );
}
