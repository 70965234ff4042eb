/**
 * Walks over lineage: where something came from, and everything that came from it.
 *
 * A source is always older: its sequence number is smaller. So a walk to sources ends, and a record
 * that says otherwise, which alone could close a cycle, is found where it is met.
 */
import { invariant } from '../base/invariant.ts';
import { type KeyValueReader, scan } from '../kv/key-value-store.ts';
import type { LineageRecord } from '../record/lineage.ts';
import { groups, memberId, memberPrefix, readLineage } from './tables.ts';

/** What it was made from, nearest first; empty for a disk made empty. */
export function ancestorsOf(reader: KeyValueReader, record: LineageRecord): LineageRecord[] {
  const ancestors: LineageRecord[] = [];
  let youngest = record;
  while (youngest.sourceId !== null) {
    const source = requireLineage(reader, youngest.sourceId);
    assertOlder(source, youngest);
    ancestors.push(source);
    youngest = source;
  }
  return ancestors;
}

/** Everything made from it, directly or not, in order of creation. */
export function descendantsOf(reader: KeyValueReader, record: LineageRecord): LineageRecord[] {
  const descendants: LineageRecord[] = [];
  const toVisit = [record];
  for (let source = toVisit.pop(); source !== undefined; source = toVisit.pop()) {
    const parent = source;
    scan(reader, memberPrefix(groups.madeFrom(parent.id)), (key) => {
      const child = requireLineage(reader, memberId(key));
      invariant(child.sourceId === parent.id, 'a group made-from holds what was made from it');
      assertOlder(parent, child);
      descendants.push(child);
      toVisit.push(child);
    });
  }
  return descendants.sort((a, b) => a.sequence - b.sequence);
}

/** Everything a master key protects, in order of creation: what is lost with the key. */
export function resourcesUnder(reader: KeyValueReader, keyId: string): LineageRecord[] {
  const resources: LineageRecord[] = [];
  for (const group of [groups.disksUnder(keyId), groups.snapshotsUnder(keyId)]) {
    scan(reader, memberPrefix(group), (key) => {
      const resource = requireLineage(reader, memberId(key));
      invariant(resource.keyId === keyId, 'a group under a key holds what the key protects');
      resources.push(resource);
    });
  }
  return resources.sort((a, b) => a.sequence - b.sequence);
}

function requireLineage(reader: KeyValueReader, id: string): LineageRecord {
  const record = readLineage(reader, id);
  invariant(record !== null, 'what lineage names has a lineage record');
  return record;
}

function assertOlder(source: LineageRecord, made: LineageRecord): void {
  invariant(source.sequence < made.sequence, 'a source is older than what was made from it');
}
