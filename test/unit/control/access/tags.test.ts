/** Tags: what they may be, on what, and that a request changes everything or nothing. */
import { describe, expect, it } from 'vitest';
import { callVerb } from '../../../../src/control/call.ts';
import type { CommonParameters, Verbs } from '../../../../src/control/verbs.ts';
import { testControl } from '../../../support/control-context.ts';
import { refusal } from './refusal.ts';

async function taggedWorld() {
  const { context } = await testControl();
  const call = <V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ) => callVerb(context, context.principal, verb, parameters);
  const { DiskId } = await call('CreateDisk', { Size: 20 });
  const { SnapshotId } = await call('CreateSnapshot', { DiskId });
  const own = {
    accountId: context.accountId,
    regionId: context.regionId,
    name: '',
    description: '',
    tags: {},
    createdAt: 0,
  };
  const imageId = 'm-aaaaaaaaaaaaaaaaaaaa';
  const instanceId = 'i-aaaaaaaaaaaaaaaaaaaa';
  await context.metadata.commit({
    putDocuments: [
      {
        kind: 'image',
        record: {
          ...own,
          imageId,
          family: '',
          status: 'Available',
          devices: [],
          sourceInstanceId: null,
          sourceImageId: null,
          sourceRegionId: null,
          platform: '',
          osType: 'linux',
          architecture: 'x86_64',
          sharedWith: [],
          isPublic: false,
        },
      },
      {
        kind: 'instance',
        record: {
          ...own,
          instanceId,
          imageId,
          zoneId: 'cn-hangzhou-a',
          instanceType: 'ecs.g7.large',
          status: 'Stopped',
          hostName: '',
          deletionProtection: false,
          startedAt: null,
        },
      },
    ],
  });
  const ids = { disk: DiskId, snapshot: SnapshotId, image: imageId, instance: instanceId };
  const tag = (ResourceId: string[], Tag: { Key: string; Value?: string }[]) =>
    call('TagResources', { ResourceType: 'disk', ResourceId, Tag });
  return { context, call, ids, tag, tagsOf: (id: string) => context.metadata.getDisk(id)?.tags };
}

