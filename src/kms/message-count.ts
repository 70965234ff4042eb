/**
 * How much one version of a key has encrypted: at most WRAPS_PER_VERSION_MAX messages, wrapped data
 * keys and ciphertexts of the API together, because their IVs are random.
 *
 * Counted by reservation: before the first of every WRAPS_RESERVED_STEP the step is made durable,
 * so a crash counts too many, never too few.
 *
 * **Thread:** KMS. **Source:** NIST SP 800-38D, 8.3.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { WRAPS_PER_VERSION_MAX, WRAPS_RESERVED_STEP } from '../limits.ts';
import type { KeyDescription } from '../record/kms-key.ts';
import { stateAfter } from './key-states.ts';
import { dryRunError, type NamedKey, type Vault } from './vault.ts';

/**
 * Counts one message of the key's newest version, durably, then encrypts it.
 *
 * @param encrypt borrows the 32 bytes of material
 * @throws PlaneError Forbidden.KeyNotFound, Rejected.*: the key is not usable, before or after the
 *   reservation; Rejected.LimitExceeded: the version has encrypted all it may, rotate the key
 */
export async function encryptCounted<T>(
  vault: Vault,
  named: NamedKey,
  encrypt: (key: KeyDescription, material: Uint8Array) => T,
): Promise<T> {
  const { keyId, primaryVersion: version } = requireUsable(vault, named);
  if (vault.isDryRun) throw dryRunError();
  await reserve(vault, { ...named, keyId }, version);
  // Asked again: the key may have been disabled while the reservation became durable.
  const key = { ...requireUsable(vault, { ...named, keyId }), primaryVersion: version };
  return vault.tables.withVersion(vault.reader, key, version, (_, material) =>
    encrypt(key, material),
  );
}

/** @throws PlaneError Forbidden.KeyNotFound, Rejected.* */
export function requireUsable(vault: Vault, named: NamedKey): KeyDescription {
  const key = vault.requireKey(vault.reader, named);
  stateAfter('use', key);
  return key;
}

async function reserve(vault: Vault, named: NamedKey, version: number): Promise<void> {
  const { messagesLeft, tables } = vault;
  const counter = `${named.keyId}/${version}`;
  if ((messagesLeft.get(counter) ?? 0) === 0) {
    await vault.transact((transaction) => {
      const key = vault.requireKey(transaction, named);
      stateAfter('use', key);
      tables.withVersion(transaction, key, version, (record, material) => {
        const wrapsReserved = record.wrapsReserved + WRAPS_RESERVED_STEP;
        if (wrapsReserved > WRAPS_PER_VERSION_MAX) {
          const detail = `version ${version} of ${key.keyId} has encrypted all it may: rotate it`;
          throw new PlaneError('Rejected.LimitExceeded', detail);
        }
        tables.putVersion(transaction, { ...record, wrapsReserved }, material);
      });
    });
    messagesLeft.set(counter, (messagesLeft.get(counter) ?? 0) + WRAPS_RESERVED_STEP);
  }
  const left = messagesLeft.get(counter);
  invariant(left !== undefined && left > 0, 'a reservation was made');
  messagesLeft.set(counter, left - 1);
}
