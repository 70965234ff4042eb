/**
 * A file system in memory that can lose power.
 *
 * Model: every file has the content programs see and the content on stable storage. A pwrite
 * changes the first; fdatasync makes the second equal. Names are a directory's content: made,
 * renamed and removed at once for programs, on stable storage after fsyncDirectory.
 *
 * A power cut keeps, of what was not forced: any subset of the 512-byte pieces of writes (later
 * ones over earlier ones), and any subset of the changes of names (a rename is one change).
 *
 * With a capacity, a pwrite that would make files larger than that together fails with ENOSPC and
 * changes nothing.
 *
 * An fdatasync that fails leaves its file's pages clean: every later one succeeds and forces none
 * of them. Those that were lost are dropped at once (failSync), or stay in the cache for readers and
 * are found out by a power cut (strandPages). A page that is written to again is written whole.
 *
 * fork() and cutPower() make another file system and leave this one as it is.
 */
import { basename, dirname } from 'node:path';
import type { Prng } from '../../src/base/prng.ts';
import type { FileSystem, OpenMode } from '../../src/segment/file-system.ts';

const PIECE_BYTES = 512;
const PAGE_BYTES = 4096;

/** One pwrite that no fdatasync has followed. */
interface UnsyncedWrite {
  readonly at: number;
  /** What was there; shorter than `after` where the file ended. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly sizeBefore: number;
}

class SimulatedFile {
  bytes = new Uint8Array(0);
  size = 0;
  unsynced: UnsyncedWrite[] = [];
  /** Clean pages that are other on stable storage, by page number: what is there. */
  stranded = new Map<number, Uint8Array>();

  write(at: number, bytes: Uint8Array): void {
    if (this.stranded.size > 0) this.#redirty(at, at + bytes.byteLength);
    const before = this.bytes.slice(at, Math.max(at, Math.min(this.size, at + bytes.byteLength)));
    const after = bytes.slice();
    this.unsynced.push({ at, before, after, sizeBefore: this.size });
    this.#put(at, after);
  }

  sync(): void {
    this.unsynced = [];
  }

  copy(): SimulatedFile {
    const copy = new SimulatedFile();
    copy.bytes = this.bytes.slice(0, this.size);
    copy.size = this.size;
    copy.unsynced = [...this.unsynced];
    copy.stranded = new Map(this.stranded);
    return copy;
  }

  afterPowerCut(prng: Prng, keptPart: number): SimulatedFile {
    const after = this.copy();
    for (const write of this.unsynced.toReversed()) after.#undo(write);
    for (const [page, stable] of this.stranded) after.#put(page * PAGE_BYTES, stable);
    after.stranded.clear();
    for (const { at, after: bytes } of this.unsynced) {
      for (let from = 0; from < bytes.byteLength; ) {
        const edge = PIECE_BYTES - ((at + from) % PIECE_BYTES);
        const to = Math.min(bytes.byteLength, from + edge);
        if (prng.nextFloat() < keptPart) after.#put(at + from, bytes.subarray(from, to));
        from = to;
      }
    }
    after.sync();
    return after;
  }

  /** What an fdatasync that failed leaves: some pages are lost, and all count as clean. */
  losePages(prng: Prng, keptPart: number): void {
    const { size } = this;
    const after = this.afterPowerCut(prng, keptPart);
    this.bytes = new Uint8Array(size);
    this.bytes.set(after.bytes.subarray(0, Math.min(size, after.size)));
    this.stranded.clear();
    this.sync();
  }

  /** As losePages(), but readers see what was written until the power is cut. */
  strandPages(prng: Prng, keptPart: number): void {
    const after = this.afterPowerCut(prng, keptPart);
    const pages = new Set(this.stranded.keys());
    for (const { at, after: bytes } of this.unsynced) {
      for (const page of pagesOf(at, at + bytes.byteLength)) pages.add(page);
    }
    for (const page of pages) {
      const from = page * PAGE_BYTES;
      const stable = new Uint8Array(Math.min(PAGE_BYTES, this.size - from));
      stable.set(after.bytes.subarray(from, Math.min(from + stable.byteLength, after.size)));
      this.stranded.set(page, stable);
    }
    this.sync();
  }

