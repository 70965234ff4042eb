/**
 * Modelled disks of a real plane, threads and all. Nothing here is asserted of how near they come
 * to their figures: machines that run tests are busy. bench/floors/pacing.ts measures that.
 */
import { openPlane, type Plane, type PlaneError } from 'sealdisk';
import { describe, expect, it } from 'vitest';

const SECTOR = 4096;
const bytes = new Uint8Array(SECTOR).fill(7);

async function essd(plane: Plane, level: string, Size: number): Promise<string> {
  const kind = { DiskCategory: 'cloud_essd', PerformanceLevel: level };
  return (await plane.call('CreateDisk', { ...kind, Size, Encrypted: true })).DiskId;
}

describe('a modelled disk of a plane', () => {
  it('does no more than it is sold with, and what it has done is there', async () => {
    await using plane = await openPlane({ memory: true, performance: 'modelled' });
    await using disk = await plane.attach(await essd(plane, 'PL0', 1));
    const begun = performance.now();
    const count = 1_200;
    const writes = Array.from({ length: count }, (_, at) => disk.write(at * SECTOR, bytes));
    await Promise.all(writes);
    const seconds = (performance.now() - begun) / 1_000;
    // 1,812 IOPS, and what the bucket holds.
    expect(count / seconds).toBeLessThan(1_812 * 1.1);
    expect((await disk.read(1_199 * SECTOR, 1))[0]).toBe(7);
  });

  it('and one that is not, beside it: attach() says which', async () => {
    await using plane = await openPlane({ memory: true });
    await using slow = await plane.attach(await essd(plane, 'PL0', 1), { performance: 'modelled' });
    await using fast = await plane.attach(await essd(plane, 'PL0', 1));
    let answered = 0;
    const held = Array.from({ length: 20_000 }, (_, at) =>
      slow.write((at % 64) * SECTOR, bytes).then(() => answered++),
    );
    await Promise.all(Array.from({ length: 500 }, (_, at) => fast.write(at * SECTOR, bytes)));
    await fast.flush();
    // Ten seconds and more of the other's requests are not answered yet.
    expect(answered).toBeLessThan(20_000);
    await slow.close();
    await Promise.all(held);
    expect(answered).toBe(20_000);
  });

  it('that an instance runs with is modelled as its plane is', async () => {
    await using plane = await openPlane({ memory: true, performance: 'modelled' });
    const { Images } = await plane.call('DescribeImages', { ImageOwnerAlias: 'system' });
    const { InstanceIdSets } = await plane.call('RunInstances', {
      ImageId: Images[0]!.ImageId,
      InstanceType: 'ecs.g7.large',
      DataDisk: [{ Category: 'cloud_essd', PerformanceLevel: 'PL0', Size: 1 }],
    });
    const { Disks } = await plane.call('DescribeDisks', {
      InstanceId: InstanceIdSets[0]!,
      DiskType: 'data',
    });
    await using face = await plane.attach(Disks[0]!.DiskId);
    const begun = performance.now();
    await Promise.all(Array.from({ length: 600 }, (_, at) => face.write(at * SECTOR, bytes)));
    expect(performance.now() - begun).toBeGreaterThan((600 / 1_812) * 1_000 * 0.9);
  });

  it('does no more than the instance type it is attached to, however it was attached', async () => {
    await using plane = await openPlane({ memory: true, performance: 'modelled' });
    const { Images } = await plane.call('DescribeImages', { ImageOwnerAlias: 'system' });
    // 40,000 IOPS in a burst; ecs.g6.large: 10,000 and 125 MB/s.
    const kind = { Size: 40, BurstingEnabled: true };
    const { InstanceIdSets } = await plane.call('RunInstances', {
      ImageId: Images[0]!.ImageId,
      InstanceType: 'ecs.g6.large',
      DataDisk: [{ ...kind, Category: 'cloud_auto' }],
    });
    const InstanceId = InstanceIdSets[0]!;
    const { DiskId } = await plane.call('CreateDisk', { ...kind, DiskCategory: 'cloud_auto' });
    await plane.call('AttachDisk', { DiskId, InstanceId });
    const { Disks } = await plane.call('DescribeDisks', { InstanceId, DiskType: 'data' });
    expect(Disks).toHaveLength(2);
    await using one = await plane.attach(Disks[0]!.DiskId);
    await using other = await plane.attach(Disks[1]!.DiskId);
    const begun = performance.now();
    const writes = (disk: typeof one, count: number) =>
      Array.from({ length: count }, (_, at) => disk.write((at % 64) * SECTOR, bytes));
    await Promise.all([...writes(one, 4_000), ...writes(other, 4_000)]);
    // Each alone would have taken a tenth of a second.
    expect(performance.now() - begun).toBeGreaterThan((8_000 / 10_000) * 1_000 * 0.9);
  });

  it('is closed with its plane, whatever is held', async () => {
    const plane = await openPlane({ memory: true, performance: 'modelled' });
    const disk = await plane.attach(await essd(plane, 'PL0', 1));
    const outcomes = Array.from({ length: 10_000 }, () =>
      disk.write(0, bytes).then(
        () => 'OK',
        (error: PlaneError) => error.code,
      ),
    );
    await plane.close();
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['OK']));
  });

  it('is refused if nobody knows what it is to be', async () => {
    const wrong = { performance: 'fast' as never };
    const code = (error: PlaneError): string => error.code;
    expect(await openPlane({ memory: true, ...wrong }).catch(code)).toBe('InvalidArgument');
    await using plane = await openPlane({ memory: true });
    const diskId = await essd(plane, 'PL0', 1);
    expect(await plane.attach(diskId, wrong).catch(code)).toBe('InvalidArgument');
  });
});
