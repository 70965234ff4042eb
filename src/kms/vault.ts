/**
 * The vault: master keys, their versions and states, and the data keys wrapped under them.
 *
 * 1. A key's state and versions are what its sealed record says, read and authenticated at every
 *    use: nothing is cached that a change could leave stale.
 * 2. Key material is plaintext only during one call (vault-tables.ts, withVersion), in memory off
 *    the V8 heap; between calls the vault holds the root key alone, in one buffer, until close().
 * 3. Every account has one service key in every region, made at first use, alias acs/ecs: it cannot
 *    be disabled, rotated or deleted.
 * 4. A rotated key wraps under its newest version and unwraps under all it ever had.
 * 5. A version wraps at most WRAPS_PER_VERSION_MAX data keys. What it has wrapped is counted by
 *    reservation: before the first of every WRAPS_RESERVED_STEP the step is made durable, so a
 *    crash counts too many, never too few.
 * 6. A key is of one account and region. To everyone else it does not exist.
 * 7. From its deletionAt on a key does not exist; its records go at the next request, or open.
 *    (What LMDB's free pages still hold of them is sealed under the root key.)
 *
 * The states of a key and what leads from one to the other: key-states.ts.
 *
 * **Thread:** KMS.
 */
import { allocateKey, zeroize } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { type KeyValueStore, type KeyValueTransaction, scan } from '../kv/key-value-store.ts';
import {
  KEY_BYTES,
  KEY_DELETION_DAYS_MAX,
  KEY_DELETION_DAYS_MIN,
  KEY_VERSIONS_MAX,
  MASTER_KEYS_MAX,
  WRAPS_PER_VERSION_MAX,
  WRAPS_RESERVED_STEP,
} from '../limits.ts';
import { makeKeyId } from '../record/ids.ts';
import type { KeyDescription, WrapContext } from '../record/kms-message.ts';
import type { FillRandom } from './envelope.ts';
import { type KeyOperation, stateAfter } from './key-states.ts';
import { KEY_PREFIX, type KeyScope, VaultTables } from './vault-tables.ts';
import { readWrapKey, unwrapDataKey, wrapNewDataKey } from './wrap.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

export interface VaultOptions {
  /** The vault's from here on: closed by close(). */
  readonly store: KeyValueStore;
  /** 32 bytes off the V8 heap; the vault's from here on: erased by close(). */
  readonly rootKey: Uint8Array;
  readonly clock: Clock;
  readonly fillRandom: FillRandom;
}

