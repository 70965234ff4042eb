/** What may be done with snapshots and images: every combination has one row. */
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../../src/base/errors.ts';
import {
  IMAGE_RULES,
  type ImageUse,
  matchImageRules,
} from '../../../../src/control/images/image-rules.ts';
import {
  FIRST_USE_RULES,
  matchSnapshotRules,
  SNAPSHOT_RULES,
  type SnapshotUse,
} from '../../../../src/control/snapshots/snapshot-rules.ts';

const SNAPSHOT_USES: SnapshotUse[] = [
  'CreateDisk',
  'CopySnapshot',
  'CreateImage',
  'ShareSnapshot',
  'DeleteSnapshot',
  'ModifySnapshotAttribute',
  'LockSnapshot',
  'UnlockSnapshot',
  'openSnapshot',
];
const IMAGE_USES: ImageUse[] = [
  'RunInstances',
  'CopyImage',
  'ModifyImageAttribute',
  'ModifyImageSharePermission',
  'DeleteImage',
  'ExportImage',
];
const IMAGE_STATUSES = [
  'Creating',
  'Waiting',
  'Available',
  'UnAvailable',
  'CreateFailed',
  'Deprecated',
] as const;

describe('the rules of snapshots', () => {
  const cells = SNAPSHOT_USES.flatMap((use) =>
    (['self', 'others'] as const).flatMap((owner) =>
      (['disk', 'copy'] as const).flatMap((origin) =>
        (['progressing', 'accomplished', 'failed'] as const).map(
          (status) => [use, owner, origin, status] as const,
        ),
      ),
    ),
  );
  it.each(cells)('have one row for %s by %s of a snapshot of a %s that is %s', (...cell) => {
    expect(matchSnapshotRules(...cell).length).toBe(1);
  });

  it('let others do nothing with a shared snapshot but make disks and copies of it', () => {
    const allowed = cells.filter(
      (cell) => cell[1] === 'others' && matchSnapshotRules(...cell)[0]?.code === null,
    );
    expect(new Set(allowed.map(([use]) => use))).toEqual(new Set(['CreateDisk', 'CopySnapshot']));
  });

  it('never use a failed snapshot, an unfinished one only as a copy is read', () => {
    for (const cell of cells) {
      const [use, , origin, status] = cell;
      if (status === 'accomplished') continue;
      const isOwners = use === 'DeleteSnapshot' || use === 'ModifySnapshotAttribute';
      const isContent = use === 'CreateDisk' || use === 'openSnapshot';
      const isOpen = isContent && origin === 'copy' && status === 'progressing';
      // Nothing of it is read.
      const isLock = use.endsWith('lockSnapshot') || use === 'LockSnapshot';
      if (isLock && status === 'progressing') continue;
      if (!isOwners && !isOpen) expect(matchSnapshotRules(...cell)[0]?.code).not.toBe(null);
    }
  });
});

describe('the rules of images', () => {
  const cells = IMAGE_USES.flatMap((use) =>
    (['self', 'others', 'system'] as const).flatMap((owner) =>
      IMAGE_STATUSES.map((status) => [use, owner, status] as const),
    ),
  );
  it.each(cells)('have one row for %s by %s of an image that is %s', (...cell) => {
    expect(matchImageRules(...cell).length).toBe(1);
  });

  it('let nobody but its owner change, share, export or delete an image', () => {
    for (const cell of cells) {
      const [use, owner] = cell;
      if (owner === 'self' || use === 'RunInstances' || use === 'CopyImage') continue;
      expect(matchImageRules(...cell)[0]?.code).not.toBe(null);
    }
  });
});

describe('all these rules', () => {
  it.each([...SNAPSHOT_RULES, ...IMAGE_RULES, ...FIRST_USE_RULES])(
    'say why and by which document: $because',
    ({ code, because, source }) => {
      expect(because.length).toBeGreaterThan(10);
      expect(source.length).toBeGreaterThan(5);
      if (code !== null) expect(ERROR_CODES).toHaveProperty([code]);
    },
  );

  it('have a row for disks that were never attached', () => {
    expect(FIRST_USE_RULES.map((row) => row.wasAttached)).toEqual([true, false]);
  });
});
