/**
 * One change of the metadata, applied inside one transaction. Thread: main.
 *
 * In this order: records, edges the records speak of, edges given, removals. So a change may make a
 * disk from a snapshot and remove the snapshot.
 *
 * 1. A record that replaces another keeps its shard and its source, and what is encrypted stays
 *    encrypted; its keys and trees may be others (re-encryption).
 * 2. A new edge leads from a living child without a parent to a living parent that is not its
 *    descendant. The child reads its parent's sectors: see inheritanceProblem().
 * 3. Index entries and edges change with the record, in the same transaction.
 * 4. What is removed leaves a tombstone if it has children; otherwise its edge goes, and with it
 *    every tombstone above that has no other child. Each edge and tombstone is pruned once.
 *
 * No step depends on how many records there are, but for the logarithm of a tree lookup, the
 * tombstones that a removal prunes, and the ancestors of an edge whose child has children already.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyValueTransaction } from '../kv/key-value-store.ts';
import { encodeRecord } from '../record/codec.ts';
import { isDiskId, isSnapshotId } from '../record/ids.ts';
import type { LineageEdge, ResourceKind } from '../record/lineage.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { Records } from '../record/shapes.ts';
import {
  type DocumentPut,
  type DocumentRemoval,
  type PackedDocument,
  packDocument,
  putDocument,
  removeDocument,
} from './documents.ts';
import { ancestorsOf, hasChildren, parentOf, readAnyResource } from './lineage.ts';
import {
  DISKS,
  EDGES_DOWN,
  EDGES_UP,
  groupPrefix,
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
}

/** Entries more or fewer, by table or group prefix. */
export type CountChanges = Map<string, number>;

interface Put<K extends ResourceKind> {
  readonly table: ResourceTable<K>;
  readonly record: Records[K];
  readonly bytes: Uint8Array;
}

/** A change whose records are packed already: the caller's objects are not looked at later. */
export interface PackedChange {
  readonly disks: readonly Put<'disk'>[];
  readonly snapshots: readonly Put<'snapshot'>[];
  readonly edges: readonly LineageEdge[];
  readonly removeDisks: readonly string[];
  readonly removeSnapshots: readonly string[];
  readonly documents: readonly PackedDocument[];
  readonly removeDocuments: readonly DocumentRemoval[];
}

/** @throws InvariantError a record has not the shape of its kind, or is encrypted without a key */
export function packChange(change: MetadataChange): PackedChange {
  const disks = (change.putDisks ?? []).map((record) => packed(DISKS, record));
  const snapshots = (change.putSnapshots ?? []).map((record) => packed(SNAPSHOTS, record));
  const edges: LineageEdge[] = [];
  for (const { table, record } of disks) addOwnEdge(edges, table, record);
  for (const { table, record } of snapshots) addOwnEdge(edges, table, record);
  for (const { childId, parentId } of change.putEdges ?? []) edges.push({ childId, parentId });
  return {
    disks,
    snapshots,
    edges,
    removeDisks: [...(change.removeDisks ?? [])],
    removeSnapshots: [...(change.removeSnapshots ?? [])],
    documents: (change.putDocuments ?? []).map(packDocument),
    removeDocuments: [...(change.removeDocuments ?? [])],
  };
}

/**
 * @returns what to add to the counts once the transaction is durable
 * @throws PlaneError InvalidDiskId.NotFound, InvalidSnapshotId.NotFound: the parent of a new edge
 *   is not there, or no longer; DataDirectoryCorrupt
 */
export function applyChange(transaction: KeyValueTransaction, change: PackedChange): CountChanges {
  const counts: CountChanges = new Map();
  for (const put of change.disks) putResource(transaction, counts, put);
  for (const put of change.snapshots) putResource(transaction, counts, put);
  for (const edge of change.edges) putEdge(transaction, edge);
  for (const id of change.removeDisks) removeResource(transaction, counts, DISKS, id);
  for (const id of change.removeSnapshots) removeResource(transaction, counts, SNAPSHOTS, id);
  for (const document of change.documents) putDocument(transaction, counts, document);
  for (const removal of change.removeDocuments) removeDocument(transaction, counts, removal);
  return counts;
}

