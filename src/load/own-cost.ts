/**
 * What the load generator itself costs: one completion in so many is timed, from when it is told
 * that a request completed to when the next one is made, without the call to the target in between.
 *
 * Counted: choosing the next request, filling or judging its bytes, statistics, logs. Not counted:
 * Node's event loop and promises, which a program of any kind has between two requests, and what
 * the target does, on whichever thread. Where other processes want the core too, the mean has
 * their time in it; the median has not, so the share of a core is by the median.
 */
import type { LoadStats } from './load-stats.ts';

/** One completion in so many is timed: two more readings of the clock, 130 ns. */
export const OWN_COST_EVERY = 64;

/** Of all requests of a job. */
export interface OwnCost {
  readonly samples: number;
  /** Per request. */
  readonly meanNs: number;
  readonly p50Ns: number;
  /** Of the time of one core. */
  readonly corePercent: number;
}

/** @returns null: too few requests for one to be timed */
export function ownCostOf({ own, directions }: LoadStats): OwnCost | null {
  if (own.count === 0) return null;
  const requests = directions.reduce((sum, direction) => sum + direction.requests, 0);
  const runtimeMs = Math.max(...directions.map((direction) => direction.runtimeMs));
  const spentMs = (own.percentile(50) * requests) / 1e6;
  return {
    samples: own.count,
    meanNs: own.mean(),
    p50Ns: own.percentile(50),
    corePercent: runtimeMs === 0 ? 0 : (spentMs / runtimeMs) * 100,
  };
}
