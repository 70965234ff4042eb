/** The API's own ciphertexts: what opens them, and that disks' keys are another world. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openRecord } from '../../../src/kms/sealed-record.ts';
import type { EncryptionContext } from '../../../src/record/kms-key.ts';
import { context, refusal, rootKeyOf, scope, type TestKms, testKms, unwrap } from './support.ts';

const plaintext = new TextEncoder().encode('what a caller encrypts');
const encryptionContext = { disk: 'd-1', owner: 'team ☃' };
const foreign = { ...scope, accountId: '6543210987654321' };

const sealed = async (kms: TestKms): Promise<{ keyId: string; blob: Uint8Array }> => {
  const keyId = await kms.makeKey();
  const made = await kms.ask('encrypt', { keyId, plaintext, encryptionContext });
  expect(made).toMatchObject({ keyId, version: 1 });
  return { keyId, blob: made.ciphertextBlob };
};

/** The format as its file describes it, read and written by other means. */
function bindingBySpec(keyId: string, of: EncryptionContext, head: Uint8Array): Buffer {
  const version = Buffer.from([0, 0, 0, 1]);
  const parts = ['sealdisk kms ciphertext', head, scope.accountId, scope.regionId, keyId, version];
  for (const key of Object.keys(of).sort()) {
    parts.push(Buffer.from(key, 'utf16le'), Buffer.from(of[key]!, 'utf16le'));
  }
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      return [Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes];
    }),
  );
}

function materialOf({ store }: TestKms, keyId: string): Uint8Array {
  const record = store.get(`version/${keyId}/00001`)!;
  return openRecord(rootKeyOf(7), 'keyVersion', record)!.secret;
}

