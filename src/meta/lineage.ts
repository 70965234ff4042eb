/**
 * The lineage graph, read one step at a time: a node, its parents, its children. Thread: main.
 *
 * Walks over it are loops, not recursion, and visit each id once: to come back to an id from which
 * a walk set out is a cycle, which commit() does not let in. Walks that answer callers are in
 * lineage-walk.ts, a page at a time.
 */
import { invariant } from '../base/invariant.ts';
import { type KeyValueReader, scan } from '../kv/key-value-store.ts';
import { decodeRecord } from '../record/codec.ts';
import type { DocumentRecords } from '../record/document-shapes.ts';
import { isDiskId, isImageId, isInstanceId, isLineageId, isSnapshotId } from '../record/ids.ts';
import type { LayerKey, LineageKind } from '../record/lineage.ts';
import type { DiskRecord, OwnedRecord, SnapshotRecord } from '../record/resource.ts';
import { layerKeyOf } from '../record/wrapped-key.ts';
import { readDocument } from './documents.ts';
import {
  DISKS,
  EDGES_DOWN,
  EDGES_UP,
  groupPrefix,
  lastPart,
  readResource,
  SNAPSHOTS,
  TOMBSTONES,
} from './tables.ts';

/** A resource in the lineage, there or removed. */
export interface LineageNode {
  readonly id: string;
  readonly kind: LineageKind;
  readonly accountId: string;
  readonly regionId: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** null: it is there. */
  readonly deletedAt: number | null;
  /** Of its layers, top first; null: plain. Empty for what has no sectors of its own. */
  readonly keys: readonly (LayerKey | null)[];
  /** Empty if it was removed, and for shares. */
  readonly status: string;
  /** The instance a disk is attached to. */
  readonly instanceId: string | null;
}

/** Kinds of documents that are in the lineage. */
const LINEAGE_DOCUMENTS = ['image', 'instance', 'share'] as const;
export type LineageDocument = (typeof LINEAGE_DOCUMENTS)[number];

export function isLineageDocument(kind: string): kind is LineageDocument {
  return (LINEAGE_DOCUMENTS as readonly string[]).includes(kind);
}

export function readAnyResource(
  reader: KeyValueReader,
  id: string,
): DiskRecord | SnapshotRecord | undefined {
  return isDiskId(id) ? readResource(reader, DISKS, id) : readResource(reader, SNAPSHOTS, id);
}

/** @returns undefined: there is no such resource, and no tombstone of one */
export function readNode(reader: KeyValueReader, id: string): LineageNode | undefined {
  if (!isLineageId(id)) return undefined;
  const living = readLivingNode(reader, id);
  if (living !== undefined) return living;
  const bytes = reader.get(TOMBSTONES + id);
  if (bytes === undefined) return undefined;
  const tombstone = decodeRecord('tombstone', bytes);
  return { ...tombstone, status: '', instanceId: null };
}

/** @returns undefined: there is no such resource, though there may be a tombstone */
export function readLivingNode(reader: KeyValueReader, id: string): LineageNode | undefined {
  if (isDiskId(id)) {
    const disk = readResource(reader, DISKS, id);
    return disk === undefined ? undefined : nodeOfDisk(disk);
  }
  if (isSnapshotId(id)) {
    const snapshot = readResource(reader, SNAPSHOTS, id);
    if (snapshot !== undefined) return nodeOfSnapshot(snapshot);
    const share = readDocument(reader, 'share', id);
    return share === undefined ? undefined : nodeOfDocument('share', share);
  }
  const kind = isImageId(id) ? 'image' : isInstanceId(id) ? 'instance' : null;
  if (kind === null) return undefined;
  const document = readDocument(reader, kind, id);
  return document === undefined ? undefined : nodeOfDocument(kind, document);
}

export function nodeOfDisk(disk: DiskRecord): LineageNode {
  const { diskId: id, status, instanceId } = disk;
  return { ...ownedPart(disk), id, kind: 'disk', keys: keysOf(disk), status, instanceId };
}

export function nodeOfSnapshot(snapshot: SnapshotRecord): LineageNode {
  const { snapshotId: id, status } = snapshot;
  const keys = keysOf(snapshot);
  return { ...ownedPart(snapshot), id, kind: 'snapshot', keys, status, instanceId: null };
}

function nodeOfDocument<K extends LineageDocument>(
  kind: K,
  document: DocumentRecords[K],
): LineageNode {
  const bare = { kind, keys: [], instanceId: null } as const;
  if ('imageId' in document && !('instanceId' in document)) {
    return { ...ownedPart(document), ...bare, id: document.imageId, status: document.status };
  }
  if ('instanceId' in document) {
    return { ...ownedPart(document), ...bare, id: document.instanceId, status: document.status };
  }
  const { snapshotId: id, accountId, regionId, sharedAt } = document;
  const owned = { accountId, regionId, name: '', createdAt: sharedAt, deletedAt: null };
  return { ...owned, ...bare, id, status: '' };
}

function ownedPart({ accountId, regionId, name, createdAt }: OwnedRecord) {
  return { accountId, regionId, name, createdAt, deletedAt: null };
}

function keysOf({ layers }: DiskRecord | SnapshotRecord): (LayerKey | null)[] {
  return layers.map(({ encryption }) => layerKeyOf(encryption));
}

/** In the order of their ids. */
export function parentsOf(reader: KeyValueReader, id: string): string[] {
  const parents: string[] = [];
  scan(reader, groupPrefix({ prefix: EDGES_UP }, id), (key) => parents.push(lastPart(key)));
  return parents;
}

export function hasEdge(reader: KeyValueReader, childId: string, parentId: string): boolean {
  return reader.get(groupPrefix({ prefix: EDGES_UP }, childId) + parentId) !== undefined;
}

/** @param after the child before it; null: the first is asked for */
export function nextChildOf(
  reader: KeyValueReader,
  id: string,
  after: string | null,
): string | undefined {
  const prefix = groupPrefix({ prefix: EDGES_DOWN }, id);
  const query = { prefix, limit: 1 };
  const [entry] = reader.range(after === null ? query : { ...query, after: prefix + after });
  return entry === undefined ? undefined : lastPart(entry.key);
}

export function hasChildren(reader: KeyValueReader, id: string): boolean {
  return nextChildOf(reader, id, null) !== undefined;
}

/**
 * @param mayPass whether an id belongs to the walk at all: what is behind one that does not is not
 *   looked at
 * @returns ids and how many edges away they are, nearest first, those as near by their children
 */
export function ancestorsOf(
  reader: KeyValueReader,
  id: string,
  mayPass: (ancestorId: string) => boolean = () => true,
): Map<string, number> {
  const found = new Map<string, number>();
  // A Map is walked in the order of insertion, through what is added on the way.
  const addParents = (childId: string, depth: number): void => {
    for (const parentId of parentsOf(reader, childId)) {
      invariant(parentId !== id, `lineage has no cycle: ${id} comes from itself`);
      if (!found.has(parentId) && mayPass(parentId)) found.set(parentId, depth);
    }
  };
  addParents(id, 1);
  for (const [ancestorId, depth] of found) addParents(ancestorId, depth + 1);
  return found;
}
