/** DATA: what the encryption rules refuse, generation by generation, through the verbs. */
import { NEW_INSTANCE } from '../../../support/control-caller.ts';
import {
  ABROAD,
  type ErrorCase,
  type ErrorWorld,
  HOME,
  OTHER,
  refused,
} from '../../../support/error-world.ts';

/** A finished snapshot of an encrypted disk. */
async function encryptedSnapshot(w: ErrorWorld, KMSKeyId?: string): Promise<string> {
  const key = KMSKeyId === undefined ? {} : { KMSKeyId };
  return w.snapshot(await w.disk({ Encrypted: true, ...key }));
}

/** A snapshot under a key of the owner's, as the other account sees it. */
async function sharedSnapshot(w: ErrorWorld, KMSKeyId: string): Promise<string> {
  const SnapshotId = await encryptedSnapshot(w, KMSKeyId);
  return (await w.call('ShareSnapshot', { SnapshotId, AccountId: OTHER })).SharedSnapshotId;
}

const DISKS: readonly ErrorCase[] = [
  refused('InvalidParameter.EncryptedIllegal', 400, 'CreateDisk', 'a key alone', async (w) => ({
    parameters: { Size: 20, KMSKeyId: await w.key() },
    says: ['key', 'encryption is not selected'],
  })),
  refused(
    'InvalidEncrypted.NotMatchSnapshot',
    403,
    'CreateDisk',
    'explicitly plain',
    async (w) => ({
      parameters: { SnapshotId: await encryptedSnapshot(w), Encrypted: false },
      says: ['Encrypted is false', 'encrypted source'],
    }),
  ),
  refused(
    'InvalidEncrypted.NotMatchDiskDefaultEncryption',
    403,
    'CreateDisk',
    'explicitly plain while default encryption is on',
    async (w) => {
      await w.call('EnableDiskEncryptionByDefault', {});
      return {
        parameters: { Size: 20, Encrypted: false },
        says: ['Encrypted is false', 'default'],
      };
    },
  ),
  refused(
    'InvalidParam.EncryptedMismatch',
    400,
    'CreateDisk',
    'under the owner’s key',
    async (w) => {
      const KMSKeyId = await w.key();
      const SnapshotId = await sharedSnapshot(w, KMSKeyId);
      const parameters = { SnapshotId, Encrypted: true, KMSKeyId };
      return { parameters, says: ['shared', 'another key'], by: { accountId: OTHER } };
    },
  ),
  refused('InvalidParameter.EncryptedNotSupported', 403, 'CreateDisk', 'ephemeral', async () => ({
    parameters: { Size: 64, DiskCategory: 'elastic_ephemeral_disk_standard', Encrypted: true },
    says: ['ephemeral'],
  })),
  refused(
    'InvalidParameter.EncryptedNotSupported',
    403,
    'RunInstances',
    'an old disk',
    async () => ({
      parameters: { ...NEW_INSTANCE, SystemDisk: { Category: 'cloud_ssd', Encrypted: true } },
      says: ['system disk', 'ESSD'],
    }),
  ),
  refused('NotSupportSnapshotEncrypted.DiskCategory', 403, 'CreateDisk', 'an SSD', async (w) => ({
    parameters: { SnapshotId: await encryptedSnapshot(w), DiskCategory: 'cloud_ssd' },
    says: ['ESSD'],
  })),
  refused('InvalidRegion.NotSupport', 403, 'CreateDisk', 'a region of no encryption', async () => ({
    parameters: { Size: 20, Encrypted: true, RegionId: 'cn-nanjing' },
    says: ['cn-nanjing'],
  })),
  refused('InvalidRegion.NotSupport', 403, 'CreateDisk', 'no choice of key there', async (w) => ({
    parameters: {
      Size: 20,
      Encrypted: true,
      KMSKeyId: await w.key({}, { regionId: 'cn-fuzhou' }),
      RegionId: 'cn-fuzhou',
    },
    says: ['cn-fuzhou', 'service key'],
  })),
];

