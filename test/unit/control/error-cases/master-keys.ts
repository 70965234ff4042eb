/**
 * DATA: what ECS says where a master key refuses: every verb that needs the key of a disk, and
 * everything that can be wrong with it. Source: ECS, error tables of the operations.
 */
import { constants, publicEncrypt } from 'node:crypto';
import { PlaneError } from '../../../../src/base/errors.ts';
import type { Verbs } from '../../../../src/control/verbs.ts';
import { WRAPS_PER_VERSION_MAX } from '../../../../src/limits.ts';
import { NEW_INSTANCE } from '../../../support/control-caller.ts';
import {
  DAY_MS,
  type ErrorCase,
  type ErrorWorld,
  HOME,
  OTHER,
  refused,
} from '../../../support/error-world.ts';

const NOT_FOUND = 'InvalidParameter.KMSKeyId.NotFound';

interface Use {
  readonly verb: keyof Verbs;
  readonly when: string;
  /** While the key is well. @returns the parameters of the call */
  readonly prepare: (world: ErrorWorld, KMSKeyId: string) => Promise<object>;
  /** Statuses that are not those of the other verbs. */
  readonly statuses?: Readonly<Record<string, number>>;
}

const diskUnder = (w: ErrorWorld, KMSKeyId: string): Promise<string> =>
  w.disk({ Encrypted: true, KMSKeyId });

/** A disk under the key, attached to an instance that was started, and stopped again. */
async function attachedUnder(w: ErrorWorld, KMSKeyId: string) {
  const DiskId = await diskUnder(w, KMSKeyId);
  const InstanceId = await w.running();
  await w.call('AttachDisk', { DiskId, InstanceId });
  await w.call('StopInstance', { InstanceId });
  return { DiskId, InstanceId };
}

const USES: readonly Use[] = [
  {
    verb: 'CreateDisk',
    when: 'of a disk',
    prepare: async (_, KMSKeyId) => ({ Size: 20, Encrypted: true, KMSKeyId }),
  },
  {
    verb: 'CreateDisk',
    when: 'of its source',
    prepare: async (w, key) => ({ SnapshotId: await w.snapshot(await diskUnder(w, key)) }),
  },
  {
    verb: 'RunInstances',
    when: 'of a data disk',
    prepare: async (_, KMSKeyId) => ({
      ...NEW_INSTANCE,
      DataDisk: [{ Size: 20, Encrypted: true, KMSKeyId }],
    }),
  },
  {
    verb: 'AttachDisk',
    when: 'of the disk',
    prepare: async (w, key) => ({
      DiskId: await diskUnder(w, key),
      InstanceId: await w.instance(),
    }),
  },
  {
    verb: 'StartInstance',
    when: 'of one of its disks',
    prepare: async (w, key) => ({ InstanceId: (await attachedUnder(w, key)).InstanceId }),
    statuses: { [NOT_FOUND]: 403 },
  },
  {
    verb: 'RebootInstance',
    when: 'of one of its disks',
    prepare: async (w, key) => {
      const { InstanceId } = await attachedUnder(w, key);
      await w.call('StartInstance', { InstanceId });
      return { InstanceId };
    },
  },
  {
    verb: 'CreateSnapshot',
    when: 'of the disk',
    prepare: async (w, key) => ({ DiskId: await diskUnder(w, key) }),
    statuses: { [NOT_FOUND]: 400 },
  },
  {
    verb: 'CopySnapshot',
    when: 'of its source',
    prepare: async (w, key) => ({
      SnapshotId: await w.snapshot(await diskUnder(w, key)),
      DestinationRegionId: HOME,
      Encrypted: true,
    }),
    statuses: { [NOT_FOUND]: 403, 'InvalidParameter.KmsNotEnabled': 403 },
  },
  {
    verb: 'CreateImage',
    when: 'of its snapshot',
    prepare: async (w, key) => ({ SnapshotId: await w.snapshot(await diskUnder(w, key)) }),
  },
  {
    verb: 'CopyImage',
    when: 'of its copy',
    prepare: async (w, KMSKeyId) => ({
      ImageId: await w.image(),
      DestinationRegionId: HOME,
      Encrypted: true,
      KMSKeyId,
    }),
  },
  {
    verb: 'ResetDisk',
    when: 'of the disk',
    prepare: async (w, key) => {
      const DiskId = await diskUnder(w, key);
      return { DiskId, SnapshotId: await w.snapshot(DiskId) };
    },
  },
  {
    verb: 'ReInitDisk',
    when: 'of the disk',
    prepare: async (w, key) => ({ DiskId: (await attachedUnder(w, key)).DiskId }),
  },
  {
    verb: 'ResizeDisk',
    when: 'of the disk',
    prepare: async (w, key) => ({ DiskId: await diskUnder(w, key), NewSize: 40 }),
  },
  {
    verb: 'CloneDisk',
    when: 'of its source',
    prepare: async (w, key) => ({ SourceDiskId: await diskUnder(w, key) }),
  },
  {
    verb: 'RekeyDisk',
    when: 'it is to have',
    prepare: async (w, KMSKeyId) => ({ DiskId: await w.disk({ Encrypted: true }), KMSKeyId }),
  },
  {
    verb: 'ShareSnapshot',
    when: 'of the snapshot',
    prepare: async (w, key) => ({
      SnapshotId: await w.snapshot(await diskUnder(w, key)),
      AccountId: OTHER,
    }),
  },
];

interface Trouble {
  readonly name: string;
  readonly code: ErrorCase['code'];
  readonly status: number;
  readonly isImported?: boolean;
  readonly befall: (world: ErrorWorld, keyId: string) => Promise<void>;
  readonly says: (keyId: string) => readonly string[];
}

