import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Vault } from '../../../src/kms/vault.ts';
import { openLmdbStore } from '../../../src/kv/lmdb-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import {
  context,
  fillRandom,
  keptStore,
  openTestVault,
  rootKeyOf,
  scope,
  testClock,
} from './support.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const hex = (key: ArrayBuffer): string => Buffer.from(key).toString('hex');

describe('a vault', () => {
  test('on files opens what it wrapped before it was closed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-vault-'));
    try {
      const open = (): Promise<Vault> =>
        openTestVault({ store: openLmdbStore(join(directory, 'kms')) });
      let vault = await open();
      const { keyId } = await vault.createKey(scope, 'kept');
      const old = await vault.generateWrappedDataKey(keyId, context);
      const oldKey = hex(vault.unwrapDataKey(old, context));
      await vault.rotateKey(keyId);
      const disabled = await vault.createKey(scope, 'disabled');
      await vault.disableKey(disabled.keyId);
      const service = await vault.serviceKey(scope);
      await vault.close();

      vault = await open();
      expect(hex(vault.unwrapDataKey(old, context))).toBe(oldKey);
      expect(vault.describeKey(keyId)).toMatchObject({ description: 'kept', primaryVersion: 2 });
      expect(vault.describeKey(disabled.keyId).state).toBe('Disabled');
      expect(await vault.serviceKey(scope)).toEqual(service);
      await vault.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('does not open under another root key', async () => {
    const store = keptStore();
    await (await openTestVault({ store })).close();
    await expect(openTestVault({ store, rootKeyByte: 8 })).rejects.toThrow(code('RootKeyInvalid'));
    await (await openTestVault({ store })).close();
  });

  test('does not take over a store that holds something else', async () => {
    const store = openMemoryStore();
    await store.transact((transaction) => transaction.put('disk/x', Uint8Array.of(1)));
    await expect(openTestVault({ store })).rejects.toThrow(code('DataDirectoryForeign'));
  });

  test('erases its root key and refuses everything once closed', async () => {
    const rootKey = rootKeyOf(7);
    const { openVault } = await import('../../../src/kms/vault.ts');
    const store = openMemoryStore();
    const vault = await openVault({ store, rootKey, clock: testClock(), fillRandom });
    const { keyId } = await vault.createKey(scope, '');
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    await vault.close();
    await vault.close();
    expect(rootKey.every((byte) => byte === 0)).toBe(true);
    expect(() => vault.describeKey(keyId)).toThrow(code('KmsUnavailable'));
    expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(code('KmsUnavailable'));
    await expect(vault.createKey(scope, '')).rejects.toThrow(code('KmsUnavailable'));
    await expect(vault.serviceKey(scope)).rejects.toThrow(code('KmsUnavailable'));
  });

  test('erases the root key when it cannot be opened', async () => {
    const store = keptStore();
    await (await openTestVault({ store })).close();
    const rootKey = rootKeyOf(9);
    const { openVault } = await import('../../../src/kms/vault.ts');
    await expect(openVault({ store, rootKey, clock: testClock(), fillRandom })).rejects.toThrow();
    expect(rootKey.every((byte) => byte === 0)).toBe(true);
  });
});
