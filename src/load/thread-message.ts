/**
 * What main and a thread of the load generator say to each other.
 *
 *   thread: opened, disks laid out ─reached 0─▶ main ─go─▶ stage 0 ─reached 1─▶ .. ─finished─▶ main
 *
 * `progress` comes meanwhile; `failed` in place of whatever else is due; `stop` at any time.
 */
import type { ErrorRecord } from '../base/errors.ts';
import type { FinishedClone } from './clone-run.ts';
import type { RunPlan } from './job-plan.ts';
import type { JobProgress } from './job-run.ts';
import type { LoadActivity } from './live-activity.ts';
import type { LoadStatsRecord } from './load-stats.ts';

/** What a thread is started with. */
export interface PartStart {
  readonly plan: RunPlan;
  readonly logDirectory: string;
  /** Files that are not empty may be written over. */
  readonly overwrites: boolean;
}

export type PartCommand = 'go' | 'stop';

export type PartReport =
  | { readonly kind: 'reached'; readonly stage: number }
  | {
      readonly kind: 'progress';
      readonly progress: JobProgress;
      readonly activities: readonly LoadActivity[];
    }
  | { readonly kind: 'finished'; readonly clones: readonly CloneRecord[] }
  | { readonly kind: 'failed'; readonly error: FailureRecord };

/** An error of ours, or the text of another. */
export type FailureRecord = ErrorRecord | string;

/** A clone that ended, as data. */
export interface CloneRecord {
  /** Of the clone in the run. */
  readonly number: number;
  readonly stats: LoadStatsRecord;
  readonly error: FailureRecord | null;
  readonly log: {
    readonly count: number;
    readonly checkedUnits: number;
    readonly uncheckedUnits: number;
    readonly first: FinishedClone['log']['first'];
  };
  readonly isVerified: boolean;
  readonly steady: FinishedClone['steady'];
  readonly search: FinishedClone['search'];
  readonly failures: { readonly count: number; readonly first: FailureRecord | null };
}
