/**
 * Memory one connection's socket is read into. Payloads that came whole are left where they are
 * until they are stored: the block they lie in is held.
 *
 *   block │ payloads, held │ the chunk received last │ free: the next target │
 *
 * 1. A block that is held is filled on; when little is left of it another takes its place, and it
 *    goes back to the pool with the last hold. One that is not held is filled from its beginning.
 * 2. Blocks are of the pool's memory, which the shards see, or of this connection's own: slower,
 *    and as right. One of its own gives way when the pool has another.
 * 3. A connection holds NBD_RECEIVE_BLOCKS_MAX - 1 blocks at the most, however few bytes of each
 *    are in use: hold() gives null beyond, and there is always a block to read into.
 *
 * **Thread:** main.
 */
import { invariant } from '../../base/invariant.ts';
import { NBD_RECEIVE_BLOCKS_MAX, NBD_RECEIVE_BYTES, NBD_RECEIVE_BYTES_MIN } from '../../limits.ts';
import type { BufferPool, PooledBuffer } from './buffer-pool.ts';

/** Memory somebody uses, until he says that he does no more, once. */
export interface Hold {
  release(): void;
}

export class ReceiveBlocks {
  private readonly pool: BufferPool;
  private block: Block;
  /** Where in the block the next chunk begins. */
  private at = 0;
  private target: Buffer | null = null;
  private isClosed = false;
  /** Blocks that are held, and were left for another. */
  private leftBlocks = 0;

  constructor(pool: BufferPool) {
    this.pool = pool;
    this.block = this.ownBlock();
  }

  /** Where the next bytes are to go. Valid until the next call. */
  nextTarget(): Uint8Array {
    const { block } = this;
    if (block.holds === 0) {
      this.begin(block.isOwn ? (this.poolBlock() ?? block) : block);
    } else if (NBD_RECEIVE_BYTES - this.at < NBD_RECEIVE_BYTES_MIN) {
      this.leftBlocks++;
      this.begin(this.poolBlock() ?? this.ownBlock());
    }
    this.target ??= this.block.bytes.subarray(this.at, NBD_RECEIVE_BYTES);
    return this.target;
  }

  /** So many bytes were put at the beginning of the target. @returns them */
  received(byteCount: number): Buffer {
    const chunk = this.block.bytes.subarray(this.at, this.at + byteCount);
    this.at += byteCount;
    this.target = null;
    return chunk;
  }

  /** Keeps the chunk received last. null: too much is held, what is needed has to be copied. */
  hold(): Hold | null {
    const { block } = this;
    if (block.holds === 0 && this.leftBlocks === NBD_RECEIVE_BLOCKS_MAX - 1) return null;
    block.holds++;
    return block;
  }

  /** Nothing is received any more. Blocks that are held go back when they are not. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.block.holds === 0) this.block.giveBack();
  }

  private begin(block: Block): void {
    if (block === this.block && this.at === 0) return;
    if (block !== this.block && this.block.holds === 0) this.block.giveBack();
    this.block = block;
    this.at = 0;
    this.target = null;
  }

  private readonly leave = (block: Block): void => {
    if (block !== this.block) this.leftBlocks--;
    else if (!this.isClosed) return;
    block.giveBack();
  };

  private poolBlock(): Block | null {
    const buffer = this.pool.takeShared(NBD_RECEIVE_BYTES);
    return buffer === null ? null : new Block(buffer.bytes, buffer, this.leave);
  }

  private ownBlock(): Block {
    return new Block(Buffer.allocUnsafeSlow(NBD_RECEIVE_BYTES), null, this.leave);
  }
}

class Block implements Hold {
  readonly bytes: Buffer;
  holds = 0;
  private readonly pooled: PooledBuffer | null;
  private readonly onLeft: (block: Block) => void;

  constructor(bytes: Buffer, pooled: PooledBuffer | null, onLeft: (block: Block) => void) {
    this.bytes = bytes;
    this.pooled = pooled;
    this.onLeft = onLeft;
  }

  get isOwn(): boolean {
    return this.pooled === null;
  }

  release(): void {
    invariant(this.holds > 0, 'a hold is released once');
    this.holds--;
    if (this.holds === 0) this.onLeft(this);
  }

  giveBack(): void {
    this.pooled?.release();
  }
}
