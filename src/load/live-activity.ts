/**
 * What one job does on one disk just now, as data: from clones of this thread, of others, or both.
 *
 * Counts are totals, so that who looks twice knows what happened in between; latencies are those of
 * the last second, which cannot be told from totals.
 */
import { pointSince, type SeriesPoint } from './interval-series.ts';
import type { LoadStats } from './load-stats.ts';
import type { DiskStages, TargetDisk } from './target.ts';

export const RECENT_MS = 1000;

export interface LoadActivity {
  readonly job: string;
  readonly disk: string;
  /** When the counts were taken, milliseconds since the epoch. */
  readonly atMs: number;
  /** Requests made and not completed. */
  readonly inFlight: number;
  readonly requests: number;
  readonly bytes: number;
  /** Of the last second, as far as its intervals are over. */
  readonly recent: SeriesPoint;
  /** Where the disk's requests spent their time, sums; null: the target does not say. */
  readonly stages: DiskStages | null;
}

/** What a clone, or a replay, does just now. */
export function activityOf(
  job: string,
  disk: string,
  stats: LoadStats,
  inFlight: number,
  disks: readonly TargetDisk[],
): LoadActivity {
  const atMs = performance.timeOrigin + performance.now();
  const series = stats.directions.map((direction) => direction.series);
  const [requests, bytes] = [stats.requests(), stats.bytes()];
  const recent = pointSince(series, atMs - RECENT_MS);
  return { job, disk, atMs, inFlight, requests, bytes, recent, stages: stagesOf(disks) };
}

/** One row for each job and disk, in the order of their first. */
export function joinActivities(all: readonly LoadActivity[]): LoadActivity[] {
  const rows = new Map<string, LoadActivity[]>();
  for (const each of all) {
    const key = activityKey(each);
    rows.set(key, [...(rows.get(key) ?? []), each]);
  }
  return [...rows.values()].map((row) => (row.length === 1 ? row[0]! : joinRow(row)));
}

/** The same for what is of one job on one disk. */
export function activityKey({ job, disk }: LoadActivity): string {
  return `${job}\n${disk}`;
}

function joinRow(row: readonly LoadActivity[]): LoadActivity {
  const sum = (key: 'inFlight' | 'requests' | 'bytes' | 'atMs'): number =>
    row.reduce((total, each) => total + each[key], 0);
  const records = row.map(({ recent }) => ({ intervalMs: 1, points: [recent] }));
  return {
    ...row[0]!,
    // Threads tell of themselves at their own times: counts are of the time in the middle.
    atMs: sum('atMs') / row.length,
    inFlight: sum('inFlight'),
    requests: sum('requests'),
    bytes: sum('bytes'),
    recent: pointSince(records, Number.NEGATIVE_INFINITY),
  };
}

/** The sums of several disks; null if not all of them say. */
function stagesOf(disks: readonly TargetDisk[]): DiskStages | null {
  const all = disks.map((disk) => disk.stages?.() ?? null);
  const known = all.filter((stages) => stages !== null);
  if (known.length === 0 || known.length < all.length) return null;
  const sum = (key: keyof DiskStages): number =>
    known.reduce((total, stages) => total + stages[key], 0);
  return {
    requests: sum('requests'),
    queue: sum('queue'),
    crypto: sum('crypto'),
    store: sum('store'),
    held: sum('held'),
    answer: sum('answer'),
  };
}

/**
 * The share of requests' time that went into cryptography between two looks.
 *
 * @returns 0 to 1; null: no request was timed in between, or the target does not say
 */
export function cryptoShare(before: LoadActivity, now: LoadActivity): number | null {
  const [from, to] = [before.stages, now.stages];
  if (from === null || to === null || to.requests <= from.requests) return null;
  const spent = (['queue', 'crypto', 'store', 'held', 'answer'] as const).reduce(
    (sum, stage) => sum + to[stage] - from[stage],
    0,
  );
  return spent <= 0 ? null : (to.crypto - from.crypto) / spent;
}