describe('tags', () => {
  it.each(['disk', 'snapshot', 'image', 'instance'] as const)(
    'are put on a %s, listed, changed and taken off',
    async (ResourceType) => {
      const { call, ids } = await taggedWorld();
      const ResourceId = [ids[ResourceType]];
      const on = { ResourceType, ResourceId };
      const list = async (parameters: object = on) =>
        (await call('ListTagResources', { ResourceType, ...parameters })).TagResources.map(
          ({ TagKey, TagValue }) => `${TagKey}=${TagValue}`,
        );
      await call('TagResources', { ...on, Tag: [{ Key: 'a', Value: '1' }, { Key: 'b' }] });
      expect(await list()).toEqual(['a=1', 'b=']);
      await call('TagResources', { ...on, Tag: [{ Key: 'a', Value: '2' }] });
      expect(await list({})).toEqual(['a=2', 'b=']);
      expect(await list({ Tag: [{ Key: 'a' }] })).toEqual(['a=2', 'b=']);
      expect(await list({ Tag: [{ Key: 'a', Value: '1' }] })).toEqual([]);
      expect(await list({ ...on, Tag: [{ Key: 'a', Value: '2' }, { Key: 'c' }] })).toEqual([]);
      await call('UntagResources', { ...on, TagKey: ['b', 'not there'] });
      expect(await list()).toEqual(['a=2']);
      await call('UntagResources', { ...on, All: true });
      expect(await list()).toEqual([]);
    },
  );

  it.each<[string, { Key: string; Value?: string }]>([
    ['InvalidTagKey.Malformed', { Key: '' }],
    ['InvalidTagKey.Malformed', { Key: 'acs:ecs' }],
    ['InvalidTagKey.Malformed', { Key: 'ACS:ecs' }],
    ['InvalidTagKey.Malformed', { Key: 'aliyunish' }],
    ['InvalidTagKey.Malformed', { Key: 'see http://x' }],
    ['InvalidTagKey.Malformed', { Key: 'x'.repeat(129) }],
    ['InvalidTagValue.Malformed', { Key: 'k', Value: 'https://x' }],
    ['InvalidTagValue.Malformed', { Key: 'k', Value: 'acs:x' }],
    ['InvalidTagValue.Malformed', { Key: 'k', Value: 'x'.repeat(129) }],
    ['not refused', { Key: 'x'.repeat(128), Value: 'x'.repeat(128) }],
    ['not refused', { Key: '标签 with anything/else', Value: 'aliyun' }],
    ['InvalidTagKey.Malformed', { Key: '__proto__', Value: 'x' }],
    ['not refused', { Key: 'constructor', Value: 'x' }],
  ])('are checked, and %s: %j', async (code, given) => {
    const { ids, tag, tagsOf } = await taggedWorld();
    expect(await refusal(() => tag([ids.disk], [given]))).toBe(code);
    if (code !== 'not refused') expect(tagsOf(ids.disk)).toEqual({});
    else expect(Object.entries(tagsOf(ids.disk) ?? {})).toEqual([[given.Key, given.Value]]);
  });

  it('are given once in a request, and are at most 20 on a resource', async () => {
    const { ids, tag, tagsOf } = await taggedWorld();
    const many = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => ({ Key: `k${from + index}` }));
    const twice = () => tag([ids.disk], [{ Key: 'a' }, { Key: 'a', Value: '2' }]);
    expect(await refusal(twice)).toBe('Duplicate.TagKey');
    expect(await refusal(() => tag([ids.disk], many(0, 21)))).toBe('NumberExceed.Tags');
    await tag([ids.disk], many(0, 20));
    expect(await refusal(() => tag([ids.disk], many(20, 21)))).toBe('NumberExceed.Tags');
    await tag([ids.disk], [{ Key: 'k3', Value: 'changed' }]);
    expect(Object.keys(tagsOf(ids.disk) ?? {}).length).toBe(20);
  });

  it('of the cloud stay, and count for nothing', async () => {
    const { context, call, ids, tag, tagsOf } = await taggedWorld();
    const disk = context.metadata.getDisk(ids.disk);
    if (disk === undefined) throw new Error('the world has a disk');
    const reserved = { 'acs:ecs:sharedFrom': 'x' };
    await context.metadata.commit({ putDisks: [{ ...disk, tags: reserved }] });
    const on = { ResourceType: 'disk', ResourceId: [ids.disk] } as const;
    await tag(
      [ids.disk],
      Array.from({ length: 20 }, (_, index) => ({ Key: `k${index}` })),
    );
    await call('UntagResources', { ...on, All: true });
    expect(tagsOf(ids.disk)).toEqual(reserved);
    const untag = () => call('UntagResources', { ...on, TagKey: ['acs:ecs:sharedFrom'] });
    expect(await refusal(untag)).toBe('InvalidTagKey.Malformed');
  });

  it('are put on all resources of a request or on none', async () => {
    const { context, call, ids, tag, tagsOf } = await taggedWorld();
    const tags = [{ Key: 'a' }];
    const unknown = ['d-bbbbbbbbbbbbbbbbbbbb', 'nonsense', ids.snapshot, ids.image];
    for (const id of unknown) {
      expect(await refusal(() => tag([ids.disk, id], tags))).toBe('InvalidResourceId.NotFound');
    }
    for (const ResourceType of ['snapshot', 'image', 'instance'] as const) {
      const wrong = () => call('TagResources', { ResourceType, ResourceId: [ids.disk], Tag: tags });
      expect(await refusal(wrong)).toBe('InvalidResourceId.NotFound');
    }
    const far = { ...context.principal, regionId: 'cn-beijing' };
    const elsewhere = () =>
      callVerb(context, far, 'ListTagResources', { ResourceType: 'disk', ResourceId: [ids.disk] });
    expect(await refusal(elsewhere)).toBe('InvalidResourceId.NotFound');
    expect(tagsOf(ids.disk)).toEqual({});
    await tag([ids.disk, ids.disk], tags);
    expect(tagsOf(ids.disk)).toEqual({ a: '' });
  });

  it('need parameters that make sense', async () => {
    const { call, ids } = await taggedWorld();
    const on = { ResourceType: 'disk', ResourceId: [ids.disk] } as const;
    expect(await refusal(() => call('UntagResources', on))).toBe('MissingParameter');
    const bogus = { ...on, ResourceType: 'eni' } as never;
    expect(await refusal(() => call('UntagResources', bogus))).toBe('InvalidParameter');
    for (const NextToken of ['x', '-1', '1'.repeat(16), '1.5']) {
      const list = () => call('ListTagResources', { ResourceType: 'disk', NextToken });
      expect(await refusal(list)).toBe('InvalidParameter');
    }
  });

  it('are listed a page at a time, each once', async () => {
    const { call, tag } = await taggedWorld();
    const ids: string[] = [];
    for (let index = 0; index < 60; index++) {
      ids.push((await call('CreateDisk', { Size: 20 })).DiskId);
    }
    await tag(ids.slice(0, 50), [{ Key: 'a' }, { Key: 'b' }]);
    await tag(ids.slice(50), [{ Key: 'a' }, { Key: 'b' }]);
    const seen: string[] = [];
    let pages = 0;
    for (let NextToken = '', isMore = true; isMore; isMore = NextToken !== '') {
      const page = await call('ListTagResources', { ResourceType: 'disk', NextToken });
      for (const { ResourceId, TagKey } of page.TagResources) seen.push(`${ResourceId} ${TagKey}`);
      expect(page.TagResources.length).toBeLessThanOrEqual(51);
      NextToken = page.NextToken;
      pages++;
    }
    expect(pages).toBe(3);
    expect(seen.sort()).toEqual(ids.flatMap((id) => [`${id} a`, `${id} b`]).sort());
  });
});
