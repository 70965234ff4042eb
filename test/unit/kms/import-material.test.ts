/** Bring your own key, with node:crypto as the owner's side. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openRecord } from '../../../src/kms/sealed-record.ts';
import type { ImportParameters, WrappingAlgorithm } from '../../../src/record/kms-key.ts';
import { context, DAY_MS, refusal, rootKeyOf, type TestKms, testKms, unwrap } from './support.ts';

const KEY = /^[0-9a-f]{64}$/;
const OAEP_256 = 'RSAES_OAEP_SHA_256';

/** What an owner does with what GetParametersForImport gave. */
function wrapMaterial(
  { publicKey }: ImportParameters,
  material: Uint8Array,
  algorithm: WrappingAlgorithm = OAEP_256,
): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  if (algorithm === 'RSAES_PKCS1_V1_5') {
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, material);
  }
  const oaepHash = algorithm === OAEP_256 ? 'sha256' : 'sha1';
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, material);
}

async function externalKey({ ask }: TestKms): Promise<string> {
  const key = await ask('createKey', { description: '', origin: 'EXTERNAL' });
  expect(key).toMatchObject({ state: 'PendingImport', hasMaterial: false, origin: 'EXTERNAL' });
  return key.keyId;
}

async function importInto(
  { ask }: TestKms,
  keyId: string,
  material: Uint8Array,
  expiresAt: number | null = null,
) {
  const made = await ask('getImportParameters', { keyId, wrappingAlgorithm: OAEP_256 });
  const encryptedMaterial = wrapMaterial(made, material);
  const { importToken } = made;
  return ask('importKeyMaterial', { keyId, encryptedMaterial, importToken, expiresAt });
}

