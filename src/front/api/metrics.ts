/**
 * Metrics in the Prometheus text format: calls of the API, and what a plane holds.
 *
 * Label values are names out of our own tables: nothing a caller sent becomes one.
 *
 * **Source:** Prometheus, "Exposition formats", text-based format 0.0.4.
 */
import type { Plane } from '../../types.ts';
import type { ApiCallLine } from './server.ts';

/** Upper bounds, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

interface Histogram {
  readonly counts: number[];
  seconds: number;
  total: number;
}

/** Counts calls since the server started. */
export class CallCounters {
  private readonly calls = new Map<string, number>();
  private readonly times = new Map<string, Histogram>();

  count({ service, action, code, milliseconds }: ApiCallLine): void {
    const labels = `service="${service}",action="${action}"`;
    const key = `${labels},code="${code === '' ? 'OK' : code}"`;
    this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
    const seconds = milliseconds / 1_000;
    let times = this.times.get(labels);
    if (times === undefined) {
      times = { counts: BUCKETS.map(() => 0), seconds: 0, total: 0 };
      this.times.set(labels, times);
    }
    for (const [index, bound] of BUCKETS.entries()) {
      if (seconds <= bound) times.counts[index] = (times.counts[index] ?? 0) + 1;
    }
    times.seconds += seconds;
    times.total++;
  }

  lines(): string[] {
    const calls = [...this.calls].map(
      ([labels, count]) => `sealdisk_api_calls_total{${labels}} ${count}`,
    );
    const times = [...this.times].flatMap(([labels, { counts, seconds, total }]) => [
      ...BUCKETS.map(
        (bound, index) =>
          `sealdisk_api_call_seconds_bucket{${labels},le="${bound}"} ${counts[index]}`,
      ),
      `sealdisk_api_call_seconds_bucket{${labels},le="+Inf"} ${total}`,
      `sealdisk_api_call_seconds_sum{${labels}} ${seconds.toFixed(6)}`,
      `sealdisk_api_call_seconds_count{${labels}} ${total}`,
    ]);
    return [
      ...head('sealdisk_api_calls_total', 'counter', 'Calls of the cloud API, by outcome.'),
      ...calls,
      ...head('sealdisk_api_call_seconds', 'histogram', 'Time a call of the cloud API took.'),
      ...times,
    ];
  }
}

/** DATA: what is told of every shard: its name, its type, what it is, and where it stands. */
const SHARD_METRICS = [
  ['sealdisk_live_sectors', 'gauge', 'Sectors some tree refers to.', 'liveSectors'],
  ['sealdisk_stored_sectors', 'gauge', 'Sectors of ciphertext stored.', 'storedSectors'],
  ['sealdisk_map_bytes', 'gauge', 'Memory of the chunk map.', 'mapBytes'],
  ['sealdisk_segments', 'gauge', 'Segments.', 'segments'],
  ['sealdisk_trees', 'gauge', 'Trees: disks, snapshots, layers.', 'trees'],
  ['sealdisk_reclaimed_sectors_total', 'counter', 'Sectors reclaim has moved.', 'reclaimedSectors'],
  ['sealdisk_open_volumes', 'gauge', 'Volumes of attached disks.', 'openVolumes'],
  ['sealdisk_held_keys', 'gauge', 'Data keys held in plaintext schedules.', 'heldKeys'],
] as const;

/** The whole page. */
export async function renderMetrics(counters: CallCounters, plane: Plane): Promise<string> {
  const { shards } = await plane.stats();
  const lines = counters.lines();
  for (const [name, type, meaning, field] of SHARD_METRICS) {
    lines.push(...head(name, type, meaning));
    for (const [shard, stats] of shards.entries()) {
      lines.push(`${name}{shard="${shard}",engine="${stats.engine}"} ${stats[field]}`);
    }
  }
  lines.push(...head('sealdisk_disks', 'gauge', 'Disks of all accounts.'));
  for (const { Status, Encrypted, Count } of plane.countDisks()) {
    lines.push(`sealdisk_disks{status="${Status}",encrypted="${Encrypted}"} ${Count}`);
  }
  return `${lines.join('\n')}\n`;
}

function head(name: string, type: string, meaning: string): string[] {
  return [`# HELP ${name} ${meaning}`, `# TYPE ${name} ${type}`];
}
