/**
 * A trace as a source of operations, in the order of its lines.
 *
 * 1. Disks are opened when their first request comes: a trace may name a thousand.
 * 2. Unpaced, a request is given whenever there is room. Paced, it is given no sooner than its time
 *    in the trace divided by speed; if the depth is used up it is given late, and its latency is
 *    also counted from when it was due.
 * 3. A batch is checked as a whole when it is read, so next() has nothing left to refuse.
 */
import { invariant } from '../base/invariant.ts';
import { REQUEST_BYTES_MAX } from '../limits.ts';
import { DueTimer } from './due-timer.ts';
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
import type { TraceFile } from './trace-file.ts';
import { type TraceBatch, traceInvalid } from './trace-format.ts';
import type { DeviceSizes } from './trace-sizes.ts';
import { UNIT_BYTES } from './version-map.ts';

export interface TraceSourceOptions {
  readonly file: TraceFile;
  readonly sizes: DeviceSizes;
  readonly openDisk: (device: number, sizeBytes: number) => Promise<LoadDisk>;
  /** 1: at recorded speed, 2: twice as fast; 0: as fast as there is room. */
  readonly speed: number;
  /** Requests must be whole 512-byte units. */
  readonly isVerified: boolean;
  /** Infinity: all of them. */
  readonly requestsMax: number;
}

export class TraceSource implements OperationSource {
  operation: Operation = READ;
  offsetBytes = 0;
  lengthBytes = 0;
  dueAtMs = 0;
  /** Requests given out. */
  requests = 0;
  readonly #options: TraceSourceOptions;
  readonly #disks = new Map<number, LoadDisk>();
  #disk: LoadDisk | null = null;
  #device = -1;
  #batch: TraceBatch | null = null;
  #index = 0;
  #isAtEnd = false;
  #firstTimeUs = Number.NaN;
  #beganAtMs = 0;
  readonly #timer = new DueTimer();

  constructor(options: TraceSourceOptions) {
    this.#options = options;
  }

  get disk(): LoadDisk {
    invariant(this.#disk !== null, 'a disk is known after SOURCE_READY');
    return this.#disk;
  }

  /** The disks opened so far. */
  disks(): LoadDisk[] {
    return [...this.#disks.values()];
  }

  next(): SourceAnswer {
    if (this.#isAtEnd || this.requests >= this.#options.requestsMax) return SOURCE_END;
    const batch = this.#batch;
    if (batch === null || this.#index >= batch.count) return SOURCE_WAIT;
    const index = this.#index;
    const device = batch.devices[index]!;
    if (device !== this.#device) {
      const disk = this.#disks.get(device);
      if (disk === undefined) return SOURCE_WAIT;
      this.#device = device;
      this.#disk = disk;
    }
    if (this.#options.speed > 0) {
      const dueAtMs = this.#dueAt(batch.timesUs[index]!);
      if (performance.now() < dueAtMs) return SOURCE_WAIT;
      this.dueAtMs = dueAtMs;
    }
    this.operation = batch.operations[index] as Operation;
    this.offsetBytes = batch.offsets[index]!;
    this.lengthBytes = batch.lengths[index]!;
    this.#index += 1;
    this.requests += 1;
    return SOURCE_READY;
  }

  async ready(): Promise<void> {
    const { file, sizes, openDisk } = this.#options;
    if (this.#batch === null || this.#index >= this.#batch.count) {
      this.#batch = await file.next();
      this.#index = 0;
      if (this.#batch === null) this.#isAtEnd = true;
      else this.#checkBatch(this.#batch);
      return;
    }
    const device = this.#batch.devices[this.#index]!;
    if (!this.#disks.has(device)) {
      this.#disks.set(device, await openDisk(device, sizes.get(device)!));
      return;
    }
    await this.#timer.wait(this.#dueAt(this.#batch.timesUs[this.#index]!));
  }

  progress(): number {
    const { file, requestsMax } = this.#options;
    return Math.max(file.progress(), this.requests / requestsMax);
  }

  /** Forgets a wait in progress, so that its timer does not keep the process alive. */
  cancel(): void {
    this.#timer.cancel();
  }

  #dueAt(timeUs: number): number {
    if (Number.isNaN(this.#firstTimeUs)) {
      this.#firstTimeUs = timeUs;
      this.#beganAtMs = performance.now();
    }
    return this.#beganAtMs + (timeUs - this.#firstTimeUs) / 1e3 / this.#options.speed;
  }

  #checkBatch(batch: TraceBatch): void {
    const { file, sizes, isVerified } = this.#options;
    for (let index = 0; index < batch.count; index++) {
      const offset = batch.offsets[index]!;
      const length = batch.lengths[index]!;
      const refuse = (detail: string): never => {
        throw traceInvalid(file.fileName, batch.firstLine + index, detail);
      };
      if (length === 0 || length > REQUEST_BYTES_MAX) {
        refuse(`expected a length of 1 to ${REQUEST_BYTES_MAX} bytes, got ${length}`);
      }
      const sizeBytes = sizes.get(batch.devices[index]!);
      if (sizeBytes === undefined) refuse(`device ${batch.devices[index]} has no known size`);
      else if (offset + length > sizeBytes) {
        refuse(
          `expected a range within the device's ${sizeBytes} bytes, got ${offset} + ${length}`,
        );
      }
      if (isVerified && (offset % UNIT_BYTES !== 0 || length % UNIT_BYTES !== 0)) {
        refuse(`--verify needs multiples of 512 bytes, got ${offset} + ${length}`);
      }
    }
  }
}
