/** The vault on files: what it keeps, what it refuses to open, what it leaves behind. */

import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openVault } from '../../../src/kms/open-vault.ts';
import { openRecord } from '../../../src/kms/sealed-record.ts';
import { createKmsServer } from '../../../src/kms/serve.ts';
import { openLmdbStore } from '../../../src/kv/lmdb-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import {
  context,
  DAY_MS,
  fillRandom,
  keptStore,
  openTestVault,
  refusal,
  rootKeyOf,
  scope,
  testClock,
  testKms,
  unwrap,
} from './support.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a vault', () => {
  test('on files keeps everything over a close and an open, and no secret in plain', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-vault-'));
    try {
      const clock = testClock();
      const open = () => testKms({ store: openLmdbStore(join(directory, 'kms')), clock });
      let kms = await open();
      const rotated = await kms.ask('createKey', {
        description: 'kept',
        rotationIntervalMs: 7 * DAY_MS,
        tags: [{ key: 'team', value: 'blue' }],
      });
      const keyId = rotated.keyId;
      const old = await kms.ask('generateWrappedDataKey', { keyId, context });
      const oldKey = unwrap(kms, old);
      const encryptionContext = { purpose: 'test' };
      const plaintext = new TextEncoder().encode('plaintext of a caller');
      const blob = await kms.ask('encrypt', { keyId, plaintext, encryptionContext });
      await kms.ask('rotateKey', { keyId });
      const disabled = await kms.makeKey();
      await kms.ask('disableKey', { keyId: disabled });
      const service = await kms.ask('serviceKey', {});
      await kms.ask('createAlias', { keyId, aliasName: 'alias/mine' });
      await kms.ask('setAccountStatus', { regionId: 'cn-beijing', status: 'NotEnabled' });
      const imported = await importInto(kms);
      const before = await kms.ask('listKeys', {});
      const secrets = [
        imported.material,
        Buffer.from(oldKey, 'hex'),
        Buffer.from(plaintext),
        ...materialsOf(kms.store),
        rootKeyOf(7),
      ];
      await kms.vault.close();

      kms = await open();
      expect(await kms.ask('listKeys', {})).toEqual(before);
      expect(unwrap(kms, old)).toBe(oldKey);
      const decrypted = await kms.ask('decrypt', { ...blob, encryptionContext });
      expect(Buffer.from(decrypted.plaintext).toString()).toBe('plaintext of a caller');
      expect((await kms.ask('describeKey', { keyId: 'alias/mine' })).keyId).toBe(keyId);
      expect(await kms.ask('serviceKey', {})).toEqual(service);
      expect(await kms.ask('describeAccountStatus', { regionId: 'cn-beijing' })).toBe('NotEnabled');
      await kms.ask('deleteKeyMaterial', { keyId: imported.keyId });
      expect(await kms.ask('importKeyMaterial', imported)).toMatchObject({ state: 'Enabled' });
      clock.advance(7 * DAY_MS);
      expect((await kms.ask('describeKey', { keyId })).primaryVersion).toBe(3);
      await kms.vault.close();
      expectInNoFile(directory, secrets);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  /** A key with material of its owner's, and how it was imported. */
  async function importInto(kms: Awaited<ReturnType<typeof testKms>>) {
    const { keyId } = await kms.ask('createKey', { description: '', origin: 'EXTERNAL' });
    const wrappingAlgorithm = 'RSAES_OAEP_SHA_256';
    const made = await kms.ask('getImportParameters', { keyId, wrappingAlgorithm });
    const { importToken } = made;
    const material = Buffer.alloc(32, 'material of an owner');
    const encryptedMaterial = publicEncrypt(
      {
        key: createPublicKey({ key: Buffer.from(made.publicKey), format: 'der', type: 'spki' }),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
      },
      material,
    );
    const request = { keyId, importToken, encryptedMaterial, expiresAt: null, material };
    await kms.ask('importKeyMaterial', request);
    return request;
  }

  /** All material, and the private key of the import, opened with the root key in hand. */
  function materialsOf(store: { range: ReturnType<typeof keptStore>['range'] }): Uint8Array[] {
    const versions = store.range({ prefix: 'version/', limit: 100 });
    const imports = store.range({ prefix: 'import/', limit: 100 });
    expect(versions).toHaveLength(5);
    expect(imports).toHaveLength(1);
    return [
      ...versions.map(({ value }) => openRecord(rootKeyOf(7), 'keyVersion', value)!.secret),
      // The modulus is public: of the private key, what follows it.
      ...imports.map(({ value }) =>
        openRecord(rootKeyOf(7), 'importParameters', value)!.secret.subarray(400, 800),
      ),
    ];
  }

  function expectInNoFile(directory: string, secrets: readonly Uint8Array[]): void {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const bytes = readFileSync(join(file.parentPath, file.name));
      for (const secret of secrets) {
        for (let at = 0; at < secret.length - 15; at += 16) {
          const quarter = Buffer.from(secret.subarray(at, at + 16));
          expect([file.name, at, bytes.indexOf(quarter)]).toEqual([file.name, at, -1]);
          const hex = quarter.toString('hex');
          expect([file.name, at, bytes.indexOf(hex)]).toEqual([file.name, at, -1]);
        }
      }
    }
  }

  test('does not open under another root key', async () => {
    const store = keptStore();
    await (await openTestVault({ store })).close();
    await expect(openTestVault({ store, rootKeyByte: 8 })).rejects.toThrow(code('RootKeyInvalid'));
    await (await openTestVault({ store })).close();
  });

  test('does not take over a store that holds something else', async () => {
    const store = openMemoryStore();
    await store.transact((transaction) => transaction.put('disk/x', Uint8Array.of(1)));
    await expect(openTestVault({ store })).rejects.toThrow(code('DataDirectoryForeign'));
  });

  test('erases its root key and refuses everything once closed', async () => {
    const rootKey = rootKeyOf(7);
    const store = openMemoryStore();
    const vault = await openVault({ store, rootKey, clock: testClock(), fillRandom });
    const server = createKmsServer({ vault });
    const made = await server.handle({ op: 'createKey', ...scope, description: '' });
    const { keyId } = made as { keyId: string };
    const wrapped = await server.handle({ op: 'generateWrappedDataKey', keyId, context });
    await vault.close();
    await vault.close();
    expect(rootKey.every((byte) => byte === 0)).toBe(true);
    const attempts = [
      server.handle({ op: 'describeKey', ...scope, keyId }),
      server.handle({ op: 'createKey', ...scope, description: '' }),
      server.handle({ op: 'serviceKey', ...scope }),
    ];
    for (const attempt of attempts) expect(await refusal(attempt)).toBe('KmsUnavailable');
    const wrappedKey = wrapped as Uint8Array;
    expect(server.unwrap({ id: 1, wrappedKey, context })).toMatchObject({
      error: { code: 'KmsUnavailable' },
    });
  });

  test('erases the root key when it cannot be opened', async () => {
    const store = keptStore();
    await (await openTestVault({ store })).close();
    const rootKey = rootKeyOf(9);
    await expect(openVault({ store, rootKey, clock: testClock(), fillRandom })).rejects.toThrow();
    expect(rootKey.every((byte) => byte === 0)).toBe(true);
  });
});
