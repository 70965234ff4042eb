/**
 * The metadata tables: what is stored under which key. Thread: main.
 *
 *   key                                    value
 *   disk/<diskId>                          disk record (record/resource.ts)
 *   snap/<snapshotId>                      snapshot record
 *   tomb/<id>                              tombstone record (record/lineage.ts)
 *
 *   disk-key/<keyId>/<diskId>              empty: disks whose top layer a master key protects
 *   disk-below/<keyId>/<diskId>            empty: disks of which it protects a lower layer only
 *   disk-open/<keyId>/<diskId>             empty: those of both that are not Available (attached)
 *   disk-data/<lineageId>/<diskId>         empty: disks with a layer under a data key
 *   disk-source/<snapshotId>/<diskId>      empty: disks made from a snapshot
 *   disk-shard/<shard, 2 digits>/<diskId>  empty: disks on a shard
 *   disk-scope/<account>/<region>/<diskId> empty: disks of an account in a region
 *   disk-facet/<account>/<region>.<facet>/<diskId>   empty: of a state, name or tag (facets.ts)
 *   disk-instance/<instanceId>/<diskId>    empty: disks attached to an instance
 *   disk-image/<imageId>/<diskId>          empty: disks made from an image
 *   snap-key/<keyId>/<snapshotId>          empty: as of disks
 *   snap-below/<keyId>/<snapshotId>
 *   snap-data/<lineageId>/<snapshotId>
 *   snap-disk/<diskId>/<snapshotId>        empty: snapshots of a disk
 *   snap-shard/<shard, 2 digits>/<snapshotId>
 *   snap-scope/<account>/<region>/<snapshotId>
 *   snap-facet/<account>/<region>.<facet>/<snapshotId>
 *   snap-copied/<snapshotId>/<snapshotId>  empty: copies of a snapshot
 *   snap-due/<hour, 8 digits>/<snapshotId> empty: snapshots that are due in an hour since 1970
 *
 *   tree/<shard, 2 digits>/<tree>          the id of the disk or snapshot that names the tree
 *
 *   audit/last                             counter: sequence of the last audit entry
 *
 *   from/<childId>/<parentId>              empty: lineage edge, upwards
 *   into/<parentId>/<childId>              empty: the same edge, downwards
 *
 * 1. An index entry is there if and only if its record is there and belongs to its group: both are
 *    written in one transaction.
 * 2. Both directions of an edge are there, or none.
 * 3. Keys that begin alike up to their last `/` are a group, in the order of the ids.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyValueReader } from '../kv/key-value-store.ts';
import { SHARDS_MAX } from '../limits.ts';
import { decodeRecord } from '../record/codec.ts';
import { isDiskId, isSnapshotId } from '../record/ids.ts';
import type { ResourceKind } from '../record/lineage.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { Records } from '../record/shapes.ts';
import { facetsOf } from './facets.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface IndexTable<R> {
  readonly prefix: string;
  /** The groups a record belongs to. */
  readonly groupsOf: (record: R) => readonly string[];
}

export interface ResourceTable<K extends ResourceKind> {
  readonly kind: K;
  readonly prefix: string;
  readonly isId: (text: string) => boolean;
  readonly idOf: (record: Records[K]) => string;
  /** What the record itself says it was made from. */
  readonly sourceOf: (record: Records[K]) => string | null;
  readonly byKey: IndexTable<Records[K]>;
  readonly bySource: IndexTable<Records[K]>;
  readonly byShard: IndexTable<Records[K]>;
  readonly byScope: IndexTable<Records[K]>;
  /** All of the above, and the others there are. */
  readonly indexes: readonly IndexTable<Records[K]>[];
}

const DISK_INDEXES = {
  byKey: { prefix: 'disk-key/', groupsOf: topKeyOf },
  byLowerKey: { prefix: 'disk-below/', groupsOf: lowerKeysOf },
  byOpenKey: {
    prefix: 'disk-open/',
    groupsOf: (disk: DiskRecord) =>
      disk.status === 'Available' ? [] : [...topKeyOf(disk), ...lowerKeysOf(disk)],
  },
  byDataKey: { prefix: 'disk-data/', groupsOf: dataKeysOf },
  bySource: { prefix: 'disk-source/', groupsOf: (disk: DiskRecord) => one(disk.sourceSnapshotId) },
  byShard: { prefix: 'disk-shard/', groupsOf: (disk: DiskRecord) => [shardGroup(disk.shardIndex)] },
  byScope: { prefix: 'disk-scope/', groupsOf: scopeOf },
  byFacet: { prefix: 'disk-facet/', groupsOf: facetsOf },
  byInstance: { prefix: 'disk-instance/', groupsOf: (disk: DiskRecord) => one(disk.instanceId) },
  byImage: { prefix: 'disk-image/', groupsOf: (disk: DiskRecord) => one(disk.imageId) },
};

export const DISKS: ResourceTable<'disk'> & typeof DISK_INDEXES = {
  kind: 'disk',
  prefix: 'disk/',
  isId: isDiskId,
  idOf: (disk: DiskRecord) => disk.diskId,
  sourceOf: (disk: DiskRecord) => disk.sourceSnapshotId,
  ...DISK_INDEXES,
  indexes: Object.values(DISK_INDEXES),
};

