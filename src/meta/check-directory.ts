/**
 * The metadata in a directory checked without opening a plane: nothing in it is changed.
 *
 * Beside what checker.ts looks for:
 * 1. every wrapped data key names, in its own head, the master key its record names
 * 2. a record's encryption is that of its top layer
 * 3. shards that records name exist
 *
 * That what was made is younger than what it was made from is not asked: clocks are set back.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { type KeyValueReader, scan } from '../kv/key-value-store.ts';
import { openLmdbStore } from '../kv/lmdb-store.ts';
import type { DiskRecord, LayerRecord, SnapshotRecord } from '../record/resource.ts';
import { readWrappedKeyHead } from '../record/wrapped-key.ts';
import { checkTables } from './checker.ts';
import { documentsPrefix } from './documents.ts';
import { DISKS, decodeResource, lastPart, type ResourceTable, SNAPSHOTS } from './tables.ts';

export interface MetadataCheck {
  readonly disks: number;
  readonly snapshots: number;
  /** Every plane has one, before it has any tree. True also where that cannot be told. */
  readonly hasAccount: boolean;
  /** Trees that records name, by shard index. */
  readonly treesOfShards: readonly ReadonlySet<string>[];
  /** One sentence each. */
  readonly problems: readonly string[];
}

type Resource = DiskRecord | SnapshotRecord;

export async function checkMetadataDirectory(
  directory: string,
  shards: number,
): Promise<MetadataCheck> {
  const treesOfShards = Array.from({ length: shards }, () => new Set<string>());
  let store: ReturnType<typeof openLmdbStore>;
  try {
    store = openLmdbStore(directory, 'readOnly');
  } catch (error) {
    if (!(error instanceof PlaneError)) throw error;
    const problems = [error.message];
    return { disks: 0, snapshots: 0, hasAccount: true, treesOfShards, problems };
  }
  try {
    const problems = checkTables(store);
    const disks = readable(store, DISKS);
    const snapshots = readable(store, SNAPSHOTS);
    for (const [id, record] of [...disks, ...snapshots]) {
      problems.push(...problemsOf(id, record, shards));
      for (const { tree } of record.layers) treesOfShards[record.shardIndex]?.add(tree);
    }
    const accounts = store.range({ prefix: documentsPrefix('account'), limit: 1 });
    const counts = { disks: disks.size, snapshots: snapshots.size };
    return { ...counts, hasAccount: accounts.length > 0, treesOfShards, problems };
  } finally {
    await store.close();
  }
}

/** Those that unpack; checkTables() has told of the others. */
function readable<K extends 'disk' | 'snapshot'>(
  reader: KeyValueReader,
  table: ResourceTable<K>,
): Map<string, Resource> {
  const found = new Map<string, Resource>();
  scan(reader, table.prefix, (key, value) => {
    const id = lastPart(key);
    try {
      found.set(id, decodeResource(table, id, value) as Resource);
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
    }
  });
  return found;
}

function problemsOf(id: string, record: Resource, shards: number): string[] {
  const problems: string[] = [];
  if (record.shardIndex >= shards) problems.push(`${id}: there is no shard ${record.shardIndex}`);
  for (const layer of record.layers) problems.push(...layerProblems(id, layer));
  const top = record.layers[0]?.encryption ?? null;
  if (!isSameEncryption(top, record.encryption)) {
    problems.push(`${id}: its encryption is not that of its top layer`);
  }
  return problems;
}

function layerProblems(id: string, { tree, encryption }: LayerRecord): string[] {
  if (encryption === null || encryption.erasedAt !== undefined) return [];
  const head = readWrappedKeyHead(encryption.wrappedKey);
  if (head === null) return [`${id}: what layer ${tree} has is no wrapped data key`];
  if (head.keyId === encryption.keyId) return [];
  return [
    `${id}: the data key of layer ${tree} is wrapped by ${head.keyId}, not by ${encryption.keyId}`,
  ];
}

function isSameEncryption(a: LayerRecord['encryption'], b: LayerRecord['encryption']): boolean {
  if (a === null || b === null) return a === b;
  const isSameKey = Buffer.compare(a.wrappedKey, b.wrappedKey) === 0;
  return a.keyId === b.keyId && a.lineageId === b.lineageId && isSameKey;
}
