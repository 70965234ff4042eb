/** The six operations of account-level default encryption, and every code they answer with. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../../src/base/errors.ts';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import { callVerb } from '../../../../src/control/call.ts';
import type { PlaneContext } from '../../../../src/control/context.ts';
import type { CommonParameters, Verbs } from '../../../../src/control/verbs.ts';
import { scopeGroup } from '../../../../src/meta/documents.ts';
import type { AccountRecord } from '../../../../src/record/document.ts';
import { testControl } from '../../../support/control-context.ts';
import { refusal } from './refusal.ts';

const ACCOUNT = '1000000000000001';
const SIX = [
  'EnableDiskEncryptionByDefault',
  'DisableDiskEncryptionByDefault',
  'DescribeDiskEncryptionByDefaultStatus',
  'ModifyDiskDefaultKMSKeyId',
  'ResetDiskDefaultKMSKeyId',
  'DescribeDiskDefaultKMSKeyId',
] as const;
type Six = (typeof SIX)[number];

async function plane(
  overrides: Partial<AccountRecord> = {},
  ruleSet: '2018' | '2020' | '2025' = '2025',
) {
  const control = await testControl();
  const context: PlaneContext = { ...control.context, ruleSet };
  const record = { ...fullAccount(ACCOUNT, 0), ...overrides };
  await context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
  return { context, ...callerOf(context) };
}

function callerOf(context: PlaneContext, userName: string | null = null) {
  const principal = { accountId: ACCOUNT, userName, regionId: 'cn-hangzhou' };
  const call = <V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ) => callVerb(context, principal, verb, parameters);
  /** One of the six, with a key that exists in every region. */
  const six = (verb: Six, parameters: object = {}) => {
    const key = verb === 'ModifyDiskDefaultKMSKeyId' ? { KMSKeyId: 'alias/acs/ecs' } : {};
    return call(verb, { ...key, ...parameters } as never);
  };
  return { call, six };
}

