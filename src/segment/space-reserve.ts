/**
 * A file that does nothing but take up space, to be given up when the file system is full.
 *
 * A store that appends cannot free a segment without writing: a removal is a record, a segment goes
 * only when a flush-mark says that nothing needs it, and a log only when a checkpoint has replaced
 * it. Without space held back a full file system would stay full whatever is removed. So:
 *
 * 1. Appends are taken only while the reserve is held, with room in it for a checkpoint of the maps
 *    as they are: it grows with them.
 * 2. What it is larger than that (StoreGeometry.reserveBytes) is more than all a store keeps for
 *    the next commit (limits.ts): what was begun before the file system turned out to be full can be
 *    written, and so can removals and what frees segments. Half of it is for them alone. A log that
 *    gets longer than an eighth of it meanwhile is replaced by a checkpoint.
 * 3. What frees segments then is removing what they hold. The rest of a segment that is mostly
 *    garbage is moved elsewhere within the other half, the checkpoint that has to follow set aside
 *    (Journal, rule 6); otherwise it stays until all of it is removed, or there is space.
 * 4. It is held again as soon as there is space; whether there is, is found out by trying, unless
 *    the file system says that there is not.
 *
 * **Thread:** shard.
 */
import { dirname } from 'node:path';
import { createPrng } from '../base/prng.ts';
import { errnoOf, type FileSystem } from './file-system.ts';
import type { StoreHealth } from './store-health.ts';

const BLOCK_BYTES = 64 * 1024;

export class SpaceReserve {
  /** Held back; 0 if nothing is. */
  heldBytes = 0;
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #health: StoreHealth;

  /** @param fileSystem errors of its writing calls are PlaneErrors (GuardedFileSystem) */
  constructor(fileSystem: FileSystem, path: string, health: StoreHealth) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#health = health;
  }

  /**
   * Makes the file, or makes it larger, unless it is there.
   *
   * @throws PlaneError NoSpace, StoreFailed: what was held before is held
   */
  hold(byteCount: number): void {
    if (this.heldBytes >= byteCount) return;
    let there = this.heldBytes > 0 ? this.heldBytes : this.#bytesThere();
    // Of a map that was much larger once.
    if (this.heldBytes === 0 && there > 2 * byteCount) {
      this.#fileSystem.unlink(this.#path);
      there = 0;
    }
    if (there < byteCount) {
      this.#requireFree(byteCount - there);
      this.#write(there, byteCount);
    }
    this.heldBytes = byteCount;
  }

  /**
   * Gives the space up. @returns false if none was held. @throws PlaneError NoSpace, StoreFailed
   */
  spend(): boolean {
    if (this.heldBytes === 0 && this.#bytesThere() === 0) return false;
    this.heldBytes = 0;
    this.#fileSystem.unlink(this.#path);
    return true;
  }

  #bytesThere(): number {
    let file: number;
    try {
      file = this.#fileSystem.open(this.#path, 'read');
    } catch (error) {
      // Whatever keeps it from being looked at, making it anew is what can be done.
      if (errnoOf(error) === '') throw error;
      return 0;
    }
    try {
      return this.#fileSystem.size(file);
    } finally {
      this.#fileSystem.close(file);
    }
  }

  /** To write a large part of it in vain, time and again, would be a load. */
  #requireFree(byteCount: number): void {
    let freeBytes: number;
    try {
      freeBytes = this.#fileSystem.freeBytes(dirname(this.#path));
    } catch (error) {
      if (errnoOf(error) === '') throw error;
      return;
    }
    if (freeBytes >= byteCount) return;
    const cause = { code: 'ENOSPC' };
    throw this.#health.writeFailed(`holding back ${byteCount} more bytes`, cause);
  }

  #write(from: number, to: number): void {
    // Bytes no file system can store in less space than they take.
    const block = new Uint8Array(Math.min(BLOCK_BYTES, to - from));
    createPrng(to).fill(block);
    const file = this.#fileSystem.open(this.#path, from === 0 ? 'create' : 'update');
    try {
      for (let at = from; at < to; at += block.byteLength) {
        const count = Math.min(block.byteLength, to - at);
        this.#fileSystem.pwrite(file, block, 0, count, at);
      }
    } catch (error) {
      if (this.heldBytes === 0) this.#fileSystem.unlink(this.#path);
      throw error;
    } finally {
      this.#fileSystem.close(file);
    }
  }
}
