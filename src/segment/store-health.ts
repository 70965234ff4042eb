/**
 * Whether a file store takes writes, and what it says if not.
 *
 *             out of space                    any other error of a write, any error of an fsync
 *   ┌───────┐ ───────────▶ ┌──────┐      ┌────────┐
 *   │ ready │              │ full │ ───▶ │ failed │ ◀── ready
 *   └───────┘ ◀─────────── └──────┘      └────────┘
 *             space again
 *
 *   ready   everything is taken
 *   full    the reserve is spent (space-reserve.ts). No appends until it is held again. Discards
 *           and removals are taken: they make space. What could not be written even so is kept in
 *           memory, bounded, and written again by the next commit() or idle()
 *   failed  for good: the operating system may have dropped what it could not write, and a second
 *           fsync would report success (Rebello et al., USENIX ATC 2020, "Can applications recover
 *           from fsync failures?"). Nothing is written any more; reads go on
 *
 * GuardedFileSystem is the file system seen through it: the one place where errors are judged.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { errnoOf, type FileSystem, type OpenMode } from './file-system.ts';

/** Errors that mean "not now": the call changed nothing that cannot be done again. */
const SPACE_ERRNOS: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
]);

export class StoreHealth {
  readonly #onFailed: () => void;
  #error: PlaneError | null = null;

  /** @param onFailed called once, as soon as it has failed: work in the background tells nobody */
  constructor(onFailed: () => void = () => {}) {
    this.#onFailed = onFailed;
  }

  get isReady(): boolean {
    return this.#error === null;
  }

  get isFailed(): boolean {
    return this.#error?.code === 'StoreFailed';
  }

  /** @throws PlaneError NoSpace, StoreFailed */
  requireReady(): void {
    if (this.#error !== null) throw this.#error;
  }

  /** @throws PlaneError StoreFailed */
  requireNotFailed(): void {
    if (this.#error !== null && this.isFailed) throw this.#error;
  }

  /** What could not be written has been. */
  setReady(): void {
    invariant(!this.isFailed, 'a failed store writes nothing');
    this.#error = null;
  }

  /** A call that belongs to writing has failed. @returns the error to throw */
  writeFailed(what: string, cause: unknown): PlaneError {
    if (!SPACE_ERRNOS.has(errnoOf(cause))) return this.syncFailed(what, cause);
    return this.#set(new PlaneError('NoSpace', `${what}: ${errnoOf(cause)}`, { cause }));
  }

  /** An fsync has failed: there is no second try, whatever the reason. @returns as above */
  syncFailed(what: string, cause: unknown): PlaneError {
    const reason = errnoOf(cause) || String(cause);
    const detail = `${what}: ${reason}; the store takes no more writes`;
    return this.#set(new PlaneError('StoreFailed', detail, { cause }));
  }

  /** The first failure is the one that is told of. */
  #set(error: PlaneError): PlaneError {
    if (this.#error?.code === 'StoreFailed') return this.#error;
    this.#error = error;
    if (this.isFailed) this.#onFailed();
    return error;
  }
}

/** A file system whose writing calls throw PlaneErrors and change the store's health. */
export class GuardedFileSystem implements FileSystem {
  readonly #base: FileSystem;
  readonly #health: StoreHealth;
  readonly #paths = new Map<number, string>();

  constructor(base: FileSystem, health: StoreHealth) {
    this.#base = base;
    this.#health = health;
  }

  makeDirectory(path: string): void {
    this.#writing(path, () => this.#base.makeDirectory(path));
  }

  freeBytes(path: string): number {
    return this.#base.freeBytes(path);
  }

  list(path: string): string[] {
    return this.#base.list(path);
  }

  open(path: string, mode: OpenMode): number {
    const isRead = mode === 'read';
    const open = () => this.#base.open(path, mode);
    const file = isRead ? open() : this.#writing(path, open);
    this.#paths.set(file, path);
    return file;
  }

  close(file: number): void {
    this.#paths.delete(file);
    this.#base.close(file);
  }

  size(file: number): number {
    return this.#base.size(file);
  }

  pread(
    file: number,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
    position: number,
  ): number {
    return this.#base.pread(file, target, targetOffset, lengthBytes, position);
  }

  pwrite(
    file: number,
    source: Uint8Array,
    sourceOffset: number,
    lengthBytes: number,
    position: number,
  ): void {
    try {
      this.#base.pwrite(file, source, sourceOffset, lengthBytes, position);
    } catch (error) {
      throw this.#health.writeFailed(`writing ${this.#paths.get(file)}`, error);
    }
  }

  fdatasync(file: number): void {
    try {
      this.#base.fdatasync(file);
    } catch (error) {
      throw this.#health.syncFailed(`fdatasync of ${this.#paths.get(file)}`, error);
    }
  }

  fsyncDirectory(path: string): void {
    try {
      this.#base.fsyncDirectory(path);
    } catch (error) {
      throw this.#health.syncFailed(`fsync of ${path}`, error);
    }
  }

  rename(from: string, to: string): void {
    this.#writing(from, () => this.#base.rename(from, to));
  }

  /** No error if the file is not there. */
  unlink(path: string): void {
    try {
      this.#base.unlink(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw this.#health.writeFailed(`removing ${path}`, error);
    }
  }

  #writing<T>(path: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw this.#health.writeFailed(`making ${path}`, error);
    }
  }
}
