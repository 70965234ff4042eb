/**
 * A file system that is looked at and not touched: recovery over it ends in memory.
 *
 * What would force bytes or names to stable storage, or make a directory that is there, does
 * nothing; what would remove a file notes its path; anything else that writes is a broken promise.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import type { FileSystem, OpenMode } from './file-system.ts';

export class ReadOnlyFileSystem implements FileSystem {
  /** Paths that would have been removed. */
  readonly unlinked: string[] = [];
  readonly #base: FileSystem;

  constructor(base: FileSystem) {
    this.#base = base;
  }

  makeDirectory(): void {}

  freeBytes(path: string): number {
    return this.#base.freeBytes(path);
  }

  list(path: string): string[] {
    return this.#base.list(path);
  }

  open(path: string, mode: OpenMode): number {
    invariant(mode === 'read', `${path} is only read`);
    return this.#base.open(path, mode);
  }

  close(file: number): void {
    this.#base.close(file);
  }

  size(file: number): number {
    return this.#base.size(file);
  }

  pread(file: number, target: Uint8Array, at: number, length: number, position: number): number {
    return this.#base.pread(file, target, at, length, position);
  }

  pwrite(): void {
    invariant(false, 'nothing is written');
  }

  fdatasync(): void {}

  fsyncDirectory(): void {}

  rename(): void {
    invariant(false, 'nothing is renamed');
  }

  unlink(path: string): void {
    this.unlinked.push(path);
  }
}
