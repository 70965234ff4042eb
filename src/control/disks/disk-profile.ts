/** How fast the disk of a record is (performance/profile.ts). Pure. */
import { GIB } from '../../base/units.ts';
import {
  type PerformanceProfile,
  type ProfiledDisk,
  profileOf,
  type Rates,
  ratesOf,
} from '../../performance/profile.ts';
import type { DiskRecord } from '../../record/resource.ts';

export function profileOfDisk(disk: DiskRecord): PerformanceProfile {
  return profileOf(profiled(disk));
}

/** Those of its profile, at less cost. */
export function ratesOfDisk(disk: DiskRecord): Rates {
  return ratesOf(profiled(disk));
}

function profiled(disk: DiskRecord): ProfiledDisk {
  const { category, performanceLevel, provisionedIops, burstingEnabled, sizeBytes } = disk;
  const sizeGiB = sizeBytes / GIB;
  return { category, performanceLevel, sizeGiB, provisionedIops, bursting: burstingEnabled };
}
