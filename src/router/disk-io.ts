/**
 * The attached disk as the library gives it: arguments are validated completely here, then trusted.
 *
 *   open ──close()──▶ closing (drains) ──▶ closed
 *
 * While its volume is not open, because its shard was lost, requests wait or are refused at a gate
 * (volume-gate.ts); otherwise there is none.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES, sectorAt } from '../base/units.ts';
import { REQUEST_BYTES_MAX } from '../limits.ts';
import type { PerformanceProfile } from '../performance/profile.ts';
import { FLAG_FUA, FLAG_TIMED, OPERATION, type Operation } from '../record/shard-channel.ts';
import type { IoRequest, ShardDispatch } from './dispatch.ts';
import { RequestTimes, StageSums } from './request-times.ts';
import type { VolumeGate } from './volume-gate.ts';

/** Taking the time of a request costs some hundredths of what a request costs. */
const TIMED_EVERY = 32;

export interface DiskIoOptions {
  readonly diskId: string;
  readonly sizeBytes: number;
  readonly encrypted: boolean;
  readonly handle: number;
  readonly dispatch: ShardDispatch;
  /** Asks the shard for runs of sectors, mapped and holes by turns. */
  readonly findRuns: (sector: number, sectorCount: number) => Promise<readonly number[]>;
  /**
   * Closes the volume in the shard and gives the disk back; called once, after the last request.
   */
  readonly detach: () => Promise<void>;
}

/** A DiskExtent of types.ts, which this layer does not import. */
interface DiskExtent {
  readonly length: number;
  readonly isHole: boolean;
}

/** Implements Disk (types.ts). */
export class DiskIo {
  readonly diskId: string;
  readonly encrypted: boolean;
  readonly handle: number;
  private sizeBytes: number;
  protected readonly dispatch: ShardDispatch;
  private readonly findRuns: DiskIoOptions['findRuns'];
  private readonly detach: () => Promise<void>;
  private inFlight = 0;
  private readonly drainWaiters: (() => void)[] = [];
  private closing: Promise<void> | null = null;
  private gate: VolumeGate | null = null;
  private untilTimed = 1;
  private readonly stageSums = new StageSums();

  constructor(options: DiskIoOptions) {
    this.diskId = options.diskId;
    this.sizeBytes = options.sizeBytes;
    this.encrypted = options.encrypted;
    this.handle = options.handle;
    this.dispatch = options.dispatch;
    this.findRuns = options.findRuns;
    this.detach = options.detach;
  }

  get size(): number {
    return this.sizeBytes;
  }

  get stages(): ReturnType<StageSums['read']> {
    return this.stageSums.read();
  }

  read(offset: number, lengthOrTarget: number | Uint8Array): Promise<Uint8Array> {
    const isLength = typeof lengthOrTarget === 'number';
    if (!isLength && !(lengthOrTarget instanceof Uint8Array)) {
      return Promise.reject(badType('a length or a Uint8Array to read into', lengthOrTarget));
    }
    const length = isLength ? lengthOrTarget : lengthOrTarget.byteLength;
    const refusal = this.refuse(offset, length, REQUEST_BYTES_MAX);
    if (refusal !== null) return Promise.reject(refusal);
    // Every byte is overwritten before the caller sees it; zeroing it first would cost as much
    // again.
    const target = isLength
      ? new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
      : lengthOrTarget;
    if (length === 0) {
      return isDetached(target) ? Promise.reject(detachedError()) : Promise.resolve(target);
    }
    return this.submit(OPERATION.read, offset, length, target, 0) as Promise<Uint8Array>;
  }

