/**
 * The metadata service: disks, snapshots and their lineage, and documents of every other kind.
 * Thread: main.
 *
 * 1. Reads are synchronous and see every commit that has resolved; whether they see one that has
 *    not is open. Records handed out are not to be changed: others have them, too.
 * 2. A commit is all or nothing and durable when it resolves (kv/key-value-store.ts). After
 *    StoreFailed nothing works any more.
 * 3. Damage of a record is DataDirectoryCorrupt, from whichever call meets it.
 * 4. Listings are in the order of ids. Of a page the cost is that of passing over what it skips,
 *    inside the store, and of unpacking what it shows; a page that follows the one read before
 *    skips nothing (page-reader.ts). The total is kept (entry-counts.ts).
 *
 * The tables are in tables.ts and documents.ts, what a commit keeps true in change.ts, what check()
 * looks for in checker.ts.
 */
import { systemClock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { type KeyValueStore, scan } from '../kv/key-value-store.ts';
import { openLmdbStore } from '../kv/lmdb-store.ts';
import { openMemoryStore } from '../kv/memory-store.ts';
import { AUDIT_ENTRIES_MAX } from '../limits.ts';
import type { DocumentKind, DocumentRecords } from '../record/document-shapes.ts';
import type { DiskRecord, DiskStatus, SnapshotRecord } from '../record/resource.ts';
import { applyChange, type ChangeSettings, type MetadataChange, packChange } from './change.ts';
import { checkTables } from './checker.ts';
import type { CountChanges } from './count-changes.ts';
import {
  decodeDocument,
  documentGroupPrefix,
  documentsPrefix,
  keyOfEntry,
  readDocument,
} from './documents.ts';
import { countEntries, type EntryCounts } from './entry-counts.ts';
import {
  type DiskFilter,
  groupsOfDiskFilter,
  groupsOfSnapshotFilter,
  type SnapshotFilter,
} from './filters.ts';
import { type LineagePage, type LineageQuery, readLineagePage } from './lineage-walk.ts';
import { PageReader } from './page-reader.ts';
import { RecordMemory } from './record-memory.ts';
import {
  DISKS,
  decodeResource,
  groupPrefix,
  hourGroup,
  lastPart,
  SNAPSHOTS,
  shardGroup,
  snapshotDueAt,
  treePrefix,
} from './tables.ts';

export type { AuditEntry } from './audit-log.ts';
export type { MetadataChange } from './change.ts';
export type { FacetFilter } from './facets.ts';
export type { DiskFilter, Scope, SnapshotFilter } from './filters.ts';
export type { LineageCursor, LineageEntry, LineageSubject } from './lineage-walk.ts';

export interface Listing<T> {
  /** Records that pass the filter, on all pages. */
  readonly total: number;
  readonly records: T[];
}

/** Disks and snapshots with a layer under a master key. */
export interface KeyCounts {
  readonly disks: number;
  /** Of those, disks that are not Available. */
  readonly attachedDisks: number;
  readonly snapshots: number;
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
   * Snapshots whose days have passed, those that are due first, first.
   *
   * @param skip of those that are due, so many to pass over
   */
  snapshotsDue(now: number, skip: number, limit: number): SnapshotRecord[];
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
   * Who came from whom, under which key, a page at a time. What was removed is in it for as long as
   * something living came from it.
   *
   * @throws PlaneError InvalidParameter: the cursor is of a lineage that has changed since
   */
  lineagePage(query: LineageQuery): LineagePage;
  /** How much a master key protects, whatever its account. */
  countsOfKey(keyId: string): KeyCounts;
  /** The keys of a group's documents behind one, in order. */
  documentKeysAfter(
    kind: DocumentKind,
    group: string,
    after: string | null,
    limit: number,
  ): readonly string[];
  /** Reads everything. @returns problems, as sentences */
  check(): string[];
  /** Waits for commits in flight. Idempotent. */
  close(): Promise<void>;
}

/**
 * @param directory made if absent; null: in memory
 * @throws PlaneError DataDirectoryCorrupt
 */
export async function openMetadata(
  directory: string | null,
  settings?: Partial<ChangeSettings>,
): Promise<Metadata> {
  const store = directory === null ? openMemoryStore() : openLmdbStore(directory);
  try {
    return metadataOver(store, settings);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** @param store the metadata's from now on: close() closes it */
export function metadataOver(
  store: KeyValueStore,
  settings: Partial<ChangeSettings> = {},
): Metadata {
  const { now = systemClock.now, auditEntriesMax = AUDIT_ENTRIES_MAX } = settings;
  return new StoredMetadata(store, countEntries(store), { now, auditEntriesMax });
}

class StoredMetadata implements Metadata {
  readonly #store: KeyValueStore;
  readonly #counts: EntryCounts;
  /** By shard index: answers of leastLoadedShard() no disk was committed for yet. */
  readonly #placing: number[] = [];
  readonly #settings: ChangeSettings;
  readonly #memory = new RecordMemory();
  readonly #pages: PageReader;
  #commitsInFlight = 0;
  #isClosing = false;

  constructor(store: KeyValueStore, counts: EntryCounts, settings: ChangeSettings) {
    this.#store = store;
    this.#counts = counts;
    this.#settings = settings;
    this.#pages = new PageReader(store, counts, this.#memory);
  }

  getDisk(diskId: string): DiskRecord | undefined {
    return this.#pages.find(DISKS, diskId, this.#mayRemember);
  }

  getSnapshot(snapshotId: string): SnapshotRecord | undefined {
    return this.#pages.find(SNAPSHOTS, snapshotId, this.#mayRemember);
  }

  listDisks(filter: DiskFilter, skip: number, limit: number): Listing<DiskRecord> {
    const groups = groupsOfDiskFilter(filter);
    if (groups === null) return { total: 0, records: [] };
    return this.#pages.records(DISKS, groups, this.#page(skip, limit));
  }

  listSnapshots(filter: SnapshotFilter, skip: number, limit: number): Listing<SnapshotRecord> {
    const groups = groupsOfSnapshotFilter(filter);
    if (groups === null) return { total: 0, records: [] };
    return this.#pages.records(SNAPSHOTS, groups, this.#page(skip, limit));
  }

  snapshotsDue(now: number, skip: number, limit: number): SnapshotRecord[] {
    const { prefix } = SNAPSHOTS.byDueHour;
    const due: SnapshotRecord[] = [];
    for (const { key } of this.#store.range({ prefix, skip, limit })) {
      if (key.slice(prefix.length) > `${hourGroup(now)}/~`) break;
      const snapshot = this.#pages.indexed(SNAPSHOTS, lastPart(key), false);
      // Of the hour it is now, some are due later: they end the answer, the rest is looked at then.
      if ((snapshotDueAt(snapshot) ?? Number.POSITIVE_INFINITY) <= now) due.push(snapshot);
    }
    return due;
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
    const read = (): DocumentRecords[K] | undefined => readDocument(this.#store, kind, key);
    if (kind !== 'account') return read();
    return this.#memory.recall(documentsPrefix(kind) + key, this.#mayRemember, read);
  }

  listDocuments<K extends DocumentKind>(
    kind: K,
    group: string | null,
    skip: number,
    limit: number,
  ): Listing<DocumentRecords[K]> {
    const { mayRemember } = this.#page(skip, limit);
    if (group === null) {
      const prefix = documentsPrefix(kind);
      const entries = this.#pages.entries(prefix, skip, limit, mayRemember);
      const records = entries.map(({ key, value }) =>
        decodeDocument(kind, key.slice(prefix.length), value),
      );
      return { total: this.#counts.of(prefix), records };
    }
    const prefix = documentGroupPrefix(kind, group);
    const records = this.#pages.entries(prefix, skip, limit, mayRemember).map(({ key }) => {
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
    this.#forget();
    try {
      const changes = await this.#store.transact((transaction) =>
        applyChange(transaction, packed, this.#settings),
      );
      this.#countCommitted(changes);
    } finally {
      this.#commitsInFlight--;
      this.#forget();
    }
  }

  lineagePage(query: LineageQuery): LineagePage {
    return readLineagePage(this.#store, query);
  }

  countsOfKey(keyId: string): KeyCounts {
    const count = (...indexes: { readonly prefix: string }[]): number =>
      indexes.reduce((sum, index) => sum + this.#counts.of(groupPrefix(index, keyId)), 0);
    return {
      disks: count(DISKS.byKey, DISKS.byLowerKey),
      attachedDisks: count(DISKS.byOpenKey),
      snapshots: count(SNAPSHOTS.byKey, SNAPSHOTS.byLowerKey),
    };
  }

  documentKeysAfter(
    kind: DocumentKind,
    group: string,
    after: string | null,
    limit: number,
  ): readonly string[] {
    const prefix = documentGroupPrefix(kind, group);
    const query = { prefix, limit };
    const behind = after === null ? query : { ...query, after: prefix + after };
    return this.#store.range(behind).map(({ key }) => keyOfEntry(key));
  }

  check(): string[] {
    const problems = checkTables(this.#store);
    // The tables may be ahead of the counts, but only by what is in flight.
    if (this.#commitsInFlight > 0) return problems;
    return [...problems, ...this.#counts.differencesFrom(countEntries(this.#store))];
  }

  close(): Promise<void> {
    this.#isClosing = true;
    this.#forget();
    return this.#store.close();
  }

  /** What is read while a commit is in flight may be of before it, or of after. */
  get #mayRemember(): boolean {
    return this.#commitsInFlight === 0 && !this.#isClosing;
  }

  #page(skip: number, limit: number): { skip: number; limit: number; mayRemember: boolean } {
    return { skip, limit, mayRemember: this.#mayRemember };
  }

  #forget(): void {
    this.#pages.forget();
    this.#memory.forget();
  }

  #countCommitted(changes: CountChanges): void {
    this.#counts.apply(changes);
    // A shard that was not placed on yet is a hole.
    for (const [shardIndex, placing = 0] of this.#placing.entries()) {
      const created = changes.get(groupPrefix(DISKS.byShard, shardGroup(shardIndex))) ?? 0;
      if (created > 0) this.#placing[shardIndex] = Math.max(placing - created, 0);
    }
  }
}
