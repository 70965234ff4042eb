/**
 * A small NBD client: one connection to any server, for the load generator. Simple replies only,
 * no TLS; requests are pipelined, replies come in any order.
 *
 *   connect ─▶ hello, flags ─▶ GO ─▶ ready ──close(): DISC──▶ closed
 *
 * 1. Bytes of a read go from what the socket gave straight into the caller's buffer.
 * 2. When the connection ends, everything in flight fails, and all that comes later.
 *
 * **Thread:** main.
 */
import { connect, type Socket } from 'node:net';
import { PlaneError } from '../../base/errors.ts';
import { goOption, type NbdAgreed, readAgreed } from './client-handshake.ts';
import {
  COMMAND,
  REQUEST_BYTES,
  REQUEST_MAGIC,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
  TRANSMISSION_FLAG,
} from './protocol.ts';

interface Pending {
  readonly into: Uint8Array | null;
  readonly settle: (error: PlaneError | null) => void;
}

const COOKIES = 2 ** 32;
const NOTHING = Buffer.alloc(0);

export class NbdClient {
  readonly size: number;
  private readonly socket: Socket;
  private readonly canTrim: boolean;
  private readonly pending = new Map<number, Pending>();
  private readonly header = Buffer.alloc(SIMPLE_REPLY_BYTES);
  private headerBytes = 0;
  /** The read whose bytes are coming, and how many have. */
  private reading: Pending | null = null;
  private readingBytes = 0;
  private nextCookie = 0;
  private lost: PlaneError | null = null;
  private isCorked = false;

  private constructor(socket: Socket, agreed: NbdAgreed) {
    this.socket = socket;
    this.size = agreed.size;
    this.canTrim = (agreed.flags & TRANSMISSION_FLAG.sendTrim) !== 0;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.fail(`the connection was lost: ${error.message}`));
    socket.on('close', () => this.fail('the server ended the connection'));
    socket.resume();
  }

  /**
   * Connects to nbd://HOST[:PORT]/NAME or nbd+unix:///NAME?socket=PATH (the NBD project's uri.md).
   *
   * @throws PlaneError InvalidArgument: no such URI, no such export, no such server
   */
  static async connect(uri: string): Promise<NbdClient> {
    const { where, name } = addressOf(uri);
    const socket = connect(where);
    socket.setNoDelay(true);
    try {
      const agreed = await readAgreed(socket, goOption(name));
      return new NbdClient(socket, agreed);
    } catch (error) {
      socket.destroy();
      throw new PlaneError('InvalidArgument', `${uri}: ${(error as Error).message}`);
    }
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.request(COMMAND.read, offset, into.byteLength, NOTHING, into);
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.request(COMMAND.write, offset, bytes.byteLength, bytes, null);
  }

  flush(): Promise<void> {
    return this.request(COMMAND.flush, 0, 0, NOTHING, null);
  }

  /** Nothing, where the server has no TRIM: it is advice. */
  trim(offset: number, length: number): Promise<void> {
    if (!this.canTrim) return Promise.resolve();
    return this.request(COMMAND.trim, offset, length, NOTHING, null);
  }

  async close(): Promise<void> {
    if (this.lost !== null) return;
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.end(encodeRequest(COMMAND.disconnect, 0, 0, 0));
    this.socket.resume();
    await closed;
  }

  private request(
    command: number,
    offset: number,
    length: number,
    payload: Uint8Array,
    into: Uint8Array | null,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.lost !== null) {
        reject(this.lost);
        return;
      }
      const cookie = this.nextCookie;
      this.nextCookie = (cookie + 1) % COOKIES;
      this.pending.set(cookie, {
        into,
        settle: (error) => (error === null ? resolve() : reject(error)),
      });
      this.corkTurn();
      this.socket.write(encodeRequest(command, cookie, offset, length));
      if (payload.byteLength > 0) this.socket.write(payload);
    });
  }

  /** What is asked in one turn of the event loop leaves together. */
  private corkTurn(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    this.socket.cork();
    process.nextTick(() => {
      this.isCorked = false;
      this.socket.uncork();
    });
  }

  private receive(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.reading !== null) {
        at = this.receivePayload(this.reading, chunk, at);
        continue;
      }
      const count = Math.min(SIMPLE_REPLY_BYTES - this.headerBytes, chunk.length - at);
      this.header.set(chunk.subarray(at, at + count), this.headerBytes);
      this.headerBytes += count;
      at += count;
      if (this.headerBytes === SIMPLE_REPLY_BYTES && !this.takeHeader()) return;
    }
  }

  private receivePayload(reading: Pending, chunk: Buffer, from: number): number {
    const into = reading.into!;
    const count = Math.min(into.byteLength - this.readingBytes, chunk.length - from);
    into.set(chunk.subarray(from, from + count), this.readingBytes);
    this.readingBytes += count;
    if (this.readingBytes === into.byteLength) {
      this.reading = null;
      reading.settle(null);
    }
    return from + count;
  }

  /** @returns false: the server does not speak the protocol */
  private takeHeader(): boolean {
    this.headerBytes = 0;
    const cookie = this.header.readUInt32BE(12);
    const request = this.pending.get(cookie);
    const isReply = this.header.readUInt32BE(0) === SIMPLE_REPLY_MAGIC;
    if (!isReply || this.header.readUInt32BE(8) !== 0 || request === undefined) {
      this.fail('the server answered what was not asked');
      this.socket.destroy();
      return false;
    }
    this.pending.delete(cookie);
    const errno = this.header.readUInt32BE(4);
    if (errno !== 0) {
      const code = request.into === null ? 'StoreFailed' : 'ReadFailed';
      request.settle(new PlaneError(code, `the server answered error ${errno}`));
    } else if (request.into !== null && request.into.byteLength > 0) {
      this.reading = request;
      this.readingBytes = 0;
    } else {
      request.settle(null);
    }
    return true;
  }

  private fail(text: string): void {
    this.lost ??= new PlaneError('ReadFailed', text);
    this.reading?.settle(this.lost);
    this.reading = null;
    for (const request of this.pending.values()) request.settle(this.lost);
    this.pending.clear();
  }
}

/** Cookies are 32 bits here; the upper half is zero. */
function encodeRequest(command: number, cookie: number, offset: number, length: number): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeUInt32BE(REQUEST_MAGIC, 0);
  request.writeUInt16BE(command, 6);
  request.writeUInt32BE(cookie, 12);
  request.writeUInt32BE(Math.floor(offset / 2 ** 32), 16);
  request.writeUInt32BE(offset % 2 ** 32, 20);
  request.writeUInt32BE(length, 24);
  return request;
}

const PORT_DEFAULT = 10_809;

function addressOf(uri: string): {
  where: { path: string } | { host: string; port: number };
  name: string;
} {
  const url = URL.canParse(uri) ? new URL(uri) : null;
  const name = decodeURIComponent(url?.pathname.replace(/^\//, '') ?? '');
  const path = url?.searchParams.get('socket');
  if (url?.protocol === 'nbd+unix:' && path) return { where: { path }, name };
  if (url?.protocol === 'nbd:' && url.hostname !== '') {
    const port = url.port === '' ? PORT_DEFAULT : Number(url.port);
    return { where: { host: url.hostname.replace(/^\[|\]$/g, ''), port }, name };
  }
  const expected = 'nbd://HOST[:PORT]/NAME or nbd+unix:///NAME?socket=PATH';
  throw new PlaneError('InvalidArgument', `expected ${expected}, got ${uri}`);
}
