/**
 * The loop that makes load: keeps depth requests in flight until its source ends, its time is up,
 * a request fails, or it is told to stop.
 *
 *   filling ──source ends, deadline, error, stop()──► draining ──last completion──► ended
 *      │ ▲
 *      ▼ │ ready()
 *   waiting (the source has nothing just now; requests in flight complete meanwhile)
 *
 * 1. Nothing is allocated per request but the promises, where a target needs them: each of the
 *    depth slots has its buffers and its two callbacks for life.
 * 2. One reading of the clock per request: the completion of one is the start of the next (65 ns a
 *    reading). What the loop itself does between them is therefore inside the latency.
 * 3. Requests are made in the order the source gives them, so the order of one disk is the order of
 *    the source, and what a verified read must return is known when it is made.
 * 4. A request that was due is made late rather than never, and is counted twice: its service time
 *    from when it was made, its response time from when it was due.
 * 5. Requests begun before measuring began (ramp) are made but not counted.
 *
 * **Thread:** that of the load. 0.4 to 0.7 us a request, against a target that does nothing (depth
 * 128).
 */
import { PlaneError } from '../base/errors.ts';
import { InvariantError, invariant } from '../base/invariant.ts';
import type { DepthSearch } from './latency-target.ts';
import {
  FLUSH,
  type Operation,
  READ,
  SOURCE_END,
  SOURCE_WAIT,
  TRIM,
  WRITE,
} from './operation-source.ts';
import { OWN_COST_EVERY } from './own-cost.ts';
import { callTarget } from './request-call.ts';
import type { LoopEnd, RequestLoopOptions } from './request-loop-options.ts';
import { RequestSlot } from './request-slot.ts';
import { WriteContent } from './write-content.ts';

