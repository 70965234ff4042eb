/**
 * One client's connection: its socket, and which of the two parsers its bytes go to.
 *
 *   haggling ──GO──▶ transmitting ──DISC, end of input──▶ draining ──all answered──▶ closed
 *      │  └─STARTTLS─▶ haggling                              ▲
 *      └──ABORT, deadline, nonsense──▶ closed         stop() ┘
 *
 * 1. What was received and not taken yet is at most one chunk: then the socket is paused. Bytes
 *    wait with the client, not here.
 * 2. Options are answered one after the other; nothing is read while one is answered.
 * 3. Deadlines (NBD_HANDSHAKE_MS, NBD_STALL_MS) end a client that does not agree in time, leaves a
 *    request half sent, or does not take its replies. Being idle is not against them.
 * 4. Replies of one turn of the event loop leave together.
 *
 * **Thread:** main.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { PlaneError } from '../../base/errors.ts';
import { KIB } from '../../base/units.ts';
import { NBD_HANDSHAKE_MS, NBD_OPTIONS_MAX, NBD_STALL_MS, NBD_STOP_MS } from '../../limits.ts';
import type { BufferPool } from './buffer-pool.ts';
import { type ClientOption, HandshakeReader, ProtocolError } from './handshake-reader.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { type Agreement, Negotiation, type NegotiationOptions } from './negotiation.ts';
import { HANDSHAKE_FLAG, SERVER_MAGIC } from './protocol.ts';
import { type Hold, ReceiveBlocks } from './receive-blocks.ts';
import { type Receiver, receiveInPlace } from './receive-in-place.ts';
import type { ReplySink } from './reply-sink.ts';
import { RequestReader } from './request-reader.ts';
import { SendBatch } from './send-batch.ts';
import { Transmission } from './transmission.ts';

export interface ConnectionOptions {
  readonly negotiation: NegotiationOptions;
  readonly pool: BufferPool;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  /** Wraps a socket in TLS; resolves when the handshake is done. null: there is no TLS. */
  readonly startTls: ((socket: Socket) => Promise<Socket>) | null;
  /** A bug came up: not the client's fault, and not to be hidden. */
  readonly onBug: (error: unknown) => void;
}

/** A payload's rest that is shorter is received together with what follows it. */
const IN_PLACE_BYTES_MIN = 32 * KIB;
/** Memory nobody writes to again. */
const NO_HOLD: Hold = { release: () => {} };

export class Connection implements ReplySink, Receiver {
  /** Resolves when the socket is closed and the export given back. */
  readonly closed: Promise<void>;
  private socket: Socket;
  private readonly options: ConnectionOptions;
  private readonly negotiation: Negotiation;
  private handshake = new HandshakeReader();
  private optionCount = 0;
  private transmission: Transmission | null = null;
  private reader: RequestReader | null = null;
  private agreement: Agreement | null = null;
  /** Received and not taken: the socket is paused meanwhile. */
  private rest: Uint8Array | null = null;
  /** What the socket is read into, unless that is the place of a payload now. */
  private readonly blocks: ReceiveBlocks;
  private isInPlace = false;
  /** The chunk that is being taken lies in a block: it stays if it is held. */
  private isInBlock = false;
  private isAnswering = false;
  /** Settles when the option in hand is answered; never rejects. */
  private answered: Promise<void> = Promise.resolve();
  private isEnding = false;
  private readonly startedAt: number;
  private partialSince: number | null = null;
  private unsent = 0;
  private sentAt = 0;
  private readonly batch = new SendBatch();
  private resolveClosed!: () => void;

  /** @param accepted paused (net.createServer, pauseOnConnect) */
  constructor(accepted: Socket, options: ConnectionOptions) {
    this.blocks = new ReceiveBlocks(options.pool);
    // Under TLS bytes come decrypted, in buffers of the TLS layer.
    const inPlace = options.startTls === null ? receiveInPlace(accepted, this) : null;
    const socket = inPlace ?? accepted;
    this.socket = socket;
    this.options = options;
    this.startedAt = options.clock.monotonic();
    this.negotiation = new Negotiation(options.negotiation);
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
    this.listen(socket);
    socket.setNoDelay(true);
    socket.resume();
    const hello = Buffer.alloc(SERVER_MAGIC.length + 2);
    hello.set(SERVER_MAGIC, 0);
    hello.writeUInt16BE(
      HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes,
      SERVER_MAGIC.length,
    );
    this.send(hello, null);
  }

