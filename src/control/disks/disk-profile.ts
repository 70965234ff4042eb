/** How fast the disk of a record is (performance/profile.ts). Pure. */
import { GIB } from '../../base/units.ts';
import { type PerformanceProfile, profileOf } from '../../performance/profile.ts';
import type { DiskRecord } from '../../record/resource.ts';

export function profileOfDisk(disk: DiskRecord): PerformanceProfile {
  const { category, performanceLevel, provisionedIops, burstingEnabled, sizeBytes } = disk;
  const sizeGiB = sizeBytes / GIB;
  const kind = { category, performanceLevel };
  return profileOf({ ...kind, sizeGiB, provisionedIops, bursting: burstingEnabled });
}
