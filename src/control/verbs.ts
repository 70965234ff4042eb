/** The verbs by name: parameters and results, named as the cloud's API names them. */
import type { AccessVerbs } from './access/types.ts';
import type { AuditVerbs } from './audit/types.ts';
import type { BillingVerbs } from './billing/types.ts';
import type { DiskVerbs } from './disks/types.ts';
import type { ImageVerbs } from './images/types.ts';
import type { InstanceVerbs } from './instances/types.ts';
import type { TaskVerbs } from './jobs/types.ts';
import type { KeyVerbs } from './keys/types.ts';
import type { LineageVerbs } from './lineage/types.ts';
import type { SnapshotVerbs } from './snapshots/types.ts';

export type { RegionDescription, Tag, TagResource, ZoneDescription } from './access/types.ts';
export type { AuditEvent } from './audit/types.ts';
export type { DiskCount } from './disks/count-disks.ts';
export type { DiskDescription } from './disks/types.ts';
export type { RuleSet } from './encryption/cells.ts';
export type { EncryptionQuestion } from './encryption/decide.ts';
export type { ImageDescription } from './images/types.ts';
export type { InstanceDescription } from './instances/types.ts';
export type { TaskDescription } from './jobs/types.ts';
export type { KeyAlias, KeyMetadata, KeyVersion } from './keys/types.ts';
export type { ImpactedResource, LineageNode } from './lineage/types.ts';
export type { Quotas } from './quotas.ts';
export type { SnapshotDescription } from './snapshots/types.ts';

/** Parameters every verb takes. */
export interface CommonParameters {
  /** The region the call is made in. @default the plane's */
  readonly RegionId?: string;
  /** Checks everything and changes nothing: DryRunOperation if it would have been done. */
  readonly DryRun?: boolean;
  /** Makes a repeated call answer what the first one did. At most 64 ASCII characters. */
  readonly ClientToken?: string;
}

/** Verb name -> parameters and result. */
export interface Verbs
  extends AccessVerbs,
    DiskVerbs,
    ImageVerbs,
    InstanceVerbs,
    SnapshotVerbs,
    LineageVerbs,
    AuditVerbs,
    BillingVerbs,
    KeyVerbs,
    TaskVerbs {}
