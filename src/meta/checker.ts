/**
 * Is what is stored what change.ts would have stored? Thread: main.
 *
 * Reads every entry once into memory and looks for, in this order:
 *
 * 1. keys of no table, records that do not unpack, index entries and edges with a value
 * 2. encrypted records without a wrapped key
 * 3. records without one of their index entries, group entries or trees, and the reverse
 * 4. edges with one direction only, with an end that is neither there nor a tombstone, between
 *    resources that do not fit (another shard, plain from encrypted); sectors from two sources;
 *    sources that records speak of and edges do not, and the reverse
 * 5. tombstones of what is there, and such that nothing came from
 * 6. cycles
 * 7. audit entries missing between the first and the last
 */
import { PlaneError } from '../base/errors.ts';
import { type KeyValueReader, scan } from '../kv/key-value-store.ts';
import { decodeRecord } from '../record/codec.ts';
import type { DocumentKind } from '../record/document-shapes.ts';
import { isDiskId, isSnapshotId } from '../record/ids.ts';
import type { ResourceKind, TombstoneRecord } from '../record/lineage.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { Records } from '../record/shapes.ts';
import { hasKeyOrIsErased } from './change.ts';
import {
  DOCUMENT_GROUP_PREFIX,
  DOCUMENT_PREFIX,
  DOCUMENTS,
  type DocumentPut,
  decodeDocument,
  documentsPrefix,
  groupKeysOf,
} from './documents.ts';
import { edgesOfDocument, inheritanceProblem } from './edges.ts';
import { isLineageDocument } from './lineage.ts';
import {
  AUDIT_LAST,
  DISKS,
  decodeResource,
  EDGES_DOWN,
  EDGES_UP,
  groupsOf,
  lastPart,
  type ResourceTable,
  SNAPSHOTS,
  TOMBSTONES,
  TREES,
  treeKeysOf,
} from './tables.ts';

/** @returns problems, as sentences; none: everything the head lists was looked for */
export function checkTables(reader: KeyValueReader): string[] {
  const tables = new LoadedTables();
  scan(reader, '', (key, value) => tables.load(key, value));
  return [
    ...tables.problems,
    ...checkResources(tables),
    ...checkIndexes(tables),
    ...checkDocuments(tables),
    ...checkTrees(tables),
    ...checkEdges(tables),
    ...checkTombstones(tables),
    ...checkCycles(tables),
    ...checkAudit(tables),
  ];
}

const INDEX_PREFIXES: ReadonlySet<string> = new Set([
  ...DISKS.indexes.map((index) => index.prefix),
  ...SNAPSHOTS.indexes.map((index) => index.prefix),
]);

/** Edges in one direction: id to ids. */
type Links = Map<string, Set<string>>;

class LoadedTables {
  readonly problems: string[] = [];
  readonly disks = new Map<string, DiskRecord>();
  readonly snapshots = new Map<string, SnapshotRecord>();
  readonly tombstones = new Map<string, TombstoneRecord>();
  /** Ids whose record does not unpack: what else is said of them cannot be judged. */
  readonly damagedIds = new Set<string>();
  /** What images, instances and shares name as their sources, by id. */
  readonly named = new Map<string, readonly (string | null)[]>();
  readonly auditSequences: number[] = [];
  auditLast = 0;
  readonly indexKeys = new Set<string>();
  /** Group entries documents call for, and those there are. */
  readonly documentEntries = new Set<string>();
  readonly documentGroups = new Set<string>();
  /** Tree key to the id of its resource. */
  readonly trees = new Map<string, string>();
  readonly parents: Links = new Map();
  readonly children: Links = new Map();

