/**
 * Requests to attached disks, counted by what they were and whether the disk is encrypted, since
 * the plane was opened. Of one in SAMPLE_EVERY the time is taken, from the call to its answer.
 *
 * **Thread:** main.
 */
import { systemClock } from '../base/clock.ts';
import { type TimeCounts, TimeHistogram } from '../base/time-histogram.ts';
import { OPERATION, type Operation } from '../record/shard-channel.ts';

/** Reading the clock twice costs some hundredths of what a request costs. */
const SAMPLE_EVERY = 32;
/** Seconds. */
const BOUNDS = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005];
const LONG_BOUNDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** An IoCount of types.ts, which this layer does not import. */
interface IoCount {
  readonly operation: keyof typeof OPERATION;
  readonly encrypted: boolean;
  readonly requests: number;
  readonly bytes: number;
  readonly failures: number;
  readonly times: TimeCounts;
}

/** Of one kind of request. */
class Lane {
  requests = 0;
  bytes = 0;
  failures = 0;
  readonly times = new TimeHistogram([...BOUNDS, ...LONG_BOUNDS]);
}

export class IoCounters {
  readonly #plain: readonly Lane[] = newLanes();
  readonly #encrypted: readonly Lane[] = newLanes();
  #untilSample = 1;

  /** @returns when a request began, in milliseconds; 0: its time is not taken */
  begin(): number {
    if (--this.#untilSample > 0) return 0;
    this.#untilSample = SAMPLE_EVERY;
    return systemClock.monotonic();
  }

  /** A request is settled. */
  count(
    operation: Operation,
    isEncrypted: boolean,
    request: { readonly lengthBytes: number; readonly error: unknown },
    beganAt: number,
  ): void {
    const lane = (isEncrypted ? this.#encrypted : this.#plain)[operation]!;
    lane.requests++;
    if (request.error === null) lane.bytes += request.lengthBytes;
    else lane.failures++;
    if (beganAt > 0) lane.times.add((systemClock.monotonic() - beganAt) / 1_000);
  }

  read(): IoCount[] {
    return Object.entries(OPERATION).flatMap(([name, operation]) =>
      [false, true].map((encrypted) => {
        const lane = (encrypted ? this.#encrypted : this.#plain)[operation]!;
        const { requests, bytes, failures, times } = lane;
        const counted = { requests, bytes, failures, times: times.read() };
        return { operation: name as keyof typeof OPERATION, encrypted, ...counted };
      }),
    );
  }
}

/** By number of the operation. */
function newLanes(): Lane[] {
  return Array.from({ length: Math.max(...Object.values(OPERATION)) + 1 }, () => new Lane());
}
