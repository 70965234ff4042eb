/** Snapshots: taken, changed, deleted. */
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  controlWorld,
  OWNER,
  RECIPIENT,
  STRANGER,
} from '../../../support/control-world.ts';

const DISABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';

describe('CreateSnapshot', () => {
  it('keeps name, description, retention and tags, and answers for them', async () => {
    const { as, control } = await controlWorld();
    const call = as(OWNER);
    const { DiskId } = await call('CreateDisk', { Size: 2 });
    const { SnapshotId } = await call('CreateSnapshot', {
      DiskId,
      SnapshotName: 'before-the-upgrade',
      Description: 'all of it',
      RetentionDays: 30,
      Tag: [{ Key: 'stage', Value: 'test' }, { Key: 'empty' }],
    });
    const { Snapshots } = await call('DescribeSnapshots', { SnapshotIds: [SnapshotId] });
    expect(Snapshots).toEqual([
      {
        SnapshotId,
        SnapshotName: 'before-the-upgrade',
        Description: 'all of it',
        RegionId: 'cn-hangzhou',
        SourceDiskId: DiskId,
        SourceDiskSize: 2,
        SourceDiskType: 'data',
        SourceSnapshotId: '',
        SourceRegionId: '',
        Status: 'accomplished',
        Progress: '100%',
        Available: true,
        Encrypted: false,
        KMSKeyId: '',
        RetentionDays: 30,
        SnapshotType: 'user',
        Category: 'standard',
        Usage: 'none',
        ResourceGroupId: '',
        CreationTime: '2026-01-31T12:00:00Z',
        Tags: [
          { TagKey: 'stage', TagValue: 'test' },
          { TagKey: 'empty', TagValue: '' },
        ],
      },
    ]);
    expect(control.drained).toEqual([DiskId]);
  });

  it.each([
    [{ RetentionDays: 0 }, 'InvalidParameter'],
    [{ RetentionDays: 65_537 }, 'InvalidParameter'],
    [{ RetentionDays: 1.5 }, 'InvalidParameter'],
    [{ Description: 'x'.repeat(257) }, 'InvalidDescription.Malformed'],
    [{ Tag: [{ Value: 'v' }] }, 'MissingParameter'],
    [{ Tag: [{ Key: '' }] }, 'InvalidTagKey.Malformed'],
    [{ Tag: [{ Key: 'acs:mine' }] }, 'InvalidTagKey.Malformed'],
    [{ Tag: [{ Key: 'a' }, { Key: 'a' }] }, 'Duplicate.TagKey'],
    [{ DryRun: true }, 'DryRunOperation'],
  ])('refuses %j with %s and takes none', async (parameters, code) => {
    const { as, refused, control } = await controlWorld();
    const { DiskId } = await as(OWNER)('CreateDisk', { Size: 1 });
    expect(await refused('CreateSnapshot', { DiskId, ...parameters })).toBe(code);
    expect(control.told).toEqual([]);
    expect((await as(OWNER)('DescribeSnapshots', {})).TotalCount).toBe(0);
  });

  it('refuses a disk whose key is disabled or to be deleted, until it is enabled', async () => {
    const { as, refused, snapshotOf } = await controlWorld();
    const call = as(OWNER);
    const { DiskId, KMSKeyId } = await snapshotOf('user');
    await call('DisableKey', { KeyId: KMSKeyId });
    expect(await refused('CreateSnapshot', { DiskId })).toBe(DISABLED);
    await call('EnableKey', { KeyId: KMSKeyId });
    await call('ScheduleKeyDeletion', { KeyId: KMSKeyId, PendingWindowInDays: 7 });
    expect(await refused('CreateSnapshot', { DiskId })).toBe(DISABLED);
    await call('CancelKeyDeletion', { KeyId: KMSKeyId });
    await call('EnableKey', { KeyId: KMSKeyId });
    expect(await refused('CreateSnapshot', { DiskId })).toBe('it was not refused');
  });

  it('takes 256 of a disk and no more; copies do not count', async () => {
    const world = await controlWorld();
    const { control, refused, snapshotOf } = world;
    const { DiskId, SnapshotId } = await snapshotOf('plain');
    const first = world.snapshot(SnapshotId);
    const id = (number: number) => `s-${String(number).padStart(20, '0')}`;
    const made = Array.from({ length: 255 }, (_, number) => ({
      ...first,
      snapshotId: id(number),
      layers: [{ tree: id(number), encryption: null }],
      sourceSnapshotId: number < 5 ? SnapshotId : null,
    }));
    await control.context.metadata.commit({ putSnapshots: made });
    for (let more = 0; more < 5; more++) await world.as(OWNER)('CreateSnapshot', { DiskId });
    expect(await refused('CreateSnapshot', { DiskId })).toBe('QuotaExceed.Snapshot');
  });

  it('keeps every layer of a disk that is being encrypted anew, and has that go on', async () => {
    const { as, control, snapshot, snapshotOf } = await controlWorld();
    const { metadata } = control.context;
    const { DiskId } = await snapshotOf('service');
    const disk = metadata.getDisk(DiskId);
    if (disk === undefined) throw new Error('the disk is there');
    const below = { tree: `${DiskId}.1`, encryption: null };
    await metadata.commit({ putDisks: [{ ...disk, layers: [...disk.layers, below] }] });
    const { SnapshotId } = await as(OWNER)('CreateSnapshot', { DiskId });
    expect(snapshot(SnapshotId).layers.map(({ tree }) => tree)).toEqual([
      SnapshotId,
      `${SnapshotId}.1`,
    ]);
    expect(control.reencrypted).toEqual([SnapshotId]);
  });
});

