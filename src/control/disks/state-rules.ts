/**
 * DATA: which verb is allowed on a disk in which state. Exactly one row for each pair (tested).
 *
 *   (created) ──▶ Available ◀──attach / close──▶ In_use
 *                     └──DeleteDisk──▶ (gone)
 *
 * Creating and Deleting are seen only after a crash, and reconcile.ts ends them.
 */
import { PlaneError } from '../../base/errors.ts';
import type { DiskRecord, DiskStatus } from '../../record/resource.ts';

export type DiskVerb =
  | 'attach'
  | 'DeleteDisk'
  | 'ResizeDisk'
  | 'CreateSnapshot'
  | 'CloneDisk'
  | 'RekeyDisk';

export interface StateRule {
  readonly verb: DiskVerb;
  readonly statuses: readonly DiskStatus[];
  readonly allowed: boolean;
  readonly because: string;
  /** The document the row comes from. */
  readonly source: string;
}

export const STATE_RULES: readonly StateRule[] = [
  {
    verb: 'attach',
    statuses: ['Available'],
    allowed: true,
    because: 'only an available disk can be attached',
    source: 'ECS AttachDisk, IncorrectDiskStatus',
  },
  {
    verb: 'attach',
    statuses: ['In_use', 'Creating', 'Deleting'],
    allowed: false,
    because: 'the expected disk status is Available',
    source: 'ECS AttachDisk, IncorrectDiskStatus',
  },
  {
    verb: 'DeleteDisk',
    statuses: ['Available'],
    allowed: true,
    because: 'a disk is deleted when nothing uses it',
    source: 'ECS DeleteDisk',
  },
  {
    verb: 'DeleteDisk',
    statuses: ['In_use', 'Creating', 'Deleting'],
    allowed: false,
    because: 'a disk in use, being made or being deleted cannot be deleted',
    source: 'ECS DeleteDisk, IncorrectDiskStatus',
  },
  {
    verb: 'ResizeDisk',
    statuses: ['Available', 'In_use'],
    allowed: true,
    because: 'a disk grows offline or online',
    source: 'ECS ResizeDisk, parameter Type',
  },
  {
    verb: 'ResizeDisk',
    statuses: ['Creating', 'Deleting'],
    allowed: false,
    because: 'a disk being made or deleted cannot be resized',
    source: 'ECS ResizeDisk, IncorrectDiskStatus',
  },
  {
    verb: 'CreateSnapshot',
    statuses: ['Available', 'In_use'],
    allowed: true,
    because: 'a snapshot is taken of a disk whether it is attached or not',
    source: 'ECS CreateSnapshot',
  },
  {
    verb: 'CreateSnapshot',
    statuses: ['Creating', 'Deleting'],
    allowed: false,
    because: 'a disk being made or deleted has no content to keep',
    source: 'ECS CreateSnapshot, IncorrectDiskStatus',
  },
  {
    verb: 'CloneDisk',
    statuses: ['Available', 'In_use'],
    allowed: true,
    because: 'a clone shares what the disk holds at one instant',
    source: 'ECS CloneDisks',
  },
  {
    verb: 'CloneDisk',
    statuses: ['Creating', 'Deleting'],
    allowed: false,
    because: 'a disk being made or deleted has no content to share',
    source: 'ECS CloneDisks, IncorrectDiskStatus',
  },
  {
    verb: 'RekeyDisk',
    statuses: ['Available', 'In_use'],
    allowed: true,
    because: 'a disk moves to a new key whether it is attached or not',
    source: 'ours: no document has the verb',
  },
  {
    verb: 'RekeyDisk',
    statuses: ['Creating', 'Deleting'],
    allowed: false,
    because: 'a disk being made or deleted cannot be given a new key',
    source: 'ours: no document has the verb',
  },
];

/** @throws PlaneError IncorrectDiskStatus */
export function checkDiskState(verb: DiskVerb, disk: DiskRecord): void {
  const rule = STATE_RULES.find((row) => row.verb === verb && row.statuses.includes(disk.status));
  if (rule?.allowed) return;
  throw new PlaneError(
    'IncorrectDiskStatus',
    `${disk.diskId} is ${disk.status}: ${rule?.because ?? 'no rule allows it'}`,
  );
}
