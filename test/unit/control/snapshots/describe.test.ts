/** DescribeSnapshots: every filter, both ways to page, own and shared. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Verbs } from '../../../../src/control/verbs.ts';
import {
  ABROAD,
  type ControlWorld,
  codeOf,
  controlWorld,
  OWNER,
  RECIPIENT,
  STRANGER,
} from '../../../support/control-world.ts';

type Filters = Verbs['DescribeSnapshots']['parameters'];

describe('DescribeSnapshots', () => {
  let world: ControlWorld;
  let made: Record<'one' | 'two' | 'three' | 'copy', string>;
  let disks: Record<'plain' | 'encrypted', string>;
  let keyId: string;
  let sharedId: string;
  beforeAll(async () => {
    world = await controlWorld();
    const call = world.as(OWNER);
    const plain = await call('CreateDisk', { Size: 1 });
    const key = await call('CreateKey', {});
    keyId = key.KeyMetadata.KeyId;
    const encrypted = await call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId: keyId });
    disks = { plain: plain.DiskId, encrypted: encrypted.DiskId };
    const take = async (parameters: Verbs['CreateSnapshot']['parameters']) =>
      (await call('CreateSnapshot', parameters)).SnapshotId;
    const one = await take({ DiskId: disks.plain, SnapshotName: 'one' });
    const two = await take({ DiskId: disks.plain, Tag: [{ Key: 'k', Value: 'v' }] });
    const three = await take({ DiskId: disks.encrypted, SnapshotName: 'three' });
    const copied = { SnapshotId: three, DestinationRegionId: ABROAD, Encrypted: true };
    const { SnapshotId: copy } = await call('CopySnapshot', copied);
    made = { one, two, three, copy };
    await call('CreateDisk', { SnapshotId: one });
    await call('CreateImage', { SnapshotId: one });
    await call('CreateImage', { SnapshotId: two });
    await call('CreateDisk', { SnapshotId: three });
    const { metadata } = world.control.context;
    const disk = metadata.getDisk(disks.plain);
    if (disk === undefined) throw new Error('the disk is there');
    const instanceId = 'i-aaaaaaaaaaaaaaaaaaaa';
    await metadata.commit({
      putDisks: [{ ...disk, instanceId }],
      putSnapshots: [{ ...world.snapshot(two), sourceDiskType: 'system', createdAt: 1000 }],
    });
    const share = await call('ShareSnapshot', { SnapshotId: three, AccountId: RECIPIENT });
    sharedId = share.SharedSnapshotId;
  });

  const named = async (filters: object, account = OWNER) => {
    const page = await world.as(account)('DescribeSnapshots', filters as Filters);
    expect(page.TotalCount).toBe(page.Snapshots.length);
    const names = Object.fromEntries(Object.entries(made).map(([name, id]) => [id, name]));
    return page.Snapshots.map((each) => names[each.SnapshotId] ?? 'other').sort();
  };

  it.each([
    [{}, ['one', 'three', 'two']],
    [{ RegionId: ABROAD }, ['copy']],
    [{ SnapshotName: 'one' }, ['one']],
    [{ SnapshotName: 'on' }, []],
    [{ Encrypted: true }, ['three']],
    [{ Encrypted: false }, ['one', 'two']],
    [{ Status: 'all' }, ['one', 'three', 'two']],
    [{ Status: 'accomplished' }, ['one', 'three', 'two']],
    [{ Status: 'progressing' }, []],
    [{ Status: 'progressing', RegionId: ABROAD }, ['copy']],
    [{ Status: 'failed' }, []],
    [{ SnapshotType: 'user' }, ['one', 'three', 'two']],
    [{ SnapshotType: 'auto' }, []],
    [{ SourceDiskType: 'System' }, ['two']],
    [{ SourceDiskType: 'data' }, ['one', 'three']],
    [{ Usage: 'image_disk' }, ['one']],
    [{ Usage: 'image' }, ['two']],
    [{ Usage: 'disk' }, ['three']],
    [{ Usage: 'none' }, []],
    [{ Category: 'Standard' }, ['one', 'three', 'two']],
    [{ Category: 'flash' }, []],
    [{ Tag: [{ Key: 'k' }] }, ['two']],
    [{ Tag: [{ Key: 'k', Value: 'v' }] }, ['two']],
    [{ Tag: [{ Key: 'k', Value: 'w' }] }, []],
    [{ Filter: [{ Key: 'CreationStartTime', Value: '2026-01-01T00:00Z' }] }, ['one', 'three']],
    [{ Filter: [{ Key: 'CreationEndTime', Value: '1970-01-01T00:00:01Z' }] }, ['two']],
    [{ InstanceId: 'i-aaaaaaaaaaaaaaaaaaaa' }, ['one', 'two']],
    [{ InstanceId: 'i-bbbbbbbbbbbbbbbbbbbb' }, []],
    [{ InstanceId: 'nothing' }, []],
    [{ DiskId: 'nothing' }, []],
    [{ KMSKeyId: 'nothing' }, []],
  ])('with %j shows %j', async (filters, expected) => {
    expect(await named(filters)).toEqual(expected);
  });

  it('by disk, by key, by id, and by several of these', async () => {
    expect(await named({ DiskId: disks.encrypted })).toEqual(['three']);
    expect(await named({ KMSKeyId: keyId })).toEqual(['three']);
    expect(await named({ KMSKeyId: keyId, DiskId: disks.plain })).toEqual([]);
    const InstanceId = 'i-aaaaaaaaaaaaaaaaaaaa';
    expect(await named({ InstanceId, DiskId: disks.plain, Usage: 'image' })).toEqual(['two']);
    expect(await named({ InstanceId, DiskId: disks.encrypted })).toEqual([]);
    const SnapshotIds = [made.one, made.three, made.copy, 'nothing', made.one];
    expect(await named({ SnapshotIds })).toEqual(['one', 'three']);
    expect(await named({ SnapshotIds, DiskId: disks.plain })).toEqual(['one']);
    expect(await named({ SnapshotIds, KMSKeyId: keyId })).toEqual(['three']);
    expect(await named({ SnapshotIds, InstanceId })).toEqual(['one']);
    expect(await named({ SnapshotIds, Encrypted: true })).toEqual(['three']);
  });

  it('shows other accounts what is shared with them, under a new id, and no more', async () => {
    const shown = await world.as(RECIPIENT)('DescribeSnapshots', {});
    expect(shown.Snapshots).toMatchObject([
      {
        SnapshotId: sharedId,
        SnapshotName: 'three',
        Encrypted: true,
        Tags: [{ TagKey: 'acs:ecs:sharedFrom', TagValue: `${OWNER}:cn-hangzhou:${made.three}` }],
      },
    ]);
    expect(await named({}, STRANGER)).toEqual([]);
    expect(await named({ SnapshotIds: [sharedId] }, STRANGER)).toEqual([]);
    expect(await named({ SnapshotIds: [sharedId] }, OWNER)).toEqual([]);
    expect(await named({ SnapshotIds: [sharedId] }, RECIPIENT)).toEqual(['other']);
    expect(await named({ SnapshotIds: [made.three] }, RECIPIENT)).toEqual([]);
    expect(await named({ DiskId: disks.encrypted }, RECIPIENT)).toEqual(['other']);
    expect(await named({ DiskId: disks.plain }, RECIPIENT)).toEqual([]);
    expect(await named({ KMSKeyId: keyId }, RECIPIENT)).toEqual(['other']);
    expect(await named({ Tag: [{ Key: 'acs:ecs:sharedFrom' }] }, RECIPIENT)).toEqual(['other']);
    expect(await named({ RegionId: ABROAD }, RECIPIENT)).toEqual([]);
  });

  it.each([
    ['as it lies', {}],
    ['with a filter', { Status: 'all', SnapshotType: 'all', Encrypted: false }],
  ])('pages by number and by token, %s', async (_what, filters) => {
    const call = world.as(OWNER);
    const all = await call('DescribeSnapshots', filters as Filters);
    const ids = all.Snapshots.map((each) => each.SnapshotId);
    expect(all.NextToken).toBe('');
    const byNumber: string[] = [];
    for (let PageNumber = 1; PageNumber <= ids.length + 1; PageNumber++) {
      const page = { ...filters, PageNumber, PageSize: 1 } as Filters;
      const shown = await call('DescribeSnapshots', page);
      expect(shown).toMatchObject({ TotalCount: ids.length, PageNumber, PageSize: 1 });
      byNumber.push(...shown.Snapshots.map((each) => each.SnapshotId));
    }
    expect(byNumber).toEqual(ids);
    const byToken: string[] = [];
    let NextToken = '';
    do {
      const page = { ...filters, MaxResults: 1, NextToken } as Filters;
      const shown = await call('DescribeSnapshots', page);
      byToken.push(...shown.Snapshots.map((each) => each.SnapshotId));
      NextToken = shown.NextToken;
    } while (NextToken !== '');
    expect(byToken).toEqual(ids);
  });

  it.each([
    { NextToken: 'no token of ours' },
    { MaxResults: 0 },
    { MaxResults: 101 },
    { Status: 'gone' },
    { Usage: 'everything' },
    { Filter: [{ Key: 'CreationTime', Value: '2026-01-01T00:00Z' }] },
    { Filter: [{ Key: 'CreationStartTime', Value: 'yesterday' }] },
    { Filter: [{ Key: 'CreationStartTime', Value: '2026-13-41T00:00Z' }] },
    { Nmae: 'x' },
  ])('refuses %j', async (filters) => {
    const call = world.as(OWNER)('DescribeSnapshots', filters as never);
    expect(await codeOf(call)).toBe('InvalidParameter');
  });
});
