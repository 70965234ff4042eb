/**
 * Known answers: what every engine must compute before it is given a key.
 *
 * The expected values are SHA-256 of ciphertext computed by GNU nettle, which shares no code with
 * OpenSSL or @noble/ciphers: `python3 test/vectors/make.py` prints them. They fix the on-disk
 * format: ciphertext that was written under them cannot be read by an engine that fails one.
 *
 * Key: the digits of e and of pi, as in IEEE 1619-2007 Annex B vectors 10 to 14.
 * Plaintext: the bytes 00 01 .. ff sixteen times over, as there.
 *
 * A run in a cold thread takes 1 to 1.5 ms on the OpenSSL engines, 0.3 ms when repeated; on the
 * reference 20 ms, because AES in JavaScript is interpreted until it is warm.
 *
 * **Thread:** any.
 */
import { createHash } from 'node:crypto';
import { allocateKey, allocateRegion, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { countingRegion } from './data-unit.ts';
import type { SectorCipherEngine, SectorKey } from './sector-cipher.ts';

const KEY_HEX =
  '2718281828459045235360287471352662497757247093699959574966967627' +
  '3141592653589793238462643383279502884197169399375105820974944592';

interface KnownAnswer {
  readonly sector: number;
  readonly ciphertextSha256: string;
}

const KNOWN_ANSWERS: readonly KnownAnswer[] = [
  {
    sector: 0,
    ciphertextSha256: '75ed487aa0520c5d5f42d2f3f83290b29f874cedba0360d3b5325e9e78bc444e',
  },
  {
    sector: 1,
    ciphertextSha256: 'f421417f34d05929b07529a3f55a9aea3661a9d757bef681f8d4b8e28642f806',
  },
  {
    sector: 2 ** 32,
    ciphertextSha256: '0a3d946f89ea59898f4ef367f7abbfd3eb3fca1e577906150a6b2313524fbc37',
  },
  {
    sector: Number.MAX_SAFE_INTEGER,
    ciphertextSha256: '2ad9a894f66b5e0ba0bf0049c9cf4f0fad743103680441c89d2164045ec944ed',
  },
];

/**
 * Runs every known answer, in both directions.
 *
 * @throws PlaneError CipherUnavailable: an answer is wrong, or the engine threw (see cause)
 */
export function runKnownAnswers(engine: SectorCipherEngine): void {
  const key = allocateKey(KEY_HEX.length / 2);
  let opened: SectorKey | null = null;
  try {
    key.set(Buffer.from(KEY_HEX, 'hex'));
    opened = engine.openKey(key);
    for (const answer of KNOWN_ANSWERS) runOne(engine.name, opened, answer);
    runPair(engine.name, opened);
  } catch (error) {
    if (error instanceof PlaneError && error.code === 'CipherUnavailable') throw error;
    // An engine is judged here, before anyone relies on it: even a broken invariant of it only
    // means that it is not taken.
    const reason = error instanceof Error ? error.message : String(error);
    const detail = `${engine.name} fails at its known answers: ${reason}`;
    throw new PlaneError('CipherUnavailable', detail, { cause: error });
  } finally {
    opened?.close();
    zeroize(key);
  }
}

function runOne(name: string, key: SectorKey, answer: KnownAnswer): void {
  const { sector, ciphertextSha256 } = answer;
  const plain = countingRegion(SECTOR_BYTES);
  const cipher = allocateRegion(SECTOR_BYTES);
  key.encrypt(plain, 0, cipher, 0, sector, 1);
  if (sha256(cipher.bytes) !== ciphertextSha256) throw wrong(name, `sector ${sector} encrypted`);
  key.decrypt(cipher, 0, cipher, 0, sector, 1);
  const same = Buffer.compare(cipher.bytes, plain.bytes) === 0;
  if (!same) throw wrong(name, `sector ${sector} decrypted in place`);
}

/** Sectors 0 and 1 in one call, in place: each starts from a tweak of its own. */
function runPair(name: string, key: SectorKey): void {
  const plain = countingRegion(2 * SECTOR_BYTES);
  const region = countingRegion(2 * SECTOR_BYTES);
  key.encrypt(region, 0, region, 0, 0, 2);
  for (const { sector, ciphertextSha256 } of KNOWN_ANSWERS.slice(0, 2)) {
    const start = sector * SECTOR_BYTES;
    const digest = sha256(region.bytes.subarray(start, start + SECTOR_BYTES));
    if (digest !== ciphertextSha256) throw wrong(name, `sector ${sector} of two encrypted`);
  }
  key.decrypt(region, 0, region, 0, 0, 2);
  const same = Buffer.compare(region.bytes, plain.bytes) === 0;
  if (!same) throw wrong(name, 'two sectors decrypted in place');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function wrong(name: string, what: string): PlaneError {
  return new PlaneError('CipherUnavailable', `${name} gives a wrong answer: ${what}`);
}