const TROUBLES: readonly Trouble[] = [
  {
    name: 'is disabled',
    code: 'InvalidParameter.KMSKeyId.CMKNotEnabled',
    status: 403,
    befall: async (w, KeyId) => void (await w.call('DisableKey', { KeyId })),
    says: (keyId) => [keyId, 'Disabled'],
  },
  {
    name: 'is to be deleted',
    code: 'InvalidParameter.KMSKeyId.CMKNotEnabled',
    status: 403,
    befall: async (w, KeyId) =>
      void (await w.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })),
    says: (keyId) => [keyId, 'PendingDeletion'],
  },
  {
    name: 'has lost its material',
    code: 'InvalidParameter.KMSKeyId.CMKNotEnabled',
    status: 403,
    isImported: true,
    befall: async (w, KeyId) => void (await w.call('DeleteKeyMaterial', { KeyId })),
    says: (keyId) => [keyId, 'PendingImport'],
  },
  {
    name: 'is deleted',
    code: NOT_FOUND,
    status: 404,
    befall: async (w, KeyId) => {
      await w.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
      w.clock.advance(8 * DAY_MS);
      await w.call('ListKeys', {});
    },
    says: (keyId) => [keyId],
  },
  {
    name: 'may not be used by ECS',
    code: 'InvalidParameter.KMSKeyId.KMSUnauthorized',
    status: 403,
    befall: (w) => w.setAccount({ roles: ['AliyunECSShareEncryptSnapshotDefaultRole'] }),
    says: () => ['AliyunECSDiskEncryptDefaultRole'],
  },
  {
    name: 'is in a KMS that is not activated',
    code: 'InvalidParameter.KmsNotEnabled',
    status: 400,
    befall: (w) => w.setKmsStatus('NotEnabled'),
    says: () => ['NotEnabled'],
  },
];

/** Verbs that spell a code otherwise. */
const SPELLINGS: Readonly<Record<string, Readonly<Record<string, ErrorCase['code']>>>> = {
  AttachDisk: { [NOT_FOUND]: 'InvalidKMSKeyId.NotFound' },
};

async function importedKey(w: ErrorWorld): Promise<string> {
  const KeyId = await w.key({ Origin: 'EXTERNAL' });
  const WrappingAlgorithm = 'RSAES_OAEP_SHA_256';
  const asked = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' } as const;
  const { PublicKey, ImportToken } = await w.call('GetParametersForImport', asked);
  const key = { key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' } as const;
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const material = publicEncrypt({ ...key, ...padding }, Buffer.alloc(32, 5));
  const EncryptedKeyMaterial = material.toString('base64');
  const imported = { KeyId, EncryptedKeyMaterial, ImportToken, KeyMaterialExpireUnix: 0 };
  await w.call('ImportKeyMaterial', imported);
  return KeyId;
}

const PRODUCT: readonly ErrorCase[] = USES.flatMap(({ verb, when, prepare, statuses }) =>
  TROUBLES.map(({ name, code, status, isImported, befall, says }) =>
    refused(
      SPELLINGS[verb]?.[code] ?? code,
      statuses?.[code] ?? status,
      verb,
      `the key ${when} ${name}`,
      async (w) => {
        const keyId = isImported === true ? await importedKey(w) : await w.key();
        const parameters = await prepare(w, keyId);
        await befall(w, keyId);
        return { parameters, says: says(keyId) };
      },
    ),
  ),
);

/** A key that was used, and has encrypted all that one version of it may. */
async function usedUpKey(w: ErrorWorld): Promise<string> {
  const keyId = await w.key();
  await diskUnder(w, keyId);
  const { vault, stores } = w.control;
  const key = vault.findKey(stores.vault, keyId);
  if (key === null) throw new Error('the test expects its key');
  await stores.vault.transact((transaction) =>
    vault.tables.withVersion(transaction, key, 1, (record, material) => {
      const wrapsReserved = WRAPS_PER_VERSION_MAX;
      vault.tables.putVersion(transaction, { ...record, wrapsReserved }, material);
    }),
  );
  vault.messagesLeft.clear();
  return keyId;
}

export const MASTER_KEY_CASES: readonly ErrorCase[] = [
  ...PRODUCT,
  refused(
    'InvalidParameter.DataEncryptedKeyCreateFailed',
    403,
    'CreateDisk',
    'the key has encrypted all it may',
    async (w) => {
      const KMSKeyId = await usedUpKey(w);
      return { parameters: { Size: 20, Encrypted: true, KMSKeyId }, says: [KMSKeyId, 'rotate'] };
    },
  ),
  refused('KmsUnavailable', 503, 'CreateDisk', 'the KMS does not answer', async (w) => {
    w.replaceKms(async () => {
      throw new PlaneError('KmsUnavailable', 'no answer within 5 s');
    });
    return { parameters: { Size: 20, Encrypted: true }, says: ['no answer'] };
  }),
  refused(
    'InvalidParameter.KMSKeyId.CMKNotEnabled',
    403,
    'ModifyDiskDefaultKMSKeyId',
    'the key is disabled',
    async (w) => {
      await w.call('EnableDiskEncryptionByDefault', {});
      const KMSKeyId = await w.key();
      await w.call('DisableKey', { KeyId: KMSKeyId });
      return { parameters: { KMSKeyId }, says: [KMSKeyId, 'Enabled', 'Disabled'] };
    },
  ),
  refused(
    'InvalidParameter.KMSKeyId.KMSUnauthorized',
    403,
    'EnableDiskEncryptionByDefault',
    'ECS may not use keys',
    async (w) => {
      await w.setAccount({ roles: [] });
      return { parameters: {}, says: ['AliyunECSDiskEncryptDefaultRole'] };
    },
  ),
];