describe('a ciphertext blob', () => {
  test('opens with its encryption context in any order, and no other', async () => {
    const kms = await testKms();
    const { keyId, blob: ciphertextBlob } = await sealed(kms);
    const open = (of: EncryptionContext) =>
      kms.ask('decrypt', { ciphertextBlob, encryptionContext: of });
    const opened = { keyId, version: 1, plaintext };
    expect(await open({ owner: 'team ☃', disk: 'd-1' })).toEqual(opened);
    const others: EncryptionContext[] = [
      {},
      { disk: 'd-1' },
      { ...encryptionContext, more: '' },
      { disk: 'd-2', owner: 'team ☃' },
      { 'd-1': 'disk', owner: 'team ☃' },
      { diskd: '-1', owner: 'team ☃' },
    ];
    for (const other of others) expect(await refusal(open(other))).toBe('InvalidParameter');
  });

  test('is what its file says, read by node:crypto from the description', async () => {
    const kms = await testKms();
    const { keyId, blob } = await sealed(kms);
    expect(blob).toHaveLength(62 + plaintext.length);
    const bytes = Buffer.from(blob);
    expect(bytes.toString('latin1', 0, 34)).toBe(`SDKB\x01\x01${keyId}\0\0\0\x01`);
    const material = materialOf(kms, keyId);
    const iv = bytes.subarray(34, 46);
    const decipher = createDecipheriv('aes-256-gcm', material, iv, { authTagLength: 16 });
    decipher.setAAD(bindingBySpec(keyId, encryptionContext, bytes.subarray(0, 6)));
    decipher.setAuthTag(bytes.subarray(-16));
    const opened = Buffer.concat([decipher.update(bytes.subarray(46, -16)), decipher.final()]);
    expect(opened.equals(plaintext)).toBe(true);
  });

  test('with any bit changed, cut or grown, is refused with a typed error', async () => {
    const kms = await testKms();
    const { blob } = await sealed(kms);
    const open = (ciphertextBlob: Uint8Array) =>
      refusal(kms.ask('decrypt', { ciphertextBlob, encryptionContext }));
    const codes = new Set<string>();
    for (let bit = 0; bit < blob.length * 8; bit += 3) {
      const changed = blob.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      codes.add(await open(changed));
    }
    expect([...codes].sort()).toEqual(['Forbidden.KeyNotFound', 'InvalidParameter']);
    const longest = new Uint8Array(7_000);
    longest.set(blob);
    const noVersion = Buffer.from(blob);
    noVersion.writeUInt32BE(0, 30);
    for (const other of [blob.subarray(0, 62), blob.subarray(1), longest, noVersion]) {
      expect(await open(other)).toBe('InvalidParameter');
    }
    expect(await open(new Uint8Array(0))).toBe('InvalidParameter');
  });

  test('takes every plaintext and context, and gives them back', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 6_144 });
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const texts = fc.dictionary(text, text, { maxKeys: 8 });
    const property = fc.asyncProperty(bytes, texts, async (any, of) => {
      const made = await kms.ask('encrypt', { keyId, plaintext: any, encryptionContext: of });
      const reversed = Object.fromEntries(Object.entries(of).reverse());
      const opened = await kms.ask('decrypt', { ...made, encryptionContext: reversed });
      expect(Buffer.compare(opened.plaintext, any)).toBe(0);
    });
    await fc.assert(property, { numRuns: 100 });
  });

  test('is nobody else’s, and needs its key enabled', async () => {
    const kms = await testKms();
    const { keyId, blob: ciphertextBlob } = await sealed(kms);
    const request = { ciphertextBlob, encryptionContext };
    const byOther = kms.ask('decrypt', { ...foreign, ...request });
    expect(await refusal(byOther)).toBe('Forbidden.KeyNotFound');
    await kms.ask('disableKey', { keyId });
    expect(await refusal(kms.ask('decrypt', request))).toBe('Rejected.Disabled');
    const encrypt = kms.ask('encrypt', { keyId, plaintext, encryptionContext });
    expect(await refusal(encrypt)).toBe('Rejected.Disabled');
  });

  test('opens in no dry run, which says whether it would', async () => {
    const kms = await testKms();
    const { blob: ciphertextBlob } = await sealed(kms);
    const request = { ciphertextBlob, encryptionContext, dryRun: true };
    expect(await refusal(kms.ask('decrypt', request))).toBe('DryRunOperationError');
    const wrong = kms.ask('decrypt', { ...request, encryptionContext: {} });
    expect(await refusal(wrong)).toBe('InvalidParameter');
  });
});

describe('a data key of the API', () => {
  test('comes in plain and encrypted, or encrypted alone, of the length asked', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    for (const byteCount of [1, 16, 32, 1_024]) {
      const request = { keyId, byteCount, encryptionContext };
      const made = await kms.ask('generateDataKey', { ...request, withPlaintext: true });
      expect(made.plaintext).toHaveLength(byteCount);
      const opened = await kms.ask('decrypt', { ...made, encryptionContext });
      expect(opened.plaintext).toEqual(made.plaintext);
      const alone = await kms.ask('generateDataKey', { ...request, withPlaintext: false });
      expect(alone.plaintext).toBeNull();
      const openedAlone = await kms.ask('decrypt', { ...alone, encryptionContext });
      expect(openedAlone.plaintext).toHaveLength(byteCount);
      if (byteCount > 1) expect(openedAlone.plaintext).not.toEqual(made.plaintext);
    }
  });
});