  write(offset: number, bytes: Uint8Array, options?: { readonly fua?: boolean }): Promise<void> {
    if (!(bytes instanceof Uint8Array)) {
      return Promise.reject(badType('a Uint8Array to write', bytes));
    }
    const refusal = this.refuse(offset, bytes.byteLength, REQUEST_BYTES_MAX);
    if (refusal !== null) return Promise.reject(refusal);
    const isFua = options?.fua ?? false;
    if (typeof isFua !== 'boolean') return Promise.reject(badType('fua to be a boolean', isFua));
    if (bytes.byteLength === 0) {
      if (isDetached(bytes)) return Promise.reject(detachedError());
      return isFua ? this.flush() : Promise.resolve();
    }
    const flags = isFua ? FLAG_FUA : 0;
    const written = this.submit(OPERATION.write, offset, bytes.byteLength, bytes, flags);
    return written as Promise<unknown> as Promise<void>;
  }

  flush(): Promise<void> {
    if (this.closing !== null) return Promise.reject(this.closedError());
    return this.submit(OPERATION.flush, 0, 0, null, 0) as Promise<unknown> as Promise<void>;
  }

  trim(offset: number, length: number): Promise<void> {
    return this.zero(offset, length);
  }

  writeZeroes(offset: number, length: number): Promise<void> {
    return this.zero(offset, length);
  }

  async allocation(offset: number, length: number): Promise<DiskExtent[]> {
    const refusal = this.refuse(offset, length, this.sizeBytes);
    if (refusal !== null) throw refusal;
    if (length === 0) return [];
    const sector = sectorAt(offset);
    const sectorCount = sectorAt(offset + length - 1) - sector + 1;
    this.inFlight++;
    try {
      await this.passGate();
      const runs = await this.findRuns(sector, sectorCount);
      return extentsOf(runs, sector * SECTOR_BYTES, offset, offset + length);
    } finally {
      this.leave();
    }
  }

  close(): Promise<void> {
    this.closing ??= this.drain().then(() => {
      this.letGo();
      return this.detach();
    });
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Resolves when every request made so far is settled. */
  drain(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.drainWaiters.push(resolve));
  }

  /** The disk has grown; the shard knows already. */
  grow(sizeBytes: number): void {
    invariant(sizeBytes >= this.sizeBytes, 'a disk never shrinks');
    this.sizeBytes = sizeBytes;
  }

  /** As fast as it is, whatever it is sold as: see paced-disk-io.ts. */
  changeProfile(_profile: PerformanceProfile): void {}

  /** The volume is not open: what comes from now on is the gate's. */
  shut(gate: VolumeGate): void {
    this.gate = gate;
  }

  /** The volume is open again. */
  unshut(): void {
    const { gate } = this;
    // What waited goes before what its callers do next.
    this.gate = null;
    gate?.open();
  }

  private passGate(): Promise<void> {
    const { gate } = this;
    if (gate === null) return Promise.resolve();
    return new Promise((resolve, reject) => gate.enter(resolve, reject));
  }

  private zero(offset: number, length: number): Promise<void> {
    const refusal = this.refuse(offset, length, this.sizeBytes);
    if (refusal !== null) return Promise.reject(refusal);
    if (length === 0) return Promise.resolve();
    return this.submit(
      OPERATION.zero,
      offset,
      length,
      null,
      0,
    ) as Promise<unknown> as Promise<void>;
  }

  /** Before it is detached, when every request is done: answers what is not answered yet. */
  protected letGo(): void {}

