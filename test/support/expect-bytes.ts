/** Byte arrays compared as memory: an element-wise matcher takes seconds on a few hundred KiB. */
import { expect } from 'vitest';

/** Fails naming the first byte that differs. */
export function expectBytes(got: Uint8Array, wanted: Uint8Array): void {
  expect(got.byteLength).toBe(wanted.byteLength);
  if (Buffer.compare(got, wanted) === 0) return;
  const at = got.findIndex((byte, index) => byte !== wanted[index]);
  expect({ at, byte: got[at] }).toEqual({ at, byte: wanted[at] });
}
