/**
 * The default engine: the EVP_aes_256_xts() of the OpenSSL that Node is built with, called through
 * base/native.ts.
 *
 * One EVP_CIPHER_CTX per key and direction lives from openKey() to close(), so the AES key
 * schedule is expanded once and not per sector, and is cleansed by EVP_CIPHER_CTX_free() when we
 * say so and not when a collector runs. A sector is one EVP_Cipher() call on raw addresses.
 *
 * Two ways to give a sector its tweak:
 * - live iv: EVP_CIPHER_CTX_iv_noconst() points at the iv the provider will start the next unit
 *   from. We view those 16 bytes once and write them before each EVP_Cipher().
 * - re-init: EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) before each EVP_Cipher(). One more call
 *   a sector, 0.1 to 0.2 us; documented for exactly this.
 *
 * Why the live iv is sound: the function is public (openssl/evp.h; deprecated since 3.0, because
 * it allows what we do), it returns the provider's own OSSL_CIPHER_PARAM_UPDATED_IV octets, and
 * the XTS provider reads them at every unit and never writes them. None of that is taken on trust:
 * 1. Before the first key the way is compared with the re-init way: two keys in turn, both
 *    directions, sectors in no order, indexes above 2^32 (liveIvRefusal). Any difference, a missing
 *    symbol, or a runtime that forbids foreign views, and re-init is the way.
 * 2. Every context is opened with a marked iv, and the view must show the mark (openLiveIv).
 * 3. The engine as a whole then runs the known answers, as every engine does (select-engine.ts).
 * What would break it is a provider that copies the iv elsewhere at init or writes it back after a
 * unit; 1 finds both. What no test can find is a context freed under the view: close() drops the
 * view before it frees, and xts-sector-key.ts drops this cipher before that.
 *
 * EVP_Cipher() returns the number of bytes for a provided cipher, -1 for an error, and 1 for a
 * legacy (engine) cipher; only the first is accepted, on every call.
 *
 * **Thread:** any; contexts belong to the thread that made them.
 */
import {
  allocateKey,
  allocateRegion,
  type MemoryRegion,
  memoryRegion,
  zeroize,
} from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import {
  type NativeFunction,
  type NativeLibrary,
  type NativeOpening,
  nativeOpening,
} from '../base/native.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { XTS_KEY_BYTES } from '../limits.ts';
import {
  BLOCK_BYTES,
  closeBoth,
  countingRegion,
  type DataUnitCipher,
  type DataUnitCiphers,
  setSectorTweak,
} from './data-unit.ts';
import { type XtsEngine, xtsEngine } from './xts-sector-key.ts';

type TweakWay = 'live-iv' | 're-init';

/** The functions of openssl/evp.h we call. Pointers are numbers; NULL is 0. */
interface Evp {
  readonly newContext: NativeFunction;
  readonly freeContext: NativeFunction;
  readonly aes256Xts: NativeFunction;
  readonly encryptInit: NativeFunction;
  readonly decryptInit: NativeFunction;
  readonly cipher: NativeFunction;
  readonly clearErrors: NativeFunction;
  /** The provider's iv of a context, or null where there is no function that finds it. */
  readonly viewLiveIv: ((context: number) => Uint8Array) | null;
}

/**
 * Opens the engine.
 *
 * @throws PlaneError CipherUnavailable: there is no native code, or a symbol is missing
 */
export function opensslEngine(opening: NativeOpening = nativeOpening()): XtsEngine {
  if (opening.library === null) {
    throw new PlaneError('CipherUnavailable', `no native code: ${opening.failure}`);
  }
  const evp = findEvp(opening.library);
  const refusal = liveIvRefusal(evp);
  const way: TweakWay = refusal === null ? 'live-iv' : 're-init';
  const tweakMethod = refusal === null ? 'live iv' : `re-init per sector (${refusal})`;
  const method = `OpenSSL ${process.versions.openssl}, tweak by ${tweakMethod}`;
  return xtsEngine('openssl-ffi', method, (xtsKey) => openBoth(evp, way, xtsKey));
}

