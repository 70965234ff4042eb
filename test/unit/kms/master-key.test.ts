import { describe, expect, test } from 'vitest';
import { MASTER_KEYS_MAX } from '../../../src/limits.ts';
import { context, DAY_MS, keptStore, openTestVault, scope, testClock } from './support.ts';

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
