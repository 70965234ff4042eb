import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { OPERATIONS } from '../../../src/kms/operations.ts';
import { createKmsServer } from '../../../src/kms/serve.ts';
import type { KmsRequest } from '../../../src/record/kms-message.ts';
import { context, DAY_MS, placesOf, refusal, scope, testClock, testKms } from './support.ts';

const elsewhere = { ...scope, regionId: 'cn-beijing' };

describe('the KMS server', () => {
  test('erases expired keys before it answers, and unasked', async () => {
    const kms = await testKms();
    for (const asked of [true, false]) {
      const keyId = await kms.makeKey();
      await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 });
      kms.clock.advance(7 * DAY_MS);
      if (asked) expect(await kms.ask('listKeys', {})).toEqual([]);
      else await kms.server.idle();
      expect(placesOf(kms, keyId)).toEqual([]);
    }
  });

  test('settles once what is due, however many ask at once', async () => {
    const kms = await testKms();
    const goes = await kms.makeKey();
    await kms.ask('scheduleKeyDeletion', { keyId: goes, pendingDays: 7 });
    const rotationIntervalMs = 7 * DAY_MS;
    const turns = await kms.ask('createKey', { description: '', rotationIntervalMs });
    kms.clock.advance(7 * DAY_MS);
    await Promise.all([kms.server.idle(), kms.server.idle(), kms.ask('listKeys', {})]);
    expect(placesOf(kms, goes)).toEqual([]);
    const described = await kms.ask('describeKey', { keyId: turns.keyId });
    expect(described).toMatchObject({ primaryVersion: 2 });
  });

  test('answers an unwrap with a key, or with an error as data, never by throwing', async () => {
    const { server, ask, makeKey } = await testKms();
    const keyId = await makeKey();
    const wrappedKey = await ask('generateWrappedDataKey', { keyId, context });
    const reply = server.unwrap({ id: 5, wrappedKey, context });
    expect(reply).toEqual({ id: 5, key: expect.any(ArrayBuffer) });
    const damaged = wrappedKey.slice();
    damaged[60]! ^= 1;
    expect(server.unwrap({ id: 6, wrappedKey: damaged, context })).toMatchObject({
      id: 6,
      error: { code: 'WrappedKeyInvalid' },
    });
    await ask('disableKey', { keyId });
    expect(server.unwrap({ id: 7, wrappedKey, context })).toMatchObject({
      id: 7,
      error: { code: 'Rejected.Disabled' },
    });
    // A flip of any bit is one of the typed errors: of the key id, that there is no such key.
    await ask('enableKey', { keyId });
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
    const { vault, server } = await testKms();
    const broken = createKmsServer({
      vault: Object.create(vault, {
        tables: {
          get: () => {
            throw new InvariantError('broken');
          },
        },
      }),
    });
    const wrappedKey = Buffer.alloc(90);
    wrappedKey.write('\x01\x01key-abcdefghijklmnopqrst\0\0\0\x01', 'latin1');
    expect(() => broken.unwrap({ id: 1, wrappedKey, context })).toThrow(InvariantError);
    for (const op of ['exportMasterKey', 'constructor']) {
      const unknown = { op } as unknown as KmsRequest;
      await expect(server.handle(unknown)).rejects.toThrow(InvariantError);
    }
  });
});

describe('an account', () => {
  test('has KMS activated at first, and can be given it once', async () => {
    const { ask } = await testKms();
    expect(await ask('describeAccountStatus', {})).toBe('Enabled');
    expect(await refusal(ask('openKms', {}))).toBe('Forbidden.Opened');
    await ask('setAccountStatus', { status: 'NotEnabled' });
    expect(await ask('openKms', {})).toBe('Enabled');
    expect(await refusal(ask('openKms', {}))).toBe('Forbidden.Opened');
  });

  test.each(['NotEnabled', 'Index', 'Suspended'] as const)(
    'that is %s is refused everything but to ask and to open, a shard too, there alone',
    async (status) => {
      const kms = await testKms();
      const keyId = await kms.makeKey();
      const wrappedKey = await kms.ask('generateWrappedDataKey', { keyId, context });
      await kms.ask('setAccountStatus', { status });
      expect(await kms.ask('describeAccountStatus', {})).toBe(status);
      const free = ['openKms', 'describeAccountStatus', 'setAccountStatus'];
      for (const op of Object.keys(OPERATIONS).filter((name) => !free.includes(name))) {
        const request = { ...scope, op, keyId, context, wrappedKey } as unknown as KmsRequest;
        expect(await refusal(kms.server.handle(request))).toBe('Forbidden.KmsServiceNotEnabled');
      }
      expect(kms.server.unwrap({ id: 1, wrappedKey, context })).toMatchObject({
        error: { code: 'Forbidden.KmsServiceNotEnabled' },
      });
      const opened = await refusal(kms.ask('openKms', {}));
      expect(opened).toBe(status === 'NotEnabled' ? 'done' : 'Forbidden.Opened');
      expect(await kms.ask('listKeys', elsewhere)).toEqual([]);
      await kms.ask('setAccountStatus', { status: 'Enabled' });
      expect(kms.server.unwrap({ id: 1, wrappedKey, context })).toHaveProperty('key');
    },
  );
});

describe('the rates of requests', () => {
  test('are those of the cloud, by class, account and region, and recover with time', async () => {
    const kms = await testKms({ throttling: true });
    const keyId = await kms.makeKey();
    const request = { keyId, plaintext: Uint8Array.of(1), encryptionContext: {} };
    const classes = [
      [9, () => kms.ask('createKey', { description: '' })],
      [20, () => kms.ask('describeKey', { keyId })],
      [10, () => kms.ask('enableKey', { keyId })],
      [1_000, () => kms.ask('encrypt', request)],
    ] as const;
    for (const [left, ask] of classes) {
      for (let count = 0; count < left; count++) expect(await refusal(ask())).toBe('done');
      await expect(ask()).rejects.toThrow(/^Rejected.Throttling: QPS Limit Exceeded/);
    }
    expect(await kms.ask('listKeys', elsewhere)).toEqual([]);
    // What disks need is not counted.
    expect(await kms.ask('checkKeyUsable', { keyId })).toMatchObject({ keyId });
    kms.clock.advance(100);
    expect(await refusal(kms.ask('enableKey', { keyId }))).toBe('done');
    expect(await refusal(kms.ask('enableKey', { keyId }))).toBe('Rejected.Throttling');
    // However long nobody asks, a second's worth is the most.
    kms.clock.advance(60_000);
    for (let count = 0; count < 10; count++) await kms.ask('enableKey', { keyId });
    expect(await refusal(kms.ask('enableKey', { keyId }))).toBe('Rejected.Throttling');
  });

  test('are not looked at unless asked for', async () => {
    const kms = await testKms({ clock: testClock() });
    for (let count = 0; count < 50; count++) await kms.ask('listKeys', {});
  });
});
