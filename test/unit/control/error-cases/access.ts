/** DATA: what every verb refuses: who calls, where, with which token; and tags. */
import { type ErrorCase, type ErrorWorld, OTHER, refused } from '../../../support/error-world.ts';

const TAGS = { ResourceType: 'disk' } as const;

async function user(w: ErrorWorld, ...policies: string[]): Promise<{ userName: string }> {
  await w.setAccount({ users: [{ name: 'alice', policies }] });
  return { userName: 'alice' };
}

/** A call that was made with its token, which left no answer behind: the process ended. */
async function unanswered(w: ErrorWorld): Promise<object> {
  const parameters = {
    SourceDiskId: await w.disk(),
    DiskCategory: 'cloud_essd',
    Size: 20,
    ClientToken: 'token-1',
  };
  await w.call('CloneDisks', parameters);
  const { records } = w.context.metadata.listDocuments('token', null, 0, 10);
  const putDocuments = records.map((record) => ({
    kind: 'token' as const,
    record: { ...record, result: '' },
  }));
  await w.context.metadata.commit({ putDocuments });
  return parameters;
}

const CALLERS: readonly ErrorCase[] = [
  refused('InvalidAccessKeyId.NotFound', 404, 'CreateDisk', 'no such account', async () => ({
    parameters: { Size: 20 },
    says: ['9000000000000009'],
    by: { accountId: '9000000000000009' },
  })),
  refused('InvalidAccessKeyId.NotFound', 404, 'CreateDisk', 'no such user', async () => ({
    parameters: { Size: 20 },
    says: ['bob'],
    by: { userName: 'bob' },
  })),
  refused('Forbidden.RAM', 403, 'CreateDisk', 'the user may only look', async (w) => ({
    parameters: { Size: 20 },
    says: ['CreateDisk', 'alice', 'AliyunECSReadOnlyAccess'],
    by: await user(w, 'AliyunECSReadOnlyAccess'),
  })),
  refused('Forbidden.NoPermission', 403, 'CreateKey', 'the user has no policy', async (w) => ({
    parameters: {},
    says: ['CreateKey', 'alice', 'no policy'],
    by: await user(w),
  })),
  refused('Forbidden.RAM', 403, 'EnableDiskEncryptionByDefault', 'not ECS’s', async (w) => ({
    parameters: {},
    says: ['EnableDiskEncryptionByDefault', 'AliyunKMSFullAccess'],
    by: await user(w, 'AliyunKMSFullAccess'),
  })),
  refused('InvalidRegionId.NotFound', 404, 'DescribeDisks', 'no such region', async () => ({
    parameters: { RegionId: 'moon-1' },
    says: ['moon-1'],
  })),
  refused('InvalidParameter', 400, 'CreateDisk', 'a region is a number', async () => ({
    parameters: { Size: 20, RegionId: 7 },
    says: ['RegionId', 'string', '7'],
  })),
  refused('UnknownVerb', 404, 'FormatDisk' as 'CreateDisk', 'no such verb', async () => ({
    parameters: {},
    says: ['FormatDisk'],
  })),
  refused('UnknownVerb', 404, 'toString' as 'CreateDisk', 'an object’s own', async () => ({
    parameters: {},
    says: ['toString'],
  })),
  refused('DryRunOperation', 400, 'CreateDisk', 'all is well, but for DryRun', async () => ({
    parameters: { Size: 20, DryRun: true },
    says: ['CreateDisk', 'DryRun'],
  })),
  refused('DryRunOperationError', 400, 'CreateKey', 'all is well, but for DryRun', async () => ({
    parameters: { DryRun: true },
    says: ['CreateKey', 'DryRun'],
  })),
];

const TOKENS: readonly ErrorCase[] = [
  refused('InvalidClientToken.Malformed', 400, 'CreateDisk', 'too long a token', async () => ({
    parameters: { Size: 20, ClientToken: 'x'.repeat(65) },
    says: ['64', 'ASCII'],
  })),
  refused('IdempotentParameterMismatch', 400, 'CreateDisk', 'other parameters', async (w) => {
    await w.disk({ ClientToken: 'token-1' });
    return { parameters: { Size: 40, ClientToken: 'token-1' }, says: ['token-1', 'CreateDisk'] };
  }),
  refused('LastTokenProcessing', 403, 'CloneDisks', 'no answer is known', async (w) => ({
    parameters: await unanswered(w),
    says: ['CloneDisks', 'd-'],
  })),
];

const TAGGING: readonly ErrorCase[] = [
  refused('InvalidResourceGroup.NotFound', 404, 'JoinResourceGroup', 'no id of one', async (w) => ({
    parameters: { ResourceType: 'disk', ResourceId: await w.disk(), ResourceGroupId: 'mine' },
    says: ['"mine"', 'resource group'],
  })),
  refused('InvalidResourceId.NotFound', 404, 'JoinResourceGroup', 'no such disk', async () => ({
    parameters: {
      ResourceType: 'disk',
      ResourceId: 'd-00000000000000000000',
      ResourceGroupId: 'rg-mine',
    },
    says: ['d-00000000000000000000'],
  })),
  refused('InvalidResourceId.NotFound', 404, 'TagResources', 'no such disk', async () => ({
    parameters: {
      ...TAGS,
      ResourceId: ['d-00000000000000000000'],
      Tag: [{ Key: 'a', Value: 'b' }],
    },
    says: ['d-00000000000000000000'],
  })),
  refused('InvalidResourceId.NotFound', 404, 'TagResources', 'one is not theirs', async (w) => {
    const own = (await w.call('CreateDisk', { Size: 20 }, { accountId: OTHER })).DiskId;
    const theirs = await w.disk();
    const Tag = [{ Key: 'a', Value: 'b' }];
    const parameters = { ...TAGS, ResourceId: [own, theirs], Tag };
    return { parameters, says: [theirs], by: { accountId: OTHER } };
  }),
  refused('Duplicate.TagKey', 400, 'CreateDisk', 'a tag twice', async () => ({
    parameters: { Size: 20, Tag: [{ Key: 'a' }, { Key: 'a' }] },
    says: ['"a"', 'twice'],
  })),
  refused('InvalidTagKey.Malformed', 400, 'CreateSnapshot', 'the cloud’s tag', async (w) => ({
    parameters: { DiskId: await w.disk(), Tag: [{ Key: 'acs:x' }] },
    says: ['acs:x', 'reserved'],
  })),
  refused('InvalidTagValue.Malformed', 400, 'CreateDisk', 'an address', async () => ({
    parameters: { Size: 20, Tag: [{ Key: 'a', Value: 'http://a' }] },
    says: ['http://a'],
  })),
  refused('NumberExceed.Tags', 400, 'TagResources', 'more than 20', async (w) => {
    const tag = (_: unknown, index: number) => ({ Key: `k${index}` });
    const DiskId = await w.disk({ Tag: Array.from({ length: 20 }, tag) });
    return {
      parameters: { ...TAGS, ResourceId: [DiskId], Tag: [{ Key: 'k20' }] },
      says: [DiskId, '20', '21'],
    };
  }),
  refused('MissingParameter', 400, 'UntagResources', 'neither keys nor all', async (w) => ({
    parameters: { ...TAGS, ResourceId: [await w.disk()] },
    says: ['TagKey', 'All'],
  })),
];

export const ACCESS_CASES: readonly ErrorCase[] = [...CALLERS, ...TOKENS, ...TAGGING];
