import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '../../src/kv/lmdb-store.ts';
import { openMemoryStore } from '../../src/kv/memory-store.ts';
import { keyValueStoreContract } from './key-value-store.ts';

keyValueStoreContract('memory', () => ({
  open: openMemoryStore,
  reopen: null,
  cleanUp: () => undefined,
}));

keyValueStoreContract('lmdb', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-kv-'));
  const open = () => openLmdbStore(join(directory, 'store'));
  return {
    open,
    reopen: open,
    cleanUp: () => rmSync(directory, { recursive: true, force: true }),
  };
});
