/** DATA: what verbs on images refuse. */
import { NEW_INSTANCE } from '../../../support/control-caller.ts';
import {
  ABROAD,
  type ErrorCase,
  type ErrorWorld,
  HOME,
  OTHER,
  refused,
} from '../../../support/error-world.ts';

const NO_IMAGE = 'm-00000000000000000000';
const PUBLIC_IMAGE = NEW_INSTANCE.ImageId;

async function underOwnKey(w: ErrorWorld): Promise<string> {
  return w.image(await w.snapshot(await w.disk({ Encrypted: true, KMSKeyId: await w.key() })));
}

/** An image whose copy is being encrypted. */
async function unfinishedCopy(w: ErrorWorld): Promise<string> {
  const parameters = { ImageId: await w.image(), DestinationRegionId: HOME, Encrypted: true };
  return (await w.call('CopyImage', parameters)).ImageId;
}

const PARAMETERS: readonly ErrorCase[] = [
  refused('InvalidImageId.NotFound', 404, 'CopyImage', 'no image has the id', async () => ({
    parameters: { ImageId: NO_IMAGE, DestinationRegionId: ABROAD },
    says: [NO_IMAGE],
  })),
  refused('InvalidImageId.NotFound', 404, 'DeleteImage', 'it is public', async () => ({
    parameters: { ImageId: PUBLIC_IMAGE },
    says: [PUBLIC_IMAGE],
  })),
  refused('InvalidImageId.NotFound', 404, 'ModifyImageAttribute', 'it is shared', async (w) => {
    const ImageId = await w.image();
    await w.call('ModifyImageSharePermission', { ImageId, AddAccount: [OTHER] });
    const by = { accountId: OTHER };
    return { parameters: { ImageId, ImageName: 'mine' }, says: [ImageId], by };
  }),
  refused('MissingParameter', 400, 'CreateImage', 'nothing to make it of', async () => ({
    parameters: {},
    says: ['InstanceId', 'SnapshotId', 'DiskDeviceMapping'],
  })),
  refused('MissingParameter', 400, 'CreateImage', 'a system disk of nothing', async () => ({
    parameters: { DiskDeviceMapping: [{ Size: 20 }] },
    says: ['/dev/xvda', 'SnapshotId'],
  })),
  refused('MissingParameter', 400, 'ModifyImageSharePermission', 'nobody named', async (w) => ({
    parameters: { ImageId: await w.image() },
    says: ['AddAccount', 'RemoveAccount'],
  })),
  refused('MissingParameter', 400, 'ModifyImageAttribute', 'nothing to change', async (w) => ({
    parameters: { ImageId: await w.image() },
    says: ['ImageName', 'Status'],
  })),
  refused('InvalidParameter.Conflict', 400, 'CreateImage', 'of two things', async (w) => ({
    parameters: { SnapshotId: await w.snapshot(), InstanceId: await w.instance() },
    says: ['InstanceId', 'SnapshotId'],
  })),
  refused('InvalidParameter.Conflict', 400, 'ModifyImageSharePermission', 'both', async (w) => {
    const ImageId = await w.image();
    await w.call('ModifyImageSharePermission', { ImageId, AddAccount: [OTHER] });
    const parameters = { ImageId, AddAccount: [OTHER], RemoveAccount: [OTHER] };
    return { parameters, says: [OTHER] };
  }),
  refused('InvalidParameter', 400, 'CreateImage', 'two system disks', async (w) => {
    const system = { SnapshotId: await w.snapshot(), DiskType: 'system' };
    return { parameters: { DiskDeviceMapping: [system, system] }, says: ['one system disk', '2'] };
  }),
  refused('InvalidDiskSize.TooSmall', 403, 'CreateImage', 'smaller than its source', async (w) => {
    const SnapshotId = await w.snapshot();
    const parameters = { DiskDeviceMapping: [{ SnapshotId, Size: 10 }] };
    return { parameters, says: [SnapshotId, '20', '10'] };
  }),
  refused('InvalidRegionId.NotFound', 404, 'CopyImage', 'to no region', async (w) => ({
    parameters: { ImageId: await w.image(), DestinationRegionId: 'moon-1' },
    says: ['moon-1'],
  })),
  ...['x', '1st', 'http://x', 'two words', 'a/b', '-a', `a${'b'.repeat(128)}`].map((ImageName) =>
    refused('InvalidImageName.Malformed', 400, 'CreateImage', `name ${ImageName}`, async (w) => ({
      parameters: { SnapshotId: await w.snapshot(), ImageName },
      says: [ImageName.slice(0, 64)],
    })),
  ),
  refused('InvalidImageName.Malformed', 400, 'CopyImage', 'it is an address', async (w) => ({
    parameters: { ImageId: await w.image(), DestinationImageName: 'https://x' },
    says: ['https://x'],
  })),
  refused('InvalidImageName.Duplicated', 400, 'CreateImage', 'another has it', async (w) => {
    const SnapshotId = await w.snapshot();
    const { ImageId } = await w.call('CreateImage', { SnapshotId, ImageName: 'mine:1' });
    return { parameters: { SnapshotId, ImageName: 'mine:1' }, says: [ImageId, 'mine:1'] };
  }),
  refused('InvalidImageName.Duplicated', 400, 'ModifyImageAttribute', 'as above', async (w) => {
    const other = await w.image();
    const SnapshotId = await w.snapshot();
    const { ImageId } = await w.call('CreateImage', { SnapshotId, ImageName: 'mine' });
    await w.call('ModifyImageAttribute', { ImageId, ImageName: 'mine' });
    return { parameters: { ImageId: other, ImageName: 'mine' }, says: [ImageId, 'mine'] };
  }),
  refused('InvalidImageName.Duplicated', 400, 'CopyImage', 'as above, abroad', async (w) => {
    const parameters = {
      ImageId: await w.image(),
      DestinationRegionId: ABROAD,
      DestinationImageName: '镜像.2',
    };
    const { ImageId } = await w.call('CopyImage', parameters);
    return { parameters, says: [ImageId, '镜像.2'] };
  }),
  refused('InvalidAccount.NotFound', 404, 'ModifyImageSharePermission', 'nobody', async (w) => ({
    parameters: { ImageId: await w.image(), AddAccount: ['9000000000000009'] },
    says: ['9000000000000009'],
  })),
  refused('InvalidAccount.NotFound', 404, 'ModifyImageSharePermission', 'unshared', async (w) => {
    const ImageId = await w.image();
    return { parameters: { ImageId, RemoveAccount: [OTHER] }, says: [ImageId, OTHER] };
  }),
  refused('InvalidAccount.Forbbiden', 404, 'ModifyImageSharePermission', 'oneself', async (w) => {
    const own = w.context.accountId;
    return { parameters: { ImageId: await w.image(), AddAccount: [own] }, says: [own] };
  }),
];

