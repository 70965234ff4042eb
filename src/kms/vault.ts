/**
 * The vault: the store of master keys, opened under the root key. What can be done with the keys
 * is in the files beside it, a topic each; this one is what they all stand on.
 *
 * 1. A key's state and versions are what its sealed record and the clock say, read and
 *    authenticated at every use: nothing is cached that a change could leave stale.
 * 2. Key material is plaintext only during one call (vault-tables.ts, withVersion), in memory off
 *    the V8 heap; between calls the vault holds the root key alone, in one buffer, until close().
 * 3. A key is of one account and region. To everyone else it does not exist.
 * 4. From its deletionAt on a key does not exist, and from materialExpiresAt on it has no material;
 *    the records go at the next request, or open, or idle check (settle.ts). What LMDB's free pages
 *    still hold of them is sealed under the root key.
 *
 * The states of a key and what leads from one to the other: key-states.ts.
 *
 * **Thread:** KMS.
 */
import { zeroize } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import {
  type KeyValueReader,
  type KeyValueStore,
  type KeyValueTransaction,
  scan,
} from '../kv/key-value-store.ts';
import { KEY_BYTES } from '../limits.ts';
import type { KeyDescription, KeyScope } from '../record/kms-key.ts';
import type { FillRandom } from './envelope.ts';
import { keyAsOf, nextEventAt } from './key-clock.ts';
import { parseKeyReference, SERVICE_KEY_ALIAS, shown } from './key-reference.ts';
import { type KeyOperation, stateAfter } from './key-states.ts';
import { KEY_PREFIX, VaultTables } from './vault-tables.ts';

export interface VaultOptions {
  /** The vault's from here on: closed by close(). */
  readonly store: KeyValueStore;
  /** 32 bytes off the V8 heap; the vault's from here on: erased by close(). */
  readonly rootKey: Uint8Array;
  readonly clock: Clock;
  readonly fillRandom: FillRandom;
}

/** A key of a scope, as a caller names it. */
export interface NamedKey extends KeyScope {
  readonly keyId: string;
}

/** @returns the key as it is to be; its state is left to the rules */
type KeyChange = (key: KeyDescription, transaction: KeyValueTransaction) => KeyDescription;

/** What a vault and its dry run share. */
interface VaultState extends VaultOptions {
  readonly tables: VaultTables;
  readonly messagesLeft: Map<string, number>;
  /** When time will change which key. A hint: the record says what it is then. */
  readonly events: Map<string, number>;
  /** No event is before. */
  eventsFrom: number;
  isClosed: boolean;
}

export class Vault {
  readonly isDryRun: boolean;
  readonly #state: VaultState;

  /** Use openVault(). */
  constructor(state: VaultState, isDryRun: boolean) {
    this.#state = state;
    this.isDryRun = isDryRun;
  }

  get clock(): Clock {
    return this.#state.clock;
  }

  get fillRandom(): FillRandom {
    return this.#state.fillRandom;
  }

  get tables(): VaultTables {
    return this.#state.tables;
  }

  /** Messages reserved and not yet encrypted, by key id and version: see message-count.ts. */
  get messagesLeft(): Map<string, number> {
    return this.#state.messagesLeft;
  }

  /** The same vault, in which nothing changes: what would have is refused, once it is checked. */
  forDryRun(): Vault {
    return new Vault(this.#state, true);
  }

  /** Called once, by openVault(): makes or verifies the vault and reads every key's record. */
  async open(): Promise<void> {
    const { store } = this.#state;
    if (!this.tables.hasCheck(store)) {
      if (store.range({ prefix: '', limit: 1 }).length > 0) {
        throw new PlaneError('DataDirectoryForeign', 'the vault store holds something else');
      }
      const now = this.clock.now();
      await store.transact((transaction) => this.tables.putCheck(transaction, now));
    }
    this.tables.verifyRootKey(store);
    scan(store, KEY_PREFIX, (place) => {
      const key = this.tables.readKey(store, place.slice(KEY_PREFIX.length));
      if (key !== null) this.expectEvent(key.keyId, nextEventAt(key));
    });
  }

  /** The root key is erased by close(): nothing may be sealed or opened under zeros after it. */
  get reader(): KeyValueReader {
    return this.#usableStore();
  }

  /** All or nothing; in a dry run nothing, and DryRunOperationError if it would have been all. */
  async transact<T>(run: (transaction: KeyValueTransaction) => T): Promise<T> {
    const store = this.#usableStore();
    if (!this.isDryRun) return store.transact(run);
    return store.transact((transaction) => {
      run(transaction);
      throw dryRunError();
    });
  }

  /** @returns the key as of now, null if there is none; not asked whose it is */
  findKey(reader: KeyValueReader, keyId: string): KeyDescription | null {
    const key = this.tables.readKey(reader, keyId);
    return key === null ? null : keyAsOf(key, this.clock.now());
  }

  /**
   * The key a caller names, as of now.
   *
   * @throws PlaneError Forbidden.KeyNotFound, Forbidden.AliasNotFound: there is none in the scope
   */
  requireKey(reader: KeyValueReader, named: NamedKey): KeyDescription {
    const { kind, name, scope } = parseKeyReference(named.keyId);
    const isElsewhere = scope !== null && !isSameScope(scope, named);
    if (kind === 'alias') return this.#requireAliased(reader, named, name, isElsewhere);
    const key = isElsewhere ? null : this.findKey(reader, name);
    if (key === null || !isSameScope(key, named)) throw keyNotFound(named.keyId);
    return key;
  }

  /** Keys of a region as of now, the service key among them, in the order of their ids. */
  keysIn(reader: KeyValueReader, scope: KeyScope): KeyDescription[] {
    const now = this.clock.now();
    return this.tables.keysIn(reader, scope).flatMap((key) => keyAsOf(key, now) ?? []);
  }

  /** Applies the rule of the operation, then the change; the record's state is the rule's. */
  change(operation: KeyOperation, named: NamedKey, change: KeyChange): Promise<KeyDescription> {
    return this.transact((transaction) => this.changeIn(transaction, operation, named, change));
  }

  /** The same in a transaction that does more. */
  changeIn(
    transaction: KeyValueTransaction,
    operation: KeyOperation,
    named: NamedKey,
    change: KeyChange,
  ): KeyDescription {
    const key = this.requireKey(transaction, named);
    const state = stateAfter(operation, key);
    const changed = { ...change(key, transaction), state };
    // Only material makes a key usable: a deletion taken back does not bring any.
    const isEmpty = !changed.hasMaterial && state !== 'PendingDeletion';
    const settled = isEmpty ? { ...changed, state: 'PendingImport' as const } : changed;
    this.putKey(transaction, settled);
    return settled;
  }

  putKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    assertConsistent(key);
    this.tables.putKey(transaction, key);
    this.expectEvent(key.keyId, nextEventAt(key));
  }

  removeKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    this.tables.removeKey(transaction, key);
    this.#state.events.delete(key.keyId);
    for (let version = 1; version <= key.primaryVersion; version++) {
      this.messagesLeft.delete(`${key.keyId}/${version}`);
    }
  }

  /** Time will change the key then; Infinity: never. */
  expectEvent(keyId: string, at: number): void {
    if (this.isDryRun) return;
    const state = this.#state;
    if (at === Number.POSITIVE_INFINITY) state.events.delete(keyId);
    else state.events.set(keyId, at);
    state.eventsFrom = Math.min(state.eventsFrom, at);
  }

  /** Keys whose time has come. Costs nothing while there is none. */
  dueKeys(): string[] {
    const now = this.clock.now();
    const state = this.#state;
    if (now < state.eventsFrom) return [];
    const due: string[] = [];
    state.eventsFrom = Number.POSITIVE_INFINITY;
    for (const [keyId, at] of state.events) {
      state.eventsFrom = Math.min(state.eventsFrom, at);
      if (at <= now) due.push(keyId);
    }
    return due;
  }

  randomBytes(byteCount: number): Uint8Array {
    const bytes = new Uint8Array(byteCount);
    this.fillRandom(bytes);
    return bytes;
  }

  /** Erases the root key and closes the store. Idempotent. */
  async close(): Promise<void> {
    this.#state.isClosed = true;
    await this.#state.store.close();
    zeroize(this.#state.rootKey);
  }

  #requireAliased(
    reader: KeyValueReader,
    scope: KeyScope,
    aliasName: string,
    isElsewhere: boolean,
  ): KeyDescription {
    if (isElsewhere) throw aliasNotFound(aliasName);
    if (aliasName === SERVICE_KEY_ALIAS) {
      const serviceKey = this.tables.serviceKey(reader, scope);
      if (serviceKey === null) throw aliasNotFound(aliasName);
      return serviceKey;
    }
    const alias = this.tables.readAlias(reader, scope, aliasName);
    const key = alias === null ? null : this.findKey(reader, alias.keyId);
    if (key === null || !isSameScope(key, scope)) throw aliasNotFound(aliasName);
    return key;
  }

  #usableStore(): KeyValueStore {
    if (this.#state.isClosed) throw new PlaneError('KmsUnavailable', 'the vault is closed');
    return this.#state.store;
  }
}

/** A vault that is not open yet: see openVault(). */
export function makeVault(options: VaultOptions): Vault {
  const { rootKey, fillRandom } = options;
  invariant(rootKey.byteLength === KEY_BYTES, 'a root key is 32 bytes');
  const state: VaultState = {
    ...options,
    tables: new VaultTables(rootKey, fillRandom),
    messagesLeft: new Map(),
    events: new Map(),
    eventsFrom: Number.POSITIVE_INFINITY,
    isClosed: false,
  };
  return new Vault(state, false);
}

/** What holds of every key record that is stored: key-states.ts. */
function assertConsistent(key: KeyDescription): void {
  const isPendingDeletion = key.state === 'PendingDeletion';
  invariant((key.deletionAt !== null) === isPendingDeletion, 'deletionAt says PendingDeletion');
  const isPendingImport = key.state === 'PendingImport';
  invariant(isPendingDeletion || isPendingImport === !key.hasMaterial, 'a key serves by material');
  invariant(key.origin === 'EXTERNAL' || key.hasMaterial, 'only imported material goes');
  invariant(key.hasMaterial || key.materialExpiresAt === null, 'only material there is expires');
}

export function isSameScope(a: KeyScope, b: KeyScope): boolean {
  return a.accountId === b.accountId && a.regionId === b.regionId;
}

export function dryRunError(): PlaneError {
  return new PlaneError('DryRunOperationError', 'the request would have succeeded');
}

function keyNotFound(keyId: string): PlaneError {
  return new PlaneError('Forbidden.KeyNotFound', `there is no key ${shown(keyId)}`);
}

export function aliasNotFound(aliasName: string): PlaneError {
  return new PlaneError('Forbidden.AliasNotFound', `there is no alias ${shown(aliasName)}`);
}
