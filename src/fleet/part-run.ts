/**
 * A part of a fleet simulated, and its results: what a thread is asked for, and answers with.
 */
import { invariant } from '../base/invariant.ts';
import type { FleetPart, FleetPlan } from './fleet-plan.ts';
import {
  DISK_BUCKETS,
  InstanceRun,
  REQUESTS,
  RESULT_COLUMNS,
  WRITE_BUCKETS,
} from './instance-run.ts';
import { LATENCY_BUCKETS, quantilesOf } from './latency-buckets.ts';

/** Shares of requests whose latency every disk's row has, after RESULT_COLUMNS. */
const DISK_QUANTILES = [0.5, 0.99, 0.999] as const;
/** Columns of a disk's row in the results of a part: the sums of times, then the quantiles. */
export const ROW_COLUMNS: number = RESULT_COLUMNS + DISK_QUANTILES.length;

export interface PartResult {
  readonly index: number;
  /** Rows of ROW_COLUMNS, by the disk's place in the part. */
  readonly rows: Float64Array;
  readonly series: Float64Array;
  /** Counts by latency bucket. */
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  /** Of requests that waited for a limit, by how long. */
  readonly waits: Float64Array;
}

export function simulatePart(plan: FleetPlan, part: FleetPart): PartResult {
  const kind = plan.kinds[part.kind];
  invariant(kind !== undefined, 'a part is of a kind of the plan');
  const run = new InstanceRun(kind, plan.options.seed, plan.stepUs, plan.steps);
  const rows = new Float64Array((part.to - part.from) * ROW_COLUMNS);
  const reads = new Float64Array(LATENCY_BUCKETS);
  const writes = new Float64Array(LATENCY_BUCKETS);
  const both = new Uint32Array(LATENCY_BUCKETS);
  for (let from = part.from; from < part.to; from += kind.disksPerInstance) {
    const count = Math.min(kind.disksPerInstance, part.to - from);
    run.simulate(from, count);
    for (let disk = 0; disk < count; disk++) {
      const at = (from - part.from + disk) * ROW_COLUMNS;
      const row = run.results.subarray(disk * RESULT_COLUMNS, (disk + 1) * RESULT_COLUMNS);
      rows.set(row, at);
      const counts = run.buckets.subarray(disk * DISK_BUCKETS, (disk + 1) * DISK_BUCKETS);
      for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        const read = counts[bucket]!;
        const written = counts[bucket + WRITE_BUCKETS]!;
        both[bucket] = read + written;
        reads[bucket] = reads[bucket]! + read;
        writes[bucket] = writes[bucket]! + written;
      }
      quantilesOf(both, row[REQUESTS]!, DISK_QUANTILES, rows, at + RESULT_COLUMNS);
    }
  }
  return { index: part.index, rows, series: run.series, reads, writes, waits: run.waits };
}