const STATES: readonly ErrorCase[] = [
  refused('IncorrectImageStatus', 403, 'CopyImage', 'it is being encrypted', async (w) => {
    const ImageId = await unfinishedCopy(w);
    const parameters = { ImageId, DestinationRegionId: ABROAD, Encrypted: true };
    return { parameters, says: [ImageId, 'Creating'] };
  }),
  refused(
    'OperationDenied.ImageCopying',
    403,
    'DeleteImage',
    'it is being encrypted',
    async (w) => {
      const ImageId = await unfinishedCopy(w);
      return { parameters: { ImageId, Force: true }, says: [ImageId, 'Creating'] };
    },
  ),
  refused('IncorrectImageStatus', 403, 'RunInstances', 'its snapshot failed', async (w) => {
    const SnapshotId = await w.snapshot();
    const ImageId = await w.image(SnapshotId);
    await w.setSnapshot(SnapshotId, { status: 'failed' });
    return { parameters: { ...NEW_INSTANCE, ImageId }, says: [ImageId, 'UnAvailable'] };
  }),
  refused('ImageUsingByInstance', 403, 'DeleteImage', 'an instance is of it', async (w) => {
    const ImageId = await w.image();
    const InstanceId = await w.instance({ ImageId });
    return { parameters: { ImageId }, says: [ImageId, InstanceId] };
  }),
  refused('ImageUseShared', 403, 'DeleteImage', 'it is shared', async (w) => {
    const ImageId = await w.image();
    await w.call('ModifyImageSharePermission', { ImageId, AddAccount: [OTHER] });
    return { parameters: { ImageId }, says: [ImageId, '1 account'] };
  }),
  refused('OperationDenied', 403, 'CopyImage', 'it is public', async () => ({
    parameters: { ImageId: PUBLIC_IMAGE, DestinationRegionId: ABROAD },
    says: [PUBLIC_IMAGE],
  })),
  refused('IncorrectInstanceStatus', 403, 'CreateImage', 'the instance is stopping', async (w) => {
    const InstanceId = await w.instance();
    await w.setInstance(InstanceId, { status: 'Stopping' });
    return { parameters: { InstanceId }, says: [InstanceId, 'Stopping', 'Running or Stopped'] };
  }),
];

