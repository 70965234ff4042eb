/**
 * Requests of all disks of one shard, on their way through its ring.
 *
 *   enqueue ─▶ waiting (bounded) ─▶ pieces in the ring ─▶ settle, in order ─▶ request.settled()
 *
 * A request longer than PIECE_BYTES_MAX goes as several pieces, cut on sector edges, so that main
 * copies the next piece while the shard encrypts the last one.
 *
 * 1. Pieces enter the ring in the order of enqueue(), the pieces of one request without any other
 *    in between. So a shard sees the requests of a disk in the order of its callers.
 * 2. What is published at the end of a tick is one batch: one store, and one wake-up if the shard
 *    sleeps.
 * 3. A piece of whole sectors whose bytes lie in a registered buffer goes without being copied and
 *    without a range in the staging area.
 * 4. A request is settled exactly once, after its last piece, with the first error of any piece.
 * 5. When the shard is lost, what it has completed is settled so; everything else, in the ring or
 *    waiting for a place in it, fails with ShardLost and is not repeated: a write may have taken
 *    effect, in whole or in part, and only its caller knows whether it may take effect later than
 *    what he asked for since. All reads and writes may be repeated by him.
 * 6. Bytes that their owner detaches or shrinks while they are borrowed fail his request, with
 *    InvalidArgument, and nobody else's.
 *
 * **Thread:** main.
 */
import { BoundedQueue } from '../base/bounded-queue.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { PIECE_BYTES_MAX, QUEUE_REQUESTS_MAX, RING_SLOTS, STAGING_BYTES } from '../limits.ts';
import {
  OPERATION,
  type Operation,
  type ShardChannel,
  STAGING_BUFFER,
} from '../record/shard-channel.ts';
import { IoCounters } from './io-counters.ts';
import type { BufferUse, RegisteredBuffers } from './registered-buffers.ts';
import type { RequestTimes } from './request-times.ts';
import { StagingSpace } from './staging.ts';

/** Of a piece that has no range in the staging area. */
const NO_SPACE = -1;

/** One caller's request, and how far it is. */
export interface IoRequest {
  readonly operation: Operation;
  readonly handle: number;
  readonly flags: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Write: the caller's bytes. Read: the caller's target. Borrowed until settled. Else null. */
  readonly bytes: Uint8Array | null;
  /** Set by enqueue(): the registered buffer its bytes lie in, if they do. */
  registered: BufferUse | null;
  placedBytes: number;
  piecesInRing: number;
  error: PlaneError | null;
  /** null: its time is not taken. Otherwise flags have FLAG_TIMED. */
  readonly times: RequestTimes | null;
  /** Called once; error is also in the request. */
  readonly settled: (request: IoRequest) => void;
}

export class ShardDispatch {
  /** Requests settled. */
  readonly counters: IoCounters = new IoCounters();
  private channel: ShardChannel;
  private readonly buffers: RegisteredBuffers;
  private readonly waiting = new BoundedQueue<IoRequest>(QUEUE_REQUESTS_MAX);
  private space = new StagingSpace(STAGING_BYTES);
  /** By ring slot: whose piece it is, where in the request it starts, what settling it frees. */
  private readonly owners: (IoRequest | null)[] = new Array(RING_SLOTS).fill(null);
  private readonly pieceStarts = new Float64Array(RING_SLOTS);
  private readonly spaceEnds = new Float64Array(RING_SLOTS);
  /** Counters modulo 2^32, as in the channel. */
  private filled = 0;
  private published = 0;
  private settledCount = 0;
  private movingBytes = 0;
  private isPublishDue = false;
  private lost: PlaneError | null = null;
  private readonly onPublish: () => void;

  /** Called with the first refusal of a store that takes no more writes. */
  onStoreFailed: (error: PlaneError) => void = () => {};

  /** @param onPublish called when there is something in flight to wait for */
  constructor(channel: ShardChannel, buffers: RegisteredBuffers, onPublish: () => void) {
    this.channel = channel;
    this.buffers = buffers;
    this.onPublish = onPublish;
  }

  /** Completions seen so far: what to wait beyond. */
  get settledPosition(): number {
    return this.settledCount;
  }

