/** Every request on a key of every kind and state asks the rules: the tables are what is done. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { KEY_OPERATIONS, type KeyOperation, stateAfter } from '../../../src/kms/key-states.ts';
import type { KeyDescription, KeyState } from '../../../src/record/kms-key.ts';
import { context, keptStore, refusal, type TestKms, testKms } from './support.ts';

const wrappingAlgorithm = 'RSAES_OAEP_SHA_256';
const material = Buffer.alloc(32, 'material of the owner');
const encryptionContext = {};
const plaintext = Uint8Array.of(1);
const aliasName = 'alias/old';

interface Subject {
  readonly kind: 'service' | 'own' | 'imported';
  readonly state: KeyState;
}

const SUBJECTS: readonly Subject[] = [
  { kind: 'service', state: 'Enabled' },
  { kind: 'own', state: 'Enabled' },
  { kind: 'own', state: 'Disabled' },
  { kind: 'own', state: 'PendingDeletion' },
  { kind: 'imported', state: 'Enabled' },
  { kind: 'imported', state: 'Disabled' },
  { kind: 'imported', state: 'PendingDeletion' },
  { kind: 'imported', state: 'PendingImport' },
];

/** What a key was made with, before it was brought into its state. */
interface Made {
  readonly key: KeyDescription;
  readonly imported: { readonly importToken: Uint8Array; readonly encryptedMaterial: Uint8Array };
  readonly blob: Uint8Array;
}

async function make(kms: TestKms, { kind, state }: Subject): Promise<Made> {
  const origin = kind === 'imported' ? 'EXTERNAL' : 'Aliyun_KMS';
  const made =
    kind === 'service'
      ? await kms.ask('serviceKey', {})
      : await kms.ask('createKey', { description: '', origin });
  const { keyId } = made;
  let imported: Made['imported'] = {
    importToken: Uint8Array.of(1),
    encryptedMaterial: Uint8Array.of(1),
  };
  if (kind === 'imported') {
    const parameters = await kms.ask('getImportParameters', { keyId, wrappingAlgorithm });
    const { importToken } = parameters;
    const publicKey = Buffer.from(parameters.publicKey);
    const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const encryptedMaterial = publicEncrypt({ key, padding, oaepHash: 'sha256' }, material);
    imported = { importToken, encryptedMaterial };
    await kms.ask('importKeyMaterial', { keyId, ...imported, expiresAt: null });
  }
  if (kind !== 'service') await kms.ask('createAlias', { keyId, aliasName });
  const encrypted = await kms.ask('encrypt', { keyId, plaintext, encryptionContext });
  if (state === 'Disabled') await kms.ask('disableKey', { keyId });
  if (state === 'PendingImport') await kms.ask('deleteKeyMaterial', { keyId });
  if (state === 'PendingDeletion') await kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 });
  const key = await kms.ask('describeKey', { keyId });
  expect(key.state).toBe(state);
  return { key, imported, blob: encrypted.ciphertextBlob };
}

/** The requests that do an operation. */
function requestsOf(operation: KeyOperation, kms: TestKms, made: Made): Promise<unknown>[] {
  const { keyId } = made.key;
  const dataKey = { keyId, byteCount: 32, withPlaintext: true, encryptionContext };
  switch (operation) {
    case 'use':
      return [
        kms.ask('generateWrappedDataKey', { keyId, context }),
        kms.ask('encrypt', { keyId, plaintext, encryptionContext }),
        kms.ask('decrypt', { ciphertextBlob: made.blob, encryptionContext }),
        kms.ask('generateDataKey', dataKey),
        kms.ask('checkKeyUsable', { keyId }),
        kms.ask('tagForDisks', { keyId }),
      ];
    case 'describe':
      return [
        kms.ask('describeKey', { keyId }),
        kms.ask('resolveKey', { keyId }),
        kms.ask('listKeyVersions', { keyId, skip: 0, limit: 1 }),
        kms.ask('listAliases', { keyId }),
      ];
    case 'rotate':
      return [kms.ask('rotateKey', { keyId })];
    case 'setRotationPolicy':
      return [kms.ask('updateRotationPolicy', { keyId, rotationIntervalMs: null })];
    case 'enable':
      return [kms.ask('enableKey', { keyId })];
    case 'disable':
      return [kms.ask('disableKey', { keyId })];
    case 'scheduleDeletion':
      return [kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 })];
    case 'cancelDeletion':
      return [kms.ask('cancelKeyDeletion', { keyId })];
    case 'setDeletionProtection':
      return [kms.ask('setDeletionProtection', { keyId, isProtected: true, description: '' })];
    case 'updateDescription':
      return [kms.ask('updateKeyDescription', { keyId, description: 'new' })];
    case 'createAlias':
      return [kms.ask('createAlias', { keyId, aliasName: 'alias/new' })];
    case 'updateAlias':
      return [kms.ask('updateAlias', { keyId, aliasName })];
    case 'deleteAlias':
      return made.key.isServiceKey ? [] : [kms.ask('deleteAlias', { aliasName })];
    case 'tag':
      return [kms.ask('tagKeys', { keyIds: [keyId], tags: [{ key: 'a', value: '' }] })];
    case 'untag':
      return [kms.ask('untagKeys', { keyIds: [keyId], tagKeys: ['a'] })];
    case 'getImportParameters':
      return [kms.ask('getImportParameters', { keyId, wrappingAlgorithm })];
    case 'importMaterial':
      return [kms.ask('importKeyMaterial', { keyId, ...made.imported, expiresAt: null })];
    case 'deleteMaterial':
      return [kms.ask('deleteKeyMaterial', { keyId })];
  }
}

function ruled(operation: KeyOperation, key: KeyDescription): { code: string; state: KeyState } {
  try {
    return { code: 'done', state: stateAfter(operation, key) };
  } catch (error) {
    return { code: (error as { code: string }).code, state: key.state };
  }
}

/** The same vault again, to be changed by one test alone. */
async function copyOf({ store, clock }: TestKms): Promise<TestKms> {
  const copy = keptStore();
  await copy.transact((transaction) => {
    for (const { key, value } of store.range({ prefix: '', limit: 1_000 })) {
      transaction.put(key, value);
    }
  });
  return testKms({ store: copy, clock });
}

describe.each(SUBJECTS)('a $kind key that is $state', (subject) => {
  let original: TestKms;
  let made: Made;
  beforeAll(async () => {
    original = await testKms();
    made = await make(original, subject);
  });

  test.each(KEY_OPERATIONS)('is as the rules say after: %s', async (operation) => {
    const kms = await copyOf(original);
    const { code, state } = ruled(operation, made.key);
    const codes = await Promise.all(requestsOf(operation, kms, made).map(refusal));
    expect([...new Set([code, ...codes])]).toEqual([code]);
    const after = await kms.ask('describeKey', { keyId: made.key.keyId });
    expect(after.state).toBe(state);
    if (code !== 'done') expect(after).toEqual(made.key);
  });
});