/** @returns what is wrong with a child of this parent; null if nothing is */
export function inheritanceProblem(
  parent: DiskRecord | SnapshotRecord,
  child: DiskRecord | SnapshotRecord,
): string | null {
  if (parent.shardIndex !== child.shardIndex) return 'is on another shard than its source';
  const [from, to] = [parent.encryption, child.encryption];
  if (from !== null && to === null) return 'is stored in plain, its source is encrypted';
  return null;
}

function packed<K extends ResourceKind>(table: ResourceTable<K>, record: Records[K]): Put<K> {
  const bytes = encodeRecord(table.kind, record);
  const { encryption, layers } = record;
  const hasKeys = [encryption, ...layers.map((layer) => layer.encryption)].every(
    (each) => each === null || each.wrappedKey.byteLength > 0,
  );
  invariant(hasKeys, `encrypted ${table.idOf(record)} has a wrapped key`);
  const isTop = layers[0]?.encryption?.lineageId === encryption?.lineageId;
  invariant(isTop, `${table.idOf(record)} is encrypted as its top layer is`);
  return { table, record: structuredClone(record), bytes };
}

function addOwnEdge<K extends ResourceKind>(
  edges: LineageEdge[],
  table: ResourceTable<K>,
  record: Records[K],
): void {
  const parentId = table.sourceOf(record);
  if (parentId !== null) edges.push({ childId: table.idOf(record), parentId });
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

function putEdge(transaction: KeyValueTransaction, { childId, parentId }: LineageEdge): void {
  for (const id of [childId, parentId]) {
    invariant(isDiskId(id) || isSnapshotId(id), 'a lineage edge is between disks and snapshots');
  }
  const former = parentOf(transaction, childId);
  if (former === parentId) return;
  invariant(former === undefined, `${childId} is made from one source`);
  const child = readAnyResource(transaction, childId);
  invariant(child !== undefined, `${childId} is there before its lineage edge`);
  const parent = readAnyResource(transaction, parentId);
  if (parent === undefined) throw notFound(parentId, childId);
  const problem = inheritanceProblem(parent, child);
  invariant(problem === null, `${childId} from ${parentId} ${problem}`);
  // What has no children yet is nobody's ancestor.
  const isCycle =
    childId === parentId ||
    (hasChildren(transaction, childId) && ancestorsOf(transaction, parentId).includes(childId));
  invariant(!isCycle, `lineage has no cycle: ${childId} from ${parentId}`);
  transaction.put(groupPrefix({ prefix: EDGES_UP }, childId) + parentId, NOTHING);
  transaction.put(groupPrefix({ prefix: EDGES_DOWN }, parentId) + childId, NOTHING);
}

function notFound(parentId: string, childId: string): PlaneError {
  const code = isDiskId(parentId) ? 'InvalidDiskId.NotFound' : 'InvalidSnapshotId.NotFound';
  return new PlaneError(code, `${parentId}, source of ${childId}, does not exist`);
}

/** No error if there is none. */
function removeResource<K extends ResourceKind>(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  table: ResourceTable<K>,
  id: string,
): void {
  const record = readResource(transaction, table, id);
  if (record === undefined) return;
  transaction.remove(table.prefix + id);
  count(counts, table.prefix, -1);
  for (const group of groupsOf(table, record)) removeIndexEntry(transaction, counts, group, id);
  for (const key of treeKeysOf(record)) transaction.remove(key);
  if (hasChildren(transaction, id)) {
    const tombstone = { id, keyId: record.encryption?.keyId ?? null };
    transaction.put(TOMBSTONES + id, encodeRecord('tombstone', tombstone));
  } else {
    prune(transaction, id);
  }
}

/** Takes a removed id without children out of the lineage, and what was kept for its sake alone. */
function prune(transaction: KeyValueTransaction, id: string): void {
  let at = id;
  for (;;) {
    const parentId = parentOf(transaction, at);
    if (parentId === undefined) return;
    transaction.remove(groupPrefix({ prefix: EDGES_UP }, at) + parentId);
    transaction.remove(groupPrefix({ prefix: EDGES_DOWN }, parentId) + at);
    const tombstoneKey = TOMBSTONES + parentId;
    const isNeeded =
      transaction.get(tombstoneKey) === undefined || hasChildren(transaction, parentId);
    if (isNeeded) return;
    transaction.remove(tombstoneKey);
    at = parentId;
  }
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

function count(counts: CountChanges, prefix: string, difference: number): void {
  counts.set(prefix, (counts.get(prefix) ?? 0) + difference);
}
