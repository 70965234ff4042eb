/** DescribeDisks: every filter, both ways of paging, and nothing of anybody else. */
import { beforeAll, describe, expect, it } from 'vitest';
import { callVerb } from '../../../../src/control/call.ts';
import { matchesName, pageOf } from '../../../../src/control/list-pages.ts';
import { NEW_INSTANCE, type TestCaller, testCaller } from '../../../support/control-caller.ts';

describe('DescribeDisks', () => {
  let caller: TestCaller;
  let ids: string[];
  let InstanceId: string;
  let SnapshotId: string;
  let KMSKeyId: string;

  beforeAll(async () => {
    caller = await testCaller();
    const { call } = caller;
    KMSKeyId = (await call('CreateKey', {})).KeyMetadata.KeyId;
    ids = [];
    const make = async (more: object) => {
      ids.push((await call('CreateDisk', { Size: 1, ...more })).DiskId);
    };
    await make({ DiskName: 'alpha-one', Encrypted: true, KMSKeyId });
    await make({ DiskName: 'alpha-two', ZoneId: 'cn-hangzhou-b', Tag: [{ Key: 'a', Value: 'b' }] });
    await make({ DiskName: 'beta', Size: 20, DiskCategory: 'cloud_ssd' });
    SnapshotId = (await call('CreateSnapshot', { DiskId: String(ids[0]) })).SnapshotId;
    await make({ SnapshotId });
    InstanceId = (await call('CreateInstance', NEW_INSTANCE)).InstanceId;
    const [system] = (await call('DescribeDisks', { InstanceId })).Disks;
    ids.push(String(system?.DiskId));
    await call('ModifyDiskAttribute', { DiskId: String(ids[2]), EnableAutoSnapshot: false });
    await call('CreateDisk', { Size: 1, RegionId: 'cn-beijing' });
  });

  const numbersOf = async (parameters: object) => {
    const { Disks } = await caller.call('DescribeDisks', { PageSize: 100, ...parameters });
    return Disks.map(({ DiskId }) => ids.indexOf(DiskId)).sort();
  };

  it.each([
    [{}, [0, 1, 2, 3, 4]],
    [{ Encrypted: true }, [0, 3]],
    [{ Encrypted: false }, [1, 2, 4]],
    [{ Status: 'In_use' }, [4]],
    [{ Status: 'All' }, [0, 1, 2, 3, 4]],
    [{ DiskType: 'system' }, [4]],
    [{ DiskType: 'all' }, [0, 1, 2, 3, 4]],
    [{ Category: 'cloud_ssd' }, [2]],
    [{ DiskName: 'beta' }, [2]],
    [{ DiskName: 'alpha*' }, [0, 1]],
    [{ DiskName: '*o*e' }, [0]],
    [{ ZoneId: 'cn-hangzhou-b' }, [1]],
    [{ Portable: false }, [4]],
    [{ DiskChargeType: 'PrePaid' }, []],
    [{ MultiAttach: 'Disabled', DeleteWithInstance: true }, [4]],
    [{ EnableAutoSnapshot: false }, [2]],
    [{ DeleteAutoSnapshot: false }, []],
    [{ Tag: [{ Key: 'a' }] }, [1]],
    [{ Tag: [{ Key: 'a', Value: 'c' }] }, []],
    [{ Filter: [{ Key: 'CreationStartTime', Value: '2026-01-31T12:00Z' }] }, [0, 1, 2, 3, 4]],
    [{ Filter: [{ Key: 'CreationEndTime', Value: '2026-01-31T11:59:59Z' }] }, []],
    [{ ImageId: NEW_INSTANCE.ImageId }, [4]],
    [{ ImageId: '../disk' }, []],
    [{ KMSKeyId: 'key-aaaaaaaaaaaaaaaaaaaa' }, []],
    [{ DiskIds: ['d-1'] }, []],
    [{ DiskIds: [] }, []],
    [{ DiskName: '' }, [3, 4]],
  ])('with %j gives disks %j', async (parameters, expected) => {
    expect(await numbersOf(parameters)).toEqual(expected);
  });

  it('filters by what is known only when it was made, and by several things at once', async () => {
    const all = [...ids];
    expect(await numbersOf({ KMSKeyId })).toEqual([0, 3]);
    expect(await numbersOf({ SnapshotId })).toEqual([3]);
    expect(await numbersOf({ InstanceId })).toEqual([4]);
    expect(await numbersOf({ KMSKeyId, SnapshotId })).toEqual([3]);
    expect(await numbersOf({ DiskIds: all, KMSKeyId })).toEqual([0, 3]);
    expect(await numbersOf({ DiskIds: all, InstanceId })).toEqual([4]);
    expect(await numbersOf({ DiskIds: all, SnapshotId })).toEqual([3]);
    expect(await numbersOf({ DiskIds: all, ImageId: NEW_INSTANCE.ImageId })).toEqual([4]);
    expect(await numbersOf({ DiskIds: all, Encrypted: true, DiskName: 'alpha*' })).toEqual([0]);
  });

  it.each([{}, { Encrypted: true }, { Portable: true }])(
    'pages %j by token as by number',
    async (by) => {
      const { call } = caller;
      const whole = (await call('DescribeDisks', { PageSize: 100, ...by })).Disks;
      const byNumber = [];
      for (let PageNumber = 1; PageNumber <= 3; PageNumber++) {
        const page = await call('DescribeDisks', { PageNumber, PageSize: 2, ...by });
        expect([page.TotalCount, page.NextToken]).toEqual([whole.length, '']);
        byNumber.push(...page.Disks);
      }
      expect(byNumber).toEqual(whole);
      const byToken = [];
      let NextToken = '';
      do {
        const page = await call('DescribeDisks', { NextToken, MaxResults: 2, ...by });
        byToken.push(...page.Disks);
        NextToken = page.NextToken;
      } while (NextToken !== '');
      expect(byToken).toEqual(whole);
    },
  );

  it('refuses tokens and times that are none', async () => {
    const { refused } = caller;
    expect(await refused('DescribeDisks', { NextToken: 'x' })).toBe('InvalidParameter');
    expect(await refused('DescribeDisks', { MaxResults: 501 })).toBe('InvalidParameter');
    const filter = (Key: string, Value: string) =>
      refused('DescribeDisks', { Filter: [{ Key, Value }] });
    expect(await filter('CreationStartTime', 'yesterday')).toBe('InvalidParameter');
    expect(await filter('Colour', '2026-01-31T12:00Z')).toBe('InvalidParameter');
  });

  it('shows nothing of another region or account', async () => {
    const { context } = caller.control;
    expect((await caller.call('DescribeDisks', { RegionId: 'cn-beijing' })).TotalCount).toBe(1);
    const far = { DiskIds: ids, RegionId: 'cn-beijing' };
    expect((await caller.call('DescribeDisks', far)).TotalCount).toBe(0);
    const accountId = '1000000000000002';
    const account = context.metadata.getDocument('account', context.accountId);
    if (account === undefined) throw new Error('the account is there');
    const record = { ...account, accountId };
    await context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const other = { ...context.principal, accountId };
    const seen = await callVerb(context, other, 'DescribeDisks', { DiskIds: ids });
    expect(seen.TotalCount).toBe(0);
  });
});

describe('a name pattern', () => {
  it.each([
    ['', '', true],
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['abc', '*', true],
    ['abc', 'a*c', true],
    ['abc', 'a*b*c', true],
    ['abc', '*d*', false],
    ['aba', 'ab*ba', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['abc', 'b*', false],
  ])('of %j and %j: %s', (name, pattern, expected) => {
    expect(matchesName(name, pattern)).toBe(expected);
  });
});

describe('a page', () => {
  it('looks at as many records as there are, and no more than once', () => {
    const records = Array.from({ length: 2_500 }, (_, index) => index);
    const steps: number[] = [];
    const list = (skip: number, limit: number) => {
      steps.push(skip);
      return { total: records.length, records: records.slice(skip, skip + limit) };
    };
    const page = pageOf({ PageNumber: 2, PageSize: 10 }, list, (record) => record % 100 === 0);
    expect(page.TotalCount).toBe(25);
    expect(page.records).toEqual([1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900]);
    expect(steps).toEqual([0, 1000, 2000]);
  });
});
