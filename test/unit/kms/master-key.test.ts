import { describe, expect, test } from 'vitest';
import { openRecord, sealRecord } from '../../../src/kms/sealed-record.ts';
import { KEY_VERSIONS_MAX, MASTER_KEYS_MAX } from '../../../src/limits.ts';
import {
  context,
  DAY_MS,
  fillRandom,
  placesOf,
  refusal,
  rootKeyOf,
  scope,
  testKms,
  unwrap,
} from './support.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const absent = 'key-abcdefghijklmnopqrst';
const KEY = /^[0-9a-f]{64}$/;
const elsewhere = { ...scope, regionId: 'cn-beijing' };
const foreign = { ...scope, accountId: '6543210987654321' };

describe('a master key', () => {
  test('is described as it was made, and listed in its region only', async () => {
    const { ask, clock } = await testKms();
    const key = await ask('createKey', { description: 'for tests' });
    expect(key).toEqual({
      ...scope,
      keyId: expect.stringMatching(/^key-[a-z0-9]{20}$/),
      state: 'Enabled',
      origin: 'Aliyun_KMS',
      protectionLevel: 'SOFTWARE',
      isServiceKey: false,
      description: 'for tests',
      primaryVersion: 1,
      createdAt: clock.now(),
      deletionAt: null,
      hasMaterial: true,
      materialExpiresAt: null,
      lastRotationAt: clock.now(),
      rotationIntervalMs: null,
      isDeletionProtected: false,
      deletionProtectionDescription: '',
      tags: [],
    });
    expect(await ask('describeKey', { keyId: key.keyId })).toEqual(key);
    expect(await ask('listKeys', {})).toEqual([key]);
    expect(await ask('listKeys', elsewhere)).toEqual([]);
  });

  test('can be made with an id given, once, and of the form ids have', async () => {
    const { ask } = await testKms();
    const key = await ask('createKey', { description: '', fixedKeyId: absent });
    expect(key.keyId).toBe(absent);
    for (const fixedKeyId of [absent, 'key-1', '../check']) {
      const again = ask('createKey', { description: '', fixedKeyId });
      expect(await refusal(again)).toBe('InvalidParameter');
    }
  });

  test('that does not exist or has a crafted id is Forbidden.KeyNotFound everywhere', async () => {
    const { ask } = await testKms();
    for (const keyId of [absent, '', '../check', 'key-', 'x'.repeat(5_000), 'key-\0']) {
      const attempts = [
        ask('describeKey', { keyId }),
        ask('resolveKey', { keyId }),
        ask('checkKeyUsable', { keyId }),
        ask('enableKey', { keyId }),
        ask('disableKey', { keyId }),
        ask('rotateKey', { keyId }),
        ask('scheduleKeyDeletion', { keyId, pendingDays: 7 }),
        ask('cancelKeyDeletion', { keyId }),
        ask('updateKeyDescription', { keyId, description: '' }),
        ask('setDeletionProtection', { keyId, isProtected: true, description: '' }),
        ask('listKeyVersions', { keyId, skip: 0, limit: 10 }),
        ask('tagForDisks', { keyId }),
        ask('generateWrappedDataKey', { keyId, context }),
      ];
      for (const attempt of attempts) expect(await refusal(attempt)).toBe('Forbidden.KeyNotFound');
    }
  });

  test('opens what it wrapped, as the same 32 bytes every time', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    const first = unwrap(kms, wrapped);
    expect(first).toMatch(KEY);
    expect(unwrap(kms, wrapped)).toBe(first);
    const other = await kms.ask('generateWrappedDataKey', { keyId, context });
    expect(unwrap(kms, other)).not.toBe(first);
  });

  test('serves its own account and region only: to others it does not exist', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    for (const other of [foreign, elsewhere]) {
      const attempts = [
        kms.ask('generateWrappedDataKey', { keyId, context: { ...context, ...other } }),
        kms.ask('describeKey', { ...other, keyId }),
        kms.ask('disableKey', { ...other, keyId }),
        kms.ask('tagKeys', { ...other, keyIds: [keyId], tags: [] }),
        kms.ask('deleteKeyMaterial', { ...other, keyId }),
      ];
      for (const attempt of attempts) expect(await refusal(attempt)).toBe('Forbidden.KeyNotFound');
      expect(unwrap(kms, wrapped, { ...context, ...other })).toBe('Forbidden.KeyNotFound');
    }
    const otherDisk = { ...context, lineageId: 'd-zzzzzzzzzzzzzzzzzzzz' };
    expect(unwrap(kms, wrapped, otherDisk)).toBe('WrappedKeyInvalid');
  });

  test('makes nothing and opens nothing while disabled, and everything again after', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    const before = unwrap(kms, wrapped);
    expect((await kms.ask('disableKey', { keyId })).state).toBe('Disabled');
    const refused = [
      kms.ask('generateWrappedDataKey', { keyId, context }),
      kms.ask('checkKeyUsable', { keyId }),
      kms.ask('rotateKey', { keyId }),
    ];
    for (const attempt of refused) expect(await refusal(attempt)).toBe('Rejected.Disabled');
    expect(unwrap(kms, wrapped)).toBe('Rejected.Disabled');
    expect((await kms.ask('enableKey', { keyId })).state).toBe('Enabled');
    expect(unwrap(kms, wrapped)).toBe(before);
    expect(await kms.ask('checkKeyUsable', { keyId })).toMatchObject({ keyId });
  });

  test('disabled while a data key is being made gives none', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    const [generated, disabled] = await Promise.allSettled([
      ask('generateWrappedDataKey', { keyId, context }),
      ask('disableKey', { keyId }),
    ]);
    expect(disabled.status).toBe('fulfilled');
    expect(generated).toMatchObject({ reason: { code: 'Rejected.Disabled' } });
  });

  test('swapped with another in a wrapped key never opens', async () => {
    const kms = await testKms();
    const [a, b] = [await kms.makeKey(), await kms.makeKey()];
    const made = await kms.ask('generateWrappedDataKey', { keyId: a, context });
    const wrapped = Buffer.from(made);
    wrapped.write(b, 2);
    expect(unwrap(kms, wrapped)).toBe('WrappedKeyInvalid');
  });

  test('can be described anew', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    await ask('updateKeyDescription', { keyId, description: 'new ☃' });
    expect((await ask('describeKey', { keyId })).description).toBe('new ☃');
  });

  test('is as it was after a dry run of anything, which says what the run would have', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const places = placesOf(kms, '');
    const dryRun = true;
    const encryptionContext = {};
    const attempts = [
      kms.ask('createKey', { description: '', dryRun }),
      kms.ask('disableKey', { keyId, dryRun }),
      kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7, dryRun }),
      kms.ask('rotateKey', { keyId, dryRun }),
      kms.ask('createAlias', { keyId, aliasName: 'alias/x', dryRun }),
      kms.ask('tagKeys', { keyIds: [keyId], tags: [{ key: 'a', value: '' }], dryRun }),
      kms.ask('encrypt', { keyId, plaintext: Uint8Array.of(1), encryptionContext, dryRun }),
      kms.ask('generateWrappedDataKey', { keyId, context, dryRun }),
    ];
    for (const attempt of attempts) expect(await refusal(attempt)).toBe('DryRunOperationError');
    const wrong = kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 1, dryRun });
    expect(await refusal(wrong)).toBe('InvalidParameter');
    expect(placesOf(kms, '')).toEqual(places);
    expect(await kms.ask('describeKey', { keyId })).toMatchObject({ state: 'Enabled', tags: [] });
    // A dry run of taking a deletion back does not make the vault forget it.
    await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 });
    const cancel = kms.ask('cancelKeyDeletion', { keyId, dryRun });
    expect(await refusal(cancel)).toBe('DryRunOperationError');
    kms.clock.advance(7 * DAY_MS);
    await kms.server.idle();
    expect(placesOf(kms, keyId)).toEqual([]);
  });
});

