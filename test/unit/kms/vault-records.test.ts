import { describe, expect, test } from 'vitest';
import { openRecord, sealRecord } from '../../../src/kms/sealed-record.ts';
import { WRAPS_PER_VERSION_MAX } from '../../../src/limits.ts';
import {
  context,
  fillRandom,
  openTestVault,
  refusal,
  rootKeyOf,
  scope,
  type TestKms,
  testKms,
  unwrap,
} from './support.ts';

const absent = 'key-abcdefghijklmnopqrst';

describe('a vault whose files were changed', () => {
  const filled = async () => {
    const kms = await testKms();
    const a = await kms.ask('createKey', { description: 'a' });
    const b = await kms.ask('createKey', { description: 'b' });
    const service = await kms.ask('serviceKey', {});
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId: a.keyId, context });
    const change = (place: string, value: Uint8Array): Promise<void> =>
      kms.store.transact((transaction) => transaction.put(place, value));
    return { ...kms, kms, a, b, service, wrapped, change };
  };
  const corrupt = 'DataDirectoryCorrupt';

  test('does not enable a disabled key: no bit of its record can be changed', async () => {
    const { store, ask, a, change } = await filled();
    await ask('disableKey', a);
    const place = `key/${a.keyId}`;
    const record = store.get(place)!;
    for (let bit = 0; bit < record.length * 8; bit += 5) {
      const changed = record.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await change(place, changed);
      expect(await refusal(ask('describeKey', a))).toBe(corrupt);
    }
    await change(place, record);
    expect((await ask('describeKey', a)).state).toBe('Disabled');
  });

  test('does not take a record sealed under another root key', async () => {
    const { store, ask, a, change } = await filled();
    await ask('disableKey', a);
    const forged = sealRecord(rootKeyOf(1), 'masterKey', a, new Uint8Array(0), fillRandom);
    await change(`key/${a.keyId}`, forged);
    expect(await refusal(ask('enableKey', a))).toBe(corrupt);
    expect(await refusal(openTestVault({ store }))).toBe(corrupt);
  });

  test('does not take one key for another', async () => {
    const { store, ask, a, b, change } = await filled();
    await change(`key/${a.keyId}`, store.get(`key/${b.keyId}`)!);
    await expect(ask('describeKey', a)).rejects.toThrow(
      /DataDirectoryCorrupt.*its keyId is not that of its place/,
    );
  });

  test('does not take the material of one version for another', async () => {
    const { kms, store, ask, a, b, wrapped, change } = await filled();
    await ask('rotateKey', a);
    const place = (keyId: string, version: number) => `version/${keyId}/0000${version}`;
    const original = store.get(place(a.keyId, 1))!;
    for (const other of [place(a.keyId, 2), place(b.keyId, 1)]) {
      await change(place(a.keyId, 1), store.get(other)!);
      expect(unwrap(kms, wrapped)).toBe(corrupt);
    }
    await store.transact((transaction) => transaction.remove(place(a.keyId, 1)));
    expect(unwrap(kms, wrapped)).toBe(corrupt);
    await change(place(a.keyId, 1), original);
    expect(unwrap(kms, wrapped)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('does not take an ordinary key for the service key', async () => {
    const { ask, a, change } = await filled();
    const place = `service/${scope.accountId}/${scope.regionId}`;
    for (const named of [a.keyId, absent, 'rubbish']) {
      await change(place, new TextEncoder().encode(named));
      expect(await refusal(ask('serviceKey', {}))).toBe(corrupt);
      expect(await refusal(ask('describeKey', { keyId: 'alias/acs/ecs' }))).toBe(corrupt);
    }
  });

  test('finds a list that names a key that is not there', async () => {
    const { ask, change } = await filled();
    await change(`scope/${scope.accountId}/${scope.regionId}/${absent}`, Uint8Array.of(1));
    expect(await refusal(ask('listKeys', {}))).toBe(corrupt);
  });

  test('does not move an alias, nor take one for another', async () => {
    const { ask, store, a, b, change } = await filled();
    await ask('createAlias', { ...a, aliasName: 'alias/a' });
    await ask('createAlias', { ...b, aliasName: 'alias/b' });
    const [first, second] = store.range({ prefix: 'alias/', limit: 10 });
    await change(first!.key, second!.value);
    const named = await Promise.all([
      refusal(ask('describeKey', { keyId: 'alias/a' })),
      refusal(ask('describeKey', { keyId: 'alias/b' })),
    ]);
    expect(named.sort()).toEqual([corrupt, 'done']);
    expect(await refusal(ask('listAliases', { keyId: null }))).toBe(corrupt);
  });

  test('does not activate what was suspended', async () => {
    const { ask, store, change } = await filled();
    await ask('setAccountStatus', { status: 'Suspended' });
    const other = await ask('setAccountStatus', { regionId: 'cn-beijing', status: 'Enabled' });
    expect(other).toBe('Enabled');
    const place = (regionId: string): string => `account/${scope.accountId}/${regionId}`;
    await change(place(scope.regionId), store.get(place('cn-beijing'))!);
    expect(await refusal(ask('listKeys', {}))).toBe(corrupt);
  });

  test('refuses material that is not 32 bytes', async () => {
    const { kms, store, a, wrapped, change } = await filled();
    const place = `version/${a.keyId}/00001`;
    const { body } = openRecord(rootKeyOf(7), 'keyVersion', store.get(place)!)!;
    const short = sealRecord(rootKeyOf(7), 'keyVersion', body, new Uint8Array(16), fillRandom);
    await change(place, short);
    expect(unwrap(kms, wrapped)).toBe(corrupt);
  });
});

describe('the count of messages', () => {
  /** The sealed record of a version, changed with the root key in hand. */
  const setReserved = async (kms: TestKms, keyId: string, wrapsReserved: number): Promise<void> => {
    const place = `version/${keyId}/00001`;
    const { body, secret } = openRecord(rootKeyOf(7), 'keyVersion', kms.store.get(place)!)!;
    const changed = { ...body, wrapsReserved };
    const sealed = sealRecord(rootKeyOf(7), 'keyVersion', changed, secret, fillRandom);
    await kms.store.transact((transaction) => transaction.put(place, sealed));
  };
  const reserved = ({ store }: TestKms, keyId: string): number =>
    openRecord(rootKeyOf(7), 'keyVersion', store.get(`version/${keyId}/00001`)!)!.body
      .wrapsReserved;
  const wrap = ({ ask }: TestKms, keyId: string): Promise<Uint8Array> =>
    ask('generateWrappedDataKey', { keyId, context });

  test('is durable before the message it counts, in steps, and never falls behind', async () => {
    let kms = await testKms();
    const keyId = await kms.makeKey();
    expect(reserved(kms, keyId)).toBe(0);
    await wrap(kms, keyId);
    expect(reserved(kms, keyId)).toBe(1_024);
    // Ciphertexts of the API are counted with the wrapped keys: one version, one count.
    const plaintext = Uint8Array.of(1);
    for (let i = 1; i < 1_024; i++) {
      if (i % 2 === 0) await wrap(kms, keyId);
      else await kms.ask('encrypt', { keyId, plaintext, encryptionContext: {} });
    }
    expect(reserved(kms, keyId)).toBe(1_024);
    await wrap(kms, keyId);
    expect(reserved(kms, keyId)).toBe(2_048);
    // A restart forgets how much of the step was left: it counts too many.
    kms = await kms.reopen();
    await wrap(kms, keyId);
    expect(reserved(kms, keyId)).toBe(3_072);
  });

  test('ends at 2^32: then the key must be rotated, and still opens everything', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped = await wrap(kms, keyId);
    await setReserved(kms, keyId, WRAPS_PER_VERSION_MAX - 1_024);
    for (let i = 0; i < 1_023 + 1_024; i++) await wrap(kms, keyId);
    await expect(wrap(kms, keyId)).rejects.toThrow(
      /Rejected.LimitExceeded: version 1 of key-\w+ has encrypted all it may: rotate it/,
    );
    expect(unwrap(kms, wrapped)).toMatch(/^[0-9a-f]{64}$/);
    await kms.ask('rotateKey', { keyId });
    await wrap(kms, keyId);
  });
});
