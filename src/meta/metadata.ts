/**
 * The metadata service: what disks and snapshots there are, and where they came from.
 *
 * 1. Every change is one transaction: record, lineage, groups and counts change together or not at
 *    all, and are durable when the promise resolves.
 * 2. A disk or snapshot made from another has it as the source of its lineage record. What is
 *    deleted keeps its lineage record, marked with the time, until nothing made from it is left.
 * 3. Nothing here asks a shard or the KMS: control/ does, and holds the record meanwhile
 *    (exclusively()).
 * 4. A change costs a fixed number of lookups, however many disks there are. A page costs its own
 *    records and a step over each list entry before it (test/unit/meta/scale.test.ts measures both).
 *
 * **Thread:** main.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import {
  type KeyValueReader,
  type KeyValueStore,
  type KeyValueTransaction,
  scan,
} from '../kv/key-value-store.ts';
import { openLmdbStore } from '../kv/lmdb-store.ts';
import { openMemoryStore } from '../kv/memory-store.ts';
import { SHARDS_DEFAULT, SHARDS_MAX } from '../limits.ts';
import { decodeRecord } from '../record/codec.ts';
import { isDiskId, isSnapshotId, makeDiskId, type RandomBytes } from '../record/ids.ts';
import type { LineageRecord } from '../record/lineage.ts';
import type { PlaneIdentity } from '../record/plane-identity.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import { metadataProblems } from './checker.ts';
import { ancestorsOf, descendantsOf, resourcesUnder } from './lineage.ts';
import { RecordLocks } from './record-locks.ts';
import {
  addMember,
  countOf,
  DISK_PREFIX,
  groups,
  groupsOfDisk,
  groupsOfSnapshot,
  LINEAGE_PREFIX,
  METADATA_FORMAT_VERSION,
  membersOf,
  nextNumber,
  putDisk,
  putIdentity,
  putLineage,
  putSnapshot,
  readDisk,
  readIdentity,
  readLineage,
  readSnapshot,
  removeMember,
  SNAPSHOT_PREFIX,
} from './tables.ts';

export interface MetadataOptions {
  /** The metadata's from here on: closed by close(). */
  readonly store: KeyValueStore;
  /** Shards of a new plane; null: the default. An existing plane has what it was made with. */
  readonly shardCount: number | null;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

export interface Page {
  readonly skip: number;
  readonly limit: number;
}

export interface PageOf<R> {
  /** Members of the whole list. */
  readonly total: number;
  readonly records: readonly R[];
}

/** Whose disks or snapshots, and which of them. */
export interface DiskFilter {
  readonly accountId: string;
  readonly regionId: string;
  readonly keyId?: string | undefined;
}

export interface SnapshotFilter {
  readonly accountId: string;
  readonly regionId: string;
  readonly sourceDiskId?: string | undefined;
}

/** A disk to be recorded; shardIndex null: the next shard in turn. */
export type NewDisk = Omit<DiskRecord, 'shardIndex'> & { readonly shardIndex: number | null };

/** The store of a plane's metadata: `meta/` in its data directory, or in memory for null. */
export function openMetadataStore(dataDir: string | null): KeyValueStore {
  return dataDir === null ? openMemoryStore() : openLmdbStore(join(dataDir, 'meta'));
}

/**
 * Opens a plane's metadata, or makes it in an empty store.
 *
 * @throws PlaneError DataDirectoryForeign, DataDirectoryVersion, DataDirectoryCorrupt, StoreFailed;
 *   InvalidArgument: another number of shards than the plane was made with. The store is closed then.
 */
