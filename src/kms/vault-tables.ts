/**
 * The vault's tables: which records lie under which keys of its store.
 *
 *   check                              vaultCheck, sealed: opens under the right root key only
 *   key/<key id>                       masterKey, sealed
 *   version/<key id>/<5 digits>        keyVersion, sealed, with 32 bytes of material
 *   scope/<account>/<region>/<key id>  index: the keys of a region
 *   service/<account>/<region>         index: id of the region's service key
 *
 * 1. Every read of a sealed record authenticates it, and compares the names in its body with the
 *    key it was found under: a record moved elsewhere is damage.
 * 2. The indexes are not sealed. Whoever changes them can hide a key from a list; what a key is and
 *    may be used for is in its sealed record alone.
 *
 * **Thread:** KMS.
 */
import { zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyValueReader, KeyValueTransaction } from '../kv/key-value-store.ts';
import { KEY_BYTES, MASTER_KEYS_MAX } from '../limits.ts';
import { isKeyId, isScopeId } from '../record/ids.ts';
import type { KeyDescription } from '../record/kms-message.ts';
import type { KeyVersionRecord } from '../record/vault-record.ts';
import type { FillRandom } from './envelope.ts';
import {
  type OpenedRecord,
  openRecord,
  sealRecord,
  type VaultRecordKind,
} from './sealed-record.ts';

/** The account and region a key belongs to. */
export interface KeyScope {
  readonly accountId: string;
  readonly regionId: string;
}

const CHECK = 'check';
const PRESENT = Uint8Array.of(1);
const NO_SECRET = new Uint8Array(0);

export const KEY_PREFIX = 'key/';
const keyAt = (keyId: string): string => `${KEY_PREFIX}${keyId}`;
const versionsOf = (keyId: string): string => `version/${keyId}/`;
const versionAt = (keyId: string, version: number): string =>
  `${versionsOf(keyId)}${String(version).padStart(5, '0')}`;
const scopeOf = ({ accountId, regionId }: KeyScope): string => `scope/${accountId}/${regionId}/`;
const serviceAt = ({ accountId, regionId }: KeyScope): string => `service/${accountId}/${regionId}`;

export class VaultTables {
  readonly #rootKey: Uint8Array;
  readonly #fillRandom: FillRandom;

  /** @param rootKey 32 bytes, borrowed for the life of this object */
  constructor(rootKey: Uint8Array, fillRandom: FillRandom) {
    this.#rootKey = rootKey;
    this.#fillRandom = fillRandom;
  }

  /** @returns false if the vault is new */
  hasCheck(reader: KeyValueReader): boolean {
    return reader.get(CHECK) !== undefined;
  }

