/** Names of keys: aliases and ARNs, wherever a key is named. */
import { describe, expect, test } from 'vitest';
import { ALIASES_MAX } from '../../../src/limits.ts';
import { context, refusal, scope, testKms, unwrap } from './support.ts';

const aliasName = 'alias/team/disks';
const elsewhere = { ...scope, regionId: 'cn-beijing' };
const foreign = { ...scope, accountId: '6543210987654321' };
const arn = (of: typeof scope, resource: string): string =>
  `acs:kms:${of.regionId}:${of.accountId}:${resource}`;

describe('an alias', () => {
  test('names its key, moves to another, and goes when it is deleted', async () => {
    const { ask, makeKey } = await testKms();
    const [a, b] = [await makeKey(), await makeKey()];
    const alias = { ...scope, aliasName, keyId: a };
    expect(await ask('createAlias', { keyId: a, aliasName })).toEqual(alias);
    expect((await ask('describeKey', { keyId: aliasName })).keyId).toBe(a);
    expect(await ask('updateAlias', { keyId: b, aliasName })).toEqual({ ...alias, keyId: b });
    expect((await ask('describeKey', { keyId: aliasName })).keyId).toBe(b);
    expect(await ask('listAliases', { keyId: a })).toEqual([]);
    expect(await ask('listAliases', { keyId: aliasName })).toEqual([{ ...alias, keyId: b }]);
    await ask('deleteAlias', { aliasName });
    for (const attempt of [
      ask('describeKey', { keyId: aliasName }),
      ask('deleteAlias', { aliasName }),
      ask('updateAlias', { keyId: a, aliasName }),
    ]) {
      expect(await refusal(attempt)).toBe('Forbidden.AliasNotFound');
    }
    expect(await ask('createAlias', { keyId: a, aliasName })).toEqual(alias);
  });

  test('is unique in its scope, and free in others', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    await ask('createAlias', { keyId, aliasName });
    const again = ask('createAlias', { keyId: await makeKey(), aliasName });
    expect(await refusal(again)).toBe('AliasAlreadyExists');
    const other = await ask('createKey', { ...elsewhere, description: '' });
    await ask('createAlias', { ...elsewhere, keyId: other.keyId, aliasName });
    const found = await ask('describeKey', { ...elsewhere, keyId: aliasName });
    expect(found.keyId).toBe(other.keyId);
    const attempt = ask('describeKey', { ...foreign, keyId: aliasName });
    expect(await refusal(attempt)).toBe('Forbidden.AliasNotFound');
    expect(await ask('listAliases', { ...foreign, keyId: null })).toEqual([]);
    const nobody = ask('listAliases', { ...scope, accountId: '../..', keyId: null });
    expect(await refusal(nobody)).toBe('Forbidden.KmsServiceNotEnabled');
  });

  test('has the form of one and is not the cloud’s', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    const wrong = ['x', 'alias/', 'alias/ü', 'alias/a b', `alias/${'x'.repeat(250)}`];
    for (const name of [...wrong, 'alias/acs/ecs', 'alias/acs/mine', 'Alias/x']) {
      for (const attempt of [
        ask('createAlias', { keyId, aliasName: name }),
        ask('updateAlias', { keyId, aliasName: name }),
        ask('deleteAlias', { aliasName: name }),
      ]) {
        expect(await refusal(attempt)).toBe('InvalidParameter');
      }
    }
    await ask('createAlias', { keyId, aliasName: `alias/${'x'.repeat(249)}` });
    const longest = await ask('describeKey', { keyId: `alias/${'x'.repeat(249)}` });
    expect(longest.keyId).toBe(keyId);
  });

  test('cannot be made for a key that is to go, and can be deleted from it', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    await ask('createAlias', { keyId, aliasName });
    await ask('scheduleKeyDeletion', { keyId, pendingDays: 7 });
    const more = ask('createAlias', { keyId, aliasName: 'alias/more' });
    expect(await refusal(more)).toBe('Rejected.PendingDeletion');
    expect(await refusal(ask('updateAlias', { keyId, aliasName }))).toBe(
      'Rejected.PendingDeletion',
    );
    expect(await refusal(ask('deleteAlias', { aliasName }))).toBe('done');
  });

  test('counts against a quota of its region', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    for (let made = 0; made < ALIASES_MAX; made++) {
      await ask('createAlias', { keyId, aliasName: `alias/${made}` });
    }
    const more = ask('createAlias', { keyId, aliasName: 'alias/more' });
    expect(await refusal(more)).toBe('Rejected.LimitExceeded');
    expect(await ask('listAliases', { keyId: null })).toHaveLength(ALIASES_MAX);
  });
});

describe('a key', () => {
  test('is named by id, ARN, alias and the ARN of an alias, for every use', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    await kms.ask('createAlias', { keyId, aliasName });
    const names = [keyId, aliasName, arn(scope, `key/${keyId}`), arn(scope, aliasName)];
    const keys = new Set<string>();
    for (const name of names) {
      expect((await kms.ask('describeKey', { keyId: name })).keyId).toBe(keyId);
      expect((await kms.ask('resolveKey', { keyId: name })).keyId).toBe(keyId);
      const wrapped = await kms.ask('generateWrappedDataKey', { keyId: name, context });
      keys.add(unwrap(kms, wrapped));
      await kms.ask('disableKey', { keyId: name });
      expect(unwrap(kms, wrapped)).toBe('Rejected.Disabled');
      await kms.ask('enableKey', { keyId: name });
    }
    expect(keys.size).toBe(4);
  });

  test('is not named by an ARN of another account or region', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    await ask('createAlias', { keyId, aliasName });
    for (const of of [elsewhere, foreign]) {
      const byKey = ask('describeKey', { keyId: arn(of, `key/${keyId}`) });
      expect(await refusal(byKey)).toBe('Forbidden.KeyNotFound');
      const byAlias = ask('describeKey', { keyId: arn(of, aliasName) });
      expect(await refusal(byAlias)).toBe('Forbidden.AliasNotFound');
    }
    for (const name of ['acs:kms:x', 'acs:kms:::key/', arn(scope, 'key/'), 'arn:aws:kms:x']) {
      expect(await refusal(ask('describeKey', { keyId: name }))).toBe('Forbidden.KeyNotFound');
    }
  });
});
