/**
 * The eight resources of the Terraform provider, each created, read, changed and destroyed, by the
 * sequence of requests it sends for them and with the parameters it gives. Where it reads a field
 * as being of a type, so does this.
 *
 * **Source:** the provider's own source, alicloud/resource_alicloud_*.go and service_alicloud_*.go.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiSubject, startApi } from '../support/api-subject.ts';
import { type Answer, PROVIDER_KEY, ProviderClient } from '../support/terraform-client.ts';

const RegionId = 'cn-hangzhou';
const ZoneId = 'cn-hangzhou-g';
const POLL_MS = 20;

let api: ApiSubject;
let tf: ProviderClient;
let tokens = 0;
const clientToken = (action: string): string => `TF-${action}-${++tokens}`;

beforeAll(async () => {
  api = await startApi({ auth: 'strict', accessKeys: [PROVIDER_KEY] });
  tf = new ProviderClient(api.port);
});
afterAll(async () => {
  expect(api.bugs).toEqual([]);
  await api[Symbol.asyncDispose]();
});

/** The answer of a call that is done: it has a RequestId and no Code. */
async function ecs(action: string, given: Parameters<ProviderClient['ecs']>[1]): Promise<Answer> {
  const answer = await tf.ecs(action, given);
  expect(answer, action).not.toHaveProperty('Code');
  expect(answer).toHaveProperty('RequestId');
  return answer;
}

async function kms(action: string, given: Parameters<ProviderClient['kms']>[1]): Promise<Answer> {
  const answer = await tf.kms(action, given);
  expect(answer, action).not.toHaveProperty('Code');
  expect(answer).toHaveProperty('RequestId');
  return answer;
}

type Fields = Readonly<Record<string, unknown>>;

/** One item of a list in its wrapper; undefined: it is not there. */
function itemOf(answer: Answer, list: string, wrapper: string): Fields | undefined {
  const wrapped = answer[list] as unknown as Readonly<Record<string, Fields[]>>;
  return wrapped[wrapper]![0];
}

async function readDisk(diskId: string): Promise<Fields | undefined> {
  const given = { DiskIds: JSON.stringify([diskId]), RegionId };
  return itemOf(await ecs('DescribeDisks', given), 'Disks', 'Disk');
}

async function readSnapshot(snapshotId: string): Promise<Fields | undefined> {
  const given = { SnapshotIds: JSON.stringify([snapshotId]), RegionId };
  return itemOf(await ecs('DescribeSnapshots', given), 'Snapshots', 'Snapshot');
}

async function readImage(imageId: string, region: string): Promise<Fields | undefined> {
  const Status = 'Creating,Waiting,Available,UnAvailable,CreateFailed';
  const given = { ImageId: imageId, RegionId: region, Status };
  return itemOf(await ecs('DescribeImages', given), 'Images', 'Image');
}

