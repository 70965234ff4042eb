/**
 * One life of the KMS thread, as main sees it: started, asked, introduced to shards, closed.
 *
 * 1. Every call ends: with its answer, with an error the KMS answered, or with KmsUnavailable after
 *    the deadline. A late answer is dropped: ids are never used twice. When the thread is gone the
 *    calls in flight end with KmsGone.
 * 2. What introduce() is given is given away: main keeps no end of a channel keys travel on.
 * 3. The thread is asked to end, and erases its keys before it does. It is terminated only if it
 *    does not, or hangs: a terminated thread leaves key bytes in freed memory.
 * 4. It is asked for a sign of life every KMS_PING_MS, also while it owes an answer: shards wait
 *    for it, and main does not know; and a call may wait for a disk that is slow to commit.
 *
 * **Thread:** main.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import { settlesWithin } from '../base/deadline.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { Simulation } from '../base/simulation.ts';
import { KMS_HANG_MS, KMS_OPEN_TIMEOUT_MS, KMS_PING_MS, KMS_TIMEOUT_MS } from '../limits.ts';
import type { KmsCall, KmsReply, KmsRequest, KmsResults } from '../record/kms-message.ts';
import { watchForHang } from './hang-watch.ts';
import type { Sabotage } from './sabotage.ts';

export interface KmsLifeOptions {
  /** The plane's data directory; null: a vault in memory. */
  readonly dataDir: string | null;
  readonly rootKeyFile: string | null;
  /** Refuses requests above the cloud's rates. @default false */
  readonly throttling?: boolean;
  /** null: the system's time, and no outages but real ones. @default null */
  readonly simulation?: Simulation | null;
  /** @default KMS_TIMEOUT_MS */
  readonly timeoutMs?: number;
  /** Tests only: threads/sabotage.ts. */
  readonly sabotage?: Sabotage | null;
}

/** The thread ended before it answered: what was asked may have been done. */
export class KmsGone extends Error {}

/** The longest a timer can run. */
const TIMER_MS_MAX = 2 ** 31 - 1;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Starts the thread and waits until its vault is open.
 *
 * @throws PlaneError RootKeyInvalid, DataDirectoryForeign, DataDirectoryCorrupt,
 *   DataDirectoryVersion, StoreFailed, KmsUnavailable
 */
export async function startKmsLife(options: KmsLifeOptions): Promise<KmsLife> {
  const { dataDir, rootKeyFile, throttling = false, simulation, sabotage = null } = options;
  const worker = new Worker(new URL('../../workers/kms.js', import.meta.url), {
    name: 'kms',
    // Flags of the process (--eval, --input-type, --inspect) are not for threads that hold keys.
    execArgv: [],
    workerData: {
      place: { dataDir, rootKeyFile },
      throttling,
      simulation: simulation?.memory ?? null,
      isSabotageAllowed: sabotage !== null,
    },
  });
  const life = new KmsLife(worker, options.timeoutMs ?? KMS_TIMEOUT_MS);
  if (!(await settlesWithin(life.ready, KMS_OPEN_TIMEOUT_MS))) void worker.terminate();
  await life.ready;
  life.serve(sabotage);
  return life;
}

export class KmsLife {
  /** Settles when the vault is open, or could not be opened. */
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();
  /** Asked, and not answered, in time or late. */
  readonly #owed = new Set<number>();
  /** Resolves when the thread has ended. */
  readonly exited: Promise<void>;
  #endWatch: () => void = () => {};
  #answers = 0;
  #isPinged = false;
  /** Why no call can be made any more, once that is so. */
  #ended: PlaneError | null = null;
  #how = 'has ended';
  #lastId = 0;
  #closing: Promise<void> | null = null;

  constructor(worker: Worker, timeoutMs: number) {
    this.#worker = worker;
    this.#timeoutMs = timeoutMs;
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (reply: KmsReply) => {
        this.#answers++;
        if (reply.kind === 'ready') resolve();
        else if (reply.kind === 'failed') reject(PlaneError.fromRecord(reply.error));
        else this.#receive(reply);
      });
      worker.once('exit', () => reject(this.#goneError()));
    });
    worker.on('error', (error) => {
      this.#how = `crashed: ${error instanceof Error ? error.message : String(error)}`;
    });
    this.exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#endWatch();
        this.#ended ??= this.#goneError();
        for (const { reject, timer } of this.#waiting.values()) {
          clearTimeout(timer);
          reject(new KmsGone(this.#ended.toRecord().message));
        }
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** The vault is open: from now on the thread has to give signs of life. */
  serve(sabotage: Sabotage | null): void {
    const hangMs = sabotage?.options.kmsHangMs ?? KMS_HANG_MS;
    const endWatch = watchForHang(this, hangMs, (silentMs) => {
      this.#how = `hung: it gave no sign of life for ${silentMs} ms`;
      void this.#worker.terminate();
    });
    const pings = setInterval(() => this.#ping(), Math.min(KMS_PING_MS, hangMs / 4)).unref();
    this.#endWatch = () => {
      endWatch();
      clearInterval(pings);
    };
    sabotage?.addKms({
      fault: (kind) => {
        if (kind === 'terminate') void this.#worker.terminate();
        else this.#worker.postMessage({ kind: 'sabotage', id: ++this.#lastId, fault: kind });
      },
      lost: this.exited,
    });
  }

  /** Watched: see hang-watch.ts. */
  get isAwaited(): boolean {
    return this.#owed.size > 0;
  }

  get progress(): number {
    return this.#answers;
  }

  /** Why nothing can be asked any more; null: it can. */
  get ended(): PlaneError | null {
    return this.#ended;
  }

  /** @throws PlaneError what the KMS answered, KmsUnavailable; KmsGone */
  async call<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]> {
    // A search takes as long as reading the files does.
    const timeoutMs = request.op === 'searchForKey' ? TIMER_MS_MAX : this.#timeoutMs;
    const result = await this.#ask((id) => ({ kind: 'call', id, request }), [], timeoutMs);
    return result as KmsResults[R['op']];
  }

  /** See KmsThread. @throws PlaneError KmsUnavailable; KmsGone */
  async introduce(port: MessagePort, doorbell: Int32Array): Promise<void> {
    const isShared = doorbell.buffer instanceof SharedArrayBuffer;
    invariant(isShared, 'a doorbell is memory the shard shares');
    await this.#ask((id) => ({ kind: 'introduce', id, port, doorbell }), [port]);
  }

  /** Erases all keys and ends the thread. Idempotent. */
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
    await this.exited;
    clearTimeout(timer);
  }

  #ping(): void {
    if (this.#ended !== null || this.#isPinged) return;
    this.#isPinged = true;
    // Whether there is an answer is for the watch to see.
    const answered = (): void => {
      this.#isPinged = false;
    };
    this.#ask((id) => ({ kind: 'ping', id })).then(answered, answered);
  }

  #ask(
    makeCall: (id: number) => KmsCall,
    transfer: readonly MessagePort[] = [],
    timeoutMs = this.#timeoutMs,
  ): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    // A thread that searches files answers others meanwhile.
    if (timeoutMs < TIMER_MS_MAX) this.#owed.add(id);
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
    this.#owed.delete(reply.id);
    const waiting = this.#waiting.get(reply.id);
    // Too late: whoever asked was told so.
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    if (reply.kind === 'error') waiting.reject(PlaneError.fromRecord(reply.error));
    else waiting.resolve(reply.result);
  }

  #goneError(): PlaneError {
    return new PlaneError('KmsUnavailable', `the KMS thread ${this.#how}`);
  }
}
