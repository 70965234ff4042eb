/** CreateImage, ModifyImageAttribute, DeleteImage. */
import { describe, expect, it } from 'vitest';
import type { InstanceRecord } from '../../../../src/record/document.ts';
import {
  type ControlWorld,
  codeOf,
  controlWorld,
  HOME,
  OWNER,
  STRANGER,
} from '../../../support/control-world.ts';

const GIB = 2 ** 30;
const INSTANCE = 'i-aaaaaaaaaaaaaaaaaaaa';
const UBUNTU = 'ubuntu_24_04_x64_20G_alibase_20250117.vhd';

const instanceRecord: InstanceRecord = {
  instanceId: INSTANCE,
  accountId: OWNER,
  regionId: HOME,
  name: '',
  description: '',
  tags: {},
  createdAt: 0,
  zoneId: `${HOME}-a`,
  instanceType: 'ecs.g7.large',
  imageId: UBUNTU,
  status: 'Running',
  hostName: '',
  deletionProtection: false,
  startedAt: 0,
};

/** An instance with a system disk and data disks, encrypted as told; attached last to first. */
async function instanceWorld(
  encryptions: readonly ('plain' | 'service' | 'user')[],
  instance: Partial<InstanceRecord> = {},
) {
  const world = await controlWorld();
  const { metadata } = world.control.context;
  const disks: string[] = [];
  for (const [index, encryption] of encryptions.entries()) {
    const { DiskId } = await world.snapshotOf(encryption);
    const disk = metadata.getDisk(DiskId);
    if (disk === undefined) throw new Error('the disk is there');
    const device = `/dev/xvd${'abcdef'[index]}`;
    const type = index === 0 ? 'system' : 'data';
    const attached = { ...disk, type, device, instanceId: INSTANCE, status: 'In_use' } as const;
    await metadata.commit({ putDisks: [attached] });
    disks.push(DiskId);
  }
  const record = { ...instanceRecord, ...instance };
  await metadata.commit({ putDocuments: [{ kind: 'instance', record }] });
  world.control.told.length = 0;
  world.control.drained.length = 0;
  return { ...world, disks };
}

function imageOf({ control }: ControlWorld, imageId: string) {
  const image = control.context.metadata.getDocument('image', imageId);
  if (image === undefined) throw new Error('the image is there');
  return image;
}

describe('CreateImage of an instance', () => {
  it('snapshots every disk of it, the system disk first, each under its own key', async () => {
    const world = await instanceWorld(['service', 'plain', 'user']);
    const { control, disks, snapshot } = world;
    const { ImageId } = await world.as(OWNER)('CreateImage', {
      InstanceId: INSTANCE,
      ImageName: 'mine',
      ImageFamily: 'family',
      Description: 'all disks',
      Tag: [{ Key: 'k', Value: 'v' }],
    });
    const image = imageOf(world, ImageId);
    expect(image).toMatchObject({
      name: 'mine',
      family: 'family',
      description: 'all disks',
      tags: { k: 'v' },
      sourceInstanceId: INSTANCE,
      platform: 'Ubuntu',
      status: 'Available',
    });
    expect(image.devices.map(({ device, type }) => [device, type])).toEqual([
      ['/dev/xvda', 'system'],
      ['/dev/xvdb', 'data'],
      ['/dev/xvdc', 'data'],
    ]);
    const { metadata } = control.context;
    for (const [index, { snapshotId, sizeBytes }] of image.devices.entries()) {
      const record = snapshot(snapshotId ?? '');
      expect(record.sourceDiskId).toBe(disks[index]);
      expect(record.sizeBytes).toBe(sizeBytes);
      expect(record.encryption).toEqual(metadata.getDisk(disks[index] ?? '')?.encryption);
    }
    expect(control.drained).toEqual(disks);
    expect(control.told.map(({ request }) => request.op)).toEqual(Array(3).fill('shareTree'));
  });

  it('leaves nothing if the third disk cannot be snapshotted', async () => {
    const world = await instanceWorld(['plain', 'plain', 'plain']);
    const { control, refused } = world;
    const { metadata } = control.context;
    const before = metadata.listSnapshots({}, 0, 10).total;
    const { call } = control.context.shards;
    const shards = control.context.shards as { call: typeof call };
    let shared = 0;
    shards.call = (shardIndex, request) => {
      if (request.op === 'shareTree') shared++;
      return shared === 3 && request.op === 'shareTree'
        ? Promise.reject(new Error('the third fails'))
        : call(shardIndex, request);
    };
    expect(await refused('CreateImage', { InstanceId: INSTANCE })).toContain('the third fails');
    const names = (op: string) =>
      control.told.flatMap(({ request }) =>
        request.op === op && 'target' in request
          ? [request.target]
          : request.op === op && 'name' in request
            ? [request.name]
            : [],
      );
    expect(names('shareTree').length).toBe(2);
    expect(names('removeTree').toSorted()).toEqual(names('shareTree').toSorted());
    expect(metadata.listSnapshots({}, 0, 10).total).toBe(before);
    expect(metadata.listDocuments('image', null, 0, 1).total).toBe(0);
  });

  it('is refused while the key of one of its disks is disabled', async () => {
    const { as, control, disks, refused } = await instanceWorld(['plain', 'user']);
    const disk = control.context.metadata.getDisk(disks[1] ?? '');
    await as(OWNER)('DisableKey', { KeyId: disk?.encryption?.keyId ?? '' });
    const code = await refused('CreateImage', { InstanceId: INSTANCE });
    expect(code).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    expect(control.told).toEqual([]);
  });

  it.each([
    [{}, { InstanceId: 'i-bbbbbbbbbbbbbbbbbbbb' }, 'InvalidInstanceId.NotFound'],
    [{}, { InstanceId: '../x' }, 'InvalidInstanceId.NotFound'],
    [{ accountId: STRANGER }, {}, 'InvalidInstanceId.NotFound'],
    [{ status: 'Starting' }, {}, 'IncorrectInstanceStatus'],
    [{ status: 'Pending' }, {}, 'IncorrectInstanceStatus'],
    [{}, { Tag: [{ Key: 'acs:x' }] }, 'InvalidTagKey.Malformed'],
    [{}, { DryRun: true }, 'DryRunOperation'],
    [{}, { Architecture: 'vax' }, 'InvalidParameter'],
  ] as const)('that is %j with %j is refused with %s', async (instance, parameters, code) => {
    const { control, refused } = await instanceWorld(['plain'], instance);
    expect(await refused('CreateImage', { InstanceId: INSTANCE, ...parameters })).toBe(code);
    expect(control.told).toEqual([]);
  });

  it('is refused if the instance has no system disk', async () => {
    const { refused } = await instanceWorld([]);
    const code = await refused('CreateImage', { InstanceId: INSTANCE });
    expect(code).toBe('IncorrectInstanceStatus');
  });
});

