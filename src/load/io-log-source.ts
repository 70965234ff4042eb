/** The requests of a job that replays a log of fio's: in its order, when they were made there. */
import { invariant } from '../base/invariant.ts';
import { DueTimer } from './due-timer.ts';
import type { IoLog } from './io-log.ts';
import type { LoadDisk } from './load-disk.ts';
import {
  type Operation,
  type OperationSource,
  READ,
  SOURCE_END,
  SOURCE_READY,
  SOURCE_WAIT,
  type SourceAnswer,
} from './operation-source.ts';

export class IoLogSource implements OperationSource {
  operation: Operation = READ;
  offsetBytes = 0;
  lengthBytes = 0;
  dueAtMs = 0;
  readonly disk: LoadDisk;
  readonly #log: IoLog;
  readonly #count: number;
  #next = 0;
  #beganAtMs = 0;
  readonly #timer = new DueTimer();

  /** @param requestsMax 0: all of them */
  constructor(log: IoLog, disk: LoadDisk, requestsMax: number) {
    this.disk = disk;
    this.#log = log;
    const all = log.operations.length;
    this.#count = requestsMax === 0 ? all : Math.min(all, requestsMax);
  }

  begin(nowMs: number): void {
    this.#beganAtMs = nowMs;
  }

  shift(milliseconds: number): void {
    this.#beganAtMs += milliseconds;
  }

  next(): SourceAnswer {
    const at = this.#next;
    if (at >= this.#count) return SOURCE_END;
    const { operations, offsets, lengths, dueMs } = this.#log;
    this.dueAtMs = dueMs[at] === 0 ? 0 : this.#beganAtMs + dueMs[at]!;
    if (this.dueAtMs > performance.now()) return SOURCE_WAIT;
    this.operation = operations[at] as Operation;
    this.offsetBytes = offsets[at]!;
    this.lengthBytes = lengths[at]!;
    this.#next += 1;
    return SOURCE_READY;
  }

  ready(): Promise<void> {
    invariant(this.dueAtMs > 0, 'only what is due is waited for');
    return this.#timer.wait(this.dueAtMs);
  }

  cancel(): void {
    this.#timer.cancel();
  }

  progress(): number {
    return this.#next / this.#count;
  }
}