const SNAPSHOT_INDEXES = {
  byKey: { prefix: 'snap-key/', groupsOf: topKeyOf },
  byLowerKey: { prefix: 'snap-below/', groupsOf: lowerKeysOf },
  byDataKey: { prefix: 'snap-data/', groupsOf: dataKeysOf },
  bySource: { prefix: 'snap-disk/', groupsOf: (shot: SnapshotRecord) => [shot.sourceDiskId] },
  byShard: {
    prefix: 'snap-shard/',
    groupsOf: (shot: SnapshotRecord) => [shardGroup(shot.shardIndex)],
  },
  byScope: { prefix: 'snap-scope/', groupsOf: scopeOf },
  byFacet: { prefix: 'snap-facet/', groupsOf: facetsOf },
  byCopied: {
    prefix: 'snap-copied/',
    groupsOf: (shot: SnapshotRecord) => one(shot.sourceSnapshotId),
  },
  byDueHour: {
    prefix: 'snap-due/',
    groupsOf: (shot: SnapshotRecord) => {
      const dueAt = snapshotDueAt(shot);
      return dueAt === null ? [] : [hourGroup(dueAt)];
    },
  },
};

export const SNAPSHOTS: ResourceTable<'snapshot'> & typeof SNAPSHOT_INDEXES = {
  kind: 'snapshot',
  prefix: 'snap/',
  isId: isSnapshotId,
  idOf: (snapshot: SnapshotRecord) => snapshot.snapshotId,
  // A copy comes from the snapshot it was copied from; its disk is that one's.
  sourceOf: (snapshot: SnapshotRecord) => snapshot.sourceSnapshotId ?? snapshot.sourceDiskId,
  ...SNAPSHOT_INDEXES,
  indexes: Object.values(SNAPSHOT_INDEXES),
};

/** When the days a snapshot is kept for have passed; null: it is kept for good. */
export function snapshotDueAt({ createdAt, retentionDays }: SnapshotRecord): number | null {
  return retentionDays === 0 ? null : createdAt + retentionDays * DAY_MS;
}

/** The group of what is due in the hour of a time: groups sort as hours do. */
export function hourGroup(time: number): string {
  return String(Math.floor(time / HOUR_MS)).padStart(8, '0');
}

/** Trees of a shard, and whose they are. */
export const TREES = 'tree/';

/** Keys of the trees a record names. */
export function treeKeysOf(record: DiskRecord | SnapshotRecord): string[] {
  const prefix = treePrefix(record.shardIndex);
  return record.layers.map(({ tree }) => prefix + tree);
}

export function treePrefix(shardIndex: number): string {
  return `${TREES}${shardGroup(shardIndex)}/`;
}

type StoredRecord = DiskRecord | SnapshotRecord;

function one(group: string | null): string[] {
  return group === null ? [] : [group];
}

function scopeOf(record: StoredRecord): string[] {
  return [`${record.accountId}/${record.regionId}`];
}

function topKeyOf(record: StoredRecord): string[] {
  return one(record.encryption?.keyId ?? null);
}

/** Keys of lower layers, but for the top layer's: with topKeyOf() every key, each once. */
function lowerKeysOf(record: StoredRecord): string[] {
  const keys = new Set(record.layers.flatMap((layer) => one(layer.encryption?.keyId ?? null)));
  keys.delete(record.encryption?.keyId ?? '');
  return [...keys];
}

/** Data keys are named by what they were made for. */
function dataKeysOf(record: StoredRecord): string[] {
  const keys = record.layers.flatMap((layer) => one(layer.encryption?.lineageId ?? null));
  return [...new Set(keys)];
}

export const AUDIT_LAST = 'audit/last';
export const TOMBSTONES = 'tomb/';
export const EDGES_UP = 'from/';
export const EDGES_DOWN = 'into/';

/** The value of index entries and edges. */
export const NOTHING: Uint8Array = new Uint8Array(0);

/** What all keys of a group begin with; an id behind it makes one of them. */
export function groupPrefix(index: { readonly prefix: string }, group: string): string {
  return `${index.prefix}${group}/`;
}

export function shardGroup(shardIndex: number): string {
  invariant(Number.isInteger(shardIndex) && shardIndex >= 0, 'a shard has an index');
  invariant(shardIndex < SHARDS_MAX && SHARDS_MAX <= 100, 'a shard index has two digits');
  return String(shardIndex).padStart(2, '0');
}

/** The groups a record belongs to, as prefixes. */
export function groupsOf<K extends ResourceKind>(
  table: ResourceTable<K>,
  record: Records[K],
): string[] {
  const groups: string[] = [];
  for (const index of table.indexes) {
    for (const group of index.groupsOf(record)) groups.push(groupPrefix(index, group));
  }
  return groups;
}

/** What stands behind the last `/` of a key. */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/**
 * @param id need not be an id at all: then there is no such record
 * @throws PlaneError DataDirectoryCorrupt, DataDirectoryVersion
 */
export function readResource<K extends ResourceKind>(
  reader: KeyValueReader,
  table: ResourceTable<K>,
  id: string,
): Records[K] | undefined {
  if (!table.isId(id)) return undefined;
  const bytes = reader.get(table.prefix + id);
  return bytes === undefined ? undefined : decodeResource(table, id, bytes);
}

/** @throws PlaneError DataDirectoryCorrupt: also if it is the record of another id */
export function decodeResource<K extends ResourceKind>(
  table: ResourceTable<K>,
  id: string,
  bytes: Uint8Array,
): Records[K] {
  const record = decodeRecord(table.kind, bytes);
  const ownId = table.idOf(record);
  if (ownId === id) return record;
  throw new PlaneError('DataDirectoryCorrupt', `${table.kind} record of ${id} is of ${ownId}`);
}
