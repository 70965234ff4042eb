/** The verbs of the KMS as a caller of the API sees them: names, shapes, refusals. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Verbs } from '../../../../src/control/verbs.ts';
import { ACCOUNT, DAY_MS, NOW, plane } from './support.ts';

describe('CreateKey and DescribeKey', () => {
  it('show every field of KeyMetadata, empty where there is nothing to say', async () => {
    const { call, advance } = await plane();
    const { KeyMetadata } = await call('CreateKey', { Description: 'mine' });
    const { KeyId } = KeyMetadata;
    expect(KeyMetadata).toEqual({
      KeyId: expect.stringMatching(/^key-[a-z0-9]{20}$/),
      Arn: `acs:kms:cn-hangzhou:${ACCOUNT}:key/${KeyId}`,
      KeyState: 'Enabled',
      KeySpec: 'Aliyun_AES_256',
      KeyUsage: 'ENCRYPT/DECRYPT',
      Origin: 'Aliyun_KMS',
      ProtectionLevel: 'SOFTWARE',
      Creator: ACCOUNT,
      Description: 'mine',
      CreationDate: '2026-01-31T12:00:00Z',
      DeleteDate: '',
      MaterialExpireTime: '',
      PrimaryKeyVersion: '1',
      LastRotationDate: '2026-01-31T12:00:00Z',
      AutomaticRotation: 'Disabled',
      RotationInterval: '',
      NextRotationDate: '',
      DeletionProtection: 'Disabled',
      DeletionProtectionDescription: '',
    });
    expect(await call('DescribeKey', { KeyId })).toEqual({ KeyMetadata });
    await call('UpdateRotationPolicy', {
      KeyId,
      EnableAutomaticRotation: true,
      RotationInterval: '7d',
    });
    await call('SetDeletionProtection', {
      ProtectedResourceArn: KeyMetadata.Arn,
      EnableDeletionProtection: true,
      DeletionProtectionDescription: 'in use',
    });
    const first = JSON.parse((await call('GetKeyPolicy', { KeyId })).Policy);
    expect(first).toMatchObject({ Version: '1', Statement: [{ Effect: 'Allow' }] });
    const Policy = '{"Version":"1","Statement":[{"Effect":"Deny"}]}';
    await call('SetKeyPolicy', { KeyId, PolicyName: 'default', Policy });
    expect(await call('GetKeyPolicy', { KeyId })).toEqual({ Policy });
    await call('UpdateKeyDescription', { KeyId, Description: 'ours' });
    const changed = await call('DescribeKey', { KeyId });
    expect(changed.KeyMetadata).toEqual({
      ...KeyMetadata,
      Description: 'ours',
      AutomaticRotation: 'Enabled',
      RotationInterval: '604800s',
      NextRotationDate: '2026-02-07T12:00:00Z',
      DeletionProtection: 'Enabled',
      DeletionProtectionDescription: 'in use',
    });
    await call('DisableKey', { KeyId });
    const disabled = await call('DescribeKey', { KeyId });
    expect(disabled.KeyMetadata).toMatchObject({
      KeyState: 'Disabled',
      AutomaticRotation: 'Suspended',
    });
    await call('EnableKey', { KeyId });
    advance(7 * DAY_MS);
    const rotated = await call('DescribeKey', { KeyId });
    expect(rotated.KeyMetadata).toMatchObject({
      PrimaryKeyVersion: '2',
      LastRotationDate: '2026-02-07T12:00:00Z',
      NextRotationDate: '2026-02-14T12:00:00Z',
    });
    await call('SetDeletionProtection', { KeyId, EnableDeletionProtection: false });
    await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    const pending = await call('DescribeKey', { KeyId });
    expect(pending.KeyMetadata).toMatchObject({
      KeyState: 'PendingDeletion',
      DeleteDate: '2026-02-14T12:00:00Z',
      DeletionProtection: 'Disabled',
    });
    await call('CancelKeyDeletion', { KeyId });
    expect((await call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Enabled');
  });

  it('take tags, a policy and rotation from the beginning', async () => {
    const { call } = await plane();
    const Policy = '{"Version":"1","Statement":[]}';
    const { KeyMetadata } = await call('CreateKey', {
      ProtectionLevel: 'HSM',
      EnableAutomaticRotation: true,
      RotationInterval: '63072000s',
      Policy,
      Tags: [{ TagKey: 'team', TagValue: 'blue' }],
    });
    expect(KeyMetadata).toMatchObject({
      ProtectionLevel: 'HSM',
      RotationInterval: '63072000s',
      NextRotationDate: '2028-01-31T12:00:00Z',
    });
    const { KeyId } = KeyMetadata;
    expect(await call('GetKeyPolicy', { KeyId })).toEqual({ Policy });
    expect(await call('ListResourceTags', { KeyId })).toEqual({
      Tags: [{ KeyId, TagKey: 'team', TagValue: 'blue' }],
    });
  });

  it('say of the service key that it is ECS’s', async () => {
    const { call, refusal } = await plane();
    const KeyId = 'alias/acs/ecs';
    expect(await refusal('DescribeKey', { KeyId })).toBe('Forbidden.AliasNotFound');
    await call('CreateDisk', { Size: 1, Encrypted: true });
    const { KeyMetadata } = await call('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ Creator: 'Ecs', KeyState: 'Enabled' });
    expect(await refusal('DisableKey', { KeyId })).toBe('Rejected.UnsupportedOperation');
  });
});

describe('ListKeys', () => {
  it('pages through the keys of the call’s account and region', async () => {
    const { call, context } = await plane();
    const made: string[] = [];
    for (let count = 0; count < 12; count++) {
      made.push((await call('CreateKey', {})).KeyMetadata.KeyId);
    }
    await call('CreateKey', { RegionId: 'cn-beijing' });
    await call('CreateKey', {}, { ...context.principal, accountId: '1000000000000002' });
    const first = await call('ListKeys', {});
    expect(first).toMatchObject({ TotalCount: 12, PageNumber: 1, PageSize: 10 });
    const second = await call('ListKeys', { PageNumber: 2 });
    const listed = [...first.Keys, ...second.Keys];
    expect(listed.map((key) => key.KeyId).sort()).toEqual([...made].sort());
    const [key] = listed;
    expect(key?.KeyArn).toBe(`acs:kms:cn-hangzhou:${ACCOUNT}:key/${key?.KeyId}`);
  });

  it('filters by what DescribeKey shows', async () => {
    const { call, makeKey } = await plane();
    const a = await makeKey();
    const b = (await call('CreateKey', { ProtectionLevel: 'HSM' })).KeyMetadata.KeyId;
    const c = (await call('CreateKey', { Origin: 'EXTERNAL' })).KeyMetadata.KeyId;
    await call('CreateDisk', { Size: 1, Encrypted: true });
    const service = (await call('DescribeKey', { KeyId: 'alias/acs/ecs' })).KeyMetadata.KeyId;
    await call('DisableKey', { KeyId: b });
    const list = async (...Filters: { Key: string; Values: string[] }[]): Promise<string[]> =>
      (await call('ListKeys', { Filters })).Keys.map((key) => key.KeyId).sort();
    const only = (...keys: string[]): string[] => keys.sort();
    expect(await list({ Key: 'KeyState', Values: ['Disabled', 'PendingImport'] })).toEqual(
      only(b, c),
    );
    expect(await list({ Key: 'CreatorType', Values: ['Service'] })).toEqual([service]);
    expect(await list({ Key: 'Origin', Values: ['EXTERNAL'] })).toEqual([c]);
    const soft = { Key: 'ProtectionLevel', Values: ['SOFTWARE'] };
    const users = { Key: 'CreatorType', Values: ['User'] };
    expect(await list(soft, users)).toEqual(only(a, c));
    expect(await list({ Key: 'KeySpec', Values: ['Aliyun_SM4'] })).toEqual([]);
  });
});

describe('versions and aliases', () => {
  it('are listed, described and moved', async () => {
    const { call, makeKey, refusal } = await plane();
    const KeyId = await makeKey();
    const version = { KeyId, KeyVersionId: '2', CreationDate: '2026-01-31T12:00:00Z' };
    expect(await call('CreateKeyVersion', { KeyId })).toEqual({ KeyVersion: version });
    expect(await call('ListKeyVersions', { KeyId, PageSize: 1, PageNumber: 2 })).toEqual({
      TotalCount: 2,
      PageNumber: 2,
      PageSize: 1,
      KeyVersions: [version],
    });
    expect(await call('DescribeKeyVersion', { KeyId, KeyVersionId: '2' })).toEqual({
      KeyVersion: version,
    });
    for (const KeyVersionId of ['3', '0', '02', 'two', '1e0']) {
      const code = await refusal('DescribeKeyVersion', { KeyId, KeyVersionId });
      expect(code).toBe('Forbidden.KeyVersionNotFound');
    }
    const AliasName = 'alias/disks';
    await call('CreateAlias', { KeyId, AliasName });
    const AliasArn = `acs:kms:cn-hangzhou:${ACCOUNT}:alias/disks`;
    const totals = { TotalCount: 1, PageNumber: 1, PageSize: 10 };
    expect(await call('ListAliases', {})).toEqual({
      ...totals,
      Aliases: [{ KeyId, AliasName, AliasArn }],
    });
    const other = await makeKey();
    await call('UpdateAlias', { KeyId: other, AliasName });
    expect(await call('ListAliasesByKeyId', { KeyId: AliasArn })).toEqual({
      ...totals,
      Aliases: [{ KeyId: other, AliasName, AliasArn }],
    });
    expect((await call('ListAliasesByKeyId', { KeyId })).Aliases).toEqual([]);
    await call('DeleteAlias', { AliasName });
    expect((await call('ListAliases', {})).TotalCount).toBe(0);
  });

  it('name the key of a disk', async () => {
    const { call, makeKey, refusal } = await plane();
    const KeyId = await makeKey();
    await call('CreateAlias', { KeyId, AliasName: 'alias/disks' });
    const arn = `acs:kms:cn-hangzhou:${ACCOUNT}:key/${KeyId}`;
    for (const KMSKeyId of [KeyId, 'alias/disks', arn]) {
      await call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId });
    }
    const { Disks } = await call('DescribeDisks', { KMSKeyId: 'alias/disks' });
    expect(Disks.map((disk) => disk.KMSKeyId)).toEqual([KeyId, KeyId, KeyId]);
    const disk = { Size: 1, Encrypted: true, KMSKeyId: 'alias/nothing' };
    expect(await refusal('CreateDisk', disk)).toBe('InvalidParameter.KMSKeyId.NotFound');
  });
});

describe('tags', () => {
  it('of one key and of many are set, listed and removed', async () => {
    const { call, makeKey, refusal } = await plane();
    const [a, b] = [await makeKey(), await makeKey()];
    await call('TagResource', { KeyId: a, Tags: [{ TagKey: 'x', TagValue: '1' }] });
    const ResourceType = 'key';
    const Tag = [{ Key: 'y', Value: '2' }];
    await call('TagResources', { ResourceType, ResourceId: [a, b], Tag });
    const tagged = (ResourceId: string, TagKey: string, TagValue: string) => ({
      ResourceId,
      ResourceType,
      TagKey,
      TagValue,
    });
    const list = async (asked: Omit<Verbs['ListTagResources']['parameters'], 'ResourceType'>) =>
      (await call('ListTagResources', { ResourceType, ...asked })).TagResources;
    expect(await list({ ResourceId: [a] })).toEqual([tagged(a, 'x', '1'), tagged(a, 'y', '2')]);
    expect(await list({ Tag: [{ Key: 'y' }, { Key: 'x', Value: '1' }] })).toHaveLength(2);
    expect(await list({ Tag: [{ Key: 'x', Value: '2' }] })).toEqual([]);
    expect(await list({ ResourceId: [b] })).toEqual([tagged(b, 'y', '2')]);
    await call('UntagResource', { KeyId: a, TagKeys: ['x'] });
    await call('UntagResources', { ResourceType, ResourceId: [b], TagKey: ['y'] });
    expect(await list({})).toEqual([tagged(a, 'y', '2')]);
    await call('UntagResources', { ResourceType, ResourceId: [a, b], All: true });
    expect(await list({})).toEqual([]);
    const none = { ResourceType, ResourceId: [a] };
    expect(await refusal('UntagResources', none)).toBe('MissingParameter');
  });

  it('are listed a hundred at a time', async () => {
    const { call } = await plane();
    const Tags = Array.from({ length: 20 }, (_, index) => ({
      TagKey: `k${index}`,
      TagValue: '',
    }));
    for (let count = 0; count < 6; count++) await call('CreateKey', { Tags });
    const ResourceType = 'key';
    const first = await call('ListTagResources', { ResourceType });
    expect(first.TagResources).toHaveLength(100);
    const { NextToken } = first;
    const last = await call('ListTagResources', { ResourceType, NextToken });
    expect(last.TagResources).toHaveLength(20);
    expect(last.NextToken).toBe('');
  });
});

describe('imported material', () => {
  it('comes in base64 and goes on demand or with time', async () => {
    const { call, refusal, advance } = await plane();
    const { KeyMetadata } = await call('CreateKey', { Origin: 'EXTERNAL' });
    const { KeyId } = KeyMetadata;
    expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', Origin: 'EXTERNAL' });
    const disk = { Size: 1, Encrypted: true, KMSKeyId: KeyId };
    const notEnabled = 'InvalidParameter.KMSKeyId.CMKNotEnabled';
    expect(await refusal('CreateDisk', disk)).toBe(notEnabled);
    const made = await call('GetParametersForImport', {
      KeyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    });
    expect(made).toMatchObject({ KeyId, TokenExpireTime: '2026-02-01T12:00:00Z' });
    const key = createPublicKey({
      key: Buffer.from(made.PublicKey, 'base64'),
      format: 'der',
      type: 'spki',
    });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const wrapped = publicEncrypt({ key, padding, oaepHash: 'sha256' }, randomBytes(32));
    const material = {
      KeyId,
      EncryptedKeyMaterial: wrapped.toString('base64'),
      ImportToken: made.ImportToken,
    };
    const expires = NOW / 1_000 + 3_600;
    await call('ImportKeyMaterial', { ...material, KeyMaterialExpireUnix: expires });
    const enabled = await call('DescribeKey', { KeyId });
    expect(enabled.KeyMetadata).toMatchObject({
      KeyState: 'Enabled',
      MaterialExpireTime: '2026-01-31T13:00:00Z',
    });
    expect(await refusal('CreateDisk', disk)).toBe('done');
    advance(3_600_000);
    expect(await refusal('CreateDisk', disk)).toBe(notEnabled);
    await call('ImportKeyMaterial', { ...material, KeyMaterialExpireUnix: 0 });
    expect((await call('DescribeKey', { KeyId })).KeyMetadata.MaterialExpireTime).toBe('');
    expect(await refusal('CreateDisk', disk)).toBe('done');
    await call('DeleteKeyMaterial', { KeyId });
    expect(await refusal('CreateDisk', disk)).toBe(notEnabled);
  });
});

describe('the cryptographic verbs', () => {
  it('encrypt, decrypt and move what callers give, in base64', async () => {
    const { call, makeKey, refusal } = await plane();
    const KeyId = await makeKey();
    const EncryptionContext = { a: '1', b: '2' };
    const Plaintext = Buffer.from('a caller’s').toString('base64');
    const made = await call('Encrypt', { KeyId, Plaintext, EncryptionContext });
    expect(made).toEqual({ KeyId, KeyVersionId: '1', CiphertextBlob: expect.any(String) });
    const { CiphertextBlob } = made;
    const reordered = { CiphertextBlob, EncryptionContext: { b: '2', a: '1' } };
    expect(await call('Decrypt', reordered)).toEqual({ Plaintext, KeyId, KeyVersionId: '1' });
    expect(await refusal('Decrypt', { CiphertextBlob })).toBe('InvalidParameter');
    const DestinationKeyId = await makeKey();
    const moved = await call('ReEncrypt', {
      CiphertextBlob,
      SourceEncryptionContext: EncryptionContext,
      SourceKeyId: KeyId,
      SourceKeyVersionId: '1',
      DestinationKeyId,
    });
    expect(moved.KeyId).toBe(DestinationKeyId);
    const opened = await call('Decrypt', { CiphertextBlob: moved.CiphertextBlob });
    expect(opened).toEqual({ Plaintext, KeyId: DestinationKeyId, KeyVersionId: '1' });
    const wrongVersion = {
      CiphertextBlob,
      DestinationKeyId,
      SourceEncryptionContext: EncryptionContext,
      SourceKeyVersionId: 'x',
    };
    expect(await refusal('ReEncrypt', wrongVersion)).toBe('InvalidParameter');
  });

  it('make data keys of the length asked: NumberOfBytes before KeySpec before 32', async () => {
    const { call, makeKey } = await plane();
    const KeyId = await makeKey();
    const lengthOf = async (
      said: Omit<Verbs['GenerateDataKey']['parameters'], 'KeyId'>,
    ): Promise<number> => {
      const made = await call('GenerateDataKey', { KeyId, ...said });
      const opened = await call('Decrypt', { CiphertextBlob: made.CiphertextBlob });
      expect(opened.Plaintext).toBe(made.Plaintext);
      return Buffer.from(made.Plaintext, 'base64').length;
    };
    expect(await lengthOf({})).toBe(32);
    expect(await lengthOf({ KeySpec: 'AES_128' })).toBe(16);
    expect(await lengthOf({ KeySpec: 'AES_256' })).toBe(32);
    expect(await lengthOf({ KeySpec: 'AES_128', NumberOfBytes: 1_024 })).toBe(1_024);
    const alone = await call('GenerateDataKeyWithoutPlaintext', { KeyId });
    expect(Object.keys(alone).sort()).toEqual(['CiphertextBlob', 'KeyId', 'KeyVersionId']);
  });

  it('refuse a disk’s wrapped data key', async () => {
    const { call, context, refusal } = await plane();
    const { DiskId } = await call('CreateDisk', { Size: 1, Encrypted: true });
    const wrapped = context.metadata.getDisk(DiskId)?.encryption?.wrappedKey;
    const CiphertextBlob = Buffer.from(wrapped ?? '').toString('base64');
    expect(CiphertextBlob.length).toBe(120);
    expect(await refusal('Decrypt', { CiphertextBlob })).toBe('InvalidParameter');
  });
});

describe('the KMS of an account', () => {
  it('is activated by OpenKmsService, once, in a region', async () => {
    const { call, context, refusal } = await plane();
    expect(await call('DescribeAccountKmsStatus', {})).toEqual({ AccountStatus: 'Enabled' });
    expect(await refusal('OpenKmsService', {})).toBe('Forbidden.Opened');
    const { accountId, regionId, kms } = context;
    await kms.call({ op: 'setAccountStatus', accountId, regionId, status: 'NotEnabled' });
    expect(await refusal('CreateKey', {})).toBe('Forbidden.KmsServiceNotEnabled');
    const disk = { Size: 1, Encrypted: true };
    expect(await refusal('CreateDisk', { ...disk, KMSKeyId: 'alias/acs/ecs' })).toBe(
      'InvalidParameter.KmsNotEnabled',
    );
    expect(await refusal('CreateKey', { RegionId: 'cn-beijing' })).toBe('done');
    await call('OpenKmsService', {});
    expect(await refusal('CreateKey', {})).toBe('done');
  });
});
