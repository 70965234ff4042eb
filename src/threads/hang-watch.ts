/**
 * Tells a thread that hangs from one that is slow, without a timer for each request.
 *
 *   every WATCH_MS: does anybody wait for the thread? has it done anything since the last look?
 *
 * Time is counted in looks, not by the clock: where the whole process, or main, stood still for a
 * while, the thread had no time either.
 *
 * **Thread:** main.
 */
import { WATCH_MS } from '../limits.ts';

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
): () => void {
  const periodMs = Math.min(WATCH_MS, hangMs / 4);
  let progress = thread.progress;
  let silentMs = 0;
  const timer = setInterval(() => {
    const now = thread.progress;
    const isSilent = now === progress && thread.isAwaited;
    progress = now;
    silentMs = isSilent ? silentMs + periodMs : 0;
    if (silentMs < hangMs) return;
    clearInterval(timer);
    onHang(silentMs);
  }, periodMs).unref();
  return () => clearInterval(timer);
}
