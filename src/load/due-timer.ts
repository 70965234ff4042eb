/**
 * Waits for the moment a request is due, to some ten microseconds where the kernel's timer can be
 * had (kernel-timer.ts): one for all who wait in a thread, set to the earliest.
 *
 * Elsewhere by Node's timers, which are coarser than a millisecond: what is nearer than SPIN_MS is
 * waited for by turns of the event loop, at the cost of a core.
 *
 * 1. A wait may end early: whoever waits looks at the clock again.
 * 2. The process stays alive while somebody waits, and no longer.
 *
 * **Thread:** that of the load.
 */
import { type KernelTimer, openKernelTimer } from './kernel-timer.ts';

const SPIN_MS = 2;

interface Wait {
  readonly dueAtMs: number;
  readonly resolve: () => void;
}

/** Everybody who waits for the kernel's timer in this thread. */
export class Waits {
  readonly #timer: KernelTimer | null;
  /** The last is due first. */
  readonly #waits: Wait[] = [];

  constructor(open: (onRing: () => void) => KernelTimer | null = openKernelTimer) {
    this.#timer = open(() => this.#ring());
    this.#timer?.keepAlive(false);
  }

  /** False: there is no such timer here. */
  get isOpen(): boolean {
    return this.#timer !== null;
  }

  add(wait: Wait): void {
    const waits = this.#waits;
    if (waits.length === 0) this.#timer!.keepAlive(true);
    let at = waits.length;
    while (at > 0 && waits[at - 1]!.dueAtMs < wait.dueAtMs) at -= 1;
    waits.splice(at, 0, wait);
    if (at === waits.length - 1) this.#set();
  }

  /** Forgets one, if it is there. */
  remove(wait: Wait): void {
    const at = this.#waits.indexOf(wait);
    if (at < 0) return;
    this.#waits.splice(at, 1);
    if (this.#waits.length === 0) this.#timer!.keepAlive(false);
  }

  #ring(): void {
    const waits = this.#waits;
    const nowMs = performance.now();
    while (waits.length > 0 && waits.at(-1)!.dueAtMs <= nowMs) waits.pop()!.resolve();
    if (waits.length > 0) this.#set();
    else this.#timer!.keepAlive(false);
  }

  #set(): void {
    this.#timer!.set(this.#waits.at(-1)!.dueAtMs - performance.now());
  }
}

let ofThread: Waits | null = null;

function waitsOfThread(): Waits {
  ofThread ??= new Waits();
  return ofThread;
}

export class DueTimer {
  readonly #waits: Waits;
  #wait: Wait | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param waits those of the thread by default */
  constructor(waits: Waits = waitsOfThread()) {
    this.#waits = waits;
  }

  /** Resolves about when it is due (by performance.now()), or after a turn, which may be early. */
  wait(dueAtMs: number): Promise<void> {
    const waitMs = dueAtMs - performance.now();
    return new Promise((resolve) => {
      if (waitMs <= 0) {
        setImmediate(resolve);
      } else if (this.#waits.isOpen) {
        this.#wait = { dueAtMs, resolve };
        this.#waits.add(this.#wait);
      } else if (waitMs < SPIN_MS) {
        setImmediate(resolve);
      } else {
        this.#timer = setTimeout(resolve, waitMs - 1);
      }
    });
  }

  /** Forgets a wait in progress, so that it does not keep the process alive. */
  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#wait !== null) this.#waits.remove(this.#wait);
    this.#timer = null;
    this.#wait = null;
  }
}
