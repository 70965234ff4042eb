/**
 * A planned job file run by several threads: as much load as several commands would make, from one.
 *
 *   plan ─deal.ts─▶ parts ─▶ a thread each: its own event loop, target, connections, histograms
 *                             │ stages begin together: each waits until all ended the one before
 *                             ▼
 *                            what each clone measured, sent as data ─▶ merged as clones of one run
 *
 * 1. Nothing is shared while it runs but the memory of the process: a thread opens its target
 *    itself. So only targets that can be opened several times can be had (null, memory, file:,
 *    nbd://). A disk of the library belongs to the plane of the main thread: to put more load on it
 *    than main can make, export it (`sealdisk nbd`) and load the export.
 * 2. A disk that clones of several threads use is opened and laid out here before any of them is
 *    started, so that no two lay it out, or take it for empty.
 * 3. Nothing is lost by merging: histograms are added bucket by bucket, so a percentile of all
 *    threads is that of all their requests, not a mean of percentiles.
 * 4. Threads share Node's pool for file calls (UV_THREADPOOL_SIZE): for file: targets they save the
 *    event loop's time alone.
 *
 * **Thread:** main.
 */
import { Worker } from 'node:worker_threads';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { FinishedClone } from './clone-run.ts';
import { dealPlan, partOf } from './deal.ts';
import { MismatchLog } from './disk-verifier.ts';
import { FailureCount } from './failure-count.ts';
import type { ClonePlan, RunPlan } from './job-plan.ts';
import {
  type CloneResult,
  costOf,
  type JobProgress,
  JobRun,
  type StageCost,
  type TargetOpener,
} from './job-run.ts';
import { joinActivities, type LoadActivity } from './live-activity.ts';
import { LoadStats } from './load-stats.ts';
import type {
  CloneRecord,
  FailureRecord,
  PartCommand,
  PartReport,
  PartStart,
} from './thread-message.ts';

export interface JobThreadsOptions {
  readonly plan: RunPlan;
  /** At most; fewer if there is not as much to deal. */
  readonly threads: number;
  /** Opens targets in this thread, for disks that several threads use. */
  readonly openTarget: TargetOpener;
  /** True of a target whose disks several threads may open. */
  readonly opensTwice: (targetName: string) => boolean;
  readonly overwrites: boolean;
  /** @default the working directory */
  readonly logDirectory?: string;
}

const NOTHING_YET: JobProgress = { phase: 'opening', share: 0, requests: 0, bytes: 0 };

export class JobThreads {
  readonly #options: JobThreadsOptions;
  readonly #threads: PartThread[] = [];
  #preparation: JobRun | null = null;
  #isStopped = false;

  constructor(options: JobThreadsOptions) {
    this.#options = options;
  }