  /** A stranded page that is written to is dirty again, all of it. */
  #redirty(start: number, end: number): void {
    for (const page of pagesOf(start, end)) {
      const before = this.stranded.get(page);
      if (before === undefined) continue;
      this.stranded.delete(page);
      const at = page * PAGE_BYTES;
      const after = this.bytes.slice(at, at + before.byteLength);
      this.unsynced.push({ at, before, after, sizeBefore: this.size });
    }
  }

  #undo(write: UnsyncedWrite): void {
    this.bytes.set(write.before, write.at);
    this.bytes.fill(0, write.sizeBefore, this.size);
    this.size = write.sizeBefore;
  }

  #put(at: number, bytes: Uint8Array): void {
    const end = at + bytes.byteLength;
    if (end > this.bytes.byteLength) {
      const larger = new Uint8Array(Math.max(end, 2 * this.bytes.byteLength));
      larger.set(this.bytes.subarray(0, this.size));
      this.bytes = larger;
    }
    this.bytes.set(bytes, at);
    this.size = Math.max(this.size, end);
  }
}

function* pagesOf(start: number, end: number): Generator<number> {
  for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page++) yield page;
}

type NameChange =
  | { readonly kind: 'make'; readonly path: string; readonly file: SimulatedFile }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

function applyChange(names: Map<string, SimulatedFile>, change: NameChange): void {
  if (change.kind === 'make') names.set(change.path, change.file);
  else if (change.kind === 'remove') names.delete(change.path);
  else {
    const file = names.get(change.from);
    if (file === undefined) return;
    names.delete(change.from);
    names.set(change.to, file);
  }
}

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

export class SimulatedFileSystem implements FileSystem {
  /** Bytes all files may have together. */
  capacityBytes = Number.POSITIVE_INFINITY;
  #names = new Map<string, SimulatedFile>();
  #durableNames = new Map<string, SimulatedFile>();
  #changes: NameChange[] = [];
  #directories = new Set<string>();
  #files = new Map<number, SimulatedFile>();
  #nextFile = 3;

  /** Descriptors that are open. */
  get openCount(): number {
    return this.#files.size;
  }

  /** An empty file system like this one. */
  protected make(): SimulatedFileSystem {
    return new SimulatedFileSystem();
  }

