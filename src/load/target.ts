/**
 * What load is put on, and the two targets that need no library.
 *
 * Every target completes in a turn of the event loop after the one a request was made in, never in
 * the same: a closed loop over a target that completed at once would be an endless chain of
 * microtasks, and no timer, signal or status line would ever run.
 *
 * - null: does nothing, keeps nothing: the cost of the load generator itself
 * - memory: a plain sparse byte array in this process: the cost of having bytes, without threads,
 *   encryption or a store; requests take effect in the order they are made
 */
import { PlaneError } from '../base/errors.ts';
import { KIB } from '../base/units.ts';

/** Told, once, what came of a request: never in the call that makes it. */
export interface Completion {
  readonly completed: () => void;
  readonly failed: (error: unknown) => void;
}

/** One disk of a target. Requests are made without waiting, and take effect in that order. */
export interface TargetDisk {
  readonly name: string;
  readonly sizeBytes: number;
  /** True if nothing was ever written to it: it reads as zeros. */
  readonly isFresh: boolean;
  /** Fills `into`, borrowed until the promise settles. */
  read(offsetBytes: number, into: Uint8Array): Promise<unknown>;
  /** Writes bytes, borrowed until the promise settles. */
  write(offsetBytes: number, bytes: Uint8Array): Promise<unknown>;
  /** As read and write, without a promise. Absent where it would cost nothing less. */
  readonly startRead?: (offsetBytes: number, into: Uint8Array, completion: Completion) => void;
  readonly startWrite?: (offsetBytes: number, bytes: Uint8Array, completion: Completion) => void;
  flush(): Promise<unknown>;
  trim(offsetBytes: number, lengthBytes: number): Promise<unknown>;
  close(): Promise<void>;
  /**
   * Absent where it would change nothing. Makes requests use shared memory in place until what it
   * resolves with is called.
   */
  readonly registerBuffer?: (buffer: SharedArrayBuffer) => Promise<() => Promise<void>>;
  /** Absent where it is not known: where the time of requests went, since the disk was opened. */
  readonly stages?: () => DiskStages;
}

/** Sums over the requests that were timed, seconds. */
export interface DiskStages {
  /** Timed ones. */
  readonly requests: number;
  readonly queue: number;
  readonly crypto: number;
  readonly store: number;
  /** Kept back by a modelled disk. */
  readonly held: number;
  readonly answer: number;
}

export interface Target {
  readonly name: string;
  /** False if reads do not return what was written: nothing can be verified. */
  readonly keepsBytes: boolean;
  /** Opens a disk of at least sizeBytes, making it if there is none of that name. */
  openDisk(name: string, sizeBytes: number): Promise<TargetDisk>;
  close(): Promise<void>;
}

/** Shared completion of everything asked for in one turn of the event loop. */
interface Turns {
  /** The promise of the current turn: resolves in the next one. */
  end(): Promise<void>;
}

function createTurns(): Turns {
  let turn: Promise<void> | null = null;
  return {
    end: () => {
      turn ??= new Promise((resolve) => {
        setImmediate(() => {
          turn = null;
          resolve();
        });
      });
      return turn;
    },
  };
}

/** A target that does nothing. */
export function createNullTarget(): Target {
  const turns = createTurns();
  return {
    name: 'null',
    keepsBytes: false,
    openDisk: async (name, sizeBytes) => ({
      name,
      sizeBytes,
      isFresh: true,
      read: turns.end,
      write: turns.end,
      flush: turns.end,
      trim: turns.end,
      close: async () => {},
    }),
    close: async () => {},
  };
}

/** A target that keeps bytes in this process, sparsely. */
export function createMemoryTarget(): Target {
  const turns = createTurns();
  const disks = new Map<string, TargetDisk>();
  return {
    name: 'memory',
    keepsBytes: true,
    openDisk: async (name, sizeBytes) => {
      const known = disks.get(name);
      if (known !== undefined) return { ...known, isFresh: false };
      const disk = createMemoryDisk(name, sizeBytes, turns);
      disks.set(name, disk);
      return disk;
    },
    close: async () => disks.clear(),
  };
}

/** A write to an untouched place makes a page: small, or sparse traces pay for zeros. */
const PAGE_BYTES = 64 * KIB;

function createMemoryDisk(name: string, sizeBytes: number, turns: Turns): TargetDisk {
  const pages = new Map<number, Uint8Array>();
  const checkRange = (offsetBytes: number, lengthBytes: number): void => {
    if (offsetBytes < 0 || offsetBytes + lengthBytes > sizeBytes) {
      throw new PlaneError(
        'OutOfRange',
        `disk ${name}: expected a range in ${sizeBytes} bytes, got ${offsetBytes} + ${lengthBytes}`,
      );
    }
  };
  return {
    name,
    sizeBytes,
    isFresh: true,
    read: (offsetBytes, into) => {
      checkRange(offsetBytes, into.byteLength);
      eachPage(offsetBytes, into.byteLength, (page, start, at, count) => {
        const stored = pages.get(page);
        if (stored === undefined) into.fill(0, at, at + count);
        else into.set(stored.subarray(start, start + count), at);
      });
      return turns.end();
    },
    write: (offsetBytes, bytes) => {
      checkRange(offsetBytes, bytes.byteLength);
      eachPage(offsetBytes, bytes.byteLength, (page, start, at, count) => {
        let stored = pages.get(page);
        if (stored === undefined) {
          stored = new Uint8Array(PAGE_BYTES);
          pages.set(page, stored);
        }
        stored.set(bytes.subarray(at, at + count), start);
      });
      return turns.end();
    },
    flush: turns.end,
    trim: (offsetBytes, lengthBytes) => {
      checkRange(offsetBytes, lengthBytes);
      eachPage(offsetBytes, lengthBytes, (page, start, _at, count) => {
        if (count === PAGE_BYTES) pages.delete(page);
        else pages.get(page)?.fill(0, start, start + count);
      });
      return turns.end();
    },
    close: async () => {},
  };
}

/** Visits the pages of a range: page number, first byte in it, position in the request, count. */
function eachPage(
  offsetBytes: number,
  lengthBytes: number,
  visit: (page: number, start: number, at: number, count: number) => void,
): void {
  let at = 0;
  while (at < lengthBytes) {
    const page = Math.floor((offsetBytes + at) / PAGE_BYTES);
    const start = (offsetBytes + at) % PAGE_BYTES;
    const count = Math.min(PAGE_BYTES - start, lengthBytes - at);
    visit(page, start, at, count);
    at += count;
  }
}
