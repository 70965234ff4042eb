/** CopyImage: every snapshot behind it, where, under which key; all of it or nothing. */
import { describe, expect, it } from 'vitest';
import {
  ABROAD,
  codeOf,
  controlWorld,
  HOME,
  OWNER,
  RECIPIENT,
  STRANGER,
  turnDefaultEncryptionOn,
} from '../../../support/control-world.ts';

const DONE = 'it was not refused';

type Kind = 'plain' | 'service' | 'user';

async function imageWorld(kinds: readonly Kind[], ruleSet?: '2018' | '2020') {
  const world = await controlWorld(ruleSet);
  const call = world.as(OWNER);
  const sources: Awaited<ReturnType<typeof world.snapshotOf>>[] = [];
  for (const kind of kinds) sources.push(await world.snapshotOf(kind));
  const { ImageId } = await call('CreateImage', {
    ImageName: 'mine',
    DiskDeviceMapping: sources.map(({ SnapshotId }) => ({ SnapshotId })),
    Tag: [{ Key: 'k', Value: 'v' }],
  });
  world.control.told.length = 0;
  const { metadata } = world.control.context;
  const imageOf = (imageId: string) => {
    const image = metadata.getDocument('image', imageId);
    if (image === undefined) throw new Error('the image is there');
    return image;
  };
  const snapshotsOf = (imageId: string) =>
    imageOf(imageId).devices.map(({ snapshotId }) => world.snapshot(snapshotId ?? ''));
  return { ...world, call, sources, ImageId, imageOf, snapshotsOf };
}

