/** A client that says what it is told to, byte by byte, and reads answers as they come. */
import { connect, type Socket } from 'node:net';
import { clientFlagsBytes, goBytes, optionBytes } from './nbd-bytes.ts';

export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  private received = Buffer.alloc(0);
  private wake: (() => void) | null = null;
  private isClosed = false;

  /** @param where the path of a unix socket, or a connection there is already */
  constructor(where: string | Socket) {
    this.socket = typeof where === 'string' ? connect(where) : where;
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake?.();
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true;
        this.wake?.();
        resolve();
      });
    });
  }

  send(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next bytes; rejects if the connection ends before they are there. */
  async take(count: number): Promise<Buffer> {
    while (this.received.length < count) {
      if (this.isClosed) throw new Error('closed');
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  /** Type and bytes of the next option reply. */
  async reply(): Promise<{ type: number; bytes: Buffer }> {
    const header = await this.take(20);
    return { type: header.readUInt32BE(12), bytes: await this.take(header.readUInt32BE(16)) };
  }

  /** Hello, flags, GO. @returns the type of the reply that ends it */
  async go(name: string): Promise<number> {
    await this.take(18);
    this.send(clientFlagsBytes(), optionBytes(7, goBytes(name)));
    return this.lastReply();
  }

  /** The type of the next reply that is not information. */
  async lastReply(): Promise<number> {
    for (;;) {
      const { type } = await this.reply();
      if (type !== 3 && type !== 2 && type !== 4) return type;
    }
  }

  /** The error number of the next simple reply. */
  async simple(): Promise<number> {
    return (await this.take(16)).readUInt32BE(4);
  }
}
