/**
 * The KMS thread as the plane sees it, whichever it is by now: a lost one is started again.
 *
 *   up ──thread lost──▶ restarting ──vault open──▶ up ─▶ onRestarted(): shards are introduced again
 *                          │  └─ it cannot be opened: tried again, later and later
 *                          └─ too often, or a vault in memory ──▶ down, for good
 *
 * 1. Every call ends. One in flight when the thread is lost is made again, once, if that is safe
 *    (kms-repeat.ts); otherwise it ends with KmsUnavailable, and may have been done. One that comes
 *    meanwhile waits for the new thread, at most as long as for an answer.
 * 2. Attached volumes do not notice: their keys are in their shards.
 * 3. A vault in memory is gone with its thread, and every master key in it. There is no other then:
 *    it would answer for keys it never had. What is attached goes on being served.
 *
 * **Thread:** main.
 */
import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../base/clock.ts';
import { settlesWithin } from '../base/deadline.ts';
import { PlaneError } from '../base/errors.ts';
import { type TimeCounts, TimeHistogram } from '../base/time-histogram.ts';
import { KMS_TIMEOUT_MS } from '../limits.ts';
import type { KmsRequest, KmsResults } from '../record/kms-message.ts';
import { KmsGone, type KmsLife, type KmsLifeOptions, startKmsLife } from './kms-life.ts';
import { IS_REPEATABLE } from './kms-repeat.ts';
import { LossHistory } from './loss-history.ts';

/** Seconds. */
const CALL_BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

/** A KmsCallCount of types.ts, which this layer does not import. */
interface KmsCallCount {
  readonly operation: string;
  readonly failures: number;
  readonly times: TimeCounts;
}

export type KmsThreadOptions = KmsLifeOptions;

export interface KmsThread {
  /** Called when the thread is another: nobody but main is introduced to it. */
  onRestarted: () => void;
  /** @throws PlaneError what the KMS answered; KmsUnavailable */
  call<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]>;
  /** Calls that have ended, by operation. */
  counts(): KmsCallCount[];
  /**
   * Lets a shard ask for its data keys.
   *
   * @param port moved: the KMS end of a channel whose other end the shard has
   * @param doorbell shared with the shard: raised and notified at index 0 after every reply
   * @throws PlaneError KmsUnavailable
   */
  introduce(port: MessagePort, doorbell: Int32Array): Promise<void>;
  /** Erases all keys and ends the thread. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the thread and waits until its vault is open.
 *
 * @throws PlaneError RootKeyInvalid, DataDirectoryForeign, DataDirectoryCorrupt,
 *   DataDirectoryVersion, StoreFailed, KmsUnavailable
 */
export async function startKmsThread(options: KmsThreadOptions): Promise<KmsThread> {
  return new SupervisedKms(options, await startKmsLife(options));
}

class SupervisedKms implements KmsThread {
  onRestarted: () => void = () => {};
  readonly #options: KmsThreadOptions;
  readonly #history: LossHistory;
  readonly #counts = new Map<string, { failures: number; readonly times: TimeHistogram }>();
  #life: KmsLife;
  #restarting: Promise<void> | null = null;
  #down: PlaneError | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: KmsThreadOptions, life: KmsLife) {
    this.#options = options;
    this.#history = new LossHistory(options.sabotage?.options.lossesMax);
    this.#life = life;
    this.#watch(life);
  }

  async call<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]> {
    const beganAt = systemClock.monotonic();
    let hasFailed = true;
    try {
      const answer = await this.#ask(request);
      hasFailed = false;
      return answer;
    } finally {
      this.#count(request.op, (systemClock.monotonic() - beganAt) / 1_000, hasFailed);
    }
  }

  counts(): KmsCallCount[] {
    return [...this.#counts].map(([operation, { failures, times }]) => {
      return { operation, failures, times: times.read() };
    });
  }

  #count(operation: string, seconds: number, hasFailed: boolean): void {
    let counted = this.#counts.get(operation);
    if (counted === undefined) {
      counted = { failures: 0, times: new TimeHistogram(CALL_BOUNDS) };
      this.#counts.set(operation, counted);
    }
    if (hasFailed) counted.failures++;
    counted.times.add(seconds);
  }

  async #ask<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]> {
    const life = await this.#lifeNow();
    try {
      return await life.call(request);
    } catch (error) {
      if (!(error instanceof KmsGone)) throw error;
      if (this.#closing !== null || !IS_REPEATABLE[request.op]) throw unavailable(error);
    }
    try {
      return await (await this.#lifeNow()).call(request);
    } catch (error) {
      throw unavailable(error);
    }
  }

  async introduce(port: MessagePort, doorbell: Int32Array): Promise<void> {
    const life = await this.#lifeNow();
    try {
      await life.introduce(port, doorbell);
    } catch (error) {
      throw unavailable(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#restarting;
    await this.#life.close();
  }

  /** The thread, when there is one. @throws PlaneError KmsUnavailable */
  async #lifeNow(): Promise<KmsLife> {
    const timeoutMs = this.#options.timeoutMs ?? KMS_TIMEOUT_MS;
    // Of one that has ended #watch() hears first, so that it is restarting by then.
    if (this.#life.ended !== null) await this.#life.exited;
    if (this.#restarting !== null && !(await settlesWithin(this.#restarting, timeoutMs))) {
      const what = `the KMS thread was not started again within ${timeoutMs} ms`;
      throw new PlaneError('KmsUnavailable', what);
    }
    if (this.#down !== null) throw this.#down;
    return this.#life;
  }

  #watch(life: KmsLife): void {
    void life.exited.then(() => {
      if (this.#closing !== null) return;
      this.#restarting = this.#restart(life).finally(() => {
        this.#restarting = null;
        if (this.#down === null) this.onRestarted();
      });
    });
  }

  /** Never rejects: the thread is up again, or down. */
  async #restart(lost: KmsLife): Promise<void> {
    for (let last = lost.ended?.toRecord().message ?? ''; ; ) {
      const delayMs = this.#history.add(systemClock.monotonic());
      const isVolatile = this.#options.dataDir === null;
      if (isVolatile) this.#fail(`${last}; its master keys were in its memory and are lost`);
      else if (delayMs === null) this.#fail(`the KMS thread ${this.#history.text}: ${last}`);
      else if (this.#closing !== null) this.#fail(last);
      if (this.#down !== null) return;
      await new Promise((resolve) => setTimeout(resolve, delayMs ?? 0));
      try {
        this.#life = await startKmsLife(this.#options);
        this.#watch(this.#life);
        return;
      } catch (error) {
        if (!(error instanceof PlaneError)) throw error;
        last = error.message;
      }
    }
  }

  #fail(detail: string): void {
    this.#down = new PlaneError('KmsUnavailable', detail);
  }
}

/** A thread that ended, in the words of the table of codes. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof KmsGone)) return error;
  const what = `${error.message}: whether it did what it was asked is not known`;
  return new PlaneError('KmsUnavailable', what);
}
