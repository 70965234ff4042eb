/**
 * What a client sends in transmission, as a state machine over chunks of bytes. No sockets.
 *
 *   header (28) ─▶ admitted? ──yes──▶ WRITE: payload (length) ─▶ request() ─▶ header …
 *                     └──no: feed() stops; feed() again when there may be room
 *
 * 1. A payload that lies whole in a chunk stays there if the sink keeps the chunk for it. Otherwise
 *    it is put together in memory the sink gives (placeFor), or nowhere if it gives none: then
 *    chunks are borrowed only for the call, and a long payload can be received in its place.
 * 2. request() is called once the payload is there whole: half a write is never applied.
 * 3. Only WRITE has a payload, whatever else is wrong with a request; so a refused request leaves
 *    the stream in step.
 * 4. The cookie is 64 opaque bits, kept as two halves. Offsets are numbers: those of 2^53 and more,
 *    which no disk has, are Infinity.
 *
 * proto.md, "Request message".
 *
 * **Thread:** main.
 */
import { ProtocolError } from './handshake-reader.ts';
import { COMMAND, REQUEST_BYTES, REQUEST_MAGIC } from './protocol.ts';
import type { NbdRequest } from './request.ts';

export interface RequestSink {
  /** False: there is no room for it now; feed() stops and asks again when it is called again. */
  admit(request: NbdRequest): boolean;
  /** True: the chunk that is being fed stays as it is until the request is done. */
  keepChunk(request: NbdRequest): boolean;
  /** Memory of exactly the payload's length; null: the payload is read and thrown away. */
  placeFor(request: NbdRequest): Uint8Array | null;
  /** @param payload null: there is none, or it had no place */
  request(request: NbdRequest, payload: Uint8Array | null): void;
}

export class RequestReader {
  private readonly sink: RequestSink;
  private readonly header = Buffer.alloc(REQUEST_BYTES);
  private headerBytes = 0;
  /** Read, and not admitted yet or without its payload. */
  private current: NbdRequest | null = null;
  private isAdmitted = false;
  private place: Uint8Array | null = null;
  private payloadBytes = 0;

  constructor(sink: RequestSink) {
    this.sink = sink;
  }

  /** The request whose payload has not come whole: counted by the sink, and not done. */
  get unfinished(): NbdRequest | null {
    return this.isAdmitted ? this.current : null;
  }

  /** True if a request was not admitted: feed() again, with the bytes it stopped at. */
  get isWaiting(): boolean {
    return this.current !== null && !this.isAdmitted;
  }

  /** True between requests: the peer may leave here. */
  get isBetweenRequests(): boolean {
    return this.headerBytes === 0 && this.current === null;
  }

  /** The rest of the payload's place: bytes read straight into it are told by received(). */
  get missing(): Uint8Array | null {
    return this.isAdmitted && this.place !== null ? this.place.subarray(this.payloadBytes) : null;
  }

  /** So many bytes were put into `missing`. */
  received(bytes: number): void {
    this.payloadBytes += bytes;
    this.endPayload();
  }

  /**
   * Reads requests from a chunk.
   *
   * @returns where it stopped: the end of the chunk, unless a request was not admitted
   * @throws ProtocolError a request does not begin with its magic
   */
  feed(chunk: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      if (this.current === null) {
        if (at === chunk.length) return at;
        at = this.readHeader(chunk, at);
        if (this.current === null) return at;
      }
      if (!this.isAdmitted) {
        if (!this.sink.admit(this.current)) return at;
        this.isAdmitted = true;
        at = this.beginPayload(chunk, at);
      } else {
        if (at === chunk.length) return at;
        at = this.readPayload(chunk, at);
      }
    }
  }

  private readHeader(chunk: Uint8Array, from: number): number {
    if (this.headerBytes === 0 && chunk.length - from >= REQUEST_BYTES) {
      this.current = decodeRequest(chunk, from);
      this.isAdmitted = false;
      return from + REQUEST_BYTES;
    }
    const count = Math.min(REQUEST_BYTES - this.headerBytes, chunk.length - from);
    this.header.set(chunk.subarray(from, from + count), this.headerBytes);
    this.headerBytes += count;
    if (this.headerBytes === REQUEST_BYTES) {
      this.headerBytes = 0;
      this.current = decodeRequest(this.header, 0);
      this.isAdmitted = false;
    }
    return from + count;
  }

  private beginPayload(chunk: Uint8Array, from: number): number {
    const request = this.current!;
    if (request.command !== COMMAND.write || request.length === 0) {
      this.finish(null);
      return from;
    }
    if (chunk.length - from >= request.length && this.sink.keepChunk(request)) {
      const end = from + request.length;
      this.finish(chunk.subarray(from, end));
      return end;
    }
    this.place = this.sink.placeFor(request);
    this.payloadBytes = 0;
    return this.readPayload(chunk, from);
  }

  private readPayload(chunk: Uint8Array, from: number): number {
    const count = Math.min(this.current!.length - this.payloadBytes, chunk.length - from);
    this.place?.set(chunk.subarray(from, from + count), this.payloadBytes);
    this.payloadBytes += count;
    this.endPayload();
    return from + count;
  }

  private endPayload(): void {
    if (this.payloadBytes === this.current!.length) this.finish(this.place);
  }

  private finish(payload: Uint8Array | null): void {
    const request = this.current!;
    this.current = null;
    this.place = null;
    this.isAdmitted = false;
    this.sink.request(request, payload);
  }
}

function decodeRequest(bytes: Uint8Array, at: number): NbdRequest {
  if (uint32At(bytes, at) !== REQUEST_MAGIC) {
    throw new ProtocolError('a request begins with 0x25609513');
  }
  const offsetHigh = uint32At(bytes, at + 16);
  return {
    flags: uint16At(bytes, at + 4),
    command: uint16At(bytes, at + 6),
    cookieHigh: uint32At(bytes, at + 8),
    cookieLow: uint32At(bytes, at + 12),
    offset:
      offsetHigh >= 2 ** 21
        ? Number.POSITIVE_INFINITY
        : offsetHigh * 2 ** 32 + uint32At(bytes, at + 20),
    length: uint32At(bytes, at + 24),
    refusal: null,
    heldBytes: 0,
  };
}

function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | uint16At(bytes, at + 2)) >>> 0;
}

function uint16At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
