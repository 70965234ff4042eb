import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LmdbDatabase, LmdbStore, openLmdbStore } from '../../../src/kv/lmdb-store.ts';

/** A database whose commits fail, or never end, on demand. */
function faultyDatabase(): {
  database: LmdbDatabase;
  fail: (error: Error) => void;
  hang: () => void;
  isClosed: () => boolean;
} {
  let commit: () => Promise<unknown> = () => Promise.resolve();
  let isClosed = false;
  const database = {
    get: () => Uint8Array.of(1),
    getRange: () => [],
    put: () => Promise.resolve(true),
    remove: () => Promise.resolve(true),
    childTransaction: async (run: () => unknown) => {
      await null;
      run();
      return commit();
    },
    close: async () => {
      isClosed = true;
    },
  };
  return {
    database: database as unknown as LmdbDatabase,
    fail: (error) => {
      commit = () => Promise.reject(error);
    },
    hang: () => {
      commit = () => new Promise(() => undefined);
    },
    isClosed: () => isClosed,
  };
}

/** What a store that failed would have ended the process with. */
function handling(freeBytes: number | null = 1e9) {
  const stops: string[] = [];
  const failStop = (reason: string): void => {
    stops.push(reason);
  };
  return { stops, failStop, freeBytes: () => freeBytes };
}

/** As lmdb-js: the root cause comes by a promise of the error. */
function commitFailed(code: number, text: string): Error {
  const commitError = Promise.reject(Object.assign(new Error(text), { code }));
  return Object.assign(new Error('Commit failed'), { commitError });
}

describe('a commit that fails for lack of space', () => {
  test('is refused as NoSpace, and the store goes on', async () => {
    const { database, fail, isClosed } = faultyDatabase();
    const handled = handling(0);
    const store = new LmdbStore(database, 'the store', 1_000, handled);
    fail(commitFailed(5, 'Input/output error'));
    const refused = store.transact((transaction) => transaction.put('k', Uint8Array.of(1)));
    await expect(refused).rejects.toMatchObject({ code: 'NoSpace' });
    expect(store.get('k')).toEqual(Uint8Array.of(1));
    fail(Object.assign(new Error('Commit failed')));
    await expect(store.transact(() => 1)).rejects.toMatchObject({ code: 'NoSpace' });
    await store.close();
    expect({ stops: handled.stops, isClosed: isClosed() }).toEqual({ stops: [], isClosed: true });
  });
});

describe('a store that lost a commit', () => {
  test('ends the process, once, with the root cause', async () => {
    const { database, fail } = faultyDatabase();
    const handled = handling(null);
    const store = new LmdbStore(database, 'the store', 1_000, handled);
    fail(commitFailed(5, 'Input/output error'));
    const both = await Promise.allSettled([store.transact(() => 1), store.transact(() => 2)]);
    for (const outcome of both) {
      expect(outcome).toMatchObject({ reason: { code: 'StoreFailed' } });
    }
    expect(handled.stops).toEqual(['StoreFailed: the store: Commit failed: Input/output error']);
  });

  test('whose root cause never comes ends it too', async () => {
    const { database, fail } = faultyDatabase();
    const handled = handling();
    const store = new LmdbStore(database, 'the store', 5_000, handled);
    const commitError = new Promise(() => undefined);
    fail(Object.assign(new Error('Commit failed'), { commitError }));
    await expect(store.transact(() => 1)).rejects.toMatchObject({ code: 'StoreFailed' });
    fail(Object.assign(new Error('again'), { commitError: Promise.resolve() }));
    expect(handled.stops).toEqual(['StoreFailed: the store: Commit failed: Commit failed']);
  });

  test('refuses reads, ranges and transactions from then on, with StoreFailed', async () => {
    const { database, fail, isClosed } = faultyDatabase();
    const store = new LmdbStore(database, 'the store', 1_000, handling());
    await store.transact((transaction) => transaction.put('k', Uint8Array.of(1)));
    fail(new Error('Commit failed'));
    await expect(store.transact(() => 1)).rejects.toMatchObject({
      code: 'StoreFailed',
      message: 'StoreFailed: the store: Commit failed: Commit failed',
    });
    expect(() => store.get('k')).toThrow(/StoreFailed/);
    expect(() => store.range({ prefix: 'k', limit: 1 })).toThrow(/StoreFailed/);
    await expect(store.transact(() => 1)).rejects.toMatchObject({ code: 'StoreFailed' });
    await store.close();
    expect(isClosed()).toBe(false);
  });

  test('does not run what was queued behind the lost commit', async () => {
    const { database, fail } = faultyDatabase();
    const childTransaction = database.childTransaction;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let calls = 0;
    const queueing = Object.assign(database, {
      childTransaction: async (run: () => undefined) => {
        if (++calls > 1) await released;
        return childTransaction(run);
      },
    });
    const store = new LmdbStore(queueing, 'the store', 1_000, handling());
    fail(new Error('Commit failed'));
    let hasRun = false;
    const first = store.transact(() => 1);
    const second = store.transact(() => {
      hasRun = true;
    });
    await expect(first).rejects.toMatchObject({ code: 'StoreFailed' });
    release();
    await expect(second).rejects.toMatchObject({ code: 'StoreFailed' });
    expect(hasRun).toBe(false);
  });

  test('handles the second promise lmdb attaches to the error, early or late', async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => {
      unhandled.push(error);
    };
    process.on('unhandledRejection', listen);
    try {
      const { database, fail } = faultyDatabase();
      const store = new LmdbStore(database, 'the store', 1_000, handling());
      const commitError = Promise.reject(new Error('Input/output error'));
      fail(Object.assign(new Error('Commit failed'), { commitError }));
      await expect(store.transact(() => 1)).rejects.toMatchObject({ code: 'StoreFailed' });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });

  test('counts a commit that never settles as lost', async () => {
    const { database, hang } = faultyDatabase();
    const store = new LmdbStore(database, 'the store', 20, handling());
    hang();
    await expect(store.transact(() => 1)).rejects.toMatchObject({
      code: 'StoreFailed',
      message: 'StoreFailed: the store: a commit did not settle within 20 ms',
    });
    await store.close();
  });
});