describe('deletion', () => {
  test('waits for the window, refuses use meanwhile, and can be taken back', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    expect(await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 })).toMatchObject({
      state: 'PendingDeletion',
      deletionAt: kms.clock.now() + 7 * DAY_MS,
    });
    expect(unwrap(kms, wrapped)).toBe('Rejected.PendingDeletion');
    kms.clock.advance(7 * DAY_MS - 1);
    expect(await kms.ask('cancelKeyDeletion', { keyId })).toMatchObject({
      state: 'Enabled',
      deletionAt: null,
    });
    kms.clock.advance(100 * DAY_MS);
    await kms.server.idle();
    expect(unwrap(kms, wrapped)).toMatch(KEY);
  });

  test('is final when the window is over, before and after the records are erased', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const kept = await kms.makeKey();
    await kms.ask('rotateKey', { keyId });
    await kms.ask('createAlias', { keyId, aliasName: 'alias/mine' });
    await kms.ask('createAlias', { keyId: kept, aliasName: 'alias/kept' });
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 366 });
    kms.clock.advance(366 * DAY_MS);
    expect(placesOf(kms, keyId)).toHaveLength(4);
    expect(unwrap(kms, wrapped)).toBe('Forbidden.KeyNotFound');
    // The first request erases, whatever it asks.
    await kms.ask('describeAccountStatus', {});
    expect(placesOf(kms, keyId)).toEqual([]);
    expect(unwrap(kms, wrapped)).toBe('Forbidden.KeyNotFound');
    const attempts = [kms.ask('describeKey', { keyId }), kms.ask('cancelKeyDeletion', { keyId })];
    for (const attempt of attempts) expect(await refusal(attempt)).toBe('Forbidden.KeyNotFound');
    expect((await kms.ask('listKeys', {})).map((key) => key.keyId)).toEqual([kept]);
    const aliases = await kms.ask('listAliases', { keyId: null });
    expect(aliases.map((alias) => alias.aliasName)).toEqual(['alias/kept']);
  });

  test('happens at open if the time went by while the vault was closed', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 });
    kms.clock.advance(8 * DAY_MS);
    const reopened = await kms.reopen();
    expect(placesOf(reopened, '')).toEqual(['check']);
  });

  test('wants 7 to 366 whole days', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    for (const pendingDays of [6, 367, 0, -7, 7.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(ask('scheduleKeyDeletion', { keyId, pendingDays })).rejects.toThrow(
        /^InvalidParameter: PendingWindowInDays: expected 7 to 366 days, got/,
      );
    }
    expect((await ask('describeKey', { keyId })).state).toBe('Enabled');
  });

  test('of a protected key is refused until the protection is lifted', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    const description = 'disks of production';
    const protect = { keyId, isProtected: true, description };
    expect(await ask('setDeletionProtection', protect)).toMatchObject({
      isDeletionProtected: true,
      deletionProtectionDescription: description,
    });
    await expect(ask('scheduleKeyDeletion', { keyId, pendingDays: 7 })).rejects.toThrow(
      /^Rejected.UnsupportedOperation: key-\w+ is protected against deletion/,
    );
    await ask('setDeletionProtection', { ...protect, isProtected: false });
    expect(await ask('scheduleKeyDeletion', { keyId, pendingDays: 7 })).toMatchObject({
      state: 'PendingDeletion',
      deletionProtectionDescription: '',
    });
    expect(await refusal(ask('setDeletionProtection', protect))).toBe('Rejected.PendingDeletion');
  });
});

