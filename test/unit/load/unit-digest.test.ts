import { createHash } from 'node:crypto';
import { xxhash32 } from 'hash-wasm';
import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { digestOf, xxh32 } from '../../../src/load/unit-digest.ts';

test('xxh32 is what another implementation gives', async () => {
  const prng = createPrng(4);
  for (const count of [4, 16, 128]) {
    const words = new Int32Array(count + 3);
    prng.fill(new Uint8Array(words.buffer));
    const bytes = new Uint8Array(words.buffer, 12, count * 4);
    const wanted = Number.parseInt(await xxhash32(bytes, 0), 16);
    expect(xxh32(words, 3, count) >>> 0).toBe(wanted);
  }
});

test('sums of OpenSSL fill their words, little-endian, also from shared memory', () => {
  const words = new Int32Array(new SharedArrayBuffer(1024));
  words[130] = 77;
  for (const name of ['md5', 'sha1', 'sha256', 'sha512', 'sha3-256'] as const) {
    const digest = digestOf(name);
    const sum = new Int32Array(digest.words);
    digest.compute(words, 128, 128, sum);
    const copy = new Uint8Array(512);
    copy[8] = 77;
    const wanted = createHash(name).update(copy).digest('hex');
    expect(Buffer.from(sum.buffer).toString('hex')).toBe(wanted);
  }
});
