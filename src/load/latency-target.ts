/**
 * latency_target: searches the largest number of requests in flight at which so many percent of
 * them stay within a latency.
 *
 *   depth 1 ─window kept─▶ doubled ─▶ .. ─window missed─▶ halfway down ─▶ .. ─▶ between the two
 *      │                                                                          │ no change
 *      └─missed, and all requests must keep it─▶ the job fails      one more window, measured anew
 *
 * 1. After each window the depth goes up or down: doubled until something was missed, from then on
 *    to the middle of the least that was missed and the most that was kept (fio io_u.c,
 *    lat_target_*). A miss at iodepth itself counts as one here; fio goes up and down for ever.
 * 2. When the depth goes down, what is in flight ends first: it was made at the depth before.
 * 3. When it does not change any more, what was measured is forgotten, one more window runs at that
 *    depth, and the job ends; latency_run goes on instead.
 */

export interface LatencyGoal {
  readonly targetUs: number;
  readonly windowUs: number;
  /** Of the requests of a window; 100: the first slow one is too many. */
  readonly percent: number;
  /** Goes on when the depth is found. */
  readonly goesOn: boolean;
}

/** What was asked for, and the depth it came to. */
export interface SearchResult extends LatencyGoal {
  readonly depth: number;
}

/** What a loop does after a request. */
export type SearchStep = 'go on' | 'measure anew' | 'done' | 'missed';

export class DepthSearch {
  readonly goal: LatencyGoal;
  readonly #depthMost: number;
  #depth = 1;
  #kept = 1;
  /** The least depth that missed; null: none did yet. */
  #missed: number | null = null;
  #steadyWindows = 0;
  #isLastWindow = false;
  #isEmptying = false;
  #windowBeganMs = 0;
  #requests = 0;
  #slow = 0;

  /** @param depthMost iodepth */
  constructor(goal: LatencyGoal, depthMost: number) {
    this.goal = goal;
    this.#depthMost = depthMost;
  }

  /** Requests that may be in flight now. */
  get depth(): number {
    return this.#depth;
  }

  result(): SearchResult {
    return { ...this.goal, depth: this.#depth };
  }

  /** Begins a window. */
  begin(nowMs: number): void {
    this.#windowBeganMs = nowMs;
    this.#requests = 0;
    this.#slow = 0;
  }

  /** True if a request may be made beside those in flight. */
  admits(inFlight: number, nowMs: number): boolean {
    if (this.#isEmptying && inFlight > 0) return false;
    if (this.#isEmptying) {
      this.#isEmptying = false;
      this.begin(nowMs);
    }
    return inFlight < this.#depth;
  }

  /** Judges a request that completed. */
  record(latencyMs: number, nowMs: number): SearchStep {
    if (this.#isEmptying) return 'go on';
    const { targetUs, windowUs, percent } = this.goal;
    this.#requests += 1;
    if (latencyMs * 1e3 > targetUs) {
      if (percent === 100) return this.#goDown() ? 'go on' : 'missed';
      this.#slow += 1;
    }
    if ((nowMs - this.#windowBeganMs) * 1e3 < windowUs) return 'go on';
    const share = (100 * (this.#requests - this.#slow)) / this.#requests;
    if (share >= percent) return this.#goUp(nowMs);
    this.#goDown();
    return 'go on';
  }

  /** @returns false at depth 1: there is nothing below */
  #goDown(): boolean {
    if (this.#depth === 1) return false;
    this.#missed = this.#depth;
    if (this.#depth === this.#kept) this.#kept -= 1;
    this.#depth = Math.max(1, Math.floor((this.#depth + this.#kept) / 2));
    this.#steadyWindows = 0;
    this.#isEmptying = true;
    return true;
  }

  #goUp(nowMs: number): SearchStep {
    const before = this.#depth;
    this.#kept = before;
    // Next to what was once missed: three windows kept in a row say it may have been bad luck.
    if (before + 1 === this.#missed) {
      this.#steadyWindows += 1;
      if (this.#steadyWindows >= 3) {
        this.#missed = before + 2;
        this.#steadyWindows = 0;
      }
    }
    const wanted = this.#missed === null ? before * 2 : Math.floor((before + this.#missed) / 2);
    this.#depth = Math.min(wanted, this.#depthMost);
    this.begin(nowMs);
    if (this.goal.goesOn || this.#depth !== before) return 'go on';
    if (this.#isLastWindow) return 'done';
    this.#isLastWindow = true;
    return 'measure anew';
  }
}