const COPIES: readonly ErrorCase[] = [
  refused('InvalidEncrypted.NotMatchKmsKeyId', 400, 'CopySnapshot', 'a key alone', async (w) => ({
    parameters: {
      SnapshotId: await w.snapshot(),
      DestinationRegionId: ABROAD,
      KMSKeyId: await w.key({}, { regionId: ABROAD }),
    },
    says: ['key', 'Copy and Encrypt'],
  })),
  refused('InvalidEncrypted.NotSupportDecrypt', 403, 'CopySnapshot', 'a plain copy', async (w) => ({
    parameters: { SnapshotId: await encryptedSnapshot(w), DestinationRegionId: ABROAD },
    says: ['encrypted snapshot', 'Copy and Encrypt'],
  })),
  refused(
    'InvalidOperation.NotSupportCopyInSameRegion',
    403,
    'CopySnapshot',
    'a plain copy within the region',
    async (w) => ({
      parameters: { SnapshotId: await w.snapshot(), DestinationRegionId: HOME },
      says: ['another region'],
    }),
  ),
  refused(
    'IncorrectDestinationRegion',
    403,
    'CopyImage',
    'plain, within the region',
    async (w) => ({
      parameters: { ImageId: await w.image(), DestinationRegionId: HOME },
      says: ['another region'],
    }),
  ),
  refused('InvalidParameter.EncryptedIllegal', 400, 'CopyImage', 'a key alone', async (w) => ({
    parameters: {
      ImageId: await w.image(),
      DestinationRegionId: ABROAD,
      KMSKeyId: await w.key({}, { regionId: ABROAD }),
    },
    says: ['key', 'Copy and Encrypt'],
  })),
  refused('OperationDeined.EncryptedSnapshot', 403, 'CopyImage', 'a plain copy', async (w) => ({
    parameters: {
      ImageId: await w.image(await encryptedSnapshot(w)),
      DestinationRegionId: ABROAD,
    },
    says: ['encrypted image', 'Copy and Encrypt'],
  })),
  refused(
    'InvalidEncrypted.NotMatchDiskDefaultEncryption',
    403,
    'CopyImage',
    'explicitly plain, to where default encryption is on',
    async (w) => {
      const ImageId = await w.image();
      await w.call('EnableDiskEncryptionByDefault', {}, { regionId: ABROAD });
      const parameters = { ImageId, DestinationRegionId: ABROAD, Encrypted: false };
      return { parameters, says: ['Encrypted is false', 'default'] };
    },
  ),
  refused('InvalidRegion.NotSupport', 403, 'CopySnapshot', 'encrypted, to none', async (w) => ({
    parameters: {
      SnapshotId: await w.snapshot(),
      DestinationRegionId: 'cn-nanjing',
      Encrypted: true,
    },
    says: ['cn-nanjing'],
  })),
];

