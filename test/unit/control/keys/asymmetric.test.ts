/** Asymmetric keys: made, shown and deleted as any; of no use to disks, nor to the API here. */
import { describe, expect, it } from 'vitest';
import { NEW_INSTANCE, testCaller } from '../../../support/control-caller.ts';

const NOT_SYMMETRIC = 'InvalidKMSKeyId.NotSymmetric';

describe('an asymmetric key', () => {
  it.each([
    ['RSA_2048', 'ENCRYPT/DECRYPT'],
    ['RSA_3072', 'ENCRYPT/DECRYPT'],
    ['EC_P256', 'SIGN/VERIFY'],
    ['EC_P256K', 'SIGN/VERIFY'],
  ])('of %s is made, listed by its kind, disabled and deleted', async (KeySpec, KeyUsage) => {
    const { call } = await testCaller();
    const { KeyMetadata } = await call('CreateKey', { KeySpec, KeyUsage });
    expect(KeyMetadata).toMatchObject({ KeySpec, KeyUsage, KeyState: 'Enabled' });
    const { KeyId } = KeyMetadata;
    await call('CreateKey', {});
    const { Keys } = await call('ListKeys', { Filters: [{ Key: 'KeySpec', Values: [KeySpec] }] });
    expect(Keys.map((key) => key.KeyId)).toEqual([KeyId]);
    await call('DisableKey', { KeyId });
    await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  });

  it('protects no disk, snapshot or image, in any state, and is not tagged for it', async () => {
    const { call, refused } = await testCaller();
    const { KeyId } = (await call('CreateKey', { KeySpec: 'RSA_2048' })).KeyMetadata;
    await call('CreateAlias', { KeyId, AliasName: 'alias/pair' });
    const under = { Encrypted: true, KMSKeyId: KeyId };
    const disk = { Size: 20, ...under };
    expect(await refused('CreateDisk', disk)).toBe(NOT_SYMMETRIC);
    expect(await refused('CreateDisk', { ...disk, DryRun: true })).toBe(NOT_SYMMETRIC);
    expect(await refused('CreateDisk', { ...disk, KMSKeyId: 'alias/pair' })).toBe(NOT_SYMMETRIC);
    const SystemDisk = { Encrypted: true, KMSKeyId: KeyId };
    expect(await refused('RunInstances', { ...NEW_INSTANCE, SystemDisk })).toBe(NOT_SYMMETRIC);
    const { DiskId } = await call('CreateDisk', { Size: 20, Encrypted: true });
    expect(await refused('RekeyDisk', { DiskId, KMSKeyId: KeyId })).toBe(NOT_SYMMETRIC);
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    const copy = {
      SnapshotId,
      DestinationRegionId: 'cn-hangzhou',
      DestinationSnapshotName: 'nn',
      DestinationSnapshotDescription: 'dd',
      ...under,
    };
    expect(await refused('CopySnapshot', copy)).toBe(NOT_SYMMETRIC);
    const { ImageId } = await call('CreateImage', { SnapshotId });
    expect(await refused('CopyImage', { ImageId, ...under })).toBe(NOT_SYMMETRIC);
    await call('DisableKey', { KeyId });
    expect(await refused('CreateDisk', disk)).toBe(NOT_SYMMETRIC);
    const { Tags } = await call('ListResourceTags', { KeyId });
    expect(Tags).toEqual([]);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(1);
  });

  it('encrypts nothing for the KMS API, and has one version', async () => {
    const { call, refused } = await testCaller();
    const { KeyId } = (await call('CreateKey', { KeySpec: 'EC_P256' })).KeyMetadata;
    const asked = [
      refused('Encrypt', { KeyId, Plaintext: 'AAAA' }),
      refused('GenerateDataKey', { KeyId }),
      refused('GenerateDataKeyWithoutPlaintext', { KeyId }),
      refused('CreateKeyVersion', { KeyId }),
      refused('UpdateRotationPolicy', {
        KeyId,
        EnableAutomaticRotation: true,
        RotationInterval: '30d',
      }),
      refused('CreateKey', {
        KeySpec: 'RSA_2048',
        EnableAutomaticRotation: true,
        RotationInterval: '30d',
      }),
    ];
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['UnsupportedOperation']));
  });
});
