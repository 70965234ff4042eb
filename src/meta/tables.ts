/**
 * The metadata service's tables: which record lies under which key of its store.
 *
 *   identity                        planeIdentity: what this data directory is
 *   disk/<disk id>                  disk
 *   snapshot/<snapshot id>          snapshot
 *   lineage/<disk or snapshot id>   lineage: also of what was deleted, while something made from it is left
 *   list/<group>/<sequence>/<id>    one byte: id is a member of the group, in order of creation
 *   count/<group>                   counter: how many members; absent for none
 *   next/sequence                   counter: the last sequence number given out
 *   next/placement                  counter: disks placed so far
 *
 * Groups, and who asks for them:
 *
 *   disks/<account>/<region>        every disk                      DescribeDisks
 *   disks-under/<key id>            disks protected by a key        DescribeDisks, KMSKeyId; lineage
 *   snapshots/<account>/<region>    every snapshot                  DescribeSnapshots
 *   snapshots-of/<disk id>          snapshots of a disk, deleted or not   DescribeSnapshots, DiskId
 *   snapshots-under/<key id>        snapshots protected by a key    lineage
 *   made-from/<id>                  lineage records whose source is id    lineage, DeleteSnapshot
 *
 * A sequence is 16 decimal digits, so members come in order of creation and a page seen does not
 * move when something new is made. Every step of a change is a lookup: its cost does not grow with
 * the number of disks. A page is found by skipping: see metadata.ts for what that costs.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyValueReader, KeyValueTransaction } from '../kv/key-value-store.ts';
import { decodeRecord, encodeRecord } from '../record/codec.ts';
import type { LineageRecord } from '../record/lineage.ts';
import type { PlaneIdentity } from '../record/plane-identity.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { Records } from '../record/shapes.ts';

/** Version of this layout and of the records in it. */
export const METADATA_FORMAT_VERSION = 1;

const IDENTITY = 'identity';
const SEQUENCE_DIGITS = 16;
const MEMBER = Uint8Array.of(1);

export const DISK_PREFIX = 'disk/';
export const SNAPSHOT_PREFIX = 'snapshot/';
export const LINEAGE_PREFIX = 'lineage/';
export const LIST_PREFIX = 'list/';
export const COUNT_PREFIX = 'count/';

export type Counter = 'sequence' | 'placement';

interface Scope {
  readonly accountId: string;
  readonly regionId: string;
}

/** Names of groups: the only place they are put together. */
export const groups = {
  disks: ({ accountId, regionId }: Scope): string => `disks/${accountId}/${regionId}`,
  disksUnder: (keyId: string): string => `disks-under/${keyId}`,
  snapshots: ({ accountId, regionId }: Scope): string => `snapshots/${accountId}/${regionId}`,
  snapshotsOf: (diskId: string): string => `snapshots-of/${diskId}`,
  snapshotsUnder: (keyId: string): string => `snapshots-under/${keyId}`,
  madeFrom: (sourceId: string): string => `made-from/${sourceId}`,
};

/** The groups a disk is in, apart from made-from, which is its lineage record's. */
export function groupsOfDisk(disk: DiskRecord): string[] {
  const { encryption } = disk;
  const under = encryption === null ? [] : [groups.disksUnder(encryption.keyId)];
  return [groups.disks(disk), ...under];
}

export function groupsOfSnapshot(snapshot: SnapshotRecord): string[] {
  const { encryption } = snapshot;
  const under = encryption === null ? [] : [groups.snapshotsUnder(encryption.keyId)];
  return [groups.snapshots(snapshot), groups.snapshotsOf(snapshot.sourceDiskId), ...under];
}

export function readIdentity(reader: KeyValueReader): PlaneIdentity | null {
  return read(reader, IDENTITY, 'planeIdentity');
}

export function putIdentity(transaction: KeyValueTransaction, identity: PlaneIdentity): void {
  transaction.put(IDENTITY, encodeRecord('planeIdentity', identity));
}

