/**
 * One clone of a job as it runs: its main phase, then reading back what it wrote if it verifies.
 *
 * A clone may be run in several turns (a comparison interleaves them): the pattern goes on where it
 * was, and the numbers add up.
 */
import { PlaneError } from '../base/errors.ts';
import { BacklogSource } from './backlog.ts';
import { MismatchLog } from './disk-verifier.ts';
import { FailureCount } from './failure-count.ts';
import { type Flow, FlowSource } from './flow.ts';
import { IoLogSource } from './io-log-source.ts';
import type { IoLogWriter } from './io-log-writer.ts';
import type { Job } from './job.ts';
import { type ClonePlan, largestBlock } from './job-plan.ts';
import { payloadKind } from './job-settings.ts';
import { DepthSearch, type SearchResult } from './latency-target.ts';
import { activityOf, type LoadActivity } from './live-activity.ts';
import type { LoadDisk } from './load-disk.ts';
import { LoadStats } from './load-stats.ts';
import type { OperationSource } from './operation-source.ts';
import { JobPattern } from './pattern.ts';
import { hasFloor, RateFloor } from './rate-floor.ts';
import type { RequestLog } from './request-log.ts';
import { RequestLoop } from './request-loop.ts';
import type { ThinkTime } from './request-loop-options.ts';
import type { SteadyResult, SteadyState } from './steady-state.ts';
import { readBackWalk } from './walk.ts';

/** What a clone came to, wherever it ran. */
export interface FinishedClone {
  readonly plan: ClonePlan;
  readonly stats: LoadStats;
  readonly log: MismatchLog;
  /** What ended the clone early, as it was rejected; null: nothing did. */
  readonly error: unknown;
  /** Reads of its disk were checked. */
  readonly isVerified: boolean;
  /** What was seen by who waited for a steady rate; null: nobody did. */
  readonly steady: SteadyResult | null;
  /** The search for a depth that keeps a latency; null: there was none. */
  readonly search: SearchResult | null;
  /** Requests that failed while the job went on. */
  readonly failures: FailureCount;
}

/** What a clone writes beside its load: closed by whoever made it. */
export interface CloneLogs {
  readonly requestLog: RequestLog | null;
  readonly ioLog: IoLogWriter | null;
}

export class CloneRun implements FinishedClone {
  readonly plan: ClonePlan;
  readonly disk: LoadDisk;
  readonly stats = new LoadStats();
  readonly log = new MismatchLog();
  readonly failures = new FailureCount();
  /** What ended the clone early, as it was rejected; null: nothing did. */
  error: unknown = null;
  /** What watched its rate; null: nobody. Jobs judged together have the same. */
  watchedBy: SteadyState | null = null;
  readonly #search: DepthSearch | null;
  readonly #flow: Flow | null;
  readonly #pattern: OperationSource;
  readonly #logs: CloneLogs;
  #loop: RequestLoop | null = null;
  #delay: { readonly end: () => void } | null = null;
  #hasDelayed = false;
  #isStopped = false;
  #isReadingBack = false;

  /**
   * @param flow what it shares with other jobs
   */
  constructor(
    plan: ClonePlan,
    disk: LoadDisk,
    logs: CloneLogs = { requestLog: null, ioLog: null },
    flow: Flow | null = null,
  ) {
    this.#flow = flow;
    this.#search = depthSearchOf(plan.job);
    this.#logs = logs;
    this.plan = plan;
    this.disk = disk;
    const { ioLog, requestsMax, isTimeBased } = plan.job;
    this.#pattern =
      ioLog === null
        ? new JobPattern(plan, disk, !isTimeBased)
        : new IoLogSource(ioLog, disk, requestsMax);
  }

  get isVerified(): boolean {
    return this.disk.verifier !== null;
  }

  get steady(): SteadyResult | null {
    return this.watchedBy?.result() ?? null;
  }

  get search(): SearchResult | null {
    return this.#search?.result() ?? null;
  }