describe('CopyImage', () => {
  it('to another region copies every snapshot of a plain image as it is', async () => {
    const { call, control, imageOf, snapshotsOf, sources, ImageId } = await imageWorld([
      'plain',
      'plain',
    ]);
    const copy = await call('CopyImage', {
      ImageId,
      DestinationRegionId: ABROAD,
      DestinationImageName: 'abroad',
      DestinationDescription: 'a copy',
    });
    expect(imageOf(copy.ImageId)).toMatchObject({
      accountId: OWNER,
      regionId: ABROAD,
      name: 'abroad',
      description: 'a copy',
      tags: {},
      sourceImageId: ImageId,
      sourceRegionId: HOME,
    });
    const copies = snapshotsOf(copy.ImageId);
    expect(copies.map((each) => each.sourceSnapshotId)).toEqual(
      sources.map((each) => each.SnapshotId),
    );
    for (const each of copies) {
      expect(each).toMatchObject({ regionId: ABROAD, encryption: null, status: 'accomplished' });
    }
    expect(control.reencrypted).toEqual([]);
    const { Images } = await call('DescribeImages', { ImageId: copy.ImageId, RegionId: ABROAD });
    expect(Images).toMatchObject([{ Status: 'Available', IsCopied: true, Progress: '100%' }]);
  });

  it.each([
    ['in its region', undefined],
    ['to another region', ABROAD],
  ])('%s with Encrypted puts every snapshot under the key given', async (_where, regionId) => {
    const world = await imageWorld(['plain', 'service', 'user']);
    const { call, control, snapshotsOf, sources, ImageId } = world;
    const { KeyMetadata } = await call('CreateKey', { RegionId: regionId ?? HOME });
    const KMSKeyId = KeyMetadata.KeyId;
    const copy = await call('CopyImage', {
      ImageId,
      ...(regionId === undefined ? {} : { DestinationRegionId: regionId }),
      Encrypted: true,
      KMSKeyId,
      Tag: [{ Key: 'new', Value: 'tag' }],
    });
    const copies = snapshotsOf(copy.ImageId);
    expect(copies.map((each) => each.encryption?.keyId)).toEqual(Array(3).fill(KMSKeyId));
    expect(new Set(copies.map((each) => each.encryption?.lineageId)).size).toBe(3);
    expect(copies.map((each) => each.layers[1]?.encryption?.keyId ?? '')).toEqual(
      sources.map((each) => each.KMSKeyId),
    );
    expect(control.reencrypted).toEqual(copies.map((each) => each.snapshotId));
  });

  it('is Creating until its last snapshot is accomplished', async () => {
    const world = await imageWorld(['plain', 'plain']);
    const { call, finish, refused, snapshotsOf } = world;
    const { ImageId } = await call('CopyImage', { ImageId: world.ImageId, Encrypted: true });
    const status = async () => (await call('DescribeImages', { ImageId })).Images[0]?.Status;
    expect(await status()).toBe('Creating');
    expect(await refused('DeleteImage', { ImageId })).toBe('OperationDenied.ImageCopying');
    const share = { ImageId, AddAccount: [RECIPIENT] };
    expect(await refused('ModifyImageSharePermission', share)).toBe('IncorrectImageStatus');
    const again = { ImageId, Encrypted: true };
    expect(await refused('CopyImage', again)).toBe('IncorrectImageStatus');
    const [first, last] = snapshotsOf(ImageId);
    await finish(first?.snapshotId ?? '');
    expect(await status()).toBe('Creating');
    await finish(last?.snapshotId ?? '');
    expect(await status()).toBe('Available');
    await call('CopyImage', again);
  });

  it('without a key is under the default key where that is on, else the service key', async () => {
    const world = await imageWorld(['user']);
    const { call, control, snapshotsOf, ImageId } = world;
    const scope = { accountId: OWNER, regionId: HOME };
    const service = await control.context.kms.call({ op: 'serviceKey', ...scope });
    const off = await call('CopyImage', { ImageId, Encrypted: true });
    expect(snapshotsOf(off.ImageId)[0]?.encryption?.keyId).toBe(service.keyId);
    const { KeyMetadata } = await call('CreateKey', {});
    await turnDefaultEncryptionOn(world, HOME, KeyMetadata.KeyId);
    const on = await call('CopyImage', { ImageId, Encrypted: true });
    expect(snapshotsOf(on.ImageId)[0]?.encryption?.keyId).toBe(KeyMetadata.KeyId);
  });

  it.each([
    [['plain'], {}, 'IncorrectDestinationRegion'],
    [['plain', 'user'], { DestinationRegionId: ABROAD }, 'OperationDeined.EncryptedSnapshot'],
    [['plain'], { DestinationRegionId: 'nowhere' }, 'InvalidRegionId.NotFound'],
    [['plain'], { Encrypted: true, DryRun: true }, 'DryRunOperation'],
    [['plain'], { Encrypted: true, Tag: [{ Key: 'acs:' }] }, 'InvalidTagKey.Malformed'],
    [['plain'], { ImageId: 'm-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidImageId.NotFound'],
    [['plain'], { ImageId: 'debian_12_x64_20G_alibase_20250117.vhd' }, 'OperationDenied'],
    [
      ['plain'],
      { Encrypted: true, KMSKeyId: 'key-aaaaaaaaaaaaaaaaaaaa' },
      'InvalidParameter.KMSKeyId.NotFound',
    ],
  ] as const)('of %j with %j is refused with %s', async (kinds, parameters, code) => {
    const { control, refused, ImageId } = await imageWorld(kinds);
    expect(await refused('CopyImage', { ImageId, ...parameters })).toBe(code);
    const { metadata } = control.context;
    expect(metadata.listSnapshots({}, 0, 10).total).toBe(kinds.length);
    expect(metadata.listDocuments('image', null, 0, 1).total).toBe(1);
    expect(control.told).toEqual([]);
  });

  const ABROAD_DENIED = 'OperationDenied.EncryptSnapshotAcrossRegion';
  it.each([
    ['2018', 'service', { DestinationRegionId: ABROAD, Encrypted: true }, ABROAD_DENIED],
    ['2020', 'service', { DestinationRegionId: ABROAD, Encrypted: true }, ABROAD_DENIED],
    ['2020', 'user', { DestinationRegionId: ABROAD, Encrypted: true }, ABROAD_DENIED],
    ['2018', 'plain', { Encrypted: true }, 'InvalidParameter.EncryptedNotMatch'],
    ['2020', 'plain', { Encrypted: true }, DONE],
    ['2018', 'plain', { DestinationRegionId: ABROAD }, DONE],
    ['2020', 'plain', { DestinationRegionId: ABROAD }, DONE],
    ['2020', 'service', { Encrypted: true }, 'UnsupportedOperation'],
  ] as const)('by the rules of %s of a %s image with %j: %s', async (...row) => {
    const [ruleSet, kind, parameters, code] = row;
    const { refused, ImageId } = await imageWorld([kind], ruleSet);
    expect(await refused('CopyImage', { ImageId, ...parameters })).toBe(code);
  });

  it('is CreateFailed, and no source, when the encryption of it was cancelled', async () => {
    const { call, control, refused, snapshotsOf, ...world } = await imageWorld(['plain']);
    const { ImageId } = await call('CopyImage', { ImageId: world.ImageId, Encrypted: true });
    const [copy] = snapshotsOf(ImageId);
    await control.context.metadata.commit({ removeSnapshots: [copy?.snapshotId ?? ''] });
    const { Images } = await call('DescribeImages', { ImageId });
    expect(Images).toMatchObject([{ Status: 'CreateFailed' }]);
    expect(await refused('CopyImage', { ImageId, Encrypted: true })).toBe('IncorrectImageStatus');
    const run = { ImageId, InstanceType: 'ecs.g7.large' };
    expect(await refused('RunInstances', run)).toBe('IncorrectImageStatus');
    await call('DeleteImage', { ImageId });
  });

  it('of an image with an empty disk keeps that, by the same rules', async () => {
    const { call, control, refused, imageOf, sources, ...world } = await imageWorld(['plain']);
    const image = imageOf(world.ImageId);
    const empty = {
      device: '/dev/xvdb',
      type: 'data',
      sizeBytes: 2 ** 30,
      snapshotId: null,
    } as const;
    const record = { ...image, devices: [...image.devices, empty] };
    await control.context.metadata.commit({ putDocuments: [{ kind: 'image', record }] });
    const { ImageId } = world;
    const copy = await call('CopyImage', { ImageId, DestinationRegionId: ABROAD });
    expect(imageOf(copy.ImageId).devices[1]).toEqual(empty);
    const onlyEmpty = { ...image, devices: [{ ...empty, type: 'system' as const }] };
    await control.context.metadata.commit({ putDocuments: [{ kind: 'image', record: onlyEmpty }] });
    expect(await refused('CopyImage', { ImageId })).toBe('IncorrectDestinationRegion');
  });

  it('of an image of others is theirs to allow', async () => {
    const { as, snapshotsOf, call, ImageId } = await imageWorld(['user']);
    const wanted = { ImageId, Encrypted: true };
    expect(await codeOf(as(RECIPIENT)('CopyImage', wanted))).toBe('InvalidImageId.NotFound');
    await call('ModifyImageSharePermission', { ImageId, AddAccount: [RECIPIENT] });
    expect(await codeOf(as(STRANGER)('CopyImage', wanted))).toBe('InvalidImageId.NotFound');
    const copy = await as(RECIPIENT)('CopyImage', wanted);
    const [made] = snapshotsOf(copy.ImageId);
    expect(made?.accountId).toBe(RECIPIENT);
    expect(made?.encryption?.accountId).toBe(RECIPIENT);
  });

  it('leaves nothing if the second snapshot cannot be shared', async () => {
    const { control, refused, ImageId } = await imageWorld(['plain', 'plain']);
    const { metadata, shards } = control.context;
    const { call } = shards;
    let shared = 0;
    (shards as { call: typeof call }).call = (shardIndex, request) => {
      if (request.op === 'shareTree') shared++;
      const isSecond = request.op === 'shareTree' && shared === 2;
      return isSecond ? Promise.reject(new Error('it fails')) : call(shardIndex, request);
    };
    const wanted = { ImageId, DestinationRegionId: ABROAD };
    expect(await refused('CopyImage', wanted)).toContain('it fails');
    expect(control.told.map(({ request }) => request.op)).toEqual(['shareTree', 'removeTree']);
    expect(metadata.listSnapshots({}, 0, 10).total).toBe(2);
    expect(metadata.listDocuments('image', null, 0, 1).total).toBe(1);
  });
});
