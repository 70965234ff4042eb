/**
 * A timer finer than Node's, which count in milliseconds: Linux' timerfd, waited for by Node's own
 * event loop beside sockets. It rings some ten microseconds late and costs nothing while it waits.
 *
 * Node takes a descriptor into its loop where it is a pipe's. So a pipe is given to it, and the
 * timer is put in the place of the pipe's reading end (dup3) before the loop looks at it: what the
 * loop reads are the eight bytes of a timer that ran off.
 *
 * **Thread:** any; a timer belongs to the thread that opened it.
 */
import { Socket } from 'node:net';
import { type NativeLibrary, nativeLibrary } from '../base/native.ts';

/** <time.h>, <sys/timerfd.h>, <fcntl.h>: the same on every processor Node runs on under Linux. */
const CLOCK_MONOTONIC = 1;
const CLOSED_ON_EXEC = 0o2000000;
const NOT_BLOCKING = 0o4000;

const EXPIRATIONS_BYTES = 8;
/** struct itimerspec as 32-bit words: interval, then value, each seconds and nanoseconds. */
const SPECIFICATION_WORDS = 8;
const SECONDS_WORD = 4;
const NANOSECONDS_WORD = 6;

export interface KernelTimer {
  /** In so many milliseconds, in place of what was set before. */
  set(milliseconds: number): void;
  /** Whether the process stays alive for it. It does at first. */
  keepAlive(isKept: boolean): void;
  close(): void;
}

/** @returns null: there is none on this platform, or no descriptors are left */
export function openKernelTimer(
  onRing: () => void,
  library: NativeLibrary | null = nativeLibrary(),
): KernelTimer | null {
  if (process.platform !== 'linux' || library === null) return null;
  const pipe = library.find('int pipe2(uintptr_t, int)');
  const dup3 = library.find('int dup3(int, int, int)');
  const close = library.find('int close(int)');
  const create = library.find('int timerfd_create(int, int)');
  const set = library.find('int timerfd_settime(int, int, uintptr_t, uintptr_t)');
  if (!pipe || !dup3 || !close || !create || !set) return null;
  const ends = new Int32Array(2);
  if (pipe(library.addressOf(bytesOf(ends)), CLOSED_ON_EXEC | NOT_BLOCKING) !== 0) return null;
  const [descriptor, writingEnd] = ends as unknown as [number, number];
  close(writingEnd);
  const timer = create(CLOCK_MONOTONIC, CLOSED_ON_EXEC | NOT_BLOCKING);
  if (timer < 0) {
    close(descriptor);
    return null;
  }
  const onread = {
    buffer: Buffer.alloc(EXPIRATIONS_BYTES),
    callback: (): boolean => {
      onRing();
      return true;
    },
  };
  // Declared for connections only; a socket of a descriptor takes it too.
  const options = { fd: descriptor, readable: true, writable: false, onread };
  const socket = new Socket(options);
  const isInPlace = dup3(timer, descriptor, CLOSED_ON_EXEC) === descriptor;
  close(timer);
  if (!isInPlace) {
    socket.destroy();
    return null;
  }
  socket.resume();
  const specification = new Int32Array(SPECIFICATION_WORDS);
  const address = library.addressOf(bytesOf(specification));
  return {
    set: (milliseconds) => {
      // Nought would disarm it.
      const wholeNs = Math.max(1, Math.ceil(milliseconds * 1e6));
      specification[SECONDS_WORD] = Math.floor(wholeNs / 1e9);
      specification[NANOSECONDS_WORD] = wholeNs % 1e9;
      set(descriptor, 0, address, 0);
    },
    keepAlive: (isKept) => {
      if (isKept) socket.ref();
      else socket.unref();
    },
    close: () => socket.destroy(),
  };
}

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
