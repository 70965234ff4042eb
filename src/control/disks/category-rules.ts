/**
 * DATA: which sizes a disk may have, by category, performance level and use. Pure.
 *
 * A performance level is of cloud_essd alone; every other category has the level ''. Hit policy
 * unique: exactly one row for each category, level it can have, and use (tested).
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { DiskType } from '../../record/resource.ts';
import type { DiskCategory } from '../encryption/categories.ts';
import type { RuleSet } from '../encryption/cells.ts';

export const PERFORMANCE_LEVELS = ['PL0', 'PL1', 'PL2', 'PL3'] as const;
export type PerformanceLevel = (typeof PERFORMANCE_LEVELS)[number];

/**
 * What a disk is that nothing was said about: the newest its generation knows that takes every size
 * and can be encrypted whatever it is made of. (The cloud's own default, cloud, can be neither.)
 */
const KIND_DEFAULTS: Readonly<Record<RuleSet, DiskKind>> = {
  '2018': { category: 'cloud_essd', performanceLevel: 'PL0' },
  '2020': { category: 'cloud_essd', performanceLevel: 'PL0' },
  '2025': { category: 'cloud_auto', performanceLevel: '' },
};
/** Source: ECS CreateDisk, parameter PerformanceLevel. */
const PERFORMANCE_LEVEL_DEFAULT: PerformanceLevel = 'PL1';

export interface SizeRule {
  readonly category: DiskCategory;
  readonly performanceLevel: PerformanceLevel | '';
  readonly type: DiskType;
  /** GiB; null: no such disk. */
  readonly sizes: { readonly min: number; readonly max: number } | null;
  readonly because: string;
  /** The document the row comes from. */
  readonly source: string;
}

const DATA = 'ECS CreateDisk, parameter Size';
const SYSTEM = 'ECS RunInstances, parameter SystemDisk.Size';

type Window = readonly [number, number] | null;
type Row = readonly [DiskCategory, PerformanceLevel | '', Window, Window];

/** Category, level, sizes of data disks, sizes of system disks. */
const WINDOWS: readonly Row[] = [
  ['cloud', '', [5, 2000], [20, 500]],
  ['cloud_efficiency', '', [20, 32_768], [20, 2048]],
  ['cloud_ssd', '', [20, 32_768], [20, 2048]],
  ['cloud_essd', 'PL0', [1, 65_536], [1, 2048]],
  ['cloud_essd', 'PL1', [20, 65_536], [20, 2048]],
  ['cloud_essd', 'PL2', [461, 65_536], [461, 2048]],
  ['cloud_essd', 'PL3', [1261, 65_536], [1261, 2048]],
  ['cloud_essd_entry', '', [10, 32_768], [10, 2048]],
  ['cloud_auto', '', [1, 65_536], [1, 2048]],
  ['cloud_regional_disk_auto', '', [10, 65_536], [10, 2048]],
  ['elastic_ephemeral_disk_standard', '', [64, 8192], null],
  ['elastic_ephemeral_disk_premium', '', [64, 8192], null],
  ['ephemeral_ssd', '', null, null],
];

export const SIZE_RULES: readonly SizeRule[] = WINDOWS.flatMap(
  ([category, level, data, system]) => [
    sizeRule(category, level, 'data', data, DATA),
    sizeRule(category, level, 'system', system, SYSTEM),
  ],
);

function sizeRule(
  category: DiskCategory,
  performanceLevel: PerformanceLevel | '',
  type: DiskType,
  window: Window,
  source: string,
): SizeRule {
  const name = performanceLevel === '' ? category : `${category} ${performanceLevel}`;
  const sizes = window === null ? null : { min: window[0], max: window[1] };
  const because =
    sizes === null
      ? `${category} is not sold as a ${type} disk of its own`
      : `a ${type} disk of ${name} has ${sizes.min} to ${sizes.max} GiB`;
  return { category, performanceLevel, type, sizes, because, source };
}

/** What a disk is to be sold as. */
export interface DiskKind {
  readonly category: DiskCategory;
  readonly performanceLevel: PerformanceLevel | '';
}

/**
 * The category and level of a disk from what a caller says of them.
 *
 * @throws PlaneError InvalidDiskCategory.NotSupported, InvalidPerformanceLevel.Malformed
 */
