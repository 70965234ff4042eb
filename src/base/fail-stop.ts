/**
 * The end of a process that can no longer keep what it promised: a line on stderr, then SIGKILL.
 *
 * By signal, because anything gentler can hang: LMDB waits at exit for a commit that never ends.
 * What was acknowledged is on disk; recovery is the next open.
 *
 * **Thread:** any. The line goes past the streams of Node, which need main to be alive.
 */
import { writeSync } from 'node:fs';

const STDERR = 2;

export function failStop(reason: string): void {
  try {
    writeSync(STDERR, `sealdisk: fatal: ${reason}; the process ends itself\n`);
  } catch {
    // Nobody listens any more. It ends all the same.
  }
  process.kill(process.pid, 'SIGKILL');
}