  load(key: string, value: Uint8Array): void {
    const prefix = key.slice(0, key.indexOf('/') + 1);
    const id = lastPart(key);
    if (prefix === DISKS.prefix) {
      this.#unpack(key, () => this.disks.set(id, decodeResource(DISKS, id, value)));
    } else if (prefix === SNAPSHOTS.prefix) {
      this.#unpack(key, () => this.snapshots.set(id, decodeResource(SNAPSHOTS, id, value)));
    } else if (prefix === TOMBSTONES) {
      this.#unpack(key, () => this.tombstones.set(id, decodeTombstone(id, value)));
    } else if (prefix === DOCUMENT_PREFIX) {
      this.#unpack(key, () => this.#loadDocument(key, value));
    } else if (key === AUDIT_LAST) {
      this.#unpack(key, () => {
        this.auditLast = decodeRecord('counter', value).count;
      });
    } else if (prefix === TREES) {
      this.trees.set(key, new TextDecoder().decode(value));
    } else {
      this.#loadLink(prefix, key, value);
    }
  }

  /** Notes the group entries a document calls for. */
  #loadDocument(key: string, value: Uint8Array): void {
    const [, kind = ''] = key.split('/');
    if (!Object.hasOwn(DOCUMENTS, kind)) {
      this.problems.push(`${key}: a key of no table`);
      return;
    }
    const known = kind as DocumentKind;
    const record = decodeDocument(known, key.slice(documentsPrefix(known).length), value);
    for (const { entry } of groupKeysOf(known, record)) this.documentEntries.add(entry);
    if ('sequence' in record) this.auditSequences.push(record.sequence);
    const edges = edgesOfDocument({ kind: known, record } as DocumentPut);
    if (isLineageDocument(known)) {
      this.named.set(
        lastPart(key),
        edges.map(({ parentId }) => parentId),
      );
    }
  }

  resource(id: string): DiskRecord | SnapshotRecord | undefined {
    return this.disks.get(id) ?? this.snapshots.get(id);
  }

  isKnown(id: string): boolean {
    if (this.resource(id) !== undefined || this.named.has(id)) return true;
    return this.tombstones.has(id) || this.damagedIds.has(id);
  }

  #loadLink(prefix: string, key: string, value: Uint8Array): void {
    if (value.byteLength > 0)
      this.problems.push(`${key}: ${value.byteLength} bytes, expected none`);
    const [, from, to, ...more] = key.split('/');
    const isLink = from !== undefined && to !== undefined && more.length <= 1;
    const links = prefix === EDGES_UP ? this.parents : this.children;
    if (prefix === DOCUMENT_GROUP_PREFIX) {
      this.documentGroups.add(key);
    } else if (isLink && INDEX_PREFIXES.has(prefix)) {
      this.indexKeys.add(key);
    } else if (isLink && more.length === 0 && (prefix === EDGES_UP || prefix === EDGES_DOWN)) {
      addLink(links, from, to);
    } else {
      this.problems.push(`${key}: a key of no table`);
    }
  }

  #unpack(key: string, unpackRecord: () => void): void {
    try {
      unpackRecord();
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      this.damagedIds.add(lastPart(key));
      this.problems.push(`${key}: ${error.message}`);
    }
  }
}

function addLink(links: Links, from: string, to: string): void {
  const linked = links.get(from);
  if (linked === undefined) links.set(from, new Set([to]));
  else linked.add(to);
}

function decodeTombstone(id: string, value: Uint8Array): TombstoneRecord {
  const tombstone = decodeRecord('tombstone', value);
  if (tombstone.id === id) return tombstone;
  throw new PlaneError('DataDirectoryCorrupt', `tombstone of ${id} is of ${tombstone.id}`);
}

function checkResources(tables: LoadedTables): string[] {
  const problems: string[] = [];
  for (const [id, { encryption }] of [...tables.disks, ...tables.snapshots]) {
    if (!hasKeyOrIsErased(encryption)) problems.push(`${id}: encrypted, no wrapped key`);
  }
  return problems;
}

function checkIndexes(tables: LoadedTables): string[] {
  const missing: string[] = [];
  const unclaimed = new Set(tables.indexKeys);
  claim(DISKS, tables.disks, unclaimed, missing);
  claim(SNAPSHOTS, tables.snapshots, unclaimed, missing);
  const problems = missing.map((key) => `${key}: the record is there, its index entry is not`);
  for (const key of unclaimed) {
    if (tables.damagedIds.has(lastPart(key))) continue;
    problems.push(`${key}: an index entry of no record`);
  }
  return problems;
}

function checkDocuments(tables: LoadedTables): string[] {
  const { documentEntries, documentGroups } = tables;
  return [
    ...[...documentEntries]
      .filter((entry) => !documentGroups.has(entry))
      .map((entry) => `${entry}: the record is there, its group entry is not`),
    ...[...documentGroups]
      .filter((entry) => !documentEntries.has(entry))
      .map((entry) => `${entry}: a group entry of no record`),
  ];
}

function checkTrees(tables: LoadedTables): string[] {
  const problems: string[] = [];
  const unclaimed = new Map(tables.trees);
  for (const [id, record] of [...tables.disks, ...tables.snapshots]) {
    for (const key of treeKeysOf(record)) {
      if (unclaimed.get(key) !== id) problems.push(`${key}: expected the tree of ${id}`);
      unclaimed.delete(key);
    }
  }
  for (const [key, id] of unclaimed) {
    if (!tables.damagedIds.has(id)) problems.push(`${key}: a tree no record names`);
  }
  return problems;
}

/** Takes from `unclaimed` what the records call for, and adds to `missing` what was not in it. */
function claim<K extends ResourceKind>(
  table: ResourceTable<K>,
  records: ReadonlyMap<string, Records[K]>,
  unclaimed: Set<string>,
  missing: string[],
): void {
  for (const [id, record] of records) {
    for (const group of groupsOf(table, record)) {
      if (!unclaimed.delete(group + id)) missing.push(group + id);
    }
  }
}