  /** Ends a connection whose deadline has passed. */
  expire(): void {
    const now = this.options.clock.monotonic();
    const isLate = this.transmission === null && now - this.startedAt > NBD_HANDSHAKE_MS;
    const isHalf = this.partialSince !== null && now - this.partialSince > NBD_STALL_MS;
    const isStuck = this.unsent > 0 && now - this.sentAt > NBD_STALL_MS;
    if (isLate || isHalf || isStuck) this.drop();
  }

  /** Takes no more requests, answers those there are, closes. */
  async stop(): Promise<void> {
    if (this.transmission === null) {
      this.drop();
    } else {
      const cut = setTimeout(() => this.drop(), NBD_STOP_MS);
      this.disconnect();
      await this.closed;
      clearTimeout(cut);
    }
    await this.closed;
  }

  send(bytes: Uint8Array, sent: (() => void) | null): void {
    const { socket } = this;
    if (!socket.writable) {
      if (sent !== null) queueMicrotask(sent);
      return;
    }
    if (this.batch.isEmpty) process.nextTick(this.flush);
    this.batch.add(bytes, sent);
  }

  /** Writes what this turn has to say. */
  private readonly flush = (): void => {
    if (this.batch.isEmpty) return;
    const { socket } = this;
    const { chunks, done } = this.batch.take();
    if (this.unsent++ === 0) this.sentAt = this.options.clock.monotonic();
    const last = chunks.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(chunks[i]!);
    socket.write(chunks[last]!, () => {
      this.unsent--;
      this.sentAt = this.unsent === 0 ? 0 : this.options.clock.monotonic();
      done();
    });
    if (last > 0) socket.uncork();
  };

  disconnect(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.rest = null;
    this.socket.pause();
    this.abandonUnfinished();
    void this.transmission?.drain().then(() => {
      this.socket.end(() => this.socket.destroy());
    });
  }

  resume(): void {
    if (this.rest !== null) this.pump();
  }

  crash(error: unknown): void {
    this.options.onBug(error);
    this.drop();
  }

  nextBuffer(): Uint8Array {
    const missing = this.rest === null ? (this.reader?.missing ?? null) : null;
    this.isInPlace = missing !== null && missing.length >= IN_PLACE_BYTES_MIN;
    return this.isInPlace ? missing! : this.blocks.nextTarget();
  }

  received(byteCount: number): void {
    if (this.isEnding) return;
    if (this.isInPlace) {
      this.reader!.received(byteCount);
      this.notePartial();
    } else {
      this.take(this.blocks.received(byteCount), true);
    }
  }

  holdChunk(): Hold | null {
    return this.isInBlock ? this.blocks.hold() : NO_HOLD;
  }

  /** @param isBorrowed the chunk's memory is used again when this returns, where it is not held */
  private take(chunk: Buffer, isBorrowed: boolean): void {
    if (this.isEnding) return;
    this.isInBlock = isBorrowed && this.rest === null;
    this.rest = this.rest === null ? chunk : Buffer.concat([this.rest, chunk]);
    this.pump();
    this.isInBlock = false;
    if (isBorrowed && this.rest !== null) this.rest = Buffer.from(this.rest);
  }

