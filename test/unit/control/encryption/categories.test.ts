/** Which disk can be encrypted: one row for every disk, and what the documents say of each. */
import { describe, expect, it } from 'vitest';
import {
  CATEGORY_ROWS,
  categoryRow,
  DISK_CATEGORIES,
  type EncryptedDisk,
  originOf,
} from '../../../../src/control/encryption/categories.ts';
import { RULE_SETS, SOURCES } from '../../../../src/control/encryption/cells.ts';
import { matches } from '../../../../src/control/encryption/pattern.ts';

const DISKS: EncryptedDisk[] = RULE_SETS.flatMap((ruleSet) =>
  DISK_CATEGORIES.flatMap((category) =>
    (['system', 'data'] as const).flatMap((use) =>
      (['blank', 'plain', 'encrypted'] as const).flatMap((origin) =>
        [false, true].map((isDefault) => ({ ruleSet, category, use, origin, default: isDefault })),
      ),
    ),
  ),
);

/** The categories that can be encrypted, as one line each: rule set, use and origin. */
function encryptable(about: Partial<EncryptedDisk>): string[] {
  const disks = DISKS.filter((disk) =>
    Object.entries(about).every(([field, value]) => disk[field as keyof EncryptedDisk] === value),
  );
  const allowed = disks.filter((disk) => categoryRow(disk).code === null);
  return [...new Set(allowed.map(({ category }) => category))];
}

const ESSD = ['cloud_essd', 'cloud_essd_entry', 'cloud_auto', 'cloud_regional_disk_auto'];
const OLD = ['cloud', 'cloud_efficiency', 'cloud_ssd'];

describe('the table of categories', () => {
  it('has one row for each of 360 disks, and no row without one', () => {
    expect(DISKS.length).toBe(360);
    for (const disk of DISKS) {
      const count = CATEGORY_ROWS.filter((row) => matches(row.where, disk)).length;
      expect(count, JSON.stringify(disk)).toBe(1);
    }
    const idle = CATEGORY_ROWS.filter((row) => !DISKS.some((disk) => matches(row.where, disk)));
    expect(idle).toEqual([]);
  });

  it('says why and by which document', () => {
    for (const { because, document, place } of CATEGORY_ROWS) {
      expect(because.split(' ').length).toBeGreaterThan(4);
      expect(document).toMatch(/\(20\d\d\)$/);
      expect(place.length).toBeGreaterThan(5);
    }
  });

  it('asks what a disk is made of, not whose it is', () => {
    expect(SOURCES.map(originOf)).toEqual(['blank', 'plain', 'encrypted', 'plain', 'encrypted']);
  });
});

describe('what can be encrypted', () => {
  it('in 2018: data disks of every cloud category there was, and no system disk', () => {
    expect(encryptable({ ruleSet: '2018', use: 'data' })).toEqual([...OLD, 'cloud_essd']);
    expect(encryptable({ ruleSet: '2018', use: 'system' })).toEqual([]);
  });

  it('in 2020: as data disks four categories, as system disks all of them but basic', () => {
    expect(encryptable({ ruleSet: '2020', use: 'data' })).toEqual([...OLD, 'cloud_essd']);
    expect(encryptable({ ruleSet: '2020', use: 'system' })).toEqual([
      'cloud_efficiency',
      'cloud_ssd',
      'cloud_essd',
    ]);
  });

  it('in 2025: blank data disks of every cloud category, all else of the ESSD family', () => {
    const dataDisk = { ruleSet: '2025', use: 'data' } as const;
    expect(encryptable({ ...dataDisk, origin: 'blank' })).toEqual([...OLD, ...ESSD]);
    expect(encryptable({ ...dataDisk, origin: 'plain' })).toEqual(ESSD);
    expect(encryptable({ ...dataDisk, origin: 'encrypted' })).toEqual(ESSD);
    expect(encryptable({ ruleSet: '2025', use: 'system' })).toEqual(ESSD);
  });
});

describe('the codes', () => {
  it.each(OLD)('with default encryption on, no %s of a non-encrypted source', (category) => {
    const row = categoryRow({
      ruleSet: '2025',
      category: category as 'cloud',
      use: 'data',
      origin: 'plain',
      default: true,
    });
    expect(row.code).toBe('NotSupportSnapshotEncrypted.DiskCategory');
    expect(row.document).toBe('Account-level EBS Default Encryption (2025)');
  });

  it.each(RULE_SETS)('in %s local and ephemeral disks have no encryption', (ruleSet) => {
    const disks = DISKS.filter(
      (disk) => disk.ruleSet === ruleSet && disk.category.includes('ephemeral'),
    );
    for (const disk of disks) {
      expect(categoryRow(disk).code).toBe('InvalidParameter.EncryptedNotSupported');
    }
  });
});
