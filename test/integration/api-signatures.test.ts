/** KMS by its SDK, and the signatures of every official client, right and wrong. */
import { describe, expect, test } from 'vitest';
import { describeDisk, newDisk, newKey, refusal, regionId } from '../support/api-steps.ts';
import { startApi } from '../support/api-subject.ts';
import { callByCore, ecs, ecsClient, kms, kmsClient, popClient } from '../support/official-sdk.ts';

const OTHER_ACCOUNT = '1000000000000002';
const TEXT = Buffer.from('what the customer wrote');

describe('KMS', () => {
  test('makes data keys, encrypts and decrypts, with contexts of both spellings', async () => {
    await using api = await startApi();
    const keys = kmsClient(api.port);
    const keyId = await newKey(api);
    const made = await keys.generateDataKey(
      new kms.GenerateDataKeyRequest({ keyId, keySpec: 'AES_256', encryptionContext: { a: 'b' } }),
    );
    expect(Buffer.from(made.plaintext, 'base64')).toHaveLength(32);
    expect(made.requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const opened = await callByCore(
      api.port,
      '2016-01-20',
      'Decrypt',
      { CiphertextBlob: made.ciphertextBlob },
      { EncryptionContext: '{"a":"b"}' },
    );
    expect((opened.body as { Plaintext: string }).Plaintext).toBe(made.plaintext);
    await keys.createAlias(new kms.CreateAliasRequest({ keyId, aliasName: 'alias/app' }));
    const aliases = await keys.listAliases(new kms.ListAliasesRequest({}));
    expect(aliases.aliases.alias.map((each) => each.aliasName)).toContain('alias/app');
    const described = await keys.describeKey(new kms.DescribeKeyRequest({ keyId: 'alias/app' }));
    expect(described.keyMetadata).toMatchObject({
      keyId,
      keyState: 'Enabled',
      origin: 'Aliyun_KMS',
    });
  });

  test('refuses in its own shape', async () => {
    await using api = await startApi();
    const keys = kmsClient(api.port);
    const keyId = await newKey(api);
    await keys.disableKey(new kms.DisableKeyRequest({ keyId }));
    const encrypt = keys.encrypt(
      new kms.EncryptRequest({ keyId, plaintext: TEXT.toString('base64') }),
    );
    const error = (await refusal(encrypt)) as unknown as Record<'data', unknown>;
    expect(error.data).toMatchObject({ Code: 'Rejected.Disabled', HttpStatus: 409 });
  });
});

describe('signatures', () => {
  const ALICE = {
    accessKeyId: 'alice',
    accessKeySecret: 'alice-secret',
    accountId: OTHER_ACCOUNT,
  };
  const TEMPORARY = { accessKeyId: 'STS.1', accessKeySecret: 'sts', securityToken: 'STS.tok+/=' };
  const strict = { auth: 'strict', accessKeys: [ALICE, TEMPORARY] } as const;
  const world = { accounts: [{ id: OTHER_ACCOUNT }] };

  test('of every official client are right: ACS3, v2, KMS, pop-core', async () => {
    await using api = await startApi(strict, { world });
    const description = "a b*(!')~+&=%测";
    for (const client of [ecsClient(api.port, ALICE), ecsClient(api.port, ALICE, 'v2')]) {
      const diskId = await newDisk(client, { description, encrypted: true });
      expect((await describeDisk(client, diskId)).description).toBe(description);
    }
    await kmsClient(api.port, ALICE).listKeys(new kms.ListKeysRequest({}));
    const pop = popClient(api.port, '2014-05-26', ALICE);
    for (const method of ['GET', 'POST']) {
      const options = { method };
      const made = await pop.request<{ DiskId: string }>(
        'CreateDisk',
        {
          RegionId: regionId,
          Size: 20,
          Description: description,
          Tag: [{ Key: 'a', Value: 'b c' }],
        },
        options,
      );
      const described = await pop.request<{ Disks: { Disk: { Description: string }[] } }>(
        'DescribeDisks',
        { RegionId: regionId, DiskIds: JSON.stringify([made.DiskId]) },
        options,
      );
      expect(described.Disks.Disk[0]!.Description).toBe(description);
    }
    for (const signature of [undefined, 'v2'] as const) {
      const client = ecsClient(api.port, TEMPORARY, signature);
      await client.describeRegions(new ecs.DescribeRegionsRequest({}));
    }
  });

  test('with a wrong secret are refused, by every client', async () => {
    await using api = await startApi(strict, { world });
    const guessed = { ...ALICE, accessKeySecret: 'guessed' };
    for (const client of [ecsClient(api.port, guessed), ecsClient(api.port, guessed, 'v2')]) {
      expect((await refusal(newDisk(client, {}))).code).toBe('SignatureDoesNotMatch');
    }
    const pop = popClient(api.port, '2014-05-26', guessed);
    expect((await refusal(pop.request('DescribeRegions', {}))).code).toBe('SignatureDoesNotMatch');
    const nobody = ecsClient(api.port);
    expect((await refusal(newDisk(nobody, {}))).code).toBe('InvalidAccessKeyId.NotFound');
  });

  test('tell STS who the caller is', async () => {
    await using api = await startApi(strict, { world });
    const sts = popClient(api.port, '2015-04-01', ALICE);
    expect(await sts.request('GetCallerIdentity', {})).toMatchObject({
      AccountId: OTHER_ACCOUNT,
      IdentityType: 'Account',
      Arn: `acs:ram::${OTHER_ACCOUNT}:root`,
    });
  });
});
