/**
 * Buffers whose owner and address matter.
 *
 * 1. A typed array of 64 bytes or less made with `new Uint8Array(n)` lives on the V8 heap and is
 *    moved by the collector, which leaves stale copies. Key bytes therefore live only in memory
 *    from allocateKey(): an explicit ArrayBuffer is never on the heap.
 * 2. A raw address keeps nothing alive. A MemoryRegion holds the bytes beside the address, and
 *    native code is only ever given regions, so what it may touch is reachable for as long.
 * 3. A region whose buffer is transferred has no bytes any more (byteLength 0), though its address
 *    stays: whoever uses the address checks the range against `bytes` first.
 */
import { nativeAddressOf } from './native.ts';

/** Memory and the address native code knows it by (0 where there is no native code). */
export interface MemoryRegion {
  readonly bytes: Uint8Array;
  readonly address: number;
}

/**
 * Makes a region of bytes that will not be resized or transferred while the region is used.
 *
 * An array on the V8 heap is moved off it by this call and stays where it is from then on; the
 * copy it leaves behind is why key bytes are not to begin there.
 *
 * @param bytes borrowed for the life of the region; over an ArrayBuffer or a SharedArrayBuffer
 */
export function memoryRegion(bytes: Uint8Array): MemoryRegion {
  return { bytes, address: nativeAddressOf(bytes) };
}

/** A zeroed region of its own. */
export function allocateRegion(byteCount: number): MemoryRegion {
  return memoryRegion(new Uint8Array(new ArrayBuffer(byteCount)));
}

/** Zeroed memory fit for key bytes: off the V8 heap at any size, transferable. */
export function allocateKey(byteCount: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(byteCount));
}

/** Overwrites key bytes. Call in `finally`, before the last reference goes. */
export function zeroize(bytes: Uint8Array): void {
  bytes.fill(0);
}

/** Frames of scrubStack(): together some 100 KiB, more than any call into OpenSSL goes down. */
const SCRUB_FRAMES = 600;

/**
 * Overwrites the dead part of this thread's stack, below the caller. Native code that handled a key
 * leaves registers it saved there, 16 bytes of a data key among them (found by a memory scan on
 * Node 22, where they stayed after the thread had ended). Call it when the last native call that
 * saw the key has returned.
 *
 * **Thread:** that which handled the key.
 */
export function scrubStack(): void {
  fillFrames(SCRUB_FRAMES, 0, 0, 0, 0, 0, 0, 0);
}

/** Recursion for its frames: each holds its arguments on the stack. */
function fillFrames(
  depth: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
): number {
  if (depth === 0) return a + b + c + d + e + f + g;
  return 1 + fillFrames(depth - 1, b, c, d, e, f, g, a);
}
