/** DATA: what verbs of the KMS refuse. */
import { constants, publicEncrypt } from 'node:crypto';
import {
  ABROAD,
  DAY_MS,
  type ErrorCase,
  type ErrorWorld,
  OTHER,
  refused,
} from '../../../support/error-world.ts';

const NO_KEY = 'key-00000000000000000000';
const EXTERNAL = { Origin: 'EXTERNAL' } as const;
const WRAPPING = {
  WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
  WrappingKeySpec: 'RSA_2048',
} as const;

async function disabled(w: ErrorWorld): Promise<string> {
  const KeyId = await w.key();
  await w.call('DisableKey', { KeyId });
  return KeyId;
}

async function pendingDeletion(w: ErrorWorld): Promise<string> {
  const KeyId = await w.key();
  await w.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  return KeyId;
}

/** The id of the service key. */
async function serviceKey(w: ErrorWorld): Promise<string> {
  await w.disk({ Encrypted: true });
  return (await w.call('DescribeKey', { KeyId: 'alias/acs/ecs' })).KeyMetadata.KeyId;
}

/** Material as a caller wraps it for a key. */
async function wrapped(w: ErrorWorld, KeyId: string, byteCount = 32) {
  const made = await w.call('GetParametersForImport', { KeyId, ...WRAPPING });
  const key = { key: Buffer.from(made.PublicKey, 'base64'), format: 'der', type: 'spki' } as const;
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const encrypted = publicEncrypt({ ...key, ...padding }, Buffer.alloc(byteCount, 7));
  return {
    KeyId,
    EncryptedKeyMaterial: encrypted.toString('base64'),
    ImportToken: made.ImportToken,
    KeyMaterialExpireUnix: 0,
  };
}

const NAMES: readonly ErrorCase[] = [
  refused('Forbidden.KeyNotFound', 404, 'DescribeKey', 'no key has the id', async () => ({
    parameters: { KeyId: NO_KEY },
    says: [NO_KEY],
  })),
  refused('Forbidden.KeyNotFound', 404, 'Encrypt', 'it is no id of a key', async (w) => {
    const KeyId = await w.disk();
    return { parameters: { KeyId, Plaintext: 'aGVsbG8=' }, says: [KeyId] };
  }),
  refused('Forbidden.KeyNotFound', 404, 'DisableKey', 'it is another account’s', async (w) => {
    const KeyId = await w.key();
    return { parameters: { KeyId }, says: [KeyId], by: { accountId: OTHER } };
  }),
  refused('Forbidden.KeyNotFound', 404, 'ScheduleKeyDeletion', 'another region’s', async (w) => {
    const KeyId = await w.key();
    const parameters = { KeyId, PendingWindowInDays: 7, RegionId: ABROAD };
    return { parameters, says: [KeyId] };
  }),
  refused('Forbidden.KeyNotFound', 404, 'CancelKeyDeletion', 'it is deleted', async (w) => {
    const KeyId = await pendingDeletion(w);
    w.clock.advance(8 * DAY_MS);
    await w.call('ListKeys', {});
    return { parameters: { KeyId }, says: [KeyId] };
  }),
  refused('Forbidden.KeyNotFound', 404, 'DescribeKeyImpact', 'there is no key', async () => ({
    parameters: { KeyId: NO_KEY },
    says: [NO_KEY],
  })),
  refused('Forbidden.AliasNotFound', 404, 'DeleteAlias', 'there is no such alias', async () => ({
    parameters: { AliasName: 'alias/nobody' },
    says: ['alias/nobody'],
  })),
  refused('Forbidden.AliasNotFound', 404, 'DescribeKey', 'an alias names nothing', async () => ({
    parameters: { KeyId: 'alias/nobody' },
    says: ['alias/nobody'],
  })),
  refused('Forbidden.KeyVersionNotFound', 404, 'DescribeKeyVersion', 'no version', async (w) => {
    const KeyId = await w.key();
    return { parameters: { KeyId, KeyVersionId: '9' }, says: [KeyId, '9'] };
  }),
  refused('AliasAlreadyExists', 400, 'CreateAlias', 'it names another key', async (w) => {
    const KeyId = await w.key();
    await w.call('CreateAlias', { KeyId, AliasName: 'alias/mine' });
    const parameters = { KeyId: await w.key(), AliasName: 'alias/mine' };
    return { parameters, says: ['alias/mine', KeyId] };
  }),
  refused('InvalidParameter', 400, 'CreateAlias', 'the alias is the cloud’s', async (w) => ({
    parameters: { KeyId: await w.key(), AliasName: 'alias/acs/ecs' },
    says: ['AliasName', 'alias/acs/'],
  })),
];

