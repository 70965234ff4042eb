/** Who may do what: every verb there is, by every kind of caller. */
import { describe, expect, it } from 'vitest';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import { authorise } from '../../../../src/control/access/authorise.ts';
import {
  isAllowed,
  matchPolicyRules,
  POLICY_NAMES,
  POLICY_RULES,
  type PolicyName,
} from '../../../../src/control/access/policies.ts';
import { callVerb, verbFacts } from '../../../../src/control/call.ts';
import { testControl } from '../../../support/control-context.ts';
import { refusal } from './refusal.ts';

const ACCOUNT = '1000000000000001';
const VERBS = verbFacts();

/** What each policy lets a user do: ECS and KMS, each to read, to write, to use keys. */
const MATRIX: Readonly<Record<PolicyName, string>> = {
  AdministratorAccess: 'ecs=rwc kms=rwc',
  ReadOnlyAccess: 'ecs=r-- kms=r--',
  AliyunECSFullAccess: 'ecs=rwc kms=---',
  AliyunECSReadOnlyAccess: 'ecs=r-- kms=---',
  AliyunKMSFullAccess: 'ecs=--- kms=rwc',
  AliyunKMSReadOnlyAccess: 'ecs=--- kms=r--',
  AliyunKMSCryptoUserAccess: 'ecs=--- kms=r-c',
};
const CRYPTO = /^(Encrypt|Decrypt|ReEncrypt|GenerateDataKey(WithoutPlaintext)?)$/;

function expected(policy: PolicyName, verb: (typeof VERBS)[number]): boolean {
  const [ecs = '', kms = ''] = MATRIX[policy].split(' ').map((part) => part.slice(4));
  const flags = verb.service === 'kms' ? kms : ecs;
  return flags.includes(CRYPTO.test(verb.name) ? 'c' : verb.access === 'read' ? 'r' : 'w');
}

async function controlWithUsers() {
  const control = await testControl();
  const users = [
    ...POLICY_NAMES.map((policy) => ({ name: policy, policies: [policy] })),
    { name: 'nobody', policies: [] },
    { name: 'both', policies: ['AliyunECSReadOnlyAccess', 'AliyunKMSFullAccess'] },
    { name: 'unknown-policy', policies: ['NoSuchPolicy'] },
  ];
  const record = { ...fullAccount(ACCOUNT, 0), users };
  await control.context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
  return control;
}

const by = (userName: string | null, accountId: string = ACCOUNT) => ({
  accountId,
  userName,
  regionId: 'cn-hangzhou',
});

describe('the policy table', () => {
  it('has exactly one row for every policy and verb', () => {
    const classes = ['read', 'write'] as const;
    const imagined = (['ecs', 'kms', 'plane'] as const).flatMap((service) =>
      classes.flatMap((access) =>
        ['Anything', 'Decrypt'].map((name) => ({ name, access, service })),
      ),
    );
    for (const policy of POLICY_NAMES) {
      for (const verb of [...VERBS, ...imagined]) {
        const rows = matchPolicyRules(policy, verb);
        expect(rows.length, `${policy} ${verb.name}`).toBe(1);
      }
    }
  });

  it('names a reason and a source in every row', () => {
    for (const row of POLICY_RULES) expect(`${row.because}${row.source}`).not.toBe('');
  });

  it('allows what the matrix says, for every verb there is', () => {
    expect(VERBS.length).toBeGreaterThan(20);
    for (const policy of POLICY_NAMES) {
      for (const verb of VERBS) {
        expect(isAllowed([policy], verb), `${policy} ${verb.name}`).toBe(expected(policy, verb));
      }
    }
  });
});

