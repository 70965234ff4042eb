/** Sharing images, and DescribeImages: who sees what. */
import { describe, expect, it } from 'vitest';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import { findImage, imageSnapshot } from '../../../../src/control/images/find-image.ts';
import {
  ABROAD,
  codeOf,
  controlWorld,
  HOME,
  OWNER,
  RECIPIENT,
  STRANGER,
} from '../../../support/control-world.ts';

const PUBLIC = [
  'aliyun_3_x64_20G_alibase_20250117.vhd',
  'debian_12_x64_20G_alibase_20250117.vhd',
  'ubuntu_24_04_x64_20G_alibase_20250117.vhd',
];

type Kind = 'plain' | 'service' | 'user';

async function imageWorld(kinds: readonly Kind[], ruleSet?: '2018' | '2020') {
  const world = await controlWorld(ruleSet);
  const mapping: { SnapshotId: string }[] = [];
  let KMSKeyId = '';
  for (const kind of kinds) {
    const source = await world.snapshotOf(kind);
    mapping.push({ SnapshotId: source.SnapshotId });
    KMSKeyId = source.KMSKeyId;
  }
  const { ImageId } = await world.as(OWNER)('CreateImage', { DiskDeviceMapping: mapping });
  const share = (parameters: object) =>
    world.refused('ModifyImageSharePermission', { ImageId, ...parameters });
  const seenBy = async (account: string, filters: object = {}) => {
    const page = await world.as(account)('DescribeImages', filters);
    expect(page.TotalCount).toBe(page.Images.length);
    return page.Images.map((image) => image.ImageId);
  };
  return { ...world, ImageId, KMSKeyId, SnapshotId: mapping[0]?.SnapshotId ?? '', share, seenBy };
}

const DONE = 'it was not refused';

