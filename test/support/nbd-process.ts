/** `sealdisk nbd` as a process of what was built, and its exports as files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';

export const MAIN: string = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;

export async function start(...words: string[]): Promise<{ child: ChildProcess; uri: string }> {
  const child = spawn(process.execPath, [MAIN, 'nbd', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return { child, uri: (await lines.next()).value as string };
}

export function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return ended;
}

/** The export as a file. @returns its path */
export async function mountFuse(uri: string, mountPoint: string): Promise<string> {
  spawn('nbdfuse', [mountPoint, uri], { stdio: 'inherit' });
  const image = join(mountPoint, 'nbd');
  await expect.poll(() => existsSync(image), { timeout: 10_000 }).toBe(true);
  return image;
}
