/**
 * A file system that counts its calls, tells a test of each, and fails those the test chooses.
 */
import type { FileSystem, OpenMode } from '../../src/segment/file-system.ts';

export type FileCall =
  | Exclude<keyof FileSystem, 'size' | 'list' | 'close' | 'freeBytes'>
  | Exclude<OpenMode, 'read'>;

/** Calls that change something, or promise that a change will last. */
export const WRITING_CALLS: readonly FileCall[] = [
  'create',
  'pwrite',
  'fdatasync',
  'fsyncDirectory',
  'rename',
  'unlink',
];

/** Asked before each call; an errno name makes it fail without effect, '' lets it pass. */
export type FaultPlan = (call: FileCall, path: string) => string;

/** Fails the n-th of the named calls (from 1), once or from then on. */
export class NthCallPlan {
  count = 0;
  isHit = false;
  readonly #calls: ReadonlySet<FileCall>;
  readonly #errno: string;
  readonly #n: number;
  readonly #isOnce: boolean;

  constructor(calls: readonly FileCall[], errno: string, n: number, isOnce: boolean) {
    this.#calls = new Set(calls);
    this.#errno = errno;
    this.#n = n;
    this.#isOnce = isOnce;
  }

  readonly plan: FaultPlan = (call) => {
    if (!this.#calls.has(call)) return '';
    this.count++;
    const isHit = this.#isOnce ? this.count === this.#n : this.count >= this.#n;
    this.isHit ||= isHit;
    return isHit ? this.#errno : '';
  };
}

export class FaultyFileSystem implements FileSystem {
  plan: FaultPlan = () => '';
  readonly #base: FileSystem;
  readonly #paths = new Map<number, string>();

  constructor(base: FileSystem) {
    this.#base = base;
  }

  makeDirectory(path: string): void {
    this.#before('makeDirectory', path);
    this.#base.makeDirectory(path);
  }

  freeBytes(path: string): number {
    return this.#base.freeBytes(path);
  }

  list(path: string): string[] {
    return this.#base.list(path);
  }

  open(path: string, mode: OpenMode): number {
    this.#before(mode === 'read' ? 'open' : mode, path);
    const file = this.#base.open(path, mode);
    this.#paths.set(file, path);
    return file;
  }

  close(file: number): void {
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
    this.#before('pread', this.#paths.get(file)!);
    return this.#base.pread(file, target, targetOffset, lengthBytes, position);
  }

  /** A write that fails has written half of it. */
  pwrite(
    file: number,
    source: Uint8Array,
    sourceOffset: number,
    lengthBytes: number,
    position: number,
  ): void {
    const code = this.plan('pwrite', this.#paths.get(file)!);
    const bytes = code === '' ? lengthBytes : Math.floor(lengthBytes / 2);
    if (bytes > 0) this.#base.pwrite(file, source, sourceOffset, bytes, position);
    if (code !== '') throw Object.assign(new Error(code), { code });
  }

  fdatasync(file: number): void {
    this.#before('fdatasync', this.#paths.get(file)!);
    this.#base.fdatasync(file);
  }

  fsyncDirectory(path: string): void {
    this.#before('fsyncDirectory', path);
    this.#base.fsyncDirectory(path);
  }

  rename(from: string, to: string): void {
    this.#before('rename', from);
    this.#base.rename(from, to);
  }

  unlink(path: string): void {
    this.#before('unlink', path);
    this.#base.unlink(path);
  }

  #before(call: FileCall, path: string): void {
    const code = this.plan(call, path);
    if (code !== '') throw Object.assign(new Error(`${code}: ${call} ${path}`), { code });
  }
}