describe('ModifySnapshotAttribute', () => {
  it('changes what is given and nothing else', async () => {
    const { as, snapshot, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    const before = snapshot(SnapshotId);
    await as(OWNER)('ModifySnapshotAttribute', { SnapshotId, SnapshotName: 'nn' });
    await as(OWNER)('ModifySnapshotAttribute', { SnapshotId, Description: 'dd', RetentionDays: 3 });
    const after = { ...before, name: 'nn', description: 'dd', retentionDays: 3 };
    expect(snapshot(SnapshotId)).toEqual(after);
  });

  it('refuses nothing to change, dry runs, and snapshots of others', async () => {
    const { as, refused, snapshot, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    const before = snapshot(SnapshotId);
    expect(await refused('ModifySnapshotAttribute', { SnapshotId })).toBe('MissingParameter');
    const dry = { SnapshotId, SnapshotName: 'nn', DryRun: true };
    expect(await refused('ModifySnapshotAttribute', dry)).toBe('DryRunOperation');
    const foreign = as(STRANGER)('ModifySnapshotAttribute', { SnapshotId, SnapshotName: 'nn' });
    expect(await codeOf(foreign)).toBe('InvalidSnapshotId.NotFound');
    expect(snapshot(SnapshotId)).toEqual(before);
  });
});

describe('DeleteSnapshot', () => {
  it('never deletes what an image was made of, by force or not', async () => {
    const { as, refused, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    const { ImageId } = await as(OWNER)('CreateImage', { SnapshotId });
    for (const Force of [false, true]) {
      expect(await refused('DeleteSnapshot', { SnapshotId, Force })).toBe('SnapshotCreatedImage');
    }
    await as(OWNER)('DeleteImage', { ImageId });
    await as(OWNER)('DeleteSnapshot', { SnapshotId });
  });

  it('deletes what disks were made of by force only', async () => {
    const { as, refused, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    await as(OWNER)('CreateDisk', { SnapshotId });
    expect(await refused('DeleteSnapshot', { SnapshotId })).toBe('SnapshotCreatedDisk');
    await as(OWNER)('DeleteSnapshot', { SnapshotId, Force: true });
    expect(await refused('DeleteSnapshot', { SnapshotId })).toBe('InvalidSnapshotId.NotFound');
  });

  it('deletes what is shared only when it is no longer', async () => {
    const { as, refused, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    await as(OWNER)('ShareSnapshot', { SnapshotId, AccountId: RECIPIENT });
    const forced = { SnapshotId, Force: true };
    expect(await refused('DeleteSnapshot', forced)).toBe('InvalidSnapshotId.InUse');
    await as(OWNER)('UnshareSnapshot', { SnapshotId, AccountId: RECIPIENT });
    await as(OWNER)('DeleteSnapshot', { SnapshotId });
  });

  it('removes every tree of a copy that is being encrypted', async () => {
    const { as, control, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    const copy = await as(OWNER)('CopySnapshot', {
      SnapshotId,
      DestinationRegionId: 'cn-hangzhou',
      Encrypted: true,
    });
    control.told.length = 0;
    await as(OWNER)('DeleteSnapshot', { SnapshotId: copy.SnapshotId });
    expect(control.told.map(({ request }) => request)).toEqual([
      { op: 'removeTree', name: copy.SnapshotId },
      { op: 'removeTree', name: `${copy.SnapshotId}.1` },
    ]);
  });

  it('changes nothing in a dry run', async () => {
    const { as, refused, snapshotOf } = await controlWorld();
    const { SnapshotId } = await snapshotOf('plain');
    expect(await refused('DeleteSnapshot', { SnapshotId, DryRun: true })).toBe('DryRunOperation');
    expect((await as(OWNER)('DescribeSnapshots', {})).TotalCount).toBe(1);
  });
});