const OLDER: readonly ErrorCase[] = [
  refused(
    'InvalidParameter.EncryptedNotMatch',
    400,
    'CreateDisk',
    'in 2018 what is plain stays so',
    async (w) => ({
      parameters: { SnapshotId: await w.snapshot(), DiskCategory: 'cloud_essd', Encrypted: true },
      says: ['cannot be converted'],
    }),
    { ruleSet: '2018' },
  ),
  refused(
    'UnsupportedParameter',
    400,
    'CreateDisk',
    'in 2018 no key can be chosen',
    async (w) => ({
      parameters: { Size: 20, Encrypted: true, KMSKeyId: await w.key() },
      says: ['none can be chosen'],
    }),
    { ruleSet: '2018' },
  ),
  refused(
    'UnsupportedOperation',
    400,
    'CopySnapshot',
    'in 2020 snapshots are not copied',
    async (w) => ({
      parameters: { SnapshotId: await w.snapshot(), DestinationRegionId: ABROAD },
      says: ['copying snapshots'],
    }),
    { ruleSet: '2020' },
  ),
  refused(
    'Abs.InvalidAction.RegionNotSupport',
    403,
    'EnableDiskEncryptionByDefault',
    'in 2020 there is no default encryption',
    async () => ({ parameters: {}, says: ['default encryption', '2020'] }),
    { ruleSet: '2020' },
  ),
  refused(
    'InvalidKmsKeyId.NotMatchSnapshot',
    400,
    'CreateDisk',
    'in 2020 the key of a source is kept',
    async (w) => ({
      parameters: {
        SnapshotId: await encryptedSnapshot(w, await w.key()),
        DiskCategory: 'cloud_essd',
        Encrypted: true,
        KMSKeyId: await w.key(),
      },
      says: ['changing the key'],
    }),
    { ruleSet: '2020' },
  ),
  refused(
    'NotSupportSnapshotEncrypted.ShareImage',
    400,
    'CreateDisk',
    'in 2020 nothing is made of what another account encrypted',
    async (w) => {
      const SnapshotId = await sharedSnapshot(w, await w.key());
      w.setRuleSet('2020');
      const parameters = { SnapshotId, DiskCategory: 'cloud_essd' };
      return { parameters, says: ['cannot be shared'], by: { accountId: OTHER } };
    },
  ),
  refused(
    'OperationDenied.EncryptSnapshotAcrossRegion',
    403,
    'CopyImage',
    'in 2018 encrypted images stay in their region',
    async (w) => ({
      parameters: {
        ImageId: await w.image(await encryptedSnapshot(w)),
        DestinationRegionId: ABROAD,
      },
      says: ['across regions'],
    }),
    { ruleSet: '2018' },
  ),
  refused(
    'OperationDeined.EncryptedSnapshot',
    403,
    'ModifyImageSharePermission',
    'in 2020 encrypted images are not shared',
    async (w) => {
      const ImageId = await w.image(await encryptedSnapshot(w, await w.key()));
      return { parameters: { ImageId, AddAccount: [OTHER] }, says: [ImageId, 'cannot be shared'] };
    },
    { ruleSet: '2020' },
  ),
];

const BY_DEFAULT: readonly ErrorCase[] = [
  refused(
    'InvalidOperation.DefaultEncryptionAlreadyEnabled',
    403,
    'EnableDiskEncryptionByDefault',
    'it is on',
    async (w) => {
      await w.call('EnableDiskEncryptionByDefault', {});
      return { parameters: {}, says: [HOME] };
    },
  ),
  ...(
    [
      ['DisableDiskEncryptionByDefault', {}],
      ['ResetDiskDefaultKMSKeyId', {}],
      ['DescribeDiskDefaultKMSKeyId', {}],
      ['ModifyDiskDefaultKMSKeyId', { KMSKeyId: 'alias/acs/ecs' }],
    ] as const
  ).map(([verb, parameters]) =>
    refused('InvalidDefaultEncryption.NotFound', 403, verb, 'it is off', async () => ({
      parameters,
      says: [HOME],
    })),
  ),
  refused(
    'InvalidOperation.KMSKeyIdNotFound',
    403,
    'ModifyDiskDefaultKMSKeyId',
    'there is no such key',
    async (w) => {
      await w.call('EnableDiskEncryptionByDefault', {});
      const KMSKeyId = 'key-00000000000000000000';
      return { parameters: { KMSKeyId }, says: [KMSKeyId] };
    },
  ),
  refused(
    'InvalidOperation.KMSServiceNotOpen',
    403,
    'EnableDiskEncryptionByDefault',
    'KMS is not activated',
    async (w) => {
      await w.setKmsStatus('NotEnabled');
      return { parameters: {}, says: [HOME, 'NotEnabled'] };
    },
  ),
  refused(
    'UserNotInTheWhiteList',
    403,
    'EnableDiskEncryptionByDefault',
    'the feature was not granted',
    async (w) => {
      await w.setAccount({ isDefaultEncryptionGranted: false }, OTHER);
      return { parameters: {}, says: [OTHER], by: { accountId: OTHER } };
    },
  ),
  refused(
    'Abs.InvalidAction.RegionNotSupport',
    403,
    'EnableDiskEncryptionByDefault',
    'the region encrypts nothing',
    async () => ({ parameters: { RegionId: 'cn-nanjing' }, says: ['cn-nanjing'] }),
  ),
];

export const ENCRYPTION_CASES: readonly ErrorCase[] = [
  ...DISKS,
  ...COPIES,
  ...OLDER,
  ...BY_DEFAULT,
];