function findEvp(native: NativeLibrary): Evp {
  const find = (prototype: string): NativeFunction => {
    const found = native.find(prototype);
    if (found !== null) return found;
    throw new PlaneError('CipherUnavailable', `this Node binary does not export: ${prototype}`);
  };
  const initParameters = '(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t)';
  const liveIv = native.find('uintptr_t EVP_CIPHER_CTX_iv_noconst(uintptr_t)');
  return {
    newContext: find('uintptr_t EVP_CIPHER_CTX_new()'),
    freeContext: find('void EVP_CIPHER_CTX_free(uintptr_t)'),
    aes256Xts: find('uintptr_t EVP_aes_256_xts()'),
    encryptInit: find(`int EVP_EncryptInit_ex${initParameters}`),
    decryptInit: find(`int EVP_DecryptInit_ex${initParameters}`),
    cipher: find('int EVP_Cipher(uintptr_t, uintptr_t, uintptr_t, unsigned int)'),
    clearErrors: find('void ERR_clear_error()'),
    viewLiveIv: liveIv === null ? null : (context) => viewIv(native, liveIv(context)),
  };
}

function viewIv(native: NativeLibrary, address: number): Uint8Array {
  if (address === 0) throw new PlaneError('CipherUnavailable', 'the provider shows no iv');
  return new Uint8Array(native.view(address, BLOCK_BYTES));
}

/** One context: a key schedule in one direction. */
class EvpDataUnit implements DataUnitCipher {
  /** Over the provider's iv in the live way, over #iv in the re-init way. */
  tweak: DataView;
  readonly #evp: Evp;
  /** 0 after close(). */
  #context: number;
  /** Null in the live way. */
  readonly #reinit: NativeFunction | null;
  readonly #iv: MemoryRegion;

  /** Takes over the context: close() frees it. */
  constructor(
    evp: Evp,
    context: number,
    tweak: DataView,
    reinit: NativeFunction | null,
    iv: MemoryRegion,
  ) {
    this.#evp = evp;
    this.#context = context;
    this.tweak = tweak;
    this.#reinit = reinit;
    this.#iv = iv;
  }

  crypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    byteCount: number,
  ): void {
    invariant(this.#context !== 0, 'a freed context is not used');
    invariant(source.address !== 0 && target.address !== 0, 'native code is given real addresses');
    if (this.#reinit !== null) {
      const restarted = this.#reinit(this.#context, 0, 0, 0, this.#iv.address);
      invariant(restarted === 1, 'a context that was opened takes a new iv');
    }
    const to = target.address + targetOffset;
    const from = source.address + sourceOffset;
    const written = this.#evp.cipher(this.#context, to, from, byteCount);
    invariant(written === byteCount, 'EVP_Cipher does the whole data unit');
  }

  close(): void {
    const context = this.#context;
    this.tweak = DROPPED_TWEAK;
    this.#context = 0;
    // Freeing NULL does nothing, so a second close() is harmless.
    this.#evp.freeContext(context);
  }
}

/** Stands in for the tweak of a closed cipher: any access throws RangeError. */
const DROPPED_TWEAK = new DataView(new ArrayBuffer(0));

function openBoth(evp: Evp, way: TweakWay, xtsKey: Uint8Array): DataUnitCiphers {
  // The caller's key may lie on the V8 heap, where taking its address would move it.
  const key = allocateKey(XTS_KEY_BYTES);
  try {
    key.set(xtsKey);
    const region = memoryRegion(key);
    const encryption = openUnit(evp, way, evp.encryptInit, region);
    try {
      return { encryption, decryption: openUnit(evp, way, evp.decryptInit, region) };
    } catch (error) {
      encryption.close();
      throw error;
    }
  } finally {
    zeroize(key);
  }
}

