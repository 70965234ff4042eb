import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRecord, sealRecord } from '../../../src/kms/sealed-record.ts';
import type { Vault } from '../../../src/kms/vault.ts';
import { openLmdbStore } from '../../../src/kv/lmdb-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { KEY_VERSIONS_MAX, MASTER_KEYS_MAX, WRAPS_PER_VERSION_MAX } from '../../../src/limits.ts';
import {
  context,
  DAY_MS,
  fillRandom,
  keptStore,
  openTestVault,
  rootKeyOf,
  scope,
  testClock,
} from './support.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const hex = (key: ArrayBuffer): string => Buffer.from(key).toString('hex');
const absent = 'key-abcdefghijklmnopqrst';

describe('a master key', () => {
  test('is described as it was made, and listed in its region only', async () => {
    const clock = testClock();
    const vault = await openTestVault({ clock });
    const key = await vault.createKey(scope, 'for tests');
    expect(key).toEqual({
      ...scope,
      keyId: expect.stringMatching(/^key-[a-z0-9]{20}$/),
      state: 'Enabled',
      isServiceKey: false,
      description: 'for tests',
      primaryVersion: 1,
      createdAt: clock.now(),
      deletionAt: null,
    });
    expect(vault.describeKey(key.keyId)).toEqual(key);
    expect(vault.listKeys(scope)).toEqual([key]);
    expect(vault.listKeys({ ...scope, regionId: 'cn-beijing' })).toEqual([]);
    expect(vault.listKeys({ ...scope, accountId: '../../..' })).toEqual([]);
  });

  test('that does not exist or has a crafted id is Forbidden.KeyNotFound everywhere', async () => {
    const vault = await openTestVault();
    for (const keyId of [absent, '', '../check', 'key-', 'x'.repeat(5_000), 'key-\0']) {
      expect(() => vault.describeKey(keyId)).toThrow(code('Forbidden.KeyNotFound'));
      const attempts = [
        vault.enableKey(keyId),
        vault.disableKey(keyId),
        vault.rotateKey(keyId),
        vault.scheduleKeyDeletion(keyId, 7),
        vault.cancelKeyDeletion(keyId),
        vault.generateWrappedDataKey(keyId, context),
      ];
      for (const result of await Promise.allSettled(attempts)) {
        expect(result).toMatchObject({ reason: { code: 'Forbidden.KeyNotFound' } });
      }
    }
  });

  test('opens what it wrapped, as the same 32 bytes every time', async () => {
    const vault = await openTestVault();
    const { keyId } = await vault.createKey(scope, '');
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    const first = hex(vault.unwrapDataKey(wrapped, context));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(hex(vault.unwrapDataKey(wrapped, context))).toBe(first);
    const other = await vault.generateWrappedDataKey(keyId, context);
    expect(hex(vault.unwrapDataKey(other, context))).not.toBe(first);
  });

  test('serves its own account and region only: to others it does not exist', async () => {
    const vault = await openTestVault();
    const { keyId } = await vault.createKey(scope, '');
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    for (const foreign of [
      { ...context, accountId: '6543210987654321' },
      { ...context, regionId: 'cn-beijing' },
    ]) {
      await expect(vault.generateWrappedDataKey(keyId, foreign)).rejects.toThrow(
        code('Forbidden.KeyNotFound'),
      );
      expect(() => vault.unwrapDataKey(wrapped, foreign)).toThrow(code('Forbidden.KeyNotFound'));
    }
    const otherDisk = { ...context, lineageId: 'd-zzzzzzzzzzzzzzzzzzzz' };
    expect(() => vault.unwrapDataKey(wrapped, otherDisk)).toThrow(code('WrappedKeyInvalid'));
  });

  test('makes nothing and opens nothing while disabled, and everything again after', async () => {
    const vault = await openTestVault();
    const { keyId } = await vault.createKey(scope, '');
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    const before = hex(vault.unwrapDataKey(wrapped, context));
    expect((await vault.disableKey(keyId)).state).toBe('Disabled');
    await expect(vault.generateWrappedDataKey(keyId, context)).rejects.toThrow(
      code('Rejected.Disabled'),
    );
    expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(code('Rejected.Disabled'));
    await expect(vault.rotateKey(keyId)).rejects.toThrow(code('Rejected.Disabled'));
    expect((await vault.enableKey(keyId)).state).toBe('Enabled');
    expect(hex(vault.unwrapDataKey(wrapped, context))).toBe(before);
  });

  test('disabled while a data key is being made gives none', async () => {
    const vault = await openTestVault();
    const { keyId } = await vault.createKey(scope, '');
    const [generated, disabled] = await Promise.allSettled([
      vault.generateWrappedDataKey(keyId, context),
      vault.disableKey(keyId),
    ]);
    expect(disabled.status).toBe('fulfilled');
    expect(generated).toMatchObject({ reason: { code: 'Rejected.Disabled' } });
  });

  test('rotated wraps under its newest version and opens what every version wrapped', async () => {
    const vault = await openTestVault();
    const { keyId } = await vault.createKey(scope, '');
    const wrapped: Uint8Array[] = [];
    for (let version = 1; version <= 4; version++) {
      wrapped.push(await vault.generateWrappedDataKey(keyId, context));
      expect(Buffer.from(wrapped.at(-1)!).readUInt32BE(26)).toBe(version);
      expect((await vault.rotateKey(keyId)).primaryVersion).toBe(version + 1);
    }
    const keys = wrapped.map((bytes) => hex(vault.unwrapDataKey(bytes, context)));
    expect(new Set(keys).size).toBe(4);
    // A wrapped key cannot be made to name another version, or one that does not exist.
    const renamed = Buffer.from(wrapped[0]!);
    renamed.writeUInt32BE(2, 26);
    expect(() => vault.unwrapDataKey(renamed, context)).toThrow(code('WrappedKeyInvalid'));
    renamed.writeUInt32BE(99, 26);
    expect(() => vault.unwrapDataKey(renamed, context)).toThrow(/has no version 99/);
  });

  test('swapped with another in a wrapped key never opens', async () => {
    const vault = await openTestVault();
    const [a, b] = [await vault.createKey(scope, ''), await vault.createKey(scope, '')];
    const wrapped = Buffer.from(await vault.generateWrappedDataKey(a.keyId, context));
    wrapped.write(b.keyId, 2);
    expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(code('WrappedKeyInvalid'));
  });
});

