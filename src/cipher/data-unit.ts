/**
 * The part engines differ in: XTS over one data unit, in one direction, under one key.
 *
 * What they share (arguments, sector loop, closing) is xts-sector-key.ts. A data unit has any
 * number of whole blocks here, so that published vectors, which are shorter than a sector, run
 * through the very code that encrypts sectors.
 *
 * 1. One crypt() is one data unit: it starts from `tweak` and leaves `tweak` as it was.
 * 2. The caller has checked ranges, and does not use the cipher or its tweak after close().
 *
 * **Thread:** the one that opened it.
 */
import { allocateRegion, type MemoryRegion } from '../base/bytes.ts';

/** Bytes of an AES block and of a tweak. */
export const BLOCK_BYTES = 16;

/** One key schedule in one direction. */
export interface DataUnitCipher {
  /**
   * The 16 bytes of the next unit's tweak, little-endian (IEEE 1619-2007 5.1): write, then crypt().
   * May be memory of the native cipher itself.
   */
  readonly tweak: DataView;
  /**
   * Encrypts or decrypts one data unit.
   *
   * @param source borrowed for the call; byteCount bytes from sourceOffset
   * @param target borrowed for the call; the same range as the source, or a disjoint one
   * @param byteCount a positive multiple of 16, at most 2^20 * 16 (IEEE 1619-2007 5.1)
   */
  crypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    byteCount: number,
  ): void;
  /** Erases and frees the key schedule. Called once. */
  close(): void;
}

/** Both directions of one key. */
export interface DataUnitCiphers {
  readonly encryption: DataUnitCipher;
  readonly decryption: DataUnitCipher;
}

/**
 * Writes a sector's tweak: its index as 64 bits, little-endian. The high 8 bytes stay as they are,
 * which is zero in a cipher that has only encrypted sectors.
 *
 * @param sector a safe integer >= 0
 */
export function setSectorTweak(tweak: DataView, sector: number): void {
  // setUint32 takes its argument modulo 2^32, exactly, for any safe integer.
  tweak.setUint32(0, sector, true);
  tweak.setUint32(4, Math.floor(sector / 2 ** 32), true);
}

/** Closes both directions, the second one also if the first fails. */
export function closeBoth(ciphers: DataUnitCiphers): void {
  try {
    ciphers.encryption.close();
  } finally {
    ciphers.decryption.close();
  }
}

/**
 * The plaintext of start-up tests, as in IEEE 1619-2007 Annex B vectors 4 to 14: the bytes 00 01 ..
 * ff, again and again. Made by copying, because it is made in every thread before code is warm.
 */
export function countingRegion(byteCount: number): MemoryRegion {
  const region = allocateRegion(byteCount);
  const { bytes } = region;
  for (let at = 0; at < Math.min(byteCount, 256); at++) bytes[at] = at;
  for (let filled = 256; filled < byteCount; filled *= 2) bytes.copyWithin(filled, 0, filled);
  return region;
}
