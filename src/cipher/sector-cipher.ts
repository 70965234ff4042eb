/**
 * The contract of a sector cipher engine: AES-256-XTS over 4,096-byte data units.
 *
 * - Tweak: the sector's index in the disk, 64-bit little-endian, zero-extended to 16 bytes
 *   (IEEE 1619-2007 5.1). Indexes are exact as numbers up to 2^53.
 * - One data unit is one call of the underlying cipher: a second update on one XTS context
 *   restarts the tweak and silently encrypts as if at the start of the unit.
 * - Ciphertext has the length of the plaintext. There is no authentication: a wrong key or a
 *   changed byte decrypts to noise without an error. Damage is found by the checksum in the
 *   reference (segment/), wrong keys by the authenticated envelope (kms/).
 * - Source and target may be the same memory at the same offset, otherwise must not overlap.
 *   Memory is the region's, whatever kind of buffer it is over.
 * - The engine never keeps a reference to source or target after it returns.
 *
 * **Thread:** any; an engine and its keys belong to the thread that made them.
 */
import type { MemoryRegion } from '../base/bytes.ts';

export type SectorCipherName = 'openssl-ffi' | 'node-crypto' | 'noble-reference';

/** One disk's key, ready to use. Owns native key schedules until close(). */
export interface SectorKey {
  /**
   * Encrypts sectorCount consecutive sectors.
   *
   * @param source plaintext, borrowed for the call; sectorCount * 4096 bytes from sourceOffset
   * @param target ciphertext, borrowed for the call; the same number of bytes from targetOffset
   * @param firstSector index in the disk of the first sector: a safe integer >= 0, as is the last
   * @param sectorCount a safe integer >= 0; of 0 sectors nothing is read or written
   * @throws InvariantError a range outside a region, ranges that overlap without being the same, a
   *   bad index or count, or a closed key. Nothing has been written then.
   */
  encrypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    firstSector: number,
    sectorCount: number,
  ): void;
  /** The inverse of encrypt(), with the same arguments and rules. */
  decrypt(
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    firstSector: number,
    sectorCount: number,
  ): void;
  /** Erases and frees the key schedules now, not at collection. Idempotent. */
  close(): void;
}

/** One implementation of the cipher. */
export interface SectorCipherEngine {
  readonly name: SectorCipherName;
  /**
   * Prepares a key.
   *
   * @param xtsKey 64 bytes: data key half, tweak key half (IEEE 1619-2007 5.1). Borrowed for the
   *   call; the caller erases it.
   * @throws PlaneError InvalidArgument: not 64 bytes, both halves equal (FIPS 140-3 IG C.I), or
   *   all zero; CipherUnavailable: the native cipher could not be opened
   */
  openKey(xtsKey: Uint8Array): SectorKey;
}
