/**
 * DATA: which verb is allowed while an instance is in which state: verbs on the instance, and those
 * on a disk that is attached to it. Exactly one row for each pair (tested).
 *
 *   CreateInstance ──▶ Stopped ──StartInstance──▶ Running ◀── RunInstances
 *                         ▲ └──DeleteInstance──▶ (gone)  │
 *                         └─────────StopInstance─────────┘
 *
 * Pending, Starting and Stopping are passed through inside a call, or left behind by a crash: then
 * reconcile.ts makes them Stopped.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { InstanceRecord, InstanceStatus } from '../../record/document.ts';

export const INSTANCE_VERBS_WITH_STATE = [
  'StartInstance',
  'StopInstance',
  'RebootInstance',
  'DeleteInstance',
  'DeleteInstance with Force',
  'ModifyInstanceAttribute',
  'ModifyInstanceChargeType',
  'ReplaceSystemDisk',
  'AttachDisk',
  'AttachDisk of a system disk',
  'DetachDisk',
  'DetachDisk of a system disk',
  'ReInitDisk',
  'ResetDisk',
  'attach',
] as const;
/** attach is the library's own: plane.attach(). */
export type InstanceVerb = (typeof INSTANCE_VERBS_WITH_STATE)[number];

export interface InstanceRule {
  readonly verbs: readonly InstanceVerb[];
  readonly statuses: readonly InstanceStatus[];
  /** null: allowed. */
  readonly code: ErrorCode | null;
  readonly because: string;
  /** The document the row comes from. */
  readonly source: string;
}

const PASSING: readonly InstanceStatus[] = ['Pending', 'Starting', 'Stopping'];
const REFUSED = 'IncorrectInstanceStatus';

/** Verbs that want the instance not to run. */
const WHEN_STOPPED = [
  'StartInstance',
  'DeleteInstance',
  'ReplaceSystemDisk',
  'AttachDisk of a system disk',
  'DetachDisk of a system disk',
  'ReInitDisk',
  'ResetDisk',
] as const;

export const INSTANCE_RULES: readonly InstanceRule[] = [
  {
    verbs: WHEN_STOPPED,
    statuses: ['Stopped'],
    code: null,
    because: 'a stopped instance uses none of its disks',
    source: 'ECS StartInstance, DeleteInstance, ReplaceSystemDisk, ReInitDisk, ResetDisk',
  },
  {
    verbs: WHEN_STOPPED,
    statuses: ['Running', ...PASSING],
    code: REFUSED,
    because: 'the expected instance status is Stopped',
    source: 'ECS StartInstance, DeleteInstance, ReInitDisk, ResetDisk, IncorrectInstanceStatus',
  },
  {
    verbs: ['StopInstance', 'RebootInstance', 'attach'],
    statuses: ['Running'],
    code: null,
    because: 'a running instance uses its disks',
    source: 'ECS StopInstance, RebootInstance',
  },
  {
    verbs: ['StopInstance', 'RebootInstance', 'attach'],
    statuses: ['Stopped', ...PASSING],
    code: REFUSED,
    because: 'the expected instance status is Running',
    source: 'ECS StopInstance, RebootInstance, IncorrectInstanceStatus',
  },
  {
    verbs: ['DeleteInstance with Force', 'ModifyInstanceChargeType', 'AttachDisk', 'DetachDisk'],
    statuses: ['Stopped', 'Running'],
    code: null,
    because: 'it is done whether the instance runs or not',
    source: 'ECS DeleteInstance, parameter Force; ModifyInstanceChargeType, AttachDisk, DetachDisk',
  },
  {
    verbs: ['DeleteInstance with Force', 'ModifyInstanceChargeType', 'AttachDisk', 'DetachDisk'],
    statuses: PASSING,
    code: REFUSED,
    because: 'the expected instance status is Running or Stopped',
    source: 'ECS DeleteInstance, AttachDisk, DetachDisk, IncorrectInstanceStatus',
  },
  {
    verbs: ['ModifyInstanceAttribute'],
    statuses: ['Stopped', 'Running', ...PASSING],
    code: null,
    because: 'names and protection are changed in every state',
    source: 'ECS ModifyInstanceAttribute',
  },
];

/** @throws PlaneError IncorrectInstanceStatus */
export function checkInstanceState(verb: InstanceVerb, instance: InstanceRecord): void {
  const { instanceId, status } = instance;
  const rule = INSTANCE_RULES.find(
    (row) => row.verbs.includes(verb) && row.statuses.includes(status),
  );
  invariant(rule !== undefined, `there is a rule for ${verb} on an instance that is ${status}`);
  if (rule.code === null) return;
  throw new PlaneError(rule.code, `${instanceId} is ${status}: ${rule.because}`);
}
