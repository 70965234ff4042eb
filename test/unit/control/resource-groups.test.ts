/** Resource groups: given at the creation, changed by JoinResourceGroup, shown and asked for. */
import { describe, expect, test } from 'vitest';
import { NEW_INSTANCE, testCaller } from '../../support/control-caller.ts';
import { codeOf, controlWorld, OWNER, RECIPIENT } from '../../support/control-world.ts';
import { dumpState } from '../../support/state-dump.ts';

const ONE = 'rg-one';
const TWO = 'rg-acfmxazb4ph6aiy';

/** One of each, all in the group ONE. */
async function groupedWorld() {
  const caller = await testCaller();
  const { call } = caller;
  const group = { ResourceGroupId: ONE };
  const { DiskId } = await call('CreateDisk', { Size: 20, ...group });
  const { SnapshotId } = await call('CreateSnapshot', { DiskId, ...group });
  const { ImageId } = await call('CreateImage', { SnapshotId, ...group });
  const { InstanceId } = await call('CreateInstance', { ...NEW_INSTANCE, ...group });
  /** Ids of what is in a group, by type. */
  const inGroup = async (ResourceGroupId: string) => ({
    disk: (await call('DescribeDisks', { ResourceGroupId, DiskType: 'data' })).Disks.map(
      (each) => each.DiskId,
    ),
    snapshot: (await call('DescribeSnapshots', { ResourceGroupId })).Snapshots.map(
      (each) => each.SnapshotId,
    ),
    image: (await call('DescribeImages', { ResourceGroupId })).Images.filter(
      (each) => each.ImageOwnerAlias === 'self',
    ).map((each) => each.ImageId),
    instance: (await call('DescribeInstances', { ResourceGroupId })).Instances.map(
      (each) => each.InstanceId,
    ),
  });
  const ids = { disk: DiskId, snapshot: SnapshotId, image: ImageId, instance: InstanceId };
  return { ...caller, ids, inGroup };
}

describe('a resource group', () => {
  test('holds what was made in it: disk, snapshot, image, instance and its disk', async () => {
    const { call, ids, inGroup } = await groupedWorld();
    const found = await inGroup(ONE);
    for (const [type, id] of Object.entries(ids)) {
      expect(found[type as keyof typeof found]).toEqual([id]);
    }
    expect((await call('DescribeDisks', { ResourceGroupId: ONE })).TotalCount).toBe(2);
    expect(await inGroup(TWO)).toEqual({ disk: [], snapshot: [], image: [], instance: [] });
  });

  test.each(['disk', 'snapshot', 'image', 'instance'] as const)(
    'takes a %s from another, and gives it back to the default one',
    async (type) => {
      const { call, ids, inGroup } = await groupedWorld();
      const resource = { ResourceType: type, ResourceId: ids[type] };
      await call('JoinResourceGroup', { ...resource, ResourceGroupId: TWO });
      expect((await inGroup(TWO))[type]).toEqual([ids[type]]);
      expect((await inGroup(ONE))[type]).toEqual([]);
      await call('JoinResourceGroup', { ...resource, ResourceGroupId: '' });
      expect((await inGroup(TWO))[type]).toEqual([]);
      expect((await inGroup(''))[type]).toContain(ids[type]);
    },
  );

  test('is that of a copy and of a clone alone if it was asked for', async () => {
    const { call, ids } = await groupedWorld();
    const abroad = { DestinationRegionId: 'cn-beijing', RegionId: 'cn-hangzhou' };
    const copies = { SnapshotId: ids.snapshot, ...abroad };
    await call('CopySnapshot', copies);
    await call('CopySnapshot', { ...copies, ResourceGroupId: TWO });
    const snapshots = (await call('DescribeSnapshots', { RegionId: 'cn-beijing' })).Snapshots;
    expect(snapshots.map((each) => each.ResourceGroupId).sort()).toEqual(['', TWO]);
    await call('CopyImage', { ImageId: ids.image, ...abroad });
    await call('CopyImage', { ImageId: ids.image, ...abroad, ResourceGroupId: TWO });
    const own = { RegionId: 'cn-beijing', ImageOwnerAlias: 'self' } as const;
    const { Images } = await call('DescribeImages', own);
    expect(Images.map((each) => each.ResourceGroupId).sort()).toEqual(['', TWO]);
    const like = { SourceDiskId: ids.disk, DiskCategory: 'cloud_essd', Size: 20 };
    await call('CloneDisks', { ...like, PerformanceLevel: 'PL0', ResourceGroupId: TWO });
    expect((await call('DescribeDisks', { ResourceGroupId: TWO })).TotalCount).toBe(1);
    const { DiskId } = await call('CloneDisk', { SourceDiskId: ids.disk });
    const [clone] = (await call('DescribeDisks', { DiskIds: [DiskId] })).Disks;
    expect(clone?.ResourceGroupId).toBe('');
  });

  test('is its owner’s alone: whom a snapshot or image is shared with sees none', async () => {
    const { as, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    const resource = { ResourceType: 'snapshot', ResourceId: SnapshotId } as const;
    await as(OWNER)('JoinResourceGroup', { ...resource, ResourceGroupId: ONE });
    const group = { ResourceGroupId: ONE };
    const { ImageId } = await as(OWNER)('CreateImage', { SnapshotId, ...group });
    await as(OWNER)('ShareSnapshot', { SnapshotId, AccountId: RECIPIENT });
    await as(OWNER)('ModifyImageSharePermission', { ImageId, AddAccount: [RECIPIENT] });
    const { Snapshots } = await as(RECIPIENT)('DescribeSnapshots', {});
    expect(Snapshots.map((each) => each.ResourceGroupId)).toEqual(['']);
    const { Images } = await as(RECIPIENT)('DescribeImages', { ImageId });
    expect(Images.map((each) => each.ResourceGroupId)).toEqual(['']);
    expect((await as(RECIPIENT)('DescribeImages', group)).TotalCount).toBe(0);
    const foreign = { ...resource, ResourceGroupId: TWO };
    expect(await codeOf(as(RECIPIENT)('JoinResourceGroup', foreign))).toBe(
      'InvalidResourceId.NotFound',
    );
  });

  test('is not joined in a dry run, nor by an id that is none', async () => {
    const { control, refused, ids } = await groupedWorld();
    const before = dumpState(control);
    const resource = { ResourceType: 'disk', ResourceId: ids.disk, ResourceGroupId: TWO };
    expect(await refused('JoinResourceGroup', { ...resource, DryRun: true })).toBe(
      'DryRunOperation',
    );
    const wrong = { ...resource, ResourceGroupId: 'two' };
    expect(await refused('JoinResourceGroup', wrong)).toBe('InvalidResourceGroup.NotFound');
    const key = { ...resource, ResourceType: 'keypair' };
    expect(await refused('JoinResourceGroup', key)).toBe('InvalidParameter');
    expect(dumpState(control)).toEqual(before);
  });
});
