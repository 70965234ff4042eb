/**
 * What would show a key to somebody outside the process: a debugger, and a core dump. Both belong
 * to the whole process, so what is done here is done once and holds for every plane in it.
 *
 * 1. No plane opens while the inspector listens, however it was opened (--inspect, NODE_OPTIONS,
 *    inspector.open()): whoever connects to it reads the memory of any thread.
 * 2. Node opens the inspector on SIGUSR1. A handler of our own takes that away while a plane that
 *    does not allow debugging is open, and tells so; with the last of them it is removed.
 * 3. A core dump leaves out all memory (coredump_filter), and there is none to begin with (a soft
 *    RLIMIT_CORE of 0). Both stay: what a crashed worker left is erased by nobody. Children
 *    inherit them, and may raise the limit again.
 *
 * A machine without /proc, or without native code, has neither: doctor says so.
 *
 * **Thread:** main.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { memoryRegion } from './bytes.ts';
import { PlaneError } from './errors.ts';
import { nativeLibrary } from './native.ts';

const COREDUMP_FILTER = '/proc/self/coredump_filter';
/** Linux, resource.h. */
const RLIMIT_CORE = 4;
const SIGNAL = 'SIGUSR1';

/** What holds of this process, in words for `sealdisk doctor`. */
export interface Hardening {
  readonly isCoreDumpEmpty: boolean;
  readonly isCoreLimitZero: boolean;
}

let holders = 0;

function refuseInspector(): void {
  process.emitWarning(
    `${SIGNAL} opens no inspector while a plane is open: it could read data keys. ` +
      'A plane opened with allowDebugging: true does not mind.',
    'SealdiskWarning',
  );
}

/** @throws PlaneError DebuggerOpen: the inspector listens */
export function checkNoDebugger(): void {
  const address = inspector.url();
  if (address === undefined) return;
  const way = 'end it, or open the plane with allowDebugging: true';
  throw new PlaneError(
    'DebuggerOpen',
    `expected no debugger, but the inspector listens on ${address}: ${way}`,
  );
}

/**
 * Makes the process unfit for debugging, until it is released.
 *
 * @returns gives SIGUSR1 back, once; core dumps stay empty
 * @throws PlaneError DebuggerOpen: then nothing was changed
 */
export function hardenProcess(): () => void {
  checkNoDebugger();
  emptyCoreDumps();
  if (holders++ === 0) process.on(SIGNAL, refuseInspector);
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    if (--holders === 0) process.off(SIGNAL, refuseInspector);
  };
}

function emptyCoreDumps(): void {
  try {
    writeFileSync(COREDUMP_FILTER, '0');
  } catch {
    // Not Linux, or a /proc that is read-only: describeHardening() tells.
  }
  const limit = coreLimit();
  if (limit === null) return;
  limit[0] = 0n;
  const { address } = memoryRegion(new Uint8Array(limit.buffer));
  nativeLibrary()?.find('int setrlimit(int, uintptr_t)')?.(RLIMIT_CORE, address);
}

/** The soft and the hard limit; null where they cannot be asked for. */
function coreLimit(): BigUint64Array<ArrayBuffer> | null {
  const library = process.platform === 'linux' ? nativeLibrary() : null;
  const limit = new BigUint64Array(new ArrayBuffer(16));
  const { address } = memoryRegion(new Uint8Array(limit.buffer));
  const got = library?.find('int getrlimit(int, uintptr_t)')?.(RLIMIT_CORE, address);
  return got === 0 ? limit : null;
}

/** What a core dump of this process would hold, asked of the system. */
export function describeHardening(): Hardening {
  let filter = '';
  try {
    filter = readFileSync(COREDUMP_FILTER, 'utf8').trim();
  } catch {
    // As above: no filter is no protection.
  }
  return {
    isCoreDumpEmpty: /^0+$/.test(filter),
    isCoreLimitZero: coreLimit()?.[0] === 0n,
  };
}
