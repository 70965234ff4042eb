/**
 * From a disk's data key to its XTS key: HKDF-SHA-512 (RFC 5869), 32 bytes in, 64 out.
 *
 *   PRK = HMAC(key: salt, message: data key)            RFC 5869 2.2
 *   OKM = T(1) = HMAC(key: PRK, message: info | 0x01)   RFC 5869 2.3, L = HashLen = 64
 *
 * Salt and info are constants and part of the on-disk format: other values are other ciphertext.
 * The first 32 bytes are Key_1, the rest Key_2 (IEEE 1619-2007 5.1).
 *
 * 1. Key bytes (data key, PRK, XTS key) are in memory from allocateKey() only, all of it erased
 *    but the result. node:crypto's hkdf is not used: it makes a KeyObject, freed by the collector.
 * 2. By FFI it is OpenSSL's one-shot HMAC(), whose state OpenSSL cleanses; without FFI it is
 *    createHmac(), whose digests are Buffers of their own off the heap.
 * 3. Either way runs a known answer once per thread before it derives a key.
 *
 * **Thread:** any that may hold a data key (shard).
 */
import { createHmac } from 'node:crypto';
import { allocateKey, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { type NativeLibrary, nativeLibrary } from '../base/native.ts';
import { KEY_BYTES, XTS_KEY_BYTES } from '../limits.ts';
import { checkXtsKey } from './xts-sector-key.ts';

const SALT: Uint8Array = new TextEncoder().encode('sealdisk data key');
/** The info string and the block counter that RFC 5869 2.3 puts after it. */
const INFO_AND_COUNTER: Uint8Array = new TextEncoder().encode('sealdisk xts v1\u0001');

/** XTS key of the data key 00 01 02 .. 1f; printed by `python3 test/vectors/make.py`. */
const KNOWN_XTS_KEY =
  '34bdc2d070b5a7d1a261b9be03f5686a04bb89b4948d9acf6c6e87fb0fac3d3d' +
  'af5e5af2bf44f07bd02b990f363b2421f9ee215271673190a7c0722f0b449549';

/** HMAC-SHA-512 into a buffer of 64 bytes; every argument is from allocateKey(), or public. */
export type HmacSha512 = (key: Uint8Array, message: Uint8Array, into: Uint8Array) => void;

let chosen: HmacSha512 | null = null;

/**
 * Derives the XTS key of a disk.
 *
 * @param dataKey 32 bytes, borrowed; the caller erases it
 * @returns 64 bytes from allocateKey(); the caller's, to be erased by it
 * @throws PlaneError InvalidArgument: not 32 bytes; CipherUnavailable: no HMAC-SHA-512 here
 */
export function deriveXtsKey(dataKey: Uint8Array): Uint8Array<ArrayBuffer> {
  if (dataKey.byteLength !== KEY_BYTES) {
    const came = `${dataKey.byteLength} bytes came`;
    throw new PlaneError('InvalidArgument', `a data key is ${KEY_BYTES} bytes, ${came}`);
  }
  chosen ??= chooseHmac(hmacCandidates(nativeLibrary()));
  return deriveWith(chosen, dataKey);
}

/** Every HMAC there is here, the preferred one first. */
export function hmacCandidates(library: NativeLibrary | null): HmacSha512[] {
  const native = library === null ? null : nativeHmac(library);
  return native === null ? [portableHmac] : [native, portableHmac];
}

/**
 * Takes the first HMAC that gives the known answer.
 *
 * @throws PlaneError CipherUnavailable: none does
 */
export function chooseHmac(candidates: readonly HmacSha512[]): HmacSha512 {
  const chosen = candidates.find(givesKnownAnswer);
  if (chosen !== undefined) return chosen;
  throw new PlaneError('CipherUnavailable', 'HMAC-SHA-512 does not give its known answer');
}

function givesKnownAnswer(hmac: HmacSha512): boolean {
  const dataKey = allocateKey(KEY_BYTES);
  for (let at = 0; at < KEY_BYTES; at++) dataKey[at] = at;
  try {
    return Buffer.from(deriveWith(hmac, dataKey)).toString('hex') === KNOWN_XTS_KEY;
  } catch (error) {
    if (error instanceof PlaneError) return false;
    throw error;
  }
}

/** deriveXtsKey() over a given HMAC. */
export function deriveWith(hmac: HmacSha512, dataKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const secret = allocateKey(KEY_BYTES);
  const pseudoRandomKey = allocateKey(XTS_KEY_BYTES);
  const xtsKey = allocateKey(XTS_KEY_BYTES);
  try {
    secret.set(dataKey);
    hmac(SALT, secret, pseudoRandomKey);
    hmac(pseudoRandomKey, INFO_AND_COUNTER, xtsKey);
    checkXtsKey(xtsKey);
    return xtsKey;
  } catch (error) {
    zeroize(xtsKey);
    throw error;
  } finally {
    zeroize(secret);
    zeroize(pseudoRandomKey);
  }
}

/** HMAC() of openssl/hmac.h, or null where it is not exported. */
function nativeHmac(library: NativeLibrary): HmacSha512 | null {
  const sha512 = library.find('uintptr_t EVP_sha512()');
  const hmac = library.find(
    'uintptr_t HMAC(uintptr_t, uintptr_t, int, uintptr_t, size_t, uintptr_t, uintptr_t)',
  );
  if (sha512 === null || hmac === null) return null;
  return (key, message, into) => {
    invariant(into.byteLength === XTS_KEY_BYTES, 'an HMAC-SHA-512 is 64 bytes');
    const keyAt = library.addressOf(key);
    const messageAt = library.addressOf(message);
    const intoAt = library.addressOf(into);
    const keyBytes = key.byteLength;
    const at = hmac(sha512(), keyAt, keyBytes, messageAt, message.byteLength, intoAt, 0);
    if (at !== intoAt) throw new PlaneError('CipherUnavailable', 'HMAC() of OpenSSL fails');
  };
}

function portableHmac(key: Uint8Array, message: Uint8Array, into: Uint8Array): void {
  const digest = createHmac('sha512', key).update(message).digest();
  try {
    into.set(digest);
  } finally {
    zeroize(digest);
  }
}
