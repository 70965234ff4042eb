/**
 * The only door to native code: koffi over the symbols of the running Node binary itself.
 *
 * Node exports the OpenSSL and zlib it is built with, so nothing is compiled or downloaded.
 * Where koffi has no binary for the platform, or the symbols are not exported, nativeLibrary()
 * is null and callers take their portable path; `sealdisk doctor` says which and why.
 */
import koffi from 'koffi';

type NativeFunction = (...args: (number | bigint | null)[]) => number | bigint;

/** The running binary's own symbols. */
export interface NativeLibrary {
  /** @returns the function, or null if the binary does not export it */
  find(prototype: string): NativeFunction | null;
}

let opened: NativeLibrary | null | undefined;
let openFailure = '';

/** The running binary, or null where it cannot be had. */
export function nativeLibrary(): NativeLibrary | null {
  if (opened !== undefined) return opened;
  try {
    const library = koffi.load(null);
    opened = {
      find(prototype) {
        try {
          return library.func(prototype) as unknown as NativeFunction;
        } catch {
          // Not exported by this binary: the caller's portable path is the answer.
          return null;
        }
      },
    };
  } catch (error) {
    openFailure = error instanceof Error ? error.message : String(error);
    opened = null;
  }
  return opened;
}

/** Why nativeLibrary() is null; empty if it is not. */
export function nativeFailure(): string {
  nativeLibrary();
  return openFailure;
}

/**
 * The address of the first byte, exact as a number (user addresses have 47 bits).
 *
 * @returns 0 where there is no native code
 */
export function nativeAddressOf(bytes: Uint8Array): number {
  return nativeLibrary() === null ? 0 : Number(koffi.address(bytes));
}

/**
 * A view of memory that native code owns. Valid only until native code frees it: drop the view
 * before that.
 */
export function nativeView(address: number | bigint, byteCount: number): Uint8Array {
  return new Uint8Array(koffi.view(BigInt(address), byteCount));
}
