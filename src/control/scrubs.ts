/**
 * The scrub of a plane, if there is one: at most one at a time, ended when the plane closes.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { SCRUB_BYTES_PER_SECOND } from '../limits.ts';
import type { PlaneContext } from './context.ts';
import { TaskRun } from './jobs/task-run.ts';
import { Scrubber, type ScrubOutcome, type ScrubRun } from './scrub.ts';

/** ScrubOptions of types.ts, which this layer does not import. */
interface Options {
  readonly bytesPerSecond?: number;
  readonly onProgress?: ScrubRun['onProgress'];
  readonly signal?: AbortSignal;
}

export class Scrubs {
  private readonly context: PlaneContext;
  private run: TaskRun | null = null;

  constructor(context: PlaneContext) {
    this.context = context;
  }

  /** @throws PlaneError OperationConflict, InvalidArgument; what Scrubber.scrub() throws */
  async start(options: Options): Promise<ScrubOutcome> {
    const { bytesPerSecond = SCRUB_BYTES_PER_SECOND, signal } = options;
    if (!(Number.isFinite(bytesPerSecond) && bytesPerSecond >= 0)) {
      const what = `expected bytesPerSecond of 0 or more, got ${bytesPerSecond}`;
      throw new PlaneError('InvalidArgument', what);
    }
    if (this.run !== null) throw new PlaneError('OperationConflict', 'a scrub is under way');
    const run = new TaskRun(bytesPerSecond);
    this.run = run;
    const stop = (): void => void run.stop();
    signal?.addEventListener('abort', stop);
    const scrubbing = new Scrubber(this.context, {
      bytesPerSecond,
      isStopped: () => run.isStopped || signal?.aborted === true,
      onProgress: options.onProgress ?? (() => undefined),
      wait: (milliseconds) => run.wait(milliseconds),
    }).scrub();
    run.ended = scrubbing.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await scrubbing;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.run = null;
    }
  }

  /** Ends it where it is. Idempotent. */
  async close(): Promise<void> {
    await this.run?.stop();
  }
}
