/**
 * Waits for the moment a request is due. A timer is coarser than a millisecond: what is nearer than
 * SPIN_MS is waited for by turns of the event loop, so whoever waits looks again when it is over.
 *
 * **Thread:** that of the load.
 */
const SPIN_MS = 2;

export class DueTimer {
  #timer: NodeJS.Timeout | null = null;

  /** Resolves about when it is due (by performance.now()), or after a turn, which may be early. */
  wait(dueAtMs: number): Promise<void> {
    const waitMs = dueAtMs - performance.now();
    return new Promise((resolve) => {
      if (waitMs < SPIN_MS) setImmediate(resolve);
      else this.#timer = setTimeout(resolve, waitMs - 1);
    });
  }

  /** Forgets a wait in progress, so that its timer does not keep the process alive. */
  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
