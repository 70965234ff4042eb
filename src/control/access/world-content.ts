/**
 * What a world says is on a disk: checked before anything is made, then written piece by piece.
 *
 * **Thread:** main; files are read synchronously, a piece of the request size at a time.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PlaneError } from '../../base/errors.ts';
import { GIB, MIB } from '../../base/units.ts';
import type { World, WorldContent, WorldDisk } from './world.ts';
import { fileOf, worldInvalid } from './world-schema.ts';

/** A disk as it is being filled. */
export interface ContentTarget {
  write(offset: number, bytes: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** @throws PlaneError WorldInvalid */
export function checkContent(world: World, path: string, disk: WorldDisk): void {
  for (const [index, piece] of (disk.content ?? []).entries()) {
    const place = `${path}.content[${index}]`;
    if ((piece.file === undefined) === (piece.pattern === undefined)) {
      throw worldInvalid(world, place, 'expected a pattern or a file');
    }
    if ((piece.length === undefined) !== (piece.pattern === undefined)) {
      const what = 'expected a length with a pattern; of a file all is written';
      throw worldInvalid(world, place, what);
    }
    const end = (piece.offset ?? 0) + (piece.length ?? fileLength(world, place, piece));
    if (end <= disk.size * GIB) continue;
    throw worldInvalid(world, place, `it ends at byte ${end}, behind the end of ${disk.id}`);
  }
}

/** Writes all pieces in their order: of two that overlap the later one is seen. */
export async function writeContent(
  world: World,
  disk: WorldDisk,
  target: ContentTarget,
): Promise<void> {
  for (const piece of disk.content ?? []) {
    if (piece.file === undefined) await writePattern(piece, target);
    else await writeFile(pathOf(world, piece.file), piece.offset ?? 0, target);
  }
  await target.flush();
}

async function writePattern(piece: WorldContent, target: ContentTarget): Promise<void> {
  const { offset = 0, length = 0, pattern = '' } = piece;
  const one = Buffer.from(pattern.replace(/^0x/, ''), 'hex');
  const chunk = Buffer.alloc(Math.min(length, MIB - (MIB % one.byteLength)), one);
  for (let done = 0; done < length; ) {
    const bytes = chunk.subarray(0, Math.min(chunk.byteLength, length - done));
    await target.write(offset + done, bytes);
    done += bytes.byteLength;
  }
}

async function writeFile(path: string, offset: number, target: ContentTarget): Promise<void> {
  const file = openSync(path, 'r');
  try {
    const chunk = new Uint8Array(MIB);
    const { size } = fstatSync(file);
    for (let done = 0; done < size; ) {
      const count = readSync(file, chunk, 0, chunk.byteLength, done);
      if (count === 0) throw new PlaneError('WorldInvalid', `${path} has become shorter`);
      await target.write(offset + done, chunk.subarray(0, count));
      done += count;
    }
  } finally {
    closeSync(file);
  }
}

function fileLength(world: World, place: string, { file = '' }: WorldContent): number {
  try {
    const found = statSync(pathOf(world, file));
    if (found.isFile()) return found.size;
  } catch (error) {
    throw worldInvalid(world, `${place}.file`, (error as Error).message);
  }
  throw worldInvalid(world, `${place}.file`, `${file} is no file`);
}

/** Relative to the world's own file, if it was read from one. */
function pathOf(world: World, file: string): string {
  const from = fileOf(world);
  return from === null ? resolve(file) : resolve(dirname(from), file);
}
