/**
 * Requests to attached disks, counted by what they were and whether the disk is encrypted, since
 * the plane was opened. Of a sample the time is taken, from the call to its answer, by stages.
 *
 * **Thread:** main.
 */
import { type TimeCounts, TimeHistogram } from '../base/time-histogram.ts';
import { OPERATION, type Operation } from '../record/shard-channel.ts';
import { type RequestTimes, STAGES, type Stage, type StageSeconds } from './request-times.ts';

/** Seconds. Cryptography of a sector takes a microsecond or two. */
const SHORT_BOUNDS = [0.000001, 0.0000025, 0.000005];
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
  readonly stages: readonly { readonly stage: Stage; readonly times: TimeCounts }[];
}

/** A request that is settled. */
interface SettledRequest {
  readonly operation: Operation;
  readonly lengthBytes: number;
  readonly error: unknown;
  /** null: it is not of the sample. */
  readonly times: RequestTimes | null;
}

/** Of one kind of request. */
class Lane {
  requests = 0;
  bytes = 0;
  failures = 0;
  readonly times = new TimeHistogram([...BOUNDS, ...LONG_BOUNDS]);
  readonly stages: ReadonlyMap<Stage, TimeHistogram> = new Map(
    STAGES.map((stage) => [stage, new TimeHistogram([...SHORT_BOUNDS, ...BOUNDS, ...LONG_BOUNDS])]),
  );
}

export class IoCounters {
  readonly #plain: readonly Lane[] = newLanes();
  readonly #encrypted: readonly Lane[] = newLanes();

  /**
   * The caller of a request is answered.
   *
   * @returns where its time went; null: it failed, or its time was not taken
   */
  count(request: SettledRequest, isEncrypted: boolean): StageSeconds | null {
    const lane = (isEncrypted ? this.#encrypted : this.#plain)[request.operation]!;
    lane.requests++;
    if (request.error !== null) {
      lane.failures++;
      return null;
    }
    lane.bytes += request.lengthBytes;
    if (request.times === null) return null;
    const seconds = request.times.answer();
    lane.times.add(seconds.whole);
    for (const [stage, times] of lane.stages) times.add(seconds[stage]);
    return seconds;
  }

  read(): IoCount[] {
    return Object.entries(OPERATION).flatMap(([name, operation]) =>
      [false, true].map((encrypted) => {
        const lane = (encrypted ? this.#encrypted : this.#plain)[operation]!;
        const { requests, bytes, failures } = lane;
        const stages = [...lane.stages].map(([stage, times]) => ({ stage, times: times.read() }));
        const counted = { requests, bytes, failures, times: lane.times.read(), stages };
        return { operation: name as keyof typeof OPERATION, encrypted, ...counted };
      }),
    );
  }
}

/** By number of the operation. */
function newLanes(): Lane[] {
  return Array.from({ length: Math.max(...Object.values(OPERATION)) + 1 }, () => new Lane());
}
