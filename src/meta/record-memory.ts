/**
 * Records as they were decoded, until something is committed. Thread: main.
 *
 * To decode a record, and to check it, takes longer than all else a Describe verb does. What is read
 * again and again while nothing changes is decoded once.
 *
 * 1. The store has one writer, Metadata.commit(). It has everything forgotten when a commit begins
 *    and when it has ended, and nothing is remembered in between: an answer is the store's own.
 * 2. Remembered records are handed out to several callers: they are frozen, but for bytes.
 * 3. So many are remembered, and only of kinds whose records are small: disks, snapshots, accounts.
 */
import { RECORDS_REMEMBERED_MAX } from '../limits.ts';

export class RecordMemory {
  readonly #records = new Map<string, object>();

  forget(): void {
    this.#records.clear();
  }

  /**
   * @param key of the record in the store
   * @param mayRemember false while a commit is in flight
   * @param read decodes it; undefined: there is none, which is not remembered
   */
  recall<T extends object>(
    key: string,
    mayRemember: boolean,
    read: () => T | undefined,
  ): T | undefined {
    const known = this.#records.get(key);
    if (known !== undefined) return known as T;
    const record = read();
    if (record === undefined || !mayRemember) return record;
    if (this.#records.size >= RECORDS_REMEMBERED_MAX) this.#records.clear();
    freeze(record);
    this.#records.set(key, record);
    return record;
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
}
