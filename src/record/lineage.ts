/**
 * Lineage: who came from whom, under which key.
 *
 * An edge says that a disk or snapshot was made from another. What was made empty has none, so the
 * edges form trees whose roots are such disks. A resource that is removed while something living
 * came from it, directly or not, leaves a tombstone: the tree stays in one piece. When the last of
 * its descendants goes, so do its tombstone and its edge.
 */

export type ResourceKind = 'disk' | 'snapshot';

/** Ids of disks and snapshots. A child has one parent, and keeps it for good. */
export interface LineageEdge {
  readonly childId: string;
  /** What the child was made from. */
  readonly parentId: string;
}

/** What is kept of a removed resource that something living came from. */
export interface TombstoneRecord {
  readonly id: string;
  /** The master key that protected it last; null if it was stored in plain. */
  readonly keyId: string | null;
}
