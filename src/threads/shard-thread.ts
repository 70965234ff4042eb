/**
 * One shard's thread, as main sees it: started, told things, lost, stopped.
 *
 * A piscina pool of exactly one thread runs one task, workers/shard.ts, for as long as the shard
 * lives. A pool of several threads would hand a disk's requests to any of them.
 *
 *   starting ──ready──▶ running ──close()──▶ stopping ──▶ ended
 *       └──failed──▶ ended     └──thread ends──▶ lost
 *
 * 1. No AbortSignal is ever given to the task: piscina would kill the thread with keys in its
 *    memory.
 * 2. `atomics: 'disabled'`: piscina's default parks an idle worker so that it hears no port.
 * 3. When the thread is lost every call in flight and every later one fails with ShardLost.
 *
 * **Thread:** main.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { PlaneError } from '../base/errors.ts';
import { CONTROL_TIMEOUT_MS } from '../limits.ts';
import {
  allocateShardChannel,
  ShardChannel,
  type ShardChannelMemory,
} from '../record/shard-channel.ts';
import {
  type ShardReply,
  type ShardRequest,
  type ShardStart,
  START_ID,
} from '../record/shard-message.ts';

export interface ShardThreadOptions {
  readonly shardIndex: number;
  readonly store: ShardStart<MessagePort>['store'];
  readonly engine: ShardStart<MessagePort>['engine'];
  readonly pollMicroseconds: number;
  /** Gives the KMS thread its end of the shard's private channel; main keeps none. */
  readonly introduce: (port: MessagePort, doorbell: Int32Array) => Promise<void>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PlaneError) => void;
  readonly timer: NodeJS.Timeout | null;
}

export class ShardThread {
  readonly channel: ShardChannel;
  /** What the shard said at its start: engines considered, what recovery did. */
  started: unknown = null;
  /** Called once if the thread ends unasked. */
  onLost: (error: PlaneError) => void = () => {};
  private readonly shardIndex: number;
  private readonly pool: Piscina;
  private readonly control: MessagePort;
  private readonly waiting = new Map<number, Waiting>();
  private readonly ended: Promise<void>;
  private nextId = START_ID + 1;
  private lost: PlaneError | null = null;
  private isStopping = false;

  private constructor(options: ShardThreadOptions, memory: ShardChannelMemory, kms: MessagePort) {
    const control = new MessageChannel();
    this.shardIndex = options.shardIndex;
    this.channel = new ShardChannel(memory);
    this.control = control.port1;
    this.control.on('message', (reply: ShardReply) => this.take(reply));
    this.pool = new Piscina({
      filename: new URL('../../workers/shard.js', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      maxQueue: 1,
      atomics: 'disabled',
      // Flags of the process (--eval, --input-type, --inspect) are not for threads that hold keys.
      execArgv: [],
    });
    const start: ShardStart<MessagePort> = {
      memory,
      control: control.port2,
      kms,
      store: options.store,
      engine: options.engine,
      pollMicroseconds: options.pollMicroseconds,
    };
    const task = this.pool.run(start, { transferList: [control.port2, kms] });
    this.ended = task.then(
      () => this.end(new PlaneError('ShardLost', `shard ${this.shardIndex} has ended`)),
      (cause: unknown) =>
        this.end(new PlaneError('ShardLost', `shard ${this.shardIndex} crashed`, { cause })),
    );
  }

  /** @throws PlaneError what the shard could not open or select, ShardLost if it crashed */
  static async start(options: ShardThreadOptions): Promise<ShardThread> {
    const memory = allocateShardChannel();
    const kms = new MessageChannel();
    await options.introduce(kms.port2, new Int32Array(memory.doorbell));
    const thread = new ShardThread(options, memory, kms.port1);
    try {
      thread.started = await new Promise((resolve, reject) => {
        // Opening a store takes as long as its recovery: no timeout.
        thread.waiting.set(START_ID, { resolve, reject, timer: null });
      });
    } catch (error) {
      await thread.ended;
      await thread.pool.destroy();
      throw error;
    }
    return thread;
  }

  /**
   * Tells the shard to do something other than I/O.
   *
   * @throws PlaneError what the shard answered; ShardLost; Busy if it does not answer in time
   */
  call(request: ShardRequest): Promise<unknown> {
    if (this.lost !== null) return Promise.reject(this.lost);
    const id = this.nextId++;
    const isBounded = request.op !== 'check' && request.op !== 'stop';
    return new Promise((resolve, reject) => {
      const timer = isBounded ? setTimeout(() => this.giveUp(id), CONTROL_TIMEOUT_MS) : null;
      this.waiting.set(id, { resolve, reject, timer });
      this.control.postMessage({ id, request });
      this.channel.ringDoorbell();
    });
  }

  /** Erases the shard's keys, closes its store, ends its thread. Idempotent. */
  async close(): Promise<void> {
    if (!this.isStopping && this.lost === null) {
      this.isStopping = true;
      try {
        // A store that cannot be closed is an error, and the thread ends all the same.
        await this.call({ op: 'stop' });
      } finally {
        await this.ended;
        await this.pool.destroy();
      }
      return;
    }
    await this.ended;
    await this.pool.destroy();
  }

  private take(reply: ShardReply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (waiting === undefined) return;
    if (waiting.timer !== null) clearTimeout(waiting.timer);
    if ('error' in reply) waiting.reject(PlaneError.fromRecord(reply.error));
    else waiting.resolve(reply.result);
  }

  /**
   * What the shard answered before it ended may still lie in the port: its end comes by another,
   * and of two ports either may be looked at first.
   */
  private takeLastReplies(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.control);
      if (received === undefined) return;
      this.take(received.message as ShardReply);
    }
  }

  private giveUp(id: number): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.reject(
      new PlaneError('Busy', `shard ${this.shardIndex} gave no answer in ${CONTROL_TIMEOUT_MS} ms`),
    );
  }

  private end(error: PlaneError): void {
    this.takeLastReplies();
    this.lost = error;
    this.control.close();
    for (const waiting of this.waiting.values()) {
      if (waiting.timer !== null) clearTimeout(waiting.timer);
      waiting.reject(error);
    }
    this.waiting.clear();
    if (!this.isStopping) this.onLost(error);
  }
}