describe('ModifyImageSharePermission', () => {
  it.each(['plain', 'user'] as const)('shows a %s image to accounts and hides it', async (kind) => {
    const { as, seenBy, share, ImageId } = await imageWorld([kind]);
    expect(await share({ AddAccount: [STRANGER, RECIPIENT] })).toBe(DONE);
    expect(await share({ AddAccount: [RECIPIENT] })).toBe(DONE);
    const shares = await as(OWNER)('DescribeImageSharePermission', { ImageId, PageSize: 1 });
    expect(shares).toEqual({
      ImageId,
      TotalCount: 2,
      PageNumber: 1,
      PageSize: 1,
      Accounts: [{ AliyunId: RECIPIENT }],
    });
    expect(await seenBy(RECIPIENT, { ImageOwnerAlias: 'others' })).toEqual([ImageId]);
    expect(await share({ RemoveAccount: [RECIPIENT] })).toBe(DONE);
    expect(await seenBy(RECIPIENT, { ImageOwnerAlias: 'others' })).toEqual([]);
    expect(await seenBy(STRANGER, { ImageOwnerAlias: 'others' })).toEqual([ImageId]);
  });

  it.each([
    [['plain'], {}, 'MissingParameter'],
    [['plain'], { AddAccount: [] }, 'InvalidParameter'],
    [['plain'], { AddAccount: Array(11).fill(RECIPIENT) }, 'InvalidParameter'],
    [['plain'], { AddAccount: ['7999999999999999'] }, 'InvalidAccount.NotFound'],
    [['plain'], { AddAccount: [OWNER] }, 'InvalidAccount.Forbbiden'],
    [['plain'], { RemoveAccount: [RECIPIENT] }, 'InvalidAccount.NotFound'],
    [['plain'], { AddAccount: [RECIPIENT], DryRun: true }, 'DryRunOperation'],
    [['plain'], { AddAccount: [RECIPIENT], ImageId: 'm-1' }, 'InvalidImageId.NotFound'],
    [['plain'], { AddAccount: [RECIPIENT], ImageId: PUBLIC[0] }, 'InvalidImageId.NotFound'],
    [
      ['service'],
      { AddAccount: [RECIPIENT] },
      'InvalidOperation.ServiceKeyEncryptedImageUnsupported',
    ],
    [['user', 'user'], { AddAccount: [RECIPIENT] }, 'OperationDeined.FullImage'],
    [['plain', 'user'], { AddAccount: [RECIPIENT] }, 'OperationDeined.FullImage'],
    [['user'], { IsPublic: true }, 'OperationDeined.EncryptedSnapshot'],
  ] as const)('of %j with %j is refused with %s', async (kinds, parameters, code) => {
    const { control, share, ImageId } = await imageWorld(kinds);
    expect(await share(parameters)).toBe(code);
    const image = control.context.metadata.getDocument('image', ImageId);
    expect(image).toMatchObject({ sharedWith: [], isPublic: false });
  });

  it('refuses an account that is added and removed at once', async () => {
    const { share } = await imageWorld(['plain']);
    await share({ AddAccount: [RECIPIENT] });
    const both = { AddAccount: [RECIPIENT], RemoveAccount: [RECIPIENT] };
    expect(await share(both)).toBe('InvalidParameter.Conflict');
  });

  it.each([
    ['2018', 'OperationDeined.EncryptedSnapshot'],
    ['2020', 'OperationDeined.EncryptedSnapshot'],
  ] as const)('of an encrypted image is refused by the rules of %s', async (ruleSet, code) => {
    const { share } = await imageWorld(['service'], ruleSet);
    expect(await share({ AddAccount: [RECIPIENT] })).toBe(code);
    const plain = await imageWorld(['plain'], ruleSet);
    expect(await plain.share({ AddAccount: [RECIPIENT] })).toBe(DONE);
  });

  it('needs the role for what is encrypted, and an enabled key', async () => {
    const { as, control, share, KMSKeyId } = await imageWorld(['user']);
    await as(OWNER)('DisableKey', { KeyId: KMSKeyId });
    const add = { AddAccount: [RECIPIENT] };
    expect(await share(add)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    const record = { ...fullAccount(OWNER, 0), roles: [] };
    await control.context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    expect(await share(add)).toBe('AssumeRoleError');
  });

  it('shares with 50 accounts and no more', async () => {
    const { control, share } = await imageWorld(['plain']);
    const accounts = Array.from({ length: 50 }, (_, index) => `5${String(index).padStart(3, '0')}`);
    await control.context.metadata.commit({
      putDocuments: accounts.map((each) => ({ kind: 'account', record: fullAccount(each, 0) })),
    });
    for (let first = 0; first < 50; first += 10) {
      expect(await share({ AddAccount: accounts.slice(first, first + 10) })).toBe(DONE);
    }
    expect(await share({ AddAccount: [RECIPIENT] })).toBe('QuotaExceed.ShareImage');
    const swap = { AddAccount: [RECIPIENT], RemoveAccount: [accounts[0]] };
    expect(await share(swap)).toBe(DONE);
  });

  it('is not ended while a copy of others needs the owner’s key', async () => {
    const { as, control, finish, share, ImageId } = await imageWorld(['user']);
    await share({ AddAccount: [RECIPIENT] });
    const copy = await as(RECIPIENT)('CopyImage', { ImageId, Encrypted: true });
    expect(await share({ RemoveAccount: [RECIPIENT] })).toBe('InvalidOperation.Conflict');
    const { metadata } = control.context;
    const [device] = metadata.getDocument('image', copy.ImageId)?.devices ?? [];
    await finish(device?.snapshotId ?? '');
    expect(await share({ RemoveAccount: [RECIPIENT] })).toBe(DONE);
  });

  it('keeps a shared image from being deleted, and others from changing it', async () => {
    const { as, refused, share, ImageId } = await imageWorld(['plain']);
    await share({ AddAccount: [RECIPIENT] });
    expect(await refused('DeleteImage', { ImageId, Force: true })).toBe('ImageUseShared');
    const call = as(RECIPIENT);
    const GONE = 'InvalidImageId.NotFound';
    expect(await codeOf(call('DeleteImage', { ImageId }))).toBe(GONE);
    expect(await codeOf(call('DescribeImageSharePermission', { ImageId }))).toBe(GONE);
    const pass = call('ModifyImageSharePermission', { ImageId, AddAccount: [STRANGER] });
    expect(await codeOf(pass)).toBe(GONE);
  });

  it('shows an image to everybody, and hides it again', async () => {
    const { refused, seenBy, share, ImageId } = await imageWorld(['plain']);
    expect(await share({ IsPublic: true })).toBe(DONE);
    expect(await seenBy(STRANGER)).toEqual(PUBLIC);
    expect(await seenBy(STRANGER, { IsPublic: true })).toEqual([ImageId]);
    expect(await seenBy(STRANGER, { IsPublic: true, ImageOwnerAlias: 'self' })).toEqual([]);
    expect(await seenBy(STRANGER, { ImageId })).toEqual([ImageId]);
    expect(await refused('DeleteImage', { ImageId })).toBe('ImageUseShared');
    expect(await share({ IsPublic: false })).toBe(DONE);
    expect(await seenBy(STRANGER, { ImageId })).toEqual([]);
  });
});

describe('DescribeImages', () => {
  it.each([HOME, ABROAD, 'eu-west-1'])('shows the public images in %s', async (RegionId) => {
    const { as } = await controlWorld();
    const { Images } = await as(STRANGER)('DescribeImages', { RegionId });
    expect(Images.map((image) => image.ImageId)).toEqual(PUBLIC);
    for (const image of Images) {
      expect(image).toMatchObject({ ImageOwnerAlias: 'system', Size: 20, Status: 'Available' });
      expect(image.DiskDeviceMappings).toMatchObject([{ Type: 'system', SnapshotId: '' }]);
    }
  });

  it('shows an own image with all there is to say', async () => {
    const { as, ImageId, SnapshotId } = await imageWorld(['user']);
    const { Images } = await as(OWNER)('DescribeImages', { ImageOwnerAlias: 'self' });
    expect(Images).toEqual([
      {
        ImageId,
        ImageName: '',
        Description: '',
        ImageFamily: '',
        ImageOwnerAlias: 'self',
        ImageOwnerId: OWNER,
        Status: 'Available',
        Progress: '100%',
        CreationTime: '2026-01-31T12:00:00Z',
        Size: 2,
        OSType: 'linux',
        Platform: 'Others Linux',
        Architecture: 'x86_64',
        IsCopied: false,
        IsPublic: false,
        IsSelfShared: false,
        Usage: 'none',
        ResourceGroupId: '',
        DiskDeviceMappings: [
          {
            Device: '/dev/xvda',
            Type: 'system',
            Size: 2,
            SnapshotId,
            Encrypted: true,
            Progress: '100%',
          },
        ],
        Tags: [],
      },
    ]);
  });

  it('filters', async () => {
    const { as, seenBy, SnapshotId, ImageId } = await imageWorld(['plain']);
    const named = { ImageId, ImageName: 'nn', ImageFamily: 'f', Status: 'Deprecated' } as const;
    await as(OWNER)('ModifyImageAttribute', named);
    const own = { ImageOwnerAlias: 'self' };
    const cases: [object, string[]][] = [
      [{}, [...PUBLIC, ImageId]],
      [{ ImageOwnerAlias: 'system' }, PUBLIC],
      [own, [ImageId]],
      [{ ImageOwnerAlias: 'others' }, []],
      [{ ImageOwnerAlias: 'marketplace' }, []],
      [{ ImageName: 'nn' }, [ImageId]],
      [{ ImageFamily: 'f' }, [ImageId]],
      [{ ImageOwnerId: OWNER }, [ImageId]],
      [{ SnapshotId }, [ImageId]],
      [{ SnapshotId: 'nothing' }, []],
      [{ SnapshotId, ImageOwnerAlias: 'system' }, []],
      [{ ImageId: `${ImageId}, ${PUBLIC[1]},nothing` }, [ImageId, PUBLIC[1] ?? '']],
      [{ Status: 'Deprecated,Creating' }, [ImageId]],
      [{ Status: 'Available' }, PUBLIC],
      [{ ...own, OSType: 'Linux' }, [ImageId]],
      [{ OSType: 'windows' }, []],
      [{ Architecture: 'arm64' }, []],
      [{ ...own, Usage: 'none' }, [ImageId]],
      [{ Usage: 'instance' }, []],
      [{ Tag: [{ Key: 'k' }] }, []],
      [{ Filter: [{ Key: 'CreationStartTime', Value: '2026-01-01T00:00Z' }] }, [ImageId]],
    ];
    for (const [filters, expected] of cases) {
      expect([filters, await seenBy(OWNER, filters)]).toEqual([filters, expected]);
    }
    expect(await seenBy(STRANGER, { SnapshotId })).toEqual([]);
    expect(await seenBy(STRANGER, { ImageId })).toEqual([]);
    expect(await seenBy(OWNER, { ImageId, RegionId: ABROAD })).toEqual([]);
  });

  it('pages over public and own images as over one list', async () => {
    const { as, ImageId } = await imageWorld(['plain']);
    const shown: string[] = [];
    for (let PageNumber = 1; PageNumber <= 3; PageNumber++) {
      const page = await as(OWNER)('DescribeImages', { PageNumber, PageSize: 2 });
      expect(page.TotalCount).toBe(4);
      shown.push(...page.Images.map((image) => image.ImageId));
    }
    expect(shown).toEqual([...PUBLIC, ImageId]);
  });
});

describe('the snapshots behind an image', () => {
  it('are used through it by whoever may use it, as shared ones by others', async () => {
    const { control, share, ImageId, SnapshotId } = await imageWorld(['user']);
    await share({ AddAccount: [RECIPIENT] });
    for (const [accountId, isShared] of [
      [OWNER, false],
      [RECIPIENT, true],
    ] as const) {
      const seen = { ...control.context, accountId };
      const found = findImage(seen, ImageId);
      const source = imageSnapshot(seen, found, SnapshotId);
      expect(source).toMatchObject({ isShared, visibleId: SnapshotId });
    }
  });
});

describe('ExportImage', () => {
  it.each([
    ['service', '2025', 'ImageNotSupported'],
    ['user', '2025', 'ImageNotSupported'],
    ['service', '2018', 'ImageNotSupported'],
    ['service', '2020', 'ImageNotSupported'],
    ['plain', '2025', 'UnsupportedOperation'],
  ] as const)('of a %s image by the rules of %s is refused with %s', async (...row) => {
    const [kind, ruleSet, code] = row;
    const { refused, ImageId } = await imageWorld([kind], ruleSet === '2025' ? undefined : ruleSet);
    expect(await refused('ExportImage', { ImageId, OSSBucket: 'bucket' })).toBe(code);
  });

  it('is the owner’s alone, needs its role, and is not for public images', async () => {
    const { as, control, refused, share, ImageId } = await imageWorld(['plain']);
    const OSSBucket = 'bucket';
    await share({ AddAccount: [RECIPIENT] });
    const foreign = as(RECIPIENT)('ExportImage', { ImageId, OSSBucket });
    expect(await codeOf(foreign)).toBe('InvalidImageId.NotFound');
    expect(await refused('ExportImage', { ImageId: PUBLIC[0], OSSBucket })).toBe('OperationDenied');
    expect(await refused('ExportImage', { ImageId })).toBe('MissingParameter');
    const record = { ...fullAccount(OWNER, 0), roles: [] };
    await control.context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const code = await refused('ExportImage', { ImageId, OSSBucket });
    expect(code).toBe('NoSetRoletoECSServiceAcount');
  });
});
