/**
 * strace, as far as torture needs it: counting system calls, and making the n-th of a kind fail or
 * kill the process. It is an external program: where it is missing, or may not trace, what needs it
 * is left out.
 *
 * `when=n` counts for each thread by itself, so victims run with one thread in libuv's pool.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** System calls that change files. */
const FILE_CALLS = ['pwrite64', 'fdatasync', 'fsync', 'rename', 'unlink', 'ftruncate'] as const;

export type FileCall = (typeof FILE_CALLS)[number];

export interface Point {
  readonly call: FileCall;
  /** From 1, of any one thread. */
  readonly when: number;
  /** The only file whose calls count. null: all */
  readonly path: string | null;
}

export const STRACE_ENVIRONMENT: Readonly<Record<string, string>> = { UV_THREADPOOL_SIZE: '1' };

let missing: string | null | undefined;

/** Why there is no tracing here, null if there is. */
export function straceMissing(): string | null {
  if (missing === undefined) {
    const inject = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=1'];
    const { error, status } = spawnSync('strace', [
      '-f',
      '-qq',
      ...inject,
      '-o',
      '/dev/null',
      'true',
    ]);
    const reason = error === undefined ? `it ended with ${status}` : String(error.message);
    missing = status === 0 ? null : `strace cannot be used: ${reason}`;
  }
  return missing;
}

/** @param does what happens at the point, in strace's words */
export function straceCommand(trace: string, point: Point | null, does = ''): string[] {
  const only = point?.path == null ? [] : ['-P', point.path];
  const inject =
    point === null ? [] : ['-e', `inject=${point.call}:${does}`.replace('%', String(point.when))];
  const calls = ['-e', `trace=${FILE_CALLS.join()}`];
  return ['strace', '-f', '-qq', '-y', '-o', trace, ...only, ...calls, ...inject];
}

/**
 * Every point a traced run passed: of all files, and of single files that may never be first.
 *
 * @param paths files that are counted by themselves too
 */
export function pointsOf(trace: string, paths: readonly string[]): Point[] {
  const counts = new Map<string, number>();
  const most = new Map<string, number>();
  const lines = existsSync(trace) ? readFileSync(trace, 'utf8').split('\n') : [];
  for (const line of lines) {
    const parsed = /^(\d+) +(\w+)\((.*)$/.exec(line);
    if (parsed === null) continue;
    const [, thread, call, rest] = parsed;
    for (const path of ['', ...paths.filter((one) => rest!.includes(one))]) {
      const kind = `${call} ${path}`;
      const count = 1 + (counts.get(`${thread} ${kind}`) ?? 0);
      counts.set(`${thread} ${kind}`, count);
      most.set(kind, Math.max(most.get(kind) ?? 0, count));
    }
  }
  return [...most].flatMap(([kind, count]) => {
    const [call, path] = kind.split(' ') as [FileCall, string];
    if (!FILE_CALLS.includes(call)) return [];
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    return numbers.map((when) => ({ call, when, path: path === '' ? null : path }));
  });
}