  protected submit(
    operation: Operation,
    offsetBytes: number,
    lengthBytes: number,
    bytes: Uint8Array | null,
    flags: number,
  ): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const settled = (done: IoRequest): void => {
        this.leave();
        this.count(done);
        if (done.error !== null) reject(done.error);
        else resolve(operation === OPERATION.read ? (bytes as Uint8Array) : undefined);
      };
      this.start(this.newRequest(operation, offsetBytes, lengthBytes, bytes, flags, settled));
    });
  }

  /** A request that was not started yet. */
  protected newRequest(
    operation: Operation,
    offsetBytes: number,
    lengthBytes: number,
    bytes: Uint8Array | null,
    flags: number,
    settled: IoRequest['settled'],
  ): IoRequest {
    const times = this.beginTimes();
    return {
      operation,
      handle: this.handle,
      flags: times === null ? flags : flags | FLAG_TIMED,
      offsetBytes,
      lengthBytes,
      bytes,
      registered: null,
      placedBytes: 0,
      piecesInRing: 0,
      error: null,
      times,
      settled,
    };
  }

  /** Of each disk the first request is timed, and one in TIMED_EVERY. */
  private beginTimes(): RequestTimes | null {
    if (--this.untilTimed > 0) return null;
    this.untilTimed = TIMED_EVERY;
    return new RequestTimes();
  }

  /** To be called once for each request that was started, when its caller is answered. */
  protected count(done: IoRequest): void {
    const seconds = this.dispatch.counters.count(done, this.encrypted);
    if (seconds !== null) this.stageSums.add(seconds);
  }

  /** @throws PlaneError Busy, ShardLost: it is not started, and not settled either */
  protected start(request: IoRequest): void {
    if (this.gate !== null) {
      this.inFlight++;
      this.gate.enter(
        () => this.enqueueHeld(request),
        (error) => settleAs(request, error),
      );
      return;
    }
    this.dispatch.enqueue(request);
    this.inFlight++;
  }

  /** A request that has waited at the gate and is counted already. */
  private enqueueHeld(request: IoRequest): void {
    try {
      this.dispatch.enqueue(request);
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      settleAs(request, error);
    }
  }

  /** To be called once for each request that was started, when it is settled. */
  protected leave(): void {
    this.inFlight--;
    if (this.inFlight > 0) return;
    for (const waiter of this.drainWaiters.splice(0)) waiter();
  }

  private refuse(offset: number, length: number, lengthMax: number): PlaneError | null {
    if (this.closing !== null) return this.closedError();
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) {
      const isOffsetWrong = !Number.isSafeInteger(offset);
      const which = isOffsetWrong ? 'offset' : 'length';
      return badType(`${which} to be a whole number of bytes`, isOffsetWrong ? offset : length);
    }
    if (offset < 0 || length < 0 || offset + length > this.sizeBytes) {
      const wanted = `[${offset}, ${offset + length})`;
      return new PlaneError(
        'OutOfRange',
        `expected a range inside [0, ${this.sizeBytes}) of ${this.diskId}, got ${wanted}`,
      );
    }
    if (length > lengthMax) {
      return new PlaneError(
        'RequestTooLarge',
        `expected at most ${lengthMax} bytes in one request, got ${length}`,
      );
    }
    return null;
  }

  private closedError(): PlaneError {
    return new PlaneError('DiskClosed', `${this.diskId} was closed`);
  }
}

function settleAs(request: IoRequest, error: PlaneError): void {
  request.error = error;
  request.settled(request);
}

/** Runs of sectors that begin at startBytes, as extents of [from, to). */
function extentsOf(
  runs: readonly number[],
  startBytes: number,
  from: number,
  to: number,
): DiskExtent[] {
  const extents: DiskExtent[] = [];
  let at = startBytes;
  for (const [index, sectorCount] of runs.entries()) {
    const end = at + sectorCount * SECTOR_BYTES;
    const length = Math.min(end, to) - Math.max(at, from);
    if (length > 0) extents.push({ length, isHole: index % 2 === 1 });
    at = end;
  }
  return extents;
}

/** True of an array whose buffer was transferred away: it looks empty, and its bytes are gone. */
function isDetached({ buffer }: Uint8Array): boolean {
  try {
    buffer.slice(0, 0);
    return false;
  } catch {
    return true;
  }
}

function detachedError(): PlaneError {
  return new PlaneError('InvalidArgument', 'expected bytes, got those of a detached buffer');
}

function badType(expected: string, got: unknown): PlaneError {
  const type = got === null ? 'null' : typeof got;
  const isShown = type === 'number' || type === 'boolean';
  const shown = type === 'string' ? JSON.stringify(got).slice(0, 80) : type;
  return new PlaneError('InvalidArgument', `expected ${expected}, got ${isShown ? got : shown}`);
}
