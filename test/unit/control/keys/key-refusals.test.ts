/** What the verbs of the KMS refuse: keys of others, dry runs, parameters. */
import { describe, expect, it } from 'vitest';
import { KEY_VERBS } from '../../../../src/control/keys/table.ts';
import { ABSENT, plane } from './support.ts';

/** The verbs that may change something. */
const WRITES = Object.entries(KEY_VERBS)
  .filter(([, row]) => row.access === 'write')
  .map(([verb]) => verb);

describe('every verb on a key', () => {
  const said: Record<string, object> = {
    ScheduleKeyDeletion: { PendingWindowInDays: 7 },
    SetDeletionProtection: { EnableDeletionProtection: true },
    UpdateKeyDescription: { Description: '' },
    SetKeyPolicy: { Policy: '{"Version":"1","Statement":[]}' },
    UpdateRotationPolicy: { EnableAutomaticRotation: false },
    DescribeKeyVersion: { KeyVersionId: '1' },
    CreateAlias: { AliasName: 'alias/x' },
    UpdateAlias: { AliasName: 'alias/x' },
    TagResource: { Tags: [{ TagKey: 'a', TagValue: '' }] },
    UntagResource: { TagKeys: ['a'] },
    GetParametersForImport: {
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    },
    ImportKeyMaterial: {
      EncryptedKeyMaterial: 'AAAA',
      ImportToken: 'AAAA',
      KeyMaterialExpireUnix: 0,
    },
    Encrypt: { Plaintext: 'AAAA' },
  };
  const withoutKey = [
    ...['CreateKey', 'ListKeys', 'ListAliases', 'DeleteAlias', 'Decrypt', 'ReEncrypt'],
    ...['TagResources', 'UntagResources', 'ListTagResources'],
    ...['OpenKmsService', 'DescribeAccountKmsStatus'],
  ];
  const onKeys = Object.keys(KEY_VERBS).filter((verb) => !withoutKey.includes(verb));

  it.each(onKeys)('%s finds no key of another account, nor one that is not there', async (verb) => {
    const { call, context, refusal } = await plane();
    const other = { ...context.principal, accountId: '1000000000000002' };
    const foreign = (await call('CreateKey', {}, other)).KeyMetadata;
    for (const KeyId of [ABSENT, foreign.KeyId, foreign.Arn, '../x']) {
      expect(await refusal(verb, { ...said[verb], KeyId })).toBe('Forbidden.KeyNotFound');
    }
    const alias = { ...said[verb], KeyId: 'alias/nothing' };
    expect(await refusal(verb, alias)).toBe('Forbidden.AliasNotFound');
  });

  it.each(WRITES)('%s changes nothing in a dry run', async (verb) => {
    const { call, context, refusal, makeKey } = await plane();
    const KeyId = await makeKey();
    const external = (await call('CreateKey', { Origin: 'EXTERNAL' })).KeyMetadata.KeyId;
    await call('CreateAlias', { KeyId, AliasName: 'alias/y' });
    const before = await Promise.all([
      call('ListAliases', {}),
      call('DescribeKey', { KeyId }),
      call('DescribeKey', { KeyId: external }),
    ]);
    const resources = { ResourceType: 'key', ResourceId: [KeyId] };
    const dry: Record<string, object> = {
      CreateKey: {},
      OpenKmsService: {},
      DeleteAlias: { AliasName: 'alias/y' },
      UpdateAlias: { KeyId, AliasName: 'alias/y' },
      TagResources: { ...resources, Tag: [{ Key: 'a', Value: '' }] },
      UntagResources: { ...resources, All: true },
      GetParametersForImport: { ...said.GetParametersForImport, KeyId: external },
      DeleteKeyMaterial: { KeyId: external },
    };
    const { accountId, regionId } = context;
    if (verb === 'OpenKmsService') {
      const status = 'NotEnabled';
      await context.kms.call({ op: 'setAccountStatus', accountId, regionId, status });
    }
    const parameters = dry[verb] ?? { ...said[verb], KeyId };
    const refusedAnyway: Record<string, string> = {
      CancelKeyDeletion: 'Rejected.StateModifiedFailed',
      ImportKeyMaterial: 'Unsupported.Origin',
    };
    const expected = refusedAnyway[verb] ?? 'DryRunOperationError';
    expect(await refusal(verb, { ...parameters, DryRun: true })).toBe(expected);
    if (verb === 'OpenKmsService') await call('OpenKmsService', {});
    const after = await Promise.all([
      call('ListAliases', {}),
      call('DescribeKey', { KeyId }),
      call('DescribeKey', { KeyId: external }),
    ]);
    expect(after).toEqual(before);
    expect((await call('ListKeys', {})).TotalCount).toBe(2);
  });
});

