/**
 * A KeyValueStore in memory: planes without files, tests and the simulator.
 *
 * A transaction writes straight into the map and keeps what it replaced, so that a throwing
 * function can be undone. Transactions run one after another, each in a later microtask than its
 * call: a caller that forgets to await fails here as it would over files.
 *
 * **Thread:** any. One store belongs to one thread.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import {
  assertKey,
  assertValue,
  type KeyValueEntry,
  type KeyValueReader,
  type KeyValueStore,
  type KeyValueTransaction,
  type RangeQuery,
  rangeBounds,
} from './key-value-store.ts';
import { OrderedMap } from './ordered-map.ts';

/** @returns an empty store; its content ends with close() */
export function openMemoryStore(): KeyValueStore {
  const entries = new OrderedMap<Uint8Array>();
  let isClosed = false;
  const requireOpen = (): void => {
    if (isClosed) throw new PlaneError('PlaneClosed', 'the key-value store is closed');
  };
  const reader: KeyValueReader = {
    get: (key) => readOne(entries, key),
    range: (query) => readRange(entries, query),
  };
  return {
    get: (key) => {
      requireOpen();
      return reader.get(key);
    },
    range: (query) => {
      requireOpen();
      return reader.range(query);
    },
    transact: async (run) => {
      requireOpen();
      await null;
      return runOn(entries, reader, run);
    },
    close: async () => {
      isClosed = true;
    },
  };
}

function runOn<T>(
  entries: OrderedMap<Uint8Array>,
  reader: KeyValueReader,
  run: (transaction: KeyValueTransaction) => T,
): T {
  /** What the first write to each key found, in order of those writes. */
  const replaced = new Map<string, Uint8Array | undefined>();
  let isRunning = true;
  const prepare = (key: string): void => {
    invariant(isRunning, 'a transaction is used only while its function runs');
    assertKey(key);
    if (!replaced.has(key)) replaced.set(key, entries.get(key));
  };
  try {
    return run({
      ...reader,
      put: (key, value) => {
        prepare(key);
        assertValue(value);
        entries.set(key, value.slice());
      },
      remove: (key) => {
        prepare(key);
        entries.delete(key);
      },
    });
  } catch (error) {
    for (const [key, value] of replaced) {
      if (value === undefined) entries.delete(key);
      else entries.set(key, value);
    }
    throw error;
  } finally {
    isRunning = false;
  }
}

function readOne(entries: OrderedMap<Uint8Array>, key: string): Uint8Array | undefined {
  assertKey(key);
  return entries.get(key)?.slice();
}

function readRange(entries: OrderedMap<Uint8Array>, query: RangeQuery): KeyValueEntry[] {
  const { start, isAfter, end } = rangeBounds(query);
  const found: KeyValueEntry[] = [];
  for (const [key, value] of entries.entries(start, end, isAfter, query.skip ?? 0)) {
    found.push({ key, value: value.slice() });
    if (found.length === query.limit) break;
  }
  return found;
}
