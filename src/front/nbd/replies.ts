/**
 * Replies as bytes.
 *
 * Simple ("Simple reply message"):              magic 4, error 4, cookie 8 [, bytes of a READ]
 * Chunk ("Structured reply chunk message"):     magic 4, flags 2, type 2, cookie 8, length 4, then
 *   OFFSET_DATA  offset 8, bytes                  OFFSET_HOLE  offset 8, length 4
 *   ERROR        error 4, text length 2, text     BLOCK_STATUS context 4, (length 4, flags 4) ...
 *   NONE         nothing
 *
 * Every buffer is filled completely: nothing uninitialised is ever sent.
 *
 * **Thread:** any.
 */
import {
  CHUNK,
  CHUNK_BYTES,
  CHUNK_FLAG_DONE,
  CHUNK_MAGIC,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
} from './protocol.ts';
import type { NbdRequest, Refusal } from './request.ts';

/** Bytes in front of the data of a READ: the longer of the two headers. */
export const DATA_HEADER_BYTES_MAX = 28;
const ERROR_TEXT_BYTES = 512;

/** A range of an export and its status in one context. */
export interface StatusExtent {
  readonly length: number;
  readonly flags: number;
}

/** Writes a simple reply's 16 bytes at `at`. */
export function writeSimpleHeader(
  target: Buffer,
  at: number,
  request: NbdRequest,
  errno: number,
): void {
  target.writeUInt32BE(SIMPLE_REPLY_MAGIC, at);
  target.writeUInt32BE(errno, at + 4);
  target.writeUInt32BE(request.cookieHigh, at + 8);
  target.writeUInt32BE(request.cookieLow, at + 12);
}

/** Writes the 28 bytes before the data of an OFFSET_DATA chunk at `at`. */
export function writeDataHeader(
  target: Buffer,
  at: number,
  request: NbdRequest,
  offset: number,
  length: number,
  isLast: boolean,
): void {
  writeChunkHeader(target, at, request, CHUNK.offsetData, 8 + length, isLast);
  writeOffset(target, at + CHUNK_BYTES, offset);
}

export function encodeSimple(request: NbdRequest, errno: number): Buffer {
  const reply = Buffer.allocUnsafe(SIMPLE_REPLY_BYTES);
  writeSimpleHeader(reply, 0, request, errno);
  return reply;
}

export function encodeHole(
  request: NbdRequest,
  offset: number,
  length: number,
  isLast: boolean,
): Buffer {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES + 12);
  writeChunkHeader(chunk, 0, request, CHUNK.offsetHole, 12, isLast);
  writeOffset(chunk, CHUNK_BYTES, offset);
  chunk.writeUInt32BE(length, CHUNK_BYTES + 8);
  return chunk;
}

export function encodeNone(request: NbdRequest): Buffer {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  writeChunkHeader(chunk, 0, request, CHUNK.none, 0, true);
  return chunk;
}

export function encodeError(request: NbdRequest, refusal: Refusal): Buffer {
  const text = Buffer.from(refusal.text).subarray(0, ERROR_TEXT_BYTES);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES + 6 + text.length);
  writeChunkHeader(chunk, 0, request, CHUNK.error, 6 + text.length, true);
  chunk.writeUInt32BE(refusal.errno, CHUNK_BYTES);
  chunk.writeUInt16BE(text.length, CHUNK_BYTES + 4);
  chunk.set(text, CHUNK_BYTES + 6);
  return chunk;
}

export function encodeStatus(
  request: NbdRequest,
  contextId: number,
  extents: readonly StatusExtent[],
  isLast: boolean,
): Buffer {
  const length = 4 + 8 * extents.length;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES + length);
  writeChunkHeader(chunk, 0, request, CHUNK.blockStatus, length, isLast);
  chunk.writeUInt32BE(contextId, CHUNK_BYTES);
  for (const [index, extent] of extents.entries()) {
    chunk.writeUInt32BE(extent.length, CHUNK_BYTES + 4 + 8 * index);
    chunk.writeUInt32BE(extent.flags, CHUNK_BYTES + 8 + 8 * index);
  }
  return chunk;
}

function writeChunkHeader(
  target: Buffer,
  at: number,
  request: NbdRequest,
  type: number,
  length: number,
  isLast: boolean,
): void {
  target.writeUInt32BE(CHUNK_MAGIC, at);
  target.writeUInt16BE(isLast ? CHUNK_FLAG_DONE : 0, at + 4);
  target.writeUInt16BE(type, at + 6);
  target.writeUInt32BE(request.cookieHigh, at + 8);
  target.writeUInt32BE(request.cookieLow, at + 12);
  target.writeUInt32BE(length, at + 16);
}

function writeOffset(target: Buffer, at: number, offset: number): void {
  target.writeUInt32BE(Math.floor(offset / 2 ** 32), at);
  target.writeUInt32BE(offset % 2 ** 32, at + 4);
}
