import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '../../src/kv/lmdb-store.ts';
import { openMemoryStore } from '../../src/kv/memory-store.ts';
import { KeyValueContent, SimulatedKeyValueStore } from '../sim/simulated-key-value-store.ts';
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

keyValueStoreContract('simulated', () => {
  const open = (content: KeyValueContent) =>
    new SimulatedKeyValueStore(content, {
      push: (task) => void Promise.resolve().then(task),
      isCommitFailing: () => false,
      note: () => {},
    });
  let first: KeyValueContent | null = null;
  return {
    open: () => {
      const content = new KeyValueContent();
      first ??= content;
      return open(content);
    },
    reopen: () => open(first ?? new KeyValueContent()),
    cleanUp: () => undefined,
  };
});