describe('deletion', () => {
  test('waits for the window, refuses use meanwhile, and can be taken back', async () => {
    const clock = testClock();
    const vault = await openTestVault({ clock });
    const { keyId } = await vault.createKey(scope, '');
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    const scheduled = await vault.scheduleKeyDeletion(keyId, 7);
    expect(scheduled).toMatchObject({
      state: 'PendingDeletion',
      deletionAt: clock.now() + 7 * DAY_MS,
    });
    expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(code('Rejected.PendingDeletion'));
    clock.advance(7 * DAY_MS - 1);
    await vault.eraseExpired();
    expect(await vault.cancelKeyDeletion(keyId)).toMatchObject({
      state: 'Enabled',
      deletionAt: null,
    });
    clock.advance(100 * DAY_MS);
    await vault.eraseExpired();
    expect(vault.unwrapDataKey(wrapped, context).byteLength).toBe(32);
  });

  test('is final when the window is over, before and after the records are erased', async () => {
    const clock = testClock();
    const store = keptStore();
    const vault = await openTestVault({ clock, store });
    const { keyId } = await vault.createKey(scope, '');
    const kept = await vault.createKey(scope, '');
    await vault.rotateKey(keyId);
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    await vault.scheduleKeyDeletion(keyId, 30);
    clock.advance(30 * DAY_MS);
    const isGone = async (): Promise<void> => {
      expect(() => vault.describeKey(keyId)).toThrow(code('Forbidden.KeyNotFound'));
      expect(() => vault.unwrapDataKey(wrapped, context)).toThrow(code('Forbidden.KeyNotFound'));
      await expect(vault.cancelKeyDeletion(keyId)).rejects.toThrow(code('Forbidden.KeyNotFound'));
      expect(vault.listKeys(scope)).toEqual([kept]);
    };
    await isGone();
    const records = () => store.range({ prefix: '', limit: 100 }).map(({ key }) => key);
    expect(records().filter((place) => place.includes(keyId))).toHaveLength(4);
    await vault.eraseExpired();
    expect(records().filter((place) => place.includes(keyId))).toEqual([]);
    await isGone();
  });

  test('happens at open if the time went by while the vault was closed', async () => {
    const clock = testClock();
    const store = keptStore();
    const first = await openTestVault({ clock, store });
    const { keyId } = await first.createKey(scope, '');
    await first.scheduleKeyDeletion(keyId, 7);
    await first.close();
    clock.advance(8 * DAY_MS);
    const second = await openTestVault({ clock, store });
    expect(second.listKeys(scope)).toEqual([]);
    expect(store.range({ prefix: '', limit: 100 }).map(({ key }) => key)).toEqual(['check']);
  });

  test('wants 7 to 30 whole days', async () => {
    const vault = await openTestVault();
    const { keyId } = await vault.createKey(scope, '');
    for (const days of [6, 31, 0, -7, 7.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(vault.scheduleKeyDeletion(keyId, days)).rejects.toThrow(
        /^InvalidParameter: PendingWindowInDays: expected 7 to 30 days, got/,
      );
    }
    expect(vault.describeKey(keyId).state).toBe('Enabled');
  });
});

describe('the service key', () => {
  test('is made at first use, once, even if many ask at the same time', async () => {
    const vault = await openTestVault();
    const keys = await Promise.all(Array.from({ length: 20 }, () => vault.serviceKey(scope)));
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1);
    expect(keys[0]).toMatchObject({ isServiceKey: true, state: 'Enabled' });
    expect(await vault.serviceKey(scope)).toEqual(keys[0]);
    expect(vault.listKeys(scope)).toEqual([keys[0]]);
    const elsewhere = await vault.serviceKey({ ...scope, regionId: 'cn-beijing' });
    expect(elsewhere.keyId).not.toBe(keys[0]!.keyId);
  });

  test('cannot be disabled, enabled, rotated or scheduled for deletion', async () => {
    const vault = await openTestVault();
    const { keyId } = await vault.serviceKey(scope);
    const attempts = [
      vault.disableKey(keyId),
      vault.enableKey(keyId),
      vault.rotateKey(keyId),
      vault.scheduleKeyDeletion(keyId, 7),
      vault.cancelKeyDeletion(keyId),
    ];
    for (const result of await Promise.allSettled(attempts)) {
      expect(result).toMatchObject({ reason: { code: 'Rejected.UnsupportedOperation' } });
    }
    const wrapped = await vault.generateWrappedDataKey(keyId, context);
    expect(vault.unwrapDataKey(wrapped, context).byteLength).toBe(32);
  });

  test('does not count against the quota of keys, which is enforced', async () => {
    const vault = await openTestVault();
    await vault.serviceKey(scope);
    for (let made = 0; made < MASTER_KEYS_MAX; made++) await vault.createKey(scope, '');
    await expect(vault.createKey(scope, '')).rejects.toThrow(code('Rejected.LimitExceeded'));
    expect(vault.listKeys(scope)).toHaveLength(MASTER_KEYS_MAX + 1);
    await vault.createKey({ ...scope, regionId: 'cn-beijing' }, '');
  });
});

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
