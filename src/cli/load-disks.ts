/** What `sealdisk load` says of the disks it makes: --category, --disk-size and so on. */
import type { LoadDiskKind } from '../load/target-library.ts';
import type { DiskPerformance } from '../types.ts';
import { UsageError } from './exit-codes.ts';

export interface DiskFlags {
  readonly performance?: string;
  readonly category?: string;
  readonly performanceLevel?: string;
  readonly diskSize?: string;
  readonly provisionedIops?: string;
  readonly bursting?: boolean;
}

/** As option and what it says. */
export const DISK_OPTIONS: readonly (readonly [string, string])[] = [
  ['--performance <how>', 'unlimited, or modelled: as fast as the disks are sold as [unlimited]'],
  ['--category <name>', 'of the disks: cloud_essd, cloud_auto, cloud_ssd, … [cloud_auto]'],
  ['--performance-level <level>', 'of cloud_essd: PL0 to PL3 [PL1]'],
  ['--disk-size <GiB>', 'of the disks, as 100 or 100G; jobs use what they say of it [as needed]'],
  ['--provisioned-iops <n>', 'of cloud_auto [0]'],
  ['--bursting', 'of cloud_auto: they burst'],
];

/** @throws UsageError */
export function diskKindOf(flags: DiskFlags): LoadDiskKind {
  const { category, performanceLevel, diskSize, provisionedIops, bursting } = flags;
  const chosen = category ?? (performanceLevel === undefined ? undefined : 'cloud_essd');
  return {
    ...(chosen === undefined ? {} : { DiskCategory: chosen }),
    ...(performanceLevel === undefined ? {} : { PerformanceLevel: performanceLevel }),
    ...(diskSize === undefined ? {} : { Size: sizeGiBOf(diskSize) }),
    ...(provisionedIops === undefined
      ? {}
      : { ProvisionedIops: wholeNumber('provisioned-iops', provisionedIops) }),
    ...(bursting === true ? { BurstingEnabled: true } : {}),
  };
}

/** @throws UsageError */
export function performanceOf(performance: string | undefined): DiskPerformance | undefined {
  if (performance === undefined) return undefined;
  if (performance === 'unlimited' || performance === 'modelled') return performance;
  throw new UsageError(`--performance: expected unlimited or modelled, got '${performance}'`);
}

function sizeGiBOf(text: string): number {
  const match = /^(\d{1,5})(g|gib|t|tib)?$/i.exec(text);
  const number = Number(match?.[1] ?? 0);
  if (match === null || number === 0) {
    throw new UsageError(`--disk-size: expected whole GiB, as 100 or 100G, got '${text}'`);
  }
  return match[2]?.toLowerCase().startsWith('t') === true ? number * 1024 : number;
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new UsageError(`--${name}: expected a whole number, got '${text}'`);
}
