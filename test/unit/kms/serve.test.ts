import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { createKmsServer } from '../../../src/kms/serve.ts';
import type { KeyDescription, KmsRequest } from '../../../src/record/kms-message.ts';
import { context, DAY_MS, openTestVault, scope, testClock } from './support.ts';

const serve = async () => {
  const clock = testClock();
  const vault = await openTestVault({ clock });
  return { clock, vault, server: createKmsServer({ vault }) };
};

describe('the KMS server', () => {
  test('answers every request main may make', async () => {
    const { server } = await serve();
    const ask = async (request: KmsRequest) => (await server.handle(request)) as KeyDescription;
    const key = await ask({ op: 'createKey', ...scope, description: 'one' });
    const { keyId } = key;
    const service = await ask({ op: 'serviceKey', ...scope });
    expect(await ask({ op: 'describeKey', keyId })).toEqual(key);
    expect(await ask({ op: 'listKeys', ...scope })).toEqual(expect.arrayContaining([key, service]));
    expect(await ask({ op: 'disableKey', keyId })).toMatchObject({ state: 'Disabled' });
    expect(await ask({ op: 'enableKey', keyId })).toMatchObject({ state: 'Enabled' });
    expect(await ask({ op: 'rotateKey', keyId })).toMatchObject({ primaryVersion: 2 });
    const wrapped = await server.handle({ op: 'generateWrappedDataKey', keyId, context });
    expect(wrapped).toBeInstanceOf(Uint8Array);
    expect(wrapped).toHaveLength(90);
    expect(await ask({ op: 'scheduleKeyDeletion', keyId, pendingDays: 7 })).toMatchObject({
      state: 'PendingDeletion',
    });
    expect(await ask({ op: 'cancelKeyDeletion', keyId })).toMatchObject({ state: 'Enabled' });
  });

  test('erases expired keys before it answers', async () => {
    const { server, clock } = await serve();
    const key = (await server.handle({ op: 'createKey', ...scope, description: '' })) as {
      keyId: string;
    };
    await server.handle({ op: 'scheduleKeyDeletion', keyId: key.keyId, pendingDays: 7 });
    clock.advance(7 * DAY_MS);
    expect(await server.handle({ op: 'listKeys', ...scope })).toEqual([]);
  });

  test('answers an unwrap with a key, or with an error as data, never by throwing', async () => {
    const { server, vault } = await serve();
    const { keyId } = await vault.createKey(scope, '');
    const wrappedKey = await vault.generateWrappedDataKey(keyId, context);
    const reply = server.unwrap({ id: 5, wrappedKey, context });
    expect(reply).toEqual({ id: 5, key: expect.any(ArrayBuffer) });
    const damaged = wrappedKey.slice();
    damaged[60]! ^= 1;
    expect(server.unwrap({ id: 6, wrappedKey: damaged, context })).toMatchObject({
      id: 6,
      error: { code: 'WrappedKeyInvalid' },
    });
    await vault.disableKey(keyId);
    expect(server.unwrap({ id: 7, wrappedKey, context })).toMatchObject({
      id: 7,
      error: { code: 'Rejected.Disabled' },
    });
    // A flip of any bit is one of the typed errors: of the key id, that there is no such key.
    await vault.enableKey(keyId);
    for (let bit = 0; bit < wrappedKey.length * 8; bit++) {
      const changed = wrappedKey.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const answer = server.unwrap({ id: bit, wrappedKey: changed, context });
      const isKeyId = bit >> 3 >= 2 && bit >> 3 < 26;
      const codes = isKeyId
        ? ['WrappedKeyInvalid', 'Forbidden.KeyNotFound']
        : ['WrappedKeyInvalid'];
      expect('error' in answer && codes.includes(answer.error.code)).toBe(true);
    }
  });

  test('lets a broken invariant through: it ends the thread', async () => {
    const { server, vault } = await serve();
    vault.unwrapDataKey = () => {
      throw new InvariantError('broken');
    };
    expect(() => server.unwrap({ id: 1, wrappedKey: new Uint8Array(90), context })).toThrow(
      InvariantError,
    );
    const unknown = { op: 'exportMasterKey' } as unknown as KmsRequest;
    await expect(server.handle(unknown)).rejects.toThrow(InvariantError);
  });
});
