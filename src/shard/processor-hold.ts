/**
 * A shard that finds its work by polling stays on its processor.
 *
 *               it found enough for STAY_AFTER_MS
 *   floating ──────────────────────────────────────▶ staying
 *      ▲        it found too little for STAY_LOOK_MS       │
 *      ├───────────────────────────────────────────────────┤
 *      └─ it stood in line for STAY_LINE_PART of a while ──┘
 *          (and does not stay again before a pause, which doubles)
 *
 * The scheduler takes a thread that polls for one that computes: whoever wakes up, main or a
 * client on this machine, runs in its place, and it is moved to the processor that main is about to
 * need. Over NBD, one request at a time on two processors, that cost a quarter of the rate.
 *
 * 1. Others move away from one that stays, for they may. One that cannot (it stays, too) stands in
 *    line, and so does the shard: it leaves. Two shards on one processor are parted like that.
 * 2. STAY_LINE_PART is more than a client in lockstep takes, which runs while the shard has nothing
 *    to do: with that the shard is better off here than where main runs.
 *
 * **Thread:** shard.
 */
import type { ThreadProcessor } from '../base/thread-processor.ts';

/** Fewer are no lockstep, and a wake-up for each costs little. */
const STAY_FINDS_PER_MS = 0.5;
const STAY_AFTER_MS = 5;
const STAY_LOOK_MS = 200;
const STAY_LINE_MS = 1_000;
/** (2) of the head. A client in lockstep was seen to take 0.33 to 0.40. */
const STAY_LINE_PART = 0.45;
const STAY_PAUSE_MS = 1_000;
const STAY_PAUSE_MS_MAX = 60_000;
/** Turns between two looks at the clock. */
const TURNS_PER_LOOK = 32;

export class ProcessorHold {
  readonly #processor: ThreadProcessor;
  readonly #nowMs: () => number;
  #isStaying = false;
  #turns = 0;
  /** Of the window that began at #windowAt. */
  #finds = 0;
  #windowAt = Number.NEGATIVE_INFINITY;
  /** Where the account of standing in line was last looked at, and what it said. */
  #lineAt = 0;
  #waitedMs = 0;
  #pauseMs = STAY_PAUSE_MS;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  /** @param nowMs a monotonic clock */
  constructor(processor: ThreadProcessor, nowMs: () => number) {
    this.#processor = processor;
    this.#nowMs = nowMs;
  }

  /** A turn of the shard's loop, busy or not. @param hasFound polling found what it begins with */
  turned(hasFound: boolean): void {
    if (hasFound) this.#finds++;
    if (++this.#turns < TURNS_PER_LOOK) return;
    this.#turns = 0;
    const now = this.#nowMs();
    const elapsed = now - this.#windowAt;
    if (elapsed < (this.#isStaying ? STAY_LOOK_MS : STAY_AFTER_MS)) return;
    const hasFoundEnough = this.#finds >= elapsed * STAY_FINDS_PER_MS;
    this.#windowAt = now;
    this.#finds = 0;
    if (!this.#isStaying) {
      if (hasFoundEnough && now >= this.#pausedUntil) this.#stay(now);
    } else if (!hasFoundEnough) {
      this.#leave();
    } else if (now - this.#lineAt >= STAY_LINE_MS) {
      this.#lookAtLine(now);
    }
  }

  /** Lets the thread run anywhere again. */
  close(): void {
    if (this.#isStaying) this.#leave();
    this.#processor.close();
  }

  #stay(now: number): void {
    this.#isStaying = this.#processor.stay();
    this.#lineAt = now;
    this.#waitedMs = this.#processor.waitedMs();
  }

  #leave(): void {
    this.#processor.leave();
    this.#isStaying = false;
  }

  #lookAtLine(now: number): void {
    const waitedMs = this.#processor.waitedMs();
    const isTaken = waitedMs - this.#waitedMs > (now - this.#lineAt) * STAY_LINE_PART;
    this.#lineAt = now;
    this.#waitedMs = waitedMs;
    if (!isTaken) {
      this.#pauseMs = STAY_PAUSE_MS;
      return;
    }
    this.#leave();
    this.#pausedUntil = now + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, STAY_PAUSE_MS_MAX);
  }
}
