/**
 * DATA: which categories of disk can be encrypted, as which disk, made of what. Pure.
 *
 * Asked once the tables have said that a disk is encrypted; a disk that is not is any category's.
 */
import type { ErrorCode } from '../../base/errors.ts';
import type { RuleSet, Source } from './cells.ts';
import { documentOf, OVERVIEW_DOCUMENT } from './documents.ts';
import { type Pattern, type Provenance, rowFor } from './pattern.ts';

/** The API's names. ephemeral_ssd is a local disk. */
export const DISK_CATEGORIES = [
  'cloud',
  'cloud_efficiency',
  'cloud_ssd',
  'cloud_essd',
  'cloud_essd_entry',
  'cloud_auto',
  'cloud_regional_disk_auto',
  'elastic_ephemeral_disk_standard',
  'elastic_ephemeral_disk_premium',
  'ephemeral_ssd',
] as const;
export type DiskCategory = (typeof DISK_CATEGORIES)[number];

export interface EncryptedDisk {
  readonly ruleSet: RuleSet;
  readonly category: DiskCategory;
  readonly use: 'system' | 'data';
  /** What it is made of; blank: of nothing. Whose it is does not matter here. */
  readonly origin: 'blank' | 'plain' | 'encrypted';
  /** Account-level default encryption is on in the region. */
  readonly default: boolean;
}

export interface CategoryRow extends Provenance {
  readonly where: Pattern<EncryptedDisk>;
  /** null: it can be encrypted. */
  readonly code: ErrorCode | null;
}

const OLD_CLOUD = ['cloud', 'cloud_efficiency', 'cloud_ssd'] as const;
const ESSD_FAMILY = [
  'cloud_essd',
  'cloud_essd_entry',
  'cloud_auto',
  'cloud_regional_disk_auto',
] as const;
const NEWER_ESSD = ['cloud_essd_entry', 'cloud_auto', 'cloud_regional_disk_auto'] as const;
const EPHEMERAL = ['elastic_ephemeral_disk_standard', 'elastic_ephemeral_disk_premium'] as const;
const LOCAL = ['ephemeral_ssd'] as const;
const NOT_SUPPORTED = 'InvalidParameter.EncryptedNotSupported';
const NOT_FROM_SNAPSHOT = 'NotSupportSnapshotEncrypted.DiskCategory';

const ROWS_2018: readonly CategoryRow[] = [
  {
    where: { ruleSet: ['2018'], use: ['system'] },
    code: NOT_SUPPORTED,
    because: 'only data disks can be encrypted, not system disks',
    document: documentOf('2018'),
    place: 'Limits: only data disks',
  },
  {
    where: { ruleSet: ['2018'], use: ['data'], category: [...OLD_CLOUD, 'cloud_essd'] },
    code: null,
    because: 'basic disks, ultra disks, standard SSDs and ESSDs can be encrypted',
    document: documentOf('2018'),
    place: 'What is ECS disk encryption: supported disks',
  },
  {
    where: { ruleSet: ['2018'], use: ['data'], category: NEWER_ESSD },
    code: NOT_SUPPORTED,
    because: 'the document does not speak of disks of this category',
    document: documentOf('2018'),
    place: 'nowhere',
  },
  {
    where: { ruleSet: ['2018'], use: ['data'], category: [...EPHEMERAL, ...LOCAL] },
    code: NOT_SUPPORTED,
    because: 'local disks and ephemeral disks cannot be encrypted',
    document: documentOf('2018'),
    place: 'Limits: not local disks or ephemeral disks',
  },
];

