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

export class Vault {
  readonly clock: Clock;
  readonly fillRandom: FillRandom;
  readonly tables: VaultTables;
  /** Messages reserved and not yet encrypted, by key id and version: see message-count.ts. */
  readonly messagesLeft: Map<string, number> = new Map<string, number>();
  readonly #store: KeyValueStore;
  readonly #rootKey: Uint8Array;
  /** When time will change which key. A hint: the record says what it is then. */
  readonly #events = new Map<string, number>();
  /** No event is before. */
  #eventsFrom = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** Use openVault(). */
  constructor({ store, rootKey, clock, fillRandom }: VaultOptions) {
    invariant(rootKey.byteLength === KEY_BYTES, 'a root key is 32 bytes');
    this.#store = store;
    this.#rootKey = rootKey;
    this.clock = clock;
    this.fillRandom = fillRandom;
    this.tables = new VaultTables(rootKey, fillRandom);
  }

  /** Called once, by openVault(): makes or verifies the vault and reads every key's record. */
  async open(): Promise<void> {
    if (!this.tables.hasCheck(this.#store)) {
      if (this.#store.range({ prefix: '', limit: 1 }).length > 0) {
        throw new PlaneError('DataDirectoryForeign', 'the vault store holds something else');
      }
      const now = this.clock.now();
      await this.#store.transact((transaction) => this.tables.putCheck(transaction, now));
    }
    this.tables.verifyRootKey(this.#store);
    scan(this.#store, KEY_PREFIX, (place) => {
      const key = this.tables.readKey(this.#store, place.slice(KEY_PREFIX.length));
      if (key !== null) this.expectEvent(key.keyId, nextEventAt(key));
    });
  }

  /** The root key is erased by close(): nothing may be sealed or opened under zeros after it. */
  get reader(): KeyValueReader {
    return this.#usableStore();
  }

  async transact<T>(run: (transaction: KeyValueTransaction) => T): Promise<T> {
    return this.#usableStore().transact(run);
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

  /** Keys of a region as of now, the service key among them. */
  keysIn(reader: KeyValueReader, scope: KeyScope): KeyDescription[] {
    const now = this.clock.now();
    return this.tables.keysIn(reader, scope).flatMap((key) => keyAsOf(key, now) ?? []);
  }

  /** Applies the rule of the operation, then the change; the record's state is the rule's. */
  change(
    operation: KeyOperation,
    named: NamedKey,
    change: (key: KeyDescription, transaction: KeyValueTransaction) => KeyDescription,
  ): Promise<KeyDescription> {
    return this.transact((transaction) => {
      const key = this.requireKey(transaction, named);
      const state = stateAfter(operation, key);
      const changed = { ...change(key, transaction), state };
      // Only material makes a key usable: a deletion taken back does not bring any.
      const isEmpty = !changed.hasMaterial && state !== 'PendingDeletion';
      const settled = isEmpty ? { ...changed, state: 'PendingImport' as const } : changed;
      this.putKey(transaction, settled);
      return settled;
    });
  }

  putKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    assertConsistent(key);
    this.tables.putKey(transaction, key);
    this.expectEvent(key.keyId, nextEventAt(key));
  }

  removeKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    this.tables.removeKey(transaction, key);
    this.#events.delete(key.keyId);
    for (let version = 1; version <= key.primaryVersion; version++) {
      this.messagesLeft.delete(`${key.keyId}/${version}`);
    }
  }

  /** Time will change the key then; Infinity: never. */
  expectEvent(keyId: string, at: number): void {
    if (at === Number.POSITIVE_INFINITY) this.#events.delete(keyId);
    else this.#events.set(keyId, at);
    this.#eventsFrom = Math.min(this.#eventsFrom, at);
  }

  /** Keys whose time has come. Costs nothing while there is none. */
  dueKeys(): string[] {
    const now = this.clock.now();
    if (now < this.#eventsFrom) return [];
    const due: string[] = [];
    this.#eventsFrom = Number.POSITIVE_INFINITY;
    for (const [keyId, at] of this.#events) {
      this.#eventsFrom = Math.min(this.#eventsFrom, at);
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
    this.#isClosed = true;
    await this.#store.close();
    zeroize(this.#rootKey);
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
    if (this.#isClosed) throw new PlaneError('KmsUnavailable', 'the vault is closed');
    return this.#store;
  }
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

function isSameScope(a: KeyScope, b: KeyScope): boolean {
  return a.accountId === b.accountId && a.regionId === b.regionId;
}

function keyNotFound(keyId: string): PlaneError {
  return new PlaneError('Forbidden.KeyNotFound', `there is no key ${shown(keyId)}`);
}

export function aliasNotFound(aliasName: string): PlaneError {
  return new PlaneError('Forbidden.AliasNotFound', `there is no alias ${shown(aliasName)}`);
}
