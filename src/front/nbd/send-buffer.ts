/**
 * A larger send buffer for unix sockets. Linux gives them 208 KiB (net.core.wmem_default), less
 * than two replies of 128 KiB: a server that has more to say waits for its reader turn by turn. TCP
 * sizes its own.
 *
 * As much is had as the system allows (net.core.wmem_max; all of it with CAP_NET_ADMIN). Without
 * native code, and on other systems, the buffer stays as it is.
 *
 * socket(7), "SO_SNDBUF", "SO_SNDBUFFORCE".
 *
 * **Thread:** main.
 */
import type { Socket } from 'node:net';
import { allocateRegion, type MemoryRegion } from '../../base/bytes.ts';
import { type NativeFunction, nativeLibrary } from '../../base/native.ts';
import { NBD_SEND_BYTES } from '../../limits.ts';

const SETSOCKOPT = 'int setsockopt(int, int, int, uintptr_t, unsigned int)';
const GETSOCKOPT = 'int getsockopt(int, int, int, uintptr_t, uintptr_t)';
/** Linux on x86-64 and on arm64. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
const INT_BYTES = 4;

interface Native {
  readonly setsockopt: NativeFunction;
  readonly getsockopt: NativeFunction;
  /** Two ints: an option's value, and its length. */
  readonly words: MemoryRegion;
}

let native: Native | null | undefined;

/** @param socket accepted on a unix socket @returns whether its buffer is larger now */
export function enlargeSendBuffer(socket: Socket): boolean {
  const fd = (socket as unknown as { _handle?: { fd?: unknown } | null })._handle?.fd;
  if (native === undefined) native = openNative();
  if (native === null || typeof fd !== 'number' || fd < 0) return false;
  const { setsockopt, getsockopt, words } = native;
  const [value, address] = [new Int32Array(words.bytes.buffer), words.address];
  value[1] = INT_BYTES;
  const isTold = getsockopt(fd, SOL_SOCKET, SO_SNDBUF, address, address + INT_BYTES) === 0;
  if (!isTold || value[0]! >= 2 * NBD_SEND_BYTES) return false;
  value[0] = NBD_SEND_BYTES;
  const set = (option: number): boolean =>
    setsockopt(fd, SOL_SOCKET, option, address, INT_BYTES) === 0;
  return set(SO_SNDBUFFORCE) || set(SO_SNDBUF);
}

function openNative(): Native | null {
  const isKnown = process.platform === 'linux' && ARCHITECTURES.includes(process.arch);
  const library = isKnown ? nativeLibrary() : null;
  const setsockopt = library?.find(SETSOCKOPT) ?? null;
  const getsockopt = library?.find(GETSOCKOPT) ?? null;
  if (setsockopt === null || getsockopt === null) return null;
  return { setsockopt, getsockopt, words: allocateRegion(2 * INT_BYTES) };
}
