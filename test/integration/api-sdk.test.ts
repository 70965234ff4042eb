/** The cloud's official SDKs against the server: whole stories, nothing of the SDKs changed. */
import { describe, expect, test } from 'vitest';
import {
  describeDisk,
  newDisk,
  newInstance,
  newKey,
  refusal,
  regionId,
  zoneId,
} from '../support/api-steps.ts';
import { type ApiSubject, startApi } from '../support/api-subject.ts';
import {
  ecs,
  ecsClient,
  kms,
  kmsClient,
  popClient,
  TEST_CREDENTIALS,
} from '../support/official-sdk.ts';

const OTHER_ACCOUNT = '1000000000000002';
const TEXT = Buffer.from('what the customer wrote');

async function write(api: ApiSubject, diskId: string, bytes: Uint8Array): Promise<void> {
  await using disk = await api.plane.attach(diskId);
  await disk.write(0, bytes);
  await disk.flush();
}

async function read(api: ApiSubject, diskId: string): Promise<string> {
  await using disk = await api.plane.attach(diskId);
  return Buffer.from(await disk.read(0, TEXT.length)).toString();
}

describe('the official SDKs', () => {
  test('create, describe and delete a disk', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const diskName = 'my-disk.测试';
    const description = 'my disk (测试)*!~+';
    const created = await client.createDisk(
      new ecs.CreateDiskRequest({
        regionId,
        zoneId,
        size: 40,
        diskCategory: 'cloud_essd',
        encrypted: true,
        diskName,
        description,
        tag: [new ecs.CreateDiskRequestTag({ key: 'k1', value: 'v 1' })],
      }),
    );
    const diskId = created.body!.diskId!;
    expect(created.body!.requestId).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    expect(await describeDisk(client, diskId)).toMatchObject({
      diskId,
      diskName,
      description,
      encrypted: true,
      size: 40,
      status: 'Available',
      deleteWithInstance: false,
      tags: { tag: [{ tagKey: 'k1', tagValue: 'v 1' }] },
    });
    await client.deleteDisk(new ecs.DeleteDiskRequest({ diskId }));
    const after = await client.describeDisks(new ecs.DescribeDisksRequest({ regionId }));
    expect(after.body!.totalCount).toBe(0);
    expect(api.bugs).toEqual([]);
  });

  test("live an encrypted disk's life: key, instance, bytes, snapshot, another disk", async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const kMSKeyId = await newKey(api);
    const diskId = await newDisk(client, { encrypted: true, KMSKeyId: kMSKeyId });
    expect((await describeDisk(client, diskId)).KMSKeyId).toBe(kMSKeyId);
    const instanceId = await newInstance(client);
    await client.attachDisk(new ecs.AttachDiskRequest({ diskId, instanceId }));
    expect(await describeDisk(client, diskId)).toMatchObject({ status: 'In_use', instanceId });
    await write(api, diskId, TEXT);
    const { body } = await client.createSnapshot(new ecs.CreateSnapshotRequest({ diskId }));
    const snapshotId = body!.snapshotId!;
    const snapshots = await client.describeSnapshots(
      new ecs.DescribeSnapshotsRequest({ regionId, snapshotIds: JSON.stringify([snapshotId]) }),
    );
    expect(snapshots.body!.snapshots!.snapshot![0]).toMatchObject({
      encrypted: true,
      KMSKeyId: kMSKeyId,
      status: 'accomplished',
      sourceDiskSize: '20',
    });
    const cloneId = await newDisk(client, { snapshotId });
    expect(await describeDisk(client, cloneId)).toMatchObject({ KMSKeyId: kMSKeyId });
    expect(await read(api, cloneId)).toBe(TEXT.toString());
    await client.detachDisk(new ecs.DetachDiskRequest({ diskId, instanceId }));
    await client.deleteDisk(new ecs.DeleteDiskRequest({ diskId }));
    await client.deleteSnapshot(new ecs.DeleteSnapshotRequest({ snapshotId, force: true }));
    expect(await read(api, cloneId)).toBe(TEXT.toString());
    await client.deleteInstance(new ecs.DeleteInstanceRequest({ instanceId, force: true }));
    expect(api.bugs).toEqual([]);
  });

  test('with default encryption on, a plain request comes back encrypted', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    await client.enableDiskEncryptionByDefault(
      new ecs.EnableDiskEncryptionByDefaultRequest({ regionId }),
    );
    const status = await client.describeDiskEncryptionByDefaultStatus(
      new ecs.DescribeDiskEncryptionByDefaultStatusRequest({ regionId }),
    );
    expect(status.body!.encrypted).toBe(true);
    const kMSKeyId = await newKey(api);
    await client.modifyDiskDefaultKMSKeyId(
      new ecs.ModifyDiskDefaultKMSKeyIdRequest({ regionId, KMSKeyId: kMSKeyId }),
    );
    const diskId = await newDisk(client, {});
    expect(await describeDisk(client, diskId)).toMatchObject({
      encrypted: true,
      KMSKeyId: kMSKeyId,
    });
    expect(await refusal(newDisk(client, { encrypted: false }))).toMatchObject({
      code: 'InvalidEncrypted.NotMatchDiskDefaultEncryption',
      statusCode: 403,
    });
    const again = client.enableDiskEncryptionByDefault(
      new ecs.EnableDiskEncryptionByDefaultRequest({ regionId }),
    );
    expect((await refusal(again)).code).toBe('InvalidOperation.DefaultEncryptionAlreadyEnabled');
  });

  test('a disabled key stops the next start of an instance, and heals', async () => {
    await using api = await startApi();
    const [client, keys] = [ecsClient(api.port), kmsClient(api.port)];
    const kMSKeyId = await newKey(api);
    const systemDisk = new ecs.RunInstancesRequestSystemDisk({
      category: 'cloud_essd',
      size: '20',
      encrypted: 'true',
      KMSKeyId: kMSKeyId,
    });
    const instanceId = await newInstance(client, { systemDisk });
    await client.stopInstance(new ecs.StopInstanceRequest({ instanceId }));
    await keys.disableKey(new kms.DisableKeyRequest({ keyId: kMSKeyId }));
    const start = () => client.startInstance(new ecs.StartInstanceRequest({ instanceId }));
    expect(await refusal(start())).toMatchObject({
      code: 'InvalidParameter.KMSKeyId.CMKNotEnabled',
      statusCode: 403,
    });
    const create = newDisk(client, { encrypted: true, KMSKeyId: kMSKeyId });
    expect((await refusal(create)).code).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await keys.enableKey(new kms.EnableKeyRequest({ keyId: kMSKeyId }));
    await start();
    const shown = await client.describeInstances(
      new ecs.DescribeInstancesRequest({ regionId, instanceIds: JSON.stringify([instanceId]) }),
    );
    expect(shown.body!.instances!.instance![0]).toMatchObject({ instanceId, status: 'Running' });
  });

  test('page both ways, and see each disk once', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const made = await Promise.all(Array.from({ length: 25 }, () => newDisk(client, {})));
    const byNumber: string[] = [];
    for (const pageNumber of [1, 2, 3]) {
      const { body } = await client.describeDisks(
        new ecs.DescribeDisksRequest({ regionId, pageNumber, pageSize: 10 }),
      );
      expect(body).toMatchObject({ totalCount: 25, pageNumber, pageSize: 10 });
      byNumber.push(...body!.disks!.disk!.map((disk) => disk.diskId!));
    }
    const byToken: string[] = [];
    let nextToken: string | undefined;
    do {
      const { body } = await client.describeDisks(
        new ecs.DescribeDisksRequest({
          regionId,
          maxResults: 10,
          ...(nextToken === undefined ? {} : { nextToken }),
        }),
      );
      byToken.push(...body!.disks!.disk!.map((disk) => disk.diskId!));
      nextToken = body!.nextToken;
    } while (nextToken);
    expect(byNumber.sort()).toEqual([...made].sort());
    expect(byToken.sort()).toEqual([...made].sort());
  });

  test('repeat a call by its ClientToken, and try one by DryRun', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const clientToken = 'token-1';
    const first = await newDisk(client, { clientToken });
    expect(await newDisk(client, { clientToken })).toBe(first);
    const other = newDisk(client, { clientToken, diskName: 'other' });
    expect(await refusal(other)).toMatchObject({
      code: 'IdempotentParameterMismatch',
      statusCode: 400,
    });
    const dryRun = newInstance(client, { dryRun: true });
    expect(await refusal(dryRun)).toMatchObject({ code: 'DryRunOperation', statusCode: 400 });
  });

  test('share a snapshot and an image with another account', async () => {
    const world = { accounts: [{ id: OTHER_ACCOUNT }] };
    await using api = await startApi({}, { world });
    const client = ecsClient(api.port);
    const other = ecsClient(api.port, { ...TEST_CREDENTIALS, accessKeyId: OTHER_ACCOUNT });
    const kMSKeyId = await newKey(api);
    const diskId = await newDisk(client, { encrypted: true, KMSKeyId: kMSKeyId });
    await write(api, diskId, TEXT);
    const made = await client.createSnapshot(new ecs.CreateSnapshotRequest({ diskId }));
    const snapshotId = made.body!.snapshotId!;
    const sharing = popClient(api.port, '2020-01-10');
    const shared = await sharing.request<{ ResourceShare: { ResourceShareId: string } }>(
      'CreateResourceShare',
      {
        ResourceShareName: 'for the other',
        Resources: [{ ResourceId: snapshotId, ResourceType: 'Snapshot' }],
        Targets: [OTHER_ACCOUNT],
      },
    );
    const describeTheirs = async () => {
      const seen = await other.describeSnapshots(new ecs.DescribeSnapshotsRequest({ regionId }));
      return seen.body!.snapshots!.snapshot!;
    };
    const [theirs] = await describeTheirs();
    expect(theirs!.tags!.tag![0]!.tagKey).toBe('acs:ecs:sharedFrom');
    const theirDisk = await newDisk(other, { snapshotId: theirs!.snapshotId });
    await using attached = await api.plane.as({ accountId: OTHER_ACCOUNT }).attach(theirDisk);
    expect(Buffer.from(await attached.read(0, TEXT.length)).toString()).toBe(TEXT.toString());
    const { ResourceShareId } = shared.ResourceShare;
    // Their disk is moved to a key of theirs first.
    const take = { ResourceShareId, Targets: [OTHER_ACCOUNT] };
    const unshare = () =>
      sharing.request('DisassociateResourceShare', take).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    await expect.poll(unshare, { timeout: 30_000 }).toBe('done');
    expect(await describeTheirs()).toEqual([]);
    const image = await client.createImage(
      new ecs.CreateImageRequest({ regionId, snapshotId, imageName: 'shared' }),
    );
    const imageId = image.body!.imageId!;
    await client.modifyImageSharePermission(
      new ecs.ModifyImageSharePermissionRequest({ regionId, imageId, addAccount: [OTHER_ACCOUNT] }),
    );
    const permission = await client.describeImageSharePermission(
      new ecs.DescribeImageSharePermissionRequest({ regionId, imageId }),
    );
    expect(permission.body!.accounts!.account![0]!.aliyunId).toBe(OTHER_ACCOUNT);
    const images = await other.describeImages(
      new ecs.DescribeImagesRequest({ regionId, imageOwnerAlias: 'others' }),
    );
    expect(images.body!.images!.image!.map((each) => each.imageId)).toEqual([imageId]);
    expect(api.bugs).toEqual([]);
  });

  test('work in the region of what they name, where an operation has no RegionId', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const beijing = { regionId: 'cn-beijing', zoneId: 'cn-beijing-a' };
    const diskId = await newDisk(client, beijing);
    await client.modifyDiskAttribute(
      new ecs.ModifyDiskAttributeRequest({ diskId, description: 'far away' }),
    );
    await client.deleteDisk(new ecs.DeleteDiskRequest({ diskId }));
    const { body } = await client.describeDisks(
      new ecs.DescribeDisksRequest({ regionId: 'cn-beijing' }),
    );
    expect(body!.totalCount).toBe(0);
  });
});
