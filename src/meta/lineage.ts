/**
 * The lineage graph, read: parents, children, ancestors, descendants. Thread: main.
 *
 * Walks are loops over lists, not recursion, and visit each id once: the edges are a forest, so to
 * come back to an id is a cycle, which commit() does not let in. A walk is therefore bounded by the
 * number of edges.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { type KeyValueReader, scan } from '../kv/key-value-store.ts';
import { decodeRecord } from '../record/codec.ts';
import { isDiskId } from '../record/ids.ts';
import type { TombstoneRecord } from '../record/lineage.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
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

/** One disk, snapshot or master key of a lineage. */
export interface LineageEntry {
  readonly id: string;
  readonly kind: 'disk' | 'snapshot' | 'key';
  /** What it was made from directly: one id, or none. The way on is that id's own entry. */
  readonly from: readonly string[];
  /** The master key protecting it; empty if it is stored in plain, and for a key itself. */
  readonly keyId: string;
}

export function readAnyResource(
  reader: KeyValueReader,
  id: string,
): DiskRecord | SnapshotRecord | undefined {
  return isDiskId(id) ? readResource(reader, DISKS, id) : readResource(reader, SNAPSHOTS, id);
}

function readTombstone(reader: KeyValueReader, id: string): TombstoneRecord | undefined {
  const bytes = reader.get(TOMBSTONES + id);
  return bytes === undefined ? undefined : decodeRecord('tombstone', bytes);
}

export function parentOf(reader: KeyValueReader, id: string): string | undefined {
  const [entry] = reader.range({ prefix: groupPrefix({ prefix: EDGES_UP }, id), limit: 1 });
  return entry === undefined ? undefined : lastPart(entry.key);
}

export function hasChildren(reader: KeyValueReader, id: string): boolean {
  return reader.range({ prefix: groupPrefix({ prefix: EDGES_DOWN }, id), limit: 1 }).length > 0;
}

/** @returns ids, nearest first */
export function ancestorsOf(reader: KeyValueReader, id: string): string[] {
  const found = new Set<string>();
  for (let at = parentOf(reader, id); at !== undefined; at = parentOf(reader, at)) {
    invariant(at !== id && !found.has(at), `lineage has no cycle: ${id} comes from ${at} twice`);
    found.add(at);
  }
  return [...found];
}

/** @returns ids, nearest first, those as near in the order of their parents, then of their ids */
function descendantsOf(reader: KeyValueReader, id: string): string[] {
  const found = new Set<string>();
  // A Set is walked in the order of insertion, through what is added on the way.
  const addChildren = (parentId: string): void => {
    scan(reader, groupPrefix({ prefix: EDGES_DOWN }, parentId), (key) => {
      const child = lastPart(key);
      const isNew = child !== id && !found.has(child);
      invariant(isNew, `lineage has no cycle: ${child} comes from ${id} twice`);
      found.add(child);
    });
  };
  addChildren(id);
  for (const descendant of found) addChildren(descendant);
  return [...found];
}

/**
 * @param id of a disk or snapshot
 * @returns the resource, its ancestors, its descendants; empty if it is not and leaves no tombstone
 * @throws PlaneError DataDirectoryCorrupt
 */
export function lineageOfResource(reader: KeyValueReader, id: string): LineageEntry[] {
  const own = entryOf(reader, id);
  if (own === undefined) return [];
  const others = [...ancestorsOf(reader, id), ...descendantsOf(reader, id)];
  return [own, ...others.map((other) => entryOf(reader, other) ?? dangling(other, id))];
}

/** @returns the key and every disk and snapshot it protects; empty if it protects none */
export function lineageOfKey(reader: KeyValueReader, keyId: string): LineageEntry[] {
  const entries: LineageEntry[] = [{ id: keyId, kind: 'key', from: [], keyId: '' }];
  for (const table of [DISKS, SNAPSHOTS]) {
    const { kind, byKey } = table;
    scan(reader, groupPrefix(byKey, keyId), (key) => {
      const id = lastPart(key);
      entries.push({ id, kind, from: listOf(parentOf(reader, id)), keyId });
    });
  }
  return entries.length === 1 ? [] : entries;
}

function entryOf(reader: KeyValueReader, id: string): LineageEntry | undefined {
  const record = readAnyResource(reader, id);
  const keyId =
    record === undefined ? readTombstone(reader, id)?.keyId : (record.encryption?.keyId ?? null);
  if (keyId === undefined) return undefined;
  const kind = isDiskId(id) ? 'disk' : 'snapshot';
  return { id, kind, from: listOf(parentOf(reader, id)), keyId: keyId ?? '' };
}

function listOf(id: string | undefined): string[] {
  return id === undefined ? [] : [id];
}

function dangling(id: string, of: string): never {
  throw new PlaneError('DataDirectoryCorrupt', `lineage of ${of}: nothing is known of ${id}`);
}
