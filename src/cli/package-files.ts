/**
 * Files of the package that commands need: its version, job files, the naive baseline.
 *
 * Found from this module upwards, so that it is the same from src/ and from dist/src/.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { invariant } from '../base/invariant.ts';
import type { Target } from '../load/target.ts';

/** The directory that holds package.json. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    invariant(parent !== directory, 'the module is inside its package');
    directory = parent;
  }
  return directory;
}

export function packageVersion(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** A file of the package, by its path below package.json. */
export function packageFile(path: string): string {
  return join(packageRoot(), ...path.split('/'));
}

/** What `sealdisk load` runs when it is told nothing. */
export function canonicalJobFile(): string {
  return join(packageRoot(), 'bench', 'jobs', 'canonical.fio');
}

/** What `sealdisk gate` measures when it is told nothing. */
export function gateJobFile(): string {
  return join(packageRoot(), 'bench', 'jobs', 'gate.fio');
}

/** The built command, for processes of it. */
export function mainFile(): string {
  return join(packageRoot(), 'dist', 'src', 'cli', 'main.js');
}

/**
 * Starts the naive baseline. It is a bench of this repository, not a part of the library.
 *
 * @returns null if this package does not have it
 */
export async function openNaiveTarget(): Promise<Target | null> {
  const file = join(packageRoot(), 'dist', 'bench', 'naive', 'naive-target.js');
  if (!existsSync(file)) return null;
  const module: unknown = await import(pathToFileURL(file).href);
  return (module as { openNaiveTarget: () => Promise<Target> }).openNaiveTarget();
}
