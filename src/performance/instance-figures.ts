/**
 * DATA: what an instance type does on all its disks together, as the cloud publishes it. Pure.
 *
 * The baseline: what is there at any time. Small instances may burst beyond it for some minutes of
 * a day, on credits of which the documents give no balance; that is left out. A type that is not
 * listed has no limit here. Bandwidth is published in Gbit/s, of 10^9 bits.
 */
import type { Rates } from './profile.ts';

export interface InstanceRow extends Rates {
  readonly instanceType: string;
  /** The document the row comes from. */
  readonly source: string;
}

const SOURCE = 'Overview of instance families: baseline disk IOPS, baseline disk bandwidth';
const BYTES_PER_GIGABIT = 1e9 / 8;

/** Instance type, IOPS, Gbit/s. */
const ROWS: readonly (readonly [string, number, number])[] = [
  ['ecs.g7.large', 20_000, 1.5],
  ['ecs.g7.xlarge', 40_000, 2],
  ['ecs.g7.2xlarge', 50_000, 3],
  ['ecs.g7.3xlarge', 70_000, 4],
  ['ecs.g7.4xlarge', 80_000, 5],
  ['ecs.g7.6xlarge', 110_000, 6],
  ['ecs.g7.8xlarge', 160_000, 10],
  ['ecs.g7.16xlarge', 360_000, 16],
  ['ecs.g7.32xlarge', 600_000, 32],
  ['ecs.g6e.large', 20_000, 1],
  ['ecs.g6e.xlarge', 40_000, 1.5],
  ['ecs.g6e.2xlarge', 50_000, 2],
  ['ecs.g6e.4xlarge', 80_000, 3],
  ['ecs.g6e.8xlarge', 150_000, 5],
  ['ecs.g6e.13xlarge', 240_000, 8],
  ['ecs.g6e.26xlarge', 480_000, 16],
  ['ecs.g6.large', 10_000, 1],
  ['ecs.g6.xlarge', 20_000, 1.5],
  ['ecs.g6.2xlarge', 25_000, 2],
  ['ecs.g6.3xlarge', 30_000, 2.5],
  ['ecs.g6.4xlarge', 40_000, 3],
  ['ecs.g6.6xlarge', 50_000, 4],
  ['ecs.g6.8xlarge', 60_000, 5],
  ['ecs.g6.13xlarge', 100_000, 8],
  ['ecs.g6.26xlarge', 200_000, 16],
];

export const INSTANCE_FIGURES: readonly InstanceRow[] = ROWS.map(
  ([instanceType, iops, gigabits]) => ({
    instanceType,
    iops,
    bytesPerSecond: gigabits * BYTES_PER_GIGABIT,
    source: SOURCE,
  }),
);

const BY_TYPE: ReadonlyMap<string, InstanceRow> = new Map(
  INSTANCE_FIGURES.map((row) => [row.instanceType, row]),
);

/** @returns null: it is not listed */
export function instanceRatesOf(instanceType: string): Rates | null {
  const row = BY_TYPE.get(instanceType);
  return row === undefined ? null : { iops: row.iops, bytesPerSecond: row.bytesPerSecond };
}
