/**
 * How long a thread looks for work before it sleeps: as long as looking pays.
 *
 * Looking saves a wake-up when work comes soon. When it does not (the other side is not running,
 * or has nothing to say), the time is lost, and on a busy machine it is taken from the thread that
 * is waited for. So what was in vain halves the time, down to none; what was not doubles it again.
 * From none it is tried again, a little, after PROBE_EVERY sleeps.
 *
 * **Thread:** any; one thread's own.
 */

/** Below this part of the most it is not worth looking. */
const LEAST_PART = 1 / 8;
const PROBE_EVERY = 16;

export class PollBudget {
  private readonly most: number;
  private readonly least: number;
  private current: number;
  private sleeps = 0;

  /** @param most in whatever unit; 0: never look */
  constructor(most: number) {
    this.most = most;
    this.least = most * LEAST_PART;
    this.current = most;
  }

  /** How long to look now. */
  get duration(): number {
    return this.current;
  }

  /** Work came while it was looked for. */
  succeeded(): void {
    this.current = Math.min(this.most, Math.max(this.least, this.current * 2));
  }

  /** None came, and the thread goes to sleep. */
  failed(): void {
    if (this.current > this.least) {
      this.current /= 2;
      return;
    }
    this.current = 0;
    if (++this.sleeps % PROBE_EVERY === 0) this.current = this.least;
  }
}