/** Reads until a status is there, as the provider waits for states. */
async function until(
  read: () => Promise<Fields | undefined>,
  statuses: readonly string[],
): Promise<Fields> {
  for (;;) {
    const found = await read();
    if (found !== undefined && statuses.includes(String(found.Status))) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function createDisk(more: Readonly<Record<string, string | number | boolean>>) {
  const { DiskId } = await ecs('CreateDisk', {
    RegionId,
    ClientToken: clientToken('CreateDisk'),
    DiskCategory: 'cloud_essd',
    Size: 20,
    ZoneId,
    ...more,
  });
  await until(() => readDisk(DiskId!), ['Available', 'In_use']);
  return DiskId as unknown as string;
}

async function createKey(more: Readonly<Record<string, string | boolean>> = {}): Promise<string> {
  const { KeyMetadata } = await kms('CreateKey', { ProtectionLevel: 'SOFTWARE', ...more });
  return (KeyMetadata as unknown as { readonly KeyId: string }).KeyId;
}

async function deleteDisk(DiskId: string): Promise<void> {
  await readDisk(DiskId);
  await ecs('DeleteDisk', { DiskId });
  expect(await readDisk(DiskId)).toBeUndefined();
}

describe('the Terraform provider', () => {
  test('asks STS who it is', async () => {
    const identity = await tf.call('sts', 'GetCallerIdentity', {});
    expect(identity).toMatchObject({ IdentityType: 'Account', AccountId: expect.any(String) });
  });

  test('alicloud_ecs_disk', async () => {
    const KMSKeyId = await createKey();
    const given = { Description: 'data', Encrypted: true, KMSKeyId, PerformanceLevel: 'PL1' };
    const tag = { 'Tag.1.Key': 'team', 'Tag.1.Value': 'a b' };
    const DiskId = await createDisk({ DiskName: 'tf-disk', ...given, ...tag });
    const disk = (await readDisk(DiskId))!;
    expect(disk).toMatchObject({
      ...given,
      Category: 'cloud_essd',
      DiskChargeType: 'PostPaid',
      MultiAttach: 'Disabled',
      RegionId,
      Size: 20,
      ZoneId,
      Tags: { Tag: [{ TagKey: 'team', TagValue: 'a b' }] },
    });
    for (const name of ['DeleteAutoSnapshot', 'DeleteWithInstance', 'EnableAutoSnapshot']) {
      expect(disk[name], name).toBeTypeOf('boolean');
    }
    const attributes = { DeleteAutoSnapshot: true, DeleteWithInstance: false, DiskName: 'renamed' };
    await ecs('ModifyDiskAttribute', { DiskId, RegionId, Description: 'new', ...attributes });
    const ClientToken = clientToken('ResizeDisk');
    await ecs('ResizeDisk', { DiskId, ClientToken, NewSize: 40 });
    await ecs('ModifyDiskSpec', { DiskId, PerformanceLevel: 'PL0' });
    const changed = await until(() => readDisk(DiskId), ['Available', 'In_use']);
    expect(changed).toMatchObject({ ...attributes, Size: 40, PerformanceLevel: 'PL0' });
    const about = { 'ResourceId.1': DiskId, RegionId, ResourceType: 'disk' };
    await ecs('UntagResources', { ...about, 'TagKey.1': 'team' });
    await ecs('TagResources', { ...about, 'Tag.1.Key': 'stage', 'Tag.1.Value': 'test' });
    const tagged = await readDisk(DiskId);
    expect(tagged?.Tags).toEqual({ Tag: [{ TagKey: 'stage', TagValue: 'test' }] });
    await deleteDisk(DiskId);
    // One that is gone is none to refuse: the provider may ask twice.
    await ecs('DeleteDisk', { DiskId });
  });

  test('alicloud_ecs_disk: another resource group, by subscription and back', async () => {
    const InstanceId = await newInstance({ InstanceChargeType: 'PrePaid' });
    const DiskId = await createDisk({ ResourceGroupId: 'rg-first' });
    expect(await readDisk(DiskId)).toMatchObject({ ResourceGroupId: 'rg-first' });
    const about = { ResourceId: DiskId, RegionId, ResourceType: 'disk' };
    await ecs('JoinResourceGroup', { ...about, ResourceGroupId: 'rg-second' });
    expect(await readDisk(DiskId)).toMatchObject({ ResourceGroupId: 'rg-second' });
    await ecs('AttachDisk', { DiskId, InstanceId });
    for (const DiskChargeType of ['PrePaid', 'PostPaid']) {
      const ClientToken = clientToken('ModifyDiskChargeType');
      const DiskIds = JSON.stringify([DiskId]);
      const change = { AutoPay: true, ClientToken, DiskIds, DiskChargeType };
      await ecs('ModifyDiskChargeType', { ...change, InstanceId, RegionId });
      expect(await readDisk(DiskId)).toMatchObject({ DiskChargeType });
    }
    await ecs('DetachDisk', { DiskId, InstanceId });
    await until(() => readDisk(DiskId), ['Available']);
    await deleteDisk(DiskId);
  });

  test('alicloud_ecs_disk_attachment', async () => {
    const InstanceId = await newInstance();
    const DiskId = await createDisk({ Encrypted: true });
    const before = await readDisk(DiskId);
    const flags = { Bootable: false, DeleteWithInstance: false };
    await ecs('AttachDisk', { ...flags, DiskId, InstanceId });
    const attached = await until(() => readDisk(DiskId), ['In_use']);
    expect(attached).toMatchObject({
      InstanceId,
      DiskId,
      Device: expect.stringContaining('/dev/'),
    });
    const { DeleteAutoSnapshot } = before as { readonly DeleteAutoSnapshot: boolean };
    await ecs('ModifyDiskAttribute', { DiskId, RegionId, DeleteAutoSnapshot });
    await ecs('DetachDisk', { DiskId, InstanceId, DeleteWithInstance: false });
    await until(() => readDisk(DiskId), ['Available']);
    expect((await tf.ecs('DetachDisk', { DiskId, InstanceId })).Code).toBe(
      'InvalidDisk.AlreadyDetached',
    );
    await deleteDisk(DiskId);
  });

  test('alicloud_ecs_snapshot', async () => {
    const DiskId = await createDisk({ Encrypted: true });
    const { SnapshotId } = (await ecs('CreateSnapshot', {
      ClientToken: clientToken('CreateSnapshot'),
      DiskId,
      Category: 'standard',
      Description: 'before',
      RetentionDays: 20,
      SnapshotName: 'tf-snapshot',
      'Tag.1.Key': 'a',
      'Tag.1.Value': '',
    })) as unknown as { readonly SnapshotId: string };
    const made = await until(() => readSnapshot(SnapshotId), ['accomplished']);
    expect(made).toMatchObject({
      Description: 'before',
      SourceDiskId: DiskId,
      RetentionDays: 20,
      SnapshotName: 'tf-snapshot',
      Tags: { Tag: [{ TagKey: 'a', TagValue: '' }] },
    });
    await ecs('ModifySnapshotAttribute', { SnapshotId, Description: 'x', RetentionDays: 50 });
    const changed = await until(() => readSnapshot(SnapshotId), ['accomplished']);
    expect(changed).toMatchObject({ Description: 'x', RetentionDays: 50 });
    const about = { 'ResourceId.1': SnapshotId, RegionId, ResourceType: 'snapshot' };
    await ecs('UntagResources', { ...about, 'TagKey.1': 'a' });
    await ecs('TagResources', { ...about, 'Tag.1.Key': 'b', 'Tag.1.Value': 'c' });
    await ecs('DeleteSnapshot', { SnapshotId, Force: true });
    expect(await readSnapshot(SnapshotId)).toBeUndefined();
    await deleteDisk(DiskId);
  });

  test('alicloud_image_copy', async () => {
    const InstanceId = await newInstance();
    const named = { InstanceId, ImageName: 'tf-source' };
    const { ImageId: source } = await ecs('CreateImage', { RegionId, ...named });
    await until(() => readImage(source!, RegionId), ['Available']);
    const DestinationRegionId = 'cn-beijing';
    const { ImageId } = (await ecs('CopyImage', {
      RegionId,
      ImageId: source!,
      DestinationRegionId,
      DestinationImageName: 'tf-copy',
      DestinationDescription: 'copied',
      Encrypted: true,
      KMSKeyId: '',
      'Tag.1.Key': 'a',
      'Tag.1.Value': 'b',
    })) as unknown as { readonly ImageId: string };
    const copied = await until(() => readImage(ImageId, DestinationRegionId), ['Available']);
    expect(copied).toMatchObject({ ImageName: 'tf-copy', Description: 'copied' });
    const about = { 'ResourceId.1': ImageId, RegionId: DestinationRegionId, ResourceType: 'image' };
    await ecs('TagResources', { ...about, 'Tag.1.Key': 'c', 'Tag.1.Value': 'd' });
    const region = { RegionId: DestinationRegionId, ImageId };
    await ecs('ModifyImageAttribute', { ...region, ImageName: 'tf-other', Description: 'more' });
    const changed = await readImage(ImageId, DestinationRegionId);
    expect(changed).toMatchObject({ ImageName: 'tf-other', Description: 'more' });
    await ecs('DeleteImage', { ...region, Force: false });
    expect(await readImage(ImageId, DestinationRegionId)).toBeUndefined();
  });

  test('alicloud_kms_key', async () => {
    const KeyId = await createKey({
      Description: 'tf',
      KeyUsage: 'ENCRYPT/DECRYPT',
      KeySpec: 'Aliyun_AES_256',
      Origin: 'Aliyun_KMS',
      EnableAutomaticRotation: true,
      RotationInterval: '31536000s',
      Tags: JSON.stringify([{ TagKey: 'a', TagValue: 'b' }]),
    });
    const read = async (): Promise<Fields> => {
      const { KeyMetadata } = await kms('DescribeKey', { KeyId });
      return KeyMetadata as unknown as Fields;
    };
    expect(await read()).toMatchObject({
      AutomaticRotation: 'Enabled',
      DeletionProtection: 'Disabled',
      Description: 'tf',
      KeySpec: 'Aliyun_AES_256',
      KeyState: 'Enabled',
      Origin: 'Aliyun_KMS',
      ProtectionLevel: 'SOFTWARE',
      RotationInterval: '31536000s',
    });
    const about = { 'ResourceId.1': KeyId, RegionId, ResourceType: 'key' };
    const tags = await kms('ListTagResources', about);
    expect(itemOf(tags, 'TagResources', 'TagResource')).toMatchObject({
      TagKey: 'a',
      TagValue: 'b',
    });
    await kms('DisableKey', { KeyId });
    expect(await read()).toMatchObject({ KeyState: 'Disabled' });
    await kms('EnableKey', { KeyId });
    await kms('UpdateKeyDescription', { KeyId, Description: 'more' });
    await kms('UpdateRotationPolicy', { KeyId, EnableAutomaticRotation: false });
    const protection = {
      KeyId,
      DeletionProtectionDescription: 'no',
      EnableDeletionProtection: true,
    };
    await kms('SetDeletionProtection', protection);
    await kms('UntagResources', { ...about, 'TagKey.1': 'a' });
    await kms('TagResources', { ...about, 'Tag.1.Key': 'c', 'Tag.1.Value': 'd' });
    expect(await read()).toMatchObject({
      AutomaticRotation: 'Disabled',
      DeletionProtection: 'Enabled',
      Description: 'more',
    });
    const scheduled = { KeyId, PendingWindowInDays: 7 };
    expect(await tf.kms('ScheduleKeyDeletion', scheduled)).toHaveProperty('Code');
    await kms('SetDeletionProtection', { KeyId, EnableDeletionProtection: false });
    await kms('ScheduleKeyDeletion', scheduled);
    expect(await read()).toMatchObject({ KeyState: 'PendingDeletion' });
  });

  test('alicloud_kms_alias', async () => {
    const [KeyId, other] = [await createKey(), await createKey()];
    const AliasName = 'alias/tf';
    const read = async (): Promise<Fields | undefined> => {
      const answer = await kms('ListAliases', { RegionId, PageNumber: 1, PageSize: 20 });
      const { Alias } = answer.Aliases as unknown as { readonly Alias: readonly Fields[] };
      return Alias.find((each) => each.AliasName === AliasName);
    };
    await kms('CreateAlias', { AliasName, KeyId });
    expect(await read()).toMatchObject({ KeyId });
    await kms('UpdateAlias', { AliasName, KeyId: other });
    expect(await read()).toMatchObject({ KeyId: other });
    await kms('DeleteAlias', { AliasName });
    expect(await read()).toBeUndefined();
  });

  test('alicloud_ecs_disk_encryption_by_default', async () => {
    const read = (): Promise<Answer> => ecs('DescribeDiskEncryptionByDefaultStatus', { RegionId });
    await ecs('EnableDiskEncryptionByDefault', { RegionId });
    expect(await read()).toMatchObject({ Encrypted: true });
    const DiskId = await createDisk({});
    expect(await readDisk(DiskId)).toMatchObject({ Encrypted: true });
    await deleteDisk(DiskId);
    await ecs('DisableDiskEncryptionByDefault', { RegionId });
    expect(await read()).toMatchObject({ Encrypted: false });
  });

  test('alicloud_ecs_disk_default_kms_key', async () => {
    const read = (): Promise<Answer> => ecs('DescribeDiskDefaultKMSKeyId', { RegionId });
    await ecs('EnableDiskEncryptionByDefault', { RegionId });
    const [KMSKeyId, other] = [await createKey(), await createKey()];
    await ecs('ModifyDiskDefaultKMSKeyId', { RegionId, KMSKeyId });
    expect(await read()).toMatchObject({ KMSKeyId });
    await ecs('ModifyDiskDefaultKMSKeyId', { RegionId, KMSKeyId: other });
    expect(await read()).toMatchObject({ KMSKeyId: other });
    await ecs('ResetDiskDefaultKMSKeyId', { RegionId });
    expect((await read()).KMSKeyId).not.toBe(other);
    await ecs('DisableDiskEncryptionByDefault', { RegionId });
  });
});

/** An instance of the first public image, running. */
async function newInstance(more: Readonly<Record<string, string>> = {}): Promise<string> {
  const image = itemOf(await ecs('DescribeImages', { RegionId }), 'Images', 'Image');
  const ImageId = String(image?.ImageId);
  const InstanceType = 'ecs.g7.large';
  const made = await ecs('RunInstances', {
    RegionId,
    ZoneId,
    ImageId,
    InstanceType,
    ...more,
  });
  const sets = made.InstanceIdSets as unknown as { readonly InstanceIdSet: readonly string[] };
  const InstanceId = sets.InstanceIdSet[0]!;
  const read = async () => {
    const given = { RegionId, InstanceIds: JSON.stringify([InstanceId]) };
    return itemOf(await ecs('DescribeInstances', given), 'Instances', 'Instance');
  };
  await until(read, ['Running']);
  return InstanceId;
}