function openUnit(evp: Evp, way: TweakWay, init: NativeFunction, key: MemoryRegion): EvpDataUnit {
  const context = evp.newContext();
  if (context === 0) throw new PlaneError('CipherUnavailable', 'no memory for a cipher context');
  try {
    const iv = allocateRegion(BLOCK_BYTES);
    iv.bytes.set(IV_MARK);
    const opened = init(context, evp.aes256Xts(), 0, key.address, iv.address);
    if (opened !== 1) throw new PlaneError('CipherUnavailable', `EVP init returned ${opened}`);
    const tweakBytes = way === 'live-iv' ? openLiveIv(evp, context) : iv.bytes;
    tweakBytes.fill(0);
    const tweak = new DataView(tweakBytes.buffer);
    return new EvpDataUnit(evp, context, tweak, way === 'live-iv' ? null : init, iv);
  } catch (error) {
    evp.freeContext(context);
    // What OpenSSL queued for this thread would turn up as the cause of a later node:crypto error.
    evp.clearErrors();
    throw error;
  }
}

/** What the iv of a context is opened with, to be recognised in the live iv. */
const IV_MARK = Uint8Array.from({ length: BLOCK_BYTES }, (_, at) => 0xa1 ^ (at * 0x1d));

function openLiveIv(evp: Evp, context: number): Uint8Array {
  invariant(evp.viewLiveIv !== null, 'the live way is taken only where there is a live iv');
  const live = evp.viewLiveIv(context);
  if (Buffer.compare(live, IV_MARK) !== 0) {
    throw new PlaneError('CipherUnavailable', 'the live iv is not the iv of the last init');
  }
  return live;
}

/** In no order, on both sides of 2^32, with neighbours that differ in one word only. */
const PROBE_SECTORS = [
  5,
  2 ** 32 + 5,
  0,
  Number.MAX_SAFE_INTEGER,
  2 ** 32 - 1,
  2 ** 40 + 3,
  2 ** 32,
  1,
  2 ** 52,
  6,
];

/** Compares the live way with the re-init way. Null if they agree, else why it is not taken. */
function liveIvRefusal(evp: Evp): string | null {
  if (evp.viewLiveIv === null) return 'EVP_CIPHER_CTX_iv_noconst is not exported';
  const opened: DataUnitCiphers[] = [];
  const open = (way: TweakWay, seed: number): DataUnitCiphers => {
    const ciphers = openBoth(evp, way, probeKey(seed));
    opened.push(ciphers);
    return ciphers;
  };
  try {
    const pairs = [
      { live: open('live-iv', 1), known: open('re-init', 1) },
      { live: open('live-iv', 2), known: open('re-init', 2) },
    ];
    const plain = countingRegion(SECTOR_BYTES);
    for (const sector of PROBE_SECTORS) {
      for (const { live, known } of pairs) {
        if (!sameSector(live, known, plain, sector)) return `it fails at sector ${sector}`;
      }
    }
    return null;
  } catch (error) {
    // No key of a disk is open yet: whatever goes wrong here only rules this way out.
    return String(error);
  } finally {
    opened.forEach(closeBoth);
  }
}

function sameSector(
  live: DataUnitCiphers,
  known: DataUnitCiphers,
  plain: MemoryRegion,
  sector: number,
): boolean {
  const liveOut = allocateRegion(SECTOR_BYTES);
  const knownOut = allocateRegion(SECTOR_BYTES);
  const crypt = (cipher: DataUnitCipher, source: MemoryRegion, target: MemoryRegion): void => {
    setSectorTweak(cipher.tweak, sector);
    cipher.crypt(source, 0, target, 0, SECTOR_BYTES);
  };
  crypt(live.encryption, plain, liveOut);
  crypt(known.encryption, plain, knownOut);
  if (Buffer.compare(liveOut.bytes, knownOut.bytes) !== 0) return false;
  crypt(live.decryption, knownOut, liveOut);
  return Buffer.compare(liveOut.bytes, plain.bytes) === 0;
}

function probeKey(seed: number): Uint8Array {
  const key = allocateKey(XTS_KEY_BYTES);
  for (let at = 0; at < key.byteLength; at++) key[at] = at * 3 + seed;
  return key;
}
