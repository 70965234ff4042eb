/** Steps of stories told by the official SDKs: a key, a disk, an instance, a refusal. */
import type { ApiSubject } from './api-subject.ts';
import { type EcsClient, ecs, kms, kmsClient } from './official-sdk.ts';

export const regionId = 'cn-hangzhou';
export const zoneId = 'cn-hangzhou-g';

export async function newKey(api: ApiSubject): Promise<string> {
  const created = await kmsClient(api.port).createKey(new kms.CreateKeyRequest({}));
  return created.keyMetadata.keyId;
}

export async function newDisk(client: EcsClient, more: object): Promise<string> {
  const request = new ecs.CreateDiskRequest({ regionId, zoneId, size: 20, ...more });
  return (await client.createDisk(request)).body!.diskId!;
}

export async function describeDisk(client: EcsClient, diskId: string) {
  const request = new ecs.DescribeDisksRequest({ regionId, diskIds: JSON.stringify([diskId]) });
  const { disks } = (await client.describeDisks(request)).body!;
  return disks!.disk![0]!;
}

/** An instance that runs, made of the first public image. */
export async function newInstance(client: EcsClient, more: object = {}): Promise<string> {
  const images = await client.describeImages(new ecs.DescribeImagesRequest({ regionId }));
  const { imageId } = images.body!.images!.image![0]!;
  const request = new ecs.RunInstancesRequest({
    regionId,
    zoneId,
    imageId: imageId!,
    instanceType: 'ecs.g7.large',
    ...more,
  });
  return (await client.runInstances(request)).body!.instanceIdSets!.instanceIdSet![0]!;
}

/** What an SDK throws, as its users see it. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ code: string; statusCode: number }> {
  try {
    await call;
  } catch (error) {
    return error as { code: string; statusCode: number };
  }
  throw new Error('it was not refused');
}
