/** The cloud's official SDKs against the server: the life of an encrypted disk, and its refusals. */
import { describe, expect, test } from 'vitest';
import { startApi } from '../support/api-subject.ts';
import { ecs, ecsClient } from '../support/official-sdk.ts';

const regionId = 'cn-hangzhou';

describe('the official SDK', () => {
  test('creates, describes and deletes a disk', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const created = await client.createDisk(
      new ecs.CreateDiskRequest({
        regionId,
        zoneId: 'cn-hangzhou-g',
        size: 40,
        diskCategory: 'cloud_essd',
        encrypted: true,
        diskName: 'my disk (测试)*!~+',
        tag: [new ecs.CreateDiskRequestTag({ key: 'k1', value: 'v 1' })],
      }),
    );
    const diskId = created.body!.diskId!;
    expect(diskId).toMatch(/^d-[a-z0-9]{20}$/);
    expect(created.body!.requestId).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    const described = await client.describeDisks(
      new ecs.DescribeDisksRequest({ regionId, diskIds: JSON.stringify([diskId]) }),
    );
    const [disk] = described.body!.disks!.disk!;
    expect(disk).toMatchObject({
      diskId,
      diskName: 'my disk (测试)*!~+',
      encrypted: true,
      size: 40,
      status: 'Available',
      tags: { tag: [{ tagKey: 'k1', tagValue: 'v 1' }] },
    });
    await client.deleteDisk(new ecs.DeleteDiskRequest({ diskId }));
    const after = await client.describeDisks(new ecs.DescribeDisksRequest({ regionId }));
    expect(after.body!.totalCount).toBe(0);
    expect(api.bugs).toEqual([]);
  });
});
