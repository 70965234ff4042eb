/**
 * Requests of one connection, from when they are whole to when their replies are sent. No sockets:
 * what is sent goes to a sink.
 *
 *   header ─▶ admitted (counted) ─▶ judged ─▶ the disk ─▶ reply sent ─▶ no longer counted
 *
 * 1. Every request is answered once, except DISC, which ends the connection when all others are
 *    answered ("NBD_CMD_DISC").
 * 2. Requests of a disk take effect in the order they are made here, whatever connection they come
 *    from. A flush covers every write answered before on any connection of the disk: that is what
 *    CAN_MULTI_CONN promises, and a disk's own flush() keeps it.
 * 3. With FUA a change is answered when it is on stable storage.
 * 4. Requests in flight, and their bytes, are bounded for each connection and for all together: one
 *    that is not admitted is not read further from the socket.
 *
 * proto.md, "Transmission phase", "Request types".
 *
 * **Thread:** main.
 */
import { unreachable } from '../../base/invariant.ts';
import {
  NBD_CONNECTION_BYTES_MAX,
  NBD_CONNECTION_REQUESTS_MAX,
  NBD_DRAINED_BYTES_MAX,
  NBD_RESERVED_BYTES,
} from '../../limits.ts';
import { readStatus } from './block-status.ts';
import type { BufferPool } from './buffer-pool.ts';
import { refusalOf } from './error-numbers.ts';
import { ProtocolError } from './handshake-reader.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { type Agreement, contextId } from './negotiation.ts';
import { COMMAND, COMMAND_FLAG } from './protocol.ts';
import type { Hold } from './receive-blocks.ts';
import { DATA_HEADER_BYTES_MAX, encodeError, encodeSimple, encodeStatus } from './replies.ts';
import type { ReplySink } from './reply-sink.ts';
import type { NbdRequest, Refusal } from './request.ts';
import type { RequestSink } from './request-reader.ts';
import { type ExportFacts, judge } from './request-rules.ts';
import { sendData } from './send-data.ts';
import { writeStoredZeroes } from './stored-zeroes.ts';

export class Transmission implements RequestSink {
  private readonly agreement: Agreement;
  private readonly pool: BufferPool;
  private readonly budget: MemoryBudget;
  private readonly sink: ReplySink;
  private requests = 0;
  private bytes = 0;
  private isFull = false;
  private isEnded = false;
  /** Holds the payload that is being read. */
  private place: Hold | null = null;
  private drained: (() => void)[] = [];

  constructor(agreement: Agreement, pool: BufferPool, budget: MemoryBudget, sink: ReplySink) {
    this.agreement = agreement;
    this.pool = pool;
    this.budget = budget;
    this.sink = sink;
  }

  /** @throws ProtocolError a payload too long even to be thrown away */
  admit(request: NbdRequest): boolean {
    if (request.command === COMMAND.write && request.length > NBD_DRAINED_BYTES_MAX) {
      throw new ProtocolError(`a payload of ${request.length} bytes`);
    }
    if (this.isEnded) return false;
    const refusal = judge(request, this.facts);
    const isMoving = request.command === COMMAND.read || request.command === COMMAND.write;
    const bytes = isMoving && refusal === null ? request.length : 0;
    const isOver =
      this.requests > 0 &&
      (this.requests >= NBD_CONNECTION_REQUESTS_MAX ||
        this.bytes + bytes > NBD_CONNECTION_BYTES_MAX);
    // One small request of each connection is let in past the budget of all: clients that hold all
    // of it and take little must not keep others from being served.
    const heldBytes = this.requests === 0 && bytes <= NBD_RESERVED_BYTES ? 0 : bytes;
    if (isOver || !this.budget.take(heldBytes, () => this.sink.resume())) {
      this.isFull = isOver;
      return false;
    }
    request.refusal = refusal;
    request.heldBytes = heldBytes;
    this.requests++;
    this.bytes += heldBytes;
    return true;
  }

  keepChunk(request: NbdRequest): boolean {
    if (request.refusal !== null) return false;
    this.place = this.sink.holdChunk();
    return this.place !== null;
  }

  placeFor(request: NbdRequest): Uint8Array | null {
    if (request.refusal !== null) return null;
    const place = this.pool.take(request.length);
    this.place = place;
    return place.view(0, request.length);
  }

  request(request: NbdRequest, payload: Uint8Array | null): void {
    const { place } = this;
    this.place = null;
    if (request.command === COMMAND.disconnect) {
      this.isEnded = true;
      this.end(request);
      this.sink.disconnect();
      return;
    }
    if (request.refusal !== null) {
      this.refuse(request, request.refusal);
      return;
    }
    if (request.command === COMMAND.read) this.read(request);
    else if (request.command === COMMAND.blockStatus) this.status(request);
    else this.run(request, this.change(request, payload), place);
  }

