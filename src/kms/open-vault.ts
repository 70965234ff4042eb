/** Puts a vault together: its store, its root key, the vault over both. **Thread:** KMS. */
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { openLmdbStore } from '../kv/lmdb-store.ts';
import { openMemoryStore } from '../kv/memory-store.ts';
import { loadRootKey } from './root-key.ts';
import { settle } from './settle.ts';
import { makeVault, type Vault, type VaultOptions } from './vault.ts';

/** What the KMS thread is started with. */
export interface VaultPlace {
  /** The plane's data directory: the vault is in `kms/` below it. null: everything in memory. */
  readonly dataDir: string | null;
  /** File of the 32-byte root key; null: see root-key.ts. */
  readonly rootKeyFile: string | null;
}

/** @throws PlaneError RootKeyInvalid, DataDirectoryForeign, DataDirectoryCorrupt, StoreFailed */
export async function openVaultAt(
  { dataDir, rootKeyFile }: VaultPlace,
  clock: Clock = systemClock,
): Promise<Vault> {
  const fillRandom = (bytes: Uint8Array): void => {
    randomFillSync(bytes);
  };
  const store = dataDir === null ? openMemoryStore() : openLmdbStore(join(dataDir, 'kms'));
  let rootKey: Uint8Array;
  try {
    const isNewVault = store.range({ prefix: '', limit: 1 }).length === 0;
    rootKey = loadRootKey({ dataDir, rootKeyFile, isNewVault }, fillRandom);
  } catch (error) {
    await store.close();
    throw error;
  }
  return openVault({ store, rootKey, clock, fillRandom });
}

/**
 * Opens a vault, or makes one in an empty store, and lets go what went while it was closed.
 *
 * @throws PlaneError RootKeyInvalid, DataDirectoryForeign, DataDirectoryCorrupt, StoreFailed; the
 *   store is closed and the root key erased then
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const vault = makeVault(options);
  try {
    await vault.open();
    await settle(vault);
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}
