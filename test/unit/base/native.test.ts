import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import {
  nativeAddressOf,
  nativeFailure,
  nativeLibrary,
  nativeOpening,
  openNative,
} from '../../../src/base/native.ts';

type Koffi = ReturnType<NonNullable<Parameters<typeof openNative>[0]>>;

const library = nativeLibrary();

describe('without native code', () => {
  it('says why koffi could not be loaded', () => {
    const opening = openNative(() => {
      throw new Error('no binary for plan9-mips');
    });
    expect(opening).toEqual({ library: null, failure: 'no binary for plan9-mips' });
  });

  it('says why the running binary could not be opened', () => {
    const koffi = {
      load() {
        throw 'not a dynamic executable';
      },
    } as unknown as Koffi;
    const opening = openNative(() => koffi);
    expect(opening).toEqual({ library: null, failure: 'not a dynamic executable' });
  });
});

describe('with koffi', () => {
  it('refuses an address that a number cannot hold', () => {
    const koffi = { load: () => ({}), address: () => 2n ** 60n } as unknown as Koffi;
    const opening = openNative(() => koffi);
    expect(() => opening.library?.addressOf(new Uint8Array(1))).toThrow(InvariantError);
  });
});

describe.skipIf(library === null)('the running binary (skipped where there is none)', () => {
  it('is opened once', () => {
    expect(nativeLibrary()).toBe(library);
    expect(nativeOpening()).toBe(nativeOpening());
    expect(nativeFailure()).toBe('');
  });

  it('finds what Node exports', () => {
    const version = library?.find('unsigned long OpenSSL_version_num()');
    expect(version?.()).toBeGreaterThanOrEqual(0x30000000);
  });

  it('finds nothing that Node does not export', () => {
    expect(library?.find('int sealdisk_no_such_function(int)')).toBeNull();
  });

  it('finds nothing by a prototype that is none', () => {
    expect(library?.find('not a prototype')).toBeNull();
  });

  it('views memory without copying it', () => {
    const bytes = new Uint8Array(new ArrayBuffer(64));
    bytes.set(randomBytes(64));
    const view = new Uint8Array(library?.view(nativeAddressOf(bytes), 64) ?? new ArrayBuffer(0));
    expect(Buffer.compare(view, bytes)).toBe(0);
    view[63] = 1;
    bytes[0] = 2;
    expect([bytes[63], view[0]]).toEqual([1, 2]);
  });

  it('gives addresses as exact numbers', () => {
    expect(Number.isSafeInteger(nativeAddressOf(new Uint8Array(8)))).toBe(true);
  });
});