  /** No more requests: one whose payload has not come whole is forgotten. */
  abandon(unfinished: NbdRequest | null): void {
    this.isEnded = true;
    if (unfinished !== null) this.end(unfinished);
  }

  /** The socket is closed: nothing is received into the place of a payload any more. */
  releasePlace(): void {
    this.place?.release();
    this.place = null;
  }

  /** Resolves when every request is answered. */
  async drain(): Promise<void> {
    while (this.requests > 0) {
      await new Promise<void>((resolve) => this.drained.push(resolve));
    }
  }

  private get facts(): ExportFacts {
    const { use, isStructured, contexts } = this.agreement;
    return {
      size: use.disk.size,
      isReadOnly: use.export.isReadOnly,
      isStructured,
      hasContexts: contexts.length > 0,
      canResize: use.export.resize !== undefined,
    };
  }

  private change(request: NbdRequest, payload: Uint8Array | null): Promise<unknown> {
    const { disk } = this.agreement.use;
    const { offset, length, flags } = request;
    const isFua = (flags & COMMAND_FLAG.fua) !== 0;
    const command = request.command as 1 | 3 | 4 | 5 | 6 | 8;
    switch (command) {
      case COMMAND.write:
        return payload === null
          ? flushIf(isFua, disk)
          : disk.write(offset, payload, isFua ? { fua: true } : undefined);
      case COMMAND.flush:
        return disk.flush();
      case COMMAND.trim:
        return disk.trim(offset, length).then(() => flushIf(isFua, disk));
      case COMMAND.cache:
        return Promise.resolve();
      case COMMAND.writeZeroes: {
        const isStored = (flags & COMMAND_FLAG.noHole) !== 0;
        const zeroed = isStored
          ? writeStoredZeroes(disk, offset, length)
          : disk.writeZeroes(offset, length);
        return zeroed.then(() => flushIf(isFua, disk));
      }
      case COMMAND.resize:
        return this.agreement.use.export.resize!(offset);
      default:
        return unreachable(command);
    }
  }

  /** Answers a request that has no bytes to return, when it is done. */
  private run(request: NbdRequest, done: Promise<unknown>, place: Hold | null): void {
    done.then(
      () => {
        place?.release();
        this.sink.send(encodeSimple(request, 0), () => this.end(request));
      },
      (error: unknown) => {
        place?.release();
        this.fail(request, error);
      },
    );
  }

  private read(request: NbdRequest): void {
    const { disk } = this.agreement.use;
    const { offset, length } = request;
    const buffer = this.pool.take(DATA_HEADER_BYTES_MAX + length);
    const into = buffer.view(DATA_HEADER_BYTES_MAX, DATA_HEADER_BYTES_MAX + length);
    disk.read(offset, into).then(
      () => {
        sendData(request, buffer, this.agreement.isStructured, this.sink, () => {
          buffer.release();
          this.end(request);
        });
      },
      (error: unknown) => {
        buffer.release();
        this.fail(request, error);
      },
    );
  }

  private status(request: NbdRequest): void {
    const { use, contexts } = this.agreement;
    readStatus(use.disk, request, contexts).then(
      (statuses) => {
        for (const [index, { name, extents }] of statuses.entries()) {
          const isLast = index === statuses.length - 1;
          const chunk = encodeStatus(request, contextId(name), extents, isLast);
          this.sink.send(chunk, isLast ? () => this.end(request) : null);
        }
      },
      (error: unknown) => this.fail(request, error),
    );
  }

  private fail(request: NbdRequest, error: unknown): void {
    try {
      this.refuse(request, refusalOf(error));
    } catch (bug) {
      this.end(request);
      this.sink.crash(bug);
    }
  }

  private refuse(request: NbdRequest, refusal: Refusal): void {
    const answer = this.agreement.isStructured
      ? encodeError(request, refusal)
      : encodeSimple(request, refusal.errno);
    this.sink.send(answer, () => this.end(request));
  }

  /** A request is over: its reply is sent, or will not be. */
  private end(request: NbdRequest): void {
    this.requests--;
    this.bytes -= request.heldBytes;
    this.budget.give(request.heldBytes);
    if (this.isFull) {
      this.isFull = false;
      this.sink.resume();
    }
    if (this.requests > 0) return;
    for (const resolve of this.drained.splice(0)) resolve();
  }
}

function flushIf(isFua: boolean, disk: { flush(): Promise<void> }): Promise<void> {
  return isFua ? disk.flush() : Promise.resolve();
}
