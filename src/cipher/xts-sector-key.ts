/**
 * The part engines share: checked keys, checked ranges, one data unit a sector, closing.
 *
 * 1. No cipher is opened with a key that fails checkXtsKey(). OpenSSL refuses equal halves when it
 *    encrypts and takes them when it decrypts, so the refusal is ours.
 * 2. Every range is checked once per call, before the first byte is touched: engines take raw
 *    addresses and check nothing.
 * 3. The tweak of sector s is s as 64 bits, little-endian, zero-extended; its high 8 bytes are
 *    zero from open to close.
 * 4. After close() no cipher is reachable from the key, so freed native memory cannot be.
 *
 * **Thread:** any; a key stays on the thread that opened it.
 */
import type { MemoryRegion } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { XTS_KEY_BYTES } from '../limits.ts';
import {
  closeBoth,
  type DataUnitCipher,
  type DataUnitCiphers,
  setSectorTweak,
} from './data-unit.ts';
import type { SectorCipherEngine, SectorCipherName, SectorKey } from './sector-cipher.ts';

/** A sector cipher engine, with the data unit ciphers it is built on. */
export interface XtsEngine extends SectorCipherEngine {
  /** How it does its work, for an operator: implementation, version, way. */
  readonly method: string;
  /**
   * Opens both directions without the sector layer above them.
   *
   * @param xtsKey borrowed for the call
   * @throws PlaneError InvalidArgument as openKey()
   */
  openDataUnits(xtsKey: Uint8Array): DataUnitCiphers;
}

/**
 * Makes an engine of the part that is its own.
 *
 * @param open opens both directions of a key that has passed checkXtsKey(); the key is borrowed
 */
export function xtsEngine(
  name: SectorCipherName,
  method: string,
  open: (xtsKey: Uint8Array) => DataUnitCiphers,
): XtsEngine {
  const openDataUnits = (xtsKey: Uint8Array): DataUnitCiphers => {
    checkXtsKey(xtsKey);
    return open(xtsKey);
  };
  return { name, method, openDataUnits, openKey: (key) => new XtsSectorKey(openDataUnits(key)) };
}

/**
 * Refuses what must never become a disk's key.
 *
 * @param xtsKey borrowed for the call
 * @throws PlaneError InvalidArgument: not 64 bytes, all zero, or both halves equal (FIPS 140-3
 *   IG C.I: Key_1 and Key_2 are checked to differ before either is used)
 */
export function checkXtsKey(xtsKey: Uint8Array): void {
  if (xtsKey.byteLength !== XTS_KEY_BYTES) {
    const came = `${xtsKey.byteLength} bytes came`;
    throw new PlaneError('InvalidArgument', `an XTS key is ${XTS_KEY_BYTES} bytes, ${came}`);
  }
  const halfBytes = XTS_KEY_BYTES / 2;
  let anyBit = 0;
  let differingBits = 0;
  // Accumulated over all bytes: how long it takes does not depend on where keys differ.
  for (let at = 0; at < halfBytes; at++) {
    const dataByte = xtsKey[at]!;
    const tweakByte = xtsKey[halfBytes + at]!;
    anyBit |= dataByte | tweakByte;
    differingBits |= dataByte ^ tweakByte;
  }
  if (anyBit === 0) {
    throw new PlaneError('InvalidArgument', 'an XTS key is random, an all-zero one came');
  }
  if (differingBits === 0) {
    throw new PlaneError('InvalidArgument', 'the halves of an XTS key differ, equal ones came');
  }
}

class XtsSectorKey implements SectorKey {
  #ciphers: DataUnitCiphers | null;

  constructor(ciphers: DataUnitCiphers) {
    this.#ciphers = ciphers;
  }

  encrypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    firstSector: number,
    sectorCount: number,
  ): void {
    invariant(this.#ciphers !== null, 'a closed key encrypts nothing');
    checkSectors(firstSector, sectorCount);
    checkRanges(source, sourceOffset, target, targetOffset, sectorCount * SECTOR_BYTES);
    const { encryption } = this.#ciphers;
    cryptSectors(encryption, source, sourceOffset, target, targetOffset, firstSector, sectorCount);
  }

  decrypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    firstSector: number,
    sectorCount: number,
  ): void {
    invariant(this.#ciphers !== null, 'a closed key decrypts nothing');
    checkSectors(firstSector, sectorCount);
    checkRanges(source, sourceOffset, target, targetOffset, sectorCount * SECTOR_BYTES);
    const { decryption } = this.#ciphers;
    cryptSectors(decryption, source, sourceOffset, target, targetOffset, firstSector, sectorCount);
  }

  close(): void {
    const ciphers = this.#ciphers;
    if (ciphers === null) return;
    this.#ciphers = null;
    closeBoth(ciphers);
  }
}

function checkSectors(firstSector: number, sectorCount: number): void {
  invariant(Number.isSafeInteger(firstSector), 'a sector index is a safe integer');
  invariant(firstSector >= 0, 'a sector index is not negative');
  invariant(Number.isSafeInteger(sectorCount), 'a sector count is a safe integer');
  invariant(sectorCount >= 0, 'a sector count is not negative');
  // Not first + count - 1, which may be rounded down to a number that is in range.
  const firstMax = Number.MAX_SAFE_INTEGER - Math.max(sectorCount - 1, 0);
  invariant(firstSector <= firstMax, 'the last sector index is exact');
}

function checkRanges(
  source: MemoryRegion,
  sourceOffset: number,
  target: MemoryRegion,
  targetOffset: number,
  byteCount: number,
): void {
  invariant(Number.isSafeInteger(sourceOffset), 'the source offset is a safe integer');
  invariant(sourceOffset >= 0, 'the source does not begin before its region');
  invariant(sourceOffset + byteCount <= source.bytes.byteLength, 'the source ends in its region');
  invariant(Number.isSafeInteger(targetOffset), 'the target offset is a safe integer');
  invariant(targetOffset >= 0, 'the target does not begin before its region');
  invariant(targetOffset + byteCount <= target.bytes.byteLength, 'the target ends in its region');
  const distance = distanceBytes(source, sourceOffset, target, targetOffset);
  invariant(distance === 0 || distance >= byteCount, 'source and target are the same or disjoint');
}

/** Bytes between the beginnings of two ranges; Infinity if they share no memory. */
function distanceBytes(
  source: MemoryRegion,
  sourceOffset: number,
  target: MemoryRegion,
  targetOffset: number,
): number {
  if (source.address !== 0 && target.address !== 0) {
    return Math.abs(source.address + sourceOffset - target.address - targetOffset);
  }
  if (source.bytes.buffer !== target.bytes.buffer) return Number.POSITIVE_INFINITY;
  const sourceStart = source.bytes.byteOffset + sourceOffset;
  return Math.abs(sourceStart - target.bytes.byteOffset - targetOffset);
}

function cryptSectors(
  cipher: DataUnitCipher,
  source: MemoryRegion,
  sourceOffset: number,
  target: MemoryRegion,
  targetOffset: number,
  firstSector: number,
  sectorCount: number,
): void {
  const tweak = cipher.tweak;
  for (let at = 0; at < sectorCount; at++) {
    setSectorTweak(tweak, firstSector + at);
    const offset = at * SECTOR_BYTES;
    cipher.crypt(source, sourceOffset + offset, target, targetOffset + offset, SECTOR_BYTES);
  }
}
