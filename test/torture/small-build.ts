/**
 * The library with small sizes: segments, map logs and steps of a few hundred KiB, so that a short
 * history rolls segments over, makes checkpoints, reclaims and settles re-encryption all the time.
 *
 * It is the built library with another limits.js, in a folder of dist/ that is named after both.
 * Nothing else differs. Its data directories are opened by it alone.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST: string = fileURLToPath(new URL('../..', import.meta.url));
export const USUAL_LIBRARY: string = join(DIST, 'src/index.js');

/** What is smaller, and how small. A commit that LMDB never settles is waited for less long. */
const SIZES: Readonly<Record<string, string>> = {
  PIECE_BYTES_MAX: '64 * KIB',
  BATCH_BYTES_MAX: '64 * KIB',
  SEGMENT_BYTES: '128 * KIB',
  MAP_LOG_BYTES_MAX: '8 * KIB',
  SEGMENT_FILES_DIRTY_MAX: '4',
  SEGMENT_FILES_OPEN_MAX: '8',
  REENCRYPT_SECTORS_MAX: '16',
  REENCRYPT_FLUSH_SECTORS: '64',
  TASK_PROGRESS_MS: '20',
  STORE_COMMIT_TIMEOUT_MS: '5_000',
};

/** @returns the path of its index.js */
export function smallLibrary(): string {
  const limits = shrink(readFileSync(join(DIST, 'src/limits.js'), 'utf8'));
  const folder = join(DIST, `small-${stampOf(limits)}`);
  const index = join(folder, 'src/index.js');
  if (existsSync(index)) return index;
  // Made aside, and given its name when it is whole: another run may be at it.
  const made = `${folder}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  for (const part of ['src', 'workers']) {
    cpSync(join(DIST, part), join(made, part), { recursive: true });
  }
  writeFileSync(join(made, 'src/limits.js'), limits);
  try {
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true });
    if (!existsSync(index)) throw error;
  }
  return index;
}

/** The compiler's own record of what it has built tells one build from another. */
function stampOf(limits: string): string {
  const record = join(DIST, '.tsbuildinfo');
  const built = existsSync(record) ? readFileSync(record, 'utf8') : '';
  return createHash('sha256').update(built).update(limits).digest('hex').slice(0, 12);
}

function shrink(limits: string): string {
  let shrunk = limits;
  for (const [name, size] of Object.entries(SIZES)) {
    const found = new RegExp(`(export const ${name} = )[^;]+;`);
    if (!found.test(shrunk)) throw new Error(`limits.js has no ${name}`);
    shrunk = shrunk.replace(found, `$1${size};`);
  }
  return shrunk;
}