describe('default encryption', () => {
  it('is off at first; on, it uses the service key; off again, it is as before', async () => {
    const { call, six } = await plane();
    const status = () => six('DescribeDiskEncryptionByDefaultStatus');
    expect(await status()).toEqual({ Encrypted: false });
    await six('EnableDiskEncryptionByDefault');
    expect(await status()).toEqual({ Encrypted: true });
    const service = await call('DescribeKey', { KeyId: 'alias/acs/ecs' });
    const serviceKey = { KMSKeyId: service.KeyMetadata.KeyId };
    expect(await six('DescribeDiskDefaultKMSKeyId')).toEqual(serviceKey);
    await six('DisableDiskEncryptionByDefault');
    expect(await status()).toEqual({ Encrypted: false });
  });

  it('takes a key of the user, and goes back to the service key', async () => {
    const { context, call, six } = await plane();
    await six('EnableDiskEncryptionByDefault');
    const service = await six('DescribeDiskDefaultKMSKeyId');
    const KMSKeyId = (await call('CreateKey', {})).KeyMetadata.KeyId;
    await six('ModifyDiskDefaultKMSKeyId', { KMSKeyId });
    expect(await six('DescribeDiskDefaultKMSKeyId')).toEqual({ KMSKeyId });
    const setting = () =>
      context.metadata.getDocument('region', scopeGroup(ACCOUNT, 'cn-hangzhou'));
    expect(setting()).toEqual({
      accountId: ACCOUNT,
      regionId: 'cn-hangzhou',
      isDefaultEncryptionOn: true,
      defaultKeyId: KMSKeyId,
    });
    await six('ResetDiskDefaultKMSKeyId');
    expect(await six('DescribeDiskDefaultKMSKeyId')).toEqual(service);
    await six('ModifyDiskDefaultKMSKeyId', { KMSKeyId });
    await six('ModifyDiskDefaultKMSKeyId', service);
    expect(setting()?.defaultKeyId).toBe(null);
    await six('ModifyDiskDefaultKMSKeyId', { KMSKeyId });
    await six('DisableDiskEncryptionByDefault');
    await six('EnableDiskEncryptionByDefault');
    expect(await six('DescribeDiskDefaultKMSKeyId')).toEqual(service);
  });

  it('is of one account in one region', async () => {
    const { six } = await plane();
    await six('EnableDiskEncryptionByDefault');
    const far = { RegionId: 'cn-beijing' };
    expect(await six('DescribeDiskEncryptionByDefaultStatus', far)).toEqual({ Encrypted: false });
    const describeKey = () => six('DescribeDiskDefaultKMSKeyId', far);
    expect(await refusal(describeKey)).toBe('InvalidDefaultEncryption.NotFound');
  });

  it('is enabled once', async () => {
    const { six } = await plane();
    await six('EnableDiskEncryptionByDefault');
    const again = () => six('EnableDiskEncryptionByDefault');
    expect(await refusal(again)).toBe('InvalidOperation.DefaultEncryptionAlreadyEnabled');
  });

  it.each([
    'DisableDiskEncryptionByDefault',
    'ModifyDiskDefaultKMSKeyId',
    'ResetDiskDefaultKMSKeyId',
    'DescribeDiskDefaultKMSKeyId',
  ] as const)('that is off refuses %s, also after it was on', async (verb) => {
    const { six } = await plane();
    expect(await refusal(() => six(verb))).toBe('InvalidDefaultEncryption.NotFound');
    await six('EnableDiskEncryptionByDefault');
    await six('DisableDiskEncryptionByDefault');
    expect(await refusal(() => six(verb))).toBe('InvalidDefaultEncryption.NotFound');
  });

  it.each(SIX)('refuses %s to accounts it was not granted to', async (verb) => {
    const { six } = await plane({ isDefaultEncryptionGranted: false });
    expect(await refusal(() => six(verb))).toBe('UserNotInTheWhiteList');
  });

  it.each(SIX)('refuses %s under the rules of 2018 and 2020', async (verb) => {
    for (const ruleSet of ['2018', '2020'] as const) {
      const { six } = await plane({}, ruleSet);
      expect(await refusal(() => six(verb))).toBe('Abs.InvalidAction.RegionNotSupport');
    }
  });

  it.each(SIX)('refuses %s where nothing can be encrypted, and nowhere', async (verb) => {
    const { six } = await plane();
    const code = await refusal(() => six(verb, { RegionId: 'cn-nanjing' }));
    expect(code).toBe('Abs.InvalidAction.RegionNotSupport');
    const nowhere = await refusal(() => six(verb, { RegionId: 'nowhere' }));
    expect(nowhere).toBe('InvalidRegionId.NotFound');
  });

  it('allows no choice of key where the region has none', async () => {
    const { call, six } = await plane();
    const there = { RegionId: 'cn-fuzhou' };
    await six('EnableDiskEncryptionByDefault', there);
    const KMSKeyId = (await call('CreateKey', there)).KeyMetadata.KeyId;
    const modify = () => six('ModifyDiskDefaultKMSKeyId', { ...there, KMSKeyId });
    expect(await refusal(modify)).toBe('Abs.InvalidAction.RegionNotSupport');
    expect(await refusal(() => six('ModifyDiskDefaultKMSKeyId', there))).toBe('not refused');
  });

  it('needs the role by which ECS uses keys', async () => {
    const { context, six } = await plane();
    await six('EnableDiskEncryptionByDefault');
    const record = { ...fullAccount(ACCOUNT, 0), roles: [] };
    await context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const code = 'InvalidParameter.KMSKeyId.KMSUnauthorized';
    expect(await refusal(() => six('ModifyDiskDefaultKMSKeyId'))).toBe(code);
    const far = { RegionId: 'cn-beijing' };
    expect(await refusal(() => six('EnableDiskEncryptionByDefault', far))).toBe(code);
    expect(await refusal(() => six('DisableDiskEncryptionByDefault'))).toBe('not refused');
  });

  it('needs AliyunECSFullAccess of a RAM user', async () => {
    const users = [
      { name: 'full', policies: ['AliyunECSFullAccess'] },
      { name: 'reader', policies: ['AliyunECSReadOnlyAccess'] },
      { name: 'keys', policies: ['AliyunKMSFullAccess'] },
    ];
    const { context } = await plane({ users });
    const enable = (name: string) => () =>
      callerOf(context, name).six('EnableDiskEncryptionByDefault');
    expect(await refusal(enable('reader'))).toBe('Forbidden.RAM');
    expect(await refusal(enable('keys'))).toBe('Forbidden.RAM');
    expect(await refusal(enable('full'))).toBe('not refused');
    const describeAs = (name: string) =>
      refusal(() => callerOf(context, name).six('DescribeDiskEncryptionByDefaultStatus'));
    expect(await describeAs('reader')).toBe('not refused');
    expect(await describeAs('keys')).toBe('Forbidden.RAM');
  });
});

