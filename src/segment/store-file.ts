/**
 * Names and heads of the store's files.
 *
 * ```
 * <directory>/map-00000007.ckpt      checkpoint 7: all maps as they were when log 7 began
 * <directory>/map-00000007.log       what changed since; map-00000008.log is there too while
 * <directory>/map-00000008.ckpt.new  checkpoint 8 is being written
 * <directory>/reserve                space held back (space-reserve.ts)
 * <directory>/segments/0000002a.seg  ciphertext of segment 42, slot i from byte 4096 i
 * ```
 * A location is a slot's number in the store: location l is slot l mod n of segment floor(l / n), n
 * being the sector slots of a full segment. What is beyond the end of a segment's file is zeros
 * that match no checksum. The checkpoint of the highest generation is the one that counts, with the
 * logs of its generation and of higher ones, in that order.
 *
 * Numbers in names are 8 hexadecimal digits. Integers in files are little-endian; u64 are below
 * 2^53. Checkpoints and logs begin with the same 48 bytes:
 *
 * ```
 *  0  8  magic: "sealdmap" checkpoint, "sealdlog" log
 *  8  4  u32 format version: 1
 * 12  4  u32 CRC-32 of bytes [0, 12). These 16 bytes keep their meaning in every version.
 * 16  4  u32 generation, as in the file's name
 * 20  4  u32 sector slots in a full segment
 * 24  8  u64 first sequence: of the log's first batch; of the first batch a checkpoint lacks
 * 32 12  0
 * 44  4  u32 CRC-32 of bytes [0, 44)
 * ```
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';

const FORMAT_VERSION = 1;
export const HEAD_BYTES = 48;
export const SEGMENTS_DIRECTORY = 'segments';
const RESERVE_NAME = 'reserve';

export type HeadKind = 'checkpoint' | 'log';
const MAGIC: Readonly<Record<HeadKind, string>> = { checkpoint: 'sealdmap', log: 'sealdlog' };
const MAGIC_BYTES = 8;

export interface Head {
  readonly generation: number;
  readonly segmentSectors: number;
  readonly firstSequence: number;
}

/** What a file in the store's directory is by its name; null if none of ours. */
export type StoreFileName =
  | { readonly kind: HeadKind; readonly generation: number }
  | { readonly kind: 'temporary' }
  | { readonly kind: 'reserve' };

function hex8(number: number): string {
  return number.toString(16).padStart(8, '0');
}

export function checkpointPath(directory: string, generation: number): string {
  return join(directory, `map-${hex8(generation)}.ckpt`);
}

export function temporaryPath(directory: string, generation: number): string {
  return `${checkpointPath(directory, generation)}.new`;
}

export function reservePath(directory: string): string {
  return join(directory, RESERVE_NAME);
}

export function logPath(directory: string, generation: number): string {
  return join(directory, `map-${hex8(generation)}.log`);
}

export function segmentPath(directory: string, segmentNumber: number): string {
  return join(directory, SEGMENTS_DIRECTORY, `${hex8(segmentNumber)}.seg`);
}

export function parseStoreFileName(name: string): StoreFileName | null {
  if (name === RESERVE_NAME) return { kind: 'reserve' };
  const match = /^map-([0-9a-f]{8})\.(ckpt|log|ckpt\.new)$/.exec(name);
  if (match === null) return null;
  if (match[2] === 'ckpt.new') return { kind: 'temporary' };
  const kind = match[2] === 'log' ? 'log' : 'checkpoint';
  return { kind, generation: Number.parseInt(match[1]!, 16) };
}

/** @returns the segment's number; null if the name is none of ours */
export function parseSegmentName(name: string): number | null {
  const match = /^([0-9a-f]{8})\.seg$/.exec(name);
  return match === null ? null : Number.parseInt(match[1]!, 16);
}

/** Writes a u64 below 2^53. */
export function setUint64(view: DataView, at: number, value: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, 'a stored u64 is exact as a number');
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Reads a u64; beyond 2^53 it is not exact, and no valid file has one. */
export function getUint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Puts the head at the start of bytes. */
export function encodeHead(bytes: Uint8Array, kind: HeadKind, head: Head): void {
  const view = viewOf(bytes);
  bytes.fill(0, 0, HEAD_BYTES);
  bytes.set(Buffer.from(MAGIC[kind], 'latin1'));
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  view.setUint32(16, head.generation, true);
  view.setUint32(20, head.segmentSectors, true);
  setUint64(view, 24, head.firstSequence);
  view.setUint32(44, crc32(bytes.subarray(0, 44)), true);
}

export function corrupt(path: string, offsetBytes: number, what: string): PlaneError {
  return new PlaneError('DataDirectoryCorrupt', `${path} at byte ${offsetBytes}: ${what}`);
}

/**
 * Reads and judges a head.
 *
 * @param bytes the first HEAD_BYTES of the file, or all of a shorter one
 * @throws PlaneError DataDirectoryForeign: no file of ours; DataDirectoryVersion: a version this
 *   code does not know; DataDirectoryCorrupt
 */
export function decodeHead(bytes: Uint8Array, kind: HeadKind, path: string): Head {
  if (bytes.byteLength < HEAD_BYTES) throw corrupt(path, bytes.byteLength, 'the head is cut off');
  const view = viewOf(bytes);
  const isOurs = Buffer.from(bytes.subarray(0, MAGIC_BYTES)).toString('latin1') === MAGIC[kind];
  const isWhole = view.getUint32(12, true) === crc32(bytes.subarray(0, 12));
  if (!isOurs) {
    throw new PlaneError('DataDirectoryForeign', `${path} does not begin with "${MAGIC[kind]}"`);
  }
  if (!isWhole) throw corrupt(path, 8, 'the version does not match its checksum');
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) {
    const versions = `expected format version ${FORMAT_VERSION}, got ${version}`;
    throw new PlaneError('DataDirectoryVersion', `${path}: ${versions}`);
  }
  if (view.getUint32(44, true) !== crc32(bytes.subarray(0, 44))) {
    throw corrupt(path, 16, 'the head does not match its checksum');
  }
  return {
    generation: view.getUint32(16, true),
    segmentSectors: view.getUint32(20, true),
    firstSequence: getUint64(view, 24),
  };
}
