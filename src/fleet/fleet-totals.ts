/**
 * What all parts of a fleet came to, added up in the order of the parts: sums of fractions depend
 * on their order, and so the result would depend on which thread was faster.
 */
import { invariant } from '../base/invariant.ts';
import type { FleetPart, FleetPlan } from './fleet-plan.ts';
import { SERIES_COLUMNS } from './instance-run.ts';
import { LATENCY_BUCKETS } from './latency-buckets.ts';
import { type PartResult, ROW_COLUMNS } from './part-run.ts';

/** Counts by latency bucket. */
export interface LatencyCounts {
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly waits: Float64Array;
}

export class FleetTotals {
  /** Rows of ROW_COLUMNS, by number of the disk. */
  readonly rows: Float64Array;
  /** Rows of SERIES_COLUMNS, by step, and one for what ended later. */
  readonly series: Float64Array;
  /** For each kind. */
  readonly latencies: readonly LatencyCounts[];
  readonly #plan: FleetPlan;
  readonly #early = new Map<number, PartResult>();
  #next = 0;

  constructor(plan: FleetPlan) {
    const counts = () => new Float64Array(LATENCY_BUCKETS);
    this.#plan = plan;
    this.rows = new Float64Array(plan.diskCount * ROW_COLUMNS);
    this.series = new Float64Array((plan.steps + 1) * SERIES_COLUMNS);
    this.latencies = plan.kinds.map(() => ({ reads: counts(), writes: counts(), waits: counts() }));
  }

  /** Takes results in any order. */
  add(result: PartResult): void {
    invariant(result.index >= this.#next, 'a part has one result');
    this.#early.set(result.index, result);
    for (;;) {
      const next = this.#early.get(this.#next);
      if (next === undefined) return;
      this.#early.delete(this.#next);
      this.#addNext(this.#plan.parts[this.#next]!, next);
      this.#next += 1;
    }
  }

  isComplete(): boolean {
    return this.#next === this.#plan.parts.length;
  }

  #addNext(part: FleetPart, result: PartResult): void {
    const { firstDisk } = this.#plan.kinds[part.kind]!;
    this.rows.set(result.rows, (firstDisk + part.from) * ROW_COLUMNS);
    const { reads, writes, waits } = this.latencies[part.kind]!;
    addTo(this.series, result.series);
    addTo(reads, result.reads);
    addTo(writes, result.writes);
    addTo(waits, result.waits);
  }
}

function addTo(sum: Float64Array, part: Float64Array): void {
  for (let at = 0; at < sum.length; at++) sum[at] = sum[at]! + part[at]!;
}