export function readDisk(reader: KeyValueReader, diskId: string): DiskRecord | null {
  const disk = read(reader, `${DISK_PREFIX}${diskId}`, 'disk');
  if (disk !== null && disk.diskId !== diskId) throw misplaced(diskId, disk.diskId);
  return disk;
}

export function putDisk(transaction: KeyValueTransaction, disk: DiskRecord): void {
  transaction.put(`${DISK_PREFIX}${disk.diskId}`, encodeRecord('disk', disk));
}

export function readSnapshot(reader: KeyValueReader, snapshotId: string): SnapshotRecord | null {
  const snapshot = read(reader, `${SNAPSHOT_PREFIX}${snapshotId}`, 'snapshot');
  if (snapshot !== null && snapshot.snapshotId !== snapshotId) {
    throw misplaced(snapshotId, snapshot.snapshotId);
  }
  return snapshot;
}

export function putSnapshot(transaction: KeyValueTransaction, snapshot: SnapshotRecord): void {
  const place = `${SNAPSHOT_PREFIX}${snapshot.snapshotId}`;
  transaction.put(place, encodeRecord('snapshot', snapshot));
}

export function readLineage(reader: KeyValueReader, id: string): LineageRecord | null {
  const lineage = read(reader, `${LINEAGE_PREFIX}${id}`, 'lineage');
  if (lineage !== null && lineage.id !== id) throw misplaced(id, lineage.id);
  return lineage;
}

export function putLineage(transaction: KeyValueTransaction, lineage: LineageRecord): void {
  transaction.put(`${LINEAGE_PREFIX}${lineage.id}`, encodeRecord('lineage', lineage));
}

/** Gives out the next number of a counter, from 1. */
export function nextNumber(transaction: KeyValueTransaction, counter: Counter): number {
  const place = `next/${counter}`;
  const count = (read(transaction, place, 'counter')?.count ?? 0) + 1;
  transaction.put(place, encodeRecord('counter', { count }));
  return count;
}

/** How many members a group has. */
export function countOf(reader: KeyValueReader, group: string): number {
  return read(reader, `${COUNT_PREFIX}${group}`, 'counter')?.count ?? 0;
}

/** Ids of members in order of creation. */
export function membersOf(
  reader: KeyValueReader,
  group: string,
  page: { readonly skip: number; readonly limit: number },
): string[] {
  return reader.range({ prefix: memberPrefix(group), ...page }).map(({ key }) => memberId(key));
}

/** The id in the key of a list entry. */
export function memberId(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** The start of the keys of a group's list entries. */
export function memberPrefix(group: string): string {
  return `${LIST_PREFIX}${group}/`;
}

export function addMember(
  transaction: KeyValueTransaction,
  group: string,
  sequence: number,
  id: string,
): void {
  const place = memberKey(group, sequence, id);
  invariant(transaction.get(place) === undefined, 'a member is added to a group once');
  transaction.put(place, MEMBER);
  putCount(transaction, group, countOf(transaction, group) + 1);
}

export function removeMember(
  transaction: KeyValueTransaction,
  group: string,
  sequence: number,
  id: string,
): void {
  const place = memberKey(group, sequence, id);
  invariant(transaction.get(place) !== undefined, 'only a member is removed from a group');
  transaction.remove(place);
  putCount(transaction, group, countOf(transaction, group) - 1);
}

function putCount(transaction: KeyValueTransaction, group: string, count: number): void {
  invariant(count >= 0, 'a group has members or none');
  const place = `${COUNT_PREFIX}${group}`;
  if (count === 0) transaction.remove(place);
  else transaction.put(place, encodeRecord('counter', { count }));
}

function memberKey(group: string, sequence: number, id: string): string {
  return `${memberPrefix(group)}${String(sequence).padStart(SEQUENCE_DIGITS, '0')}/${id}`;
}

function read<K extends keyof Records>(
  reader: KeyValueReader,
  place: string,
  kind: K,
): Records[K] | null {
  const bytes = reader.get(place);
  return bytes === undefined ? null : decodeRecord(kind, bytes);
}

function misplaced(asked: string, found: string): PlaneError {
  return new PlaneError('DataDirectoryCorrupt', `the record of ${asked} is that of ${found}`);
}
