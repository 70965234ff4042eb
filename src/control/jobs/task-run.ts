/**
 * One task at work: can be told to stop, and waits no longer then.
 *
 * **Thread:** main.
 */

export class TaskRun {
  /** Bytes per second; 0: as fast as the requests of callers allow. */
  readonly bytesPerSecond: number;
  isStopped = false;
  /** Resolves when the task does nothing any more. Set by whoever starts it. */
  ended: Promise<void> = Promise.resolve();
  private wake: () => void = () => {};

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** The task ends at the next chance; what it has told a shard is awaited. */
  stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    return this.ended;
  }

  /** Resolves after some time, or when the task is told to stop. */
  wait(milliseconds: number): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
