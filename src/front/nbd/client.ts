/**
 * A small NBD client: one connection to any server, for the load generator. Simple replies only,
 * no TLS; requests are pipelined, replies come in any order.
 *
 *   connect ─▶ hello, flags ─▶ GO ─▶ ready ──close(): DISC──▶ closed
 *
 * 1. Next to nothing is allocated per request: what is sent is put into a buffer for life
 *    (client-outbox.ts), the socket reads into another, and bytes of a read go from there straight
 *    into the caller's. A collector with nothing to collect is no part of a latency.
 * 2. When the connection ends, everything in flight fails, and all that comes later.
 *
 * **Thread:** that of the load.
 */
import { connect, type Socket } from 'node:net';
import { PlaneError } from '../../base/errors.ts';
import { goOption, type Inbox, type NbdAgreed, readAgreed } from './client-handshake.ts';
import { ClientOutbox } from './client-outbox.ts';
import { COMMAND, SIMPLE_REPLY_BYTES, SIMPLE_REPLY_MAGIC, TRANSMISSION_FLAG } from './protocol.ts';

/** Told, once, what came of a request: never in the call that makes it. */
export interface NbdCompletion {
  readonly completed: () => void;
  readonly failed: (error: PlaneError) => void;
}

/** What is asked and not answered. */
interface Pending {
  readonly into: Uint8Array | null;
  readonly completion: NbdCompletion;
}

/** What one read of the socket takes at most; the buffer is the same for life. */
const RECEIVED_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

export class NbdClient {
  readonly size: number;
  private readonly socket: Socket;
  private readonly outbox: ClientOutbox;
  private readonly canTrim: boolean;
  /** By cookie; null: the cookie is free. */
  private readonly pending: (Pending | null)[] = [];
  private readonly freeCookies: number[] = [];
  private readonly header = Buffer.alloc(SIMPLE_REPLY_BYTES);
  private headerBytes = 0;
  /** The read whose bytes are coming, and how many have. */
  private reading: Pending | null = null;
  private readingBytes = 0;
  private lost: PlaneError | null = null;

  private constructor(socket: Socket, inbox: Inbox, agreed: NbdAgreed) {
    this.socket = socket;
    this.outbox = new ClientOutbox(socket);
    this.size = agreed.size;
    this.canTrim = (agreed.flags & TRANSMISSION_FLAG.sendTrim) !== 0;
    inbox.take = (chunk) => this.receive(chunk);
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
    const inbox: Inbox = { take: () => {} };
    const buffer = Buffer.alloc(RECEIVED_BYTES);
    const callback = (count: number): boolean => {
      inbox.take(buffer.subarray(0, count));
      return true;
    };
    const socket = connect({ ...where, onread: { buffer, callback } });
    socket.setNoDelay(true);
    try {
      return new NbdClient(socket, inbox, await readAgreed(socket, inbox, goOption(name)));
    } catch (error) {
      socket.destroy();
      throw new PlaneError('InvalidArgument', `${uri}: ${(error as Error).message}`);
    }
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return promised((completion) => this.startRead(offset, into, completion));
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return promised((completion) => this.startWrite(offset, bytes, completion));
  }

  flush(): Promise<void> {
    return promised((completion) => this.start(COMMAND.flush, 0, 0, NOTHING, null, completion));
  }

  /** As read, for one who is told in place of a promise. */
  startRead(offset: number, into: Uint8Array, completion: NbdCompletion): void {
    this.start(COMMAND.read, offset, into.byteLength, NOTHING, into, completion);
  }

  /** As write, for one who is told in place of a promise. */
  startWrite(offset: number, bytes: Uint8Array, completion: NbdCompletion): void {
    this.start(COMMAND.write, offset, bytes.byteLength, bytes, null, completion);
  }

  /** Nothing, where the server has no TRIM: it is advice. */
  trim(offset: number, length: number): Promise<void> {
    if (!this.canTrim) return Promise.resolve();
    return promised((completion) =>
      this.start(COMMAND.trim, offset, length, NOTHING, null, completion),
    );
  }

  async close(): Promise<void> {
    if (this.lost !== null) return;
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.outbox.add(COMMAND.disconnect, 0, 0, 0, NOTHING);
    this.outbox.send();
    this.socket.end();
    this.socket.resume();
    await closed;
  }

  private start(
    command: number,
    offset: number,
    length: number,
    payload: Uint8Array,
    into: Uint8Array | null,
    completion: NbdCompletion,
  ): void {
    const { lost } = this;
    if (lost !== null) {
      queueMicrotask(() => completion.failed(lost));
      return;
    }
    const cookie = this.freeCookies.pop() ?? this.pending.length;
    this.pending[cookie] = { into, completion };
    this.outbox.add(command, cookie, offset, length, payload);
  }

  private receive(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.reading !== null) {
        at = this.receivePayload(this.reading, chunk, at);
        continue;
      }
      const count = Math.min(SIMPLE_REPLY_BYTES - this.headerBytes, chunk.length - at);
      if (count === SIMPLE_REPLY_BYTES) {
        if (!this.takeHeader(chunk, at)) return;
      } else {
        chunk.copy(this.header, this.headerBytes, at, at + count);
        this.headerBytes += count;
        if (this.headerBytes === SIMPLE_REPLY_BYTES) {
          this.headerBytes = 0;
          if (!this.takeHeader(this.header, 0)) return;
        }
      }
      at += count;
    }
  }

  private receivePayload(reading: Pending, chunk: Buffer, from: number): number {
    const into = reading.into!;
    const count = Math.min(into.byteLength - this.readingBytes, chunk.length - from);
    // Not subarray(), which makes a Buffer: twice the time.
    into.set(new Uint8Array(chunk.buffer, chunk.byteOffset + from, count), this.readingBytes);
    this.readingBytes += count;
    if (this.readingBytes === into.byteLength) {
      this.reading = null;
      reading.completion.completed();
    }
    return from + count;
  }

  /** @returns false: the server does not speak the protocol */
  private takeHeader(header: Buffer, at: number): boolean {
    const cookie = header.readUInt32BE(at + 12);
    const request = this.pending[cookie] ?? null;
    const isReply = header.readUInt32BE(at) === SIMPLE_REPLY_MAGIC;
    if (!isReply || header.readUInt32BE(at + 8) !== 0 || request === null) {
      this.fail('the server answered what was not asked');
      this.socket.destroy();
      return false;
    }
    this.pending[cookie] = null;
    this.freeCookies.push(cookie);
    const errno = header.readUInt32BE(at + 4);
    if (errno !== 0) {
      const code = request.into === null ? 'StoreFailed' : 'ReadFailed';
      request.completion.failed(new PlaneError(code, `the server answered error ${errno}`));
    } else if (request.into !== null && request.into.byteLength > 0) {
      this.reading = request;
      this.readingBytes = 0;
    } else {
      request.completion.completed();
    }
    return true;
  }

  private fail(text: string): void {
    this.lost ??= new PlaneError('ReadFailed', text);
    const unanswered = [this.reading, ...this.pending];
    this.reading = null;
    this.pending.length = 0;
    for (const request of unanswered) request?.completion.failed(this.lost);
  }
}

function promised(start: (completion: NbdCompletion) => void): Promise<void> {
  return new Promise((completed, failed) => start({ completed, failed }));
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
