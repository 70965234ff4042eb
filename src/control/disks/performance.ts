/**
 * DATA: IOPS and throughput of a disk by its category, level and size, as the cloud publishes them.
 * Pure. Source: "Block storage performance", "ESSD AutoPL disks" (2025/26).
 *
 * min{base + perGiB x size, cap}, and for AutoPL at least a floor, and what was provisioned on top.
 */
import { invariant } from '../../base/invariant.ts';
import type { DiskCategory } from '../encryption/categories.ts';
import type { DiskKind, PerformanceLevel } from './category-rules.ts';

/** base + perGiB x size, within [floor, cap]. */
interface Line {
  readonly base: number;
  readonly perGiB: number;
  readonly floor: number;
  readonly cap: number;
}

export interface PerformanceRow {
  readonly category: DiskCategory;
  readonly performanceLevel: PerformanceLevel | '';
  readonly iops: Line;
  /** MB/s. */
  readonly throughput: Line;
}

type Row = readonly [DiskCategory, PerformanceLevel | '', Line, Line];

function line(base: number, perGiB: number, cap: number, floor = 0): Line {
  return { base, perGiB, floor, cap };
}

const ROWS: readonly Row[] = [
  ['cloud_essd', 'PL3', line(1800, 50, 1_000_000), line(120, 0.5, 4000)],
  ['cloud_essd', 'PL2', line(1800, 50, 100_000), line(120, 0.5, 750)],
  ['cloud_essd', 'PL1', line(1800, 50, 50_000), line(120, 0.5, 350)],
  ['cloud_essd', 'PL0', line(1800, 12, 10_000), line(100, 0.25, 180)],
  ['cloud_essd_entry', '', line(1800, 8, 6000), line(100, 0.15, 150)],
  ['cloud_auto', '', line(1800, 50, 50_000, 3000), line(120, 0.5, 350, 125)],
  ['cloud_regional_disk_auto', '', line(1800, 50, 50_000), line(120, 0.5, 350)],
  ['cloud_ssd', '', line(1800, 30, 25_000), line(120, 0.5, 300)],
  ['cloud_efficiency', '', line(1800, 8, 5000), line(100, 0.15, 140)],
  // "A few hundred" and "30 to 40", whatever the size.
  ['cloud', '', line(300, 0, 300), line(30, 0, 40)],
  // Only the upper bounds are published.
  ['elastic_ephemeral_disk_standard', '', line(1_000_000, 0, 1_000_000), line(4096, 0, 4096)],
  ['elastic_ephemeral_disk_premium', '', line(1_000_000, 0, 1_000_000), line(4096, 0, 4096)],
  ['ephemeral_ssd', '', line(1_000_000, 0, 1_000_000), line(4096, 0, 4096)],
];

export const PERFORMANCE: readonly PerformanceRow[] = ROWS.map(
  ([category, performanceLevel, iops, throughput]) => ({
    category,
    performanceLevel,
    iops,
    throughput,
  }),
);

/** AutoPL: what provisioned IOPS may be, and what bursting needs. */
const PROVISIONED_GIB_MIN = 4;
const PROVISIONED_PER_GIB = 1000;
const PROVISIONED_IOPS_MAX = 50_000;
const AUTO_THROUGHPUT_MAX = 4096;
/** MB/s that each provisioned operation brings: 16 KiB. */
const PROVISIONED_MB = 16 / 1024;

export interface Performance {
  readonly iops: number;
  /** MB/s. */
  readonly throughput: number;
}

/** Without bursting: what the disk has all the time. */
export function performanceOf(
  kind: DiskKind,
  sizeGiB: number,
  provisionedIops: number,
): Performance {
  const row = rowOf(kind);
  const throughput = valueAt(row.throughput, sizeGiB) + provisionedIops * PROVISIONED_MB;
  const cap = provisionedIops === 0 ? row.throughput.cap : AUTO_THROUGHPUT_MAX;
  return {
    iops: valueAt(row.iops, sizeGiB) + provisionedIops,
    throughput: Math.floor(Math.min(throughput, cap)),
  };
}

/** The most ProvisionedIops an AutoPL disk of a size takes. */
export function provisionedIopsMax(kind: DiskKind, sizeGiB: number): number {
  if (sizeGiB < PROVISIONED_GIB_MIN) return 0;
  const baseline = valueAt(rowOf(kind).iops, sizeGiB);
  return Math.max(0, Math.min(PROVISIONED_PER_GIB * sizeGiB - baseline, PROVISIONED_IOPS_MAX));
}

/** The smallest AutoPL disk that bursts, GiB. */
export const BURSTING_GIB_MIN: number = PROVISIONED_GIB_MIN;

function rowOf(kind: DiskKind): PerformanceRow {
  const row = PERFORMANCE.find(
    ({ category, performanceLevel }) =>
      category === kind.category && performanceLevel === kind.performanceLevel,
  );
  invariant(row !== undefined, `${kind.category} ${kind.performanceLevel} has a performance`);
  return row;
}

function valueAt({ base, perGiB, floor, cap }: Line, sizeGiB: number): number {
  return Math.max(Math.min(Math.floor(base + perGiB * sizeGiB), cap), floor);
}