const STATES: readonly ErrorCase[] = [
  refused('Rejected.Disabled', 409, 'GenerateDataKey', 'the key is disabled', async (w) => {
    const KeyId = await disabled(w);
    return { parameters: { KeyId }, says: [KeyId, 'Disabled'] };
  }),
  refused('Rejected.PendingDeletion', 409, 'Encrypt', 'the key is to go', async (w) => {
    const KeyId = await pendingDeletion(w);
    return { parameters: { KeyId, Plaintext: 'aGVsbG8=' }, says: [KeyId, 'PendingDeletion'] };
  }),
  refused('Rejected.PendingDeletion', 409, 'CreateAlias', 'the key is to go', async (w) => {
    const KeyId = await pendingDeletion(w);
    return { parameters: { KeyId, AliasName: 'alias/late' }, says: [KeyId, 'PendingDeletion'] };
  }),
  refused('Rejected.PendingImport', 409, 'GenerateDataKey', 'it has no material', async (w) => {
    const KeyId = await w.key(EXTERNAL);
    return { parameters: { KeyId }, says: [KeyId, 'PendingImport'] };
  }),
  refused('Rejected.StateModifiedFailed', 409, 'EnableKey', 'it has no material', async (w) => {
    const KeyId = await w.key(EXTERNAL);
    return { parameters: { KeyId }, says: [KeyId, 'PendingImport'] };
  }),
  refused('Rejected.StateModifiedFailed', 409, 'CancelKeyDeletion', 'none is due', async (w) => {
    const KeyId = await w.key();
    return { parameters: { KeyId }, says: [KeyId, 'Enabled'] };
  }),
  refused('Rejected.UnsupportedOperation', 409, 'DisableKey', 'the service key', async (w) => {
    const KeyId = await serviceKey(w);
    return { parameters: { KeyId }, says: [KeyId, 'service key'] };
  }),
  refused('Rejected.UnsupportedOperation', 409, 'ScheduleKeyDeletion', 'protected', async (w) => {
    const KeyId = await w.key();
    await w.call('SetDeletionProtection', { KeyId, EnableDeletionProtection: true });
    return { parameters: { KeyId, PendingWindowInDays: 7 }, says: [KeyId, 'protected'] };
  }),
  refused('UnsupportedOperation', 400, 'CreateKeyVersion', 'imported material', async (w) => {
    const KeyId = await w.key(EXTERNAL);
    await w.call('ImportKeyMaterial', await wrapped(w, KeyId));
    return { parameters: { KeyId }, says: [KeyId, 'EXTERNAL'] };
  }),
  refused('UnsupportedOperation', 400, 'CreateKey', 'a kind of key not made here', async () => ({
    parameters: { KeySpec: 'EC_P256', KeyUsage: 'SIGN/VERIFY' },
    says: ['KeySpec'],
  })),
  refused('Forbidden.KmsServiceNotEnabled', 403, 'CreateKey', 'KMS is not activated', async (w) => {
    await w.setKmsStatus('NotEnabled');
    return { parameters: {}, says: ['NotEnabled', w.context.accountId] };
  }),
  refused('Forbidden.Opened', 400, 'OpenKmsService', 'KMS is activated', async (w) => ({
    parameters: {},
    says: [w.context.accountId],
  })),
];

