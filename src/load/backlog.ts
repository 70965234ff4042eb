/**
 * verify_backlog: reads written blocks back while the job goes on, not only when it is over.
 *
 * After each `backlog` writes the oldest `batch` of them are read, in the order written; the
 * verifier of the disk judges what comes back. With a batch smaller than the backlog the rest is
 * not read here (fio HOWTO, verify_backlog_batch); the read-back at the end reads all of it.
 */
import type { LoadDisk } from './load-disk.ts';
import {
  type Operation,
  type OperationSource,
  READ,
  SOURCE_READY,
  type SourceAnswer,
  WRITE,
} from './operation-source.ts';

interface Written {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export class BacklogSource implements OperationSource {
  operation: Operation = READ;
  offsetBytes = 0;
  lengthBytes = 0;
  dueAtMs = 0;
  readonly #inner: OperationSource;
  readonly #backlog: number;
  readonly #batch: number;
  #written: Written[] = [];
  /** To be read, the next one last. */
  #reads: Written[] = [];

  /** @param batch 0: as many as were written */
  constructor(inner: OperationSource, backlog: number, batch: number) {
    this.#inner = inner;
    this.#backlog = backlog;
    this.#batch = batch === 0 ? backlog : Math.min(batch, backlog);
  }

  get disk(): LoadDisk {
    return this.#inner.disk;
  }

  begin(nowMs: number): void {
    this.#inner.begin?.(nowMs);
  }

  cancel(): void {
    this.#inner.cancel?.();
  }

  shift(milliseconds: number): void {
    this.#inner.shift?.(milliseconds);
  }

  next(): SourceAnswer {
    const read = this.#reads.pop();
    if (read !== undefined) {
      this.operation = READ;
      this.offsetBytes = read.offsetBytes;
      this.lengthBytes = read.lengthBytes;
      this.dueAtMs = 0;
      return SOURCE_READY;
    }
    const answer = this.#inner.next();
    if (answer !== SOURCE_READY) return answer;
    const { operation, offsetBytes, lengthBytes, dueAtMs } = this.#inner;
    this.operation = operation;
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.dueAtMs = dueAtMs;
    if (operation === WRITE) this.#written.push({ offsetBytes, lengthBytes });
    if (this.#written.length >= this.#backlog) {
      this.#reads = this.#written.slice(0, this.#batch).reverse();
      this.#written = [];
    }
    return SOURCE_READY;
  }

  ready(): Promise<void> {
    return this.#inner.ready();
  }

  progress(): number {
    return this.#inner.progress();
  }
}
