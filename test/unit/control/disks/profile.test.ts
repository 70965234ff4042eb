/** What changes how fast an attached disk is to be: its size, its kind, whether it bursts. */
import { expect, it } from 'vitest';
import { MIB } from '../../../../src/base/units.ts';
import { volumeWith } from '../../../../src/control/volume-of.ts';
import { testCaller } from '../../../support/control-caller.ts';

const ESSD = { DiskCategory: 'cloud_essd', PerformanceLevel: 'PL1' };

it('DescribeDisks says what a modelled volume of the disk is opened with', async () => {
  const { call, control } = await testCaller();
  const { context } = control;
  const { DiskId } = await call('CreateDisk', { ...ESSD, Size: 100 });
  const { IOPS, Throughput } = (await call('DescribeDisks', { DiskIds: [DiskId] })).Disks[0]!;
  const { profile } = volumeWith(context.metadata.getDisk(DiskId)!, 'modelled');
  expect([IOPS, Throughput]).toEqual([6_800, 170]);
  expect([profile?.iops, profile?.bytesPerSecond]).toEqual([6_800, 170 * MIB]);
  expect(volumeWith(context.metadata.getDisk(DiskId)!, 'unlimited').profile).toBeUndefined();
});

it.each([
  [{ DiskCategory: 'cloud_essd', PerformanceLevel: 'PL3' }, 1_261, 64_850, 750],
  [{ DiskCategory: 'cloud_essd', PerformanceLevel: 'PL0' }, 684, 10_000, 180],
  [{ DiskCategory: 'cloud_essd_entry' }, 100, 2_600, 115],
  [{ DiskCategory: 'cloud_ssd' }, 2_000, 25_000, 300],
  [{ DiskCategory: 'cloud_efficiency' }, 100, 2_600, 115],
  [{ DiskCategory: 'cloud' }, 100, 300, 30],
  [{ DiskCategory: 'cloud_auto', ProvisionedIops: 1_000 }, 40, 4_800, 155],
  [{ DiskCategory: 'cloud_auto', BurstingEnabled: true }, 100, 6_800, 170],
])('DescribeDisks of %j of %i GiB says %i IOPS and %i MB/s, as the volume has', async (...row) => {
  const [kind, Size, iops, mbs] = row;
  const { call, control } = await testCaller();
  const { DiskId } = await call('CreateDisk', { ...kind, Size });
  const described = (await call('DescribeDisks', { DiskIds: [DiskId] })).Disks[0]!;
  const { profile } = volumeWith(control.context.metadata.getDisk(DiskId)!, 'modelled');
  const { IOPS, IOPSRead, IOPSWrite, Throughput, ThroughputRead, ThroughputWrite } = described;
  expect([IOPS, IOPSRead, IOPSWrite]).toEqual([iops, iops, iops]);
  expect([Throughput, ThroughputRead, ThroughputWrite]).toEqual([mbs, mbs, mbs]);
  expect(profile!.iops).toBe(iops);
  expect(Math.floor(profile!.bytesPerSecond / MIB)).toBe(mbs);
  expect(described.ProvisionedIops).toBe('ProvisionedIops' in kind ? kind.ProvisionedIops : 0);
  expect(described.BurstingEnabled).toBe(profile!.burst !== null);
});

it('ResizeDisk, ModifyDiskSpec and BurstingEnabled change the open volume', async () => {
  const { call, control } = await testCaller();
  const { profiles } = control;
  const { DiskId } = await call('CreateDisk', { ...ESSD, Size: 100 });
  const last = () => [profiles.at(-1)?.[0] === DiskId, profiles.at(-1)?.[1].iops, profiles.length];
  await call('ResizeDisk', { DiskId, NewSize: 200 });
  expect(last()).toEqual([true, 11_800, 1]);
  await call('ModifyDiskSpec', { DiskId, PerformanceLevel: 'PL0' });
  expect(last()).toEqual([true, 4_200, 2]);
  await call('ModifyDiskSpec', { DiskId, DiskCategory: 'cloud_auto', ProvisionedIops: 1_000 });
  expect(last()).toEqual([true, 12_800, 3]);
  expect(profiles.at(-1)?.[1].burst).toBeNull();
  await call('ModifyDiskAttribute', { DiskId, BurstingEnabled: true });
  expect(profiles.at(-1)?.[1].burst?.iops).toBe(200_000);
  await call('ModifyDiskAttribute', { DiskId, DiskName: 'other' });
  expect(profiles).toHaveLength(4);
});

it('a volume of an instance is opened with the limits of its type', async () => {
  const { call, control } = await testCaller();
  const { context } = control;
  const { DiskId } = await call('CreateDisk', { ...ESSD, Size: 100 });
  const disk = { ...context.metadata.getDisk(DiskId)!, instanceId: 'i-1' };
  expect(volumeWith(disk, 'modelled', 'ecs.g7.large').instance).toEqual({
    instanceId: 'i-1',
    iops: 20_000,
    bytesPerSecond: 187_500_000,
  });
  expect(volumeWith(disk, 'unlimited', 'ecs.g7.large').instance).toBeUndefined();
  expect(volumeWith(disk, 'modelled', 'ecs.x9.large').instance).toBeUndefined();
  expect(volumeWith(disk, 'modelled').instance).toBeUndefined();
});

it('a dry run changes nothing', async () => {
  const { call, control } = await testCaller();
  const { profiles } = control;
  const { DiskId } = await call('CreateDisk', { ...ESSD, Size: 100 });
  await call('ModifyDiskSpec', { DiskId, PerformanceLevel: 'PL0', DryRun: true }).catch(() => {});
  expect(profiles).toEqual([]);
});
