/**
 * How many entries every table and every index group holds, in memory. Thread: main.
 *
 * So a listing has its total, and a new disk its shard, without a step that grows with the number
 * of records. Rebuilt by a scan when the store is opened; afterwards moved by what each transaction
 * says it changed, once it is durable. Groups without entries are not kept.
 */
import { invariant } from '../base/invariant.ts';
import { type KeyValueReader, scan } from '../kv/key-value-store.ts';
import type { CountChanges } from './count-changes.ts';
import { DOCUMENT_GROUP_PREFIX, DOCUMENT_PREFIX } from './documents.ts';
import { DISKS, SNAPSHOTS } from './tables.ts';

export class EntryCounts {
  readonly #counts = new Map<string, number>();

  /** @param prefix of a table or of a group in an index */
  of(prefix: string): number {
    return this.#counts.get(prefix) ?? 0;
  }

  apply(changes: CountChanges): void {
    for (const [prefix, difference] of changes) {
      const count = this.of(prefix) + difference;
      invariant(count >= 0, `${prefix} has as many entries as were put and not removed`);
      if (count === 0) this.#counts.delete(prefix);
      else this.#counts.set(prefix, count);
    }
  }

  /** @returns where the two differ, as sentences */
  differencesFrom(counted: EntryCounts): string[] {
    const prefixes = new Set([...this.#counts.keys(), ...counted.#counts.keys()]);
    const problems: string[] = [];
    for (const prefix of prefixes) {
      const [kept, found] = [this.of(prefix), counted.of(prefix)];
      if (kept !== found) problems.push(`count of ${prefix}: ${kept} kept, ${found} found`);
    }
    return problems;
  }
}

export function countEntries(reader: KeyValueReader): EntryCounts {
  const found: CountChanges = new Map();
  const tables = [DISKS, SNAPSHOTS].flatMap((table) => [
    table.prefix,
    ...table.indexes.map((index) => index.prefix),
  ]);
  tables.push(DOCUMENT_PREFIX, DOCUMENT_GROUP_PREFIX);
  for (const prefix of tables) {
    scan(reader, prefix, (key) => {
      const group =
        prefix === DOCUMENT_PREFIX ? kindOf(key) : key.slice(0, key.lastIndexOf('/') + 1);
      found.set(group, (found.get(group) ?? 0) + 1);
    });
  }
  const counts = new EntryCounts();
  counts.apply(found);
  return counts;
}

/** A document's key may have parts of its own: its table is the first two. */
function kindOf(key: string): string {
  return key.slice(0, key.indexOf('/', DOCUMENT_PREFIX.length) + 1);
}
