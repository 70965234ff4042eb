/**
 * How fast one disk is: the published figures (figures.ts) at its size.
 *
 * Bursting is not saved up for: the documents know no balance of credits. A disk that may burst
 * simply has the higher figures, and what it does beyond the others is counted and billed.
 *
 * Pure.
 */
import { invariant } from '../base/invariant.ts';
import { MIB } from '../base/units.ts';
import {
  AUTO_FIGURES,
  type BlockSizeLimit,
  type Latency,
  type Line,
  PERFORMANCE,
  type PerformanceRow,
} from './figures.ts';

/** What the performance of a disk depends on. */
export interface ProfiledDisk {
  readonly category: string;
  /** '' unless the category is cloud_essd. */
  readonly performanceLevel: string;
  readonly sizeGiB: number;
  readonly provisionedIops: number;
  readonly bursting: boolean;
}

export interface Rates {
  /** Requests a second, reads and writes together. */
  readonly iops: number;
  readonly bytesPerSecond: number;
}

export interface PerformanceProfile extends Rates {
  /** Of one request of 4 KiB on an idle disk. */
  readonly latencyMicroseconds: Latency;
  /** What the disk reaches instead of iops and bytesPerSecond; null: it does not burst. */
  readonly burst: Rates | null;
  /** By ascending size; empty: the IOPS are the same for every size. */
  readonly blockSizes: readonly BlockSizeLimit[];
}

const ROWS: ReadonlyMap<string, PerformanceRow> = new Map(
  PERFORMANCE.map((row) => [`${row.category} ${row.performanceLevel}`, row]),
);

export function profileOf(disk: ProfiledDisk): PerformanceProfile {
  const { iops, bytesPerSecond } = ratesOf(disk);
  const { latencyMicroseconds, blockSizes } = rowOf(disk);
  const bursts = disk.bursting && canBurst(disk.category, disk.sizeGiB);
  const burst = bursts ? burstOf({ iops, bytesPerSecond }, disk.sizeGiB) : null;
  return { iops, bytesPerSecond, latencyMicroseconds, burst, blockSizes };
}

/** A stage of these rates, without a latency: what disks share, if they do. */
export function stageOf({ iops, bytesPerSecond }: Rates): PerformanceProfile {
  const latencyMicroseconds = { average: 0, spread: 0 };
  return { iops, bytesPerSecond, latencyMicroseconds, burst: null, blockSizes: [] };
}

/** Those of its profile: what a disk reaches without a burst. */
export function ratesOf(disk: Omit<ProfiledDisk, 'bursting'>): Rates {
  const { sizeGiB, provisionedIops } = disk;
  const row = rowOf(disk);
  const iops = valueAt(row.iops, sizeGiB) + provisionedIops;
  const base = valueAt(row.throughput, sizeGiB) * MIB;
  const provisioned = base + provisionedIops * AUTO_FIGURES.bytesPerOperation;
  const bytesPerSecond =
    provisionedIops === 0 ? base : Math.min(provisioned, AUTO_FIGURES.throughputMax * MIB);
  return { iops: Math.floor(iops), bytesPerSecond };
}

/** The most ProvisionedIops an AutoPL disk of a size takes. */
export function provisionedIopsMax(
  kind: Pick<ProfiledDisk, 'category' | 'performanceLevel'>,
  sizeGiB: number,
): number {
  const { gibMin, iopsPerGiB, provisionedIopsMax: most } = AUTO_FIGURES;
  if (sizeGiB < gibMin) return 0;
  const baseline = valueAt(rowOf(kind).iops, sizeGiB);
  return Math.max(0, Math.min(iopsPerGiB * sizeGiB - baseline, most));
}

/** Requests of one size that a disk of these block sizes does a second, whatever else it has. */
export function iopsAtBlockSize(blockSizes: readonly BlockSizeLimit[], bytes: number): number {
  const above = blockSizes.findIndex((limit) => limit.bytes >= bytes);
  const high = blockSizes[above];
  const last = blockSizes.at(-1);
  if (last === undefined) return Number.POSITIVE_INFINITY;
  // Beyond the last one the throughput stays what it is.
  if (high === undefined) return (last.iops * last.bytes) / bytes;
  const low = blockSizes[above - 1];
  if (low === undefined) return high.iops;
  // In between the time of one request grows by a straight line.
  const part = (bytes - low.bytes) / (high.bytes - low.bytes);
  return 1 / ((1 - part) / low.iops + part / high.iops);
}

function canBurst(category: string, sizeGiB: number): boolean {
  return category === AUTO_FIGURES.category && sizeGiB >= AUTO_FIGURES.gibMin;
}

function burstOf(rates: Rates, sizeGiB: number): Rates {
  const { burstIopsMax, iopsPerGiB, bytesPerOperation, throughputMax } = AUTO_FIGURES;
  const iops = Math.max(Math.min(burstIopsMax, iopsPerGiB * sizeGiB), rates.iops);
  const most = Math.min(iops * bytesPerOperation, throughputMax * MIB);
  return { iops, bytesPerSecond: Math.max(most, rates.bytesPerSecond) };
}

function rowOf(kind: Pick<ProfiledDisk, 'category' | 'performanceLevel'>): PerformanceRow {
  const row = ROWS.get(`${kind.category} ${kind.performanceLevel}`);
  invariant(row !== undefined, `${kind.category} ${kind.performanceLevel} has a performance`);
  return row;
}

function valueAt({ base, perGiB, floor, cap }: Line, sizeGiB: number): number {
  return Math.max(Math.min(base + perGiB * sizeGiB, cap), floor);
}
