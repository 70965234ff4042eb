/**
 * Document tables: everything but disks and snapshots. Thread: main.
 *
 *   doc/<kind>/<key>                      the record (record/document.ts)
 *   doc-in/<kind>/<group>/<key>           empty: what a group holds
 *
 * 1. A key is made of the record's own fields, so a record says where it is stored.
 * 2. A group entry is there if and only if its record is there and belongs to the group: both are
 *    written in one transaction.
 * 3. Keys and groups have no `/` at their ends and no other separator inside than `/` between ids;
 *    what callers choose (tokens, names) is in hexadecimal of its bytes.
 */
import { PlaneError } from '../base/errors.ts';
import type { KeyValueReader, KeyValueTransaction } from '../kv/key-value-store.ts';
import { TOKEN_HOUR_MS } from '../limits.ts';
import { decodeRecord, encodeRecord } from '../record/codec.ts';
import type { UsageRecord } from '../record/document.ts';
import type { DocumentKind, DocumentRecords } from '../record/document-shapes.ts';
import { type CountChanges, count } from './count-changes.ts';
import { facetGroups } from './facets.ts';

interface DocumentTable<R> {
  readonly keyOf: (record: R) => string;
  /** Groups it is listed by. */
  readonly groupsOf: (record: R) => readonly string[];
}

const AUDIT_DIGITS = 16;

export const DOCUMENTS: { readonly [K in DocumentKind]: DocumentTable<DocumentRecords[K]> } = {
  account: { keyOf: (account) => account.accountId, groupsOf: () => [] },
  region: { keyOf: (region) => scopeGroup(region.accountId, region.regionId), groupsOf: () => [] },
  image: {
    keyOf: (image) => image.imageId,
    groupsOf: (image) => [
      `scope/${scopeGroup(image.accountId, image.regionId)}`,
      ...image.devices.flatMap(({ snapshotId }) =>
        snapshotId === null ? [] : [`snapshot/${snapshotId}`],
      ),
      ...image.sharedWith.map((accountId) => `shared/${scopeGroup(accountId, image.regionId)}`),
      ...(image.name === ''
        ? []
        : facetGroups(scopeGroup(image.accountId, image.regionId), { name: image.name }).map(
            (group) => `named/${group}`,
          )),
      ...(image.isPublic ? [`public/${image.regionId}`] : []),
    ],
  },
  instance: {
    keyOf: (instance) => instance.instanceId,
    groupsOf: (instance) => [
      `scope/${scopeGroup(instance.accountId, instance.regionId)}`,
      `image/${instance.imageId}`,
    ],
  },
  share: {
    keyOf: (share) => share.snapshotId,
    groupsOf: (share) => [
      `scope/${scopeGroup(share.accountId, share.regionId)}`,
      `recipient/${share.accountId}`,
      `source/${share.sourceSnapshotId}`,
    ],
  },
  task: {
    keyOf: (task) => task.taskId,
    groupsOf: (task) => [
      `scope/${scopeGroup(task.accountId, task.regionId)}`,
      `group/${task.groupId}`,
      `resource/${task.resourceId}`,
      `state/${task.state}`,
    ],
  },
  token: {
    keyOf: (token) => tokenKey(token.accountId, token.verb, token.token),
    groupsOf: (token) => [tokenHourGroup(token.createdAt)],
  },
  audit: {
    keyOf: (entry) => auditKey(entry.sequence),
    groupsOf: (entry) => [
      ...new Set([
        `account/${entry.accountId}`,
        ...entry.resourceIds.map((id) => `resource/${id}`),
        ...(entry.keyId === '' ? [] : [`key/${entry.keyId}`]),
      ]),
    ],
  },
  usage: {
    keyOf: usageKey,
    groupsOf: (usage) => [`scope/${scopeGroup(usage.accountId, usage.regionId)}/${usage.month}`],
  },
};

/** The group, or the key, of an account in a region. */
export function scopeGroup(accountId: string, regionId: string): string {
  return `${accountId}/${regionId}`;
}

export function tokenKey(accountId: string, verb: string, token: string): string {
  return `${accountId}/${verb}/${Buffer.from(token, 'utf8').toString('hex')}`;
}

export function usageKey(usage: Omit<UsageRecord, 'calls'>): string {
  const { accountId, regionId, month, keyId, operation } = usage;
  return `${scopeGroup(accountId, regionId)}/${month}/${keyId}/${operation}`;
}

/** Tokens that were first used in the same hour, which expire together. */
export function tokenHourGroup(createdAt: number): string {
  return `hour/${Math.floor(createdAt / TOKEN_HOUR_MS)}`;
}