function checkEdges(tables: LoadedTables): string[] {
  const problems: string[] = [];
  for (const [childId, parentIds] of tables.parents) {
    const sources = [...parentIds].filter((id) => isDiskId(id) || isSnapshotId(id));
    const isSecond = tables.resource(childId) !== undefined && sources.length > 1;
    if (isSecond) problems.push(`${childId}: made from ${sources.join(' and ')}`);
    for (const parentId of parentIds) {
      problems.push(...edgeProblems(tables, childId, parentId));
      if (tables.children.get(parentId)?.has(childId)) continue;
      problems.push(`${childId} from ${parentId}: the edge has no downward entry`);
    }
  }
  for (const [parentId, childIds] of tables.children) {
    for (const childId of childIds) {
      if (tables.parents.get(childId)?.has(parentId)) continue;
      problems.push(`${childId} from ${parentId}: the edge has no upward entry`);
    }
  }
  return [...problems, ...checkSources(tables)];
}

function edgeProblems(tables: LoadedTables, childId: string, parentId: string): string[] {
  const edge = `${childId} from ${parentId}`;
  const dangling = [childId, parentId].filter((id) => !tables.isKnown(id));
  if (dangling.length > 0) return dangling.map((id) => `${edge}: dangling, nothing is ${id}`);
  const child = tables.resource(childId);
  const parent = tables.resource(parentId);
  if (child === undefined) return [];
  if (parent !== undefined) {
    const problem = inheritanceProblem(parent, child);
    return problem === null ? [] : [`${edge}: ${childId} ${problem}`];
  }
  const tombstone = tables.tombstones.get(parentId);
  if (tombstone === undefined) return [];
  const isDecrypted = (tombstone.keys[0] ?? null) !== null && child.encryption === null;
  return isDecrypted ? [`${edge}: the source was encrypted, ${childId} is not`] : [];
}

/** What a record says it was made from is its parent; a disk that says nothing may be a clone. */
function checkSources(tables: LoadedTables): string[] {
  const problems: string[] = [];
  const check = (id: string, sourceId: string): void => {
    if (tables.parents.get(id)?.has(sourceId)) return;
    problems.push(`${id}: made from ${sourceId}, but no edge says so`);
  };
  for (const [id, snapshot] of tables.snapshots) {
    check(id, snapshot.sourceSnapshotId ?? snapshot.sourceDiskId);
  }
  // An edge that would have closed a cycle was not made.
  const checkNamed = (id: string, sourceId: string | null): void => {
    const isThere =
      sourceId !== null && (tables.named.has(sourceId) || tables.snapshots.has(sourceId));
    if (isThere && !comesFrom(tables.parents, sourceId, id)) check(id, sourceId);
  };
  for (const [id, sources] of tables.named) for (const source of sources) checkNamed(id, source);
  for (const [id, disk] of tables.disks) {
    checkNamed(id, disk.imageId);
    if (disk.sourceSnapshotId !== null) {
      check(id, disk.sourceSnapshotId);
      continue;
    }
    const snapshotId = [...(tables.parents.get(id) ?? [])].find(isSnapshotId);
    if (snapshotId === undefined) continue;
    problems.push(`${id}: an edge says it is made from ${snapshotId}, the disk does not`);
  }
  return problems;
}

function checkTombstones(tables: LoadedTables): string[] {
  const problems: string[] = [];
  for (const id of tables.tombstones.keys()) {
    if (tables.resource(id) !== undefined || tables.named.has(id))
      problems.push(`${id}: has a tombstone and is there`);
    if (!tables.children.has(id)) problems.push(`${id}: a tombstone nothing came from`);
  }
  return problems;
}

function comesFrom(parents: Links, id: string, ancestorId: string): boolean {
  const found = new Set([id]);
  for (const at of found) for (const parentId of parents.get(at) ?? []) found.add(parentId);
  return found.has(ancestorId);
}

function checkAudit({ auditSequences, auditLast }: LoadedTables): string[] {
  const sorted = [...auditSequences].sort((a, b) => a - b);
  const gap = sorted.find((sequence, index) => sequence !== sorted[0]! + index);
  if (gap !== undefined) return [`audit/${gap}: the entry before it is missing`];
  const last = sorted.at(-1) ?? 0;
  return last === auditLast ? [] : [`audit: the last entry is ${last}, expected ${auditLast}`];
}

/** Takes away what has no parent left until nothing more goes: the rest hangs on a cycle. */
function checkCycles(tables: LoadedTables): string[] {
  const parentsLeft = new Map<string, number>();
  const childrenOf: Links = new Map();
  for (const [childId, parentIds] of tables.parents) {
    parentsLeft.set(childId, parentIds.size);
    for (const parentId of parentIds) addLink(childrenOf, parentId, childId);
  }
  const free = [...childrenOf.keys()].filter((id) => !parentsLeft.has(id));
  for (const id of free) {
    for (const childId of childrenOf.get(id) ?? []) {
      const left = parentsLeft.get(childId)! - 1;
      parentsLeft.set(childId, left);
      if (left > 0) continue;
      parentsLeft.delete(childId);
      free.push(childId);
    }
  }
  if (parentsLeft.size === 0) return [];
  const [first] = parentsLeft.keys();
  return [`${first}: lineage has a cycle, ${parentsLeft.size} ids are in it or came from it`];
}
