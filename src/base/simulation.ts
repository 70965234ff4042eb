/**
 * Time moved and outages made, for tests of what is built on a plane: an aside of shared memory
 * that every thread of the plane reads, and nobody but the test writes.
 */
import { type Clock, systemClock } from './clock.ts';

/** Places in the memory: 64-bit numbers. */
const OFFSET_MS = 0;
const KMS_IS_DOWN = 1;
const PLACES = 2;

/**
 * What a test decides about a plane's world. Given to openPlane(), changed at any time.
 *
 * @example
 * import { openPlane, Simulation } from 'sealdisk';
 * const simulation = new Simulation();
 * await using plane = await openPlane({ memory: true, simulation });
 * const { KeyMetadata } = await plane.call('CreateKey', {});
 * await plane.call('ScheduleKeyDeletion', { KeyId: KeyMetadata.KeyId, PendingWindowInDays: 7 });
 * simulation.moveClock(8 * 24 * 60 * 60 * 1000);
 * await plane.call('DescribeKey', { KeyId: KeyMetadata.KeyId }).catch((error) => error.code);
 */
export class Simulation {
  readonly memory: SharedArrayBuffer;
  private readonly places: BigInt64Array;

  /** @param memory of another Simulation, on another thread: the two are one */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8 * PLACES)) {
    this.memory = memory;
    this.places = new BigInt64Array(memory);
  }

  /** The system's, moved. Durations are what they are. */
  get clock(): Clock {
    return {
      now: () => systemClock.now() + Number(Atomics.load(this.places, OFFSET_MS)),
      monotonic: systemClock.monotonic,
    };
  }

  /** Moves the plane's time by so many milliseconds; from where it was moved to before. */
  moveClock(milliseconds: number): void {
    Atomics.add(this.places, OFFSET_MS, BigInt(Math.round(milliseconds)));
  }

  get isKmsDown(): boolean {
    return Atomics.load(this.places, KMS_IS_DOWN) !== 0n;
  }

  /** While it is down KMS refuses everything with KmsUnavailable; keys already open serve on. */
  set isKmsDown(isDown: boolean) {
    Atomics.store(this.places, KMS_IS_DOWN, isDown ? 1n : 0n);
  }

  /** As at the beginning. */
  reset(): void {
    Atomics.store(this.places, OFFSET_MS, 0n);
    this.isKmsDown = false;
  }
}
