/**
 * A KeyValueStore in an LMDB environment. The only importer of lmdb.
 *
 * What lmdb-js does that a caller would not expect, and what is done about it here:
 *
 * 1. With its default, overlappingSync, a write's promise means visible, not durable. It is off: a
 *    promise resolves after LMDB's own fdatasync of data and meta page.
 * 2. A failed commit rejects with an error whose `commitError` is a second promise, which ends the
 *    process as an unhandled rejection: it is caught. With `eventTurnBatching`, its default, there
 *    is a third that nobody can catch: it is off.
 * 3. If the meta page cannot be written the promise never settles, nor does process.exit(). A
 *    commit not settled within STORE_COMMIT_TIMEOUT_MS counts as failed.
 * 4. Values may be views into the mapped file. They are copied before anyone sees them.
 * 5. Its encoders keep tables of their own inside the database. `encoding: 'binary'` has none;
 *    records are packed by record/codec.ts.
 * 6. A function that throws inside a transaction poisons nothing only if it runs as a child
 *    transaction that is aborted. Each runs as one.
 *
 * A commit that fails for lack of space is refused as NoSpace and changes nothing; the store goes
 * on. Any other failure of a commit ends the process (base/fail-stop.ts): what the next commit
 * would say is not to be believed (commit-failure.ts).
 *
 * What the next process believes then: LMDB forces a transaction's pages before it writes the meta
 * page that refers to them, and no later transaction refers to pages of one that failed. So it is
 * found done or not done, whole. Where the meta page is what could not be written, the system's
 * cache may say one and the disk the other, until the next commit, which makes durable what it is
 * made upon: nothing outside the store may follow what was read before that (control/reconcile.ts).
 *
 * Transactions made while a commit is under way share the next one, and its cost.
 *
 * LMDB pages carry no checksum: a damaged value is found by the record's CRC, a damaged branch page
 * may end the process. What a file's head and length can tell is checked first, see lmdb-header.ts.
 *
 * **Thread:** any. One store belongs to one thread.
 */
import { existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ABORT, open, type RootDatabase } from 'lmdb';
import { settlesWithin } from '../base/deadline.ts';
import { PlaneError } from '../base/errors.ts';
import { failStop } from '../base/fail-stop.ts';
import { invariant } from '../base/invariant.ts';
import { STORE_CAUSE_TIMEOUT_MS, STORE_COMMIT_TIMEOUT_MS } from '../limits.ts';
import { isForLackOfSpace } from './commit-failure.ts';
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
import { lmdbFileDamage } from './lmdb-header.ts';

/** What is used of an lmdb database; tests put a failing one in its place. */
export type LmdbDatabase = Pick<
  RootDatabase<Uint8Array, string>,
  'get' | 'getRange' | 'put' | 'remove' | 'childTransaction' | 'close'
>;

/**
 * Opens the store in a directory, made if absent.
 *
 * @param mode readOnly: of an existing one nothing is changed but LMDB's own lock file
 *
 * @throws PlaneError DataDirectoryCorrupt: the files are not, or no longer, an LMDB environment
 */
export function openLmdbStore(
  directory: string,
  mode: 'readWrite' | 'readOnly' = 'readWrite',
): KeyValueStore {
  const file = join(directory, 'data.mdb');
  const readOnly = mode === 'readOnly';
  if (readOnly && !existsSync(file)) {
    throw new PlaneError('DataDirectoryCorrupt', `there is no ${file}`);
  }
  if (readOnly && statSync(file).size === 0) {
    // LMDB would make a new environment of it, and cannot.
    throw new PlaneError('DataDirectoryCorrupt', `${file} is empty`);
  }
  if (!readOnly) mkdirSync(directory, { recursive: true });
  const damage = existsSync(file) ? lmdbFileDamage(file) : null;
  if (damage !== null) throw new PlaneError('DataDirectoryCorrupt', `${file} ${damage}`);
  const database = open<Uint8Array, string>({
    path: directory,
    noSubdir: false,
    readOnly,
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
    maxDbs: 1,
  });
  return new LmdbStore(database, directory, STORE_COMMIT_TIMEOUT_MS, {
    freeBytes: () => freeBytesOf(directory),
    failStop,
  });
}

/** What a store does beside LMDB when a commit fails. */
export interface FailureHandling {
  /** Of the file system; null: not known. */
  readonly freeBytes: () => number | null;
  /** Ends the process. If it returns, which it does in tests, the store refuses everything. */
  readonly failStop: (reason: string) => void;
}

type Outcome<T> = { readonly value: T } | { readonly thrown: unknown };

/** Exported for tests of its failures: use openLmdbStore(). */
export class LmdbStore implements KeyValueStore {
  readonly #database: LmdbDatabase;
  readonly #name: string;
  readonly #commitTimeoutMs: number;
  readonly #handling: FailureHandling;
  readonly #inFlight = new Set<Promise<unknown>>();
  #failure: PlaneError | null = null;
  #closing: Promise<void> | null = null;

