/**
 * What a client says before transmission, as a state machine over chunks of bytes. No sockets.
 *
 *   client flags (4) ─▶ option header (16) ─▶ option bytes (length) ─▶ option ─▶ option header …
 *
 * 1. Stops after every option: what follows it may be no option any more (EXPORT_NAME, GO,
 *    STARTTLS), so the caller answers it and then feeds the rest.
 * 2. Keeps at most NBD_OPTION_BYTES_MAX bytes; those of a longer option are counted, not kept.
 * 3. Bytes that cannot be a client's throw ProtocolError: the connection is to be dropped.
 *
 * proto.md, "Fixed newstyle negotiation" and "Option haggling".
 *
 * **Thread:** main.
 */
import { NBD_OPTION_BYTES_MAX } from '../../limits.ts';
import { OPTION_HEADER_BYTES, OPTION_MAGIC_HIGH, OPTION_MAGIC_LOW } from './protocol.ts';

/** The peer does not speak the protocol: nothing can be answered, the connection is dropped. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export interface ClientOption {
  readonly option: number;
  /** null: longer than NBD_OPTION_BYTES_MAX, and skipped. */
  readonly bytes: Buffer | null;
}

const CLIENT_FLAGS_BYTES = 4;

export class HandshakeReader {
  /** null until the client has sent its flags. */
  clientFlags: number | null = null;
  /** The option just read; the caller takes it and sets null. */
  option: ClientOption | null = null;
  private readonly header = Buffer.alloc(OPTION_HEADER_BYTES);
  private headerBytes = 0;
  private kept: Buffer | null = null;
  private keptBytes = 0;
  private isInOption = false;
  private bytesLeft = 0;

  /**
   * Reads from a chunk, up to the end of the client's flags, of an option, or of the chunk.
   *
   * @returns where it stopped
   * @throws ProtocolError an option does not begin with IHAVEOPT
   */
  feed(chunk: Uint8Array, from: number): number {
    let at = from;
    if (this.clientFlags === null) {
      at = this.fillHeader(chunk, at, CLIENT_FLAGS_BYTES);
      if (this.headerBytes < CLIENT_FLAGS_BYTES) return at;
      this.clientFlags = this.header.readUInt32BE(0);
      this.headerBytes = 0;
      return at;
    }
    if (!this.isInOption) {
      at = this.fillHeader(chunk, at, OPTION_HEADER_BYTES);
      if (this.headerBytes < OPTION_HEADER_BYTES) return at;
      this.beginOption();
    }
    return this.readOption(chunk, at);
  }

  private fillHeader(chunk: Uint8Array, from: number, bytes: number): number {
    const count = Math.min(bytes - this.headerBytes, chunk.length - from);
    this.header.set(chunk.subarray(from, from + count), this.headerBytes);
    this.headerBytes += count;
    return from + count;
  }

  private beginOption(): void {
    const isMagic =
      this.header.readUInt32BE(0) === OPTION_MAGIC_HIGH &&
      this.header.readUInt32BE(4) === OPTION_MAGIC_LOW;
    if (!isMagic) throw new ProtocolError('an option begins with IHAVEOPT');
    this.headerBytes = 0;
    this.isInOption = true;
    this.bytesLeft = this.header.readUInt32BE(12);
    this.keptBytes = 0;
    this.kept = this.bytesLeft <= NBD_OPTION_BYTES_MAX ? Buffer.alloc(this.bytesLeft) : null;
  }

  private readOption(chunk: Uint8Array, from: number): number {
    const count = Math.min(this.bytesLeft, chunk.length - from);
    this.kept?.set(chunk.subarray(from, from + count), this.keptBytes);
    this.keptBytes += count;
    this.bytesLeft -= count;
    if (this.bytesLeft === 0) {
      this.isInOption = false;
      this.option = { option: this.header.readUInt32BE(8), bytes: this.kept };
      this.kept = null;
    }
    return from + count;
  }
}
