/**
 * Lineage: who came from whom, under which key.
 *
 * Every disk and snapshot has a LineageRecord. One made from another names it as its source, so the
 * records form trees whose roots are disks that were made empty. A deleted disk or snapshot keeps
 * its record for as long as anything made from it has one.
 */

export type ResourceKind = 'disk' | 'snapshot';

export interface LineageRecord {
  readonly id: string;
  readonly kind: ResourceKind;
  /** The disk or snapshot this one was made from; null for a disk made empty. */
  readonly sourceId: string | null;
  /** The master key that protects its data key; null if it is stored in plain. */
  readonly keyId: string | null;
  /** Order of creation in the plane: counts from 1, never used twice, smaller at the source. */
  readonly sequence: number;
  /** Milliseconds since 1970; null while it exists. */
  readonly deletedAt: number | null;
}
