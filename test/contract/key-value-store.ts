/** The contract of src/kv/key-value-store.ts as a suite: every implementation runs it. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvariantError } from '../../src/base/invariant.ts';
import { type KeyValueReader, type KeyValueStore, scan } from '../../src/kv/key-value-store.ts';
import { STORE_KEY_CHARS_MAX, STORE_VALUE_BYTES_MAX } from '../../src/limits.ts';

export interface StoreFactory {
  /** Opens the store; a second open without close in between is a second, independent store. */
  open(): KeyValueStore;
  /** Opens again what was closed, or null if content ends with close(). */
  reopen: (() => KeyValueStore) | null;
  cleanUp(): void;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const keysUnder = (reader: KeyValueReader, prefix: string): string[] => {
  const keys: string[] = [];
  scan(reader, prefix, (key) => keys.push(key));
  return keys;
};

export function keyValueStoreContract(name: string, createFactory: () => StoreFactory): void {
  describe(`key-value store contract: ${name}`, () => {
    let factory: StoreFactory;
    let store: KeyValueStore;
    beforeEach(() => {
      factory = createFactory();
      store = factory.open();
    });
    afterEach(async () => {
      await store.close();
      factory.cleanUp();
    });
    const fill = (keys: readonly string[]): Promise<void> =>
      store.transact((transaction) => {
        for (const key of keys) transaction.put(key, new TextEncoder().encode(key));
      });

    test('a key that was never put is undefined', () => {
      expect(store.get('nothing')).toBeUndefined();
    });

    test('a value reads back as it was put, of any length from 0 to the limit', async () => {
      const lengths = [0, 1, 63, 64, 65, 4_095, 4_096, 70_000, STORE_VALUE_BYTES_MAX];
      const values = lengths.map((length) => new Uint8Array(length).map((_, i) => i * 7));
      await store.transact((transaction) => {
        for (const value of values) transaction.put(`length/${value.length}`, value);
      });
      for (const value of values) {
        const found = store.get(`length/${value.length}`)!;
        expect(found.length).toBe(value.length);
        expect(Buffer.compare(found, value)).toBe(0);
        expect(found.constructor).toBe(Uint8Array);
      }
    });

    test('a transaction sees its own writes and removals', async () => {
      await fill(['a', 'b', 'c']);
      const seen = await store.transact((transaction) => {
        transaction.put('bb', bytes(1));
        transaction.remove('a');
        transaction.remove('not-there');
        return {
          bb: transaction.get('bb'),
          a: transaction.get('a'),
          keys: keysUnder(transaction, ''),
        };
      });
      expect(seen).toEqual({ bb: bytes(1), a: undefined, keys: ['b', 'bb', 'c'] });
      expect(keysUnder(store, '')).toEqual(['b', 'bb', 'c']);
    });

    test('a throwing function changes nothing and its error comes through', async () => {
      await fill(['a', 'b']);
      const failure = new Error('changed my mind');
      const attempt = store.transact((transaction) => {
        transaction.put('a', bytes(9));
        transaction.put('new', bytes(9));
        transaction.remove('b');
        transaction.put('b', bytes(8));
        throw failure;
      });
      await expect(attempt).rejects.toBe(failure);
      expect(keysUnder(store, '')).toEqual(['a', 'b']);
      expect(store.get('a')).toEqual(bytes(97));
    });

    test('a throwing transaction does not disturb those called beside it', async () => {
      const results = await Promise.allSettled([
        store.transact((transaction) => transaction.put('one', bytes(1))),
        store.transact((transaction) => {
          transaction.put('two', bytes(2));
          throw new Error('no');
        }),
        store.transact((transaction) => {
          transaction.put('three', bytes(3));
          return keysUnder(transaction, '');
        }),
      ]);
      expect(results.map((result) => result.status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(results[2]).toMatchObject({ value: ['one', 'three'] });
      expect(keysUnder(store, '')).toEqual(['one', 'three']);
    });

    test('transactions take effect in the order of the calls, none lost', async () => {
      const order = await Promise.all(
        Array.from({ length: 200 }, () =>
          store.transact((transaction) => {
            const next = (transaction.get('counter')?.[0] ?? 0) + 1;
            transaction.put('counter', bytes(next));
            return next;
          }),
        ),
      );
      expect(order).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
      expect(store.get('counter')).toEqual(bytes(200));
    });

    test('the function does not run during the call', async () => {
      let hasRun = false;
      const pending = store.transact(() => {
        hasRun = true;
      });
      expect(hasRun).toBe(false);
      await pending;
      expect(hasRun).toBe(true);
    });

    test('a transaction is dead once its function has returned', async () => {
      const escaped = await store.transact((transaction) => transaction);
      expect(() => escaped.put('late', bytes(1))).toThrow(InvariantError);
      expect(() => escaped.remove('late')).toThrow(InvariantError);
      expect(store.get('late')).toBeUndefined();
    });

    test('what is handed out and what is handed in are copies', async () => {
      const given = bytes(1, 2, 3);
      await store.transact((transaction) => {
        transaction.put('k', given);
        given.fill(9);
      });
      const first = store.get('k')!;
      const [entry] = store.range({ prefix: 'k', limit: 1 });
      expect(first).toEqual(bytes(1, 2, 3));
      await store.transact((transaction) => {
        transaction.put('k', bytes(4, 5, 6));
        for (let i = 0; i < 500; i++) transaction.put(`fill/${i}`, new Uint8Array(512).fill(i));
      });
      expect(first).toEqual(bytes(1, 2, 3));
      expect(entry!.value).toEqual(bytes(1, 2, 3));
      store.get('k')!.fill(0);
      expect(store.get('k')).toEqual(bytes(4, 5, 6));
    });

    test('a range is bounded by prefix, cursor, skip and limit, in key order', async () => {
      await fill(['a/1', 'a/2', 'a/3', 'a/~', 'a0', 'b/1', 'a', '!', '~']);
      const keys = (query: Parameters<KeyValueStore['range']>[0]): string[] =>
        store.range(query).map((entry) => entry.key);
      expect(keys({ prefix: '', limit: 100 })).toEqual([
        '!',
        'a',
        'a/1',
        'a/2',
        'a/3',
        'a/~',
        'a0',
        'b/1',
        '~',
      ]);
      expect(keys({ prefix: 'a/', limit: 100 })).toEqual(['a/1', 'a/2', 'a/3', 'a/~']);
      expect(keys({ prefix: 'a/', limit: 2 })).toEqual(['a/1', 'a/2']);
      expect(keys({ prefix: 'a/', after: 'a/1', limit: 2 })).toEqual(['a/2', 'a/3']);
      expect(keys({ prefix: 'a/', after: 'a/15', limit: 1 })).toEqual(['a/2']);
      expect(keys({ prefix: 'a/', skip: 3, limit: 5 })).toEqual(['a/~']);
      expect(keys({ prefix: 'a/', skip: 4, limit: 5 })).toEqual([]);
      expect(keys({ prefix: 'a/', after: 'a/~', limit: 5 })).toEqual([]);
      expect(keys({ prefix: 'c/', limit: 5 })).toEqual([]);
    });

    test('keys and values outside the contract are refused', async () => {
      for (const key of ['', 'a b', 'ä', 'a\n', '\x7f', 'x'.repeat(STORE_KEY_CHARS_MAX + 1)]) {
        expect(() => store.get(key)).toThrow(InvariantError);
        const put = store.transact((transaction) => transaction.put(key, bytes()));
        await expect(put).rejects.toThrow(InvariantError);
      }
      const tooLong = new Uint8Array(STORE_VALUE_BYTES_MAX + 1);
      const put = store.transact((transaction) => transaction.put('k', tooLong));
      await expect(put).rejects.toThrow(InvariantError);
      expect(() => store.range({ prefix: 'a', after: 'b', limit: 1 })).toThrow(InvariantError);
      expect(() => store.range({ prefix: 'a', limit: 0 })).toThrow(InvariantError);
      await fill(['x'.repeat(STORE_KEY_CHARS_MAX)]);
      expect(keysUnder(store, 'x')).toEqual(['x'.repeat(STORE_KEY_CHARS_MAX)]);
    });

    test('any history of transactions leaves what a plain sorted map would hold', async () => {
      const key = fc.stringMatching(/^[!-~]{1,4}$/);
      const change = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 40 })) });
      const step = fc.record({ changes: fc.array(change, { maxLength: 12 }), fails: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 8 }), key, async (steps, prefix) => {
          const model = new Map<string, Uint8Array>();
          await store.transact((transaction) => {
            for (const found of keysUnder(transaction, '')) transaction.remove(found);
          });
          for (const { changes, fails } of steps) {
            await store
              .transact((transaction) => {
                for (const { key, value } of changes) {
                  if (value === null) transaction.remove(key);
                  else transaction.put(key, value);
                }
                if (fails) throw new Error('undone');
              })
              .catch((error: Error) => expect(error.message).toBe('undone'));
            if (fails) continue;
            for (const { key, value } of changes) {
              if (value === null) model.delete(key);
              else model.set(key, value);
            }
          }
          const expected = [...model.keys()].sort().map((key) => ({ key, value: model.get(key)! }));
          expect(store.range({ prefix: '', limit: 1_000 })).toEqual(expected);
          const under = expected.filter((entry) => entry.key.startsWith(prefix));
          expect(store.range({ prefix, limit: 1_000 })).toEqual(under);
          expect(store.range({ prefix: '', skip: 2, limit: 3 })).toEqual(expected.slice(2, 5));
        }),
        { numRuns: 40 },
      );
    });

    test('a scan visits every one of 5,000 keys once, in order', async () => {
      const keys = Array.from(
        { length: 5_000 },
        (_, index) => `n/${String(index).padStart(6, '0')}`,
      );
      await fill([...keys].reverse());
      expect(keysUnder(store, 'n/')).toEqual(keys);
      await store.transact((transaction) => {
        for (const key of keys) if (!key.endsWith('7')) transaction.remove(key);
      });
      expect(keysUnder(store, 'n/')).toEqual(keys.filter((key) => key.endsWith('7')));
    });

    test('a closed store refuses everything, and closing twice is closing once', async () => {
      const last = store.transact((transaction) => transaction.put('last', bytes(1)));
      await Promise.all([store.close(), store.close()]);
      await last;
      expect(() => store.get('last')).toThrow(/PlaneClosed/);
      expect(() => store.range({ prefix: '', limit: 1 })).toThrow(/PlaneClosed/);
      await expect(store.transact(() => 1)).rejects.toThrow(/PlaneClosed/);
    });

    test('what was committed is there after reopening', async () => {
      if (factory.reopen === null) return;
      await fill(['kept', 'kept/2']);
      await store.transact((transaction) => transaction.remove('kept/2'));
      await store.close();
      store = factory.reopen();
      expect(keysUnder(store, '')).toEqual(['kept']);
    });
  });
}