describe('a caller', () => {
  it.each(VERBS)('of $name is let through or refused by its policies alone', async (verb) => {
    const { context } = await controlWithUsers();
    const outcome = (principal: ReturnType<typeof by>) =>
      refusal(async () => authorise(context.metadata, principal, verb));
    const refused = verb.service === 'kms' ? 'Forbidden.NoPermission' : 'Forbidden.RAM';
    expect(await outcome(by(null))).toBe('not refused');
    expect(await outcome(by('nobody'))).toBe(refused);
    expect(await outcome(by('unknown-policy'))).toBe(refused);
    expect(await outcome(by('stranger'))).toBe('InvalidAccessKeyId.NotFound');
    expect(await outcome(by(null, '9'))).toBe('InvalidAccessKeyId.NotFound');
    for (const policy of POLICY_NAMES) {
      const code = expected(policy, verb) ? 'not refused' : refused;
      expect(await outcome(by(policy)), policy).toBe(code);
    }
    const either =
      expected('AliyunECSReadOnlyAccess', verb) || expected('AliyunKMSFullAccess', verb);
    expect(await outcome(by('both'))).toBe(either ? 'not refused' : refused);
  });

  it('who may not is refused before anything is looked up, and told what is missing', async () => {
    const { context } = await controlWithUsers();
    const call = callVerb(context, by('nobody'), 'DeleteDisk', { DiskId: 'no such disk' });
    await expect(call).rejects.toThrow(/Forbidden\.RAM: DeleteDisk .*nobody.*no policy/);
    const key = callVerb(context, by('AliyunECSFullAccess'), 'CreateKey', {});
    await expect(key).rejects.toThrow(/Forbidden\.NoPermission: .*AliyunECSFullAccess/);
  });

  it('of a verb that both APIs have is judged by the API it is of', async () => {
    const { context } = await controlWithUsers();
    const { KeyId } = (await callVerb(context, by(null), 'CreateKey', {})).KeyMetadata;
    const { DiskId } = await callVerb(context, by(null), 'CreateDisk', { Size: 20 });
    const tag = (user: string, ResourceType: 'key' | 'disk', id: string) => {
      const Tag = [{ Key: 'a', Value: 'b' }];
      const parameters = { ResourceType, ResourceId: [id], Tag };
      return refusal(() => callVerb(context, by(user), 'TagResources', parameters));
    };
    expect(await tag('AliyunKMSFullAccess', 'key', KeyId)).toBe('not refused');
    expect(await tag('AliyunKMSFullAccess', 'disk', DiskId)).toBe('Forbidden.RAM');
    expect(await tag('AliyunECSFullAccess', 'key', KeyId)).toBe('Forbidden.NoPermission');
    expect(await tag('AliyunECSFullAccess', 'disk', DiskId)).toBe('not refused');
    const list = (ResourceType: 'key' | 'disk') =>
      callVerb(context, by(null), 'ListTagResources', { ResourceType });
    expect((await list('key')).TagResources).toMatchObject([{ ResourceId: KeyId }]);
    expect((await list('disk')).TagResources).toMatchObject([{ ResourceId: DiskId }]);
    const untag = { ResourceType: 'key', ResourceId: [KeyId], All: true } as const;
    await callVerb(context, by(null), 'UntagResources', untag);
    expect((await list('key')).TagResources).toEqual([]);
  });

  it('sees what its account has, and nothing of another', async () => {
    const { context } = await controlWithUsers();
    const record = fullAccount('2000000000000002', 0);
    await context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const { DiskId } = await callVerb(context, by('AliyunECSFullAccess'), 'CreateDisk', {
      Size: 20,
    });
    const own = await callVerb(context, by('AliyunECSReadOnlyAccess'), 'DescribeDisks', {});
    expect(own.Disks.map((disk) => disk.DiskId)).toEqual([DiskId]);
    const other = by(null, '2000000000000002');
    expect((await callVerb(context, other, 'DescribeDisks', {})).Disks).toEqual([]);
    const resize = () => callVerb(context, other, 'ResizeDisk', { DiskId, NewSize: 21 });
    expect(await refusal(resize)).toBe('InvalidDiskId.NotFound');
  });
});