export async function openMetadata(options: MetadataOptions): Promise<Metadata> {
  const { store } = options;
  try {
    const identity = readIdentity(store) ?? (await makeIdentity(options));
    if (identity.formatVersion !== METADATA_FORMAT_VERSION) {
      const detail = `metadata format ${identity.formatVersion}, expected ${METADATA_FORMAT_VERSION}`;
      throw new PlaneError('DataDirectoryVersion', detail);
    }
    const { shardCount } = options;
    if (shardCount !== null && shardCount !== identity.shardCount) {
      const detail = `the plane was made with ${identity.shardCount} shards, not ${shardCount}`;
      throw new PlaneError('InvalidArgument', detail);
    }
    return new Metadata(store, identity);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function makeIdentity(options: MetadataOptions): Promise<PlaneIdentity> {
  const { store, clock, randomBytes, shardCount } = options;
  if (store.range({ prefix: '', limit: 1 }).length > 0) {
    throw new PlaneError('DataDirectoryForeign', 'the metadata store holds something else');
  }
  const identity: PlaneIdentity = {
    formatVersion: METADATA_FORMAT_VERSION,
    planeId: makeDiskId(randomBytes).slice('d-'.length),
    shardCount: shardCount ?? SHARDS_DEFAULT,
    createdAt: clock.now(),
  };
  invariant(identity.shardCount >= 1 && identity.shardCount <= SHARDS_MAX, 'shards are checked');
  await store.transact((transaction) => putIdentity(transaction, identity));
  return identity;
}

export class Metadata {
  readonly identity: PlaneIdentity;
  readonly #store: KeyValueStore;
  readonly #locks = new RecordLocks();

  /** Use openMetadata(). */
  constructor(store: KeyValueStore, identity: PlaneIdentity) {
    this.#store = store;
    this.identity = identity;
  }

  /** @param diskId from anywhere: what is not an id is not found */
  disk(diskId: string): DiskRecord | null {
    return isDiskId(diskId) ? readDisk(this.#store, diskId) : null;
  }

  /** @param snapshotId from anywhere: what is not an id is not found */
  snapshot(snapshotId: string): SnapshotRecord | null {
    return isSnapshotId(snapshotId) ? readSnapshot(this.#store, snapshotId) : null;
  }

  /** Lineage of a disk or snapshot, deleted ones included. */
  lineage(id: string): LineageRecord | null {
    return isDiskId(id) || isSnapshotId(id) ? readLineage(this.#store, id) : null;
  }

  /** Disks in order of creation. */
  disks(filter: DiskFilter, page: Page): PageOf<DiskRecord> {
    const { keyId } = filter;
    const group = keyId === undefined ? groups.disks(filter) : groups.disksUnder(keyId);
    return this.#page(group, page, (id) => readDisk(this.#store, id));
  }

  /** Snapshots in order of creation. */
  snapshots(filter: SnapshotFilter, page: Page): PageOf<SnapshotRecord> {
    const { sourceDiskId } = filter;
    const group =
      sourceDiskId === undefined ? groups.snapshots(filter) : groups.snapshotsOf(sourceDiskId);
    return this.#page(group, page, (id) => readSnapshot(this.#store, id));
  }

  /** How many disks and snapshots were made directly from this one and are recorded. */
  countMadeFrom(id: string): number {
    return countOf(this.#store, groups.madeFrom(id));
  }

  ancestors(record: LineageRecord): LineageRecord[] {
    return ancestorsOf(this.#store, record);
  }

  descendants(record: LineageRecord): LineageRecord[] {
    return descendantsOf(this.#store, record);
  }

  /** Disks and snapshots a master key protects, in order of creation. */
  resourcesUnder(keyId: string): LineageRecord[] {
    return resourcesUnder(this.#store, keyId);
  }

  eachDisk(visit: (disk: DiskRecord) => void): void {
    scan(this.#store, DISK_PREFIX, (_, bytes) => visit(decodeRecord('disk', bytes)));
  }

  eachSnapshot(visit: (snapshot: SnapshotRecord) => void): void {
    scan(this.#store, SNAPSHOT_PREFIX, (_, bytes) => visit(decodeRecord('snapshot', bytes)));
  }

  /**
   * Records a new disk.
   *
   * @param sourceId the disk or snapshot it was made from, which the caller holds; null for none
   * @returns the record as stored, with its shard
   */
  insertDisk(disk: NewDisk, sourceId: string | null): Promise<DiskRecord> {
    return this.#store.transact((transaction) => {
      invariant(readDisk(transaction, disk.diskId) === null, 'disk ids are unique');
      const shardIndex = disk.shardIndex ?? this.#nextShard(transaction);
      const record: DiskRecord = { ...disk, shardIndex };
      putDisk(transaction, record);
      const keyId = disk.encryption?.keyId ?? null;
      const made = { id: disk.diskId, kind: 'disk', sourceId, keyId } as const;
      const sequence = this.#insertLineage(transaction, made);
      for (const group of groupsOfDisk(record)) {
        addMember(transaction, group, sequence, disk.diskId);
      }
      return record;
    });
  }

  /** Records a new snapshot; the caller holds its source disk. */
  insertSnapshot(snapshot: SnapshotRecord): Promise<void> {
    return this.#store.transact((transaction) => {
      const { snapshotId, sourceDiskId, encryption } = snapshot;
      invariant(readSnapshot(transaction, snapshotId) === null, 'snapshot ids are unique');
      putSnapshot(transaction, snapshot);
      const keyId = encryption?.keyId ?? null;
      const made = { id: snapshotId, kind: 'snapshot', sourceId: sourceDiskId, keyId } as const;
      const sequence = this.#insertLineage(transaction, made);
      for (const group of groupsOfSnapshot(snapshot)) {
        addMember(transaction, group, sequence, snapshotId);
      }
    });
  }

  /** Changes what may change of a disk; the caller holds it. */
  updateDisk(
    diskId: string,
    change: Partial<Pick<DiskRecord, 'status' | 'sizeBytes'>>,
  ): Promise<DiskRecord> {
    return this.#store.transact((transaction) => {
      const disk = readDisk(transaction, diskId);
      invariant(disk !== null, 'a disk that is held is not deleted');
      const changed = { ...disk, ...change };
      putDisk(transaction, changed);
      return changed;
    });
  }

  /** Removes a disk's record; the caller holds it. */
  removeDisk(diskId: string, deletedAt: number): Promise<void> {
    return this.#store.transact((transaction) => {
      const disk = readDisk(transaction, diskId);
      invariant(disk !== null, 'a disk that is held is not deleted');
      transaction.remove(`${DISK_PREFIX}${diskId}`);
      this.#removeResource(transaction, diskId, groupsOfDisk(disk), deletedAt);
    });
  }

  /** Removes a snapshot's record; the caller holds it. */
  removeSnapshot(snapshotId: string, deletedAt: number): Promise<void> {
    return this.#store.transact((transaction) => {
      const snapshot = readSnapshot(transaction, snapshotId);
      invariant(snapshot !== null, 'a snapshot that is held is not deleted');
      transaction.remove(`${SNAPSHOT_PREFIX}${snapshotId}`);
      this.#removeResource(transaction, snapshotId, groupsOfSnapshot(snapshot), deletedAt);
    });
  }

  /** Runs while nobody else holds the disk or snapshot of this id. */
  exclusively<T>(id: string, run: () => Promise<T>): Promise<T> {
    return this.#locks.hold(id, run);
  }

  /** Reads every record and checks the rules; problems are sentences. Takes as long as that takes. */
  check(): string[] {
    return metadataProblems(this.#store);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #page<R>(group: string, page: Page, readOne: (id: string) => R | null): PageOf<R> {
    const ids = membersOf(this.#store, group, page);
    const records = ids.map((id) => {
      const record = readOne(id);
      invariant(record !== null, 'a member of a group has its record');
      return record;
    });
    return { total: countOf(this.#store, group), records };
  }

  #nextShard(transaction: KeyValueTransaction): number {
    return (nextNumber(transaction, 'placement') - 1) % this.identity.shardCount;
  }

  /** @returns the sequence number of what was made */
  #insertLineage(
    transaction: KeyValueTransaction,
    made: Omit<LineageRecord, 'sequence' | 'deletedAt'>,
  ): number {
    const sequence = nextNumber(transaction, 'sequence');
    if (made.sourceId !== null) {
      const source = readLineage(transaction, made.sourceId);
      invariant(source !== null && source.deletedAt === null, 'a source that is held exists');
      invariant(source.sequence < sequence, 'a source is older than what is made from it');
      addMember(transaction, groups.madeFrom(made.sourceId), sequence, made.id);
    }
    putLineage(transaction, { ...made, sequence, deletedAt: null });
    return sequence;
  }

  #removeResource(
    transaction: KeyValueTransaction,
    id: string,
    memberships: readonly string[],
    deletedAt: number,
  ): void {
    const lineage = readLineage(transaction, id);
    invariant(lineage !== null && lineage.deletedAt === null, 'what exists has its lineage record');
    for (const group of memberships) removeMember(transaction, group, lineage.sequence, id);
    putLineage(transaction, { ...lineage, deletedAt });
    forgetUnneeded(transaction, { ...lineage, deletedAt });
  }
}

/**
 * Removes lineage records of what was deleted and has nothing left that was made from it, from this
 * one towards its sources. Each is removed once, so all removals together cost what their
 * insertions did.
 */
function forgetUnneeded(transaction: KeyValueTransaction, from: LineageRecord): void {
  let lineage: LineageRecord | null = from;
  while (lineage !== null && isUnneeded(transaction, lineage)) {
    transaction.remove(`${LINEAGE_PREFIX}${lineage.id}`);
    const { sourceId, sequence, id }: LineageRecord = lineage;
    if (sourceId === null) return;
    removeMember(transaction, groups.madeFrom(sourceId), sequence, id);
    lineage = readLineage(transaction, sourceId);
  }
}

function isUnneeded(reader: KeyValueReader, lineage: LineageRecord): boolean {
  return lineage.deletedAt !== null && countOf(reader, groups.madeFrom(lineage.id)) === 0;
}
