/**
 * Files that exported images are written to; the directory stands for object storage.
 *
 *   <directory>/<destination>                      a whole image
 *   <directory>/<destination>.<taskId>.partial     one that is being written
 *
 *   destination = <bucket>/<prefix><imageId>.raw
 *
 * 1. A destination has the form isExportDestination() knows, and its parts no `/` and no `.` but
 *    for `.raw`: no destination leads out of the directory.
 * 2. An image is whole or absent under its name: it is forced to stable storage before it is given
 *    the name, in place of what had it before.
 * 3. What nobody wrote is a hole of the file, which has the disk's size from the beginning.
 * 4. What is exported is plaintext: files are their owner's alone (mode 0600).
 *
 * **Thread:** main; file calls are asynchronous.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { isExportDestination, isTaskId } from '../../record/ids.ts';

export interface ExportFiles {
  /** Goes on with the file of a task, if it is there in its full size; else begins one. */
  openPartial(destination: string, taskId: string, sizeBytes: number): Promise<PartialFile>;
  /** No error if there is none. */
  removePartial(destination: string, taskId: string): Promise<void>;
}

/** Every method throws PlaneError NoSpace or ExportFailed. */
export interface PartialFile {
  /** Nothing was written to it yet. */
  readonly isNew: boolean;
  /** @param bytes borrowed until the promise settles */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** What was written so far is on stable storage. */
  flush(): Promise<void>;
  /** Gives the image its name, durably, and closes the file. */
  finish(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The file calls a test may stand in for. */
export type OpenFile = typeof open;

const NO_SPACE: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** @param directory made when the first image is exported */
export function exportFilesIn(directory: string, openFile: OpenFile = open): ExportFiles {
  return {
    openPartial: async (destination, taskId, sizeBytes) => {
      const partial = partialPath(directory, destination, taskId);
      return telling(destination, async () => {
        const made = await mkdir(dirname(partial), { recursive: true, mode: 0o700 });
        // The highest that was not there: finish() sees to those below it.
        if (made !== undefined) await syncDirectory(dirname(made));
        const known = await openKnown(openFile, partial, sizeBytes);
        if (known !== null) return new OpenPartial(directory, destination, partial, known, false);
        const file = await openFile(partial, 'w', 0o600);
        try {
          await file.truncate(sizeBytes);
        } catch (error) {
          await file.close();
          throw error;
        }
        return new OpenPartial(directory, destination, partial, file, true);
      });
    },
    removePartial: (destination, taskId) =>
      telling(destination, () => rm(partialPath(directory, destination, taskId), { force: true })),
  };
}

class OpenPartial implements PartialFile {
  readonly isNew: boolean;
  readonly #directory: string;
  readonly #destination: string;
  readonly #partial: string;
  readonly #file: FileHandle;
  #isClosed = false;

  constructor(
    directory: string,
    destination: string,
    partial: string,
    file: FileHandle,
    isNew: boolean,
  ) {
    this.#directory = directory;
    this.#destination = destination;
    this.#partial = partial;
    this.#file = file;
    this.isNew = isNew;
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return telling(this.#destination, async () => {
      for (let done = 0; done < bytes.byteLength; ) {
        const rest = bytes.byteLength - done;
        const { bytesWritten } = await this.#file.write(bytes, done, rest, offset + done);
        done += bytesWritten;
      }
    });
  }

  flush(): Promise<void> {
    return telling(this.#destination, () => this.#file.datasync());
  }

  async finish(): Promise<void> {
    await telling(this.#destination, async () => {
      await this.#file.sync();
      await this.close();
      const path = join(this.#directory, this.#destination);
      await rename(this.#partial, path);
      // The name in the bucket, and the bucket's in the directory.
      for (const folder of [dirname(path), this.#directory]) await syncDirectory(folder);
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await telling(this.#destination, () => this.#file.close());
  }
}

/** @returns null: there is none, or it is not what was begun */
async function openKnown(
  openFile: OpenFile,
  path: string,
  sizeBytes: number,
): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    file = await openFile(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null;
    throw error;
  }
  const found = await file.stat();
  if (found.isFile() && found.size === sizeBytes) return file;
  await file.close();
  return null;
}

async function syncDirectory(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function partialPath(directory: string, destination: string, taskId: string): string {
  invariant(isExportDestination(destination), 'a destination is a bucket and a name in it');
  invariant(isTaskId(taskId), 'a file that is being written is a task’s');
  return join(directory, `${destination}.${taskId}.partial`);
}

/** File errors in words of ours. */
async function telling<T>(destination: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof PlaneError) throw error;
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string') throw error;
    const isFull = NO_SPACE.has(code);
    const what = isFull ? 'there is no space for' : 'could not write';
    throw new PlaneError(isFull ? 'NoSpace' : 'ExportFailed', `${what} ${destination}: ${code}`, {
      cause: error,
    });
  }
}
