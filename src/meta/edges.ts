/**
 * Lineage edges and tombstones, written with the records they follow from. Thread: main.
 *
 * 1. The sectors of a disk or snapshot come from one other at most: its content edge. The parent is
 *    there when the edge is made, on the same shard, and plain if the child is: see
 *    inheritanceProblem(). A share stands for the snapshot it shows.
 * 2. All other edges follow from what a record names (a disk's image, an image's snapshots). They
 *    are made if what is named is known and the edge closes no cycle (an instance's disk replaced
 *    by one of an image made from that instance), and stay when the record names something else.
 * 3. What is removed leaves a tombstone if it has children; otherwise its edges go, and with them
 *    every tombstone above that has no other child. Each edge and tombstone is pruned once.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyValueTransaction } from '../kv/key-value-store.ts';
import { encodeRecord } from '../record/codec.ts';
import type { DocumentRecords } from '../record/document-shapes.ts';
import { isDiskId, isLineageId, isSnapshotId } from '../record/ids.ts';
import type { LineageEdge, TombstoneRecord } from '../record/lineage.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { DocumentPut } from './documents.ts';
import { readDocument } from './documents.ts';
import {
  ancestorsOf,
  hasChildren,
  hasEdge,
  isLineageDocument,
  type LineageDocument,
  type LineageNode,
  parentsOf,
  readAnyResource,
  readLivingNode,
} from './lineage.ts';
import { EDGES_DOWN, EDGES_UP, groupPrefix, NOTHING, TOMBSTONES } from './tables.ts';

/** What a document names as its sources. */
const DOCUMENT_SOURCES: {
  readonly [K in LineageDocument]: (record: DocumentRecords[K]) => readonly (string | null)[];
} = {
  image: (image) => [
    ...image.devices.map((device) => device.snapshotId),
    image.sourceImageId,
    image.sourceInstanceId,
  ],
  instance: (instance) => [instance.imageId],
  share: (share) => [share.sourceSnapshotId],
};

/** The edges a document calls for. */
export function edgesOfDocument(put: DocumentPut): LineageEdge[] {
  switch (put.kind) {
    case 'image':
      return edgesTo(put.record.imageId, DOCUMENT_SOURCES.image(put.record));
    case 'instance':
      return edgesTo(put.record.instanceId, DOCUMENT_SOURCES.instance(put.record));
    case 'share':
      return edgesTo(put.record.snapshotId, DOCUMENT_SOURCES.share(put.record));
    default:
      return [];
  }
}

export function edgesTo(childId: string, parentIds: readonly (string | null)[]): LineageEdge[] {
  const named = parentIds.filter((id): id is string => id !== null && isLineageId(id));
  return [...new Set(named)].map((parentId) => ({ childId, parentId }));
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

/** Rule 1. */
export function putContentEdge(
  transaction: KeyValueTransaction,
  { childId, parentId }: LineageEdge,
): void {
  for (const id of [childId, parentId]) {
    invariant(isDiskId(id) || isSnapshotId(id), 'a content edge is between disks and snapshots');
  }
  const former = contentParentOf(parentsOf(transaction, childId));
  if (former === parentId) return;
  invariant(former === undefined, `${childId} is made from one source`);
  const child = readAnyResource(transaction, childId);
  invariant(child !== undefined, `${childId} is there before its lineage edge`);
  const parent = contentOf(transaction, parentId);
  if (parent === undefined) throw notFound(parentId, childId);
  const problem = inheritanceProblem(parent, child);
  invariant(problem === null, `${childId} from ${parentId} ${problem}`);
  const isCycle = closesCycle(transaction, { childId, parentId });
  invariant(!isCycle, `lineage has no cycle: ${childId} from ${parentId}`);
  writeEdge(transaction, { childId, parentId });
}

/** Rule 2. */
export function putNamedEdge(transaction: KeyValueTransaction, edge: LineageEdge): void {
  if (hasEdge(transaction, edge.childId, edge.parentId)) return;
  const isKnown =
    transaction.get(TOMBSTONES + edge.parentId) !== undefined ||
    readLivingNode(transaction, edge.parentId) !== undefined;
  if (isKnown && !closesCycle(transaction, edge)) writeEdge(transaction, edge);
}

/** Of the parents of a disk or snapshot, the one its sectors come from. */
function contentParentOf(parentIds: readonly string[]): string | undefined {
  return parentIds.find((id) => isDiskId(id) || isSnapshotId(id));
}

/** What holds the sectors: for a share, the snapshot it shows. */
function contentOf(
  transaction: KeyValueTransaction,
  id: string,
): DiskRecord | SnapshotRecord | undefined {
  const own = readAnyResource(transaction, id);
  if (own !== undefined || !isSnapshotId(id)) return own;
  const share = readDocument(transaction, 'share', id);
  return share === undefined ? undefined : readAnyResource(transaction, share.sourceSnapshotId);
}

function closesCycle(transaction: KeyValueTransaction, { childId, parentId }: LineageEdge) {
  if (childId === parentId) return true;
  // What has no children yet is nobody's ancestor.
  return hasChildren(transaction, childId) && ancestorsOf(transaction, parentId).has(childId);
}

function writeEdge(transaction: KeyValueTransaction, { childId, parentId }: LineageEdge): void {
  transaction.put(groupPrefix({ prefix: EDGES_UP }, childId) + parentId, NOTHING);
  transaction.put(groupPrefix({ prefix: EDGES_DOWN }, parentId) + childId, NOTHING);
}

function notFound(parentId: string, childId: string): PlaneError {
  const code = isDiskId(parentId) ? 'InvalidDiskId.NotFound' : 'InvalidSnapshotId.NotFound';
  return new PlaneError(code, `${parentId}, source of ${childId}, does not exist`);
}

/** Rule 3. @param node as it was before its record was removed */
export function bury(transaction: KeyValueTransaction, node: LineageNode, deletedAt: number): void {
  if (!hasChildren(transaction, node.id)) {
    prune(transaction, node.id);
    return;
  }
  const { status: _status, instanceId: _instanceId, ...kept } = node;
  const tombstone: TombstoneRecord = { ...kept, deletedAt };
  transaction.put(TOMBSTONES + node.id, encodeRecord('tombstone', tombstone));
}

/** Buries a document that is to be removed, if its kind is in the lineage. */
export function buryDocument(
  transaction: KeyValueTransaction,
  { kind, key }: { readonly kind: string; readonly key: string },
  deletedAt: number,
): void {
  if (!isLineageDocument(kind)) return;
  const node = readLivingNode(transaction, key);
  if (node !== undefined) bury(transaction, node, deletedAt);
}

/** Takes a removed id without children out of the lineage, and what was kept for its sake alone. */
function prune(transaction: KeyValueTransaction, id: string): void {
  const pending = [id];
  for (const at of pending) {
    for (const parentId of parentsOf(transaction, at)) {
      transaction.remove(groupPrefix({ prefix: EDGES_UP }, at) + parentId);
      transaction.remove(groupPrefix({ prefix: EDGES_DOWN }, parentId) + at);
      const tombstoneKey = TOMBSTONES + parentId;
      if (transaction.get(tombstoneKey) === undefined) continue;
      if (hasChildren(transaction, parentId)) continue;
      transaction.remove(tombstoneKey);
      pending.push(parentId);
    }
  }
}
