/**
 * The vault's tables: which records lie under which keys of its store.
 *
 *   check                                vaultCheck, sealed: opens under the right root key only
 *   key/<key id>                         masterKey, sealed
 *   version/<key id>/<5 digits>          keyVersion, sealed, with 32 bytes of material
 *   alias/<account>/<region>/<SHA-256>   keyAlias, sealed; SHA-256 of its name, as hex
 *   imported/<key id>                    importedMaterial, sealed
 *   import/<key id>                      importParameters, sealed, with a private key
 *   account/<account>/<region>           kmsAccount, sealed; none: activated
 *   scope/<account>/<region>/<key id>    index: the keys of a region
 *   service/<account>/<region>           index: id of the region's service key
 *
 * The indexes are not sealed. Whoever changes them can hide a key from a list; what a key is and
 * may be used for is in its sealed record alone. Reads and damage: sealed-records.ts.
 *
 * **Thread:** KMS.
 */
import { createHash } from 'node:crypto';
import { zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyValueReader, KeyValueTransaction } from '../kv/key-value-store.ts';
import { ALIASES_MAX, KEY_BYTES, MASTER_KEYS_MAX } from '../limits.ts';
import { isKeyId, isScopeId } from '../record/ids.ts';
import type {
  AliasDescription,
  KeyDescription,
  KeyScope,
  KmsAccountStatus,
} from '../record/kms-key.ts';
import type {
  ImportedMaterialRecord,
  ImportParametersRecord,
  KeyVersionRecord,
} from '../record/vault-record.ts';
import type { FillRandom } from './envelope.ts';
import { damaged, SealedRecords } from './sealed-records.ts';

const CHECK = 'check';
const PRESENT = Uint8Array.of(1);

export const KEY_PREFIX = 'key/';
const keyAt = (keyId: string): string => `${KEY_PREFIX}${keyId}`;
const versionAt = (keyId: string, version: number): string =>
  `version/${keyId}/${String(version).padStart(5, '0')}`;
const importedAt = (keyId: string): string => `imported/${keyId}`;
const importAt = (keyId: string): string => `import/${keyId}`;
const regionOf = ({ accountId, regionId }: KeyScope): string => `${accountId}/${regionId}`;
const scopeOf = (scope: KeyScope): string => `scope/${regionOf(scope)}/`;
const serviceAt = (scope: KeyScope): string => `service/${regionOf(scope)}`;
const accountAt = (scope: KeyScope): string => `account/${regionOf(scope)}`;
const aliasesOf = (scope: KeyScope): string => `alias/${regionOf(scope)}/`;
const aliasAt = (scope: KeyScope, aliasName: string): string =>
  `${aliasesOf(scope)}${createHash('sha256').update(aliasName).digest('hex')}`;

/** Only what may be part of a store's key gets there. */
function isScope({ accountId, regionId }: KeyScope): boolean {
  return isScopeId(accountId) && isScopeId(regionId);
}

/** The names a record of the key has in its body. */
function namesOf({ keyId, accountId, regionId }: KeyDescription): KeyScope & { keyId: string } {
  return { keyId, accountId, regionId };
}

export class VaultTables {
  readonly sealed: SealedRecords;

  /** @param rootKey 32 bytes, borrowed for the life of this object */
  constructor(rootKey: Uint8Array, fillRandom: FillRandom) {
    this.sealed = new SealedRecords(rootKey, fillRandom);
  }

  /** @returns false if the vault is new */
  hasCheck(reader: KeyValueReader): boolean {
    return reader.get(CHECK) !== undefined;
  }

  putCheck(transaction: KeyValueTransaction, createdAt: number): void {
    this.sealed.put(transaction, CHECK, 'vaultCheck', { createdAt });
  }

  /** @throws PlaneError RootKeyInvalid: the vault was sealed under another root key */
  verifyRootKey(reader: KeyValueReader): void {
    const sealed = reader.get(CHECK);
    invariant(sealed !== undefined, 'a vault that is not new has a check record');
    if (this.sealed.open('vaultCheck', sealed) === null) {
      throw new PlaneError('RootKeyInvalid', 'the vault was not sealed under this root key');
    }
  }

  /** @returns the record as it was stored, null if there is no such key */
  readKey(reader: KeyValueReader, keyId: string): KeyDescription | null {
    if (!isKeyId(keyId)) return null;
    return this.sealed.get(reader, keyAt(keyId), 'masterKey', { keyId })?.body ?? null;
  }

