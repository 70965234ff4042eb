/**
 * Lineage: who came from whom, under which key.
 *
 * An edge says that a disk, snapshot, image or instance was made from another, or that a snapshot
 * is shown to another account under an id of its own (a share). A disk or snapshot has its sectors
 * from one other at most; an image is made from several snapshots, an instance's disks from an
 * image as well. There is no cycle. A resource that is removed while something living came from it,
 * directly or not, leaves a tombstone: the graph stays in one piece. When the last of its
 * descendants goes, so do its tombstone and its edges.
 */

/** What has sectors, and a table of its own. */
export type ResourceKind = 'disk' | 'snapshot';

export type LineageKind = ResourceKind | 'share' | 'image' | 'instance';

export interface LineageEdge {
  readonly childId: string;
  /** What the child was made from. */
  readonly parentId: string;
}

/** A layer's data key: wrapped by which version of which master key, made for which resource. */
export interface LayerKey {
  readonly keyId: string;
  /** 0: the wrapped key was erased. */
  readonly version: number;
  readonly lineageId: string;
}

/** What is kept of a removed resource that something living came from. */
export interface TombstoneRecord {
  readonly id: string;
  readonly kind: LineageKind;
  readonly accountId: string;
  readonly regionId: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly deletedAt: number;
  /** Of its layers, top first, as they were last; null: plain. Empty for what has no sectors. */
  readonly keys: readonly (LayerKey | null)[];
}
