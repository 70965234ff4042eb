/**
 * Metrics in the Prometheus text format: calls of the API, requests to disks, calls to the KMS, and
 * what a plane holds.
 *
 * Label values are names out of our own tables: nothing a caller sent becomes one.
 *
 * **Source:** Prometheus, "Exposition formats", text-based format 0.0.4.
 */
import { type TimeCounts, TimeHistogram } from '../../base/time-histogram.ts';
import type { Plane, PlaneStats } from '../../types.ts';
import type { ApiCallLine } from './server.ts';

/** Upper bounds, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Counts calls since the server started. */
export class CallCounters {
  private readonly calls = new Map<string, number>();
  private readonly times = new Map<string, TimeHistogram>();

  count({ service, action, code, milliseconds }: ApiCallLine): void {
    const labels = `service="${service}",action="${action}"`;
    const key = `${labels},code="${code === '' ? 'OK' : code}"`;
    this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
    const seconds = milliseconds / 1_000;
    let times = this.times.get(labels);
    if (times === undefined) {
      times = new TimeHistogram(BUCKETS);
      this.times.set(labels, times);
    }
    times.add(seconds);
  }

  lines(): string[] {
    const calls = [...this.calls].map(
      ([labels, count]) => `sealdisk_api_calls_total{${labels}} ${count}`,
    );
    const times = [...this.times].flatMap(([labels, histogram]) =>
      timeLines('sealdisk_api_call_seconds', labels, histogram.read()),
    );
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
  const { shards, kms } = await plane.stats();
  const lines = [...counters.lines(), ...ioLines(shards), ...kmsLines(kms)];
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

const STAGE_METRIC = 'sealdisk_io_stage_seconds';

/** By shard, by what is asked, and by whether the disk is encrypted: not by disk. */
function ioLines(shards: PlaneStats['shards']): string[] {
  const rows = shards.flatMap(({ io }, shard) =>
    io.map((row) => ({
      ...row,
      labels: `shard="${shard}",operation="${row.operation}",encrypted="${row.encrypted}"`,
    })),
  );
  return [
    ...head('sealdisk_io_requests_total', 'counter', 'Requests to attached disks.'),
    ...rows.map(({ labels, requests }) => `sealdisk_io_requests_total{${labels}} ${requests}`),
    ...head('sealdisk_io_bytes_total', 'counter', 'Bytes of the requests that were done.'),
    ...rows.map(({ labels, bytes }) => `sealdisk_io_bytes_total{${labels}} ${bytes}`),
    ...head('sealdisk_io_failures_total', 'counter', 'Requests to attached disks that failed.'),
    ...rows.map(({ labels, failures }) => `sealdisk_io_failures_total{${labels}} ${failures}`),
    ...head('sealdisk_io_seconds', 'histogram', 'From call to answer, of a sample of requests.'),
    ...rows.flatMap(({ labels, times }) => timeLines('sealdisk_io_seconds', labels, times)),
    ...head(STAGE_METRIC, 'histogram', 'The same, by stage; kms: the data keys of an attach.'),
    ...rows.flatMap(({ labels, stages }) =>
      stages.flatMap(({ stage, times }) =>
        timeLines(STAGE_METRIC, `${labels},stage="${stage}"`, times),
      ),
    ),
    ...shards.flatMap(({ unwraps }, shard) => {
      const labels = `shard="${shard}",operation="attach",encrypted="true",stage="kms"`;
      return timeLines(STAGE_METRIC, labels, unwraps);
    }),
  ];
}

function kmsLines(calls: PlaneStats['kms']): string[] {
  const rows = calls.map((row) => ({ ...row, labels: `operation="${row.operation}"` }));
  return [
    ...head('sealdisk_kms_failures_total', 'counter', 'Calls to the KMS thread that failed.'),
    ...rows.map(({ labels, failures }) => `sealdisk_kms_failures_total{${labels}} ${failures}`),
    ...head('sealdisk_kms_call_seconds', 'histogram', 'Time a call to the KMS thread took.'),
    ...rows.flatMap(({ labels, times }) => timeLines('sealdisk_kms_call_seconds', labels, times)),
  ];
}

function timeLines(name: string, labels: string, { atMost, seconds, total }: TimeCounts): string[] {
  return [
    ...atMost.map(([bound, count]) => `${name}_bucket{${labels},le="${bound}"} ${count}`),
    `${name}_bucket{${labels},le="+Inf"} ${total}`,
    `${name}_sum{${labels}} ${seconds.toFixed(6)}`,
    `${name}_count{${labels}} ${total}`,
  ];
}

function head(name: string, type: string, meaning: string): string[] {
  return [`# HELP ${name} ${meaning}`, `# TYPE ${name} ${type}`];
}
