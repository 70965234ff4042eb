/** What --category and its like say of the disks a load makes. */
import { expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/exit-codes.ts';
import { diskKindOf, performanceOf } from '../../../src/cli/load-disks.ts';

test('what is not said is left to CreateDisk', () => {
  expect(diskKindOf({})).toEqual({});
  expect(performanceOf(undefined)).toBeUndefined();
});

test('flags become the parameters of CreateDisk', () => {
  expect(diskKindOf({ category: 'cloud_essd', performanceLevel: 'PL2', diskSize: '461G' })).toEqual(
    { DiskCategory: 'cloud_essd', PerformanceLevel: 'PL2', Size: 461 },
  );
  expect(diskKindOf({ category: 'cloud_auto', provisionedIops: '500', bursting: true })).toEqual({
    DiskCategory: 'cloud_auto',
    ProvisionedIops: 500,
    BurstingEnabled: true,
  });
  expect(diskKindOf({ bursting: false })).toEqual({});
});

test('a performance level alone means an ESSD', () => {
  expect(diskKindOf({ performanceLevel: 'PL0' })).toEqual({
    DiskCategory: 'cloud_essd',
    PerformanceLevel: 'PL0',
  });
});

test.each([
  ['100', 100],
  ['100G', 100],
  ['20gib', 20],
  ['2T', 2048],
  ['1TiB', 1024],
])('--disk-size %s is %d GiB', (diskSize, Size) => {
  expect(diskKindOf({ diskSize })).toEqual({ Size });
});

test.each(['0', '1.5G', '5M', '-1', 'G', '100000', ''])(
  '--disk-size %s is a usage error',
  (diskSize) => {
    expect(() => diskKindOf({ diskSize })).toThrow(UsageError);
    expect(() => diskKindOf({ diskSize })).toThrow('--disk-size: expected whole GiB');
  },
);

test('other values that make no sense are usage errors', () => {
  expect(() => diskKindOf({ provisionedIops: 'many' })).toThrow('--provisioned-iops: expected a');
  expect(() => performanceOf('fast')).toThrow('--performance: expected unlimited or modelled');
  expect([performanceOf('unlimited'), performanceOf('modelled')]).toEqual([
    'unlimited',
    'modelled',
  ]);
});