describe('an EXTERNAL key', () => {
  test('waits for its material, serves with it, and with it alone', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const refused = kms.ask('generateWrappedDataKey', { keyId, context });
    expect(await refusal(refused)).toBe('Rejected.PendingImport');
    expect(await refusal(kms.ask('enableKey', { keyId }))).toBe('Rejected.StateModifiedFailed');
    const noVersions = await kms.ask('listKeyVersions', { keyId, skip: 0, limit: 10 });
    expect(noVersions).toEqual({ total: 0, versions: [] });
    const material = randomBytes(32);
    expect(await importInto(kms, keyId, material)).toMatchObject({
      state: 'Enabled',
      hasMaterial: true,
      materialExpiresAt: null,
    });
    const place = `version/${keyId}/00001`;
    const stored = openRecord(rootKeyOf(7), 'keyVersion', kms.store.get(place)!)!;
    expect(Buffer.from(stored.secret).equals(material)).toBe(true);
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    expect(unwrap(kms, wrapped)).toMatch(KEY);
  });

  test.each<WrappingAlgorithm>([OAEP_256, 'RSAES_OAEP_SHA_1'])(
    'takes material wrapped by %s',
    async (wrappingAlgorithm) => {
      const kms = await testKms();
      const keyId = await externalKey(kms);
      const made = await kms.ask('getImportParameters', { keyId, wrappingAlgorithm });
      expect(made.expiresAt).toBe(kms.clock.now() + DAY_MS);
      const encryptedMaterial = wrapMaterial(made, randomBytes(32), wrappingAlgorithm);
      const request = { ...made, encryptedMaterial, expiresAt: null };
      expect(await kms.ask('importKeyMaterial', request)).toMatchObject({ state: 'Enabled' });
      const other = wrappingAlgorithm === OAEP_256 ? 'RSAES_OAEP_SHA_1' : OAEP_256;
      const wrong = wrapMaterial(made, randomBytes(32), other);
      const mixed = kms.ask('importKeyMaterial', { ...request, encryptedMaterial: wrong });
      expect(await refusal(mixed)).toBe('InvalidKeyMaterial');
    },
  );

  test('takes RSAES_PKCS1_V1_5 where Node decrypts it, or says why not', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const wrappingAlgorithm = 'RSAES_PKCS1_V1_5';
    const asked = kms.ask('getImportParameters', { keyId, wrappingAlgorithm });
    const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number);
    if (major === 3 && minor < 2) {
      await expect(asked).rejects.toThrow(/^UnsupportedOperation: this Node refuses to decrypt/);
      return;
    }
    const made = await asked;
    const encryptedMaterial = wrapMaterial(made, randomBytes(32), wrappingAlgorithm);
    const request = { ...made, encryptedMaterial, expiresAt: null };
    expect(await kms.ask('importKeyMaterial', request)).toMatchObject({ state: 'Enabled' });
  });

  test('opens what it made when the same material is back, and takes no other', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const material = randomBytes(32);
    await importInto(kms, keyId, material);
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    const before = unwrap(kms, wrapped);
    expect(await kms.ask('deleteKeyMaterial', { keyId })).toMatchObject({
      state: 'PendingImport',
      hasMaterial: false,
    });
    expect(unwrap(kms, wrapped)).toBe('Rejected.PendingImport');
    expect(kms.store.get(`version/${keyId}/00001`)).toBeUndefined();
    expect(await refusal(importInto(kms, keyId, randomBytes(32)))).toBe('InvalidKeyMaterial');
    expect((await kms.ask('describeKey', { keyId })).state).toBe('PendingImport');
    const reopened = await kms.reopen();
    expect(await refusal(importInto(reopened, keyId, randomBytes(32)))).toBe('InvalidKeyMaterial');
    await importInto(reopened, keyId, material);
    expect(unwrap(reopened, wrapped)).toBe(before);
    // With the material in place too.
    expect(await refusal(importInto(reopened, keyId, randomBytes(32)))).toBe('InvalidKeyMaterial');
    expect(unwrap(reopened, wrapped)).toBe(before);
  });

  test('never counts less than it encrypted, however often material goes and comes', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const material = randomBytes(32);
    const counted = (): number => {
      const sealed = kms.store.get(`version/${keyId}/00001`)!;
      return openRecord(rootKeyOf(7), 'keyVersion', sealed)!.body.wrapsReserved;
    };
    await importInto(kms, keyId, material);
    await kms.ask('generateWrappedDataKey', { keyId, context });
    expect(counted()).toBe(1_024);
    await importInto(kms, keyId, material);
    expect(counted()).toBe(1_024);
    await kms.ask('deleteKeyMaterial', { keyId });
    await kms.ask('deleteKeyMaterial', { keyId });
    await importInto(kms, keyId, material);
    expect(counted()).toBe(1_024);
    const again = await kms.reopen();
    await again.ask('generateWrappedDataKey', { keyId, context });
    expect(counted()).toBe(2_048);
  });

  test('loses its material when it expires, at once, and has it back on import', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const material = randomBytes(32);
    await importInto(kms, keyId, material, kms.clock.now() + 5_000);
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    const before = unwrap(kms, wrapped);
    kms.clock.advance(4_999);
    expect(unwrap(kms, wrapped)).toBe(before);
    kms.clock.advance(1);
    expect(unwrap(kms, wrapped)).toBe('Rejected.PendingImport');
    expect(kms.store.get(`version/${keyId}/00001`)).toBeDefined();
    await kms.server.idle();
    expect(kms.store.get(`version/${keyId}/00001`)).toBeUndefined();
    expect(await kms.ask('describeKey', { keyId })).toMatchObject({
      state: 'PendingImport',
      materialExpiresAt: null,
    });
    await importInto(kms, keyId, material);
    expect(unwrap(kms, wrapped)).toBe(before);
    // And while the vault is closed.
    await importInto(kms, keyId, material, kms.clock.now() + 5_000);
    kms.clock.advance(5_000);
    const reopened = await kms.reopen();
    expect(reopened.store.get(`version/${keyId}/00001`)).toBeUndefined();
    expect(unwrap(reopened, wrapped)).toBe('Rejected.PendingImport');
  });

  test('without material is not enabled by taking its deletion back', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const material = randomBytes(32);
    await importInto(kms, keyId, material);
    await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 });
    expect(await refusal(importInto(kms, keyId, material))).toBe('Rejected.PendingDeletion');
    expect(await kms.ask('deleteKeyMaterial', { keyId })).toMatchObject({
      state: 'PendingDeletion',
      hasMaterial: false,
    });
    expect((await kms.ask('cancelKeyDeletion', { keyId })).state).toBe('PendingImport');
    expect((await importInto(kms, keyId, material)).state).toBe('Enabled');
  });

  test('disabled stays disabled by an import, and forgets it with its material', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const material = randomBytes(32);
    await importInto(kms, keyId, material);
    await kms.ask('disableKey', { keyId });
    expect((await importInto(kms, keyId, material)).state).toBe('Disabled');
    expect((await kms.ask('deleteKeyMaterial', { keyId })).state).toBe('PendingImport');
  });
});

