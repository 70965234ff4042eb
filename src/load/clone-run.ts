/**
 * One clone of a job as it runs: its main phase, then reading back what it wrote if it verifies.
 *
 * A clone may be run in several turns (a comparison interleaves them): the pattern goes on where it
 * was, and the numbers add up.
 */
import { PlaneError } from '../base/errors.ts';
import { MismatchLog } from './disk-verifier.ts';
import { type ClonePlan, largestBlock } from './job-plan.ts';
import { payloadKind } from './job-settings.ts';
import type { LoadDisk } from './load-disk.ts';
import { LoadStats } from './load-stats.ts';
import { JobPattern } from './pattern.ts';
import { RequestLoop } from './request-loop.ts';
import { readBackWalk } from './walk.ts';

export class CloneRun {
  readonly plan: ClonePlan;
  readonly disk: LoadDisk;
  readonly stats = new LoadStats();
  readonly log = new MismatchLog();
  /** What ended the clone early, as it was rejected; null: nothing did. */
  error: unknown = null;
  readonly #pattern: JobPattern;
  #loop: RequestLoop | null = null;
  #isStopped = false;
  #isReadingBack = false;

  constructor(plan: ClonePlan, disk: LoadDisk) {
    this.plan = plan;
    this.disk = disk;
    this.#pattern = new JobPattern(plan, disk, !plan.job.isTimeBased);
  }

  /**
   * Runs a turn to its end. A failed request ends it and is kept in error; it does not reject.
   *
   * @throws InvariantError only
   */
  async run(): Promise<void> {
    const { job, seed } = this.plan;
    await this.#runLoop(
      new RequestLoop({
        source: this.#pattern,
        depth: job.depth,
        stats: this.stats,
        log: this.log,
        payload: payloadKind(job),
        seed,
        bufferBytes: largestBlock(job),
        rampMs: job.rampUs / 1e3,
        runtimeMs: job.runtimeUs / 1e3,
        syncEvery: job.syncEvery,
        syncsAtEnd: job.syncsAtEnd,
        mismatchEnds: job.verifyIsFatal,
      }),
    );
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
    this.#loop?.stop();
  }

  /** Share of the work done, 0 to 1; NaN if no end is known. */
  progress(): number {
    return this.#loop?.progress() ?? 0;
  }

  /** True in the phase that reads back what was written. */
  isReadingBack(): boolean {
    return this.#isReadingBack;
  }

  async #readBack(): Promise<void> {
    const { job, regionOffset, regionBytes, seed } = this.plan;
    if (this.#isStopped || this.error !== null) return;
    if (job.verifyIsFatal && this.log.count > 0) return;
    const blockBytes = job.blockBytes.write;
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