  /** A key without material is never stored beside some: it goes with the same transaction. */
  putKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    invariant(isScope(key), 'a key is in a region');
    if (!key.hasMaterial) this.#retireMaterial(transaction, key);
    this.sealed.put(transaction, keyAt(key.keyId), 'masterKey', key);
    transaction.put(`${scopeOf(key)}${key.keyId}`, PRESENT);
    if (key.isServiceKey) transaction.put(serviceAt(key), new TextEncoder().encode(key.keyId));
  }

  /** Removes a key, all its material, and the aliases that name it. */
  removeKey(transaction: KeyValueTransaction, key: KeyDescription): void {
    invariant(!key.isServiceKey, 'a service key is for ever');
    for (let version = 1; version <= key.primaryVersion; version++) {
      transaction.remove(versionAt(key.keyId, version));
    }
    for (const alias of this.aliasesIn(transaction, key)) {
      if (alias.keyId === key.keyId) this.removeAlias(transaction, alias);
    }
    transaction.remove(importedAt(key.keyId));
    transaction.remove(importAt(key.keyId));
    transaction.remove(`${scopeOf(key)}${key.keyId}`);
    transaction.remove(keyAt(key.keyId));
  }

  /** Keys of a region as they were stored, the service key among them. */
  keysIn(reader: KeyValueReader, scope: KeyScope): KeyDescription[] {
    invariant(isScope(scope), 'who lists keys has KMS activated');
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
    invariant(isScope(scope), 'who uses keys has KMS activated');
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
    const place = versionAt(version.keyId, version.version);
    this.sealed.put(transaction, place, 'keyVersion', version, material);
  }

  /** @returns null if there is none: no such version, or material that is not there */
  readVersion(
    reader: KeyValueReader,
    key: KeyDescription,
    version: number,
  ): KeyVersionRecord | null {
    const names = { ...namesOf(key), version };
    const place = versionAt(key.keyId, version);
    const found = this.sealed.get(reader, place, 'keyVersion', names);
    if (found !== null) zeroize(found.secret);
    return found?.body ?? null;
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
    const names = { ...namesOf(key), version };
    const found = this.sealed.get(reader, place, 'keyVersion', names);
    if (found === null) throw damaged(place, 'it is missing');
    const { body, secret } = found;
    try {
      if (secret.byteLength !== KEY_BYTES) throw damaged(place, 'its material is not 32 bytes');
      return use(body, secret);
    } finally {
      zeroize(secret);
    }
  }

  /** What is known of material that is, or was, imported; null if none ever was. */
  readImported(reader: KeyValueReader, key: KeyDescription): ImportedMaterialRecord | null {
    const place = importedAt(key.keyId);
    return this.sealed.get(reader, place, 'importedMaterial', namesOf(key))?.body ?? null;
  }

  /** What the version of an imported key has encrypted, whether its material is there or not. */
  importedCount(reader: KeyValueReader, key: KeyDescription): number {
    const kept = this.readImported(reader, key)?.wrapsReserved ?? 0;
    return Math.max(kept, this.readVersion(reader, key, 1)?.wrapsReserved ?? 0);
  }

  putImported(transaction: KeyValueTransaction, imported: ImportedMaterialRecord): void {
    this.sealed.put(transaction, importedAt(imported.keyId), 'importedMaterial', imported);
  }

  /** @param privateKey borrowed for the call: PKCS #8, DER */
  putImportParameters(
    transaction: KeyValueTransaction,
    parameters: ImportParametersRecord,
    privateKey: Uint8Array,
  ): void {
    const place = importAt(parameters.keyId);
    this.sealed.put(transaction, place, 'importParameters', parameters, privateKey);
  }

  /** @param use borrows the private key; is not called if there are no parameters */
  withImportParameters<T>(
    reader: KeyValueReader,
    key: KeyDescription,
    use: (parameters: ImportParametersRecord, privateKey: Uint8Array) => T,
  ): T | null {
    const place = importAt(key.keyId);
    const found = this.sealed.get(reader, place, 'importParameters', namesOf(key));
    if (found === null) return null;
    try {
      return use(found.body, found.secret);
    } finally {
      zeroize(found.secret);
    }
  }

  readAlias(reader: KeyValueReader, scope: KeyScope, aliasName: string): AliasDescription | null {
    invariant(isScope(scope), 'who names aliases has KMS activated');
    const { accountId, regionId } = scope;
    const names = { accountId, regionId, aliasName };
    return this.sealed.get(reader, aliasAt(scope, aliasName), 'keyAlias', names)?.body ?? null;
  }

  putAlias(transaction: KeyValueTransaction, alias: AliasDescription): void {
    this.sealed.put(transaction, aliasAt(alias, alias.aliasName), 'keyAlias', alias);
  }

  removeAlias(transaction: KeyValueTransaction, alias: AliasDescription): void {
    transaction.remove(aliasAt(alias, alias.aliasName));
  }

  aliasesIn(reader: KeyValueReader, scope: KeyScope): AliasDescription[] {
    invariant(isScope(scope), 'who lists aliases has KMS activated');
    const { accountId, regionId } = scope;
    const places = reader.range({ prefix: aliasesOf(scope), limit: ALIASES_MAX + 1 });
    return places.map(({ key: place }) => {
      const found = this.sealed.get(reader, place, 'keyAlias', { accountId, regionId });
      invariant(found !== null, 'a range lists what is there');
      if (aliasAt(scope, found.body.aliasName) !== place) {
        throw damaged(place, `it is the record of ${found.body.aliasName}`);
      }
      return found.body;
    });
  }

  /** Asked before everything else: what is no account has KMS not activated. */
  accountStatus(reader: KeyValueReader, scope: KeyScope): KmsAccountStatus {
    if (!isScope(scope)) return 'NotEnabled';
    const { accountId, regionId } = scope;
    const names = { accountId, regionId };
    const found = this.sealed.get(reader, accountAt(scope), 'kmsAccount', names);
    return found?.body.status ?? 'Enabled';
  }

  putAccountStatus(
    transaction: KeyValueTransaction,
    scope: KeyScope,
    status: KmsAccountStatus,
  ): void {
    invariant(isScope(scope), 'an account and a region have ids of their form');
    const { accountId, regionId } = scope;
    const record = { accountId, regionId, status };
    this.sealed.put(transaction, accountAt(scope), 'kmsAccount', record);
  }

  /** Removes imported material and keeps its count. LMDB's free pages keep it sealed. */
  #retireMaterial(transaction: KeyValueTransaction, key: KeyDescription): void {
    invariant(key.origin === 'EXTERNAL', 'the material of our own keys is never removed');
    const imported = this.readImported(transaction, key);
    if (imported === null) return;
    const wrapsReserved = this.importedCount(transaction, key);
    this.putImported(transaction, { ...imported, wrapsReserved });
    transaction.remove(versionAt(key.keyId, 1));
  }
}
