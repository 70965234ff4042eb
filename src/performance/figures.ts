/**
 * DATA: how fast a disk is by its category, level and size, as the cloud publishes it. Pure.
 *
 * min{base + perGiB x size, cap}, and for AutoPL at least a floor.
 *
 * **MB/s is 2^20 bytes a second.** By the figures of the standard SSD: 9,600 requests of 32 KiB and
 * 4,800 of 64 KiB a second are both published as 300 MB/s, and both are 300 x 2^20 exactly; and the
 * throughput of provisioned IOPS is published as 16 KB x IOPS / 1024.
 *
 * ESSD PL-X of the documents (3,000,000 IOPS) is no level the API knows, and has no row.
 *
 * What an instance does on all its disks together is in instance-figures.ts: the smaller counts.
 */

/** base + perGiB x size, within [floor, cap]. */
export interface Line {
  readonly base: number;
  readonly perGiB: number;
  readonly floor: number;
  readonly cap: number;
}

/** Every request of a size takes between average - spread and average + spread. */
export interface Latency {
  readonly average: number;
  readonly spread: number;
}

/** At most so many requests a second of so many bytes each, however large the disk. */
export interface BlockSizeLimit {
  readonly bytes: number;
  readonly iops: number;
}

export interface PerformanceRow {
  readonly category: string;
  /** Of cloud_essd; else ''. */
  readonly performanceLevel: string;
  readonly iops: Line;
  /** MB/s. */
  readonly throughput: Line;
  /** Of a write of 4 KiB, one at a time. A range is published: its middle and half its width. */
  readonly latencyMicroseconds: Latency;
  /** By ascending size; empty: none are published. */
  readonly blockSizes: readonly BlockSizeLimit[];
  /** The document the row comes from, and what in it is a choice of ours. */
  readonly source: string;
}

const TABLE = 'Block storage performance';
const AUTO = 'ESSD AutoPL disks, Specifications';
const UPPER_BOUNDS = `${TABLE}: upper bounds only; no latency is published, an ESSD's is taken`;

const NO_BLOCK_SIZES: readonly BlockSizeLimit[] = [];
const SSD_BLOCK_SIZES: readonly BlockSizeLimit[] = [
  { bytes: 4096, iops: 25_000 },
  { bytes: 16_384, iops: 17_200 },
  { bytes: 32_768, iops: 9600 },
  { bytes: 65_536, iops: 4800 },
];

function line(base: number, perGiB: number, cap: number, floor = 0): Line {
  return { base, perGiB, floor, cap };
}

/** Published as "a to b" microseconds. */
function between(least: number, most: number): Latency {
  return { average: (least + most) / 2, spread: (most - least) / 2 };
}

/** Published as one figure. */
function about(average: number): Latency {
  return { average, spread: 0 };
}

type Row = readonly [string, string, Line, Line, Latency, string];

const ROWS: readonly Row[] = [
  ['cloud_essd', 'PL3', line(1800, 50, 1_000_000), line(120, 0.5, 4000), about(200), TABLE],
  ['cloud_essd', 'PL2', line(1800, 50, 100_000), line(120, 0.5, 750), about(200), TABLE],
  ['cloud_essd', 'PL1', line(1800, 50, 50_000), line(120, 0.5, 350), about(200), TABLE],
  ['cloud_essd', 'PL0', line(1800, 12, 10_000), line(100, 0.25, 180), between(300, 500), TABLE],
  ['cloud_essd_entry', '', line(1800, 8, 6000), line(100, 0.15, 150), between(1000, 3000), TABLE],
  ['cloud_auto', '', line(1800, 50, 50_000, 3000), line(120, 0.5, 350, 125), about(200), AUTO],
  [
    'cloud_regional_disk_auto',
    '',
    line(1800, 50, 50_000),
    line(120, 0.5, 350),
    about(1000),
    `${TABLE}, Regional ESSD: the latency is published as of the order of a millisecond`,
  ],
  ['cloud_ssd', '', line(1800, 30, 25_000), line(120, 0.5, 300), between(500, 2000), TABLE],
  ['cloud_efficiency', '', line(1800, 8, 5000), line(100, 0.15, 140), between(1000, 3000), TABLE],
  [
    'cloud',
    '',
    line(300, 0, 300),
    line(30, 0, 40),
    between(5000, 10_000),
    `${TABLE}, basic disk: published as a few hundred IOPS and 30 to 40 MB/s, whatever the size`,
  ],
  ['elastic_ephemeral_disk_standard', '', ...upperBounds()],
  ['elastic_ephemeral_disk_premium', '', ...upperBounds()],
  ['ephemeral_ssd', '', ...upperBounds()],
];

function upperBounds(): readonly [Line, Line, Latency, string] {
  return [line(1_000_000, 0, 1_000_000), line(4096, 0, 4096), about(200), UPPER_BOUNDS];
}

/** One row for each category and level there is. */
export const PERFORMANCE: readonly PerformanceRow[] = ROWS.map(
  ([category, performanceLevel, iops, throughput, latencyMicroseconds, source]) => ({
    category,
    performanceLevel,
    iops,
    throughput,
    latencyMicroseconds,
    blockSizes: category === 'cloud_ssd' ? SSD_BLOCK_SIZES : NO_BLOCK_SIZES,
    source,
  }),
);

/**
 * AutoPL: what IOPS may be provisioned, what each brings, and how far a disk bursts.
 * Source: ESSD AutoPL disks, Specifications; ECS CreateDisk, parameter ProvisionedIops.
 */
export const AUTO_FIGURES = {
  category: 'cloud_auto',
  /** The smallest disk that can be provisioned, and that bursts. */
  gibMin: 4,
  /** Baseline and provisioned IOPS together, and IOPS in a burst. */
  iopsPerGiB: 1000,
  provisionedIopsMax: 50_000,
  burstIopsMax: 1_000_000,
  /** Of throughput, with each provisioned and each bursting operation. */
  bytesPerOperation: 16_384,
  /** MB/s, provisioned or bursting. */
  throughputMax: 4096,
} as const;
