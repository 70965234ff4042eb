/**
 * The KMS thread as main sees it: started, asked, introduced to shards, closed.
 *
 * 1. Every call ends: with its answer, with an error the KMS answered, or with KmsUnavailable after
 *    KMS_TIMEOUT_MS or when the thread is gone. A late answer is dropped: ids are never used twice.
 * 2. What introduce() is given is given away: main keeps no end of a channel keys travel on.
 * 3. The thread is asked to end, and erases its keys before it does. It is terminated only if it
 *    does not: a terminated thread leaves key bytes in freed memory.
 *
 * **Thread:** main.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { Simulation } from '../base/simulation.ts';
import { KMS_TIMEOUT_MS } from '../limits.ts';
import type { KmsCall, KmsReply, KmsRequest, KmsResults } from '../record/kms-message.ts';

export interface KmsThreadOptions {
  /** The plane's data directory; null: a vault in memory. */
  readonly dataDir: string | null;
  readonly rootKeyFile: string | null;
  /** Refuses requests above the cloud's rates. @default false */
  readonly throttling?: boolean;
  /** null: the system's time, and no outages but real ones. @default null */
  readonly simulation?: Simulation | null;
  /** @default KMS_TIMEOUT_MS */
  readonly timeoutMs?: number;
}

export interface KmsThread {
  /** @throws PlaneError what the KMS answered; KmsUnavailable */
  call<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]>;
  /**
   * Lets a shard ask for its data keys.
   *
   * @param port moved: the KMS end of a channel whose other end the shard has
   * @param doorbell shared with the shard: raised and notified at index 0 after every reply
   */
  introduce(port: MessagePort, doorbell: Int32Array): Promise<void>;
  /** Erases all keys and ends the thread. Idempotent. */
  close(): Promise<void>;
}

/** The longest a timer can run. */
const TIMER_MS_MAX = 2 ** 31 - 1;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PlaneError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Starts the thread and waits until its vault is open.
 *
 * @throws PlaneError RootKeyInvalid, DataDirectoryForeign, DataDirectoryCorrupt,
 *   DataDirectoryVersion, StoreFailed, KmsUnavailable
 */
export async function startKmsThread(options: KmsThreadOptions): Promise<KmsThread> {
  const {
    dataDir,
    rootKeyFile,
    throttling = false,
    simulation,
    timeoutMs = KMS_TIMEOUT_MS,
  } = options;
  const worker = new Worker(new URL('../../workers/kms.js', import.meta.url), {
    name: 'kms',
    // Flags of the process (--eval, --input-type, --inspect) are not for threads that hold keys.
    execArgv: [],
    workerData: {
      place: { dataDir, rootKeyFile },
      throttling,
      simulation: simulation?.memory ?? null,
    },
  });
  const thread = new KmsWorker(worker, timeoutMs);
  await thread.ready;
  return thread;
}

class KmsWorker implements KmsThread {
  /** Settles when the vault is open, or could not be opened. */
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  /** Why no call can be made any more, once that is so. */
  #ended: PlaneError | null = null;
  #lastError = '';
  #lastId = 0;
  #closing: Promise<void> | null = null;

  constructor(worker: Worker, timeoutMs: number) {
    this.#worker = worker;
    this.#timeoutMs = timeoutMs;
    this.ready = new Promise((resolve, reject) => {
      // Opening reads every key, so it takes as long as it takes: only death ends the wait.
      worker.on('message', (reply: KmsReply) => {
        if (reply.kind === 'ready') resolve();
        else if (reply.kind === 'failed') reject(PlaneError.fromRecord(reply.error));
        else this.#receive(reply);
      });
      worker.once('exit', () => reject(this.#goneError()));
    });
    worker.on('error', (error) => {
      this.#lastError = `: ${error instanceof Error ? error.message : String(error)}`;
    });
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#ended = this.#goneError();
        for (const { reject, timer } of this.#waiting.values()) {
          clearTimeout(timer);
          reject(this.#ended);
        }
        this.#waiting.clear();
        resolve();
      });
    });
  }

  async call<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]> {
    // A search takes as long as reading the files does.
    const timeoutMs = request.op === 'searchForKey' ? TIMER_MS_MAX : this.#timeoutMs;
    const result = await this.#ask((id) => ({ kind: 'call', id, request }), [], timeoutMs);
    return result as KmsResults[R['op']];
  }

  async introduce(port: MessagePort, doorbell: Int32Array): Promise<void> {
    const isShared = doorbell.buffer instanceof SharedArrayBuffer;
    invariant(isShared, 'a doorbell is memory the shard shares');
    await this.#ask((id) => ({ kind: 'introduce', id, port, doorbell }), [port]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended === null) {
      const asked = this.#ask((id) => ({ kind: 'close', id }));
      this.#ended = new PlaneError('KmsUnavailable', 'the KMS thread is closed');
      // Whether it answered or not, what counts is below: that it ends.
      await asked.catch(() => undefined);
    }
    const timer = setTimeout(() => void this.#worker.terminate(), this.#timeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #ask(
    makeCall: (id: number) => KmsCall,
    transfer: readonly MessagePort[] = [],
    timeoutMs = this.#timeoutMs,
  ): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        const detail = `the KMS thread did not answer within ${timeoutMs} ms`;
        reject(new PlaneError('KmsUnavailable', detail));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#worker.postMessage(makeCall(id), transfer);
    });
  }

  #receive(reply: Extract<KmsReply, { readonly id: number }>): void {
    const waiting = this.#waiting.get(reply.id);
    // Too late: whoever asked was told so.
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    if (reply.kind === 'error') waiting.reject(PlaneError.fromRecord(reply.error));
    else waiting.resolve(reply.result);
  }

  #goneError(): PlaneError {
    return new PlaneError('KmsUnavailable', `the KMS thread has ended${this.#lastError}`);
  }
}
