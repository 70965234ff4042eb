/**
 * The only door to native code: koffi over the symbols of the running Node binary itself.
 *
 * Node exports the OpenSSL it is built with, so nothing is compiled or downloaded. Where koffi has
 * no binary for the platform, or the symbols are not exported, nativeLibrary() is null and callers
 * take their portable path; `sealdisk doctor` says which and why.
 *
 * 1. Importing this file never fails: koffi is loaded at the first call, by require, so that a
 *    platform it does not know costs the fast path and not the program.
 * 2. Addresses and pointers are numbers, exact because user addresses have 47 bits (56 with
 *    5-level paging, but Linux gives those only to programs that ask). As arguments of type
 *    uintptr_t they are the cheapest koffi takes: 0.10 us a call, against 0.16 us as void*.
 * 3. A number keeps nothing alive: the caller holds whatever its address belongs to.
 *
 * **Thread:** any; a library and its functions belong to the thread that opened them.
 */
import { createRequire } from 'node:module';
import { invariant } from './invariant.ts';

type Koffi = typeof import('koffi');

/** A C function whose arguments and result are integers. Calls block the thread. */
export type NativeFunction = (...args: number[]) => number;

/** The running binary's own symbols and memory. */
export interface NativeLibrary {
  /**
   * @param prototype C prototype; pointers declared as uintptr_t
   * @returns the function, or null if the binary does not export it
   */
  find(prototype: string): NativeFunction | null;
  /**
   * Views memory that native code owns. The view must be dropped before native code frees it:
   * nothing but the holder's discipline keeps a dangling view from being written.
   *
   * @throws Error where the runtime forbids views of foreign memory (V8 with a memory cage)
   */
  view(address: number, byteCount: number): ArrayBuffer;
  /** Address of the first byte. Moves an array out of the V8 heap if it lies there. */
  addressOf(bytes: Uint8Array): number;
}

/** What an attempt to reach native code came to. */
export type NativeOpening =
  | { readonly library: NativeLibrary }
  | { readonly library: null; readonly failure: string };

function requireKoffi(): Koffi {
  return createRequire(import.meta.url)('koffi') as Koffi;
}

/**
 * Opens the running binary.
 *
 * @param load how to get koffi; throwing means there is none for this platform
 */
export function openNative(load: () => Koffi = requireKoffi): NativeOpening {
  try {
    const koffi = load();
    const binary = koffi.load(null);
    return {
      library: {
        find(prototype) {
          try {
            return binary.func(prototype) as NativeFunction;
          } catch {
            // Not exported by this binary: the caller's portable path is the answer.
            return null;
          }
        },
        view: (address, byteCount) => koffi.view(BigInt(address), byteCount),
        addressOf: (bytes) => exactAddress(koffi.address(bytes)),
      },
    };
  } catch (error) {
    return { library: null, failure: error instanceof Error ? error.message : String(error) };
  }
}

function exactAddress(address: bigint): number {
  const exact = Number(address);
  invariant(Number.isSafeInteger(exact), 'an address is exact as a number');
  return exact;
}

let opening: NativeOpening | null = null;

/** The one opening of this thread, made at the first call. */
export function nativeOpening(): NativeOpening {
  opening ??= openNative();
  return opening;
}

/** The running binary, or null where it cannot be had. */
export function nativeLibrary(): NativeLibrary | null {
  return nativeOpening().library;
}

/** Why nativeLibrary() is null; empty if it is not. */
export function nativeFailure(): string {
  const opened = nativeOpening();
  return opened.library === null ? opened.failure : '';
}

/** The address of the first byte, or 0 where there is no native code. */
export function nativeAddressOf(
  bytes: Uint8Array,
  library: NativeLibrary | null = nativeLibrary(),
): number {
  return library === null ? 0 : library.addressOf(bytes);
}
