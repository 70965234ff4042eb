/**
 * A key-value store that keeps the contract of src/kv/key-value-store.ts, in simulated time, and
 * can fail and lose power: LMDB's place in the simulator. test/contract runs over it.
 *
 *   transact() ─▶ (lane) its function runs, readers see it ─▶ (lane) durable: its promise resolves
 *
 * 1. A crash keeps the transactions that are durable and, of those that ran, a prefix.
 * 2. A commit that fails fails all that are not durable, and the store with them, for good. What a
 *    new opening then finds is rule 1.
 */
import { PlaneError } from '../../src/base/errors.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Prng } from '../../src/base/prng.ts';
import {
  assertKey,
  assertValue,
  type KeyValueEntry,
  type KeyValueReader,
  type KeyValueStore,
  type KeyValueTransaction,
  type RangeQuery,
  rangeBounds,
} from '../../src/kv/key-value-store.ts';

const COPIES_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);
let copies = new Uint8Array(new ArrayBuffer(COPIES_BYTES));
let copiesUsed = 0;

/** Copies for readers are cut from shared memory: memory for each costs more than the copy. */
function copyOf(value: Uint8Array): Uint8Array {
  const { byteLength } = value;
  if (byteLength === 0) return NOTHING;
  if (byteLength > COPIES_BYTES) return value.slice();
  if (copiesUsed + byteLength > COPIES_BYTES) {
    copies = new Uint8Array(new ArrayBuffer(COPIES_BYTES));
    copiesUsed = 0;
  }
  const copy = new Uint8Array(copies.buffer, copiesUsed, byteLength);
  copy.set(value);
  copiesUsed += byteLength;
  return copy;
}

/** Entries by key, and the keys in order. */
export class KeyValueContent {
  readonly #values: Map<string, Uint8Array>;
  readonly #keys: string[];

  constructor(values: Map<string, Uint8Array> = new Map(), keys: string[] = []) {
    this.#values = values;
    this.#keys = keys;
  }

  copy(): KeyValueContent {
    return new KeyValueContent(new Map(this.#values), [...this.#keys]);
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** @param value nobody changes it any more; undefined removes */
  set(key: string, value: Uint8Array | undefined): void {
    const isThere = this.#values.has(key);
    if (value === undefined) {
      if (isThere) this.#keys.splice(this.#firstAtLeast(key), 1);
      this.#values.delete(key);
      return;
    }
    if (!isThere) this.#keys.splice(this.#firstAtLeast(key), 0, key);
    this.#values.set(key, value);
  }

  range(query: RangeQuery): KeyValueEntry[] {
    const { start, isAfter, end } = rangeBounds(query);
    const found: KeyValueEntry[] = [];
    let at = this.#firstAtLeast(start);
    if (isAfter && this.#keys[at] === start) at++;
    for (at += query.skip ?? 0; at < this.#keys.length; at++) {
      const key = this.#keys[at]!;
      if (key >= end || found.length === query.limit) break;
      found.push({ key, value: copyOf(this.#values.get(key)!) });
    }
    return found;
  }

  #firstAtLeast(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What a transaction replaced, by key. */
type Replaced = Map<string, Uint8Array | undefined>;

interface Running {
  readonly replaced: Replaced;
  readonly settle: (failure: PlaneError | null) => void;
}

export interface KeyValueSeams {
  /** Runs tasks later, in their order. */
  readonly push: (task: () => void) => void;
  /** Asked at each commit. */
  readonly isCommitFailing: () => boolean;
  /** Told what is going on. */
  readonly note: (what: string, keys: number) => void;
}

export class SimulatedKeyValueStore implements KeyValueStore {
  readonly #content: KeyValueContent;
  readonly #seams: KeyValueSeams;
  readonly #notDurable: Running[] = [];
  readonly #inFlight = new Set<Promise<unknown>>();
  #failure: PlaneError | null = null;
  #isClosed = false;

  /** @param content the store's from now on */
  constructor(content: KeyValueContent, seams: KeyValueSeams) {
    this.#content = content;
    this.#seams = seams;
  }

  get isFailed(): boolean {
    return this.#failure !== null;
  }

  get(key: string): Uint8Array | undefined {
    this.#requireUsable();
    return readerOf(this.#content).get(key);
  }

  range(query: RangeQuery): KeyValueEntry[] {
    this.#requireUsable();
    return this.#content.range(query);
  }

  async transact<T>(run: (transaction: KeyValueTransaction) => T): Promise<T> {
    this.#requireUsable();
    const committed = new Promise<T>((resolve, reject) => {
      this.#seams.push(() => this.#run(run, resolve, reject));
    });
    this.#inFlight.add(committed);
    try {
      return await committed;
    } finally {
      this.#inFlight.delete(committed);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#inFlight]);
  }

  /** What the end of the process, or a power cut, leaves now. */
  afterCrash(prng: Prng): KeyValueContent {
    const content = this.#content.copy();
    const kept = prng.nextBelow(this.#notDurable.length + 1);
    for (const { replaced } of this.#notDurable.slice(kept).reverse()) undo(content, replaced);
    return content;
  }

  #run<T>(
    run: (transaction: KeyValueTransaction) => T,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    if (this.#failure !== null) {
      reject(this.#failure);
      return;
    }
    const replaced: Replaced = new Map();
    let value: T;
    try {
      value = runOn(this.#content, replaced, run);
    } catch (error) {
      undo(this.#content, replaced);
      reject(error);
      return;
    }
    const settle = (failure: PlaneError | null): void => {
      if (failure === null) resolve(value);
      else reject(failure);
    };
    this.#notDurable.push({ replaced, settle });
    this.#seams.note('transaction', replaced.size);
    this.#seams.push(() => this.#makeDurable());
  }

  #makeDurable(): void {
    if (this.#failure !== null) return;
    if (this.#seams.isCommitFailing()) {
      this.#failure = new PlaneError('StoreFailed', 'the simulated commit failed');
      this.#seams.note('commit fails', this.#notDurable.length);
      for (const { settle } of this.#notDurable) settle(this.#failure);
      return;
    }
    this.#notDurable.shift()?.settle(null);
  }

  #requireUsable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isClosed) throw new PlaneError('PlaneClosed', 'the simulated store is closed');
  }
}

function undo(content: KeyValueContent, replaced: Replaced): void {
  for (const [key, value] of replaced) content.set(key, value);
}

function readerOf(content: KeyValueContent): KeyValueReader {
  return {
    get: (key) => {
      assertKey(key);
      const value = content.get(key);
      return value === undefined ? undefined : copyOf(value);
    },
    range: (query) => content.range(query),
  };
}

function runOn<T>(
  content: KeyValueContent,
  replaced: Replaced,
  run: (transaction: KeyValueTransaction) => T,
): T {
  let isRunning = true;
  const write = (key: string, value: Uint8Array | undefined): void => {
    invariant(isRunning, 'a transaction is used only while its function runs');
    assertKey(key);
    if (!replaced.has(key)) replaced.set(key, content.get(key));
    content.set(key, value);
  };
  try {
    return run({
      ...readerOf(content),
      put: (key, value) => {
        assertValue(value);
        write(key, value.slice());
      },
      remove: (key) => write(key, undefined),
    });
  } finally {
    isRunning = false;
  }
}