export function chooseKind(
  ruleSet: RuleSet,
  category: string | undefined,
  level: string | undefined,
): DiskKind {
  if (category === undefined && level === undefined) return KIND_DEFAULTS[ruleSet];
  const chosen = category ?? 'cloud_essd';
  if (!isCategory(chosen)) {
    throw new PlaneError(
      'InvalidDiskCategory.NotSupported',
      `expected a disk category, got ${JSON.stringify(String(chosen).slice(0, 64))}`,
    );
  }
  if (chosen !== 'cloud_essd') {
    if (level === undefined || level === '') return { category: chosen, performanceLevel: '' };
    throw new PlaneError(
      'InvalidPerformanceLevel.Malformed',
      `expected no PerformanceLevel with ${chosen}, got ${JSON.stringify(level.slice(0, 64))}`,
    );
  }
  const performanceLevel = PERFORMANCE_LEVELS.find((each) => each === level);
  if (performanceLevel !== undefined) return { category: chosen, performanceLevel };
  if (level === undefined) {
    return { category: chosen, performanceLevel: PERFORMANCE_LEVEL_DEFAULT };
  }
  throw new PlaneError(
    'InvalidPerformanceLevel.Malformed',
    `expected PL0 to PL3, got ${JSON.stringify(level.slice(0, 64))}`,
  );
}

/** @throws PlaneError InvalidDiskCategory.NotSupported, InvalidSize.*, OperationDenied.* */
export function checkSize(kind: DiskKind, type: DiskType, sizeGiB: number): void {
  const { sizes, because } = sizeRuleOf(kind, type);
  if (sizes === null) throw new PlaneError('InvalidDiskCategory.NotSupported', because);
  if (sizeGiB >= sizes.min && sizeGiB <= sizes.max) return;
  const code = fitsAnotherLevel(kind, type, sizeGiB)
    ? 'OperationDenied.PerformanceLevelNotMatch'
    : 'InvalidSize.ValueNotSupported';
  throw new PlaneError(code, `${because}; got ${sizeGiB}`);
}

/** @throws PlaneError InvalidDiskSize.TooLarge: a disk of this kind cannot grow so far */
export function checkGrowth(kind: DiskKind, type: DiskType, sizeGiB: number): void {
  const { sizes, because } = sizeRuleOf(kind, type);
  if (sizes !== null && sizeGiB <= sizes.max) return;
  throw new PlaneError('InvalidDiskSize.TooLarge', `${because}; got ${sizeGiB}`);
}

function sizeRuleOf(kind: DiskKind, type: DiskType): SizeRule {
  const rule = SIZE_RULES.find(
    (row) =>
      row.category === kind.category &&
      row.performanceLevel === kind.performanceLevel &&
      row.type === type,
  );
  invariant(rule !== undefined, `${kind.category} ${kind.performanceLevel} has sizes`);
  return rule;
}

function fitsAnotherLevel(kind: DiskKind, type: DiskType, sizeGiB: number): boolean {
  return SIZE_RULES.some(
    ({ category, type: use, sizes }) =>
      category === kind.category &&
      use === type &&
      sizes !== null &&
      sizeGiB >= sizes.min &&
      sizeGiB <= sizes.max,
  );
}

function isCategory(text: string): text is DiskCategory {
  return SIZE_RULES.some((row) => row.category === text);
}

/** The kind of a disk there is. */
export function kindOf(disk: {
  readonly category: string;
  readonly performanceLevel: string;
}): DiskKind {
  invariant(isCategory(disk.category), `${disk.category} is a category`);
  const level = PERFORMANCE_LEVELS.find((each) => each === disk.performanceLevel) ?? '';
  return { category: disk.category, performanceLevel: level };
}

/** What a category can be told besides its size, and with which code it says no. */
interface AutoRule {
  readonly parameter: 'ProvisionedIops' | 'BurstingEnabled';
  readonly categories: readonly DiskCategory[];
  readonly code: ErrorCode;
  readonly because: string;
  readonly source: string;
}

const AUTO_RULES: readonly AutoRule[] = [
  {
    parameter: 'ProvisionedIops',
    categories: ['cloud_auto'],
    code: 'ProvisionedIopsForDiskCategoryUnsupported',
    because: 'only ESSD AutoPL disks have provisioned IOPS',
    source: 'ECS CreateDisk, ProvisionedIopsForDiskCategoryUnsupported',
  },
  {
    parameter: 'BurstingEnabled',
    categories: ['cloud_auto'],
    code: 'BurstingEnabledForDiskCategoryUnsupported',
    because: 'only ESSD AutoPL disks burst',
    source: 'ECS CreateDisk, BurstingEnabledForDiskCategoryUnsupported',
  },
];

/** @throws PlaneError the code of the row */
export function checkAutoParameter(parameter: AutoRule['parameter'], category: DiskCategory): void {
  const rule = AUTO_RULES.find((row) => row.parameter === parameter);
  invariant(rule !== undefined, `${parameter} has a rule`);
  if (rule.categories.includes(category)) return;
  throw new PlaneError(rule.code, `${rule.because}; got ${parameter} with ${category}`);
}