  private listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.take(chunk, false));
    socket.on('end', () => this.endOfInput());
    // What becomes of a connection is told by 'close'; the error itself is the client's affair.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (socket === this.socket) void this.afterClose();
    });
  }

  /** The client has said its last word: what it asked for whole is still answered. */
  private endOfInput(): void {
    const isWhole = this.reader?.isBetweenRequests === true && this.rest === null;
    if (isWhole) this.disconnect();
    else if (!this.isEnding) this.drop();
  }

  /** A WRITE whose payload did not come whole is not done, and not waited for. */
  private abandonUnfinished(): void {
    const { reader } = this;
    this.reader = null;
    if (reader !== null) this.transmission?.abandon(reader.unfinished);
  }

  private drop(): void {
    this.isEnding = true;
    this.rest = null;
    this.socket.destroy();
  }

  private async afterClose(): Promise<void> {
    this.isEnding = true;
    this.rest = null;
    try {
      this.abandonUnfinished();
      this.transmission?.releasePlace();
      // An export that is being opened is given up when it is open.
      await this.answered;
      await this.transmission?.drain();
      this.blocks.close();
      await this.negotiation.close();
      await this.agreement?.use.leave();
    } catch (error) {
      // A shard that was lost cannot detach; whoever asks the plane is told.
      if (!(error instanceof PlaneError)) this.options.onBug(error);
    }
    this.resolveClosed();
  }

  /** Gives what was received to the parser whose turn it is, as far as it goes. */
  private pump(): void {
    try {
      while (this.rest !== null && !this.isAnswering && !this.isEnding) {
        const { rest, reader } = this;
        const at = reader === null ? this.haggle(rest) : reader.feed(rest, 0);
        if (this.isEnding) return;
        const isWaiting = reader?.isWaiting === true;
        this.rest = at < rest.length || isWaiting ? rest.subarray(at) : null;
        if (isWaiting) break;
      }
    } catch (error) {
      if (error instanceof ProtocolError) this.drop();
      else this.crash(error);
      return;
    }
    this.notePartial();
    if (this.rest === null && !this.isAnswering) this.socket.resume();
    else this.socket.pause();
  }

  private notePartial(): void {
    const isWhole = this.reader === null || this.reader.isBetweenRequests;
    if (isWhole || this.reader?.isWaiting === true) this.partialSince = null;
    else this.partialSince ??= this.options.clock.monotonic();
  }

  /** @returns how much was taken */
  private haggle(chunk: Uint8Array): number {
    const at = this.handshake.feed(chunk, 0);
    const { option, clientFlags } = this.handshake;
    if (option !== null) {
      this.handshake.option = null;
      this.isAnswering = true;
      this.answered = this.answer(option);
    } else if (clientFlags !== null && !this.negotiation.takeClientFlags(clientFlags)) {
      this.drop();
    }
    return at;
  }

  private async answer(option: ClientOption): Promise<void> {
    try {
      if (++this.optionCount > NBD_OPTIONS_MAX) {
        this.drop();
        return;
      }
      const next = await this.negotiation.answer(option);
      if (this.isEnding) {
        if (next.step === 'transmit') await next.agreement.use.leave();
        await this.negotiation.close();
        return;
      }
      for (const reply of this.negotiation.replies.splice(0)) this.send(reply, null);
      if (next.step === 'end') {
        this.isEnding = true;
        this.flush();
        this.socket.end(() => this.socket.destroy());
        return;
      }
      if (next.step === 'transmit') this.transmit(next.agreement);
      if (next.step === 'startTls') await this.secure();
      this.isAnswering = false;
      this.pump();
    } catch (error) {
      this.crash(error);
    }
  }

  private transmit(agreement: Agreement): void {
    const { pool, budget } = this.options;
    this.agreement = agreement;
    this.transmission = new Transmission(agreement, pool, budget, this);
    this.reader = new RequestReader(this.transmission);
  }

  /** Goes on under TLS. What the client sent in the clear after STARTTLS is an attack. */
  private async secure(): Promise<void> {
    const { startTls } = this.options;
    if (this.rest !== null || startTls === null) {
      this.drop();
      return;
    }
    this.flush();
    const plain = this.socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('end');
    try {
      const secured = await startTls(plain);
      this.socket = secured;
      this.handshake = new HandshakeReader();
      this.handshake.clientFlags = 0;
      await this.negotiation.restartUnderTls();
      this.listen(secured);
    } catch {
      // No handshake, no connection: 'close' of the socket follows.
      this.drop();
    }
  }
}
