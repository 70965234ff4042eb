/**
 * The bytes of a READ as replies: data where there is some, holes where there are zeros.
 *
 * Whether the disk has a hole there or zeros that were written makes no difference to a reader
 * ("NBD_REPLY_TYPE_OFFSET_HOLE": the range reads as zeros), so the bytes themselves are looked at:
 * one word of a block tells that it is data, and only what may be zeros is compared whole.
 *
 * **Thread:** main.
 */
import { KIB } from '../../base/units.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import { COMMAND_FLAG, SIMPLE_REPLY_BYTES } from './protocol.ts';
import {
  DATA_HEADER_BYTES_MAX,
  encodeHole,
  encodeNone,
  writeDataHeader,
  writeSimpleHeader,
} from './replies.ts';
import type { ReplySink } from './reply-sink.ts';
import type { NbdRequest } from './request.ts';

/** Holes are told in blocks of this length from the beginning of the request. */
const BLOCK_BYTES = 64 * KIB;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

interface Part {
  readonly from: number;
  to: number;
  readonly isZero: boolean;
}

/**
 * Sends the reply, or the chunks, of a READ.
 *
 * @param buffer the data from DATA_HEADER_BYTES_MAX on; borrowed until `sent` is called
 */
export function sendData(
  request: NbdRequest,
  buffer: PooledBuffer,
  isStructured: boolean,
  sink: ReplySink,
  sent: () => void,
): void {
  const { length, offset, flags } = request;
  const end = DATA_HEADER_BYTES_MAX + length;
  if (!isStructured) {
    const start = DATA_HEADER_BYTES_MAX - SIMPLE_REPLY_BYTES;
    writeSimpleHeader(buffer.bytes, start, request, 0);
    sink.send(buffer.view(start, end), sent);
    return;
  }
  if (length === 0) {
    sink.send(encodeNone(request), sent);
    return;
  }
  const bytes = buffer.view(DATA_HEADER_BYTES_MAX, end);
  if (length <= BLOCK_BYTES && !isAllZero(bytes, 0, length)) {
    writeDataHeader(buffer.bytes, 0, request, offset, length, true);
    sink.send(buffer.view(0, end), sent);
    return;
  }
  const parts = findParts(bytes, (flags & COMMAND_FLAG.df) !== 0 ? length : BLOCK_BYTES);
  for (const { from, to, isZero } of parts) {
    const isLast = to === length;
    const done = isLast ? sent : null;
    if (isZero) {
      sink.send(encodeHole(request, offset + from, to - from, isLast), done);
    } else if (from === 0) {
      writeDataHeader(buffer.bytes, 0, request, offset, to, isLast);
      sink.send(buffer.view(0, DATA_HEADER_BYTES_MAX + to), done);
    } else {
      const header = Buffer.allocUnsafe(DATA_HEADER_BYTES_MAX);
      writeDataHeader(header, 0, request, offset + from, to - from, isLast);
      sink.send(header, null);
      sink.send(bytes.subarray(from, to), done);
    }
  }
}

/** Zeros and data by turns; blocks of blockBytes are all of one kind. */
function findParts(bytes: Buffer, blockBytes: number): Part[] {
  const parts: Part[] = [];
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const to = Math.min(bytes.length, from + blockBytes);
    const isZero = isAllZero(bytes, from, to);
    const last = parts.at(-1);
    if (last?.isZero === isZero) last.to = to;
    else parts.push({ from, to, isZero });
  }
  return parts;
}

function isAllZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += BLOCK_BYTES) {
    const count = Math.min(BLOCK_BYTES, to - at);
    if (bytes[at] !== 0 || bytes[at + count - 1] !== 0) return false;
    if (ZEROS.compare(bytes, at, at + count, 0, count) !== 0) return false;
  }
  return true;
}
