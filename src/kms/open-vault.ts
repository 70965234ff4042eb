/** Puts a vault together: its store, its root key, the vault over both. **Thread:** KMS. */
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { openLmdbStore } from '../kv/lmdb-store.ts';
import { openMemoryStore } from '../kv/memory-store.ts';
import { loadRootKey } from './root-key.ts';
import { openVault, type Vault } from './vault.ts';

/** What the KMS thread is started with. */
export interface VaultPlace {
  /** The plane's data directory: the vault is in `kms/` below it. null: everything in memory. */
  readonly dataDir: string | null;
  /** File of the 32-byte root key; null: see root-key.ts. */
  readonly rootKeyFile: string | null;
}

/** @throws PlaneError RootKeyInvalid, DataDirectoryForeign, DataDirectoryCorrupt, StoreFailed */
export async function openVaultAt({ dataDir, rootKeyFile }: VaultPlace): Promise<Vault> {
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
  return openVault({ store, rootKey, clock: systemClock, fillRandom });
}
