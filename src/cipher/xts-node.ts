/**
 * The engine for platforms without native calls: node:crypto's aes-256-xts.
 *
 * Node has no way to give an open cipher a new tweak, so there is one cipher object per data unit;
 * making it costs several times what encrypting 4 KiB does. Two rules of node:crypto shape it:
 * 1. Exactly one update() per data unit. A second one starts again from the same tweak, without an
 *    error, and encrypts as if at the start of the unit.
 * 2. final() always, on error paths too: it makes OpenSSL erase the expanded key, which otherwise
 *    stays in memory until the object is collected, and in freed memory after that.
 * 3. The key is a Uint8Array and not a KeyObject, whose copy only the collector frees. Node 24
 *    finds out that it is none by throwing and catching two errors, which costs 10 to 25 us when
 *    they record a stack; so they do not (#openCipher).
 *
 * **Thread:** any.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { allocateKey, type MemoryRegion, zeroize } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { BLOCK_BYTES, type DataUnitCipher } from './data-unit.ts';
import { type XtsEngine, xtsEngine } from './xts-sector-key.ts';

const ALGORITHM = 'aes-256-xts';

type CipherMaker = typeof createCipheriv | typeof createDecipheriv;

/** Opens the engine. Where OpenSSL has no XTS, the known answers fail. */
export function nodeEngine(): XtsEngine {
  const method = `node:crypto (OpenSSL ${process.versions.openssl}), one cipher object per sector`;
  return xtsEngine('node-crypto', method, (xtsKey) => ({
    encryption: new NodeDataUnit(createCipheriv, xtsKey),
    decryption: new NodeDataUnit(createDecipheriv, xtsKey),
  }));
}

class NodeDataUnit implements DataUnitCipher {
  readonly tweak: DataView;
  readonly #iv: Uint8Array;
  readonly #key: Uint8Array;
  readonly #createCipher: CipherMaker;

  /** @param xtsKey borrowed: copied here, erased by close() */
  constructor(createCipher: CipherMaker, xtsKey: Uint8Array) {
    this.#createCipher = createCipher;
    this.#key = allocateKey(xtsKey.byteLength);
    this.#key.set(xtsKey);
    this.#iv = allocateKey(BLOCK_BYTES);
    this.tweak = new DataView(this.#iv.buffer);
  }

  crypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    byteCount: number,
  ): void {
    const cipher = this.#openCipher();
    try {
      const unit = cipher.update(source.bytes.subarray(sourceOffset, sourceOffset + byteCount));
      invariant(unit.byteLength === byteCount, 'one update() does the whole data unit');
      target.bytes.set(unit, targetOffset);
    } finally {
      cipher.final();
    }
  }

  close(): void {
    zeroize(this.#key);
  }

  #openCipher(): ReturnType<CipherMaker> {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return this.#createCipher(ALGORITHM, this.#key, this.#iv);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}