const MATERIAL: readonly ErrorCase[] = [
  refused('Unsupported.Origin', 400, 'GetParametersForImport', 'the KMS made it', async (w) => {
    const KeyId = await w.key();
    return { parameters: { KeyId, ...WRAPPING }, says: [KeyId, 'EXTERNAL'] };
  }),
  refused('InvalidKeyMaterial', 400, 'ImportKeyMaterial', '31 bytes', async (w) => ({
    parameters: await wrapped(w, await w.key(EXTERNAL), 31),
    says: ['32', '31'],
  })),
  refused('InvalidKeyMaterial', 400, 'ImportKeyMaterial', 'it is not wrapped', async (w) => ({
    parameters: {
      ...(await wrapped(w, await w.key(EXTERNAL))),
      EncryptedKeyMaterial: Buffer.alloc(256, 1).toString('base64'),
    },
    says: ['RSAES_OAEP_SHA_256'],
  })),
  refused('InvalidImportToken', 400, 'ImportKeyMaterial', 'another key’s token', async (w) => {
    const other = await wrapped(w, await w.key(EXTERNAL));
    const own = await wrapped(w, await w.key(EXTERNAL));
    const parameters = { ...own, ImportToken: other.ImportToken };
    return { parameters, says: [other.KeyId] };
  }),
  refused('ExpiredImportToken', 400, 'ImportKeyMaterial', 'after a day', async (w) => {
    const parameters = await wrapped(w, await w.key(EXTERNAL));
    w.clock.advance(DAY_MS + 1);
    await w.call('ListKeys', {});
    return { parameters, says: ['2026-02-01'] };
  }),
  refused('InvalidParameter', 400, 'Decrypt', 'another context', async (w) => {
    const KeyId = await w.key();
    const EncryptionContext = { disk: 'one' };
    const made = await w.call('Encrypt', { KeyId, Plaintext: 'aGVsbG8=', EncryptionContext });
    return { parameters: { CiphertextBlob: made.CiphertextBlob }, says: ['CiphertextBlob'] };
  }),
  refused('InvalidParameter', 400, 'Encrypt', 'the plaintext is no base64', async (w) => ({
    parameters: { KeyId: await w.key(), Plaintext: 'my secret!' },
    says: ['Encrypt', 'Plaintext', 'base64'],
    hides: 'secret',
  })),
  refused('MissingParameter', 400, 'UpdateRotationPolicy', 'how often', async (w) => ({
    parameters: { KeyId: await w.key(), EnableAutomaticRotation: true },
    says: ['RotationInterval'],
  })),
];

const QUOTAS: readonly ErrorCase[] = [
  refused('Rejected.LimitExceeded', 400, 'CreateKey', 'there are 200 keys', async (w) => {
    for (let made = 0; made < 200; made++) await w.key();
    return { parameters: {}, says: ['200'] };
  }),
  refused('Rejected.LimitExceeded', 400, 'TagResource', 'the key has 20 tags', async (w) => {
    const KeyId = await w.key();
    const tag = (_: unknown, index: number) => ({ TagKey: `k${index}`, TagValue: 'v' });
    await w.call('TagResource', { KeyId, Tags: Array.from({ length: 20 }, tag) });
    const Tags = [{ TagKey: 'k20', TagValue: 'v' }];
    return { parameters: { KeyId, Tags }, says: ['20'] };
  }),
  refused(
    'Rejected.Throttling',
    429,
    'DescribeKey',
    'the second’s requests are used up',
    async (w) => {
      const KeyId = await w.key();
      for (let read = 0; read < 20; read++) await w.call('DescribeKey', { KeyId });
      return { parameters: { KeyId }, says: ['20'] };
    },
    { throttling: true },
  ),
];

export const KEY_CASES: readonly ErrorCase[] = [...NAMES, ...STATES, ...MATERIAL, ...QUOTAS];