/**
 * Opens a vault, or makes one in an empty store.
 *
 * @throws PlaneError RootKeyInvalid, DataDirectoryForeign, DataDirectoryCorrupt, StoreFailed; the
 *   store is closed and the root key erased then
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const vault = new Vault(options);
  try {
    await vault.open();
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}

export class Vault {
  readonly #store: KeyValueStore;
  readonly #rootKey: Uint8Array;
  readonly #clock: Clock;
  readonly #fillRandom: FillRandom;
  readonly #tables: VaultTables;
  /** When each key pending deletion is to go, milliseconds since 1970. */
  readonly #deletions = new Map<string, number>();
  /** Wraps reserved and not yet used, by key id and version. */
  readonly #wrapsLeft = new Map<string, number>();
  #isClosed = false;

  /** Use openVault(). */
  constructor({ store, rootKey, clock, fillRandom }: VaultOptions) {
    invariant(rootKey.byteLength === KEY_BYTES, 'a root key is 32 bytes');
    this.#store = store;
    this.#rootKey = rootKey;
    this.#clock = clock;
    this.#fillRandom = fillRandom;
    this.#tables = new VaultTables(rootKey, fillRandom);
  }

  /** Called once, by openVault(): makes or verifies the vault and reads every key's record. */
  async open(): Promise<void> {
    if (!this.#tables.hasCheck(this.#store)) {
      if (this.#store.range({ prefix: '', limit: 1 }).length > 0) {
        throw new PlaneError('DataDirectoryForeign', 'the vault store holds something else');
      }
      const now = this.#clock.now();
      await this.#store.transact((transaction) => this.#tables.putCheck(transaction, now));
    }
    this.#tables.verifyRootKey(this.#store);
    scan(this.#store, KEY_PREFIX, (place) => {
      const key = this.#tables.readKey(this.#store, place.slice(KEY_PREFIX.length));
      if (key?.deletionAt != null) this.#deletions.set(key.keyId, key.deletionAt);
    });
    await this.eraseExpired();
  }

  /** @throws PlaneError Rejected.LimitExceeded: MASTER_KEYS_MAX keys in the region */
  createKey(scope: KeyScope, description: string, fixedKeyId?: string): Promise<KeyDescription> {
    return this.#transact((transaction) => {
      const keys = this.#tables.keysIn(transaction, scope).filter((key) => !key.isServiceKey);
      if (keys.length >= MASTER_KEYS_MAX) {
        const detail = `${scope.regionId} has ${keys.length} keys, the most an account may have`;
        throw new PlaneError('Rejected.LimitExceeded', detail);
      }
      return this.#makeKey(transaction, scope, description, false, fixedKeyId);
    });
  }

  /** The service key of an account in a region, made if this is its first use. */
  async serviceKey(scope: KeyScope): Promise<KeyDescription> {
    const found = this.#tables.serviceKey(this.#usableStore(), scope);
    if (found !== null) return found;
    return this.#transact(
      (transaction) =>
        this.#tables.serviceKey(transaction, scope) ??
        this.#makeKey(transaction, scope, 'Service key of ECS disk encryption', true),
    );
  }

  /** @throws PlaneError Forbidden.KeyNotFound */
  describeKey(keyId: string): KeyDescription {
    return this.#requireKey(this.#usableStore(), keyId);
  }

  /** Keys of an account in a region, the service key among them, oldest first. */
  listKeys(scope: KeyScope): KeyDescription[] {
    return this.#tables
      .keysIn(this.#usableStore(), scope)
      .filter((key) => !this.#isExpired(key))
      .sort((a, b) => a.createdAt - b.createdAt || (a.keyId < b.keyId ? -1 : 1));
  }

  enableKey(keyId: string): Promise<KeyDescription> {
    return this.#change('enable', keyId, (key) => key);
  }

  /** Data keys can neither be made nor unwrapped until it is enabled again. */
  disableKey(keyId: string): Promise<KeyDescription> {
    return this.#change('disable', keyId, (key) => key);
  }

  /** Gives the key a new primary version. */
  rotateKey(keyId: string): Promise<KeyDescription> {
    return this.#change('rotate', keyId, (key, transaction) => {
      if (key.primaryVersion >= KEY_VERSIONS_MAX) {
        const detail = `${keyId} has ${key.primaryVersion} versions, the most a key may have`;
        throw new PlaneError('Rejected.LimitExceeded', detail);
      }
      const rotated = { ...key, primaryVersion: key.primaryVersion + 1 };
      this.#makeVersion(transaction, rotated);
      return rotated;
    });
  }

  /** @throws PlaneError InvalidParameter: pendingDays outside the limits */
  async scheduleKeyDeletion(keyId: string, pendingDays: number): Promise<KeyDescription> {
    const isAllowed = pendingDays >= KEY_DELETION_DAYS_MIN && pendingDays <= KEY_DELETION_DAYS_MAX;
    if (!Number.isInteger(pendingDays) || !isAllowed) {
      const limits = `${KEY_DELETION_DAYS_MIN} to ${KEY_DELETION_DAYS_MAX} days`;
      const detail = `PendingWindowInDays: expected ${limits}, got ${pendingDays}`;
      throw new PlaneError('InvalidParameter', detail);
    }
    const deletionAt = this.#clock.now() + pendingDays * DAY_MS;
    const key = await this.#change('scheduleDeletion', keyId, (found) => ({
      ...found,
      deletionAt,
    }));
    this.#deletions.set(keyId, deletionAt);
    return key;
  }

  async cancelKeyDeletion(keyId: string): Promise<KeyDescription> {
    const key = await this.#change('cancelDeletion', keyId, (found) => ({
      ...found,
      deletionAt: null,
    }));
    this.#deletions.delete(keyId);
    return key;
  }

  /**
   * Makes a data key and answers it wrapped; its plaintext is erased before the call ends.
   *
   * @throws PlaneError Forbidden.KeyNotFound, Rejected.Disabled, Rejected.PendingDeletion,
   *   Rejected.LimitExceeded: this version has wrapped all it may, rotate the key
   */
  async generateWrappedDataKey(keyId: string, context: WrapContext): Promise<Uint8Array> {
    const { primaryVersion: version } = this.#requireUsable(keyId, context);
    await this.#reserveWrap(keyId, version);
    // Asked again: the key may have been disabled while the reservation became durable.
    const key = this.#requireUsable(keyId, context);
    return this.#tables.withVersion(this.#store, key, version, (_, material) =>
      wrapNewDataKey(material, { keyId, version }, context, this.#fillRandom),
    );
  }

  /**
   * @param wrapped borrowed for the call, of any length and content
   * @returns 32 bytes in an ArrayBuffer of their own, for transfer; the caller's to erase
   * @throws PlaneError WrappedKeyInvalid, Forbidden.KeyNotFound, Rejected.Disabled,
   *   Rejected.PendingDeletion
   */
  unwrapDataKey(wrapped: Uint8Array, context: WrapContext): ArrayBuffer {
    const { keyId, version } = readWrapKey(wrapped);
    const key = this.#requireUsable(keyId, context);
    if (version > key.primaryVersion) {
      const detail = `wrapped data key: ${keyId} has no version ${version}`;
      throw new PlaneError('WrappedKeyInvalid', detail);
    }
    return this.#tables.withVersion(this.#store, key, version, (_, material) =>
      unwrapDataKey(material, wrapped, context),
    );
  }

  /** Removes the records of keys whose time is over. Free if there are none. */
  async eraseExpired(): Promise<void> {
    const now = this.#clock.now();
    const due = [...this.#deletions].filter(([, at]) => at <= now).map(([keyId]) => keyId);
    if (due.length === 0) return;
    await this.#transact((transaction) => {
      for (const keyId of due) {
        const key = this.#tables.readKey(transaction, keyId);
        if (key !== null && this.#isExpired(key)) this.#tables.removeKey(transaction, key);
      }
    });
    for (const keyId of due) this.#deletions.delete(keyId);
  }

  /** Erases the root key and closes the store. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#store.close();
    zeroize(this.#rootKey);
  }

  #makeKey(
    transaction: KeyValueTransaction,
    scope: KeyScope,
    description: string,
    isServiceKey: boolean,
    fixedKeyId?: string,
  ): KeyDescription {
    const key: KeyDescription = {
      keyId: fixedKeyId ?? makeKeyId((byteCount) => this.#randomBytes(byteCount)),
      accountId: scope.accountId,
      regionId: scope.regionId,
      state: 'Enabled',
      isServiceKey,
      description,
      primaryVersion: 1,
      createdAt: this.#clock.now(),
      deletionAt: null,
    };
    invariant(this.#tables.readKey(transaction, key.keyId) === null, 'key ids are unique');
    this.#tables.putKey(transaction, key);
    this.#makeVersion(transaction, key);
    return key;
  }

  #makeVersion(transaction: KeyValueTransaction, key: KeyDescription): void {
    const { keyId, accountId, regionId, primaryVersion: version } = key;
    const createdAt = this.#clock.now();
    const record = { keyId, accountId, regionId, version, createdAt, wrapsReserved: 0 };
    const material = allocateKey(KEY_BYTES);
    try {
      this.#fillRandom(material);
      this.#tables.putVersion(transaction, record, material);
    } finally {
      zeroize(material);
    }
  }

  /** Applies the rule of the operation, then the change; the record's state is the rule's. */
  #change(
    operation: KeyOperation,
    keyId: string,
    change: (key: KeyDescription, transaction: KeyValueTransaction) => KeyDescription,
  ): Promise<KeyDescription> {
    return this.#transact((transaction) => {
      const key = this.#requireKey(transaction, keyId);
      const state = stateAfter(operation, key);
      const changed = { ...change(key, transaction), state };
      invariant((changed.deletionAt !== null) === (state === 'PendingDeletion'), 'key-states.ts');
      this.#tables.putKey(transaction, changed);
      return changed;
    });
  }

  /** Counts one wrap, durably. */
  async #reserveWrap(keyId: string, version: number): Promise<void> {
    const counter = `${keyId}/${version}`;
    if ((this.#wrapsLeft.get(counter) ?? 0) === 0) {
      await this.#transact((transaction) => {
        const key = this.#requireKey(transaction, keyId);
        this.#tables.withVersion(transaction, key, version, (record, material) => {
          const wrapsReserved = record.wrapsReserved + WRAPS_RESERVED_STEP;
          if (wrapsReserved > WRAPS_PER_VERSION_MAX) {
            const detail = `version ${version} of ${keyId} has wrapped all it may: rotate the key`;
            throw new PlaneError('Rejected.LimitExceeded', detail);
          }
          this.#tables.putVersion(transaction, { ...record, wrapsReserved }, material);
        });
      });
      const left = this.#wrapsLeft.get(counter) ?? 0;
      this.#wrapsLeft.set(counter, left + WRAPS_RESERVED_STEP);
    }
    const left = this.#wrapsLeft.get(counter) ?? 0;
    invariant(left > 0, 'a reservation was made');
    this.#wrapsLeft.set(counter, left - 1);
  }

  #requireUsable(keyId: string, scope: KeyScope): KeyDescription {
    const key = this.#requireKey(this.#usableStore(), keyId);
    if (key.accountId !== scope.accountId || key.regionId !== scope.regionId) {
      throw notFound(keyId);
    }
    stateAfter('use', key);
    return key;
  }

  #requireKey(reader: Pick<KeyValueStore, 'get' | 'range'>, keyId: string): KeyDescription {
    const key = this.#tables.readKey(reader, keyId);
    if (key === null || this.#isExpired(key)) throw notFound(keyId);
    return key;
  }

  #isExpired(key: KeyDescription): boolean {
    return key.deletionAt !== null && key.deletionAt <= this.#clock.now();
  }

  async #transact<T>(run: (transaction: KeyValueTransaction) => T): Promise<T> {
    return this.#usableStore().transact(run);
  }

  /** The root key is erased by close(): nothing may be sealed or opened under zeros after it. */
  #usableStore(): KeyValueStore {
    if (this.#isClosed) throw new PlaneError('KmsUnavailable', 'the vault is closed');
    return this.#store;
  }

  #randomBytes(byteCount: number): Uint8Array {
    const bytes = new Uint8Array(byteCount);
    this.#fillRandom(bytes);
    return bytes;
  }
}

function notFound(keyId: string): PlaneError {
  return new PlaneError('Forbidden.KeyNotFound', `there is no key ${JSON.stringify(keyId)}`);
}
