/**
 * Sealed records at their places in the vault's store.
 *
 * 1. Every read authenticates the record. What does not open is damage, never a record.
 * 2. Every read compares the names in the body with the place it was found at: a record moved
 *    elsewhere is damage too. (Who reads says what the body must name.)
 *
 * **Thread:** KMS.
 */
import { hkdfSync } from 'node:crypto';
import { allocateKey, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import type { KeyValueReader, KeyValueTransaction } from '../kv/key-value-store.ts';
import { KEY_BYTES } from '../limits.ts';
import type { Records } from '../record/shapes.ts';
import type { FillRandom } from './envelope.ts';
import {
  type OpenedRecord,
  openRecord,
  sealRecord,
  type VaultRecordKind,
} from './sealed-record.ts';

const NO_SECRET = new Uint8Array(0);

export class SealedRecords {
  readonly #rootKey: Uint8Array;
  readonly #fillRandom: FillRandom;

  /** @param rootKey 32 bytes, borrowed for the life of this object */
  constructor(rootKey: Uint8Array, fillRandom: FillRandom) {
    this.#rootKey = rootKey;
    this.#fillRandom = fillRandom;
  }

  /** @param secret borrowed for the call */
  put<K extends VaultRecordKind>(
    transaction: KeyValueTransaction,
    place: string,
    kind: K,
    body: Records[K],
    secret: Uint8Array = NO_SECRET,
  ): void {
    transaction.put(place, sealRecord(this.#rootKey, kind, body, secret, this.#fillRandom));
  }

  /**
   * @param names what the body must say, because of the place it is at
   * @returns null if there is none; the secret is the caller's to erase
   * @throws PlaneError DataDirectoryCorrupt
   */
  get<K extends VaultRecordKind>(
    reader: KeyValueReader,
    place: string,
    kind: K,
    names: Partial<Records[K]>,
  ): OpenedRecord<K> | null {
    const sealed = reader.get(place);
    if (sealed === undefined) return null;
    const opened = openRecord(this.#rootKey, kind, sealed);
    if (opened === null) throw damaged(place, 'it does not authenticate');
    for (const [name, value] of Object.entries(names)) {
      if (opened.body[name as keyof Records[K]] === value) continue;
      zeroize(opened.secret);
      throw damaged(place, `it belongs to another key: its ${name} is not that of its place`);
    }
    return opened;
  }

  /** A record that leaves the vault and comes back, readable by anyone, made by nobody else. */
  seal<K extends VaultRecordKind>(kind: K, body: Records[K]): Uint8Array {
    return sealRecord(this.#rootKey, kind, body, NO_SECRET, this.#fillRandom);
  }

  /** @returns null if it was not sealed here as this kind, or was changed since */
  open<K extends VaultRecordKind>(kind: K, sealed: Uint8Array): Records[K] | null {
    return openRecord(this.#rootKey, kind, sealed)?.body ?? null;
  }

  /** 32 bytes only this vault can make, for a purpose of their own; the caller's to erase. */
  deriveKey(purpose: string): Uint8Array {
    const derived = hkdfSync('sha256', this.#rootKey, new Uint8Array(0), purpose, KEY_BYTES);
    const key = allocateKey(KEY_BYTES);
    key.set(new Uint8Array(derived));
    zeroize(new Uint8Array(derived));
    return key;
  }
}

export function damaged(place: string, detail: string): PlaneError {
  return new PlaneError('DataDirectoryCorrupt', `vault record ${place}: ${detail}`);
}