describe('the service key', () => {
  test('is made at first use, once, even if many ask at the same time', async () => {
    const { ask } = await testKms();
    const requests = Array.from({ length: 20 }, () => ask('serviceKey', {}));
    const keys = await Promise.all(requests);
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1);
    expect(keys[0]).toMatchObject({ isServiceKey: true, state: 'Enabled' });
    expect(await ask('serviceKey', {})).toEqual(keys[0]);
    expect(await ask('listKeys', {})).toEqual([keys[0]]);
    expect((await ask('serviceKey', elsewhere)).keyId).not.toBe(keys[0]!.keyId);
  });

  test('has its alias once it is there; disks make it by naming it', async () => {
    const { ask } = await testKms();
    const keyId = 'alias/acs/ecs';
    expect(await refusal(ask('describeKey', { keyId }))).toBe('Forbidden.AliasNotFound');
    const arn = `acs:kms:cn-beijing:${scope.accountId}:alias/acs/ecs`;
    expect(await refusal(ask('resolveKey', { keyId: arn }))).toBe('Forbidden.AliasNotFound');
    const key = await ask('resolveKey', { keyId });
    expect(key.isServiceKey).toBe(true);
    expect(await ask('describeKey', { keyId })).toEqual(key);
    expect(await ask('listAliases', { keyId: key.keyId })).toEqual([
      { ...scope, aliasName: keyId, keyId: key.keyId },
    ]);
  });

  test('can be used, and changed in no way', async () => {
    const kms = await testKms();
    const { keyId } = await kms.ask('serviceKey', {});
    const tags = [{ key: 'a', value: 'b' }];
    const wrappingAlgorithm = 'RSAES_OAEP_SHA_256';
    const attempts = [
      kms.ask('disableKey', { keyId }),
      kms.ask('enableKey', { keyId }),
      kms.ask('rotateKey', { keyId }),
      kms.ask('updateRotationPolicy', { keyId, rotationIntervalMs: 7 * DAY_MS }),
      kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 }),
      kms.ask('cancelKeyDeletion', { keyId }),
      kms.ask('setDeletionProtection', { keyId, isProtected: true, description: '' }),
      kms.ask('updateKeyDescription', { keyId, description: '' }),
      kms.ask('createAlias', { keyId, aliasName: 'alias/mine' }),
      kms.ask('tagKeys', { keyIds: [keyId], tags }),
      kms.ask('untagKeys', { keyIds: [keyId], tagKeys: null }),
      kms.ask('getImportParameters', { keyId, wrappingAlgorithm }),
      kms.ask('deleteKeyMaterial', { keyId }),
    ];
    for (const result of await Promise.allSettled(attempts)) {
      expect(result).toMatchObject({ reason: code('Rejected.UnsupportedOperation') });
    }
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    expect(unwrap(kms, wrapped)).toMatch(KEY);
    expect(await kms.ask('tagForDisks', { keyId })).toMatchObject({ tags: [] });
  });
});

