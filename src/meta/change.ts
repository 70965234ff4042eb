/**
 * One change of the metadata, applied inside one transaction. Thread: main.
 *
 * In this order: records and documents, edges they speak of, edges given, removals, audit entries.
 * So a change may make a disk from a snapshot and remove the snapshot.
 *
 * 1. A record that replaces another keeps its shard and its source, and what is encrypted stays
 *    encrypted; its keys and trees may be others (re-encryption).
 * 2. Index entries and lineage edges (edges.ts) change with the record, in the same transaction.
 * 3. Audit entries (audit-log.ts) are appended in the transaction of what they tell of.
 *
 * No step depends on how many records there are, but for the logarithm of a tree lookup, the
 * tombstones that a removal prunes, and the ancestors of an edge whose child has children already.
 */
import { invariant } from '../base/invariant.ts';
import type { KeyValueTransaction } from '../kv/key-value-store.ts';
import { encodeRecord } from '../record/codec.ts';
import type { UsageRecord } from '../record/document.ts';
import type { LineageEdge, ResourceKind } from '../record/lineage.ts';
import type { DiskRecord, EncryptionRecord, SnapshotRecord } from '../record/resource.ts';
import type { Records } from '../record/shapes.ts';
import { type AuditEntry, addUsage, appendAudit } from './audit-log.ts';
import { type CountChanges, count } from './count-changes.ts';
import {
  type DocumentPut,
  type DocumentRemoval,
  type PackedDocument,
  packDocument,
  putDocument,
  removeDocument,
} from './documents.ts';
import {
  bury,
  buryDocument,
  edgesOfDocument,
  edgesTo,
  putContentEdge,
  putNamedEdge,
} from './edges.ts';
import { isLineageDocument, nodeOfDisk, nodeOfSnapshot } from './lineage.ts';
import {
  DISKS,
  groupsOf,
  NOTHING,
  type ResourceTable,
  readResource,
  SNAPSHOTS,
  TOMBSTONES,
  treeKeysOf,
} from './tables.ts';

/** What one transaction changes. Everything or nothing. */
export interface MetadataChange {
  readonly putDisks?: readonly DiskRecord[];
  readonly removeDisks?: readonly string[];
  readonly putSnapshots?: readonly SnapshotRecord[];
  readonly removeSnapshots?: readonly string[];
  /** A clone's edge. What a record speaks of (sourceSnapshotId, sourceDiskId) may be left out. */
  readonly putEdges?: readonly LineageEdge[];
  readonly putDocuments?: readonly DocumentPut[];
  readonly removeDocuments?: readonly DocumentRemoval[];
  /** Their sequence is given inside the transaction: it has no gap. */
  readonly appendAudit?: readonly AuditEntry[];
  /** Calls are added to those counted so far. */
  readonly addUsage?: readonly UsageRecord[];
}

interface Put<K extends ResourceKind> {
  readonly table: ResourceTable<K>;
  readonly record: Records[K];
  readonly bytes: Uint8Array;
}

/** A change whose records are packed already: the caller's objects are not looked at later. */
export interface PackedChange {
  readonly disks: readonly Put<'disk'>[];
  readonly snapshots: readonly Put<'snapshot'>[];
  readonly contentEdges: readonly LineageEdge[];
  readonly namedEdges: readonly LineageEdge[];
  readonly removeDisks: readonly string[];
  readonly removeSnapshots: readonly string[];
  readonly documents: readonly PackedDocument[];
  readonly removeDocuments: readonly DocumentRemoval[];
  readonly audit: readonly AuditEntry[];
  readonly usage: readonly UsageRecord[];
}

/** What a metadata service is opened with. */
export interface ChangeSettings {
  /** The time, for what is removed. */
  readonly now: () => number;
  /** Audit entries kept; older ones are dropped. */
  readonly auditEntriesMax: number;
}

/** @throws InvariantError a record has not the shape of its kind, or is encrypted without a key */
export function packChange(change: MetadataChange): PackedChange {
  const disks = (change.putDisks ?? []).map((record) => packed(DISKS, record));
  const snapshots = (change.putSnapshots ?? []).map((record) => packed(SNAPSHOTS, record));
  const contentEdges = [
    ...disks.flatMap(({ record }) => edgesTo(record.diskId, [DISKS.sourceOf(record)])),
    ...snapshots.flatMap(({ record }) => edgesTo(record.snapshotId, [SNAPSHOTS.sourceOf(record)])),
    ...(change.putEdges ?? []).map(({ childId, parentId }) => ({ childId, parentId })),
  ];
  const namedEdges = [
    ...disks.flatMap(({ record }) => edgesTo(record.diskId, [record.imageId])),
    ...(change.putDocuments ?? []).flatMap(edgesOfDocument),
  ];
  return {
    disks,
    snapshots,
    contentEdges,
    namedEdges,
    removeDisks: [...(change.removeDisks ?? [])],
    removeSnapshots: [...(change.removeSnapshots ?? [])],
    documents: (change.putDocuments ?? []).map(packDocument),
    removeDocuments: [...(change.removeDocuments ?? [])],
    audit: structuredClone(change.appendAudit ?? []),
    usage: structuredClone(change.addUsage ?? []),
  };
}

