/** How long things took, counted in buckets: what Prometheus calls a histogram. */

/** @param bounds upper bounds in seconds, ascending; what is above the last is counted in all */
export class TimeHistogram {
  readonly bounds: readonly number[];
  /** Of each bound: how many took at most so long, and longer than the bound before. */
  readonly #counts: Float64Array;
  #seconds = 0;
  #total = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  add(seconds: number): void {
    const at = this.bounds.findIndex((bound) => seconds <= bound);
    if (at >= 0) this.#counts[at]!++;
    this.#seconds += seconds;
    this.#total++;
  }

  read(): TimeCounts {
    let sum = 0;
    const atMost = this.bounds.map((bound, index) => {
      sum += this.#counts[index]!;
      return [bound, sum] as const;
    });
    return { atMost, seconds: this.#seconds, total: this.#total };
  }
}

export interface TimeCounts {
  /** Bounds in seconds, ascending, and how many took at most so long. */
  readonly atMost: readonly (readonly [bound: number, count: number])[];
  /** All of them together. */
  readonly seconds: number;
  readonly total: number;
}
