/**
 * The checksum of a stored sector: CRC-32 (ISO-HDLC, the one of zlib) of its 4096 bytes of ciphertext.
 *
 * It is chosen for speed: it finds damage, misplacement and staleness, not forgery.
 */
import { crc32 } from 'node:zlib';
import type { MemoryRegion } from '../base/bytes.ts';
import { SECTOR_BYTES } from '../base/units.ts';

/**
 * @param region holds the sector at offsetBytes; borrowed for the call
 * @returns the CRC-32, unsigned
 */
export function sectorChecksum(region: MemoryRegion, offsetBytes: number): number {
  return crc32(region.bytes.subarray(offsetBytes, offsetBytes + SECTOR_BYTES));
}
