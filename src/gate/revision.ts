/**
 * Revisions of a git repository, built side by side with it in a folder for the time being.
 *
 * Each is a work tree of its own (`git worktree add --detach`), in which the build command is run.
 * Where its package-lock.json is the one of the repository's own work tree, that one's node_modules
 * is used; otherwise `npm ci --ignore-scripts` makes one. The folder and the work tree's entry in
 * the repository are removed when the run ends, however it ends.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { runProgram } from './turn-process.ts';

export interface BuiltRevision {
  readonly commit: string;
  readonly directory: string;
  remove(): Promise<void>;
}

export interface RevisionOptions {
  /** A folder of the repository. */
  readonly directory: string;
  /** For the shell, in the revision's folder. */
  readonly build: string;
  readonly signal: AbortSignal;
}

const GIT_MS_MAX = 60_000;
const BUILD_MS_MAX = 900_000;

/** The commit a name stands for; null if it stands for none, or this is no repository. */
export async function findCommit(
  name: string,
  { directory, signal }: Omit<RevisionOptions, 'build'>,
): Promise<string | null> {
  if (name === '' || name.startsWith('-') || /\s/.test(name)) return null;
  const words = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  const call = { program: 'git', words, directory, timeoutMs: GIT_MS_MAX, signal };
  return runProgram(call).then(
    (output) => output.trim(),
    (error: unknown) => {
      if (error instanceof PlaneError) return null;
      throw error;
    },
  );
}

/** Checks a commit out beside the repository and builds it. */
export async function buildRevision(
  commit: string,
  { directory, build, signal }: RevisionOptions,
): Promise<BuiltRevision> {
  const never = new AbortController().signal;
  const git = (words: readonly string[], until: AbortSignal): Promise<string> =>
    runProgram({ program: 'git', words, directory, timeoutMs: GIT_MS_MAX, signal: until });
  const root = (await git(['rev-parse', '--show-toplevel'], signal)).trim();
  const folder = mkdtempSync(join(tmpdir(), 'sealdisk-gate-'));
  const tree = join(folder, 'tree');
  const remove = async (): Promise<void> => {
    // Where the work tree was not made, there is only the folder.
    await git(['worktree', 'remove', '--force', tree], never).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await git(['worktree', 'add', '--detach', '--quiet', tree, commit], signal);
    await provideModules(root, tree, signal);
    await runProgram({ program: build, directory: tree, timeoutMs: BUILD_MS_MAX, signal });
  } catch (error) {
    await remove();
    throw error;
  }
  return { commit, directory: tree, remove };
}

async function provideModules(root: string, tree: string, signal: AbortSignal): Promise<void> {
  const lockOf = (folder: string): string | null => {
    const file = join(folder, 'package-lock.json');
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  };
  const wanted = lockOf(tree);
  if (wanted === null) return;
  const own = join(root, 'node_modules');
  if (wanted === lockOf(root) && existsSync(own)) {
    symlinkSync(own, join(tree, 'node_modules'), 'dir');
    return;
  }
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await runProgram({ program: 'npm', words, directory: tree, timeoutMs: BUILD_MS_MAX, signal });
}
