/** Tags of keys: the users' own, and the one that says a key protects disks. */
import { describe, expect, test } from 'vitest';
import { KEY_TAGS_MAX } from '../../../src/limits.ts';
import { context, refusal, testKms } from './support.ts';

const tag = (key: string, value = ''): { key: string; value: string } => ({ key, value });
const disks = tag('acs:ecs:disk-encryption', 'true');

describe('tags', () => {
  test('are set, changed and removed, each key once', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    await ask('tagKeys', { keyIds: [keyId], tags: [tag('b', '1'), tag('a', '2')] });
    const [key] = await ask('tagKeys', { keyIds: [keyId], tags: [tag('b', '3')] });
    expect(key?.tags).toEqual([tag('a', '2'), tag('b', '3')]);
    const [left] = await ask('untagKeys', { keyIds: [keyId], tagKeys: ['a', 'nothing'] });
    expect(left?.tags).toEqual([tag('b', '3')]);
    expect((await ask('describeKey', { keyId })).tags).toEqual([tag('b', '3')]);
  });

  test('of the cloud are not the users’ to set or to remove', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    expect((await ask('tagForDisks', { keyId })).tags).toEqual([disks]);
    expect((await ask('tagForDisks', { keyId })).tags).toEqual([disks]);
    for (const attempt of [
      ask('tagKeys', { keyIds: [keyId], tags: [tag('acs:mine')] }),
      ask('tagKeys', { keyIds: [keyId], tags: [tag('aliyun-mine')] }),
      ask('untagKeys', { keyIds: [keyId], tagKeys: [disks.key] }),
      ask('createKey', { description: '', tags: [disks] }),
    ]) {
      expect(await refusal(attempt)).toBe('InvalidParameter');
    }
    await ask('tagKeys', { keyIds: [keyId], tags: [tag('mine')] });
    const [key] = await ask('untagKeys', { keyIds: [keyId], tagKeys: null });
    expect(key?.tags).toEqual([disks]);
  });

  test('say of a key that it protects disks from its first data key on', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    await ask('encrypt', { keyId, plaintext: Uint8Array.of(1), encryptionContext: {} });
    expect((await ask('describeKey', { keyId })).tags).toEqual([]);
    await ask('generateWrappedDataKey', { keyId, context });
    expect((await ask('describeKey', { keyId })).tags).toEqual([disks]);
  });

  test('for disks are set on usable keys alone', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    await ask('disableKey', { keyId });
    expect(await refusal(ask('tagForDisks', { keyId }))).toBe('Rejected.Disabled');
  });

  test('have keys and values of some length, keys once, and a number', async () => {
    const { ask, makeKey } = await testKms();
    const keyId = await makeKey();
    const set = (tags: { key: string; value: string }[]): Promise<string> =>
      refusal(ask('tagKeys', { keyIds: [keyId], tags }));
    const long = 'x'.repeat(129);
    for (const tags of [[tag('')], [tag(long)], [tag('a', long)], [tag('a'), tag('a')]]) {
      expect(await set(tags)).toBe('InvalidParameter');
    }
    const many = Array.from({ length: KEY_TAGS_MAX }, (_, index) => tag(`tag-${index}`));
    expect(await set(many)).toBe('done');
    expect(await set([tag('tag-0', 'new')])).toBe('done');
    expect(await set([tag('one more')])).toBe('Rejected.LimitExceeded');
    // The cloud's own is not counted.
    expect((await ask('tagForDisks', { keyId })).tags).toHaveLength(KEY_TAGS_MAX + 1);
  });

  test('of several keys change together or not at all', async () => {
    const { ask, makeKey } = await testKms();
    const [a, b] = [await makeKey(), await makeKey()];
    await ask('scheduleKeyDeletion', { keyId: b, pendingDays: 7 });
    const both = { keyIds: [a, b], tags: [tag('x')] };
    expect(await refusal(ask('tagKeys', both))).toBe('Rejected.PendingDeletion');
    expect((await ask('describeKey', { keyId: a })).tags).toEqual([]);
    await ask('cancelKeyDeletion', { keyId: b });
    expect(await ask('tagKeys', both)).toMatchObject([{ tags: [tag('x')] }, { tags: [tag('x')] }]);
    const untag = { keyIds: [a, 'key-abcdefghijklmnopqrst'], tagKeys: ['x'] };
    expect(await refusal(ask('untagKeys', untag))).toBe('Forbidden.KeyNotFound');
    expect((await ask('describeKey', { keyId: a })).tags).toEqual([tag('x')]);
  });
});
