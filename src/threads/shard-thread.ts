/**
 * One life of a shard's thread, as main sees it: started, told things, lost, stopped.
 *
 * A piscina pool of exactly one thread runs one task, workers/shard.ts, for as long as the shard
 * lives. A pool of several threads would hand a disk's requests to any of them.
 *
 *   starting ──ready──▶ running ──close()──▶ stopping ──▶ ended
 *       └──failed──▶ ended     └──crash, no memory, hang──▶ ending ──▶ lost
 *
 * 1. No AbortSignal is ever given to the task: piscina would kill the thread with keys in its
 *    memory. A thread that crashed or hangs is killed: its keys may stay in freed memory.
 * 2. `atomics: 'disabled'`: piscina's default parks an idle worker so that it hears no port.
 *    `minThreads: 0`: or piscina starts another thread in place of one that ends, which would have
 *    to be terminated while it loads native code, and that can end the process.
 * 3. A thread that gives no sign of life for SHARD_HANG_MS, while somebody waits for it, hangs.
 * 4. When the thread is lost every call in flight and every later one fails with ShardLost, but not
 *    before the thread has ended and can write nowhere any more (or THREAD_END_MS have passed: a
 *    thread inside a call of the system that does not return cannot be ended).
 *
 * **Thread:** main.
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Worker,
} from 'node:worker_threads';
import { Piscina } from 'piscina';
import { settlesWithin } from '../base/deadline.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { CONTROL_TIMEOUT_MS, SHARD_HANG_MS, SHARD_HEAP_MB, THREAD_END_MS } from '../limits.ts';
import {
  allocateShardChannel,
  ShardChannel,
  type ShardChannelMemory,
} from '../record/shard-channel.ts';
import {
  type SabotageMessage,
  type ShardReply,
  type ShardRequest,
  type ShardStart,
  START_ID,
} from '../record/shard-message.ts';
import { watchForHang } from './hang-watch.ts';
import type { Fault, Sabotage } from './sabotage.ts';

export interface ShardThreadOptions {
  readonly shardIndex: number;
  readonly store: ShardStart<MessagePort>['store'];
  readonly engine: ShardStart<MessagePort>['engine'];
  readonly pollMicroseconds: number;
  /** Gives the KMS thread its end of the shard's private channel; main keeps none. */
  readonly introduce: (port: MessagePort, doorbell: Int32Array) => Promise<void>;
  /** Tests only: threads/sabotage.ts. */
  readonly sabotage: Sabotage | null;
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
  /** Called once if the thread ends unasked, when it can do nothing any more (rule 4). */
  onLost: (error: PlaneError) => void = () => {};
  /** Resolves when the thread is gone. It may take for ever after onLost() (rule 4). */
  readonly gone: Promise<void>;
  private readonly shardIndex: number;
  private readonly introduce: ShardThreadOptions['introduce'];
  private readonly pool: Piscina;
  private readonly worker: Worker;
  private readonly control: MessagePort;
  private readonly waiting = new Map<number, Waiting>();
  private readonly ended: Promise<void>;
  private endWatch: () => void;
  private nextId = START_ID + 1;
  private lost: PlaneError | null = null;
  private hangText = '';
  private isStopping = false;

  private constructor(options: ShardThreadOptions, memory: ShardChannelMemory, kms: MessagePort) {
    const control = new MessageChannel();
    const { sabotage } = options;
    this.shardIndex = options.shardIndex;
    this.introduce = options.introduce;
    this.channel = new ShardChannel(memory);
    this.control = control.port1;
    this.control.on('message', (reply: ShardReply) => this.take(reply));
    this.pool = new Piscina({
      filename: new URL('../../workers/shard.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      maxQueue: 1,
      atomics: 'disabled',
      // Flags of the process (--eval, --input-type, --inspect) are not for threads that hold keys.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: sabotage?.options.shardHeapMb ?? SHARD_HEAP_MB },
    });
    const start: ShardStart<MessagePort> = {
      memory,
      control: control.port2,
      kms,
      store: options.store,
      engine: options.engine,
      pollMicroseconds: options.pollMicroseconds,
      isSabotageAllowed: sabotage !== null,
    };
    const task = this.pool.run(start, { transferList: [control.port2, kms] });
    const [worker] = this.pool.threads;
    invariant(worker !== undefined, 'a pool starts a thread for its first task');
    this.worker = worker;
    this.gone = new Promise((resolve) => worker.once('exit', () => resolve()));
    this.ended = task.then(
      () => this.end('has ended', undefined),
      (cause: unknown) => this.end('crashed', cause),
    );
    this.endWatch = this.watch(SHARD_HANG_MS);
  }

  /** Watched: see hang-watch.ts. */
  get isAwaited(): boolean {
    return this.waiting.size > 0 || this.channel.submitted !== this.channel.completed;
  }

  get progress(): number {
    return this.channel.beats;
  }

  /**
   * @throws PlaneError what the shard could not open or select; ShardLost if it crashed;
   *   StoreFailed if its store had failed for good by then
   */
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
      throw failureOfStart(options.shardIndex, thread.channel.isStoreFailed, error);
    }
    if (options.sabotage !== null) thread.sabotage(options.sabotage);
    return thread;
  }

  /**
   * Tells the shard to do something other than I/O.
   *
   * @throws PlaneError what the shard answered; ShardLost; Busy if it does not answer in time
   */
  call(request: ShardRequest, transfer: readonly MessagePort[] = []): Promise<unknown> {
    if (this.lost !== null) return Promise.reject(this.lost);
    const id = this.nextId++;
    const isBounded = request.op !== 'check' && request.op !== 'stop';
    return new Promise((resolve, reject) => {
      const timer = isBounded ? setTimeout(() => this.giveUp(id), CONTROL_TIMEOUT_MS) : null;
      this.waiting.set(id, { resolve, reject, timer });
      this.control.postMessage({ id, request }, transfer);
      this.channel.ringDoorbell();
    });
  }

  /** Another private channel, to a KMS thread that was started again. Main keeps no end. */
  async connectKms(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    await this.introduce(port2, this.channel.doorbell);
    await this.call({ op: 'connectKms', port: port1 }, [port1]);
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
      }
      return;
    }
    await this.ended;
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

  /** The task is over: the thread is ended too, then told of. */
  private async end(how: string, cause: unknown): Promise<void> {
    this.endWatch();
    const why = this.hangText === '' ? `${how}${textOf(cause)}` : this.hangText;
    const what = `shard ${this.shardIndex} ${why}`;
    const error = new PlaneError('ShardLost', what, { cause });
    this.lost = error;
    await settlesWithin(Promise.all([this.pool.destroy(), this.gone]), THREAD_END_MS);
    this.takeLastReplies();
    this.control.close();
    for (const waiting of this.waiting.values()) {
      if (waiting.timer !== null) clearTimeout(waiting.timer);
      waiting.reject(error);
    }
    this.waiting.clear();
    if (!this.isStopping) this.onLost(error);
  }

  private watch(hangMs: number): () => void {
    return watchForHang(this, hangMs, (silentMs) => {
      this.hangText = `hung: it gave no sign of life for ${silentMs} ms`;
      void this.pool.destroy();
    });
  }

  private sabotage(sabotage: Sabotage): void {
    this.endWatch();
    this.endWatch = this.watch(sabotage.options.shardHangMs ?? SHARD_HANG_MS);
    sabotage.addShard(this.shardIndex, {
      fault: (kind) => this.haveFault(kind),
      lost: this.ended,
    });
  }

  private haveFault(kind: Fault): void {
    if (kind === 'terminate') {
      void this.worker.terminate();
      return;
    }
    this.control.postMessage({ sabotage: kind } satisfies SabotageMessage);
    this.channel.ringDoorbell();
  }
}

/**
 * A store that failed for good while it was being opened has failed, whether its thread lived to
 * say so or not: the next opening would believe what it could not write. Exported for tests.
 */
export function failureOfStart(
  shardIndex: number,
  isStoreFailed: boolean,
  error: unknown,
): unknown {
  const isTold = error instanceof PlaneError && error.code === 'StoreFailed';
  if (!isStoreFailed || isTold) return error;
  const what = `the store of shard ${shardIndex} had failed before its thread could say so`;
  return new PlaneError('StoreFailed', `${what}${textOf(error)}`, { cause: error });
}

/** What an error says of itself: no stack, it may have anything in it. */
function textOf(cause: unknown): string {
  if (cause === undefined) return '';
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  return `: ${typeof code === 'string' ? code : String(message ?? 'for no stated reason')}`;
}