export class RequestLoop {
  readonly #options: RequestLoopOptions;
  readonly #content: WriteContent;
  readonly #idle: RequestSlot[] = [];
  #inFlight = 0;
  #isDraining = false;
  #isWaiting = false;
  #isThinking = false;
  #madeSinceThink = 0;
  #thoughtAtMs = 0;
  #thinkTimer: NodeJS.Timeout | null = null;
  #isSynced = false;
  #hasEnded = false;
  #error: unknown = null;
  #writesSinceSync = 0;
  #completions = 0;
  /** This completion is timed: what is spent in calls to the target is taken off. */
  #isTimed = false;
  #askingMs = 0;
  #beganAtMs = 0;
  #measuredFromMs = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #deadlineTimer: NodeJS.Timeout | null = null;
  #resolve: (end: LoopEnd) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(options: RequestLoopOptions) {
    this.#options = options;
    const { payload, seed, bufferPattern = null, reduction } = options;
    this.#content = new WriteContent(payload, seed, bufferPattern, reduction);
  }

  /** Runs to the end. Call once. */
  run(): Promise<LoopEnd> {
    invariant(this.#beganAtMs === 0, 'a loop runs once');
    const { depth, bufferBytes, stats, rampMs = 0, runtimeMs = 0 } = this.#options;
    const template = this.#content.template(bufferBytes);
    this.#beganAtMs = performance.now();
    this.#thoughtAtMs = this.#beganAtMs;
    this.#measuredFromMs = this.#beganAtMs + rampMs;
    if (runtimeMs > 0) this.#setDeadline(this.#measuredFromMs + runtimeMs);
    stats.begin(this.#measuredFromMs);
    this.#options.source.begin?.(this.#beganAtMs);
    this.#options.depthSearch?.begin(this.#measuredFromMs);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      for (let index = 0; index < depth; index++) {
        this.#idle.push(new RequestSlot(template, this.#completed, this.#failed));
      }
      this.#fill();
    });
  }

  /** Makes no more requests; run() resolves when those in flight have completed. */
  stop(): void {
    this.#isDraining = true;
    this.#endIfDrained();
  }

  /** Requests made and not completed. */
  inFlight(): number {
    return this.#inFlight;
  }

  /** Share of the work done, 0 to 1; NaN if no end is known. */
  progress(): number {
    const limitMs = this.#deadlineMs - this.#beganAtMs;
    const timeShare =
      limitMs === Number.POSITIVE_INFINITY
        ? Number.NaN
        : (performance.now() - this.#beganAtMs) / limitMs;
    const sourceShare = this.#options.source.progress();
    if (Number.isNaN(timeShare)) return sourceShare;
    return Number.isNaN(sourceShare) ? timeShare : Math.max(timeShare, sourceShare);
  }

  #setDeadline(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    // Checked at every completion too: the timer is for a loop that waits.
    const leftMs = Math.max(0, deadlineMs - performance.now());
    this.#deadlineTimer = setTimeout(() => this.stop(), leftMs);
  }

  /** Gives every idle slot something to do, as far as a search for the depth admits. */
  #fill(): void {
    const { depthSearch = null } = this.#options;
    while (!this.#isWaiting && !this.#isDraining) {
      if (depthSearch?.admits(this.#inFlight, performance.now()) === false) return;
      const slot = this.#idle.pop();
      if (slot === undefined) return;
      this.#next(slot, performance.now());
    }
    this.#endIfDrained();
  }

  /** Gives a slot its next request, or puts it to rest. */
  #next(slot: RequestSlot, nowMs: number): void {
    if (this.#isDraining || this.#isWaiting || nowMs >= this.#deadlineMs) {
      this.#rest(slot, nowMs >= this.#deadlineMs);
      return;
    }
    const { source, syncEvery = 0 } = this.#options;
    // As in fio, the last writes of a job are not followed by a flush: end_fsync is for that.
    if (syncEvery > 0 && this.#writesSinceSync >= syncEvery && !(source.progress() >= 1)) {
      this.#writesSinceSync = 0;
      slot.aim(FLUSH, slot.disk ?? source.disk, 0, 0, 0);
    } else if (this.#mustThink(nowMs)) {
      this.#rest(slot, false);
      return;
    } else {
      const answer = source.next();
      if (answer === SOURCE_END || answer === SOURCE_WAIT) {
        if (answer === SOURCE_WAIT) this.#wait();
        this.#rest(slot, answer === SOURCE_END);
        return;
      }
      this.#madeSinceThink += 1;
      slot.aim(
        source.operation,
        source.disk,
        source.offsetBytes,
        source.lengthBytes,
        source.dueAtMs,
      );
    }
    this.#make(slot, nowMs);
  }

  #rest(slot: RequestSlot, isOver: boolean): void {
    this.#idle.push(slot);
    if (isOver) this.#isDraining = true;
    if (this.#isThinking && this.#inFlight === 0 && this.#thinkTimer === null) this.#pause();
    this.#endIfDrained();
  }

  /** True if no request is to be made before the loop has thought. */
  #mustThink(nowMs: number): boolean {
    const { think = null } = this.#options;
    if (think === null || this.#madeSinceThink === 0) return false;
    const isTime = nowMs - this.#thoughtAtMs >= think.everyMs;
    if (this.#madeSinceThink < think.everyRequests && !isTime) return false;
    this.#madeSinceThink = 0;
    this.#isThinking = true;
    this.#isWaiting = true;
    return true;
  }

  /** Thinks. Nothing is in flight. */
  #pause(): void {
    const { think, source } = this.#options;
    const { pauseMs, spinMs, shiftsSource } = think!;
    const beganAtMs = performance.now();
    while (performance.now() - beganAtMs < Math.min(spinMs, pauseMs));
    this.#thinkTimer = setTimeout(() => {
      this.#thinkTimer = null;
      this.#isThinking = false;
      this.#thoughtAtMs = performance.now();
      if (shiftsSource) source.shift?.(performance.now() - beganAtMs);
      this.#resume();
    }, pauseMs - spinMs);
  }

  #resume(): void {
    this.#isWaiting = false;
    if (!this.#isDraining) this.#fill();
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#options.source.ready().then(
      () => this.#resume(),
      (error: unknown) => {
        this.#isWaiting = false;
        this.#end(error);
      },
    );
  }

  /** Makes the request a slot is aimed at. */
  #make(slot: RequestSlot, nowMs: number): void {
    this.#inFlight += 1;
    // A source reads the clock after its caller did: no request starts before it is due.
    slot.startedAtMs = Math.max(nowMs, slot.dueAtMs);
    const { operation, offsetBytes, lengthBytes } = slot;
    this.#options.ioLog?.made(operation, offsetBytes, lengthBytes, slot.startedAtMs);
    let askedAtMs = 0;
    let promise: Promise<unknown> | null;
    try {
      this.#prepare(slot);
      if (this.#isTimed) askedAtMs = performance.now();
      promise = callTarget(slot, this.#options.syncsWrites === true);
    } catch (error) {
      promise = Promise.reject(error);
    }
    if (this.#isTimed) this.#askingMs += performance.now() - askedAtMs;
    promise?.then(slot.completed, slot.failed);
  }

  /** What is the generator's to do before a request. */
  #prepare(slot: RequestSlot): void {
    const { offsetBytes, lengthBytes, operation } = slot;
    const { verifier } = slot.disk!;
    if (operation === READ) {
      slot.readBytes();
      verifier?.beforeRead(offsetBytes, lengthBytes, slot.expectedUnits());
    } else if (operation === WRITE) {
      this.#writesSinceSync += 1;
      slot.writeBytes();
      if (verifier === null) this.#content.fill(slot);
      else verifier.beforeWrite(offsetBytes, lengthBytes, slot.writeWords());
    } else if (operation === TRIM) {
      verifier?.beforeTrim(offsetBytes, lengthBytes);
    }
  }

  readonly #completed = (slot: RequestSlot): void => {
    const beganAtMs = performance.now();
    this.#isTimed = ++this.#completions % OWN_COST_EVERY === 0;
    this.#askingMs = 0;
    this.#complete(slot, beganAtMs);
    if (!this.#isTimed) return;
    this.#isTimed = false;
    if (beganAtMs < this.#measuredFromMs || this.#hasEnded) return;
    const ownMs = performance.now() - beganAtMs - this.#askingMs;
    this.#options.stats.own.record(Math.max(0, ownMs) * 1e6);
  };

  #complete(slot: RequestSlot, completedAtMs: number): void {
    let nowMs = completedAtMs;
    this.#inFlight -= 1;
    const { stats, log, mismatchEnds = false, requestLog, latencyMostMs = 0 } = this.#options;
    const { depthSearch = null, submitBatch = 1 } = this.#options;
    if (slot.startedAtMs >= this.#measuredFromMs) {
      stats.direction(slot.operation).record(nowMs - slot.startedAtMs, slot.lengthBytes);
      if (slot.dueAtMs > 0) stats.response.record((nowMs - slot.dueAtMs) * 1e6);
      requestLog?.record(slot, slot.startedAtMs, nowMs);
    }
    if (latencyMostMs > 0 && nowMs - slot.startedAtMs > latencyMostMs) {
      this.#end(tooLong(nowMs - slot.startedAtMs, latencyMostMs));
    }
    const verifier = slot.disk!.verifier;
    if (verifier !== null && slot.operation === READ) {
      const { offsetBytes, lengthBytes } = slot;
      const words = slot.readWords();
      const isRight = verifier.afterRead(
        offsetBytes,
        lengthBytes,
        words,
        slot.expectedUnits(),
        log,
      );
      if (!isRight && mismatchEnds) this.#isDraining = true;
      // Judging took time that is not the next request's latency.
      nowMs = performance.now();
    }
    stats.sampleIfDue(nowMs);
    if (depthSearch !== null) this.#searchDepth(depthSearch, slot, nowMs);
    else if (submitBatch === 1) this.#next(slot, nowMs);
    else this.#restForBatch(slot, submitBatch);
  }

  /** Puts a slot to rest until a batch of them can be given something to do. */
  #restForBatch(slot: RequestSlot, submitBatch: number): void {
    this.#rest(slot, false);
    if (this.#idle.length >= submitBatch || this.#inFlight === 0) this.#fill();
  }

  /** Lets a search judge a request, and makes as many more as it admits. */
  #searchDepth(search: DepthSearch, slot: RequestSlot, nowMs: number): void {
    const tookMs = nowMs - slot.startedAtMs;
    const step = slot.startedAtMs < this.#measuredFromMs ? 'go on' : search.record(tookMs, nowMs);
    if (step === 'missed') this.#end(tooLong(tookMs, search.goal.targetUs / 1e3));
    if (step === 'done') this.#isDraining = true;
    if (step === 'measure anew') {
      this.#measuredFromMs = nowMs;
      this.#options.stats.reset(nowMs);
    }
    this.#rest(slot, false);
    this.#fill();
  }

  readonly #failed = (slot: RequestSlot, error: unknown): void => {
    this.#inFlight -= 1;
    if (slot.operation === WRITE || slot.operation === TRIM) {
      slot.disk!.verifier?.afterFailure(slot.offsetBytes, slot.lengthBytes);
    }
    if (this.#goesOnAfter(slot.operation, error)) {
      this.#options.failures?.add(error);
      this.#idle.push(slot);
      // In another turn: a target that refuses at once must not keep the event loop for itself.
      setImmediate(() => this.#fill());
      return;
    }
    this.#end(error);
    this.#rest(slot, true);
  };

  /** continue_on_error: trims and flushes are writes in this. */
  #goesOnAfter(operation: Operation, error: unknown): boolean {
    const { failures = null, continuesAfter = [] } = this.#options;
    if (failures === null || error instanceof InvariantError) return false;
    return continuesAfter.includes(operation === READ ? 'read' : 'write');
  }

  #end(error: unknown): void {
    this.#error ??= error;
    this.#isDraining = true;
    this.#endIfDrained();
  }

  #endIfDrained(): void {
    if (!this.#isDraining || this.#inFlight > 0 || this.#hasEnded) return;
    const slot = this.#idle[0];
    if (this.#options.syncsAtEnd && !this.#isSynced && this.#error === null && slot !== undefined) {
      this.#isSynced = true;
      slot.aim(FLUSH, this.#options.source.disk, 0, 0, 0);
      this.#make(slot, performance.now());
      return;
    }
    this.#hasEnded = true;
    if (this.#deadlineTimer !== null) clearTimeout(this.#deadlineTimer);
    if (this.#thinkTimer !== null) clearTimeout(this.#thinkTimer);
    this.#options.source.cancel?.();
    this.#options.stats.end(performance.now());
    Promise.all(this.#idle.map((slot) => slot.release())).then(() => {
      // A broken invariant is nobody's result.
      if (this.#error instanceof InvariantError) this.#reject(this.#error);
      else this.#resolve({ error: this.#error });
    }, this.#reject);
  }
}

function tooLong(tookMs: number, mostMs: number): PlaneError {
  const us = (milliseconds: number): number => Math.round(milliseconds * 1e3);
  return new PlaneError(
    'LatencyExceeded',
    `expected every request within ${us(mostMs)} us, got ${us(tookMs)}`,
  );
}
