/**
 * What a key's disabling or deletion does to what depends on it, as data: one row for every kind of
 * resource and every situation it can be in.
 *
 * Now is the moment the key stops to unwrap; Next is the next time a data key has to be unwrapped.
 * Disabled, all of it heals when the key is enabled; deleted, nothing does.
 */

export type ImpactKind = 'disk' | 'snapshot' | 'image' | 'instance' | 'task';
/** Whether data keys of it are in a shard's memory. */
export type ImpactSituation = 'in use' | 'at rest';

export interface ImpactRule {
  readonly kind: ImpactKind;
  readonly situation: ImpactSituation;
  readonly now: string;
  readonly next: string;
  readonly because: string;
  readonly source: string;
}

const LIFE = 'facts: overview page, FAQ on disabled and deleted keys (2025)';
const GATED = 'ECS API: operations refused with InvalidParameter.KMSKeyId.CMKNotEnabled';

export const IMPACT_RULES: readonly ImpactRule[] = [
  {
    kind: 'disk',
    situation: 'in use',
    now: 'serves on',
    next: 'unreadable: attach, start of its instance, or a lost worker',
    because: 'its data key is in the memory of its shard until it is detached',
    source: LIFE,
  },
  {
    kind: 'disk',
    situation: 'at rest',
    now: 'unreadable: it cannot be attached',
    next: 'unreadable: attach is refused',
    because: 'attaching asks KMS to unwrap its data key',
    source: GATED,
  },
  {
    kind: 'snapshot',
    situation: 'in use',
    now: 'unreadable: nothing can be made from it',
    next: 'unreadable: nothing can be made from it',
    because: 'a snapshot is never attached: reading it is making a disk or a copy from it',
    source: GATED,
  },
  {
    kind: 'snapshot',
    situation: 'at rest',
    now: 'unreadable: nothing can be made from it',
    next: 'unreadable: nothing can be made from it',
    because: 'disks, copies and rollbacks ask KMS for its data key',
    source: GATED,
  },
  {
    kind: 'image',
    situation: 'in use',
    now: 'no instance can be made from it',
    next: 'no instance can be made from it',
    because: 'its disks are made from snapshots under the key',
    source: GATED,
  },
  {
    kind: 'image',
    situation: 'at rest',
    now: 'no instance can be made from it',
    next: 'no instance can be made from it',
    because: 'its disks are made from snapshots under the key',
    source: GATED,
  },
  {
    kind: 'instance',
    situation: 'in use',
    now: 'runs on',
    next: 'does not start again once it is stopped or rebooted',
    because: 'the data keys of its disks are in memory while it runs',
    source: LIFE,
  },
  {
    kind: 'instance',
    situation: 'at rest',
    now: 'cannot be started',
    next: 'start is refused',
    because: 'starting asks KMS to unwrap the data keys of its disks',
    source: GATED,
  },
  {
    kind: 'task',
    situation: 'in use',
    now: 'runs on while its disk is attached',
    next: 'pauses when it has to unwrap a data key again',
    because: 're-encryption reads under the old key and writes under the new one',
    source: 'ours',
  },
  {
    kind: 'task',
    situation: 'at rest',
    now: 'stays as it is',
    next: 'pauses when it has to unwrap a data key',
    because: 're-encryption reads under the old key and writes under the new one',
    source: 'ours',
  },
];

/** The one row. */
export function impactOn(kind: ImpactKind, situation: ImpactSituation): ImpactRule {
  return IMPACT_RULES.find((row) => row.kind === kind && row.situation === situation)!;
}
