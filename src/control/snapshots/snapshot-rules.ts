/**
 * DATA: what may be done with a snapshot: whose it is, where it comes from, how far it is. Hit
 * policy unique: exactly one row for every combination (tested over the product).
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { DiskRecord, SnapshotStatus } from '../../record/resource.ts';
import type { SnapshotSource } from './find-source.ts';

export type SnapshotUse =
  | 'CreateDisk'
  | 'CopySnapshot'
  | 'CreateImage'
  | 'ShareSnapshot'
  | 'DeleteSnapshot'
  | 'ModifySnapshotAttribute'
  | 'LockSnapshot'
  | 'UnlockSnapshot'
  | 'openSnapshot';

export interface SnapshotRule {
  readonly uses: readonly SnapshotUse[];
  /** others: shared by another account. */
  readonly owners: readonly ('self' | 'others')[];
  readonly origins: readonly ('disk' | 'copy')[];
  readonly statuses: readonly SnapshotStatus[];
  /** null: it may. */
  readonly code: ErrorCode | null;
  readonly because: string;
  readonly source: string;
}

const ANYONE = ['self', 'others'] as const;
const ANYWHENCE = ['disk', 'copy'] as const;
const ANY_STATUS = ['progressing', 'accomplished', 'failed'] as const;
const SHARING = 'ECS, Share snapshots';
const OURS = 'ours: the library reads snapshots without a disk';

export const SNAPSHOT_RULES: readonly SnapshotRule[] = [
  {
    uses: ['CreateDisk', 'CopySnapshot'],
    owners: ANYONE,
    origins: ANYWHENCE,
    statuses: ['accomplished'],
    code: null,
    because: 'a finished snapshot is a source, one’s own or shared',
    source: 'ECS CreateDisk, CopySnapshot',
  },
  {
    uses: ['CreateDisk'],
    owners: ANYONE,
    origins: ['copy'],
    statuses: ['progressing'],
    code: null,
    because: 'a copy that is being encrypted has all its content from the beginning',
    source: 'ours: the cloud has one wait',
  },
  {
    uses: ['CopySnapshot'],
    owners: ANYONE,
    origins: ['copy'],
    statuses: ['progressing'],
    code: 'InvalidOperation.UnfinishedEncryptedSnapshotCopy',
    because: 'a copy is copied when it is encrypted completely',
    source: 'ECS CopySnapshot, InvalidOperation.UnfinishedEncryptedSnapshotCopy',
  },
  {
    uses: ['CreateDisk', 'CopySnapshot'],
    owners: ANYONE,
    origins: ['disk'],
    statuses: ['progressing'],
    code: 'InvalidSnapshotId.NotReady',
    because: 'the snapshot has not all its content yet',
    source: 'ECS CreateDisk, CopySnapshot, InvalidSnapshotId.NotReady',
  },
  {
    uses: ['CreateDisk', 'CopySnapshot'],
    owners: ANYONE,
    origins: ANYWHENCE,
    statuses: ['failed'],
    code: 'InvalidSnapshotId.NotReady',
    because: 'the snapshot has no content to rely on',
    source: 'ECS CreateDisk, CopySnapshot, InvalidSnapshotId.NotReady',
  },
  {
    uses: ['CreateImage', 'ShareSnapshot'],
    owners: ['self'],
    origins: ANYWHENCE,
    statuses: ['accomplished'],
    code: null,
    because: 'images are made of finished snapshots, and finished ones are shared',
    source: 'ECS CreateImage; Share snapshots',
  },
  {
    uses: ['CreateImage', 'ShareSnapshot'],
    owners: ['self'],
    origins: ANYWHENCE,
    statuses: ['progressing', 'failed'],
    code: 'InvalidSnapshotId.NotReady',
    because: 'only a finished snapshot is made an image of, or shared',
    source: 'ECS CreateImage, InvalidSnapshotId.NotReady',
  },
  {
    uses: [
      'CreateImage',
      'ShareSnapshot',
      'DeleteSnapshot',
      'ModifySnapshotAttribute',
      'LockSnapshot',
      'UnlockSnapshot',
    ],
    owners: ['others'],
    origins: ANYWHENCE,
    statuses: ANY_STATUS,
    code: 'OperationDenied',
    because: 'a snapshot shared by another account cannot be made an image of, shared, or changed',
    source: SHARING,
  },
  {
    uses: ['openSnapshot'],
    owners: ['self'],
    origins: ANYWHENCE,
    statuses: ['accomplished'],
    code: null,
    because: 'a finished snapshot is read by its owner, as a disk made of it would be',
    source: OURS,
  },
  {
    uses: ['openSnapshot'],
    owners: ['self'],
    origins: ['copy'],
    statuses: ['progressing'],
    code: null,
    because: 'a copy that is being encrypted has all its content from the beginning',
    source: OURS,
  },
  {
    uses: ['openSnapshot'],
    owners: ['self'],
    origins: ['disk'],
    statuses: ['progressing'],
    code: 'InvalidSnapshotId.NotReady',
    because: 'the snapshot has not all its content yet',
    source: OURS,
  },
  {
    uses: ['openSnapshot'],
    owners: ['self'],
    origins: ANYWHENCE,
    statuses: ['failed'],
    code: 'InvalidSnapshotId.NotReady',
    because: 'the snapshot has no content to rely on',
    source: OURS,
  },
  {
    uses: ['openSnapshot'],
    owners: ['others'],
    origins: ANYWHENCE,
    statuses: ANY_STATUS,
    code: 'OperationDenied',
    because:
      'what another account shares is read through a disk made of it, under a key of one’s own',
    source: OURS,
  },
  {
    uses: ['DeleteSnapshot', 'ModifySnapshotAttribute'],
    owners: ['self'],
    origins: ANYWHENCE,
    statuses: ANY_STATUS,
    code: null,
    because: 'an owner names and deletes a snapshot at any time',
    source: 'ECS DeleteSnapshot, ModifySnapshotAttribute',
  },
  {
    uses: ['LockSnapshot', 'UnlockSnapshot'],
    owners: ['self'],
    origins: ANYWHENCE,
    statuses: ['accomplished', 'progressing'],
    code: null,
    because: 'an owner locks a snapshot that is there, or will be',
    source: 'ECS LockSnapshot, UnlockSnapshot',
  },
  {
    uses: ['LockSnapshot', 'UnlockSnapshot'],
    owners: ['self'],
    origins: ANYWHENCE,
    statuses: ['failed'],
    code: 'InvalidSnapshotId.NotReady',
    because: 'there is nothing in a failed snapshot to keep',
    source: 'ECS LockSnapshot',
  },
];