describe('an import', () => {
  test('wants 32 bytes that decrypt', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const made = await kms.ask('getImportParameters', { keyId, wrappingAlgorithm: OAEP_256 });
    const request = { ...made, expiresAt: null };
    for (const byteCount of [0, 16, 31, 33, 64]) {
      const encryptedMaterial = wrapMaterial(made, randomBytes(byteCount));
      const wrong = kms.ask('importKeyMaterial', { ...request, encryptedMaterial });
      await expect(wrong).rejects.toThrow(
        `InvalidKeyMaterial: expected 32 bytes of material, got ${byteCount}`,
      );
    }
    for (const encryptedMaterial of [randomBytes(256), randomBytes(5), new Uint8Array(0)]) {
      const wrong = kms.ask('importKeyMaterial', { ...request, encryptedMaterial });
      expect(await refusal(wrong)).toBe('InvalidKeyMaterial');
    }
    expect((await kms.ask('describeKey', { keyId })).state).toBe('PendingImport');
  });

  test('wants its own token, unchanged, for a day, and the latest', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const other = await externalKey(kms);
    const parameters = { keyId, wrappingAlgorithm: OAEP_256 } as const;
    const old = await kms.ask('getImportParameters', parameters);
    const made = await kms.ask('getImportParameters', parameters);
    const encryptedMaterial = wrapMaterial(made, randomBytes(32));
    const request = { ...made, encryptedMaterial, expiresAt: null };
    const withToken = (importToken: Uint8Array, of = keyId): Promise<string> =>
      refusal(kms.ask('importKeyMaterial', { ...request, keyId: of, importToken }));
    for (let at = 0; at < made.importToken.length; at += 7) {
      const changed = made.importToken.slice();
      changed[at]! ^= 1;
      expect(await withToken(changed)).toBe('InvalidImportToken');
    }
    for (const token of [new Uint8Array(0), made.importToken.subarray(1), old.importToken]) {
      expect(await withToken(token)).toBe('InvalidImportToken');
    }
    expect(await withToken(made.importToken, other)).toBe('InvalidImportToken');
    kms.clock.advance(DAY_MS);
    expect(await withToken(made.importToken)).toBe('ExpiredImportToken');
    kms.clock.advance(-1);
    expect(await withToken(made.importToken)).toBe('done');
  });

  test('whose parameters are gone from the vault takes no material by their token', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const made = await kms.ask('getImportParameters', { keyId, wrappingAlgorithm: OAEP_256 });
    await kms.store.transact((transaction) => transaction.remove(`import/${keyId}`));
    const request = { keyId, importToken: made.importToken, expiresAt: null };
    const encryptedMaterial = wrapMaterial(made, randomBytes(32));
    const importing = kms.ask('importKeyMaterial', { ...request, encryptedMaterial });
    expect(await refusal(importing)).toBe('InvalidImportToken');
  });

  test('is not an asymmetric one', async () => {
    const { ask } = await testKms();
    const plan = { description: '', origin: 'EXTERNAL', asymmetricSpec: 'RSA_2048' } as const;
    expect(await refusal(ask('createKey', plan))).toBe('UnsupportedOperation');
  });

  test('wants an expiry to come', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const late = importInto(kms, keyId, randomBytes(32), kms.clock.now());
    expect(await refusal(late)).toBe('InvalidParameter');
    expect((await kms.ask('describeKey', { keyId })).state).toBe('PendingImport');
  });

  test('is for EXTERNAL keys only', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const bytes = Uint8Array.of(1);
    for (const attempt of [
      kms.ask('getImportParameters', { keyId, wrappingAlgorithm: OAEP_256 }),
      kms.ask('importKeyMaterial', {
        keyId,
        encryptedMaterial: bytes,
        importToken: bytes,
        expiresAt: null,
      }),
      kms.ask('deleteKeyMaterial', { keyId }),
    ]) {
      expect(await refusal(attempt)).toBe('Unsupported.Origin');
    }
  });

  test('whose key goes while its parameters are made has none', async () => {
    const kms = await testKms();
    const keyId = await externalKey(kms);
    const [made] = await Promise.allSettled([
      kms.ask('getImportParameters', { keyId, wrappingAlgorithm: OAEP_256 }),
      kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 }),
    ]);
    expect(made).toMatchObject({ reason: { code: 'Rejected.PendingDeletion' } });
    expect(kms.store.get(`import/${keyId}`)).toBeUndefined();
  });
});