/**
 * @returns what to add to the counts once the transaction is durable
 * @throws PlaneError InvalidDiskId.NotFound, InvalidSnapshotId.NotFound: the parent of a new edge
 *   is not there, or no longer; DataDirectoryCorrupt
 */
export function applyChange(
  transaction: KeyValueTransaction,
  change: PackedChange,
  settings: ChangeSettings,
): CountChanges {
  const counts: CountChanges = new Map();
  for (const put of change.disks) putResource(transaction, counts, put);
  for (const put of change.snapshots) putResource(transaction, counts, put);
  for (const document of change.documents) {
    putDocument(transaction, counts, document);
    if (isLineageDocument(document.kind)) transaction.remove(TOMBSTONES + document.key);
  }
  for (const edge of change.contentEdges) putContentEdge(transaction, edge);
  for (const edge of change.namedEdges) putNamedEdge(transaction, edge);
  applyRemovals(transaction, counts, change, settings.now());
  appendAudit(transaction, counts, change.audit, settings.auditEntriesMax);
  addUsage(transaction, counts, change.usage);
  return counts;
}

function applyRemovals(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  change: PackedChange,
  now: number,
): void {
  for (const id of change.removeDisks) {
    const disk = removeResource(transaction, counts, DISKS, id);
    if (disk !== undefined) bury(transaction, nodeOfDisk(disk), now);
  }
  for (const id of change.removeSnapshots) {
    const snapshot = removeResource(transaction, counts, SNAPSHOTS, id);
    if (snapshot !== undefined) bury(transaction, nodeOfSnapshot(snapshot), now);
  }
  for (const removal of change.removeDocuments) {
    buryDocument(transaction, removal, now);
    removeDocument(transaction, counts, removal);
  }
}

function packed<K extends ResourceKind>(table: ResourceTable<K>, record: Records[K]): Put<K> {
  const bytes = encodeRecord(table.kind, record);
  const { encryption, layers } = record;
  const hasKeys = [encryption, ...layers.map((layer) => layer.encryption)].every(hasKeyOrIsErased);
  invariant(hasKeys, `encrypted ${table.idOf(record)} has a wrapped key, or had one erased`);
  const isTop = layers[0]?.encryption?.lineageId === encryption?.lineageId;
  invariant(isTop, `${table.idOf(record)} is encrypted as its top layer is`);
  return { table, record: structuredClone(record), bytes };
}

/** Encrypted with a wrapped key, or with none because it was erased. */
export function hasKeyOrIsErased(encryption: EncryptionRecord | null): boolean {
  if (encryption === null) return true;
  return encryption.wrappedKey.byteLength > 0 === (encryption.erasedAt === undefined);
}

function putResource<K extends ResourceKind>(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  { table, record, bytes }: Put<K>,
): void {
  const id = table.idOf(record);
  const former = readResource(transaction, table, id);
  if (former === undefined) {
    invariant(transaction.get(TOMBSTONES + id) === undefined, `${id} is not used twice`);
    count(counts, table.prefix, 1);
  } else {
    assertReplaces(table, former, record);
  }
  transaction.put(table.prefix + id, bytes);
  const formerGroups = new Set(former === undefined ? [] : groupsOf(table, former));
  for (const group of groupsOf(table, record)) {
    if (formerGroups.delete(group)) continue;
    transaction.put(group + id, NOTHING);
    count(counts, group, 1);
  }
  for (const group of formerGroups) removeIndexEntry(transaction, counts, group, id);
  const formerTrees = new Set(former === undefined ? [] : treeKeysOf(former));
  for (const key of treeKeysOf(record)) {
    if (!formerTrees.delete(key)) transaction.put(key, new TextEncoder().encode(id));
  }
  for (const key of formerTrees) transaction.remove(key);
}

function assertReplaces<K extends ResourceKind>(
  table: ResourceTable<K>,
  former: Records[K],
  record: Records[K],
): void {
  const id = table.idOf(record);
  invariant(former.shardIndex === record.shardIndex, `${id} stays on its shard`);
  invariant(table.sourceOf(former) === table.sourceOf(record), `${id} keeps its source`);
  const isDecrypted = former.encryption !== null && record.encryption === null;
  invariant(!isDecrypted, `${id} is encrypted and stays so`);
}

/** @returns what was removed; undefined: there was none, which is no error */
function removeResource<K extends ResourceKind>(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  table: ResourceTable<K>,
  id: string,
): Records[K] | undefined {
  const record = readResource(transaction, table, id);
  if (record === undefined) return undefined;
  transaction.remove(table.prefix + id);
  count(counts, table.prefix, -1);
  for (const group of groupsOf(table, record)) removeIndexEntry(transaction, counts, group, id);
  for (const key of treeKeysOf(record)) transaction.remove(key);
  return record;
}

function removeIndexEntry(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  group: string,
  id: string,
): void {
  transaction.remove(group + id);
  count(counts, group, -1);
}