const SHARING: readonly ErrorCase[] = [
  refused(
    'InvalidOperation.ServiceKeyEncryptedImageUnsupported',
    403,
    'ModifyImageSharePermission',
    'it is under the service key',
    async (w) => {
      const ImageId = await w.image(await w.snapshot(await w.disk({ Encrypted: true })));
      return { parameters: { ImageId, AddAccount: [OTHER] }, says: [ImageId, 'service key'] };
    },
  ),
  refused('AssumeRoleError', 403, 'ModifyImageSharePermission', 'no role', async (w) => {
    const ImageId = await underOwnKey(w);
    await w.setAccount({ roles: ['AliyunECSDiskEncryptDefaultRole'] });
    const says = [ImageId, 'AliyunECSShareEncryptImageDefaultRole'];
    return { parameters: { ImageId, AddAccount: [OTHER] }, says };
  }),
  refused('OperationDeined.FullImage', 403, 'ModifyImageSharePermission', 'many', async (w) => {
    const KMSKeyId = await w.key();
    const snapshot = async () => w.snapshot(await w.disk({ Encrypted: true, KMSKeyId }));
    const DiskDeviceMapping = [{ SnapshotId: await snapshot() }, { SnapshotId: await snapshot() }];
    const { ImageId } = await w.call('CreateImage', { DiskDeviceMapping });
    return { parameters: { ImageId, AddAccount: [OTHER] }, says: [ImageId, '2'] };
  }),
  refused(
    'OperationDeined.EncryptedSnapshot',
    403,
    'ModifyImageSharePermission',
    'an encrypted image is not everybody’s',
    async (w) => {
      const ImageId = await underOwnKey(w);
      return { parameters: { ImageId, IsPublic: true }, says: [ImageId, 'everybody'] };
    },
  ),
  refused('InvalidOperation.Conflict', 409, 'ModifyImageSharePermission', 'needed', async (w) => {
    const ImageId = await underOwnKey(w);
    await w.call('ModifyImageSharePermission', { ImageId, AddAccount: [OTHER] });
    await w.call('CreateInstance', { ...NEW_INSTANCE, ImageId }, { accountId: OTHER });
    return { parameters: { ImageId, RemoveAccount: [OTHER] }, says: [OTHER] };
  }),
  refused('ImageNotSupported', 400, 'ExportImage', 'it is encrypted', async (w) => {
    const ImageId = await underOwnKey(w);
    return { parameters: { ImageId, OSSBucket: 'bucket' }, says: [ImageId, 'exported'] };
  }),
  refused('NoSetRoletoECSServiceAcount', 400, 'ExportImage', 'no role', async (w) => {
    const ImageId = await w.image();
    await w.setAccount({ roles: [] });
    const says = [ImageId, 'AliyunECSImageExportDefaultRole'];
    return { parameters: { ImageId, OSSBucket: 'bucket' }, says };
  }),
];

export const IMAGE_CASES: readonly ErrorCase[] = [...PARAMETERS, ...STATES, ...SHARING];
