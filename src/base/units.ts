/**
 * Sizes and the only conversions between them. Names carry their unit: offsetBytes, sectorIndex,
 * sectorCount, sizeGiB. A sector is the cipher's data unit and the chunk map's grain.
 */

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;

/** Bytes in one sector, the XTS data unit. */
export const SECTOR_BYTES = 4096;
/** log2(SECTOR_BYTES), for shifts on 32-bit values only. */
export const SECTOR_SHIFT = 12;

/** The sector that holds the byte at offsetBytes. */
export function sectorAt(offsetBytes: number): number {
  return Math.floor(offsetBytes / SECTOR_BYTES);
}

/** Sectors needed to hold bytes. */
export function sectorsFor(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES);
}