describe('the quota', () => {
  test('of keys is of a region, and the service key is not counted', async () => {
    const { ask } = await testKms();
    await ask('serviceKey', {});
    for (let made = 0; made < MASTER_KEYS_MAX; made++) await ask('createKey', { description: '' });
    const more = ask('createKey', { description: '' });
    expect(await refusal(more)).toBe('Rejected.LimitExceeded');
    expect(await ask('listKeys', {})).toHaveLength(MASTER_KEYS_MAX + 1);
    await ask('createKey', { ...elsewhere, description: '' });
  });

  test('of versions is of a region: of all its keys together', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const other = await kms.makeKey();
    const place = `key/${keyId}`;
    const { body } = openRecord(rootKeyOf(7), 'masterKey', kms.store.get(place)!)!;
    const many = { ...body, primaryVersion: KEY_VERSIONS_MAX - 1 };
    const sealed = sealRecord(rootKeyOf(7), 'masterKey', many, new Uint8Array(0), fillRandom);
    await kms.store.transact((transaction) => transaction.put(place, sealed));
    for (const attempt of [
      kms.ask('rotateKey', { keyId }),
      kms.ask('rotateKey', { keyId: other }),
      kms.ask('createKey', { description: '' }),
    ]) {
      expect(await refusal(attempt)).toBe('Rejected.LimitExceeded');
    }
    await kms.ask('createKey', { ...elsewhere, description: '' });
  });
});
