import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allocateKey } from '../../../src/base/bytes.ts';
import { PlaneError } from '../../../src/base/errors.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { type NativeLibrary, nativeLibrary } from '../../../src/base/native.ts';
import { createPrng } from '../../../src/base/prng.ts';
import {
  chooseHmac,
  deriveWith,
  deriveXtsKey,
  type HmacSha512,
  hmacCandidates,
} from '../../../src/cipher/xts-key.ts';

/** Made by test/vectors/make.py with hashlib and hmac of Python. */
interface XtsKeyVectors {
  readonly salt: string;
  readonly hkdfInfo: string;
  readonly vectors: readonly { readonly dataKey: string; readonly xtsKey: string }[];
}

const path = new URL('../../vectors/xts-key.json', import.meta.url);
const { salt, hkdfInfo, vectors } = JSON.parse(readFileSync(path, 'utf8')) as XtsKeyVectors;
const library = nativeLibrary();

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function randomDataKey(seed: number): Uint8Array {
  const dataKey = allocateKey(32);
  createPrng(seed).fill(dataKey);
  return dataKey;
}

/** The running binary with other functions. */
function altered(replace: (name: string) => ReturnType<NativeLibrary['find']> | undefined) {
  if (library === null) throw new Error('needs native code');
  const find: NativeLibrary['find'] = (prototype) => {
    const replaced = replace(/(\w+)\(/.exec(prototype)?.[1] ?? '');
    return replaced === undefined ? library.find(prototype) : replaced;
  };
  return { ...library, find };
}

const ways: [string, HmacSha512][] = [['createHmac', chooseHmac(hmacCandidates(null))]];
if (library !== null) ways.push(['OpenSSL by FFI', chooseHmac(hmacCandidates(library))]);

describe('deriveXtsKey', () => {
  it.each(vectors)('derives the XTS key of $dataKey', ({ dataKey, xtsKey }) => {
    expect(hex(deriveXtsKey(Buffer.from(dataKey, 'hex')))).toBe(xtsKey);
  });

  it('gives 64 bytes over a buffer of their own, to be transferred or erased', () => {
    const xtsKey = deriveXtsKey(randomDataKey(1));
    expect(xtsKey.byteLength).toBe(64);
    expect(xtsKey.buffer.byteLength).toBe(64);
  });

  it('leaves the data key as it was', () => {
    const dataKey = randomDataKey(2);
    const before = hex(dataKey);
    deriveXtsKey(dataKey);
    expect(hex(dataKey)).toBe(before);
  });

  it('takes a data key that lies on the V8 heap', () => {
    const onHeap = new Uint8Array(32);
    onHeap.set(randomDataKey(3));
    expect(hex(deriveXtsKey(onHeap))).toBe(hex(deriveXtsKey(randomDataKey(3))));
  });

  it.each([0, 16, 31, 33, 64])('refuses a data key of %d bytes', (byteCount) => {
    expect(() => deriveXtsKey(allocateKey(byteCount))).toThrow(
      `InvalidArgument: a data key is 32 bytes, ${byteCount} bytes came`,
    );
  });
});

describe.each(ways)('HKDF over %s', (_, hmac) => {
  it.each(vectors)('derives the XTS key of $dataKey', ({ dataKey, xtsKey }) => {
    expect(hex(deriveWith(hmac, Buffer.from(dataKey, 'hex')))).toBe(xtsKey);
  });

  it('agrees with HKDF of node:crypto (1000 data keys)', () => {
    for (let seed = 0; seed < 1_000; seed++) {
      const dataKey = randomDataKey(seed);
      const expected = Buffer.from(hkdfSync('sha512', dataKey, salt, hkdfInfo, 64));
      if (hex(deriveWith(hmac, dataKey)) !== hex(expected)) expect.fail(`seed ${seed}`);
    }
  });

  it('is HMAC-SHA-512: RFC 4231 test case 2', () => {
    const mac = allocateKey(64);
    hmac(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'), mac);
    expect(hex(mac)).toBe(
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
        '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    );
  });

  it('erases what it derives on the way, also when it fails', () => {
    const passing: Uint8Array[] = [];
    const watch: HmacSha512 = (key, message, into) => {
      passing.push(key, message, into);
      hmac(key, message, into);
    };
    const xtsKey = deriveWith(watch, randomDataKey(4));
    const [, secret, pseudoRandomKey, , , result] = passing;
    expect(secret?.every((byte) => byte === 0)).toBe(true);
    expect(pseudoRandomKey?.every((byte) => byte === 0)).toBe(true);
    expect(result).toBe(xtsKey);

    passing.length = 0;
    const fail: HmacSha512 = (key, message, into) => {
      watch(key, message, into);
      if (passing.length > 3) throw new Error('the second HMAC fails');
    };
    expect(() => deriveWith(fail, randomDataKey(4))).toThrow('the second HMAC fails');
    for (const at of [1, 2, 5]) expect(passing[at]?.every((byte) => byte === 0)).toBe(true);
  });

  it('refuses to derive a key whose halves are equal', () => {
    const constant: HmacSha512 = (_key, _message, into) => void into.fill(7);
    expect(() => deriveWith(constant, randomDataKey(5))).toThrow(PlaneError);
  });
});

describe('chooseHmac', () => {
  it('passes over an HMAC that is wrong, or fails', () => {
    const wrong: HmacSha512 = (_key, _message, into) => void into.fill(1).set([2]);
    const failing: HmacSha512 = () => {
      throw new PlaneError('CipherUnavailable', 'HMAC() of OpenSSL fails');
    };
    const [portable] = hmacCandidates(null);
    if (portable === undefined) throw new Error('there is always a portable HMAC');
    expect(chooseHmac([wrong, failing, portable])).toBe(portable);
    expect(() => chooseHmac([wrong, failing])).toThrow(
      'CipherUnavailable: HMAC-SHA-512 does not give its known answer',
    );
  });

  it('does not hide a bug', () => {
    const buggy: HmacSha512 = () => {
      throw new TypeError('not a function');
    };
    expect(() => chooseHmac([buggy])).toThrow(TypeError);
  });
});

describe.skipIf(library === null)('HMAC() of OpenSSL (skipped without native code)', () => {
  it.each(['EVP_sha512', 'HMAC'])('is no candidate where %s is not exported', (name) => {
    const without = altered((found) => (found === name ? null : undefined));
    expect(hmacCandidates(without)).toHaveLength(1);
    expect(hmacCandidates(library)).toHaveLength(2);
  });

  it('is passed over when it returns NULL', () => {
    const failing = hmacCandidates(altered((name) => (name === 'HMAC' ? () => 0 : undefined)));
    expect(() => failing[0]?.(allocateKey(32), allocateKey(32), allocateKey(64))).toThrow(
      'CipherUnavailable: HMAC() of OpenSSL fails',
    );
    expect(chooseHmac(failing)).toBe(failing[1]);
  });

  it('never writes beyond a buffer that is too short', () => {
    const [native] = hmacCandidates(library);
    expect(() => native?.(allocateKey(32), allocateKey(32), allocateKey(32))).toThrow(
      InvariantError,
    );
  });
});
