/**
 * The line that says how far a run is, as fio's: percentage, IOPS, MB/s, time to go.
 *
 * On stderr, and only if it is a terminal: never in a log, never near the data on stdout. The timer
 * does not keep the process alive.
 */
import type { JobProgress } from './job-run.ts';
import { megabytes, shortCount } from './text-table.ts';

const REFRESH_MS = 500;
const ERASE_LINE = '\r\x1b[K';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

export interface StatusLine {
  /** Erases the line. Idempotent. */
  stop(): void;
}

export interface StatusStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * @param stream stderr
 * @param isColoured false with NO_COLOR
 * @param progress asked twice a second
 */
export function startStatusLine(
  stream: StatusStream,
  isColoured: boolean,
  progress: () => JobProgress,
): StatusLine {
  if (stream.isTTY !== true) return { stop: () => {} };
  const beganAtMs = performance.now();
  let before = { atMs: beganAtMs, requests: 0, bytes: 0 };
  const refresh = (): void => {
    const now = progress();
    const atMs = performance.now();
    const line = statusText(now, before, atMs - before.atMs, atMs - beganAtMs);
    before = { atMs, requests: now.requests, bytes: now.bytes };
    const text = line.slice(0, (stream.columns ?? 80) - 1);
    stream.write(ERASE_LINE + (isColoured ? DIM + text + PLAIN : text));
  };
  const timer = setInterval(refresh, REFRESH_MS);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      stream.write(ERASE_LINE);
    },
  };
}

/**
 * @param before counts at the last line
 * @param sinceMs time since the last line
 * @param elapsedMs time since the start
 */
export function statusText(
  now: JobProgress,
  before: { readonly requests: number; readonly bytes: number },
  sinceMs: number,
  elapsedMs: number,
): string {
  const share = Number.isFinite(now.share) ? Math.min(1, Math.max(0, now.share)) : Number.NaN;
  const percent = Number.isNaN(share) ? '-.-%' : `${(share * 100).toFixed(1)}%`;
  const iops = shortCount(Math.max(0, now.requests - before.requests) * (1e3 / sinceMs));
  const bytes = megabytes(Math.max(0, now.bytes - before.bytes) * (1e3 / sinceMs));
  const isKnown = !Number.isNaN(share) && share > 0;
  const eta = isKnown ? clockText((elapsedMs / share) * (1 - share)) : '--:--';
  return `${now.phase} [${percent}][${iops} IOPS][${bytes} MB/s][eta ${eta}]`;
}

/** 00m:12s, or hours and minutes. */
export function clockText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1e3);
  const two = (value: number): string => `${value}`.padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${two(minutes)}m:${two(seconds % 60)}s`;
  return `${two(Math.floor(minutes / 60))}h:${two(minutes % 60)}m`;
}
