/**
 * Is a data key anywhere in the files of a plane? Looked for where the key may be in plain: here.
 *
 * The key is looked for by its 16-byte halves, and as hex in both cases and base64, each of which
 * is built as bytes: no form of a key is ever a string, which could not be erased. The wrapped key
 * is looked for too: it must be found, or the search has not looked where keys are kept.
 *
 * **Thread:** KMS.
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { allocateKey, zeroize } from '../base/bytes.ts';
import { MIB } from '../base/units.ts';
import type { KeySearch } from '../record/kms-key.ts';

const HALF_BYTES = 16;
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/**
 * Reads every file below a directory.
 *
 * @param dataKey 32 bytes, borrowed until the promise settles; the caller erases it
 * @param wrappedKey the same key as it is stored
 * @throws Error of the file system: a file that cannot be read was not searched
 */
export async function searchForKey(
  directory: string,
  dataKey: Uint8Array,
  wrappedKey: Uint8Array,
): Promise<KeySearch> {
  const needles = keyForms(dataKey);
  const found = { files: 0, bytes: 0, hits: 0, wrappedKeyHits: 0 };
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      found.files++;
      await searchFile(join(entry.parentPath, entry.name), needles, wrappedKey, found);
    }
    return found;
  } finally {
    for (const needle of needles) zeroize(needle);
  }
}

/** The key's halves and encodings, each to be erased. */
function keyForms(dataKey: Uint8Array): Uint8Array[] {
  const forms: Uint8Array[] = [];
  for (let at = 0; at < dataKey.length; at += HALF_BYTES) {
    const half = allocateKey(HALF_BYTES);
    half.set(dataKey.subarray(at, at + HALF_BYTES));
    forms.push(half, hexOf(half, 'abcdef'), hexOf(half, 'ABCDEF'));
  }
  forms.push(base64Of(dataKey));
  return forms;
}

function hexOf(bytes: Uint8Array, letters: string): Uint8Array {
  const digits = Buffer.from(`0123456789${letters}`);
  const hex = allocateKey(2 * bytes.length);
  for (const [index, byte] of bytes.entries()) {
    hex[2 * index] = digits[byte >>> 4] as number;
    hex[2 * index + 1] = digits[byte & 15] as number;
  }
  return hex;
}

/** Base64 of the first 30 bytes: whole groups, so the same with any ending. */
function base64Of(bytes: Uint8Array): Uint8Array {
  const groups = 10;
  const text = allocateKey(4 * groups);
  for (let group = 0; group < groups; group++) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(3 * group, 3 * group + 3);
    const bits = (a << 16) | (b << 8) | c;
    for (let digit = 0; digit < 4; digit++) {
      text[4 * group + digit] = BASE64[(bits >>> (18 - 6 * digit)) & 63] as number;
    }
  }
  return text;
}

async function searchFile(
  path: string,
  needles: readonly Uint8Array[],
  wrappedKey: Uint8Array,
  found: { bytes: number; hits: number; wrappedKeyHits: number },
): Promise<void> {
  // What ends a chunk may begin a hit: the next chunk begins with it.
  const overlap = Math.max(wrappedKey.length, ...needles.map((needle) => needle.length)) - 1;
  const chunk = Buffer.alloc(overlap + MIB);
  const handle = await open(path, 'r');
  try {
    for (let kept = 0; ; ) {
      const { bytesRead } = await handle.read(chunk, kept, MIB, null);
      if (bytesRead === 0) return;
      found.bytes += bytesRead;
      const filled = chunk.subarray(0, kept + bytesRead);
      for (const needle of needles) found.hits += countIn(filled, needle, kept);
      found.wrappedKeyHits += countIn(filled, wrappedKey, kept);
      kept = Math.min(overlap, filled.length);
      filled.copy(chunk, 0, filled.length - kept);
    }
  } finally {
    await handle.close();
  }
}

/** Hits that end beyond the part searched before. */
function countIn(filled: Buffer, needle: Uint8Array, searchedBytes: number): number {
  let hits = 0;
  let at = filled.indexOf(needle, Math.max(0, searchedBytes - needle.length + 1));
  for (; at >= 0; at = filled.indexOf(needle, at + 1)) hits++;
  return hits;
}
