/**
 * The attached disk that is no faster than its category (performance/pacer.ts).
 *
 * Its requests go to the shard at once, as those of any disk. What is held is the answer: a request
 * that the shard has done is answered when the modelled disk is done with it; one the shard takes
 * longer for, as soon as it is done. So what is held has taken effect, and
 *
 * 1. a lost shard or a closing disk finds nothing held that could still fail: when a disk is
 *    closed, what is held is answered at once;
 * 2. a request that fails is answered at once;
 * 3. drain(), before a snapshot for instance, waits for the shard alone.
 *
 * **Thread:** main.
 */
import { systemClock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { createPrng, type Prng } from '../base/prng.ts';
import { PACING_SLACK_MS, QUEUE_REQUESTS_MAX } from '../limits.ts';
import { DiskPacer } from '../performance/pacer.ts';
import type { PerformanceProfile } from '../performance/profile.ts';
import { OPERATION, type Operation } from '../record/shard-channel.ts';
import { DiskIo, type DiskIoOptions } from './disk-io.ts';
import type { IoRequest } from './dispatch.ts';
import type { HeldCompletions } from './held-completions.ts';

const MICROSECONDS = 1_000;

/** A stage that requests of several disks pass, in the order they are made, before their own. */
export interface SharedStage {
  /** @returns when the request leaves it, microseconds; never before an earlier one did */
  pass(now: number, bytes: number): number;
  /** One of the disks is closed. Called once for each. */
  leave(): void;
}

export class PacedDiskIo extends DiskIo {
  private readonly pacer: DiskPacer;
  private readonly completions: HeldCompletions;
  private readonly chance: Prng;
  private readonly shared: SharedStage | null;
  /** Requests made and not answered. */
  private unanswered = 0;

  /** @param shared what it has together with other disks; null: nothing */
  constructor(
    options: DiskIoOptions,
    profile: PerformanceProfile,
    completions: HeldCompletions,
    shared: SharedStage | null = null,
  ) {
    super(options);
    this.pacer = new DiskPacer(profile, systemClock.monotonic() * MICROSECONDS);
    this.completions = completions;
    this.shared = shared;
    this.chance = createPrng(options.handle);
  }

  /** What comes from now on is as fast as this. */
  override changeProfile(profile: PerformanceProfile): void {
    this.pacer.change(profile);
  }

  protected override letGo(): void {
    this.completions.letGo(this);
    this.shared?.leave();
  }

  protected override submit(
    operation: Operation,
    offsetBytes: number,
    lengthBytes: number,
    bytes: Uint8Array | null,
    flags: number,
  ): Promise<Uint8Array | undefined> {
    if (this.unanswered === QUEUE_REQUESTS_MAX) {
      const what = `${QUEUE_REQUESTS_MAX} requests are waiting for ${this.diskId}`;
      return Promise.reject(new PlaneError('Busy', what));
    }
    return new Promise((resolve, reject) => {
      let dueMs = 0;
      const end = (): void => {
        this.unanswered--;
        // With the time it was held: it is what callers see of the disk.
        this.count(request);
      };
      const answer = (): void => {
        end();
        resolve(operation === OPERATION.read ? (bytes as Uint8Array) : undefined);
      };
      const settled = (done: IoRequest): void => {
        const isDue = dueMs <= systemClock.monotonic() + PACING_SLACK_MS;
        if (done.error !== null) {
          end();
          reject(done.error);
        } else if (isDue) {
          answer();
        } else {
          this.completions.hold({ dueMs, owner: this, deliver: answer });
        }
        // Last: a disk that is closing lets go of what is held then.
        this.leave();
      };
      const request = this.newRequest(operation, offsetBytes, lengthBytes, bytes, flags, settled);
      // Throws Busy or ShardLost, which rejects this promise and costs no token.
      this.start(request);
      this.unanswered++;
      dueMs = this.admit(operation, bytes === null ? 0 : lengthBytes);
    });
  }

  private admit(operation: Operation, bytes: number): number {
    const now = systemClock.monotonic() * MICROSECONDS;
    const chance = this.chance.nextFloat();
    if (operation === OPERATION.flush) return this.pacer.admitFlush(now, chance) / MICROSECONDS;
    const start = this.shared === null ? now : this.shared.pass(now, bytes);
    return this.pacer.admit(start, bytes, chance) / MICROSECONDS;
  }
}