describe('parameters', () => {
  const long = 'x'.repeat(9_000);
  const KeyId = ABSENT;
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };
  const material = { EncryptedKeyMaterial: 'AAAA', ImportToken: 'AAAA' };
  it.each([
    ['CreateKey', { Description: long }, 'InvalidParameter'],
    ['CreateKey', { Origin: 'KMS' }, 'InvalidParameter'],
    ['CreateKey', { ProtectionLevel: 'NONE' }, 'InvalidParameter'],
    ['CreateKey', { KeySpec: 'AES' }, 'InvalidParameter'],
    ['CreateKey', { KeyUsage: 'NOTHING' }, 'InvalidParameter'],
    ['CreateKey', { KeySpec: 'RSA_4096' }, 'UnsupportedOperation'],
    ['CreateKey', { KeySpec: 'EC_P256', KeyUsage: 'ENCRYPT/DECRYPT' }, 'UnsupportedOperation'],
    ['CreateKey', { KeySpec: 'RSA_2048', Origin: 'EXTERNAL' }, 'UnsupportedOperation'],
    ['CreateKey', { KeySpec: 'Aliyun_SM4' }, 'UnsupportedOperation'],
    ['CreateKey', { KeyUsage: 'SIGN/VERIFY' }, 'UnsupportedOperation'],
    ['CreateKey', { EnableAutomaticRotation: true }, 'MissingParameter'],
    ['CreateKey', { EnableAutomaticRotation: true, RotationInterval: '6d' }, 'InvalidParameter'],
    ['CreateKey', { RotationInterval: '1 year' }, 'InvalidParameter'],
    ['CreateKey', { Tags: [{ TagKey: 'acs:x', TagValue: '' }] }, 'InvalidParameter'],
    ['CreateKey', { Tags: [] }, 'InvalidParameter'],
    ['DescribeKey', {}, 'MissingParameter'],
    ['DescribeKey', { KeyId: 'x'.repeat(513) }, 'InvalidParameter'],
    ['ListKeys', { Filters: [{ Key: 'Arn', Values: ['x'] }] }, 'InvalidParameter'],
    ['ListKeys', { Filters: [{ Key: 'KeyState', Values: [] }] }, 'InvalidParameter'],
    ['ListKeys', { PageSize: 101 }, 'InvalidParameter'],
    ['ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 367 }, 'InvalidParameter'],
    ['ScheduleKeyDeletion', { KeyId }, 'MissingParameter'],
    ['SetDeletionProtection', { EnableDeletionProtection: true }, 'MissingParameter'],
    [
      'SetDeletionProtection',
      { KeyId, ProtectedResourceArn: KeyId, EnableDeletionProtection: true },
      'InvalidParameter',
    ],
    ['UpdateKeyDescription', { KeyId }, 'MissingParameter'],
    ['CreateKey', { Policy: 'no JSON' }, 'InvalidParameter'],
    ['SetKeyPolicy', { KeyId, Policy: 'no JSON' }, 'InvalidParameter'],
    ['SetKeyPolicy', { KeyId, Policy: '{"Version":"1"}' }, 'InvalidParameter'],
    ['GetKeyPolicy', { KeyId, PolicyName: 'mine' }, 'InvalidParameter'],
    ['UpdateRotationPolicy', { KeyId, EnableAutomaticRotation: true }, 'MissingParameter'],
    ['CreateAlias', { KeyId, AliasName: '' }, 'InvalidParameter'],
    ['TagResource', { KeyId, Tags: [{ TagKey: '', TagValue: '' }] }, 'InvalidParameter'],
    ['TagResources', { ResourceType: 'disk', ResourceId: [KeyId], Tag: [] }, 'InvalidParameter'],
    ['ListTagResources', { ResourceType: 'key', NextToken: 'x' }, 'InvalidParameter'],
    ['GetParametersForImport', { ...wrapping, KeyId, WrappingKeySpec: 'x' }, 'InvalidParameter'],
    ['GetParametersForImport', { ...wrapping, KeyId, WrappingAlgorithm: 'x' }, 'InvalidParameter'],
    ['ImportKeyMaterial', { ...material, KeyId }, 'MissingParameter'],
    ['ImportKeyMaterial', { ...material, KeyId, KeyMaterialExpireUnix: -1 }, 'InvalidParameter'],
    [
      'ImportKeyMaterial',
      { KeyId, EncryptedKeyMaterial: '!', ImportToken: 'AAAA', KeyMaterialExpireUnix: 0 },
      'InvalidParameter',
    ],
    ['GenerateDataKey', { KeyId, NumberOfBytes: 0 }, 'InvalidParameter'],
    ['GenerateDataKey', { KeyId, NumberOfBytes: 1_025 }, 'InvalidParameter'],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_512' }, 'InvalidParameter'],
    ['Encrypt', { KeyId, Plaintext: '' }, 'InvalidParameter'],
    ['Encrypt', { KeyId, Plaintext: 'AAA' }, 'InvalidParameter'],
    ['Encrypt', { KeyId, Plaintext: Buffer.alloc(6_145).toString('base64') }, 'InvalidParameter'],
    ['Encrypt', { KeyId, Plaintext: 'AAAA', EncryptionContext: { a: 1 } }, 'InvalidParameter'],
    ['Encrypt', { KeyId, Plaintext: 'AAAA', EncryptionContext: { a: long } }, 'InvalidParameter'],
    ['Decrypt', { CiphertextBlob: 'AAAA' }, 'InvalidParameter'],
    ['Decrypt', {}, 'MissingParameter'],
    ['ReEncrypt', { CiphertextBlob: 'AAAA', DestinationKeyId: KeyId }, 'InvalidParameter'],
    ['OpenKmsService', { Force: true }, 'InvalidParameter'],
  ])('of %s %j are refused with %s', async (verb, parameters, code) => {
    const { refusal } = await plane();
    expect(await refusal(verb, parameters)).toBe(code);
  });
});
