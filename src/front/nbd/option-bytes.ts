/**
 * The bytes of options and of their replies: what they mean, and whether they are well formed.
 *
 * GO, INFO ("NBD_OPT_INFO and NBD_OPT_GO"):  name length 4, name, count 2, count x information 2
 * SET, LIST_META_CONTEXT:                    name length 4, name, count 4, count x (length, query)
 * Any reply ("Fixed newstyle negotiation"):  magic 8, option 4, reply type 4, length 4, bytes
 *
 * Everything is checked against the length that was sent before anything is read: a name that is
 * longer than its option, a count that does not match, text that is not UTF-8 are null.
 *
 * **Thread:** main.
 */
import {
  OPTION_REPLY_HEADER_BYTES,
  OPTION_REPLY_MAGIC_HIGH,
  OPTION_REPLY_MAGIC_LOW,
  type OptionReplyType,
  STRING_BYTES_MAX,
} from './protocol.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface InformationRequest {
  readonly exportName: string;
  readonly kinds: readonly number[];
}

interface ContextRequest {
  readonly exportName: string;
  readonly queries: readonly string[];
}

/** Text as the protocol allows it: UTF-8, no NUL, at most 4,096 bytes. null: it is not. */
export function parseString(bytes: Uint8Array): string | null {
  if (bytes.length > STRING_BYTES_MAX || bytes.includes(0)) return null;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

export function parseInformationRequest(bytes: Buffer): InformationRequest | null {
  if (bytes.length < 6) return null;
  const nameLength = bytes.readUInt32BE(0);
  if (nameLength > bytes.length - 6) return null;
  const exportName = parseString(bytes.subarray(4, 4 + nameLength));
  const count = bytes.readUInt16BE(4 + nameLength);
  const start = 6 + nameLength;
  if (exportName === null || bytes.length !== start + 2 * count) return null;
  const kinds = Array.from({ length: count }, (_, index) => bytes.readUInt16BE(start + 2 * index));
  return { exportName, kinds };
}

/** @returns 'too many' if there are more queries than anybody needs */
export function parseContextRequest(
  bytes: Buffer,
  queriesMax: number,
): ContextRequest | null | 'too many' {
  if (bytes.length < 8) return null;
  const nameLength = bytes.readUInt32BE(0);
  if (nameLength > bytes.length - 8) return null;
  const exportName = parseString(bytes.subarray(4, 4 + nameLength));
  if (exportName === null) return null;
  const count = bytes.readUInt32BE(4 + nameLength);
  if (count > queriesMax) return 'too many';
  const queries: string[] = [];
  let at = 8 + nameLength;
  for (let index = 0; index < count; index++) {
    if (bytes.length - at < 4) return null;
    const length = bytes.readUInt32BE(at);
    if (length > bytes.length - at - 4) return null;
    const query = parseString(bytes.subarray(at + 4, at + 4 + length));
    if (query === null) return null;
    queries.push(query);
    at += 4 + length;
  }
  return at === bytes.length ? { exportName, queries } : null;
}

export function encodeOptionReply(
  option: number,
  type: OptionReplyType,
  payload: Uint8Array,
): Buffer {
  const reply = Buffer.alloc(OPTION_REPLY_HEADER_BYTES + payload.length);
  reply.writeUInt32BE(OPTION_REPLY_MAGIC_HIGH, 0);
  reply.writeUInt32BE(OPTION_REPLY_MAGIC_LOW, 4);
  reply.writeUInt32BE(option, 8);
  reply.writeUInt32BE(type, 12);
  reply.writeUInt32BE(payload.length, 16);
  reply.set(payload, OPTION_REPLY_HEADER_BYTES);
  return reply;
}
