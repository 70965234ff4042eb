/**
 * What a client sends: requests are put one behind the other in a buffer for life, and leave
 * together at the end of the turn of the event loop they were made in.
 *
 * A buffer that the kernel did not take at once belongs to the socket: the next turn has another.
 *
 * **Thread:** that of the load.
 */
import type { Socket } from 'node:net';
import { REQUEST_BYTES, REQUEST_MAGIC } from './protocol.ts';

const OUTBOX_BYTES = 65_536;
/** A payload up to this is copied behind its request: cheaper than a buffer of its own. */
const COPIED_BYTES_MAX = 8_192;

export class ClientOutbox {
  private readonly socket: Socket;
  private bytes = Buffer.alloc(OUTBOX_BYTES);
  private used = 0;
  private isFlushDue = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /**
   * The upper half of a cookie is zero.
   *
   * @param payload borrowed until the request is answered
   */
  add(command: number, cookie: number, offset: number, length: number, payload: Uint8Array): void {
    const payloadBytes = payload.byteLength;
    const isCopied = payloadBytes <= COPIED_BYTES_MAX;
    const wanted = REQUEST_BYTES + (isCopied ? payloadBytes : 0);
    if (this.used + wanted > OUTBOX_BYTES) this.send();
    const { bytes, used } = this;
    bytes.writeUInt32BE(REQUEST_MAGIC, used);
    bytes.writeUInt32BE(command, used + 4);
    bytes.writeUInt32BE(0, used + 8);
    bytes.writeUInt32BE(cookie, used + 12);
    bytes.writeUInt32BE(Math.floor(offset / 2 ** 32), used + 16);
    bytes.writeUInt32BE(offset % 2 ** 32, used + 20);
    bytes.writeUInt32BE(length, used + 24);
    if (isCopied && payloadBytes > 0) bytes.set(payload, used + REQUEST_BYTES);
    this.used = used + wanted;
    if (!isCopied) {
      this.send();
      this.socket.write(payload);
    } else if (!this.isFlushDue) {
      this.isFlushDue = true;
      process.nextTick(this.flush);
    }
  }

  private readonly flush = (): void => {
    this.isFlushDue = false;
    this.send();
  };

  /** Sends what was put. */
  send(): void {
    if (this.used === 0) return;
    this.socket.write(this.bytes.subarray(0, this.used));
    this.used = 0;
    if (this.socket.writableLength > 0) this.bytes = Buffer.alloc(OUTBOX_BYTES);
  }
}
