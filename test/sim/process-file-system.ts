/**
 * A simulated disk as one process or thread sees it: when that ends, so do its calls. What a dead
 * one still tries (its memory has to be given back) reaches nothing.
 */
import type { FileSystem, OpenMode } from '../../src/segment/file-system.ts';

export class ProcessFileSystem implements FileSystem {
  isDead = false;
  readonly #disk: FileSystem;

  constructor(disk: FileSystem) {
    this.#disk = disk;
  }

  makeDirectory(path: string): void {
    this.#alive().makeDirectory(path);
  }

  freeBytes(path: string): number {
    return this.#alive().freeBytes(path);
  }

  list(path: string): string[] {
    return this.#alive().list(path);
  }

  open(path: string, mode: OpenMode): number {
    return this.#alive().open(path, mode);
  }

  close(file: number): void {
    if (!this.isDead) this.#disk.close(file);
  }

  size(file: number): number {
    return this.#alive().size(file);
  }

  pread(
    file: number,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
    position: number,
  ): number {
    return this.#alive().pread(file, target, targetOffset, lengthBytes, position);
  }

  pwrite(
    file: number,
    source: Uint8Array,
    sourceOffset: number,
    lengthBytes: number,
    position: number,
  ): void {
    this.#alive().pwrite(file, source, sourceOffset, lengthBytes, position);
  }

  fdatasync(file: number): void {
    this.#alive().fdatasync(file);
  }

  fsyncDirectory(path: string): void {
    this.#alive().fsyncDirectory(path);
  }

  rename(from: string, to: string): void {
    this.#alive().rename(from, to);
  }

  unlink(path: string): void {
    this.#alive().unlink(path);
  }

  #alive(): FileSystem {
    if (this.isDead) throw Object.assign(new Error('the process has ended'), { code: 'EIO' });
    return this.#disk;
  }
}
