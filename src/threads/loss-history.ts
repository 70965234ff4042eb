/**
 * How often a thread was lost lately, and so whether and when it is started again.
 *
 *   first loss: at once; then after THREAD_RESTART_MS, twice as late each time;
 *   THREAD_LOSSES_MAX losses within THREAD_LOSS_WINDOW_MS: never (a circuit breaker)
 *
 * **Thread:** main.
 */
import { THREAD_LOSS_WINDOW_MS, THREAD_LOSSES_MAX, THREAD_RESTART_MS } from '../limits.ts';

export class LossHistory {
  private readonly lossesMax: number;
  private times: number[] = [];

  /** @param lossesMax infinite: it is always started again, at once. Tests only */
  constructor(lossesMax = THREAD_LOSSES_MAX) {
    this.lossesMax = lossesMax;
  }

  /**
   * The thread is lost.
   *
   * @param now milliseconds of a monotonic clock
   * @returns milliseconds to wait before it is started again; null: it is not
   */
  add(now: number): number | null {
    this.times = this.times.filter((time) => now - time < THREAD_LOSS_WINDOW_MS);
    this.times.push(now);
    const count = this.times.length;
    if (count >= this.lossesMax) return null;
    if (count === 1 || this.lossesMax === Number.POSITIVE_INFINITY) return 0;
    return THREAD_RESTART_MS * 2 ** (count - 2);
  }

  /** For the error of one that is not started again. */
  get text(): string {
    const seconds = THREAD_LOSS_WINDOW_MS / 1000;
    return `was lost ${this.times.length} times within ${seconds} s and is not started again`;
  }
}
