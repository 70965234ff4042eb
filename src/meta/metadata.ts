/**
 * The metadata service: disks, snapshots and their lineage, and documents of every other kind.
 * Thread: main.
 *
 * 1. Reads are synchronous and see every commit that has resolved; whether they see one that has
 *    not is open. Records handed out are the caller's.
 * 2. A commit is all or nothing and durable when it resolves (kv/key-value-store.ts). After
 *    StoreFailed nothing works any more.
 * 3. Damage of a record is DataDirectoryCorrupt, from whichever call meets it.
 * 4. Listings are in the order of ids. Of a page the cost is that of passing over what it skips,
 *    inside the store, and of unpacking what it shows; the total is kept (entry-counts.ts).
 *
 * The tables are in tables.ts and documents.ts, what a commit keeps true in change.ts, what check()
 * looks for in checker.ts.
 */
import { PlaneError } from '../base/errors.ts';
import { type KeyValueStore, scan } from '../kv/key-value-store.ts';
import { openLmdbStore } from '../kv/lmdb-store.ts';
import { openMemoryStore } from '../kv/memory-store.ts';
import type { DocumentKind, DocumentRecords } from '../record/document-shapes.ts';
import { isDiskId, isInstanceId, isKeyId, isSnapshotId } from '../record/ids.ts';
import type { ResourceKind } from '../record/lineage.ts';
import type { DiskRecord, DiskStatus, SnapshotRecord } from '../record/resource.ts';
import type { Records } from '../record/shapes.ts';
import { applyChange, type CountChanges, type MetadataChange, packChange } from './change.ts';
import { checkTables } from './checker.ts';
import {
  decodeDocument,
  documentGroupPrefix,
  documentsPrefix,
  keyOfEntry,
  readDocument,
  scopeGroup,
} from './documents.ts';
import { countEntries, type EntryCounts } from './entry-counts.ts';
import { type LineageEntry, lineageOfKey, lineageOfResource } from './lineage.ts';
import {
  DISKS,
  decodeResource,
  groupPrefix,
  lastPart,
  type ResourceTable,
  readResource,
  SNAPSHOTS,
  shardGroup,
  treePrefix,
} from './tables.ts';

export type { MetadataChange } from './change.ts';
export type { LineageEntry } from './lineage.ts';

export interface Listing<T> {
  /** Records that pass the filter, on all pages. */
  readonly total: number;
  readonly records: T[];
}

/** An account in a region. */
export interface Scope {
  readonly accountId: string;
  readonly regionId: string;
}

/** Several given: all must hold, and the cost grows with the smallest of the groups. */
export interface DiskFilter {
  readonly scope?: Scope;
  readonly keyId?: string;
  readonly sourceSnapshotId?: string;
  readonly instanceId?: string;
  readonly imageId?: string;
}

export interface SnapshotFilter {
  readonly scope?: Scope;
  readonly diskId?: string;
  readonly keyId?: string;
  /** Copies of this snapshot. */
  readonly copiedFrom?: string;
}

/** Any text may be asked for as an id: what is not one is not found. */
export interface Metadata {
  getDisk(diskId: string): DiskRecord | undefined;
  getSnapshot(snapshotId: string): SnapshotRecord | undefined;
  /**
   * @param skip records to pass over
   * @param limit at most so many, 1 to STORE_RANGE_ENTRIES_MAX
   */
  listDisks(filter: DiskFilter, skip: number, limit: number): Listing<DiskRecord>;
  listSnapshots(filter: SnapshotFilter, skip: number, limit: number): Listing<SnapshotRecord>;
  /**
   * Where the next disk goes: the shard with the fewest. An answer counts as a disk there until one
   * is committed, so that disks made at the same time spread.
   */
  leastLoadedShard(shardCount: number): number;
  /** @param key as documents.ts makes it of the record */
  getDocument<K extends DocumentKind>(kind: K, key: string): DocumentRecords[K] | undefined;
  /**
   * Documents of a kind, in the order of their keys.
   *
   * @param group one of those documents.ts lists the kind by; null: all
   */
  listDocuments<K extends DocumentKind>(
    kind: K,
    group: string | null,
    skip: number,
    limit: number,
  ): Listing<DocumentRecords[K]>;
  /** Every tree that a disk or snapshot on one shard names. */
  treeNamesOfShard(shardIndex: number): string[];
  /** Disks and snapshots that name more than one tree. Reads every tree's name. */
  idsOfSeveralTrees(shardIndex: number): string[];
  /** Reads every disk. */
  disksWithStatus(statuses: readonly DiskStatus[]): DiskRecord[];
  /**
   * @param change copied in the call
   * @throws PlaneError InvalidDiskId.NotFound, InvalidSnapshotId.NotFound: a source is not there,
   *   or no longer; StoreFailed, PlaneClosed, DataDirectoryCorrupt
   */
  commit(change: MetadataChange): Promise<void>;
  /**
   * The resource, its ancestors and its descendants, each once, in this order and nearest first.
   * What was removed is in it for as long as something living came from it. A master key's lineage
   * is the key and every disk and snapshot it protects. Unknown id: empty.
   */
  lineage(id: string): LineageEntry[];
  /** Reads everything. @returns problems, as sentences */
  check(): string[];
  /** Waits for commits in flight. Idempotent. */
  close(): Promise<void>;
}

