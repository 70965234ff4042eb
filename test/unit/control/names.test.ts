/** What disks, snapshots, images and instances may be called and described as. */
import { beforeAll, describe, expect, test } from 'vitest';
import { NEW_INSTANCE, type TestCaller, testCaller } from '../../support/control-caller.ts';

const ALLOWED = ['ab', 'a'.repeat(128), '测试盘', 'Émile', 'a.b:c_d-9', ''];
const MALFORMED = ['a', 'a'.repeat(129), '1a', '_a', 'a b', 'a/b', 'http://a', 'https://a', 'a😀'];

let caller: TestCaller;
let DiskId = '';
let SnapshotId = '';
beforeAll(async () => {
  caller = await testCaller();
  DiskId = (await caller.call('CreateDisk', { Size: 20 })).DiskId;
  SnapshotId = (await caller.call('CreateSnapshot', { DiskId })).SnapshotId;
});

/** Where a name is given: the verb, the parameters with it, the code of a name that may not be. */
type Place = readonly [verb: string, of: (name: string) => object, code: string];
const PLACES: readonly Place[] = [
  ['CreateDisk', (DiskName) => ({ Size: 20, DiskName }), 'InvalidDiskName.Malformed'],
  ['CloneDisk', (DiskName) => ({ SourceDiskId: DiskId, DiskName }), 'InvalidDiskName.Malformed'],
  ['ModifyDiskAttribute', (DiskName) => ({ DiskId, DiskName }), 'InvalidDiskName.Malformed'],
  [
    'RunInstances',
    (DiskName) => ({ ...NEW_INSTANCE, SystemDisk: { DiskName } }),
    'InvalidDiskName.Malformed',
  ],
  [
    'RunInstances',
    (DiskName) => ({ ...NEW_INSTANCE, DataDisk: [{ Size: 20, DiskName }] }),
    'InvalidDiskName.Malformed',
  ],
  ['CreateSnapshot', (SnapshotName) => ({ DiskId, SnapshotName }), 'InvalidSnapshotName.Malformed'],
  [
    'CopySnapshot',
    (DestinationSnapshotName) => ({
      SnapshotId,
      DestinationRegionId: 'cn-beijing',
      DestinationSnapshotName,
    }),
    'InvalidSnapshotName.Malformed',
  ],
  [
    'ModifySnapshotAttribute',
    (SnapshotName) => ({ SnapshotId, SnapshotName }),
    'InvalidSnapshotName.Malformed',
  ],
  ['CreateImage', (ImageName) => ({ SnapshotId, ImageName }), 'InvalidImageName.Malformed'],
  [
    'RunInstances',
    (InstanceName) => ({ ...NEW_INSTANCE, InstanceName }),
    'InvalidInstanceName.Malformed',
  ],
];

describe.each(PLACES)('%s', (verb, of, code) => {
  test.each(ALLOWED)('takes the name "%s"', async (name) => {
    expect(await caller.refused(verb as 'CreateDisk', { ...of(name), DryRun: true })).toBe(
      'DryRunOperation',
    );
  });

  test.each(MALFORMED)('refuses the name "%s"', async (name) => {
    expect(await caller.refused(verb as 'CreateDisk', { ...of(name), DryRun: true })).toBe(code);
  });
});

test.each([
  ['CreateSnapshot', { SnapshotName: 'auto-1' }, 'InvalidSnapshotName.Malformed'],
  ['CreateSnapshot', { SnapshotName: 'an-auto' }, 'DryRunOperation'],
  ['CreateDisk', { Size: 20, DiskName: 'auto-1' }, 'DryRunOperation'],
  ['CreateImage', { ImageName: 'aliyun-mine' }, 'InvalidImageName.Malformed'],
  ['CreateImage', { ImageName: 'acs:mine' }, 'InvalidImageName.Malformed'],
  ['RunInstances', { InstanceName: 'worker[1,3]-web' }, 'DryRunOperation'],
  ['CreateDisk', { Size: 20, Description: 'a' }, 'InvalidDescription.Malformed'],
  ['CreateDisk', { Size: 20, Description: 'a'.repeat(257) }, 'InvalidDescription.Malformed'],
  ['CreateDisk', { Size: 20, Description: 'https://a' }, 'InvalidDescription.Malformed'],
  ['CreateDisk', { Size: 20, Description: 'see https://a' }, 'DryRunOperation'],
  ['CreateDisk', { Size: 20, Description: 'a'.repeat(256) }, 'DryRunOperation'],
  ['ModifySnapshotAttribute', { Description: 'a' }, 'DryRunOperation'],
  ['ModifySnapshotAttribute', { Description: 'http://a' }, 'InvalidDescription.Malformed'],
  ['CreateDisk', { Size: 20, DiskName: 7 }, 'InvalidParameter'],
] as const)('%s with %j: %s', async (verb, parameters, code) => {
  const on = {
    CreateSnapshot: { DiskId },
    CreateImage: { SnapshotId },
    RunInstances: NEW_INSTANCE,
    ModifySnapshotAttribute: { SnapshotId },
    CreateDisk: {},
  }[verb];
  expect(await caller.refused(verb, { ...on, ...parameters, DryRun: true })).toBe(code);
});