describe('re-encryption', () => {
  test('moves a ciphertext to another key and context, without showing it', async () => {
    const kms = await testKms();
    const { keyId: sourceKeyId, blob: ciphertextBlob } = await sealed(kms);
    const keyId = await kms.makeKey();
    await kms.ask('rotateKey', { keyId });
    const request = {
      keyId,
      ciphertextBlob,
      encryptionContext,
      destinationContext: { now: 'here' },
      sourceKeyId,
      sourceVersion: 1,
    };
    const moved = await kms.ask('reEncrypt', request);
    expect(moved).toEqual({ keyId, version: 2, ciphertextBlob: expect.any(Uint8Array) });
    const opened = await kms.ask('decrypt', { ...moved, encryptionContext: { now: 'here' } });
    expect(opened).toMatchObject({ keyId, plaintext });
    const withoutSource = { ...request, sourceKeyId: null, sourceVersion: null };
    expect(await refusal(kms.ask('reEncrypt', withoutSource))).toBe('done');
    for (const wrong of [
      { sourceKeyId: keyId },
      { sourceVersion: 2 },
      { encryptionContext: {} },
      { ciphertextBlob: ciphertextBlob.subarray(1) },
    ]) {
      const attempt = kms.ask('reEncrypt', { ...request, ...wrong });
      expect(await refusal(attempt)).toBe('InvalidParameter');
    }
    const dryRun = kms.ask('reEncrypt', { ...request, dryRun: true });
    expect(await refusal(dryRun)).toBe('DryRunOperationError');
    await kms.ask('disableKey', { keyId: sourceKeyId });
    expect(await refusal(kms.ask('reEncrypt', request))).toBe('Rejected.Disabled');
  });
});

describe('the API and the disks', () => {
  test('have nothing in common: a wrapped disk key is no ciphertext of the API', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    // As it is, and forged: its IV, ciphertext and tag under the head of a blob.
    const forged = Buffer.concat([
      Buffer.from(`SDKB\x01\x01${keyId}\0\0\0\x01`, 'latin1'),
      wrapped.subarray(30),
    ]);
    for (const ciphertextBlob of [wrapped, forged]) {
      for (const of of [{}, { lineageId: context.lineageId }, { ...context }]) {
        const decrypt = kms.ask('decrypt', { ciphertextBlob, encryptionContext: of });
        expect(await refusal(decrypt)).toBe('InvalidParameter');
        const destinationContext = {};
        const moved = kms.ask('reEncrypt', {
          keyId,
          ciphertextBlob,
          encryptionContext: of,
          destinationContext,
          sourceKeyId: null,
          sourceVersion: null,
        });
        expect(await refusal(moved)).toBe('InvalidParameter');
      }
    }
    expect(unwrap(kms, wrapped)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('have nothing in common: a ciphertext of the API is no wrapped disk key', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    for (const of of [{}, { lineageId: context.lineageId }, { ...context }]) {
      const request = { keyId, byteCount: 32, withPlaintext: true, encryptionContext: of };
      const { ciphertextBlob } = await kms.ask('generateDataKey', request);
      expect(unwrap(kms, ciphertextBlob)).toBe('WrappedKeyInvalid');
      const forged = Buffer.concat([
        Buffer.from(`\x01\x01${keyId}\0\0\0\x01`, 'latin1'),
        ciphertextBlob.subarray(34),
      ]);
      expect(forged).toHaveLength(90);
      expect(unwrap(kms, forged)).toBe('WrappedKeyInvalid');
    }
  });

  test('the test above could fail: with the disk’s own binding the forgery opens', async () => {
    const kms = await testKms();
    const keyId = await kms.makeKey();
    const head = Buffer.from(`\x01\x01${keyId}\0\0\0\x01`, 'latin1');
    const iv = Buffer.alloc(12, 7);
    const cipher = createCipheriv('aes-256-gcm', materialOf(kms, keyId), iv, { authTagLength: 16 });
    const parts = ['sealdisk wrapped data key', '\x01', '\x01', scope.accountId, scope.regionId];
    parts.push(keyId, '\0\0\0\x01', context.lineageId);
    const binding = parts.map((part) => `${String.fromCharCode(0, part.length)}${part}`).join('');
    cipher.setAAD(Buffer.from(binding, 'latin1'));
    const ciphertext = Buffer.concat([cipher.update(Buffer.alloc(32, 5)), cipher.final()]);
    const made = Buffer.concat([head, iv, ciphertext, cipher.getAuthTag()]);
    expect(unwrap(kms, made)).toBe('05'.repeat(32));
  });
});
