/** DATA: what verbs on instances refuse. */
import { NEW_INSTANCE } from '../../../support/control-caller.ts';
import { ABROAD, type ErrorCase, OTHER, refused } from '../../../support/error-world.ts';

const NO_IMAGE = 'm-00000000000000000000';
const NO_INSTANCE = 'i-00000000000000000000';
const { ImageId, InstanceType } = NEW_INSTANCE;

const NEW: readonly ErrorCase[] = [
  refused('InvalidInstanceName.Malformed', 400, 'RunInstances', 'a digit first', async () => ({
    parameters: { ...NEW_INSTANCE, InstanceName: '1st' },
    says: ['InstanceName', 'letter first', '"1st"'],
  })),
  refused('InvalidInstanceId.NotFound', 404, 'ModifyInstanceChargeType', 'none', async () => ({
    parameters: { InstanceIds: [NO_INSTANCE] },
    says: [NO_INSTANCE],
  })),
  refused('MissingParameter', 400, 'RunInstances', 'no image is named', async () => ({
    parameters: { InstanceType },
    says: ['RunInstances', 'ImageId'],
  })),
  refused('InvalidParameter', 400, 'RunInstances', 'none are to be made', async () => ({
    parameters: { ...NEW_INSTANCE, Amount: 0 },
    says: ['Amount', '0'],
  })),
  refused('InvalidImageId.NotFound', 404, 'RunInstances', 'there is no image', async () => ({
    parameters: { ImageId: NO_IMAGE, InstanceType },
    says: [NO_IMAGE],
  })),
  refused('InvalidImageId.NotFound', 404, 'CreateInstance', 'another account’s', async (w) => {
    const theirs = await w.image();
    const by = { accountId: OTHER };
    return { parameters: { ImageId: theirs, InstanceType }, says: [theirs], by };
  }),
  refused('IncorrectImageStatus', 403, 'RunInstances', 'the image is deprecated', async (w) => {
    const deprecated = await w.image();
    await w.call('ModifyImageAttribute', { ImageId: deprecated, Status: 'Deprecated' });
    return { parameters: { ImageId: deprecated, InstanceType }, says: [deprecated, 'Deprecated'] };
  }),
  refused('InvalidInstanceType.ValueNotSupported', 400, 'RunInstances', 'no type', async () => ({
    parameters: { ImageId, InstanceType: 'large' },
    says: ['ecs.g7.large', '"large"'],
  })),
  refused(
    'InvalidOperation.InstanceTypeNotSupport',
    400,
    'RunInstances',
    'the type takes no encrypted disks',
    async () => ({
      parameters: {
        ImageId,
        InstanceType: 'ecs.sccg5.24xlarge',
        DataDisk: [{ Size: 20, Encrypted: true }],
      },
      says: ['ecs.sccg5'],
    }),
  ),
  refused(
    'IoOptimized.NotSupported',
    400,
    'RunInstances',
    'a disk has a key, and the instance is not I/O optimized',
    async (w) => ({
      parameters: {
        ...NEW_INSTANCE,
        IoOptimized: 'none',
        DataDisk: [{ Size: 20, Encrypted: true, KMSKeyId: await w.key() }],
      },
      says: ['IoOptimized', 'none'],
    }),
  ),
  refused('InstanceDiskLimitExceeded', 403, 'CreateInstance', '17 data disks', async () => ({
    parameters: { ...NEW_INSTANCE, DataDisk: Array(17).fill({ Size: 20 }) },
    says: ['16', '17'],
  })),
  refused('InvalidDiskSize.TooSmall', 403, 'RunInstances', 'smaller than its image', async () => ({
    parameters: { ...NEW_INSTANCE, SystemDisk: { Size: 10 } },
    says: ['20', '10'],
  })),
  refused('InvalidDevice.InUse', 403, 'CreateInstance', 'a device twice', async () => ({
    parameters: {
      ...NEW_INSTANCE,
      DataDisk: [
        { Size: 20, Device: '/dev/xvdb' },
        { Size: 20, Device: '/dev/xvdb' },
      ],
    },
    says: ['/dev/xvdb'],
  })),
  refused('InvalidZoneId.NotFound', 404, 'RunInstances', 'no such zone', async () => ({
    parameters: { ...NEW_INSTANCE, ZoneId: 'moon-1a' },
    says: ['cn-hangzhou', 'moon-1a'],
  })),
  refused('InvalidSnapshotId.NotFound', 404, 'RunInstances', 'a data disk’s', async () => ({
    parameters: { ...NEW_INSTANCE, DataDisk: [{ SnapshotId: 's-00000000000000000000' }] },
    says: ['s-00000000000000000000'],
  })),
  refused('ShardLost', 503, 'RunInstances', 'the shard ends meanwhile', async (w) => {
    w.control.failNext('openVolume');
    return { parameters: { ...NEW_INSTANCE, Amount: 2 }, says: [] };
  }),
];

