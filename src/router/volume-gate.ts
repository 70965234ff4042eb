/**
 * Where the requests to a disk or an open snapshot wait while its volume is not open: its shard was lost and is being
 * replaced, or the volume is being opened in the new one.
 *
 *              ┌────────── open() ◀───────────────────────────┐
 *              ▼                                              │
 *   (no gate) ─── shut() ─▶ waiting ── refuse() ─▶ refused ── a request, REOPEN_RETRY_MS later
 *                             ▲                                  │
 *                             └────────── knock() ◀──────────────┘
 *
 * 1. Requests pass in the order they came: those that waited first, before any that comes later.
 * 2. Every request ends: REPLACE_TIMEOUT_MS after the gate was shut those that wait fail with
 *    ShardLost, and so does each that comes until it opens. One timer per gate, none per request.
 * 3. At most QUEUE_REQUESTS_MAX wait; one more is refused as Busy.
 * 4. A refusal is answered to every request. If it is not final, the first request that comes
 *    REOPEN_RETRY_MS after it or later makes the volume be tried again, and waits for the outcome:
 *    a disk whose master key is enabled again serves again, and nobody asks the KMS unasked.
 *
 * **Thread:** main.
 */
import { systemClock } from '../base/clock.ts';
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import { QUEUE_REQUESTS_MAX, REOPEN_RETRY_MS, REPLACE_TIMEOUT_MS } from '../limits.ts';

interface Waiting {
  readonly pass: () => void;
  readonly fail: (error: PlaneError) => void;
}

/** Refusals to open a volume again that no later attempt can change. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set(['DataLost', 'DataKeyErased']);

export class VolumeGate {
  private readonly diskId: string;
  private readonly knock: () => void;
  private readonly waiting: Waiting[] = [];
  private refusal: PlaneError | null = null;
  private retryAt = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param knock has the volume tried again: open() or refuse() is called later */
  constructor(diskId: string, knock: () => void) {
    this.diskId = diskId;
    this.knock = knock;
    this.shut();
  }

  /** Requests wait from now on. */
  shut(): void {
    this.refusal = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const what = `the shard of ${this.diskId} was not replaced within ${REPLACE_TIMEOUT_MS} ms`;
      this.refuse(new PlaneError('ShardLost', what), true);
    }, REPLACE_TIMEOUT_MS).unref();
  }

  /** A request comes. @param pass makes it, when the volume is open; must not throw */
  enter(pass: () => void, fail: (error: PlaneError) => void): void {
    if (this.refusal !== null && systemClock.monotonic() >= this.retryAt) {
      this.shut();
      this.knock();
    }
    if (this.refusal !== null) fail(this.refusal);
    else if (this.waiting.length < QUEUE_REQUESTS_MAX) this.waiting.push({ pass, fail });
    else fail(new PlaneError('Busy', `${QUEUE_REQUESTS_MAX} requests wait for ${this.diskId}`));
  }

  /** The volume is open: everything that waits passes. The gate is not used any more. */
  open(): void {
    clearTimeout(this.timer);
    for (const { pass } of this.waiting.splice(0)) pass();
  }

  /** The volume is not open, and why. @param isFinal it is not tried again unasked */
  refuse(error: PlaneError, isFinal = FINAL_CODES.has(error.code)): void {
    clearTimeout(this.timer);
    this.refusal = error;
    this.retryAt = isFinal ? Number.POSITIVE_INFINITY : systemClock.monotonic() + REOPEN_RETRY_MS;
    for (const { fail } of this.waiting.splice(0)) fail(error);
  }
}
