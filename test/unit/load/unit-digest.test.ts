import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { xxhash32 } from 'hash-wasm';
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { digestOf, xxh32 } from '../../../src/load/unit-digest.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

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
  for (const name of ['md5', 'sha1', 'sha256', 'sha512', 'sha3-224', 'sha3-512'] as const) {
    const digest = digestOf(name);
    const sum = new Int32Array(digest.words);
    digest.compute(words, 128, 128, sum);
    const copy = new Uint8Array(512);
    copy[8] = 77;
    const wanted = createHash(name).update(copy).digest('hex');
    expect(Buffer.from(sum.buffer).toString('hex')).toBe(wanted);
  }
});

test('crc32 is that of zip and PNG', () => {
  const digest = digestOf('crc32');
  const sum = new Int32Array(1);
  digest.compute(new Int32Array(Uint8Array.from(Buffer.from('12345678')).buffer), 0, 2, sum);
  // python3 -c 'import binascii; print(hex(binascii.crc32(b"12345678")))'
  expect(sum[0]! >>> 0).toBe(0x9ae0daaf);
});

/** Bytes of fio's header before the sum (verify.h, struct verify_header). */
const FIO_HEADER_BYTES = 40;

/** Those fio finishes; of the others it stores a step before the last, or another start. */
const SUMS = ['crc7', 'crc16', 'crc64', 'sha3-384'] as const;
const SHORT_SUM_BYTES: Readonly<Record<string, number>> = { crc7: 1, crc16: 2 };

describe.skipIf(fioAbsent !== '')(`fio writes the same sums ${fioAbsent}`, () => {
  test.each(SUMS)('%s', (name) => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-sums-'));
    const path = join(directory, 'a.img');
    const digest = digestOf(name);
    const sumBytes = SHORT_SUM_BYTES[name] ?? digest.words * 4;
    // So long that what is summed behind the header is whole steps of words.
    const length = 512 + FIO_HEADER_BYTES + sumBytes;
    const shape = ['--rw=write', `--bs=${length}`, `--size=${length}`, '--do_verify=0'];
    fio('--name=a', `--filename=${path}`, ...shape, `--verify=${name}`);
    const written = readFileSync(path);
    rmSync(directory, { recursive: true });
    const words = new Int32Array(Uint8Array.from(written.subarray(length - 512)).buffer);
    const sum = new Int32Array(digest.words);
    digest.compute(words, 0, 128, sum);
    const theirs = written.subarray(FIO_HEADER_BYTES, FIO_HEADER_BYTES + sumBytes);
    expect(Buffer.from(sum.buffer, 0, sumBytes).toString('hex')).toBe(theirs.toString('hex'));
  });
});