/** Sorts as the sequence does. */
export function auditKey(sequence: number): string {
  return String(sequence).padStart(AUDIT_DIGITS, '0');
}

export const DOCUMENT_PREFIX = 'doc/';
export const DOCUMENT_GROUP_PREFIX = 'doc-in/';

export function documentsPrefix(kind: DocumentKind): string {
  return `${DOCUMENT_PREFIX}${kind}/`;
}

/** What the entries of a group begin with. */
export function documentGroupPrefix(kind: DocumentKind, group: string): string {
  return `${DOCUMENT_GROUP_PREFIX}${kind}/${group}/`;
}

/** A record of any kind, with the kind's name. */
export type DocumentPut = {
  [K in DocumentKind]: { readonly kind: K; readonly record: DocumentRecords[K] };
}[DocumentKind];

export interface DocumentRemoval {
  readonly kind: DocumentKind;
  readonly key: string;
}

/** A record, packed: the caller's object is not looked at later. */
export interface PackedDocument {
  readonly kind: DocumentKind;
  readonly key: string;
  readonly groups: readonly string[];
  readonly bytes: Uint8Array;
}

/** @throws InvariantError the record has not the shape of its kind */
export function packDocument({ kind, record }: DocumentPut): PackedDocument {
  return { ...placeOf(kind, record), kind, bytes: encodeRecord(kind, record) };
}

function placeOf<K extends DocumentKind>(
  kind: K,
  record: DocumentRecords[K],
): { key: string; groups: readonly string[] } {
  const table: DocumentTable<DocumentRecords[K]> = DOCUMENTS[kind];
  return { key: table.keyOf(record), groups: table.groupsOf(record) };
}

/** @throws PlaneError DataDirectoryCorrupt: also if it is the record of another key */
export function decodeDocument<K extends DocumentKind>(
  kind: K,
  key: string,
  bytes: Uint8Array,
): DocumentRecords[K] {
  const record = decodeRecord(kind, bytes);
  const own = placeOf(kind, record).key;
  if (own === key) return record;
  throw new PlaneError('DataDirectoryCorrupt', `${kind} record of ${key} is of ${own}`);
}

export function readDocument<K extends DocumentKind>(
  reader: KeyValueReader,
  kind: K,
  key: string,
): DocumentRecords[K] | undefined {
  const bytes = reader.get(documentsPrefix(kind) + key);
  return bytes === undefined ? undefined : decodeDocument(kind, key, bytes);
}

/** Every group entry a record calls for. */
export function groupKeysOf<K extends DocumentKind>(
  kind: K,
  record: DocumentRecords[K],
): { readonly group: string; readonly entry: string }[] {
  const { key, groups } = placeOf(kind, record);
  return groups.map((name) => {
    const group = documentGroupPrefix(kind, name);
    return { group, entry: group + entryName(key) };
  });
}

/** A key as the last part of a group entry. */
function entryName(key: string): string {
  return key.replaceAll('/', '|');
}

/** The document key a group entry names. */
export function keyOfEntry(entry: string): string {
  return entry.slice(entry.lastIndexOf('/') + 1).replaceAll('|', '/');
}

const NOTHING = new Uint8Array(0);

export function putDocument(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  document: PackedDocument,
): void {
  const { kind, key, bytes } = document;
  const prefix = documentsPrefix(kind);
  const former = readDocument(transaction, kind, key);
  const formerEntries = new Map(
    (former === undefined ? [] : groupKeysOf(kind, former)).map((each) => [each.entry, each.group]),
  );
  if (former === undefined) count(counts, prefix, 1);
  transaction.put(prefix + key, bytes);
  for (const name of document.groups) {
    const group = documentGroupPrefix(kind, name);
    const entry = group + entryName(key);
    if (formerEntries.delete(entry)) continue;
    transaction.put(entry, NOTHING);
    count(counts, group, 1);
  }
  for (const [entry, group] of formerEntries) {
    transaction.remove(entry);
    count(counts, group, -1);
  }
}

/** No error if there is none. */
export function removeDocument(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  { kind, key }: DocumentRemoval,
): void {
  const former = readDocument(transaction, kind, key);
  if (former === undefined) return;
  transaction.remove(documentsPrefix(kind) + key);
  count(counts, documentsPrefix(kind), -1);
  for (const { group, entry } of groupKeysOf(kind, former)) {
    transaction.remove(entry);
    count(counts, group, -1);
  }
}