  /**
   * Runs a turn to its end. A failed request ends it and is kept in error; it does not reject.
   *
   * @throws InvariantError only
   */
  async run(): Promise<void> {
    const { job } = this.plan;
    if (job.startDelayUs > 0 && !this.#hasDelayed) await this.#waitToStart(job.startDelayUs / 1e3);
    await this.#main();
    const writes = job.workload.isMixed || job.workload.direction === 'write';
    const isVerified = this.disk.verifier !== null && job.verify !== 'none';
    if (isVerified && writes && job.verifiesAfter) await this.#readBack();
    if (this.log.count > 0 && this.error === null) {
      this.error = new PlaneError(
        'VerifyMismatch',
        `disk ${this.plan.disk.diskName}: ${this.log.count} units of 512 bytes are not what was ` +
          'written',
      );
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#delay?.end();
    this.#loop?.stop();
  }

  /** Share of the work done, 0 to 1; NaN if no end is known. */
  progress(): number {
    return this.#loop?.progress() ?? 0;
  }

  /** What it does just now. */
  activity(): LoadActivity {
    const { job, disk } = this.plan;
    const inFlight = this.#loop?.inFlight() ?? 0;
    return activityOf(job.name, disk.diskName, this.stats, inFlight, [this.disk.disk]);
  }

  /** True in the phase that reads back what was written. */
  isReadingBack(): boolean {
    return this.#isReadingBack;
  }

  /** The job itself, under the eyes of its rate_min. */
  async #main(): Promise<void> {
    const { job, seed } = this.plan;
    const watch = hasFloor(job) ? this.#watchFloor() : null;
    await this.#runLoop(
      new RequestLoop({
        source: this.#source(),
        depth: job.depth,
        stats: this.stats,
        log: this.log,
        payload: payloadKind(job),
        bufferPattern: job.bufferPattern,
        seed,
        bufferBytes: largestBlock(job),
        rampMs: job.rampUs / 1e3,
        runtimeMs: job.runtimeUs / 1e3,
        syncEvery: job.syncEvery,
        syncsAtEnd: job.syncsAtEnd,
        syncsWrites: job.syncsWrites,
        mismatchEnds: job.verifyIsFatal,
        think: thinkTimeOf(job),
        latencyMostMs: job.latencyMostUs / 1e3,
        depthSearch: this.#search,
        requestLog: this.#logs.requestLog,
        ioLog: this.#logs.ioLog,
        submitBatch: submitBatchOf(job),
        failures: this.failures,
        continuesAfter: job.continuesAfter,
        reduction: {
          compressPercent: job.compressPercent,
          chunkBytes: job.compressChunkBytes,
          dedupePercent: job.dedupePercent,
        },
      }),
    );
    if (watch !== null) clearInterval(watch);
  }

  #source(): OperationSource {
    const { verifyBacklog, verifyBacklogBatch, flowWeight, flowSleepUs } = this.plan.job;
    const hasBacklog = verifyBacklog > 0 && this.disk.verifier !== null;
    const source = hasBacklog
      ? new BacklogSource(this.#pattern, verifyBacklog, verifyBacklogBatch)
      : this.#pattern;
    if (this.#flow === null) return source;
    return new FlowSource(source, this.#flow, flowWeight, flowSleepUs / 1e3);
  }

  /** Ends the job with an error when it makes less than it must. */
  #watchFloor(): NodeJS.Timeout {
    const { job } = this.plan;
    const floor = new RateFloor(job, this.stats, performance.now());
    return setInterval(() => {
      const missed = floor.look(performance.now());
      if (missed === null) return;
      this.error ??= missed;
      this.#loop?.stop();
    }, job.rateCycleMs);
  }

  #waitToStart(delayMs: number): Promise<void> {
    this.#hasDelayed = true;
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#delay = null;
        resolve();
      };
      const timer = setTimeout(end, delayMs);
      this.#delay = { end };
    });
  }

  async #readBack(): Promise<void> {
    const { job, regionOffset, regionBytes, seed } = this.plan;
    if (this.#isStopped || this.error !== null) return;
    if (job.verifyIsFatal && this.log.count > 0) return;
    const blockBytes = job.blockSizes.write.most;
    const range = { startBytes: regionOffset, endBytes: regionOffset + regionBytes };
    this.#isReadingBack = true;
    await this.#runLoop(
      new RequestLoop({
        source: readBackWalk(this.disk, range, blockBytes),
        depth: job.depth,
        stats: this.stats,
        log: this.log,
        payload: 'same',
        seed,
        bufferBytes: blockBytes,
        mismatchEnds: job.verifyIsFatal,
      }),
    );
    this.#isReadingBack = false;
  }

  async #runLoop(loop: RequestLoop): Promise<void> {
    if (this.#isStopped) return;
    this.#loop = loop;
    const { error } = await loop.run();
    this.error ??= error;
  }
}

function thinkTimeOf(job: Job): ThinkTime | null {
  if (job.thinkUs === 0) return null;
  return {
    everyRequests: job.thinkBlocks ?? (job.thinkEveryUs > 0 ? Number.POSITIVE_INFINITY : 1),
    everyMs: job.thinkEveryUs > 0 ? job.thinkEveryUs / 1e3 : Number.POSITIVE_INFINITY,
    pauseMs: job.thinkUs / 1e3,
    spinMs: job.thinkSpinUs / 1e3,
    shiftsSource: job.rateIgnoresThinkTime,
  };
}

/** How many slots must be idle before more requests are made: whichever option says most. */
function submitBatchOf({ depth, submitBatch, completeBatch, depthLow }: Job): number {
  const drained = depthLow === null ? 1 : depth - depthLow;
  return Math.max(1, Math.min(depth, Math.max(submitBatch, completeBatch, drained)));
}

function depthSearchOf(job: Job): DepthSearch | null {
  if (job.latencyTargetUs === 0) return null;
  const goal = {
    targetUs: job.latencyTargetUs,
    windowUs: job.latencyWindowUs,
    percent: job.latencyPercent,
    goesOn: job.latencyGoesOn,
  };
  return new DepthSearch(goal, job.depth);
}