  /** Whether settle() would settle something. */
  get hasCompleted(): boolean {
    return this.channel.completed !== this.settledCount;
  }

  /** Pieces in the ring that are not settled. */
  get inFlight(): number {
    return (this.filled - this.settledCount) >>> 0;
  }

  /** Bytes the pieces in the ring move. */
  get bytesInFlight(): number {
    return this.movingBytes;
  }

  /** @throws PlaneError Busy: the queue is full; ShardLost */
  enqueue(request: IoRequest): void {
    if (this.lost !== null) throw this.lost;
    if (this.waiting.isFull) {
      throw new PlaneError('Busy', `${QUEUE_REQUESTS_MAX} requests are waiting for one shard`);
    }
    if (request.bytes !== null) request.registered = this.buffers.enter(request.bytes);
    if (this.waiting.length > 0 || !this.place(request)) this.waiting.push(request);
    this.publishSoon();
  }

  /** Settles everything the shard has completed. @returns false if that was nothing */
  settle(): boolean {
    const completed = this.channel.completed;
    if (completed === this.settledCount || this.lost !== null) return false;
    while (this.settledCount !== completed) {
      const position = this.settledCount;
      this.settledCount = (position + 1) >>> 0;
      this.settlePiece(position);
    }
    this.placeWaiting();
    return true;
  }

  /** The shard is another, its ring empty. */
  restart(channel: ShardChannel): void {
    invariant(this.lost !== null, 'a shard is replaced when it is lost');
    this.channel = channel;
    this.space = new StagingSpace(STAGING_BYTES);
    this.filled = 0;
    this.published = 0;
    this.settledCount = 0;
    this.movingBytes = 0;
    this.lost = null;
  }