/**
 * @param directory made if absent; null: in memory
 * @throws PlaneError DataDirectoryCorrupt
 */
export async function openMetadata(directory: string | null): Promise<Metadata> {
  const store = directory === null ? openMemoryStore() : openLmdbStore(directory);
  try {
    return metadataOver(store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** @param store the metadata's from now on: close() closes it */
export function metadataOver(store: KeyValueStore): Metadata {
  return new StoredMetadata(store, countEntries(store));
}

class StoredMetadata implements Metadata {
  readonly #store: KeyValueStore;
  readonly #counts: EntryCounts;
  /** By shard index: answers of leastLoadedShard() no disk was committed for yet. */
  readonly #placing: number[] = [];
  #commitsInFlight = 0;

  constructor(store: KeyValueStore, counts: EntryCounts) {
    this.#store = store;
    this.#counts = counts;
  }

  getDisk(diskId: string): DiskRecord | undefined {
    return readResource(this.#store, DISKS, diskId);
  }

  getSnapshot(snapshotId: string): SnapshotRecord | undefined {
    return readResource(this.#store, SNAPSHOTS, snapshotId);
  }

  listDisks(filter: DiskFilter, skip: number, limit: number): Listing<DiskRecord> {
    const { scope, keyId, sourceSnapshotId, instanceId, imageId } = filter;
    const groups: string[] = [];
    if (scope !== undefined) groups.push(groupPrefix(DISKS.byScope, scopeName(scope)));
    if (instanceId !== undefined) {
      if (!isInstanceId(instanceId)) return { total: 0, records: [] };
      groups.push(groupPrefix(DISKS.byInstance, instanceId));
    }
    if (imageId !== undefined) {
      // Public images have ids of other forms than ours.
      if (!/^[\w.-]{1,128}$/.test(imageId)) return { total: 0, records: [] };
      groups.push(groupPrefix(DISKS.byImage, imageId));
    }
    if (keyId !== undefined) {
      if (!isKeyId(keyId)) return { total: 0, records: [] };
      groups.push(groupPrefix(DISKS.byKey, keyId));
    }
    if (sourceSnapshotId !== undefined) {
      if (!isSnapshotId(sourceSnapshotId)) return { total: 0, records: [] };
      groups.push(groupPrefix(DISKS.bySource, sourceSnapshotId));
    }
    return this.#list(DISKS, groups, skip, limit);
  }

  listSnapshots(filter: SnapshotFilter, skip: number, limit: number): Listing<SnapshotRecord> {
    const { scope, keyId, diskId, copiedFrom } = filter;
    const groups: string[] = [];
    if (scope !== undefined) groups.push(groupPrefix(SNAPSHOTS.byScope, scopeName(scope)));
    if (copiedFrom !== undefined) {
      if (!isSnapshotId(copiedFrom)) return { total: 0, records: [] };
      groups.push(groupPrefix(SNAPSHOTS.byCopied, copiedFrom));
    }
    if (keyId !== undefined) {
      if (!isKeyId(keyId)) return { total: 0, records: [] };
      groups.push(groupPrefix(SNAPSHOTS.byKey, keyId));
    }
    if (diskId !== undefined) {
      if (!isDiskId(diskId)) return { total: 0, records: [] };
      groups.push(groupPrefix(SNAPSHOTS.bySource, diskId));
    }
    return this.#list(SNAPSHOTS, groups, skip, limit);
  }

  leastLoadedShard(shardCount: number): number {
    const loads = Array.from(
      { length: shardCount },
      (_, index) =>
        this.#counts.of(groupPrefix(DISKS.byShard, shardGroup(index))) +
        (this.#placing[index] ?? 0),
    );
    const shardIndex = loads.indexOf(Math.min(...loads));
    this.#placing[shardIndex] = (this.#placing[shardIndex] ?? 0) + 1;
    return shardIndex;
  }

  treeNamesOfShard(shardIndex: number): string[] {
    const names: string[] = [];
    scan(this.#store, treePrefix(shardIndex), (key) => names.push(lastPart(key)));
    return names;
  }

  idsOfSeveralTrees(shardIndex: number): string[] {
    const seen = new Set<string>();
    const several = new Set<string>();
    scan(this.#store, treePrefix(shardIndex), (_, value) => {
      const id = new TextDecoder().decode(value);
      if (seen.has(id)) several.add(id);
      seen.add(id);
    });
    return [...several];
  }

  getDocument<K extends DocumentKind>(kind: K, key: string): DocumentRecords[K] | undefined {
    return readDocument(this.#store, kind, key);
  }

  listDocuments<K extends DocumentKind>(
    kind: K,
    group: string | null,
    skip: number,
    limit: number,
  ): Listing<DocumentRecords[K]> {
    if (group === null) {
      const prefix = documentsPrefix(kind);
      const entries = this.#store.range({ prefix, skip, limit });
      const records = entries.map(({ key, value }) =>
        decodeDocument(kind, key.slice(prefix.length), value),
      );
      return { total: this.#counts.of(prefix), records };
    }
    const prefix = documentGroupPrefix(kind, group);
    const records = this.#store.range({ prefix, skip, limit }).map(({ key }) => {
      const record = readDocument(this.#store, kind, keyOfEntry(key));
      if (record !== undefined) return record;
      throw new PlaneError('DataDirectoryCorrupt', `${key} names a ${kind} without a record`);
    });
    return { total: this.#counts.of(prefix), records };
  }

  disksWithStatus(statuses: readonly DiskStatus[]): DiskRecord[] {
    const found: DiskRecord[] = [];
    scan(this.#store, DISKS.prefix, (key, value) => {
      const disk = decodeResource(DISKS, lastPart(key), value);
      if (statuses.includes(disk.status)) found.push(disk);
    });
    return found;
  }

  async commit(change: MetadataChange): Promise<void> {
    const packed = packChange(change);
    this.#commitsInFlight++;
    try {
      const changes = await this.#store.transact((transaction) => applyChange(transaction, packed));
      this.#countCommitted(changes);
    } finally {
      this.#commitsInFlight--;
    }
  }

  lineage(id: string): LineageEntry[] {
    if (isKeyId(id)) return lineageOfKey(this.#store, id);
    return isDiskId(id) || isSnapshotId(id) ? lineageOfResource(this.#store, id) : [];
  }

  check(): string[] {
    const problems = checkTables(this.#store);
    // The tables may be ahead of the counts, but only by what is in flight.
    if (this.#commitsInFlight > 0) return problems;
    return [...problems, ...this.#counts.differencesFrom(countEntries(this.#store))];
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #countCommitted(changes: CountChanges): void {
    this.#counts.apply(changes);
    for (const [shardIndex, placing] of this.#placing.entries()) {
      const created = changes.get(groupPrefix(DISKS.byShard, shardGroup(shardIndex))) ?? 0;
      if (created > 0) this.#placing[shardIndex] = Math.max(placing - created, 0);
    }
  }

  /** Records of a table that are in all the groups given. */
  #list<K extends ResourceKind>(
    table: ResourceTable<K>,
    groups: readonly string[],
    skip: number,
    limit: number,
  ): Listing<Records[K]> {
    const bySize = [...groups].sort((a, b) => this.#counts.of(a) - this.#counts.of(b));
    const [first, ...others] = bySize;
    if (first === undefined) {
      const entries = this.#store.range({ prefix: table.prefix, skip, limit });
      const records = entries.map(({ key, value }) => decodeResource(table, lastPart(key), value));
      return { total: this.#counts.of(table.prefix), records };
    }
    if (others.length === 0) {
      const entries = this.#store.range({ prefix: first, skip, limit });
      const records = entries.map(({ key }) => this.#indexed(table, lastPart(key)));
      return { total: this.#counts.of(first), records };
    }
    const ids: string[] = [];
    scan(this.#store, first, (key) => {
      const id = lastPart(key);
      if (others.every((group) => this.#store.get(group + id) !== undefined)) ids.push(id);
    });
    const records = ids.slice(skip, skip + limit).map((id) => this.#indexed(table, id));
    return { total: ids.length, records };
  }

  #indexed<K extends ResourceKind>(table: ResourceTable<K>, id: string): Records[K] {
    const record = readResource(this.#store, table, id);
    if (record !== undefined) return record;
    throw new PlaneError('DataDirectoryCorrupt', `an index names ${id}, which has no record`);
  }
}

function scopeName({ accountId, regionId }: Scope): string {
  return scopeGroup(accountId, regionId);
}
