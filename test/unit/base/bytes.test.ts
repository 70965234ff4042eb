import { describe, expect, it } from 'vitest';
import { allocateKey, allocateRegion, memoryRegion, zeroize } from '../../../src/base/bytes.ts';
import { nativeAddressOf, nativeLibrary } from '../../../src/base/native.ts';

const library = nativeLibrary();

describe('allocateKey', () => {
  it.each([16, 32, 64, 65])(
    'gives %d zeroed bytes over a buffer of just that size',
    (byteCount) => {
      const key = allocateKey(byteCount);
      expect(key.byteLength).toBe(byteCount);
      expect(key.byteOffset).toBe(0);
      expect(key.buffer.byteLength).toBe(byteCount);
      expect(key.every((byte) => byte === 0)).toBe(true);
    },
  );

  it('can be transferred, which leaves nothing at the sender', () => {
    const key = allocateKey(64);
    key[5] = 5;
    const received = structuredClone(key, { transfer: [key.buffer] });
    expect(key.byteLength).toBe(0);
    expect(received[5]).toBe(5);
  });
});

describe('zeroize', () => {
  it('overwrites all of a view and nothing beside it', () => {
    const bytes = new Uint8Array(8).fill(7);
    zeroize(bytes.subarray(2, 6));
    expect([...bytes]).toEqual([7, 7, 0, 0, 0, 0, 7, 7]);
  });
});

describe('memoryRegion', () => {
  it('allocates zeroed memory of its own', () => {
    const region = allocateRegion(100);
    expect(region.bytes.byteLength).toBe(100);
    expect(region.bytes.buffer.byteLength).toBe(100);
    expect(region.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it.skipIf(library === null)('knows the address native code sees (needs native code)', () => {
    const shared = new SharedArrayBuffer(256);
    for (const whole of [new Uint8Array(256), new Uint8Array(shared), new Uint8Array(40)]) {
      const region = memoryRegion(whole);
      const part = memoryRegion(whole.subarray(8));
      expect(region.address).toBeGreaterThan(0);
      expect(part.address).toBe(region.address + 8);
      const seen = new Uint8Array(library?.view(part.address, 1) ?? new ArrayBuffer(1));
      whole[8] = 0x5c;
      expect(seen[0]).toBe(0x5c);
    }
  });

  it.skipIf(library === null)('moves a small array off the V8 heap for good', async () => {
    const small = new Uint8Array(16);
    const { address } = memoryRegion(small);
    // Young objects on the heap move twice before they settle; a megabyte each round moves them.
    for (let round = 0; round < 50; round++) {
      new Array(125_000).fill(round);
      await new Promise(setImmediate);
    }
    expect(nativeAddressOf(small)).toBe(address);
  });

  it('has address 0 where there is no native code', () => {
    expect(nativeAddressOf(new Uint8Array(8), null)).toBe(0);
  });
});
