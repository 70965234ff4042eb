import { describe, expect, it } from 'vitest';
import { allocateRegion } from '../../src/base/bytes.ts';
import { type NativeOpening, nativeOpening } from '../../src/base/native.ts';
import { createPrng } from '../../src/base/prng.ts';
import { SECTOR_BYTES } from '../../src/base/units.ts';
import { nodeEngine } from '../../src/cipher/xts-node.ts';
import { opensslEngine } from '../../src/cipher/xts-openssl.ts';
import { referenceEngine } from '../../src/cipher/xts-reference.ts';
import type { XtsEngine } from '../../src/cipher/xts-sector-key.ts';
import { longFactor } from '../support/long.ts';
import { randomKey, randomSector } from './sector-cipher-cases.ts';
import { sectorCipherSuite } from './sector-cipher-suite.ts';

/** Native code without the function that finds the live iv: the engine re-inits per sector. */
function withoutLiveIv(): NativeOpening {
  const { library } = nativeOpening();
  if (library === null) return nativeOpening();
  return {
    library: {
      ...library,
      find: (prototype) => (prototype.includes('iv_noconst') ? null : library.find(prototype)),
    },
  };
}

const native = nativeOpening();
if (native.library === null) {
  it.skip(`openssl-ffi: there is no native code here: ${native.failure}`);
} else {
  sectorCipherSuite('openssl-ffi, live iv', () => opensslEngine());
  sectorCipherSuite('openssl-ffi, re-init', () => opensslEngine(withoutLiveIv()));
}
sectorCipherSuite('node-crypto', nodeEngine);
// AES in JavaScript takes 70 us a sector and more: a twentieth of the cases keeps the suite short.
// SEALDISK_LONG=20 runs all 10,000.
sectorCipherSuite('noble-reference', referenceEngine, {
  cases: Math.min(10_000, 500 * longFactor),
});

describe('all engines', () => {
  const engines: XtsEngine[] = [nodeEngine(), referenceEngine()];
  if (native.library !== null) engines.push(opensslEngine(), opensslEngine(withoutLiveIv()));

  it('agree on every ciphertext, and each decrypts what another encrypted (1000 cases)', () => {
    const random = createPrng(7);
    const plain = allocateRegion(2 * SECTOR_BYTES);
    for (let number = 0; number < 1_000; number++) {
      random.fill(plain.bytes);
      const keyBytes = randomKey(random);
      const sector = randomSector(random, 2);
      const keys = engines.map((engine) => engine.openKey(keyBytes));
      const ciphertexts = keys.map((key) => {
        const target = allocateRegion(2 * SECTOR_BYTES);
        key.encrypt(plain, 0, target, 0, sector, 2);
        return target;
      });
      const distinct = new Set(ciphertexts.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
      if (distinct.size !== 1) expect.fail(`case ${number}, sector ${sector}`);
      for (const [at, ciphertext] of ciphertexts.entries()) {
        keys[(at + 1) % keys.length]?.decrypt(ciphertext, 0, ciphertext, 0, sector, 2);
        if (Buffer.compare(ciphertext.bytes, plain.bytes) !== 0) expect.fail(`case ${number}`);
      }
      for (const key of keys) key.close();
    }
  });
});
