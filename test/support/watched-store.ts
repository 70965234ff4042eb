/**
 * A store that knows what was written to it, so that "nothing has changed" is answered without
 * reading everything: what a transaction did not touch is as it was.
 */
import type { KeyValueStore } from '../../src/kv/key-value-store.ts';

export interface WatchedStore extends KeyValueStore {
  /** Keys that are not what they were at the last call, or since the store was made. */
  takeChanges(): string[];
  /** Keys something was written to or removed from since the last call, changed or not. */
  takeTouched(): string[];
}

/** @param store written to through the answer only, from now on */
export function watchStore(store: KeyValueStore): WatchedStore {
  /** By key: what it held before the first write to it, in hexadecimal digits. */
  let former = new Map<string, string | undefined>();
  let touched = new Set<string>();
  const contentOf = (key: string): string | undefined => {
    const value = store.get(key);
    return value === undefined ? undefined : Buffer.from(value).toString('hex');
  };
  const watch = (key: string): void => {
    touched.add(key);
    // Read outside the transaction: the writes of one that is running may be seen or not, but a
    // key is written to in it only after it was watched.
    if (!former.has(key)) former.set(key, contentOf(key));
  };
  return {
    get: (key) => store.get(key),
    range: (query) => store.range(query),
    transact: (run) =>
      store.transact((transaction) =>
        run({
          get: (key) => transaction.get(key),
          range: (query) => transaction.range(query),
          put: (key, value) => {
            watch(key);
            transaction.put(key, value);
          },
          remove: (key) => {
            watch(key);
            transaction.remove(key);
          },
        }),
      ),
    close: () => store.close(),
    takeChanges: () => {
      const changed = [...former].filter(([key, value]) => contentOf(key) !== value);
      former = new Map();
      return changed.map(([key]) => key);
    },
    takeTouched: () => {
      const keys = [...touched];
      touched = new Set();
      return keys;
    },
  };
}
