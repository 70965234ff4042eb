/**
 * How a client agrees on an export: hello, flags, GO, and what comes back until it is acknowledged.
 *
 * proto.md, "Fixed newstyle negotiation", "NBD_OPT_GO".
 *
 * **Thread:** main.
 */
import type { Socket } from 'node:net';
import {
  HANDSHAKE_FLAG,
  INFORMATION,
  OPTION,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC_HIGH,
  OPTION_MAGIC_LOW,
  OPTION_REPLY,
  OPTION_REPLY_HEADER_BYTES,
  SERVER_MAGIC,
} from './protocol.ts';

/** What GO was answered with. */
export interface NbdAgreed {
  readonly size: number;
  readonly flags: number;
}

/** Where the bytes of a socket go just now. They are its own again when take returns. */
export interface Inbox {
  take: (chunk: Buffer) => void;
}

const HELLO_BYTES = SERVER_MAGIC.length + 2;

/** Client flags, and GO for an export. */
export function goOption(name: string): Buffer {
  const text = Buffer.from(name);
  const bytes = Buffer.alloc(4 + OPTION_HEADER_BYTES + 6 + text.length);
  bytes.writeUInt32BE(HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes, 0);
  bytes.writeUInt32BE(OPTION_MAGIC_HIGH, 4);
  bytes.writeUInt32BE(OPTION_MAGIC_LOW, 8);
  bytes.writeUInt32BE(OPTION.go, 12);
  bytes.writeUInt32BE(6 + text.length, 16);
  bytes.writeUInt32BE(text.length, 20);
  bytes.set(text, 24);
  return bytes;
}

/**
 * Sends the option after the hello, and reads up to its acknowledgement. The inbox is the caller's
 * again then, and what a server sent beyond it (nothing, before it is asked) is an error.
 */
export function readAgreed(socket: Socket, inbox: Inbox, option: Buffer): Promise<NbdAgreed> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let isGreeted = false;
    const agreed = { size: 0, flags: 0 };
    const end = (error: Error | null): void => {
      inbox.take = () => {};
      for (const event of ['error', 'close']) socket.removeAllListeners(event);
      if (error === null) resolve(agreed);
      else reject(error);
    };
    socket.once('error', end);
    socket.once('close', () => end(new Error('the server ended the connection')));
    inbox.take = (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (!isGreeted && received.length >= HELLO_BYTES) {
        if (!received.subarray(0, SERVER_MAGIC.length).equals(SERVER_MAGIC)) {
          end(new Error('the server does not speak newstyle NBD'));
          return;
        }
        received = received.subarray(HELLO_BYTES);
        isGreeted = true;
        socket.write(option);
      }
      while (isGreeted) {
        const reply = takeReply(received);
        if (reply === null) return;
        received = received.subarray(reply.bytes);
        if (reply.type === OPTION_REPLY.ack) {
          end(received.length === 0 ? null : new Error('the server said more than was asked'));
          return;
        }
        if (reply.type >= 2 ** 31) {
          const text = reply.payload.toString() || `error ${reply.type % 2 ** 31}`;
          end(new Error(`the export is refused: ${text}`));
          return;
        }
        noteInformation(reply.payload, agreed);
      }
    };
  });
}

/** The reply a buffer begins with, if it is there whole. */
function takeReply(
  received: Buffer,
): { readonly type: number; readonly payload: Buffer; readonly bytes: number } | null {
  if (received.length < OPTION_REPLY_HEADER_BYTES) return null;
  const bytes = OPTION_REPLY_HEADER_BYTES + received.readUInt32BE(16);
  if (received.length < bytes) return null;
  const payload = received.subarray(OPTION_REPLY_HEADER_BYTES, bytes);
  return { type: received.readUInt32BE(12), payload, bytes };
}

function noteInformation(payload: Buffer, agreed: { size: number; flags: number }): void {
  if (payload.length !== 12 || payload.readUInt16BE(0) !== INFORMATION.export) return;
  agreed.size = payload.readUInt32BE(2) * 2 ** 32 + payload.readUInt32BE(6);
  agreed.flags = payload.readUInt16BE(10);
}