describe('a default key', () => {
  it('exists in the account and the region, and is enabled', async () => {
    const { context, call, six } = await plane();
    await six('EnableDiskEncryptionByDefault');
    const record = fullAccount('2', 0);
    await context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const foreign = await callVerb(
      context,
      { accountId: '2', userName: null, regionId: 'cn-hangzhou' },
      'CreateKey',
      {},
    );
    const far = await call('CreateKey', { RegionId: 'cn-beijing' });
    const own = (await call('CreateKey', {})).KeyMetadata.KeyId;
    const modify = (KMSKeyId: string) =>
      refusal(() => six('ModifyDiskDefaultKMSKeyId', { KMSKeyId }));
    for (const id of [
      'key-aaaaaaaaaaaaaaaaaaaa',
      'nonsense',
      far.KeyMetadata.KeyId,
      foreign.KeyMetadata.KeyId,
    ]) {
      expect(await modify(id), id).toBe('InvalidOperation.KMSKeyIdNotFound');
    }
    await call('DisableKey', { KeyId: own });
    expect(await modify(own)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await call('ScheduleKeyDeletion', { KeyId: own, PendingWindowInDays: 7 });
    expect(await modify(own)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await call('CancelKeyDeletion', { KeyId: own });
    await call('EnableKey', { KeyId: own });
    expect(await modify(own)).toBe('not refused');
  });

  it('cannot be had with KMS not activated, and KMS may fail in other ways', async () => {
    const { context, six } = await plane();
    for (const status of ['NotEnabled', 'Index', 'Suspended'] as const) {
      const scope = { accountId: ACCOUNT, regionId: 'cn-hangzhou' };
      await context.kms.call({ op: 'setAccountStatus', status, ...scope });
      const enable = () => six('EnableDiskEncryptionByDefault');
      expect(await refusal(enable)).toBe('InvalidOperation.KMSServiceNotOpen');
    }
    const kms = { call: () => Promise.reject(new PlaneError('KmsUnavailable', 'so the test')) };
    const failing = () => callerOf({ ...context, kms }).six('EnableDiskEncryptionByDefault');
    expect(await refusal(failing)).toBe('KmsUnavailable');
    const broken = { call: () => Promise.reject(new TypeError('broken')) };
    const enable = callerOf({ ...context, kms: broken }).six('EnableDiskEncryptionByDefault');
    await expect(enable).rejects.toThrow(TypeError);
  });

  it('is enabled by one of two calls made at once', async () => {
    const { six } = await plane();
    const outcomes = await Promise.all(
      [1, 2].map(() => refusal(() => six('EnableDiskEncryptionByDefault'))),
    );
    expect(outcomes.sort()).toEqual([
      'InvalidOperation.DefaultEncryptionAlreadyEnabled',
      'not refused',
    ]);
  });
});