const ROWS_2020: readonly CategoryRow[] = [
  {
    where: { ruleSet: ['2020'], use: ['data'], category: [...OLD_CLOUD, 'cloud_essd'] },
    code: null,
    because: 'ESSDs, standard SSDs, ultra disks and basic disks can be encrypted data disks',
    document: documentOf('2020'),
    place: 'Limits: data disks',
  },
  {
    where: {
      ruleSet: ['2020'],
      use: ['system'],
      category: ['cloud_essd', 'cloud_ssd', 'cloud_efficiency'],
    },
    code: null,
    because: 'ESSDs, standard SSDs and ultra disks can be encrypted system disks',
    document: documentOf('2020'),
    place: 'Limits: system disks',
  },
  {
    where: { ruleSet: ['2020'], use: ['system'], category: ['cloud'] },
    code: NOT_SUPPORTED,
    because: 'basic disks can be encrypted data disks, but not system disks',
    document: documentOf('2020'),
    place: 'Limits: system disks',
  },
  {
    where: { ruleSet: ['2020'], category: [...NEWER_ESSD, ...EPHEMERAL] },
    code: NOT_SUPPORTED,
    because: 'the document does not speak of disks of this category',
    document: documentOf('2020'),
    place: 'nowhere',
  },
  {
    where: { ruleSet: ['2020'], category: LOCAL },
    code: NOT_SUPPORTED,
    because: 'local disks cannot be encrypted',
    document: documentOf('2020'),
    place: 'Limits: local disks',
  },
];

const ROWS_2025: readonly CategoryRow[] = [
  {
    where: { ruleSet: ['2025'], category: ESSD_FAMILY },
    code: null,
    because: 'disks of the ESSD family can be encrypted, whatever they are and are made of',
    document: OVERVIEW_DOCUMENT,
    place: 'Limits: system disks, data disks, disks from snapshots',
  },
  {
    where: { ruleSet: ['2025'], category: OLD_CLOUD, use: ['data'], origin: ['blank'] },
    code: null,
    because: 'blank data disks can be encrypted whatever their category',
    document: OVERVIEW_DOCUMENT,
    place: 'Limits: data disks',
  },
  {
    where: {
      ruleSet: ['2025'],
      category: OLD_CLOUD,
      use: ['data'],
      origin: ['plain'],
      default: [true],
    },
    code: NOT_FROM_SNAPSHOT,
    because:
      'with default encryption on, these categories cannot be made of a non-encrypted source',
    document: documentOf('2025'),
    place: 'Limits: no encrypted standard SSDs, ultra disks or basic disks',
  },
  {
    where: {
      ruleSet: ['2025'],
      category: OLD_CLOUD,
      use: ['data'],
      origin: ['plain'],
      default: [false],
    },
    code: NOT_FROM_SNAPSHOT,
    because: 'an encrypted disk made of a snapshot or image must be of the ESSD family',
    document: OVERVIEW_DOCUMENT,
    place: 'Limits: disks from snapshots',
  },
  {
    where: { ruleSet: ['2025'], category: OLD_CLOUD, use: ['data'], origin: ['encrypted'] },
    code: NOT_FROM_SNAPSHOT,
    because: 'an encrypted disk made of a snapshot or image must be of the ESSD family',
    document: OVERVIEW_DOCUMENT,
    place: 'Limits: disks from snapshots',
  },
  {
    where: { ruleSet: ['2025'], category: OLD_CLOUD, use: ['system'] },
    code: NOT_SUPPORTED,
    because: 'an encrypted system disk must be of the ESSD family',
    document: OVERVIEW_DOCUMENT,
    place: 'Limits: system disks',
  },
  {
    where: { ruleSet: ['2025'], category: EPHEMERAL },
    code: NOT_SUPPORTED,
    because: 'no document says that elastic ephemeral disks can be encrypted',
    document: OVERVIEW_DOCUMENT,
    place: 'nowhere',
  },
  {
    where: { ruleSet: ['2025'], category: LOCAL },
    code: NOT_SUPPORTED,
    because: 'local disks cannot be encrypted',
    document: OVERVIEW_DOCUMENT,
    place: 'Limits: local disks',
  },
];

export const CATEGORY_ROWS: readonly CategoryRow[] = [...ROWS_2018, ...ROWS_2020, ...ROWS_2025];

/** The row for a disk that is to be encrypted. */
export function categoryRow(disk: EncryptedDisk): CategoryRow {
  return rowFor(CATEGORY_ROWS, disk);
}

/** What a disk is made of, as this table asks it. */
export function originOf(source: Source): EncryptedDisk['origin'] {
  if (source === 'empty') return 'blank';
  return source === 'plain' || source === 'shared-plain' ? 'plain' : 'encrypted';
}
