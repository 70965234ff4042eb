/**
 * A file system that says, before every call, that it is called: so a shard that reads for minutes
 * can be told from one that hangs.
 *
 * **Thread:** shard.
 */
import type { FileSystem, OpenMode } from './file-system.ts';

export class ObservedFileSystem implements FileSystem {
  readonly #base: FileSystem;
  readonly #onCall: () => void;

  constructor(base: FileSystem, onCall: () => void) {
    this.#base = base;
    this.#onCall = onCall;
  }

  makeDirectory(path: string): void {
    this.#onCall();
    this.#base.makeDirectory(path);
  }

  freeBytes(path: string): number {
    this.#onCall();
    return this.#base.freeBytes(path);
  }

  list(path: string): string[] {
    this.#onCall();
    return this.#base.list(path);
  }

  open(path: string, mode: OpenMode): number {
    this.#onCall();
    return this.#base.open(path, mode);
  }

  close(file: number): void {
    this.#onCall();
    this.#base.close(file);
  }

  size(file: number): number {
    this.#onCall();
    return this.#base.size(file);
  }

  pread(file: number, target: Uint8Array, at: number, length: number, position: number): number {
    this.#onCall();
    return this.#base.pread(file, target, at, length, position);
  }

  pwrite(file: number, source: Uint8Array, at: number, length: number, position: number): void {
    this.#onCall();
    this.#base.pwrite(file, source, at, length, position);
  }

  fdatasync(file: number): void {
    this.#onCall();
    this.#base.fdatasync(file);
  }

  fsyncDirectory(path: string): void {
    this.#onCall();
    this.#base.fsyncDirectory(path);
  }

  rename(from: string, to: string): void {
    this.#onCall();
    this.#base.rename(from, to);
  }

  unlink(path: string): void {
    this.#onCall();
    this.#base.unlink(path);
  }
}
