/** Versions and rotation: what is new goes under the newest, what is old opens for ever. */
import { describe, expect, test } from 'vitest';
import { openRecord, sealRecord } from '../../../src/kms/sealed-record.ts';
import { KEY_VERSIONS_MAX } from '../../../src/limits.ts';
import {
  context,
  DAY_MS,
  fillRandom,
  refusal,
  rootKeyOf,
  type TestKms,
  testKms,
  unwrap,
} from './support.ts';

const encryptionContext = {};
const plaintext = Uint8Array.of(1, 2, 3);
const versionOf = async ({ ask }: TestKms, keyId: string): Promise<number> =>
  (await ask('encrypt', { keyId, plaintext, encryptionContext })).version;

describe('a rotated key', () => {
  test('wraps under its newest version and opens what every version made', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped: Uint8Array[] = [];
    const blobs: Uint8Array[] = [];
    for (let version = 1; version <= 4; version++) {
      wrapped.push(await kms.ask('generateWrappedDataKey', { keyId, context }));
      expect(Buffer.from(wrapped.at(-1)!).readUInt32BE(26)).toBe(version);
      const blob = await kms.ask('encrypt', { keyId, plaintext, encryptionContext });
      expect(blob.version).toBe(version);
      blobs.push(blob.ciphertextBlob);
      expect((await kms.ask('rotateKey', { keyId })).primaryVersion).toBe(version + 1);
    }
    const keys = wrapped.map((bytes) => unwrap(kms, bytes));
    expect(new Set(keys).size).toBe(4);
    for (const [index, ciphertextBlob] of blobs.entries()) {
      const opened = await kms.ask('decrypt', { ciphertextBlob, encryptionContext });
      expect(opened).toMatchObject({ version: index + 1, plaintext });
    }
    // A wrapped key cannot be made to name another version, or one that does not exist.
    const renamed = Buffer.from(wrapped[0]!);
    for (const version of [2, 99]) {
      renamed.writeUInt32BE(version, 26);
      expect(unwrap(kms, renamed)).toBe('WrappedKeyInvalid');
    }
  });

  test('lists its versions with the time each was made, a page at a time', async () => {
    const { ask, clock, makeKey } = await testKms();
    const keyId = await makeKey();
    const made = [clock.now()];
    for (let count = 0; count < 4; count++) {
      clock.advance(DAY_MS);
      made.push(clock.now());
      expect(await ask('rotateKey', { keyId })).toMatchObject({ lastRotationAt: clock.now() });
    }
    const expected = made.map((createdAt, index) => ({ keyId, version: index + 1, createdAt }));
    const all = await ask('listKeyVersions', { keyId, skip: 0, limit: 100 });
    expect(all).toEqual({ total: 5, versions: expected });
    const page = await ask('listKeyVersions', { keyId, skip: 2, limit: 2 });
    expect(page).toEqual({ total: 5, versions: expected.slice(2, 4) });
    const beyond = await ask('listKeyVersions', { keyId, skip: 9, limit: 2 });
    expect(beyond).toEqual({ total: 5, versions: [] });
    expect(await ask('describeKeyVersion', { keyId, version: 3 })).toEqual(expected[2]);
    for (const version of [0, 6, 1.5, -1, Number.NaN]) {
      expect(await refusal(ask('describeKeyVersion', { keyId, version }))).toBe(
        'Forbidden.KeyVersionNotFound',
      );
    }
  });
});

