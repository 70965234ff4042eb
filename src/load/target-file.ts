/**
 * Files and block devices of the host as a target: what the machine does without the library.
 *
 * 1. The path is a directory, with a file for each disk, or one file or block device for one disk.
 * 2. What is not empty is refused unless overwriting was allowed: a load writes.
 * 3. Requests that touch the same bytes take effect in the order made: one waits for the other,
 *    since the threads that serve them keep no order.
 * 4. Requests go through the page cache: O_DIRECT needs memory aligned to sectors, which a
 *    JavaScript buffer is not. A flush is fdatasync. A trim writes zeros: Node has no fallocate.
 *
 * Node serves files with 4 threads unless UV_THREADPOOL_SIZE says otherwise: more in flight wait.
 */
import { constants, readFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import type { Target, TargetDisk } from './target.ts';

export interface FileTargetOptions {
  readonly path: string;
  /** What is there may be written over. */
  readonly overwrites: boolean;
}

/** Linux counts a device's size in these, whatever its sectors. */
const DEVICE_UNIT_BYTES = 512;

export function createFileTarget({ path, overwrites }: FileTargetOptions): Target {
  const disks = new Map<string, TargetDisk>();
  return {
    name: `file:${path}`,
    keepsBytes: true,
    openDisk: async (name, sizeBytes) => {
      const known = disks.get(name);
      if (known !== undefined) return { ...known, isFresh: false };
      const isDirectory = (await stat(path).catch(() => null))?.isDirectory() ?? path.endsWith('/');
      if (!isDirectory && disks.size > 0) {
        throw new PlaneError(
          'InvalidArgument',
          `--target file:${path} is one disk, the load needs ${name} too: expected a directory`,
        );
      }
      if (isDirectory) await mkdir(path, { recursive: true });
      const fileName = isDirectory ? join(path, encodeURIComponent(name)) : path;
      const disk = await openFileDisk(name, fileName, sizeBytes, overwrites);
      disks.set(name, disk);
      return disk;
    },
    close: async () => {
      for (const disk of disks.values()) await disk.close();
    },
  };
}

async function openFileDisk(
  name: string,
  fileName: string,
  sizeBytes: number,
  overwrites: boolean,
): Promise<TargetDisk> {
  const handle = await open(fileName, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const status = await handle.stat();
    const isDevice = status.isBlockDevice();
    const heldBytes = isDevice ? await deviceBytes(fileName) : status.size;
    if (heldBytes > 0 && !overwrites) {
      throw new PlaneError(
        'InvalidArgument',
        `${fileName} holds ${heldBytes} bytes: --overwrite allows to write over them`,
      );
    }
    if (isDevice && heldBytes < sizeBytes) {
      throw new PlaneError(
        'InvalidArgument',
        `${fileName} has ${heldBytes} bytes, the load needs ${sizeBytes}`,
      );
    }
    if (heldBytes < sizeBytes) await handle.truncate(sizeBytes);
    return fileDisk(name, handle, Math.max(heldBytes, sizeBytes), heldBytes === 0);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function deviceBytes(fileName: string): Promise<number> {
  const device = basename(await realpath(fileName));
  return Number(readFileSync(`/sys/class/block/${device}/size`, 'utf8')) * DEVICE_UNIT_BYTES;
}

/** A request under way. */
interface Underway {
  readonly startBytes: number;
  readonly endBytes: number;
  readonly writes: boolean;
  readonly done: Promise<unknown>;
}

function fileDisk(
  name: string,
  handle: FileHandle,
  sizeBytes: number,
  isFresh: boolean,
): TargetDisk {
  const underway = new Set<Underway>();
  let isOpen = true;
  /** Begins work when what it would overtake is done. */
  const inOrder = (
    startBytes: number,
    lengthBytes: number,
    writes: boolean,
    work: () => Promise<unknown>,
  ): Promise<unknown> => {
    const endBytes = startBytes + lengthBytes;
    if (startBytes < 0 || endBytes > sizeBytes) {
      const got = `got ${startBytes} + ${lengthBytes}`;
      const detail = `disk ${name}: expected a range in ${sizeBytes} bytes, ${got}`;
      return Promise.reject(new PlaneError('OutOfRange', detail));
    }
    const before = [...underway].filter(
      (each) => each.startBytes < endBytes && startBytes < each.endBytes && (writes || each.writes),
    );
    const began =
      before.length === 0 ? work() : Promise.allSettled(before.map(({ done }) => done)).then(work);
    const entry = { startBytes, endBytes, writes, done: began };
    underway.add(entry);
    return began.finally(() => underway.delete(entry));
  };
  return {
    name,
    sizeBytes,
    isFresh,
    read: (offset, into) =>
      inOrder(offset, into.byteLength, false, () => transfer(into, offset, 'read', handle)),
    write: (offset, bytes) =>
      inOrder(offset, bytes.byteLength, true, () => transfer(bytes, offset, 'write', handle)),
    trim: (offset, lengthBytes) =>
      inOrder(offset, lengthBytes, true, () =>
        transfer(new Uint8Array(lengthBytes), offset, 'write', handle),
      ),
    flush: () => handle.datasync(),
    close: async () => {
      if (isOpen) await handle.close();
      isOpen = false;
    },
  };
}

/** Reads or writes all of it: a file may do less than it was asked for. */
async function transfer(
  bytes: Uint8Array,
  offsetBytes: number,
  way: 'read' | 'write',
  handle: FileHandle,
): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const rest = bytes.byteLength - done;
    const at = offsetBytes + done;
    const moved =
      way === 'read'
        ? (await handle.read(bytes, done, rest, at)).bytesRead
        : (await handle.write(bytes, done, rest, at)).bytesWritten;
    if (moved === 0) throw new PlaneError('ReadFailed', `the file ends before ${at} + ${rest}`);
    done += moved;
  }
}
