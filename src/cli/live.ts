/**
 * `sealdisk load --live`: the full-screen view of a run, and the terminal given back whatever ends
 * it: the run's end, an exception, a signal. While the process is stopped (Ctrl-Z) the terminal is
 * the shell's.
 */

import type { JobProgress } from '../load/job-run.ts';
import type { LoadActivity } from '../load/live-activity.ts';
import { LiveScreen, type ScreenStream } from '../load/live-screen.ts';
import { type FrameStyle, LiveView } from '../load/live-view.ts';
import { UsageError } from './exit-codes.ts';

export interface WatchedRun {
  progress(): JobProgress;
  /** @default none are known, the totals are */
  activities?(): LoadActivity[];
}

/** Signals that end the process at once: afterwards they do so as if nobody had listened. */
const ENDING = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** @throws UsageError the stream is no terminal that can be drawn on */
export function checkLive(
  { isTTY }: ScreenStream,
  { TERM }: Readonly<Record<string, string | undefined>>,
): void {
  if (isTTY !== true) throw new UsageError('--live: expected a terminal on stderr, and no --quiet');
  if (TERM === 'dumb') throw new UsageError('--live: expected a terminal that can be drawn on');
}

/** True if the environment says that the terminal is of Unicode. */
export function hasUnicode(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = environment;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

/** Shows a run until stop() is called. */
export function startLive(
  stream: ScreenStream,
  style: FrameStyle,
  run: WatchedRun,
): { stop(): void } {
  const view = new LiveView();
  const screen = new LiveScreen(stream, (size, nowMs) => {
    view.look(nowMs, run.progress(), run.activities?.() ?? []);
    return view.frame(size, style);
  });
  const leave = (): void => screen.leave();
  const enter = (): void => screen.enter();
  const endBy = (signal: NodeJS.Signals): void => {
    stop();
    process.kill(process.pid, signal);
  };
  const pause = (): void => {
    leave();
    process.kill(process.pid, 'SIGSTOP');
  };
  const stop = (): void => {
    leave();
    process.off('exit', leave);
    process.off('uncaughtExceptionMonitor', leave);
    process.off('SIGTSTP', pause);
    process.off('SIGCONT', enter);
    for (const signal of ENDING) process.off(signal, endBy);
  };
  process.on('exit', leave);
  process.on('uncaughtExceptionMonitor', leave);
  process.on('SIGTSTP', pause);
  process.on('SIGCONT', enter);
  for (const signal of ENDING) process.once(signal, endBy);
  enter();
  return { stop };
}
