/** What time does to a master key, seen before its record is brought after; lists of keys. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyAsOf } from '../../../src/kms/key-clock.ts';
import { listKeys } from '../../../src/kms/key-life.ts';
import { DAY_MS, scope, testKms } from './support.ts';

describe('a key as of now', () => {
  test('goes on waiting for its deletion when its material expires', async () => {
    const { ask, clock } = await testKms();
    const key = await ask('createKey', { description: '', origin: 'EXTERNAL' });
    const now = clock.now();
    const waiting = {
      ...key,
      state: 'PendingDeletion' as const,
      hasMaterial: true,
      materialExpiresAt: now + 1,
      deletionAt: now + 7 * DAY_MS,
    };
    expect(keyAsOf(waiting, now)).toBe(waiting);
    expect(keyAsOf(waiting, now + 1)).toMatchObject({
      state: 'PendingDeletion',
      hasMaterial: false,
      materialExpiresAt: null,
    });
    expect(keyAsOf({ ...waiting, deletionAt: null, state: 'Enabled' }, now + 1)).toMatchObject({
      state: 'PendingImport',
      hasMaterial: false,
    });
  });

  test('is in no list once its time has come, though its record is still there', async () => {
    const kms = await testKms();
    const gone = await kms.makeKey();
    const stays = await kms.makeKey();
    await kms.ask('scheduleKeyDeletion', { keyId: gone, pendingDays: 7 });
    kms.clock.advance(7 * DAY_MS);
    expect(kms.store.get(`key/${gone}`)).toBeDefined();
    const listed = listKeys(kms.vault, { op: 'listKeys', ...scope });
    expect(listed.map(({ keyId }) => keyId)).toEqual([stays]);
  });
});

describe('a list of keys', () => {
  test('has those made at one time in the order of their ids', async () => {
    const kms = await testKms();
    const made: string[] = [];
    for (let count = 0; count < 12; count++) made.push(await kms.makeKey());
    kms.clock.advance(1);
    const last = await kms.makeKey();
    const listed = (await kms.ask('listKeys', {})).map(({ keyId }) => keyId);
    expect(listed).toEqual([...made.sort(), last]);
  });

  test('says which of them are asymmetric', async () => {
    const kms = await testKms();
    await kms.ask('createKey', { description: '', asymmetricSpec: 'RSA_2048' });
    await kms.makeKey();
    const specs = (await kms.ask('listKeys', {})).map(({ asymmetricSpec }) => asymmetricSpec);
    expect(new Set(specs)).toEqual(new Set(['RSA_2048', undefined]));
  });
});

test('the policy of a key is kept as it was given', async () => {
  const kms = await testKms();
  const keyId = await kms.makeKey();
  const policy = `{"Version":"1","Statement":"${randomBytes(8).toString('hex')}"}`;
  expect(await kms.ask('setKeyPolicy', { keyId, policy })).toMatchObject({ policy });
  const again = await kms.reopen();
  expect(await again.ask('describeKey', { keyId })).toMatchObject({ policy, state: 'Enabled' });
});