  /** The shard ended: everything in flight and waiting fails, and all until restart(). */
  fail(error: PlaneError): void {
    if (this.lost !== null) return;
    this.settle();
    this.lost = error;
    while (this.settledCount !== this.filled) {
      const slot = this.settledCount & (RING_SLOTS - 1);
      const owner = this.owners[slot];
      this.owners[slot] = null;
      this.settledCount = (this.settledCount + 1) >>> 0;
      if (owner) this.finishPiece(owner, error);
    }
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      next.error ??= error;
      this.settleRequest(next);
    }
    this.channel.wakeMain();
  }

  private placeWaiting(): void {
    for (let next = this.waiting.peek(); next !== undefined; next = this.waiting.peek()) {
      if (!this.place(next)) break;
      this.waiting.shift();
    }
    if (this.filled !== this.published) this.publishSoon();
  }

  /** Puts as many pieces as fit into the ring. @returns true if that was all of them */
  private place(request: IoRequest): boolean {
    if (isTakenAway(request)) {
      this.abandon(request);
      return true;
    }
    while (request.placedBytes < request.lengthBytes || request.lengthBytes === 0) {
      if ((this.filled - this.settledCount) >>> 0 === RING_SLOTS) return false;
      const start = request.placedBytes;
      const offset = request.offsetBytes + start;
      const length = pieceBytes(request, offset);
      const isWholeSectors = offset % SECTOR_BYTES === 0 && length % SECTOR_BYTES === 0;
      const isInPlace = request.registered !== null && isWholeSectors;
      const buffer = isInPlace ? request.registered!.number : STAGING_BUFFER;
      let at = 0;
      if (isInPlace) at = request.bytes!.byteOffset + start;
      else if (request.bytes !== null) at = this.stage(request, start, offset, length);
      if (at < 0) return false;
      const { operation, handle, flags } = request;
      const position = this.filled;
      this.channel.fillSlot(position, operation, handle, buffer, at, flags, offset, length);
      const slot = position & (RING_SLOTS - 1);
      invariant(this.owners[slot] === null, 'a slot is refilled after it was settled');
      this.owners[slot] = request;
      this.pieceStarts[slot] = start;
      this.spaceEnds[slot] = request.bytes === null || isInPlace ? NO_SPACE : this.space.end;
      this.filled = (position + 1) >>> 0;
      if (request.bytes !== null) this.movingBytes += length;
      request.placedBytes = start + length;
      request.piecesInRing++;
      if (request.lengthBytes === 0) break;
    }
    return true;
  }

  /** What is not in the ring yet does not go there; settled now, or with its last piece. */
  private abandon(request: IoRequest): void {
    request.error ??= takenAway(request);
    request.placedBytes = request.lengthBytes;
    if (request.piecesInRing === 0) this.settleRequest(request);
  }

  /** Takes staging space for a piece, and copies what it writes. @returns -1: no space now */
  private stage(request: IoRequest, start: number, offset: number, length: number): number {
    const inSector = offset % SECTOR_BYTES;
    const covered = Math.ceil((inSector + length) / SECTOR_BYTES) * SECTOR_BYTES;
    const at = this.space.take(covered);
    if (at >= 0 && request.operation === OPERATION.write) {
      const bytes = request.bytes as Uint8Array;
      const isWhole = length === bytes.byteLength;
      const source = isWhole ? bytes : bytes.subarray(start, start + length);
      this.channel.staging.set(source, at + inSector);
    }
    return at;
  }

  private settlePiece(position: number): void {
    const slot = position & (RING_SLOTS - 1);
    const request = this.owners[slot];
    invariant(request != null, 'a completed slot has an owner');
    this.owners[slot] = null;
    if (request.bytes !== null) this.movingBytes -= this.channel.lengthBytes(position);
    let error: PlaneError | null = null;
    const spaceEnd = this.spaceEnds[slot] as number;
    if (this.channel.status(position) !== 0) {
      error = new PlaneError(
        this.channel.failureCode(position),
        this.channel.failureText(position),
      );
      if (error.code === 'StoreFailed') this.onStoreFailed(error);
    } else {
      request.times?.take(this.channel, position);
      if (request.operation === OPERATION.read && spaceEnd !== NO_SPACE) {
        if (isTakenAway(request)) error = takenAway(request);
        else this.copyOut(request, position, slot);
      }
    }
    if (spaceEnd !== NO_SPACE) this.space.freeUpTo(spaceEnd);
    this.finishPiece(request, error);
  }

  private copyOut(request: IoRequest, position: number, slot: number): void {
    const at = this.channel.bufferOffset(position);
    const inSector = this.channel.offsetBytes(position) % SECTOR_BYTES;
    const length = this.channel.lengthBytes(position);
    const source = this.channel.staging.subarray(at + inSector, at + inSector + length);
    request.bytes?.set(source, this.pieceStarts[slot]);
  }

  private finishPiece(request: IoRequest, error: PlaneError | null): void {
    request.piecesInRing--;
    request.error ??= error;
    const isPlaced = request.placedBytes === request.lengthBytes;
    if (isPlaced && request.piecesInRing === 0) this.settleRequest(request);
  }

  private settleRequest(request: IoRequest): void {
    if (request.registered !== null) this.buffers.leave(request.registered);
    request.times?.settle();
    request.settled(request);
  }

  /** Publishes when the callers of this tick have had their say. */
  private publishSoon(): void {
    if (this.isPublishDue) return;
    this.isPublishDue = true;
    queueMicrotask(() => {
      this.isPublishDue = false;
      if (this.published === this.filled || this.lost !== null) return;
      this.published = this.filled;
      this.channel.publishSubmitted(this.filled);
      this.onPublish();
    });
  }
}

/** An array whose buffer was detached has no bytes. */
function isTakenAway({ bytes, lengthBytes }: IoRequest): boolean {
  return bytes !== null && bytes.byteLength < lengthBytes;
}

function takenAway({ operation, lengthBytes }: IoRequest): PlaneError {
  const verb = operation === OPERATION.read ? 'read' : 'write';
  const what = `the buffer of a ${verb} of ${lengthBytes} bytes was detached or made smaller`;
  return new PlaneError('InvalidArgument', `${what} before the ${verb} had settled`);
}

/** Bytes of the piece that starts at offset: to the end, or to a sector edge. */
function pieceBytes(request: IoRequest, offset: number): number {
  const rest = request.lengthBytes - request.placedBytes;
  if (request.bytes === null) return rest;
  return Math.min(rest, PIECE_BYTES_MAX - (offset % SECTOR_BYTES));
}
