/**
 * One shard of a plane, whichever thread it is by now: a lost one is replaced.
 *
 *            thread lost ──▶ replacing ──started──▶ up
 *   up ──▶                      │  ▲                 │
 *                               │  └──── lost ───────┘
 *                               └─ too often, or its store takes no writes ──▶ down, for good
 *
 * 1. A new thread is started when the former is gone: two of them never have one store open.
 * 2. A control message that is under way when the thread is lost fails with ShardLost and is not
 *    repeated; what it was to do may be done. One that comes while it is being replaced waits for
 *    that, at most CONTROL_TIMEOUT_MS.
 * 3. A store that had failed for good (StoreFailed), when it served, in the background, or when it
 *    was being opened again, is not opened again by this process, whether its thread lived to say
 *    so or not: callers were told that it takes no more writes, and somebody has to look at why.
 * 4. The data of a store in memory is lost with its thread. Whatever had a tree in it is answered
 *    DataLost from then on; the shard itself goes on, empty.
 *
 * **Thread:** main.
 */
import { systemClock } from '../base/clock.ts';
import { settlesWithin } from '../base/deadline.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { CONTROL_TIMEOUT_MS, THREAD_END_MS } from '../limits.ts';
import type { ShardRequest } from '../record/shard-message.ts';
import { LossHistory } from '../threads/loss-history.ts';
import type { ShardThread } from '../threads/shard-thread.ts';
import type { ShardDispatch } from './dispatch.ts';
import { LostTrees } from './lost-trees.ts';

export interface ShardLaneOptions {
  readonly shardIndex: number;
  /** Started. Moved: closed by close(). */
  readonly thread: ShardThread;
  /** Starts a thread in place of one that is gone. */
  readonly restart: () => Promise<ShardThread>;
  readonly dispatch: ShardDispatch;
  /** Its store is in memory. */
  readonly isVolatile: boolean;
  readonly lossesMax?: number | undefined;
  /** Called at once when the thread is lost, before anything in flight is answered. */
  readonly onLost: () => void;
  /** The new thread serves, and knows no volume and no buffer yet. */
  readonly onReplaced: () => void;
  /** It will not serve again. */
  readonly onDown: (error: PlaneError) => void;
}

export class ShardLane {
  readonly dispatch: ShardDispatch;
  /** How many threads the shard has lost. */
  losses = 0;
  private readonly options: ShardLaneOptions;
  private readonly history: LossHistory;
  private readonly lostTrees: LostTrees | null;
  private thread: ShardThread;
  private replacing: Promise<void> | null = null;
  private down: PlaneError | null = null;
  /** Rule 3. */
  private storeFailure: PlaneError | null = null;
  private isClosing = false;

  constructor(options: ShardLaneOptions) {
    this.options = options;
    this.dispatch = options.dispatch;
    this.history = new LossHistory(options.lossesMax);
    this.lostTrees = options.isVolatile ? new LostTrees() : null;
    this.thread = options.thread;
    this.adopt(options.thread);
    this.dispatch.onStoreFailed = (error) => this.noteFailure(error);
  }

  /** Its thread is lost: onReplaced or onDown will be called. */
  get isReplacing(): boolean {
    return this.replacing !== null;
  }

  /** @throws PlaneError what the shard answered; ShardLost, DataLost; Busy: no answer in time */
  call(request: ShardRequest): Promise<unknown> {
    if (this.replacing !== null) return this.callLater(request);
    if (this.down !== null) return Promise.reject(this.down);
    if (this.lostTrees !== null) {
      const refusal = this.lostTrees.check(request);
      if (refusal !== null) return Promise.reject(refusal);
    }
    return this.thread.call(request).catch((error: unknown) => {
      if (error instanceof PlaneError) this.noteFailure(error);
      throw error;
    });
  }

  /** The KMS thread is another. */
  async connectKms(): Promise<void> {
    // A thread that starts now may have been introduced to the former.
    await this.replacing;
    if (this.down === null) await this.thread.connectKms();
  }

  /** Resolves when the thread has ended. */
  async close(): Promise<void> {
    this.isClosing = true;
    const { replacing } = this;
    // A thread that cannot be ended is left behind.
    if (replacing !== null && !(await settlesWithin(replacing, THREAD_END_MS))) return;
    await this.thread.close();
  }

  /** Resolves when the shard is up, or down. @throws PlaneError ShardLost: it takes too long */
  async settled(): Promise<void> {
    if (this.replacing === null) return;
    if (await settlesWithin(this.replacing, CONTROL_TIMEOUT_MS)) return;
    const what = `shard ${this.options.shardIndex} was not replaced`;
    throw new PlaneError('ShardLost', `${what} within ${CONTROL_TIMEOUT_MS} ms`);
  }

  private async callLater(request: ShardRequest): Promise<unknown> {
    await this.settled();
    return this.call(request);
  }

  private adopt(thread: ShardThread): void {
    this.thread = thread;
    thread.onLost = (error) => {
      invariant(this.replacing === null, 'a thread that serves is lost');
      this.losses++;
      this.lostTrees?.loseAll();
      this.replacing = this.replace(error).finally(() => {
        this.replacing = null;
        if (this.down === null) this.options.onReplaced();
        else this.options.onDown(this.down);
      });
      this.options.onLost();
      this.dispatch.fail(error);
    };
  }

  /** Never rejects: the shard is up again, or down. */
  private async replace(cause: PlaneError): Promise<void> {
    for (let error = cause; ; ) {
      await this.thread.gone;
      if (this.thread.channel.isStoreFailed) this.noteFailure(this.untoldFailure());
      const delayMs = this.history.add(systemClock.monotonic());
      if (this.isClosing) this.down = error;
      else if (this.storeFailure !== null) this.down = this.storeFailure;
      else if (delayMs === null) this.down = this.brokenError(error);
      if (this.down !== null) return;
      await new Promise((resolve) => setTimeout(resolve, delayMs ?? 0));
      try {
        const thread = await this.options.restart();
        this.dispatch.restart(thread.channel);
        this.adopt(thread);
        return;
      } catch (failure) {
        if (!(failure instanceof PlaneError)) throw failure;
        this.noteFailure(failure);
        error = failure;
      }
    }
  }

  /** Of a store that failed in the background, if its thread was lost before anybody was told. */
  private untoldFailure(): PlaneError {
    const what = `the store of shard ${this.options.shardIndex} had failed`;
    return new PlaneError('StoreFailed', `${what} before its thread was lost`);
  }

  /** Rule 3. */
  private noteFailure(error: PlaneError): void {
    if (error.code === 'StoreFailed') this.storeFailure ??= error;
  }

  private brokenError(last: PlaneError): PlaneError {
    const what = `shard ${this.options.shardIndex} ${this.history.text}; the last time: `;
    return new PlaneError('ShardLost', `${what}${last.toRecord().message}`, { cause: last });
  }
}
