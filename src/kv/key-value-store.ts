/**
 * The contract of an ordered key-value store: what the metadata service and the KMS vault stand on.
 *
 * Two implementations, one contract suite: lmdb-store.ts (files) and memory-store.ts.
 *
 * 1. Keys are printable ASCII without spaces, 1 to STORE_KEY_CHARS_MAX characters, so their order
 *    as strings is their order as bytes. Values are 0 to STORE_VALUE_BYTES_MAX bytes.
 * 2. transact() is all or nothing, and durable when its promise resolves. Transactions take effect
 *    one at a time, in the order of the calls.
 * 3. A transaction's function runs once, synchronously, at some time before the promise settles:
 *    not during the call. It sees its own writes. If it throws, nothing changes.
 * 4. What a store hands out is a copy and the caller's; what it is given is copied in the call.
 * 5. Reads outside a transaction see what is committed; after `await transact()` at least that.
 *    Whether they see a transaction not yet durable is not promised.
 * 6. After a failed commit the store refuses everything with StoreFailed, for good: what is on the
 *    disk is unknown until the file is opened again, and a second fsync proves nothing.
 *
 * **Thread:** any. One store belongs to one thread.
 */
import { invariant } from '../base/invariant.ts';
import { STORE_KEY_CHARS_MAX, STORE_RANGE_ENTRIES_MAX, STORE_VALUE_BYTES_MAX } from '../limits.ts';

export interface KeyValueEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface RangeQuery {
  /** Only keys that begin so; empty for all. */
  readonly prefix: string;
  /** Only keys behind this one: the cursor of a scan. */
  readonly after?: string;
  /** Entries to pass over first. @default 0 */
  readonly skip?: number;
  /** At most so many entries, 1 to STORE_RANGE_ENTRIES_MAX. */
  readonly limit: number;
}

export interface KeyValueReader {
  get(key: string): Uint8Array | undefined;
  /** Entries in key order. */
  range(query: RangeQuery): KeyValueEntry[];
}

/** Valid only while its function runs. */
export interface KeyValueTransaction extends KeyValueReader {
  put(key: string, value: Uint8Array): void;
  /** No error if there is none. */
  remove(key: string): void;
}

export interface KeyValueStore extends KeyValueReader {
  /**
   * @param run synchronous; reads and writes only through its transaction
   * @returns what run returned, once it is durable
   * @throws what run threw (nothing changed); PlaneError StoreFailed, PlaneClosed
   */
  transact<T>(run: (transaction: KeyValueTransaction) => T): Promise<T>;
  /** Waits for transactions in flight and releases the files. Idempotent. */
  close(): Promise<void>;
}

/**
 * Visits every entry under a prefix in key order, a bounded number at a time.
 *
 * @param visit must not change keys under the prefix that are still to come
 */
export function scan(
  reader: KeyValueReader,
  prefix: string,
  visit: (key: string, value: Uint8Array) => void,
): void {
  const stepEntries = 1_000;
  let after: string | undefined;
  for (;;) {
    const query = { prefix, limit: stepEntries };
    const entries = reader.range(after === undefined ? query : { ...query, after });
    for (const { key, value } of entries) visit(key, value);
    if (entries.length < stepEntries) return;
    after = entries[entries.length - 1]!.key;
  }
}

const KEY_PATTERN = /^[!-~]+$/;

/** Rule 1 for keys; every implementation asserts it at every entrance. */
export function assertKey(key: string): void {
  invariant(key.length <= STORE_KEY_CHARS_MAX, 'a key is at most STORE_KEY_CHARS_MAX characters');
  invariant(KEY_PATTERN.test(key), 'a key is printable ASCII without spaces and not empty');
}

/** Rule 1 for values. */
export function assertValue(value: Uint8Array): void {
  invariant(
    value.byteLength <= STORE_VALUE_BYTES_MAX,
    'a value is at most STORE_VALUE_BYTES_MAX bytes',
  );
}

/** The bounds of a query: keys in [start, end), start itself left out if isAfter. */
export function rangeBounds(query: RangeQuery): { start: string; isAfter: boolean; end: string } {
  const { prefix, after, skip = 0, limit } = query;
  if (prefix !== '') assertKey(prefix);
  invariant(Number.isSafeInteger(skip) && skip >= 0, 'skip counts entries');
  invariant(Number.isInteger(limit) && limit >= 1, 'a range asks for at least one entry');
  invariant(limit <= STORE_RANGE_ENTRIES_MAX, 'a range is bounded');
  // DEL sorts behind every character a key may hold.
  const end = `${prefix}\x7f`;
  if (after === undefined) return { start: prefix, isAfter: false, end };
  assertKey(after);
  invariant(after.startsWith(prefix), 'a cursor is inside its range');
  return { start: after, isAfter: true, end };
}
