/**
 * The only way the file store touches files: a dozen calls a simulator can stand in for.
 *
 * 1. Every call is synchronous and either does all of what it says or throws an Error whose `code`
 *    is the name of the errno ('ENOSPC', 'EIO', ...).
 * 2. After a pwrite that threw, the range holds old bytes, new bytes or a mixture.
 * 3. Nothing is on stable storage before fdatasync of the file and, for its name, fsyncDirectory of
 *    the directory it is in.
 */
import fs from 'node:fs';

/**
 * 'read': an existing file. 'update': one to read and write, as it is. 'create': a new or emptied
 * file, to read and write.
 */
export type OpenMode = 'read' | 'update' | 'create';

/** Paths are absolute or relative to the process; files are numbers valid until close(). */
export interface FileSystem {
  /** Makes a directory, and those above it; no error if it is there. */
  makeDirectory(path: string): void;
  /** Bytes that can be written to files in a directory, about. */
  freeBytes(path: string): number;
  /** Names in a directory, in no order; files and directories alike. */
  list(path: string): string[];
  open(path: string, mode: OpenMode): number;
  close(file: number): void;
  /** Bytes in the file. */
  size(file: number): number;
  /**
   * Reads up to lengthBytes.
   *
   * @param target borrowed for the call
   * @returns bytes read: fewer only where the file ends
   */
  pread(
    file: number,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
    position: number,
  ): number;
  /** Writes all of it. @param source borrowed for the call */
  pwrite(
    file: number,
    source: Uint8Array,
    sourceOffset: number,
    lengthBytes: number,
    position: number,
  ): void;
  /** Forces the file's bytes and length to stable storage. */
  fdatasync(file: number): void;
  /** Forces the names in a directory to stable storage. */
  fsyncDirectory(path: string): void;
  /** Replaces `to` if it is there. Atomic. */
  rename(from: string, to: string): void;
  unlink(path: string): void;
}

/** The errno name of a thrown value; '' if it has none. */
export function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Mode of files: ciphertext, but nobody else's business. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** Never 'a': a write goes where it says. */
const OPEN_FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', update: 'r+', create: 'w+' };

export const nodeFileSystem: FileSystem = {
  makeDirectory(path) {
    fs.mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  },
  freeBytes(path) {
    const { bavail, bsize } = fs.statfsSync(path);
    return bavail * bsize;
  },
  list: (path) => fs.readdirSync(path),
  open: (path, mode) => fs.openSync(path, OPEN_FLAGS[mode], FILE_MODE),
  close: (file) => fs.closeSync(file),
  size: (file) => fs.fstatSync(file).size,
  pread(file, target, targetOffset, lengthBytes, position) {
    let done = 0;
    while (done < lengthBytes) {
      const from = targetOffset + done;
      const got = fs.readSync(file, target, from, lengthBytes - done, position + done);
      if (got === 0) break;
      done += got;
    }
    return done;
  },
  pwrite(file, source, sourceOffset, lengthBytes, position) {
    let done = 0;
    while (done < lengthBytes) {
      const from = sourceOffset + done;
      done += fs.writeSync(file, source, from, lengthBytes - done, position + done);
    }
  },
  fdatasync: (file) => fs.fdatasyncSync(file),
  fsyncDirectory(path) {
    const directory = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  },
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
};