const LIFE: readonly ErrorCase[] = [
  refused('InvalidInstanceId.NotFound', 404, 'StartInstance', 'there is none', async () => ({
    parameters: { InstanceId: NO_INSTANCE },
    says: [NO_INSTANCE],
  })),
  refused('InvalidInstanceId.NotFound', 404, 'DeleteInstance', 'another account’s', async (w) => {
    const InstanceId = await w.instance();
    const by = { accountId: OTHER };
    return { parameters: { InstanceId }, says: [InstanceId], by };
  }),
  refused('InvalidInstanceId.NotFound', 404, 'StopInstance', 'another region’s', async (w) => {
    const InstanceId = await w.running();
    return { parameters: { InstanceId, RegionId: ABROAD }, says: [InstanceId] };
  }),
  refused('InvalidInstanceId.NotFound', 404, 'CreateImage', 'no instance’s id', async () => ({
    parameters: { InstanceId: 'web-1' },
    says: ['web-1'],
  })),
  refused('IncorrectInstanceStatus', 403, 'StartInstance', 'it runs', async (w) => {
    const InstanceId = await w.running();
    return { parameters: { InstanceId }, says: [InstanceId, 'Running', 'Stopped'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'StopInstance', 'it is stopped', async (w) => {
    const InstanceId = await w.instance();
    return { parameters: { InstanceId }, says: [InstanceId, 'Stopped', 'Running'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'RebootInstance', 'it is stopped', async (w) => {
    const InstanceId = await w.instance();
    return { parameters: { InstanceId }, says: [InstanceId, 'Stopped', 'Running'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'DeleteInstance', 'it runs', async (w) => {
    const InstanceId = await w.running();
    return { parameters: { InstanceId }, says: [InstanceId, 'Running', 'Stopped'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'ReplaceSystemDisk', 'it runs', async (w) => {
    const InstanceId = await w.running();
    return { parameters: { InstanceId, ImageId }, says: [InstanceId, 'Running'] };
  }),
  refused('InvalidOperation.DeletionProtection', 403, 'DeleteInstance', 'protected', async (w) => {
    const InstanceId = await w.instance({ DeletionProtection: true });
    return { parameters: { InstanceId, Force: true }, says: [InstanceId] };
  }),
  refused('InvalidInstance.NotFoundSystemDisk', 400, 'StartInstance', 'it is gone', async (w) => {
    const InstanceId = await w.instance();
    await w.call('DetachDisk', { InstanceId, DiskId: w.systemDiskOf(InstanceId) });
    return { parameters: { InstanceId }, says: [InstanceId] };
  }),
  refused('InvalidParameter', 400, 'ReplaceSystemDisk', 'a size in fractions', async (w) => ({
    parameters: { InstanceId: await w.instance(), ImageId, SystemDisk: { Size: 20.3 } },
    says: ['Size'],
  })),
  refused('ShardLost', 503, 'StartInstance', 'the shard ends meanwhile', async (w) => {
    const InstanceId = await w.instance();
    w.control.failNext('openVolume');
    return { parameters: { InstanceId }, says: [] };
  }),
];

export const INSTANCE_CASES: readonly ErrorCase[] = [...NEW, ...LIFE];
