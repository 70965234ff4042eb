/** NBD messages as a client sends them, written by hand from the protocol's text. */

export interface RawRequest {
  readonly command: number;
  readonly flags?: number;
  readonly cookie?: bigint;
  readonly offset?: bigint;
  readonly length?: number;
  readonly payload?: Uint8Array;
}

/** Request message: magic, flags, type, cookie, offset, length. */
export function requestBytes(request: RawRequest): Buffer {
  const { command, flags = 0, cookie = 1n, offset = 0n, length = 0, payload } = request;
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(command, 6);
  header.writeBigUInt64BE(cookie, 8);
  header.writeBigUInt64BE(offset, 16);
  header.writeUInt32BE(length, 24);
  return payload === undefined ? header : Buffer.concat([header, payload]);
}

/** An option: IHAVEOPT, number, length, bytes. */
export function optionBytes(option: number, bytes: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(16);
  header.write('IHAVEOPT', 0, 'latin1');
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(bytes.length, 12);
  return Buffer.concat([header, bytes]);
}

export function clientFlagsBytes(flags = 3): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(flags, 0);
  return bytes;
}

/** What GO and INFO carry: name length, name, no information asked for. */
export function goBytes(name: string): Buffer {
  const text = Buffer.from(name);
  const bytes = Buffer.alloc(6 + text.length);
  bytes.writeUInt32BE(text.length, 0);
  bytes.set(text, 4);
  return bytes;
}
