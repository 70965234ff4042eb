/**
 * A look at an LMDB file before LMDB maps it.
 *
 * lmdb-js ends the process by a segmentation fault where LMDB refuses a file, and by a bus error
 * where a page it needs lies behind the end of a truncated one. So what can be seen from outside is
 * seen here first, and said as an error. (64-bit little-endian, LMDB 0.9.90, pages 0 and 1:)
 *
 *   offset  0  u64 page number                offset  48  u32 page size
 *          18  u16 page flags, 0x08 = meta            48  free-page table: 48 bytes, as below
 *          24  u32 magic 0xBEEFC0DE                   96  main table: +8 branch, +16 leaf and
 *          28  u32 format version, low half 2             +24 overflow pages, +40 root page
 *                                                    152  u64 transaction
 *
 * The meta page with the higher transaction counts. Every page in use lies inside the file, so the
 * file has at least as many pages as are in use. (More cannot be asked: free pages at the end may
 * be missing from a sound file.)
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const META_BYTES = 160;
const META_FLAG = 0x08;
const MAGIC = 0xbeefc0de;
const FORMAT_VERSION = 2;
const PAGE_BYTES_MAX = 65_536;
const TABLE_OFFSETS = [48, 96];
/** A root page number that means: an empty table. */
const NO_PAGE = 2n ** 64n - 1n;

/**
 * @param path an existing file
 * @returns what is wrong with it, null if nothing can be seen from here (an empty file is a new
 * one)
 */
export function lmdbFileDamage(path: string): string | null {
  const file = openSync(path, 'r');
  try {
    const fileBytes = fstatSync(file).size;
    if (fileBytes === 0) return null;
    const first = readMeta(file, 0);
    if (typeof first === 'string') return first;
    const pageBytes = first.getUint32(48, true);
    if (pageBytes < 512 || pageBytes > PAGE_BYTES_MAX) return `has pages of ${pageBytes} bytes`;
    const second = readMeta(file, pageBytes);
    if (typeof second === 'string') return second;
    const isFirstNewer = first.getBigUint64(152, true) > second.getBigUint64(152, true);
    const needed = pagesNeeded(isFirstNewer ? first : second);
    const present = Math.floor(fileBytes / pageBytes);
    return needed > present ? `is cut short: ${present} pages of at least ${needed}` : null;
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, offset: number): DataView | string {
  const meta = new Uint8Array(META_BYTES);
  if (readSync(file, meta, 0, META_BYTES, offset) < META_BYTES) return 'is cut short: no meta page';
  const view = new DataView(meta.buffer);
  const isMeta = (view.getUint16(18, true) & META_FLAG) !== 0;
  if (!isMeta || view.getUint32(24, true) !== MAGIC) return 'is not an LMDB file';
  const version = view.getUint32(28, true) & 0xffff;
  return version === FORMAT_VERSION ? view : `has LMDB format version ${version}, not 2`;
}

function pagesNeeded(meta: DataView): bigint {
  let inUse = 2n;
  let lastRoot = 1n;
  for (const table of TABLE_OFFSETS) {
    for (const pages of [8, 16, 24]) inUse += meta.getBigUint64(table + pages, true);
    const root = meta.getBigUint64(table + 40, true);
    if (root !== NO_PAGE && root > lastRoot) lastRoot = root;
  }
  return inUse > lastRoot + 1n ? inUse : lastRoot + 1n;
}