  /** Runs everything, as JobRun.run() does. @throws PlaneError also: what opening threw there */
  async run(): Promise<CloneResult[]> {
    const { plan, threads, opensTwice, overwrites, logDirectory = '.' } = this.#options;
    const { parts, spread } = dealPlan(plan, threads, opensTwice);
    const onSpread = plan.stages.flat().filter(({ disk }) => spread.includes(disk));
    await this.#prepare(partOf(plan, new Set(onSpread)));
    if (this.#isStopped) return [];
    const start = { logDirectory, overwrites: overwrites || spread.length > 0 };
    try {
      for (const part of parts) this.#threads.push(new PartThread({ plan: part, ...start }));
      const costs: StageCost[] = [];
      await this.#untilReached(0);
      for (const stage of plan.stages.keys()) {
        costs.push(
          await costOf(() => {
            for (const thread of this.#threads) thread.tell('go');
            return this.#untilReached(stage + 1);
          }),
        );
      }
      const clones = (await Promise.all(this.#threads.map((thread) => thread.finished))).flat();
      return resultsOf(plan, clones, costs);
    } finally {
      await Promise.all(this.#threads.map((thread) => thread.end()));
    }
  }

  /** Ends everything: run() resolves with what was measured. */
  stop(): void {
    this.#isStopped = true;
    this.#preparation?.stop();
    for (const thread of this.#threads) thread.tell('stop');
  }

  progress(): JobProgress {
    if (this.#threads.length === 0) return this.#preparation?.progress() ?? NOTHING_YET;
    const parts = this.#threads.map(({ progress }) => progress);
    const slowest = parts.reduce((least, each) => (each.share < least.share ? each : least));
    return {
      ...slowest,
      requests: parts.reduce((sum, { requests }) => sum + requests, 0),
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** What the jobs of the stage do on their disks, in all threads, a fifth of a second ago. */
  activities(): LoadActivity[] {
    return joinActivities(this.#threads.flatMap(({ activities }) => activities));
  }

  /** Opens disks that several threads use, and lays them out. */
  async #prepare(plan: RunPlan): Promise<void> {
    if (plan.disks.length === 0) return;
    const { openTarget, logDirectory } = this.#options;
    this.#preparation = new JobRun(plan, openTarget, logDirectory);
    try {
      const runs = (await this.#preparation.open()).flat();
      for (const { stats } of runs) stats.release();
      const failed = runs.find(({ error }) => error !== null);
      if (failed !== undefined) throw failed.error;
    } finally {
      await this.#preparation.close();
    }
  }

  async #untilReached(stage: number): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.reached(stage)));
  }
}

/** One thread, as main sees it. */
class PartThread {
  progress: JobProgress = NOTHING_YET;
  activities: readonly LoadActivity[] = [];
  /** What its clones came to. Rejects if it failed. */
  readonly finished: Promise<readonly CloneRecord[]>;
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;
  #stage = -1;
  #onReached: () => void = () => {};

  constructor(start: PartStart) {
    this.#worker = new Worker(new URL('../../workers/load.js', import.meta.url), {
      name: 'load',
      execArgv: [],
      workerData: start,
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.finished = new Promise((resolve, reject) => {
      this.#worker.on('message', (report: PartReport) => {
        if (report.kind === 'progress') {
          this.progress = report.progress;
          this.activities = report.activities;
        }
        if (report.kind === 'reached') this.#reach(report.stage);
        if (report.kind === 'failed') reject(errorOf(report.error));
        if (report.kind === 'finished') {
          resolve(report.clones);
          this.#reach(Number.POSITIVE_INFINITY);
        }
      });
      this.#worker.on('error', reject);
      this.#worker.once('exit', () => reject(new Error('a load thread ended before its jobs')));
    });
    this.finished.catch(() => {});
  }

  tell(command: PartCommand): void {
    this.#worker.postMessage(command);
  }

  /** Resolves when it has ended all stages before this one. */
  async reached(stage: number): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#onReached = () => {
        if (this.#stage >= stage) resolve();
      };
      this.#onReached();
    });
    await Promise.race([reached, this.finished]);
  }

  /** Ends it, if it has not ended by itself. */
  async end(): Promise<void> {
    const isFinished = await Promise.race([
      this.finished.then(
        () => true,
        () => false,
      ),
      Promise.resolve(null),
    ]);
    if (isFinished !== true) await this.#worker.terminate();
    await this.#exited;
  }

  #reach(stage: number): void {
    this.#stage = stage;
    this.#onReached();
  }
}

/** The clones of a plan as they ended, in its order. Clones that did not begin are not there. */
function resultsOf(
  plan: RunPlan,
  records: readonly CloneRecord[],
  costs: readonly StageCost[],
): CloneResult[] {
  const byNumber = new Map(records.map((record) => [record.number, record]));
  return plan.stages.flatMap((stage, index) =>
    stage.flatMap((clone) => {
      const record = byNumber.get(clone.number);
      if (record === undefined) return [];
      const cost = costs[index];
      invariant(cost !== undefined, 'a clone that ran was in a stage that ran');
      return [{ run: finishedClone(clone, record), cost }];
    }),
  );
}

function finishedClone(plan: ClonePlan, record: CloneRecord): FinishedClone {
  const { isVerified, steady, search } = record;
  const failures = new FailureCount();
  const { count, first } = record.failures;
  if (first !== null) failures.add(errorOf(first), count);
  return {
    plan,
    stats: LoadStats.fromRecord(record.stats),
    log: Object.assign(new MismatchLog(), record.log),
    error: record.error === null ? null : errorOf(record.error),
    isVerified,
    steady,
    search,
    failures,
  };
}

function errorOf(failure: FailureRecord): Error {
  return typeof failure === 'string' ? new Error(failure) : PlaneError.fromRecord(failure);
}
