/**
 * A file only one opener holds, in this process and in all others, until it closes it or dies.
 *
 * By flock(2) of the running binary's C library: the kernel gives the lock back when the process
 * ends, however it ends. Where there is no native library the file is made exclusively and holds
 * the owner's process id; a file left by a process that is gone is taken over.
 */
import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { nativeLibrary } from './native.ts';

const LOCK_EXCLUSIVE_NOW = 2 | 4;

export interface FileLock {
  release(): void;
}

/** @returns null if somebody else holds it */
export function lockFile(path: string): FileLock | null {
  const flock = nativeLibrary()?.find('int flock(int, int)') ?? null;
  if (flock === null) return lockByProcessId(path);
  const descriptor = openSync(path, 'a', 0o600);
  if (flock(descriptor, LOCK_EXCLUSIVE_NOW) !== 0) {
    closeSync(descriptor);
    return null;
  }
  return { release: () => closeSync(descriptor) };
}

/**
 * The portable way: by a file that names its owner.
 *
 * @returns null if its owner lives; a file whose owner is gone, or unreadable as a process id, is
 *   taken over
 */
export function lockByProcessId(path: string): FileLock | null {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const descriptor = openSync(path, 'wx', 0o600);
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return { release: () => unlinkSync(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = Number(readFileSync(path, 'utf8'));
      if (owner === process.pid || isAlive(owner)) return null;
      unlinkSync(path);
    }
  }
  return null;
}

function isAlive(processId: number): boolean {
  if (!Number.isSafeInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
