/**
 * The library with small sizes: segments, map logs and steps of a few hundred KiB, so that a short
 * history rolls segments over, makes checkpoints, reclaims and settles re-encryption all the time.
 *
 * It is the built library with another limits.js, in a folder of dist/ that is named after both;
 * its data directories are opened by it alone. And it is bundled: hundreds of modules in a few
 * files, for most of what a victim costs is to load them. The usual library is what is installed.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

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

/** Files are as deep as in the library: they name the workers by relative paths. */
const BUNDLED_INDEX = 'src/parts/index.js';

/** As far as it is used here. */
interface Bundler {
  rolldown(options: object): Promise<{
    write(options: object): Promise<unknown>;
    close(): Promise<void>;
  }>;
}

/** @returns the path of its index.js */
export async function smallLibrary(): Promise<string> {
  const limits = shrink(readFileSync(join(DIST, 'src/limits.js'), 'utf8'));
  const folder = join(DIST, `small-${stampOf(limits)}`);
  if (!existsSync(folder)) await make(folder, limits);
  const bundled = join(folder, BUNDLED_INDEX);
  return existsSync(bundled) ? bundled : join(folder, 'src/index.js');
}

/** Made aside, and given its name when it is whole: another run may be at it. */
async function make(folder: string, limits: string): Promise<void> {
  const made = `${folder}.${process.pid}`;
  for (const part of ['src', 'workers']) {
    cpSync(join(DIST, part), join(made, part), { recursive: true });
  }
  writeFileSync(join(made, 'src/limits.js'), limits);
  const bundler = await findBundler();
  if (bundler !== null) await bundle(bundler, made);
  try {
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}

/** The one vitest's vite brings. null: there is none, and the library stays as it is. */
async function findBundler(): Promise<Bundler | null> {
  let from = import.meta.url;
  try {
    for (const name of ['vitest', 'vite']) {
      from = createRequire(from).resolve(`${name}/package.json`);
    }
    const path = createRequire(from).resolve('rolldown');
    return (await import(pathToFileURL(path).href)) as Bundler;
  } catch {
    return null;
  }
}

/** Entries: what a victim imports, and every thread's. Dependencies stay where they are. */
async function bundle({ rolldown }: Bundler, folder: string): Promise<void> {
  const input: Record<string, string> = {
    'src/parts/index': join(folder, 'src/index.js'),
    'src/parts/threads/sabotage': join(folder, 'src/threads/sabotage.js'),
  };
  for (const file of readdirSync(join(folder, 'workers'))) {
    if (!file.endsWith('.js')) continue;
    input[`workers/${basename(file, '.js')}`] = join(folder, 'workers', file);
  }
  const external = (id: string): boolean => !/^[./]/.test(id);
  const build = await rolldown({ input, external, platform: 'node', logLevel: 'silent' });
  await build.write({
    dir: join(folder, 'bundle'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'src/parts/[name]-[hash].js',
  });
  await build.close();
  for (const part of ['src', 'workers']) {
    rmSync(join(folder, part), { recursive: true });
    renameSync(join(folder, 'bundle', part), join(folder, part));
  }
}

/** The compiler's own record of what it has built tells one build from another. */
function stampOf(limits: string): string {
  const record = join(DIST, '.tsbuildinfo');
  const built = existsSync(record) ? readFileSync(record, 'utf8') : '';
  const hash = createHash('sha256').update(built).update(limits).update(BUNDLED_INDEX);
  return hash.digest('hex').slice(0, 12);
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