  /** What a killed process leaves: all of it. Nothing is open. */
  fork(): SimulatedFileSystem {
    const copies = new Map<SimulatedFile, SimulatedFile>();
    const copyOf = (file: SimulatedFile): SimulatedFile => {
      const copy = copies.get(file) ?? file.copy();
      copies.set(file, copy);
      return copy;
    };
    const fork = this.make();
    for (const [path, file] of this.#names) fork.#names.set(path, copyOf(file));
    for (const [path, file] of this.#durableNames) fork.#durableNames.set(path, copyOf(file));
    for (const change of this.#changes) {
      const isMake = change.kind === 'make';
      fork.#changes.push(isMake ? { ...change, file: copyOf(change.file) } : change);
    }
    fork.#directories = new Set(this.#directories);
    fork.capacityBytes = this.capacityBytes;
    return fork;
  }

  /** What a power cut leaves. @param keptPart of what was not forced, 0 to 1, on average */
  cutPower(prng: Prng, keptPart: number): SimulatedFileSystem {
    const names = new Map(this.#durableNames);
    for (const change of this.#changes) {
      if (prng.nextFloat() < keptPart) applyChange(names, change);
    }
    const after = this.make();
    const copies = new Map<SimulatedFile, SimulatedFile>();
    for (const [path, file] of names) {
      const copy = copies.get(file) ?? file.afterPowerCut(prng, keptPart);
      copies.set(file, copy);
      after.#names.set(path, copy);
      after.#durableNames.set(path, copy);
    }
    after.#directories = new Set(this.#directories);
    return after;
  }

  /** Bytes of all files together. */
  get usedBytes(): number {
    let used = 0;
    for (const file of this.#names.values()) used += file.size;
    return used;
  }

  /** All files by path: for tests that look at or damage them. */
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** The content of a file; what is changed in it is damage. */
  content(path: string): Uint8Array {
    const file = this.#find(path);
    return file.bytes.subarray(0, file.size);
  }

  /** Damage: the file ends earlier. */
  cutOff(path: string, size: number): void {
    const file = this.#find(path);
    file.bytes = file.bytes.slice(0, size);
    file.size = size;
    file.stranded.clear();
    file.sync();
  }

  /** Puts a file there, as another program would. */
  plant(path: string, bytes: Uint8Array): void {
    const file = new SimulatedFile();
    file.write(0, bytes);
    file.sync();
    this.#names.set(path, file);
    this.#durableNames.set(path, file);
  }

  /** Takes a file away, as another program would. */
  lose(path: string): void {
    this.#find(path);
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  makeDirectory(path: string): void {
    for (let at = path; !this.#directories.has(at); at = dirname(at)) {
      this.#directories.add(at);
      if (at === dirname(at)) break;
    }
  }

  freeBytes(): number {
    return this.capacityBytes - this.usedBytes;
  }

  list(path: string): string[] {
    if (!this.#directories.has(path)) throw errno('ENOENT', path);
    const paths = [...this.#names.keys(), ...this.#directories];
    return paths.filter((each) => each !== path && dirname(each) === path).map((p) => basename(p));
  }

  open(path: string, mode: OpenMode): number {
    let file = this.#names.get(path);
    if (mode !== 'create' && file === undefined) throw errno('ENOENT', path);
    if (mode === 'create') {
      if (!this.#directories.has(dirname(path))) throw errno('ENOENT', path);
      // An emptied file is another file that takes over the name: either of them is found later.
      file = new SimulatedFile();
      this.#change({ kind: 'make', path, file });
    }
    const number = this.#nextFile++;
    this.#files.set(number, file!);
    return number;
  }

  close(file: number): void {
    if (!this.#files.delete(file)) throw errno('EBADF', String(file));
  }

  size(file: number): number {
    return this.#opened(file).size;
  }

  pread(
    file: number,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
    position: number,
  ): number {
    const { bytes, size } = this.#opened(file);
    const count = Math.max(0, Math.min(lengthBytes, size - position));
    target.set(bytes.subarray(position, position + count), targetOffset);
    return count;
  }

  pwrite(
    file: number,
    source: Uint8Array,
    sourceOffset: number,
    lengthBytes: number,
    position: number,
  ): void {
    const opened = this.#opened(file);
    if (this.capacityBytes !== Number.POSITIVE_INFINITY) {
      const added = Math.max(0, position + lengthBytes - opened.size);
      if (this.usedBytes + added > this.capacityBytes) throw errno('ENOSPC', `file ${file}`);
    }
    opened.write(position, source.subarray(sourceOffset, sourceOffset + lengthBytes));
  }

  fdatasync(file: number): void {
    this.#opened(file).sync();
  }

  /** An fdatasync that fails and loses some of what it was to force, for readers too. */
  failSync(file: number, prng: Prng, keptPart: number): void {
    this.#opened(file).losePages(prng, keptPart);
  }

  /** An fdatasync that fails, and loses what it loses when the power is cut: not before. */
  strandPages(file: number, prng: Prng, keptPart: number): void {
    this.#opened(file).strandPages(prng, keptPart);
  }

  /** What the end of the process does: every descriptor is closed. */
  closeAll(): void {
    this.#files.clear();
  }

  fsyncDirectory(path: string): void {
    const isHere = (change: NameChange) =>
      dirname(change.kind === 'rename' ? change.to : change.path) === path;
    for (const change of this.#changes.filter(isHere)) applyChange(this.#durableNames, change);
    this.#changes = this.#changes.filter((change) => !isHere(change));
  }

  rename(from: string, to: string): void {
    this.#find(from);
    this.#change({ kind: 'rename', from, to });
  }

  unlink(path: string): void {
    this.#find(path);
    this.#change({ kind: 'remove', path });
  }

  #change(change: NameChange): void {
    applyChange(this.#names, change);
    this.#changes.push(change);
  }

  #find(path: string): SimulatedFile {
    const file = this.#names.get(path);
    if (file === undefined) throw errno('ENOENT', path);
    return file;
  }

  #opened(file: number): SimulatedFile {
    const opened = this.#files.get(file);
    if (opened === undefined) throw errno('EBADF', String(file));
    return opened;
  }
}