  constructor(
    database: LmdbDatabase,
    name: string,
    commitTimeoutMs: number,
    handling: FailureHandling,
  ) {
    this.#database = database;
    this.#name = name;
    this.#commitTimeoutMs = commitTimeoutMs;
    this.#handling = handling;
  }

  get(key: string): Uint8Array | undefined {
    this.#requireUsable();
    return readOne(this.#database, key);
  }

  range(query: RangeQuery): KeyValueEntry[] {
    this.#requireUsable();
    return readRange(this.#database, query);
  }

  async transact<T>(run: (transaction: KeyValueTransaction) => T): Promise<T> {
    this.#requireUsable();
    const committed = this.#commit(run);
    this.#inFlight.add(committed);
    try {
      return await committed;
    } finally {
      this.#inFlight.delete(committed);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#inFlight]);
    // The close of an environment that lost a commit may wait for that commit for ever.
    if (this.#failure === null) await this.#database.close();
  }

  async #commit<T>(run: (transaction: KeyValueTransaction) => T): Promise<T> {
    let outcome: Outcome<T> | null = null;
    const database = this.#database;
    const written = database.childTransaction(() => {
      outcome = runIn(database, run, this.#failure);
      return 'thrown' in outcome ? ABORT : undefined;
    });
    // The root cause comes by a second promise whose rejection nobody handles: also when the
    // commit fails only after we gave it up.
    const failed = written.then(
      () => null,
      (error: unknown) => ({ error, cause: rootCause(error) }),
    );
    if (!(await settlesWithin(failed, this.#commitTimeoutMs))) {
      throw this.#fail(`a commit did not settle within ${this.#commitTimeoutMs} ms`);
    }
    const failure = await failed;
    if (failure !== null) throw this.#judge(failure.error, await failure.cause);
    // The assertion undoes the compiler's belief that a callback assigns nothing.
    const result = outcome as Outcome<T> | null;
    invariant(result !== null, 'lmdb ran the transaction before it settled');
    if ('thrown' in result) throw result.thrown;
    return result.value;
  }

  #judge(error: unknown, cause: unknown): PlaneError {
    if (this.#failure !== null) return this.#failure;
    if (!isForLackOfSpace(cause, this.#handling.freeBytes())) {
      return this.#fail(`${textOf(error)}: ${textOf(cause)}`, cause);
    }
    const what = `${this.#name}: the file system is full; nothing was changed`;
    return new PlaneError('NoSpace', what, { cause });
  }

  #fail(reason: string, cause?: unknown): PlaneError {
    if (this.#failure !== null) return this.#failure;
    this.#failure = new PlaneError('StoreFailed', `${this.#name}: ${reason}`, { cause });
    this.#handling.failStop(this.#failure.message);
    return this.#failure;
  }

  #requireUsable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#closing !== null) throw new PlaneError('PlaneClosed', `${this.#name} is closed`);
  }
}

function runIn<T>(
  database: LmdbDatabase,
  run: (transaction: KeyValueTransaction) => T,
  failure: PlaneError | null,
): Outcome<T> {
  // Queued behind a commit that failed: what it would read may never have become durable.
  if (failure !== null) return { thrown: failure };
  let isRunning = true;
  const reader: KeyValueReader = {
    get: (key) => readOne(database, key),
    range: (query) => readRange(database, query),
  };
  const check = (key: string): void => {
    invariant(isRunning, 'a transaction is used only while its function runs');
    assertKey(key);
  };
  try {
    const value = run({
      ...reader,
      put: (key, bytes) => {
        check(key);
        assertValue(bytes);
        // Inside a transaction lmdb-js writes, and copies, during the call.
        void database.put(key, bytes);
      },
      remove: (key) => {
        check(key);
        void database.remove(key);
      },
    });
    return { value };
  } catch (thrown) {
    return { thrown };
  } finally {
    isRunning = false;
  }
}

function readOne(database: LmdbDatabase, key: string): Uint8Array | undefined {
  assertKey(key);
  const value = database.get(key);
  return value === undefined ? undefined : new Uint8Array(value);
}

function readRange(database: LmdbDatabase, query: RangeQuery): KeyValueEntry[] {
  const { start, isAfter, end } = rangeBounds(query);
  const found: KeyValueEntry[] = [];
  const range = database.getRange({
    ...(start === '' ? {} : { start }),
    end,
    exclusiveStart: isAfter,
    offset: query.skip ?? 0,
    limit: query.limit,
  });
  for (const { key, value } of range) found.push({ key, value: new Uint8Array(value) });
  return found;
}

/** Never rejects. @returns the error LMDB gave; that of lmdb-js, if none came */
async function rootCause(error: unknown): Promise<unknown> {
  const { commitError } = (error ?? {}) as { readonly commitError?: Promise<unknown> };
  if (commitError === undefined) return error;
  const cause = commitError.then(
    () => error,
    (root: unknown) => root,
  );
  return (await settlesWithin(cause, STORE_CAUSE_TIMEOUT_MS)) ? cause : error;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function freeBytesOf(directory: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return null;
  }
}
