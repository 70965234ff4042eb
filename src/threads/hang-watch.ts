/**
 * Tells a thread that hangs from one that is slow, without a timer for each request.
 *
 *   every WATCH_MS: does anybody wait for the thread? has it done anything since the last look?
 *
 * 1. Time is counted in looks, not by the clock: where the whole process, or main, stood still for
 *    a while, the thread had no time either.
 * 2. A look that comes late, or that finds a thread starved (base/processor-queue.ts), is a sign of
 *    a machine with too little time for everybody: what of the thread's silence is its own is not
 *    known. It counts a quarter, so that a thread that hangs is found there too, later.
 *
 * **Thread:** main.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { ProcessorQueue } from '../base/processor-queue.ts';
import { WATCH_MS } from '../limits.ts';

/** Late: a whole period or more after its time. */
const LATE_PERIODS = 2;
/** What a look counts then. */
const CROWDED_PART = 1 / 4;

export interface Watched {
  /** Somebody waits for something the thread has not done. */
  readonly isAwaited: boolean;
  /** Another value whenever the thread has done something. */
  readonly progress: number;
}

/** @returns a function that ends the watch. @param onHang called once, at most */
export function watchForHang(
  thread: Watched,
  hangMs: number,
  onHang: (silentMs: number) => void,
  clock: Clock = systemClock,
  queue: Pick<ProcessorQueue, 'look'> = new ProcessorQueue(),
): () => void {
  const periodMs = Math.min(WATCH_MS, hangMs / 4);
  let progress = thread.progress;
  let lookedAt = clock.monotonic();
  let silentMs = 0;
  const timer = setInterval(() => {
    const { progress: reached, isAwaited } = thread;
    const isSilent = reached === progress && isAwaited;
    progress = reached;
    const now = clock.monotonic();
    const isLate = now - lookedAt >= LATE_PERIODS * periodMs;
    lookedAt = now;
    if (!isSilent) {
      silentMs = 0;
      return;
    }
    // Looked at in any case: its next answer is about the time since.
    const isCrowded = queue.look() || isLate;
    silentMs += periodMs * (isCrowded ? CROWDED_PART : 1);
    if (silentMs < hangMs) return;
    clearInterval(timer);
    onHang(silentMs);
  }, periodMs).unref();
  return () => clearInterval(timer);
}
