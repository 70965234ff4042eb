/**
 * When the next step of a task is due, so that bytes per second are what was asked for.
 *
 * **Thread:** main.
 */
import type { Clock } from '../../base/clock.ts';
import { TASK_LAG_MS_MAX } from '../../limits.ts';

export class Pace {
  private readonly clock: Clock;
  private readonly bytesPerSecond: number;
  private dueMs: number;

  /** @param bytesPerSecond 0: no pace */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.clock = clock;
    this.bytesPerSecond = bytesPerSecond;
    this.dueMs = clock.monotonic();
  }

  /** @returns milliseconds to wait */
  after(movedBytes: number): number {
    if (this.bytesPerSecond === 0) return 0;
    const now = this.clock.monotonic();
    this.dueMs += (movedBytes / this.bytesPerSecond) * 1000;
    // What was missed long ago is not made up for: it would come all at once.
    this.dueMs = Math.max(this.dueMs, now - TASK_LAG_MS_MAX);
    return this.dueMs - now;
  }
}