describe('CreateImage of snapshots', () => {
  it('makes the one snapshot the system disk', async () => {
    const world = await controlWorld();
    const { SnapshotId } = await world.snapshotOf('user');
    const { ImageId } = await world.as(OWNER)('CreateImage', { SnapshotId });
    const device = { device: '/dev/xvda', type: 'system', sizeBytes: 2 * GIB };
    expect(imageOf(world, ImageId).devices).toEqual([{ ...device, snapshotId: SnapshotId }]);
  });

  it('takes sizes, devices, types and empty disks, and puts the system disk first', async () => {
    const world = await controlWorld();
    const [one, two] = [await world.snapshotOf('plain'), await world.snapshotOf('service')];
    const { ImageId } = await world.as(OWNER)('CreateImage', {
      DiskDeviceMapping: [
        { SnapshotId: one.SnapshotId, DiskType: 'data', Size: 5 },
        { Size: 7, Device: '/dev/xvda' },
        { SnapshotId: two.SnapshotId, DiskType: 'system', Device: '/dev/xvdz' },
      ],
    });
    const shown = imageOf(world, ImageId).devices.map(Object.values);
    expect(shown).toEqual([
      ['/dev/xvdz', 'system', 2 * GIB, two.SnapshotId],
      ['/dev/xvdb', 'data', 5 * GIB, one.SnapshotId],
      ['/dev/xvda', 'data', 7 * GIB, null],
    ]);
  });

  it.each([
    [{}, 'MissingParameter'],
    [{ InstanceId: INSTANCE, SnapshotId: 's-1' }, 'InvalidParameter.Conflict'],
    [{ SnapshotId: 's-1', DiskDeviceMapping: [{ Size: 1 }] }, 'InvalidParameter.Conflict'],
    [{ SnapshotId: 'nothing' }, 'InvalidSnapshotId.NotFound'],
    [{ DiskDeviceMapping: [] }, 'InvalidParameter'],
    [{ DiskDeviceMapping: Array(18).fill({ Size: 1 }) }, 'InvalidParameter'],
    [{ DiskDeviceMapping: [{ Size: 1 }] }, 'MissingParameter'],
    [{ DiskDeviceMapping: [{}] }, 'MissingParameter'],
    [{ DiskDeviceMapping: [{ DiskType: 'data', Size: 1 }] }, 'InvalidParameter'],
    [{ DiskDeviceMapping: [{ Device: 'xvda', Size: 1 }] }, 'InvalidParameter'],
    [{ DiskDeviceMapping: ['same', 'same'] }, 'InvalidParameter'],
    [{ DiskDeviceMapping: ['own', { DiskType: 'data' }] }, 'MissingParameter'],
    [{ DiskDeviceMapping: ['own', { DiskType: 'system', Size: 1 }] }, 'InvalidParameter'],
    [{ DiskDeviceMapping: ['small'] }, 'InvalidDiskSize.TooSmall'],
    [{ DiskDeviceMapping: ['own'], DryRun: true }, 'DryRunOperation'],
  ])('refuses %j with %s', async (parameters, code) => {
    const { control, refused, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    const named: Record<string, object> = {
      own: { SnapshotId },
      small: { SnapshotId, Size: 1 },
      same: { SnapshotId, Device: '/dev/xvda' },
    };
    const text = JSON.stringify(parameters, (_key, value: unknown) =>
      typeof value === 'string' && value in named ? named[value] : value,
    );
    expect(await refused('CreateImage', JSON.parse(text))).toBe(code);
    expect(control.context.metadata.listDocuments('image', null, 0, 1).total).toBe(0);
  });

  it('is refused while the snapshot’s key is disabled', async () => {
    const { as, refused, snapshotOf } = await controlWorld();
    const { SnapshotId, KMSKeyId } = await snapshotOf('user');
    await as(OWNER)('DisableKey', { KeyId: KMSKeyId });
    const code = await refused('CreateImage', { SnapshotId });
    expect(code).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
  });
});

describe('ModifyImageAttribute and DeleteImage', () => {
  async function imageWorld() {
    const world = await controlWorld();
    const { SnapshotId } = await world.snapshotOf('plain');
    const { ImageId } = await world.as(OWNER)('CreateImage', { SnapshotId });
    return { ...world, SnapshotId, ImageId };
  }

  it('change what is given and nothing else', async () => {
    const world = await imageWorld();
    const { as, ImageId } = world;
    const before = imageOf(world, ImageId);
    await as(OWNER)('ModifyImageAttribute', { ImageId, ImageName: 'nn', Status: 'Deprecated' });
    await as(OWNER)('ModifyImageAttribute', { ImageId, Description: 'dd', ImageFamily: 'f' });
    const after = { name: 'nn', family: 'f', description: 'dd', status: 'Deprecated' };
    expect(imageOf(world, ImageId)).toEqual({ ...before, ...after });
  });

  it.each([
    ['ModifyImageAttribute', {}, 'MissingParameter'],
    ['ModifyImageAttribute', { Status: 'Creating' }, 'InvalidParameter'],
    ['ModifyImageAttribute', { ImageName: 'nn', DryRun: true }, 'DryRunOperation'],
    ['ModifyImageAttribute', { ImageName: 'nn', ImageId: UBUNTU }, 'InvalidImageId.NotFound'],
    ['ModifyImageAttribute', { ImageName: 'nn', ImageId: 'm-1' }, 'InvalidImageId.NotFound'],
    ['DeleteImage', { DryRun: true }, 'DryRunOperation'],
    ['DeleteImage', { ImageId: UBUNTU, Force: true }, 'InvalidImageId.NotFound'],
    ['DeleteImage', { RegionId: 'cn-beijing' }, 'InvalidImageId.NotFound'],
  ] as const)('%s with %j is refused with %s', async (verb, parameters, code) => {
    const world = await imageWorld();
    const { ImageId, refused } = world;
    const before = imageOf(world, ImageId);
    expect(await refused(verb, { ImageId, ...parameters })).toBe(code);
    expect(imageOf(world, ImageId)).toEqual(before);
  });

  it('are the owner’s alone', async () => {
    const { as, ImageId } = await imageWorld();
    const rename = as(STRANGER)('ModifyImageAttribute', { ImageId, ImageName: 'nn' });
    expect(await codeOf(rename)).toBe('InvalidImageId.NotFound');
    expect(await codeOf(as(STRANGER)('DeleteImage', { ImageId }))).toBe('InvalidImageId.NotFound');
  });

  it('delete what instances use by force only, and leave the snapshots', async () => {
    const { as, control, refused, snapshot, ImageId, SnapshotId } = await imageWorld();
    const record = { ...instanceRecord, imageId: ImageId };
    const { metadata } = control.context;
    await metadata.commit({ putDocuments: [{ kind: 'instance', record }] });
    expect(await refused('DeleteImage', { ImageId })).toBe('ImageUsingByInstance');
    const shown = await as(OWNER)('DescribeImages', { ImageId });
    expect(shown.Images).toMatchObject([{ Usage: 'instance' }]);
    await as(OWNER)('DeleteImage', { ImageId, Force: true });
    expect(await refused('DeleteImage', { ImageId })).toBe('InvalidImageId.NotFound');
    expect(snapshot(SnapshotId).status).toBe('accomplished');
  });
});
