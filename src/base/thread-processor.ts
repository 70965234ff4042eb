/**
 * The processor a thread runs on: staying there, and how long the thread stood in line for one.
 *
 *   sched_getcpu(3), sched_setaffinity(2)    of the calling thread (0)
 *   /proc/thread-self/schedstat              nanoseconds run, nanoseconds in line, turns
 *
 * 1. The processors a thread was given (taskset, a container) are never widened: it stays on one of
 *    them, and leaving brings back the set that was found.
 * 2. Without native code, on other systems, and where the kernel keeps no such account,
 *    openThreadProcessor() is null.
 *
 * **Thread:** any; an object belongs to the thread that made it.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { allocateRegion, type MemoryRegion } from './bytes.ts';
import { type NativeFunction, type NativeLibrary, nativeLibrary } from './native.ts';

/** cpu_set_t of glibc and musl: 1,024 processors. */
const SET_BYTES = 128;
/** Three numbers of 20 digits at most. */
const ACCOUNT_BYTES = 64;
const ACCOUNT = '/proc/thread-self/schedstat';

/** The calling thread and its processors. */
export interface ThreadProcessor {
  /** From now on the thread runs where it runs now. @returns whether the system agreed */
  stay(): boolean;
  /** It runs on all processors it was given again. */
  leave(): void;
  /** Milliseconds it has stood in line for a processor since it began. */
  waitedMs(): number;
  /** Lets go of the account; the thread stays where it is. */
  close(): void;
}

class LinuxThreadProcessor implements ThreadProcessor {
  readonly #getcpu: NativeFunction;
  readonly #setaffinity: NativeFunction;
  readonly #given: MemoryRegion;
  readonly #one: MemoryRegion = allocateRegion(SET_BYTES);
  readonly #account: number;
  readonly #text: Buffer = Buffer.alloc(ACCOUNT_BYTES);

  /** @param account descriptor of this thread's schedstat; closed by close() */
  constructor(
    getcpu: NativeFunction,
    setaffinity: NativeFunction,
    given: MemoryRegion,
    account: number,
  ) {
    this.#getcpu = getcpu;
    this.#setaffinity = setaffinity;
    this.#given = given;
    this.#account = account;
  }

  stay(): boolean {
    const processor = this.#getcpu();
    if (processor < 0 || processor >= SET_BYTES * 8) return false;
    const { bytes, address } = this.#one;
    bytes.fill(0);
    bytes[processor >> 3] = 1 << (processor & 7);
    return this.#setaffinity(0, SET_BYTES, address) === 0;
  }

  leave(): void {
    this.#setaffinity(0, SET_BYTES, this.#given.address);
  }

  waitedMs(): number {
    const length = readSync(this.#account, this.#text, 0, ACCOUNT_BYTES, 0);
    const [, waited] = this.#text.toString('latin1', 0, length).split(' ');
    return Number(waited) / 1e6;
  }

  close(): void {
    closeSync(this.#account);
  }
}

/**
 * For the calling thread, with the processors it has now.
 *
 * @returns null where there is no such thing
 */
export function openThreadProcessor(
  library: NativeLibrary | null = process.platform === 'linux' ? nativeLibrary() : null,
  account: string = ACCOUNT,
): ThreadProcessor | null {
  const getcpu = library?.find('int sched_getcpu()');
  const getaffinity = library?.find('int sched_getaffinity(int, size_t, uintptr_t)');
  const setaffinity = library?.find('int sched_setaffinity(int, size_t, uintptr_t)');
  if (!getcpu || !getaffinity || !setaffinity) return null;
  const given = allocateRegion(SET_BYTES);
  if (getaffinity(0, SET_BYTES, given.address) < 0) return null;
  try {
    return new LinuxThreadProcessor(getcpu, setaffinity, given, openSync(account, 'r'));
  } catch {
    // No /proc, or a kernel without schedstat: nothing would tell that the processor is taken.
    return null;
  }
}
