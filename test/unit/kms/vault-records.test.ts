import { describe, expect, test } from 'vitest';
import { openRecord, sealRecord } from '../../../src/kms/sealed-record.ts';
import { KEY_VERSIONS_MAX, WRAPS_PER_VERSION_MAX } from '../../../src/limits.ts';
import { context, fillRandom, keptStore, openTestVault, rootKeyOf, scope } from './support.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const absent = 'key-abcdefghijklmnopqrst';

describe('a vault whose files were changed', () => {
  const filled = async () => {
    const store = keptStore();
    const vault = await openTestVault({ store });
    const a = await vault.createKey(scope, 'a');
    const b = await vault.createKey(scope, 'b');
    const service = await vault.serviceKey(scope);
    const wrapped = await vault.generateWrappedDataKey(a.keyId, context);
    const change = (place: string, value: Uint8Array): Promise<void> =>
      store.transact((transaction) => transaction.put(place, value));
    return { store, vault, a, b, service, wrapped, change };
  };
  const corrupt = code('DataDirectoryCorrupt');

  test('does not enable a disabled key: no bit of its record can be changed', async () => {
    const { store, vault, a, change } = await filled();
    await vault.disableKey(a.keyId);
    const place = `key/${a.keyId}`;
    const record = store.get(place)!;
    for (let bit = 0; bit < record.length * 8; bit += 5) {
      const damaged = record.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await change(place, damaged);
      expect(() => vault.describeKey(a.keyId)).toThrow(corrupt);
    }
    await change(place, record);
    expect(vault.describeKey(a.keyId).state).toBe('Disabled');
  });

  test('does not take a record sealed under another root key', async () => {
    const { store, vault, a, change } = await filled();
    await vault.disableKey(a.keyId);
    const forged = sealRecord(rootKeyOf(1), 'masterKey', a, new Uint8Array(0), fillRandom);
    await change(`key/${a.keyId}`, forged);
    await expect(vault.enableKey(a.keyId)).rejects.toThrow(corrupt);
    await expect(openTestVault({ store })).rejects.toThrow(corrupt);
  });

  test('does not take one key for another', async () => {
    const { store, vault, a, b, change } = await filled();
    await change(`key/${a.keyId}`, store.get(`key/${b.keyId}`)!);
    expect(() => vault.describeKey(a.keyId)).toThrow(/DataDirectoryCorrupt.*is the record of/);
  });

  test('does not take the material of one version for another', async () => {
    const { store, vault, a, b, wrapped, change } = await filled();
    await vault.rotateKey(a.keyId);
    const place = (keyId: string, version: number) => `version/${keyId}/0000${version}`;
    const original = store.get(place(a.keyId, 1))!;
    for (const other of [place(a.keyId, 2), place(b.keyId, 1)]) {
      await change(place(a.keyId, 1), store.get(other)!);
      expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(/belongs to another key/);
    }
    await store.transact((transaction) => transaction.remove(place(a.keyId, 1)));
    expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(/DataDirectoryCorrupt.*missing/);
    await change(place(a.keyId, 1), original);
    expect(vault.unwrapDataKey(wrapped, context).byteLength).toBe(32);
  });

  test('does not take an ordinary key for the service key', async () => {
    const { vault, a, change } = await filled();
    const place = `service/${scope.accountId}/${scope.regionId}`;
    for (const named of [a.keyId, absent, 'rubbish']) {
      await change(place, new TextEncoder().encode(named));
      await expect(vault.serviceKey(scope)).rejects.toThrow(corrupt);
    }
  });

  test('finds a list that names a key that is not there', async () => {
    const { vault, change } = await filled();
    await change(`scope/${scope.accountId}/${scope.regionId}/${absent}`, Uint8Array.of(1));
    expect(() => vault.listKeys(scope)).toThrow(corrupt);
  });

  test('refuses material that is not 32 bytes', async () => {
    const { store, vault, a, wrapped, change } = await filled();
    const place = `version/${a.keyId}/00001`;
    const { body } = openRecord(rootKeyOf(7), 'keyVersion', store.get(place)!)!;
    const short = sealRecord(rootKeyOf(7), 'keyVersion', body, new Uint8Array(16), fillRandom);
    await change(place, short);
    expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(/material is not 32 bytes/);
  });
});

describe('the count of wraps', () => {
  /** The sealed record of a version, changed with the root key in hand. */
  const setReserved = async (
    store: ReturnType<typeof keptStore>,
    keyId: string,
    wrapsReserved: number,
  ): Promise<void> => {
    const place = `version/${keyId}/00001`;
    const { body, secret } = openRecord(rootKeyOf(7), 'keyVersion', store.get(place)!)!;
    const changed = { ...body, wrapsReserved };
    const sealed = sealRecord(rootKeyOf(7), 'keyVersion', changed, secret, fillRandom);
    await store.transact((transaction) => transaction.put(place, sealed));
  };
  const reserved = (store: ReturnType<typeof keptStore>, keyId: string): number =>
    openRecord(rootKeyOf(7), 'keyVersion', store.get(`version/${keyId}/00001`)!)!.body
      .wrapsReserved;

  test('is durable before the wrap it counts, in steps, and never falls behind', async () => {
    const store = keptStore();
    let vault = await openTestVault({ store });
    const { keyId } = await vault.createKey(scope, '');
    expect(reserved(store, keyId)).toBe(0);
    await vault.generateWrappedDataKey(keyId, context);
    expect(reserved(store, keyId)).toBe(1_024);
    for (let i = 1; i < 1_024; i++) await vault.generateWrappedDataKey(keyId, context);
    expect(reserved(store, keyId)).toBe(1_024);
    await vault.generateWrappedDataKey(keyId, context);
    expect(reserved(store, keyId)).toBe(2_048);
    // A restart forgets how much of the step was left: it counts too many.
    await vault.close();
    vault = await openTestVault({ store });
    await vault.generateWrappedDataKey(keyId, context);
    expect(reserved(store, keyId)).toBe(3_072);
  });

  test('ends at 2^32: then the key must be rotated, and still opens everything', async () => {
    const store = keptStore();
    const vault = await openTestVault({ store });
    const { keyId } = await vault.createKey(scope, '');
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    await setReserved(store, keyId, WRAPS_PER_VERSION_MAX - 1_024);
    for (let i = 0; i < 1_023 + 1_024; i++) await vault.generateWrappedDataKey(keyId, context);
    await expect(vault.generateWrappedDataKey(keyId, context)).rejects.toThrow(
      /Rejected.LimitExceeded: version 1 of key-\w+ has wrapped all it may: rotate the key/,
    );
    expect(vault.unwrapDataKey(wrapped, context).byteLength).toBe(32);
    await vault.rotateKey(keyId);
    await vault.generateWrappedDataKey(keyId, context);
  });

  test('of versions ends too', async () => {
    const store = keptStore();
    const vault = await openTestVault({ store });
    const key = await vault.createKey(scope, '');
    const full = { ...key, primaryVersion: KEY_VERSIONS_MAX };
    const sealed = sealRecord(rootKeyOf(7), 'masterKey', full, new Uint8Array(0), fillRandom);
    await store.transact((transaction) => transaction.put(`key/${key.keyId}`, sealed));
    await expect(vault.rotateKey(key.keyId)).rejects.toThrow(code('Rejected.LimitExceeded'));
  });
});
