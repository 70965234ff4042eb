/**
 * Brings the records of keys after what time did to them: keys whose deletion is due are destroyed
 * with all their material and aliases, expired material is destroyed, keys due for it are rotated.
 *
 * Called before every request and, for vaults nobody asks, every KMS_IDLE_CHECK_MS. Until then a
 * key that is gone is already not found (key-clock.ts): what is late is only the erasure.
 *
 * **Thread:** KMS.
 */
import { invariant } from '../base/invariant.ts';
import type { KeyValueTransaction } from '../kv/key-value-store.ts';
import type { KeyDescription } from '../record/kms-key.ts';
import { hasExpired, keyAsOf, nextEventAt, rotationDueAt } from './key-clock.ts';
import { addVersion, hasVersionLeft } from './key-versions.ts';
import type { Vault } from './vault.ts';

export async function settle(vault: Vault): Promise<void> {
  for (const keyId of vault.dueKeys()) {
    // One by one: what the vault expects of a key is right only if its transaction is done.
    await vault.transact((transaction) => settleKey(vault, transaction, keyId));
  }
}

function settleKey(vault: Vault, transaction: KeyValueTransaction, keyId: string): void {
  const now = vault.clock.now();
  const stored = vault.tables.readKey(transaction, keyId);
  const key = stored === null ? null : keyAsOf(stored, now);
  if (stored === null) vault.expectEvent(keyId, Number.POSITIVE_INFINITY);
  else if (key === null) vault.removeKey(transaction, stored);
  else if (hasExpired(stored, now)) vault.putKey(transaction, key);
  else rotateIfDue(vault, transaction, key, now);
}

/** A region that has all versions it may rotates nothing more; its keys serve on as they are. */
function rotateIfDue(
  vault: Vault,
  transaction: KeyValueTransaction,
  key: KeyDescription,
  now: number,
): void {
  const dueAt = rotationDueAt(key);
  if (dueAt === null || dueAt > now) {
    vault.expectEvent(key.keyId, nextEventAt(key));
  } else if (hasVersionLeft(vault, transaction, key)) {
    vault.putKey(transaction, addVersion(vault, transaction, key));
  } else {
    invariant(key.rotationIntervalMs !== null, 'a key that is due rotates by itself');
    vault.expectEvent(key.keyId, now + key.rotationIntervalMs);
  }
}
