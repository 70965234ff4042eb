/**
 * A file that does nothing but take up space, to be given up when the file system is full.
 *
 * A store that appends cannot free a segment without writing: a removal is a record, and a segment
 * goes only when a flush-mark says that nothing needs it. Without space held back a full file
 * system would stay full whatever is removed. So:
 *
 * 1. Appends are taken only while the reserve is held.
 * 2. It is larger than all a store keeps for the next commit (limits.ts): what was begun before the
 *    file system turned out to be full can be written, and so can removals and what frees segments.
 * 3. What frees segments then is removing what they hold. The rest of a segment that is mostly
 *    garbage is moved elsewhere within half of what is left of the reserve, if the checkpoint that
 *    has to follow fits in there too (Journal, rule 6); otherwise it stays until all of it is
 *    removed, or there is space.
 * 4. It is held again as soon as there is space; whether there is, is found out by trying.
 *
 * **Thread:** shard.
 */
import { createPrng } from '../base/prng.ts';
import { errnoOf, type FileSystem } from './file-system.ts';

const BLOCK_BYTES = 64 * 1024;

export class SpaceReserve {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #byteCount: number;
  #isHeld = false;

  /** @param fileSystem errors of its writing calls are PlaneErrors (GuardedFileSystem) */
  constructor(fileSystem: FileSystem, path: string, byteCount: number) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#byteCount = byteCount;
  }

  /** Makes the file, unless it is there. @throws PlaneError NoSpace, StoreFailed: it is not held */
  hold(): void {
    if (this.#isHeld) return;
    if (!this.#isThere()) this.#make();
    this.#isHeld = true;
  }

  /**
   * Gives the space up. @returns false if none was held. @throws PlaneError NoSpace, StoreFailed
   */
  spend(): boolean {
    if (!this.#isHeld && !this.#isThere()) return false;
    this.#isHeld = false;
    this.#fileSystem.unlink(this.#path);
    return true;
  }

  #isThere(): boolean {
    let file: number;
    try {
      file = this.#fileSystem.open(this.#path, 'read');
    } catch (error) {
      // Whatever keeps it from being looked at, making it anew is what can be done.
      if (errnoOf(error) === '') throw error;
      return false;
    }
    try {
      return this.#fileSystem.size(file) === this.#byteCount;
    } finally {
      this.#fileSystem.close(file);
    }
  }

  #make(): void {
    // Bytes no file system can store in less space than they take.
    const block = new Uint8Array(Math.min(BLOCK_BYTES, this.#byteCount));
    createPrng(this.#byteCount).fill(block);
    const file = this.#fileSystem.open(this.#path, 'create');
    try {
      for (let at = 0; at < this.#byteCount; at += block.byteLength) {
        const count = Math.min(block.byteLength, this.#byteCount - at);
        this.#fileSystem.pwrite(file, block, 0, count, at);
      }
    } catch (error) {
      this.#fileSystem.unlink(this.#path);
      throw error;
    } finally {
      this.#fileSystem.close(file);
    }
  }
}