  putCheck(transaction: KeyValueTransaction, createdAt: number): void {
    transaction.put(CHECK, this.#seal('vaultCheck', { createdAt }, NO_SECRET));
  }

  /** @throws PlaneError RootKeyInvalid: the vault was sealed under another root key */
  verifyRootKey(reader: KeyValueReader): void {
    const sealed = reader.get(CHECK);
    invariant(sealed !== undefined, 'a vault that is not new has a check record');
    if (openRecord(this.#rootKey, 'vaultCheck', sealed) === null) {
      throw new PlaneError('RootKeyInvalid', 'the vault was not sealed under this root key');
    }
  }

  /** @returns null if there is no such key */
  readKey(reader: KeyValueReader, keyId: string): KeyDescription | null {
    if (!isKeyId(keyId)) return null;
    const sealed = reader.get(keyAt(keyId));
    if (sealed === undefined) return null;
    const { body } = this.#open('masterKey', sealed, keyAt(keyId));
    if (body.keyId !== keyId) throw damaged(keyAt(keyId), `it is the record of ${body.keyId}`);
    return body;
  }

  putKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    invariant(isScopeId(key.accountId) && isScopeId(key.regionId), 'a key is in a region');
    transaction.put(keyAt(key.keyId), this.#seal('masterKey', key, NO_SECRET));
    transaction.put(`${scopeOf(key)}${key.keyId}`, PRESENT);
    if (key.isServiceKey) transaction.put(serviceAt(key), new TextEncoder().encode(key.keyId));
  }

  /** Removes a key and every version of it. */
  removeKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    invariant(!key.isServiceKey, 'a service key is for ever');
    for (let version = 1; version <= key.primaryVersion; version++) {
      transaction.remove(versionAt(key.keyId, version));
    }
    transaction.remove(`${scopeOf(key)}${key.keyId}`);
    transaction.remove(keyAt(key.keyId));
  }

  /** Keys of a region, the service key among them; at most MASTER_KEYS_MAX + 1. */
  keysIn(reader: KeyValueReader, scope: KeyScope): KeyDescription[] {
    if (!isScopeId(scope.accountId) || !isScopeId(scope.regionId)) return [];
    const prefix = scopeOf(scope);
    const keys: KeyDescription[] = [];
    for (const { key } of reader.range({ prefix, limit: MASTER_KEYS_MAX + 2 })) {
      const found = this.readKey(reader, key.slice(prefix.length));
      if (found === null) throw damaged(key, 'its key is missing');
      keys.push(found);
    }
    return keys;
  }

  serviceKey(reader: KeyValueReader, scope: KeyScope): KeyDescription | null {
    const pointer = reader.get(serviceAt(scope));
    if (pointer === undefined) return null;
    const key = this.readKey(reader, new TextDecoder().decode(pointer));
    const isOurs = key?.accountId === scope.accountId && key.regionId === scope.regionId;
    if (key === null || !isOurs || !key.isServiceKey) {
      throw damaged(serviceAt(scope), 'it does not name the service key of its region');
    }
    return key;
  }

  putVersion(
    transaction: KeyValueTransaction,
    version: KeyVersionRecord,
    material: Uint8Array,
  ): void {
    invariant(material.byteLength === KEY_BYTES, 'key material is 32 bytes');
    const sealed = this.#seal('keyVersion', version, material);
    transaction.put(versionAt(version.keyId, version.version), sealed);
  }

  /**
   * Opens the material of one version for the length of a call, then erases it: the vault holds no
   * plaintext material between calls, only the root key.
   *
   * @param use borrows the 32 bytes of material
   */
  withVersion<T>(
    reader: KeyValueReader,
    key: KeyDescription,
    version: number,
    use: (record: KeyVersionRecord, material: Uint8Array) => T,
  ): T {
    const place = versionAt(key.keyId, version);
    const sealed = reader.get(place);
    if (sealed === undefined) throw damaged(place, 'it is missing');
    const { body, secret } = this.#open('keyVersion', sealed, place);
    try {
      const isOurs = body.keyId === key.keyId && body.version === version;
      const isInScope = body.accountId === key.accountId && body.regionId === key.regionId;
      if (!isOurs || !isInScope) throw damaged(place, 'it belongs to another key');
      if (secret.byteLength !== KEY_BYTES) throw damaged(place, 'its material is not 32 bytes');
      return use(body, secret);
    } finally {
      zeroize(secret);
    }
  }

  #seal<K extends VaultRecordKind>(
    kind: K,
    body: Parameters<typeof sealRecord<K>>[2],
    secret: Uint8Array,
  ): Uint8Array {
    return sealRecord(this.#rootKey, kind, body, secret, this.#fillRandom);
  }

  #open<K extends VaultRecordKind>(kind: K, sealed: Uint8Array, place: string): OpenedRecord<K> {
    const opened = openRecord(this.#rootKey, kind, sealed);
    if (opened === null) throw damaged(place, 'it does not authenticate');
    return opened;
  }
}

function damaged(place: string, detail: string): PlaneError {
  return new PlaneError('DataDirectoryCorrupt', `vault record ${place}: ${detail}`);
}
