/**
 * DATA: which verb is allowed on a disk in which state. Exactly one row for each pair (tested).
 *
 *   (created) ──▶ Available ◀──AttachDisk, attach / DetachDisk, close──▶ In_use
 *                     └──DeleteDisk──▶ (gone)
 *
 * Attaching, Detaching and ReIniting are passed through inside a call: at rest no disk has them.
 * Creating and Deleting are seen only after a crash, and reconcile.ts ends them. What the instance
 * a disk is attached to has to say is in instances/state-rules.ts.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { DiskRecord, DiskStatus } from '../../record/resource.ts';

export const DISK_VERBS_WITH_STATE = [
  'attach',
  'AttachDisk',
  'DetachDisk',
  'DeleteDisk',
  'ResizeDisk',
  'ReInitDisk',
  'ResetDisk',
  'CreateSnapshot',
  'CloneDisk',
  'CloneDisks',
  'ModifyDiskAttribute',
  'ModifyDiskSpec',
  'ModifyDiskChargeType',
  'RekeyDisk',
] as const;
/** attach is the library's own, plane.attach(); RekeyDisk no cloud's. */
export type DiskVerb = (typeof DISK_VERBS_WITH_STATE)[number];

export interface StateRule {
  readonly verbs: readonly DiskVerb[];
  readonly statuses: readonly DiskStatus[];
  /** null: allowed. */
  readonly code: ErrorCode | null;
  readonly because: string;
  /** The document the row comes from. */
  readonly source: string;
}

const PASSING: readonly DiskStatus[] = ['Creating', 'Attaching', 'Detaching', 'Deleting'];
const REFUSED = 'IncorrectDiskStatus';

export const STATE_RULES: readonly StateRule[] = [
  {
    verbs: ['attach', 'AttachDisk'],
    statuses: ['Available'],
    code: null,
    because: 'only an available disk can be attached',
    source: 'ECS AttachDisk, IncorrectDiskStatus',
  },
  {
    verbs: ['attach', 'AttachDisk'],
    statuses: ['In_use', 'ReIniting', ...PASSING],
    code: REFUSED,
    because: 'the expected disk status is Available',
    source: 'ECS AttachDisk, IncorrectDiskStatus',
  },
  {
    verbs: ['DetachDisk'],
    statuses: ['In_use'],
    code: null,
    because: 'an attached disk can be detached, whatever the state of its key',
    source: 'ECS DetachDisk',
  },
  {
    verbs: ['DetachDisk'],
    statuses: ['Available'],
    code: 'InvalidDisk.AlreadyDetached',
    because: 'the disk is attached to no instance',
    source: 'ECS DetachDisk, InvalidDisk.AlreadyDetached',
  },
  {
    verbs: ['DetachDisk'],
    statuses: ['ReIniting', ...PASSING],
    code: REFUSED,
    because: 'another operation on the disk has not ended',
    source: 'ECS DetachDisk, IncorrectDiskStatus',
  },
  {
    verbs: ['DeleteDisk'],
    statuses: ['Available'],
    code: null,
    because: 'a disk is deleted when nothing uses it, whatever the state of its key',
    source: 'ECS DeleteDisk',
  },
  {
    verbs: ['DeleteDisk'],
    statuses: ['In_use', 'ReIniting', ...PASSING],
    code: REFUSED,
    because: 'a disk in use, being made or being deleted cannot be deleted',
    source: 'ECS DeleteDisk, IncorrectDiskStatus',
  },
  {
    verbs: ['ReInitDisk'],
    statuses: ['In_use'],
    code: null,
    because: 'an attached disk can be initialised again',
    source: 'ECS ReInitDisk',
  },
  {
    verbs: ['ReInitDisk'],
    statuses: ['Available', 'ReIniting', ...PASSING],
    code: REFUSED,
    because: 'the expected disk status is In_use',
    source: 'ECS ReInitDisk, IncorrectDiskStatus',
  },
  {
    verbs: ['ResizeDisk', 'ResetDisk', 'ModifyDiskSpec', 'ModifyDiskAttribute'],
    statuses: ['Available', 'In_use'],
    code: null,
    because: 'a disk can be changed whether it is attached or not',
    source: 'ECS ResizeDisk, ResetDisk, ModifyDiskSpec, ModifyDiskAttribute',
  },
  {
    verbs: ['ResizeDisk', 'ResetDisk', 'ModifyDiskSpec', 'ModifyDiskAttribute'],
    statuses: ['ReIniting', ...PASSING],
    code: REFUSED,
    because: 'the expected disk status is Available or In_use',
    source: 'ECS ResizeDisk, ResetDisk, ModifyDiskSpec, IncorrectDiskStatus',
  },
  {
    verbs: ['CreateSnapshot', 'CloneDisk', 'CloneDisks'],
    statuses: ['Available', 'In_use'],
    code: null,
    because: 'what a disk holds at one instant can be kept or shared, attached or not',
    source: 'ECS CreateSnapshot, CloneDisks',
  },
  {
    verbs: ['CreateSnapshot', 'CloneDisk', 'CloneDisks'],
    statuses: ['ReIniting', ...PASSING],
    code: REFUSED,
    because: 'a disk being made, changed or deleted has no content to keep or share',
    source: 'ECS CreateSnapshot, CloneDisks, IncorrectDiskStatus',
  },
  {
    verbs: ['ModifyDiskChargeType'],
    statuses: ['Available', 'In_use'],
    code: null,
    because: 'a disk that is not in passing is billed in another way; whose it is is asked apart',
    source: 'ECS ModifyDiskChargeType',
  },
  {
    verbs: ['ModifyDiskChargeType'],
    statuses: ['ReIniting', ...PASSING],
    code: REFUSED,
    because: 'another operation on the disk has not ended',
    source: 'ECS ModifyDiskChargeType, IncorrectDiskStatus',
  },
  {
    verbs: ['RekeyDisk'],
    statuses: ['Available', 'In_use'],
    code: null,
    because: 'a disk moves to a new key whether it is attached or not',
    source: 'ours: no document has the verb',
  },
  {
    verbs: ['RekeyDisk'],
    statuses: ['ReIniting', ...PASSING],
    code: REFUSED,
    because: 'a disk being made, changed or deleted cannot be given a new key',
    source: 'ours: no document has the verb',
  },
];

/** @throws PlaneError IncorrectDiskStatus, InvalidDisk.AlreadyDetached */
export function checkDiskState(verb: DiskVerb, disk: DiskRecord): void {
  const rule = STATE_RULES.find(
    (row) => row.verbs.includes(verb) && row.statuses.includes(disk.status),
  );
  invariant(rule !== undefined, `there is a rule for ${verb} on a disk that is ${disk.status}`);
  if (rule.code === null) return;
  throw new PlaneError(rule.code, `${disk.diskId} is ${disk.status}: ${rule.because}`);
}
