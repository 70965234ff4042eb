/**
 * What a connection sends in one turn of the event loop, as few buffers: replies without data and
 * headers are put together in one, payloads go from where they are. A write to a socket costs as
 * much as several replies, so a turn makes one.
 *
 *   add() … add() ──take()──▶ chunks ──▶ the socket ──▶ done(): every `sent`, blocks used again
 *
 * 1. Bytes leave in the order they were added.
 * 2. Every `sent` is called once, when all of the batch has left, or never will.
 * 3. A block is written again only after done() of the batch it was sent with.
 *
 * **Thread:** main.
 */
import { KIB } from '../../base/units.ts';

/** Longer ones are not copied: a chunk of its own costs less. */
const COPY_BYTES_MAX = 512;
const BLOCK_BYTES = 16 * KIB;
const FREE_BLOCKS_MAX = 2;

/** Chunks to be written in order; done() is owed once. */
export interface SealedBatch {
  readonly chunks: readonly Uint8Array[];
  readonly done: () => void;
}

export class SendBatch {
  private readonly free: Buffer[] = [];
  private block: Buffer | null = null;
  /** The part of the block that is not among the chunks yet. */
  private blockFrom = 0;
  private blockTo = 0;
  private chunks: Uint8Array[] = [];
  private used: Buffer[] = [];
  private sent: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.chunks.length === 0 && this.blockFrom === this.blockTo;
  }

  /** @param bytes borrowed until `sent` is called */
  add(bytes: Uint8Array, sent: (() => void) | null): void {
    if (bytes.length > COPY_BYTES_MAX) {
      this.sealBlock();
      this.chunks.push(bytes);
    } else {
      if (this.block === null || this.blockTo + bytes.length > BLOCK_BYTES) this.nextBlock();
      this.block!.set(bytes, this.blockTo);
      this.blockTo += bytes.length;
    }
    if (sent !== null) this.sent.push(sent);
  }

  /** All that was added, which is the caller's to send now. */
  take(): SealedBatch {
    this.sealBlock();
    if (this.block !== null) this.used.push(this.block);
    const { chunks, used, sent } = this;
    this.block = null;
    this.chunks = [];
    this.used = [];
    this.sent = [];
    const done = (): void => {
      for (const block of used) if (this.free.length < FREE_BLOCKS_MAX) this.free.push(block);
      for (const each of sent) each();
    };
    return { chunks, done };
  }

  private sealBlock(): void {
    if (this.blockFrom === this.blockTo) return;
    this.chunks.push(this.block!.subarray(this.blockFrom, this.blockTo));
    this.blockFrom = this.blockTo;
  }

  private nextBlock(): void {
    this.sealBlock();
    if (this.block !== null) this.used.push(this.block);
    this.block = this.free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.blockFrom = 0;
    this.blockTo = 0;
  }
}