describe('a directory that is not an LMDB environment', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sealdisk-lmdb-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const refusal = (content: Uint8Array): unknown => {
    const store = join(directory, 'store');
    mkdirSync(store, { recursive: true });
    writeFileSync(join(store, 'data.mdb'), content);
    try {
      openLmdbStore(store);
    } catch (error) {
      return error;
    }
    return null;
  };

  test('is refused as DataDirectoryCorrupt, whatever its data.mdb holds instead', () => {
    const foreign = [Buffer.alloc(8_192, 0x5a), Buffer.alloc(8_192), Buffer.from('hello')];
    for (const content of foreign) {
      expect(refusal(content)).toMatchObject({ code: 'DataDirectoryCorrupt' });
    }
  });

  test('is refused if it was one and is damaged at the head or cut short', async () => {
    const whole = openLmdbStore(join(directory, 'whole'));
    for (let i = 0; i < 40; i++) {
      await whole.transact((transaction) => transaction.put(`k/${i}`, new Uint8Array(3_000)));
    }
    await whole.close();
    const content = readFileSync(join(directory, 'whole', 'data.mdb'));
    const changed = (offset: number, value: number): Buffer => {
      const copy = Buffer.from(content);
      copy[offset] = value;
      return copy;
    };
    const pageBytes = content.readUInt32LE(48);
    const damaged: [Buffer, RegExp][] = [
      [changed(24, 0), /is not an LMDB file/],
      [changed(18, 0), /is not an LMDB file/],
      [changed(pageBytes + 24, 0), /is not an LMDB file/],
      [changed(28, 9), /format version 9/],
      [changed(50, 0xff), /has pages of \d+ bytes/],
      [content.subarray(0, 100), /no meta page/],
      [content.subarray(0, pageBytes), /no meta page/],
      [content.subarray(0, 2 * pageBytes), /cut short: 2 pages/],
      [content.subarray(0, content.length / 2), /cut short/],
    ];
    for (const [bytes, message] of damaged) {
      expect(refusal(bytes)).toMatchObject({
        code: 'DataDirectoryCorrupt',
        message: expect.stringMatching(message),
      });
    }
  });

  test('is made if it is absent', async () => {
    const store = openLmdbStore(join(directory, 'a', 'b'));
    await store.transact((transaction) => transaction.put('k', Uint8Array.of(7)));
    expect(store.get('k')).toEqual(Uint8Array.of(7));
    await store.close();
  });
});
