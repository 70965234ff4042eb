/**
 * The disk under one shard: the file system of test/support, with the faults of a history.
 *
 * A fault happens to a call with the chance the history has drawn for it:
 *   write, sync, read errors   EIO; a write that fails has written half of it; an fdatasync that
 *                              fails loses pages, at once or in the next power cut, and every later
 *                              one succeeds
 *   full                       the capacity is set to what is used, and lifted again later
 *   lost, misdirected writes   of segments: reported as done, and not there, or elsewhere
 *   rot                        bits of a segment flip where they lie
 *
 * Before each call that changes something the machine is asked whether it crashes there.
 */
import type { Prng } from '../../src/base/prng.ts';
import type { OpenMode } from '../../src/segment/file-system.ts';
import { SimulatedFileSystem } from '../support/simulated-file-system.ts';
import type { FaultKind } from './swarm.ts';
import type { Trace } from './trace.ts';

/** Chance of each fault, per call. */
export interface DiskFaultRates {
  readonly writeError: number;
  readonly syncError: number;
  readonly readError: number;
  readonly lostWrite: number;
  readonly misdirectedWrite: number;
}

export const NO_DISK_FAULTS: DiskFaultRates = {
  writeError: 0,
  syncError: 0,
  readError: 0,
  lostWrite: 0,
  misdirectedWrite: 0,
};

export interface DiskSeams {
  readonly prng: Prng;
  readonly trace: Trace;
  readonly count: (fault: FaultKind) => void;
  /** Before each call that changes something: names, or what is in files. */
  readonly beforeChange: (isOfNames: boolean) => void;
}

const SECTOR = 4096;

/** What became of a disk: it outlives processes, and power cuts. */
export interface DiskScars {
  /** Bytes are other than what was written. */
  isDamaged: boolean;
  /** What no fdatasync forced may be gone, though no power was cut. */
  hasLostPages: boolean;
}

export class SimulatedDisk extends SimulatedFileSystem {
  rates: DiskFaultRates = NO_DISK_FAULTS;
  scars: DiskScars = { isDamaged: false, hasLostPages: false };
  /** Errors returned since the process began, by kind. */
  readonly errors = { write: 0, sync: 0, read: 0, full: 0 };
  readonly #paths = new Map<number, string>();
  #seams: DiskSeams;

  constructor(seams: DiskSeams) {
    super();
    this.#seams = seams;
  }

  protected override make(): SimulatedDisk {
    const made = new SimulatedDisk(this.#seams);
    made.rates = this.rates;
    made.scars = { ...this.scars };
    made.capacityBytes = this.capacityBytes;
    return made;
  }

  override fork(): SimulatedDisk {
    return super.fork() as SimulatedDisk;
  }

  override cutPower(prng: Prng, keptPart: number): SimulatedDisk {
    return super.cutPower(prng, keptPart) as SimulatedDisk;
  }

  /** Another process begins. */
  forgetErrors(): void {
    Object.assign(this.errors, { write: 0, sync: 0, read: 0, full: 0 });
  }

  /** Another history has it. */
  adopt(seams: DiskSeams): SimulatedDisk {
    const fork = this.fork();
    fork.#seams = seams;
    return fork;
  }

  /** Bits of a segment flip. @returns false if there is no segment */
  rot(): boolean {
    const { prng, trace, count } = this.#seams;
    const segments = this.paths().filter((path) => path.endsWith('.seg'));
    const path = segments[prng.nextBelow(Math.max(1, segments.length))];
    const bytes = path === undefined ? undefined : this.content(path);
    if (path === undefined || bytes === undefined || bytes.byteLength === 0) return false;
    const at = prng.nextBelow(bytes.byteLength);
    bytes[at] = bytes[at]! ^ (1 << prng.nextBelow(8));
    trace.note('rot', path, at);
    count('rot');
    this.scars.isDamaged = true;
    return true;
  }

  override open(path: string, mode: OpenMode): number {
    if (mode === 'create') this.#change('create', path, 'write');
    const file = super.open(path, mode);
    this.#paths.set(file, path);
    return file;
  }

  override pread(
    file: number,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
    position: number,
  ): number {
    if (this.#draws(this.rates.readError)) this.#fail('read', this.#paths.get(file)!);
    return super.pread(file, target, targetOffset, lengthBytes, position);
  }

  override pwrite(
    file: number,
    source: Uint8Array,
    sourceOffset: number,
    lengthBytes: number,
    position: number,
  ): void {
    const path = this.#paths.get(file)!;
    this.#seams.trace.note('pwrite', path, position, lengthBytes);
    this.#seams.beforeChange(false);
    if (this.#draws(this.rates.writeError)) {
      const half = lengthBytes >> 1;
      if (half > 0) super.pwrite(file, source, sourceOffset, half, position);
      this.#fail('write', path);
    }
    const place = path.endsWith('.seg') ? this.#misplace(position) : position;
    if (place === null) return;
    try {
      super.pwrite(file, source, sourceOffset, lengthBytes, place);
    } catch (error) {
      this.errors.full++;
      throw error;
    }
  }

  override fdatasync(file: number): void {
    const path = this.#paths.get(file)!;
    this.#seams.trace.note('fdatasync', path);
    this.#seams.beforeChange(false);
    if (this.#draws(this.rates.syncError)) {
      this.#losePages(file);
      this.#fail('sync', path);
    }
    super.fdatasync(file);
  }

  override fsyncDirectory(path: string): void {
    this.#change('fsyncDirectory', path, 'sync');
    super.fsyncDirectory(path);
  }

  override rename(from: string, to: string): void {
    this.#change('rename', from, 'write');
    super.rename(from, to);
  }

  override unlink(path: string): void {
    this.#change('unlink', path, 'write');
    super.unlink(path);
  }

  /** @returns where a write really goes; null: nowhere */
  #misplace(position: number): number | null {
    const { prng, count } = this.#seams;
    if (this.#draws(this.rates.lostWrite)) {
      count('lostWrite');
      this.scars.isDamaged = true;
      return null;
    }
    if (this.#draws(this.rates.misdirectedWrite)) {
      count('misdirectedWrite');
      this.scars.isDamaged = true;
      const sectors = 1 + prng.nextBelow(3);
      const back = position - sectors * SECTOR;
      return back >= 0 && prng.nextBelow(2) === 0 ? back : position + sectors * SECTOR;
    }
    return position;
  }

  #change(call: string, path: string, kind: 'write' | 'sync'): void {
    this.#seams.trace.note(call, path);
    this.#seams.beforeChange(true);
    const rate = kind === 'write' ? this.rates.writeError : this.rates.syncError;
    if (this.#draws(rate)) this.#fail(kind, path);
  }

  #losePages(file: number): void {
    const { prng } = this.#seams;
    const keptPart = prng.nextFloat();
    if (prng.nextBelow(2) === 0) {
      this.strandPages(file, prng, keptPart);
      return;
    }
    this.failSync(file, prng, keptPart);
    this.scars.hasLostPages = true;
  }

  #draws(rate: number): boolean {
    return rate > 0 && this.#seams.prng.nextFloat() < rate;
  }

  #fail(kind: 'write' | 'sync' | 'read', path: string): never {
    this.errors[kind]++;
    this.#seams.count(`${kind}Error`);
    throw Object.assign(new Error(`EIO: ${kind} ${path}`), { code: 'EIO' });
  }
}