interface FirstUseRule {
  readonly wasAttached: boolean;
  /** null: it may. */
  readonly code: ErrorCode | null;
  readonly because: string;
  readonly source: string;
}

/**
 * DATA: whether a disk has to have been used before a snapshot is taken of it. The cloud refuses
 * disks that were never attached to an instance (IncorrectDiskStatus.NeverAttached, .NeverUsed).
 */
export const FIRST_USE_RULES: readonly FirstUseRule[] = [
  {
    wasAttached: true,
    code: null,
    because: 'a disk that was attached may have content',
    source: 'ECS CreateSnapshot',
  },
  {
    wasAttached: false,
    code: null,
    because: 'a disk is written by the library without an instance, so it may have content too',
    source: 'ours, in place of ECS CreateSnapshot, IncorrectDiskStatus.NeverAttached',
  },
];

/** Every row that matches: one, if the table is what it promises to be. */
export function matchSnapshotRules(
  use: SnapshotUse,
  owner: 'self' | 'others',
  origin: 'disk' | 'copy',
  status: SnapshotStatus,
): SnapshotRule[] {
  return SNAPSHOT_RULES.filter(
    (rule) =>
      rule.uses.includes(use) &&
      rule.owners.includes(owner) &&
      rule.origins.includes(origin) &&
      rule.statuses.includes(status),
  );
}

/**
 * @throws PlaneError InvalidSnapshotId.NotReady, OperationDenied,
 *   InvalidOperation.UnfinishedEncryptedSnapshotCopy
 */
export function checkSnapshotUse(use: SnapshotUse, source: SnapshotSource): void {
  const { snapshot, isShared, visibleId } = source;
  const origin = snapshot.sourceSnapshotId === null ? 'disk' : 'copy';
  const owner = isShared ? 'others' : 'self';
  const [rule, ...others] = matchSnapshotRules(use, owner, origin, snapshot.status);
  invariant(rule !== undefined && others.length === 0, 'one rule matches every combination');
  if (rule.code === null) return;
  throw new PlaneError(rule.code, `${use} of ${visibleId} (${snapshot.status}): ${rule.because}`);
}

/** @throws PlaneError what the row of FIRST_USE_RULES refuses with: none does */
export function checkFirstUse(disk: DiskRecord): void {
  const wasAttached = disk.attachedAt !== null;
  const rule = FIRST_USE_RULES.find((row) => row.wasAttached === wasAttached);
  invariant(rule !== undefined, 'a disk was attached or was not');
  if (rule.code !== null) throw new PlaneError(rule.code, `${disk.diskId}: ${rule.because}`);
}