describe('automatic rotation', () => {
  test('comes with the clock, at the next request or unasked, and once for any delay', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    const before = unwrap(kms, wrapped);
    await kms.ask('updateRotationPolicy', { keyId, rotationIntervalMs: 7 * DAY_MS });
    kms.clock.advance(7 * DAY_MS - 1);
    expect(await versionOf(kms, keyId)).toBe(1);
    kms.clock.advance(1);
    expect(await versionOf(kms, keyId)).toBe(2);
    kms.clock.advance(700 * DAY_MS);
    await kms.server.idle();
    expect(await kms.ask('describeKey', { keyId })).toMatchObject({
      primaryVersion: 3,
      lastRotationAt: kms.clock.now(),
    });
    expect(unwrap(kms, wrapped)).toBe(before);
    await kms.ask('updateRotationPolicy', { keyId, rotationIntervalMs: null });
    kms.clock.advance(700 * DAY_MS);
    expect(await versionOf(kms, keyId)).toBe(3);
  });

  test('is suspended while the key is not enabled, and made up for after', async () => {
    const kms = await testKms();
    const made = await kms.ask('createKey', { description: '', rotationIntervalMs: 7 * DAY_MS });
    const { keyId } = made;
    await kms.ask('disableKey', { keyId });
    kms.clock.advance(8 * DAY_MS);
    expect((await kms.ask('describeKey', { keyId })).primaryVersion).toBe(1);
    await kms.ask('enableKey', { keyId });
    expect(await versionOf(kms, keyId)).toBe(2);
    await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 30 });
    kms.clock.advance(8 * DAY_MS);
    expect((await kms.ask('cancelKeyDeletion', { keyId })).primaryVersion).toBe(2);
    expect(await versionOf(kms, keyId)).toBe(3);
  });

  test('goes on after the vault was closed', async () => {
    const kms = await testKms();
    const made = await kms.ask('createKey', { description: '', rotationIntervalMs: 7 * DAY_MS });
    kms.clock.advance(7 * DAY_MS);
    const reopened = await kms.reopen();
    expect(await versionOf(reopened, made.keyId)).toBe(2);
    reopened.clock.advance(7 * DAY_MS);
    expect(await versionOf(reopened, made.keyId)).toBe(3);
  });

  test('takes 7 to 365 days, 730 of an HSM key', async () => {
    const { ask, makeKey } = await testKms();
    const software = await makeKey();
    const made = await ask('createKey', { description: '', protectionLevel: 'HSM' });
    const policy = (keyId: string, days: number): Promise<string> =>
      refusal(ask('updateRotationPolicy', { keyId, rotationIntervalMs: days * DAY_MS }));
    for (const days of [7, 365]) expect(await policy(software, days)).toBe('done');
    expect(await policy(made.keyId, 730)).toBe('done');
    for (const days of [0, 6.9, 366, Number.NaN]) {
      expect(await policy(software, days)).toBe('InvalidParameter');
    }
    expect(await policy(made.keyId, 731)).toBe('InvalidParameter');
    const create = ask('createKey', { description: '', rotationIntervalMs: DAY_MS });
    expect(await refusal(create)).toBe('InvalidParameter');
  });

  test('is not for keys with imported material, nor is rotation by hand', async () => {
    const { ask } = await testKms();
    const { keyId } = await ask('createKey', { description: '', origin: 'EXTERNAL' });
    const rotationIntervalMs = 7 * DAY_MS;
    for (const attempt of [
      ask('rotateKey', { keyId }),
      ask('updateRotationPolicy', { keyId, rotationIntervalMs }),
      ask('createKey', { description: '', origin: 'EXTERNAL', rotationIntervalMs }),
    ]) {
      expect(await refusal(attempt)).toBe('UnsupportedOperation');
    }
  });

  test('ends with the quota of versions, and the key serves on', async () => {
    const kms = await testKms();
    const made = await kms.ask('createKey', { description: '', rotationIntervalMs: 7 * DAY_MS });
    const { keyId } = made;
    const full = await kms.makeKey();
    const place = `key/${full}`;
    const { body } = openRecord(rootKeyOf(7), 'masterKey', kms.store.get(place)!)!;
    const changed = { ...body, primaryVersion: KEY_VERSIONS_MAX - 1 };
    const sealed = sealRecord(rootKeyOf(7), 'masterKey', changed, new Uint8Array(0), fillRandom);
    await kms.store.transact((transaction) => transaction.put(place, sealed));
    kms.clock.advance(8 * DAY_MS);
    expect(await versionOf(kms, keyId)).toBe(1);
    expect(await versionOf(kms, keyId)).toBe(1);
  });
});
