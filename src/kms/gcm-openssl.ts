/**
 * Opening AES-256-GCM straight into memory of ours, by OpenSSL's EVP calls of the running binary.
 *
 * node:crypto cannot be used for this where it can be avoided: decipher.update() decrypts into a
 * buffer one byte too long, copies that into the one it hands out, and frees the first without
 * erasing it. Plaintext key bytes stay in freed memory (found there on Node 20.20 by a scan of
 * process memory, one to three copies of 16-byte quarters after 300 calls).
 *
 * 1. The plaintext is written once, to the address of the memory it is returned in.
 * 2. The key schedule is erased when the call ends: EVP_CIPHER_CTX_free cleanses it.
 * 3. Everything native code is given an address of is used again after the last call, so it is
 *    still there during it.
 *
 * **Source:** OpenSSL EVP_EncryptInit(3), "AEAD Interface".
 */
import { allocateKey, allocateRegion, memoryRegion, zeroize } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { type NativeFunction, nativeLibrary } from '../base/native.ts';
import type { SealedBytes } from './envelope.ts';

/** EVP_CTRL_AEAD_SET_TAG of openssl/evp.h. */
const SET_TAG = 0x11;

/** As open() in envelope.ts. */
export type GcmOpen = (
  key: Uint8Array,
  iv: Uint8Array,
  additional: Uint8Array,
  sealed: SealedBytes,
) => Uint8Array<ArrayBuffer> | null;

const PROTOTYPES = {
  newContext: 'uintptr_t EVP_CIPHER_CTX_new()',
  freeContext: 'void EVP_CIPHER_CTX_free(uintptr_t context)',
  cipher: 'uintptr_t EVP_aes_256_gcm()',
  init: 'int EVP_DecryptInit_ex(uintptr_t, uintptr_t, uintptr_t, uintptr_t key, uintptr_t iv)',
  control: 'int EVP_CIPHER_CTX_ctrl(uintptr_t context, int type, int argument, uintptr_t pointer)',
  update: 'int EVP_DecryptUpdate(uintptr_t, uintptr_t out, uintptr_t outLength, uintptr_t in, int)',
  final: 'int EVP_DecryptFinal_ex(uintptr_t context, uintptr_t out, uintptr_t outLength)',
};

type Evp = Record<keyof typeof PROTOTYPES, NativeFunction>;

/** @returns null where the running binary does not export what is needed */
export function nativeGcmOpen(): GcmOpen | null {
  const library = nativeLibrary();
  if (library === null) return null;
  const found: Partial<Evp> = {};
  for (const [name, prototype] of Object.entries(PROTOTYPES)) {
    const call = library.find(prototype);
    if (call === null) return null;
    found[name as keyof Evp] = call;
  }
  const evp = found as Evp;
  return (key, iv, additional, sealed) => openWith(evp, key, iv, additional, sealed);
}

/** Offsets in the scratch memory of a call; nothing in it is secret. */
const OUT_LENGTH = 0;
const IV = 16;
const TAG = 32;
const INPUT = 48;

function openWith(
  evp: Evp,
  key: Uint8Array,
  iv: Uint8Array,
  additional: Uint8Array,
  { ciphertext, tag }: SealedBytes,
): Uint8Array<ArrayBuffer> | null {
  const additionalOffset = INPUT + ciphertext.byteLength;
  const scratch = allocateRegion(additionalOffset + additional.byteLength);
  scratch.bytes.set(iv, IV);
  scratch.bytes.set(tag, TAG);
  scratch.bytes.set(ciphertext, INPUT);
  scratch.bytes.set(additional, additionalOffset);
  const keyRegion = memoryRegion(key);
  const plaintext = allocateKey(ciphertext.byteLength);
  const target = memoryRegion(plaintext);
  const at = (offset: number): number => scratch.address + offset;
  const context = evp.newContext();
  invariant(Number(context) !== 0, 'OpenSSL has memory for a cipher context');
  let isAuthentic = false;
  try {
    const accepted = [
      evp.init(context, evp.cipher(), 0, keyRegion.address, at(IV)),
      evp.control(context, SET_TAG, tag.byteLength, at(TAG)),
      evp.update(context, 0, at(OUT_LENGTH), at(additionalOffset), additional.byteLength),
    ];
    if (ciphertext.byteLength > 0) {
      const { address } = target;
      accepted.push(evp.update(context, address, at(OUT_LENGTH), at(INPUT), ciphertext.byteLength));
    }
    invariant(
      accepted.every((result) => result === 1),
      'OpenSSL takes arguments of the right lengths',
    );
    isAuthentic = evp.final(context, at(INPUT), at(OUT_LENGTH)) === 1;
  } finally {
    evp.freeContext(context);
    scratch.bytes.fill(0);
    invariant(keyRegion.bytes.byteLength === key.byteLength, 'the key outlived the calls');
    if (!isAuthentic) zeroize(target.bytes);
  }
  return isAuthentic ? plaintext : null;
}
