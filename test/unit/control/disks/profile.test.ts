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

it('a dry run changes nothing', async () => {
  const { call, control } = await testCaller();
  const { profiles } = control;
  const { DiskId } = await call('CreateDisk', { ...ESSD, Size: 100 });
  await call('ModifyDiskSpec', { DiskId, PerformanceLevel: 'PL0', DryRun: true }).catch(() => {});
  expect(profiles).toEqual([]);
});
