/**
 * Pages of index groups and tables, in the order of their keys. Thread: main.
 *
 * The store passes over what a page skips, one entry after the other. Who reads page after page
 * does not pay for that: where a page ended is remembered, by its last key, until something is
 * committed, and the page behind it begins there.
 */
import { PlaneError } from '../base/errors.ts';
import { type KeyValueEntry, type KeyValueReader, scan } from '../kv/key-value-store.ts';
import type { ResourceKind } from '../record/lineage.ts';
import type { Records } from '../record/shapes.ts';
import type { EntryCounts } from './entry-counts.ts';
import type { RecordMemory } from './record-memory.ts';
import { decodeResource, lastPart, type ResourceTable, readResource } from './tables.ts';

/** Lists whose ends are remembered. */
const ENDS_MAX = 64;

/** Where pages of one list ended: entries up to there, and the last one's key. */
interface PageEnd {
  readonly position: number;
  readonly key: string;
}

export interface PageOfRecords<T> {
  readonly total: number;
  readonly records: T[];
}

export class PageReader {
  readonly #store: KeyValueReader;
  readonly #counts: EntryCounts;
  readonly #memory: RecordMemory;
  readonly #ends = new Map<string, PageEnd>();

  constructor(store: KeyValueReader, counts: EntryCounts, memory: RecordMemory) {
    this.#store = store;
    this.#counts = counts;
    this.#memory = memory;
  }

  /** To be called when a commit begins, and when it has ended. */
  forget(): void {
    this.#ends.clear();
  }

  /** @param mayRemember false while a commit is in flight: what it writes may be seen or not */
  entries(
    prefix: string,
    skip: number,
    limit: number,
    mayRemember: boolean,
  ): readonly KeyValueEntry[] {
    const end = this.#ends.get(prefix);
    const isBehind = end !== undefined && end.position <= skip;
    const found = this.#store.range(
      isBehind
        ? { prefix, after: end.key, skip: skip - end.position, limit }
        : { prefix, skip, limit },
    );
    const last = found.at(-1);
    if (mayRemember && last !== undefined) {
      if (this.#ends.size >= ENDS_MAX && end === undefined) this.#ends.clear();
      this.#ends.set(prefix, { position: skip + found.length, key: last.key });
    }
    return found;
  }

  /** Records of a table that are in all the groups given; of no group: all of them. */
  records<K extends ResourceKind>(
    table: ResourceTable<K>,
    groups: readonly string[],
    page: { readonly skip: number; readonly limit: number; readonly mayRemember: boolean },
  ): PageOfRecords<Records[K]> {
    const { skip, limit, mayRemember } = page;
    const bySize = [...groups].sort((a, b) => this.#counts.of(a) - this.#counts.of(b));
    const [first, ...others] = bySize;
    if (first === undefined) {
      const entries = this.entries(table.prefix, skip, limit, mayRemember);
      const records = entries.map(({ key, value }) => decodeResource(table, lastPart(key), value));
      return { total: this.#counts.of(table.prefix), records };
    }
    if (others.length === 0) {
      const entries = this.entries(first, skip, limit, mayRemember);
      const records = entries.map(({ key }) => this.indexed(table, lastPart(key), mayRemember));
      return { total: this.#counts.of(first), records };
    }
    const ids: string[] = [];
    scan(this.#store, first, (key) => {
      const id = lastPart(key);
      if (others.every((group) => this.#store.get(group + id) !== undefined)) ids.push(id);
    });
    const shown = ids.slice(skip, skip + limit);
    const records = shown.map((id) => this.indexed(table, id, mayRemember));
    return { total: ids.length, records };
  }

  /** @throws PlaneError DataDirectoryCorrupt: an index entry of no record */
  indexed<K extends ResourceKind>(
    table: ResourceTable<K>,
    id: string,
    mayRemember: boolean,
  ): Records[K] {
    const record = this.find(table, id, mayRemember);
    if (record !== undefined) return record;
    throw new PlaneError('DataDirectoryCorrupt', `an index names ${id}, which has no record`);
  }

  find<K extends ResourceKind>(
    table: ResourceTable<K>,
    id: string,
    mayRemember: boolean,
  ): Records[K] | undefined {
    const read = (): Records[K] | undefined => readResource(this.#store, table, id);
    return this.#memory.recall(table.prefix + id, mayRemember, read);
  }
}
