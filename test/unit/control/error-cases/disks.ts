/** DATA: what verbs on disks refuse: their parameters, states and places. */
import { ABROAD, type ErrorCase, OTHER, refused } from '../../../support/error-world.ts';

const NO_DISK = 'd-00000000000000000000';
const NO_INSTANCE = 'i-00000000000000000000';
const NO_SNAPSHOT = 's-00000000000000000000';

const PARAMETERS: readonly ErrorCase[] = [
  refused('MissingParameter', 400, 'CreateDisk', 'neither size nor source is given', async () => ({
    parameters: {},
    says: ['SnapshotId', 'Size'],
  })),
  refused('MissingParameter', 400, 'AttachDisk', 'a required one is absent', async () => ({
    parameters: { InstanceId: NO_INSTANCE },
    says: ['AttachDisk', 'DiskId'],
  })),
  refused('MissingParameter', 400, 'ModifyDiskAttribute', 'no disk is named', async () => ({
    parameters: { DiskName: 'aa' },
    says: ['DiskId', 'DiskIds'],
  })),
  refused('MissingParameter', 400, 'ModifyDiskSpec', 'nothing is to be changed', async (w) => ({
    parameters: { DiskId: await w.disk() },
    says: ['DiskCategory', 'PerformanceLevel', 'ProvisionedIops'],
  })),
  refused('InvalidParameter', 400, 'CreateDisk', 'a size is a word', async () => ({
    parameters: { Size: 'big' },
    says: ['CreateDisk', 'Size', 'number', '"big"'],
  })),
  refused('InvalidParameter', 400, 'CreateDisk', 'there is no such parameter', async () => ({
    parameters: { Size: 20, Encryptd: true },
    says: ['CreateDisk', 'Encryptd'],
  })),
  refused('InvalidParameter', 400, 'CreateDisk', 'a size is a long text', async () => ({
    parameters: { Size: 'x'.repeat(100_000) },
    says: ['CreateDisk', 'Size', 'number', 'xxx...'],
    hides: 'x'.repeat(100),
  })),
  refused('InvalidParameter', 400, 'DescribeDisks', 'a token is of another page', async () => ({
    parameters: { NextToken: 'x' },
    says: ['NextToken'],
  })),
  refused('InvalidParameter.Conflict', 400, 'ModifyDiskAttribute', 'two names', async () => ({
    parameters: { DiskId: NO_DISK, DiskIds: [NO_DISK] },
    says: ['DiskId', 'DiskIds', 'both'],
  })),
  refused(
    'InvalidParam.ZoneIdAndInstanceId.Conflict',
    403,
    'CreateDisk',
    'two places',
    async () => ({
      parameters: { Size: 20, ZoneId: 'cn-hangzhou-b', InstanceId: NO_INSTANCE },
      says: ['ZoneId', 'InstanceId', 'both'],
    }),
  ),
];

const NAMES: readonly ErrorCase[] = [
  refused('InvalidDiskName.Malformed', 400, 'CreateDisk', 'one letter is too few', async () => ({
    parameters: { Size: 20, DiskName: 'x' },
    says: ['DiskName', '2 to 128', '"x"'],
  })),
  refused('InvalidDescription.Malformed', 400, 'CreateDisk', 'it is an address', async () => ({
    parameters: { Size: 20, Description: 'http://example.com' },
    says: ['Description', 'http://', '256'],
  })),
];

const BILLING: readonly ErrorCase[] = [
  refused('ChargeTypeViolation', 403, 'ModifyDiskChargeType', 'the instance', async (w) => {
    const InstanceId = await w.instance();
    const DiskId = await w.disk();
    await w.call('AttachDisk', { DiskId, InstanceId });
    return { parameters: { InstanceId, DiskIds: [DiskId] }, says: [DiskId, 'pay-as-you-go'] };
  }),
  refused('ChargeTypeViolation', 403, 'ModifyDiskChargeType', 'a system disk', async (w) => {
    const InstanceId = await w.instance({ InstanceChargeType: 'PrePaid' });
    const DiskId = w.systemDiskOf(InstanceId);
    return { parameters: { InstanceId, DiskIds: [DiskId] }, says: [DiskId, 'system disk'] };
  }),
  refused('DependencyViolation', 403, 'ModifyDiskChargeType', 'not attached', async (w) => {
    const InstanceId = await w.instance({ InstanceChargeType: 'PrePaid' });
    const DiskId = await w.disk();
    return { parameters: { InstanceId, DiskIds: [DiskId] }, says: [DiskId, InstanceId] };
  }),
  refused('ChargeTypeViolation', 403, 'DeleteDisk', 'it is by subscription', async (w) => {
    const DiskId = await w.disk();
    await w.setDisk(DiskId, { chargeType: 'PrePaid' });
    return { parameters: { DiskId }, says: [DiskId, 'subscription'] };
  }),
  refused('ChargeTypeViolation', 403, 'AttachDisk', 'the instance is not', async (w) => {
    const DiskId = await w.disk();
    await w.setDisk(DiskId, { chargeType: 'PrePaid' });
    return { parameters: { DiskId, InstanceId: await w.instance() }, says: [DiskId] };
  }),
  refused('ChargeTypeViolation', 403, 'DeleteInstance', 'it is by subscription', async (w) => {
    const InstanceId = await w.instance({ InstanceChargeType: 'PrePaid' });
    return { parameters: { InstanceId }, says: [InstanceId, 'TerminateSubscription'] };
  }),
];

const NOT_FOUND: readonly ErrorCase[] = [
  refused('InvalidDiskId.NotFound', 404, 'ResizeDisk', 'no disk has the id', async () => ({
    parameters: { DiskId: NO_DISK, NewSize: 40 },
    says: [NO_DISK],
  })),
  refused('InvalidDiskId.NotFound', 404, 'AttachDisk', 'it is no id of a disk', async (w) => ({
    parameters: { DiskId: '../etc/passwd', InstanceId: await w.instance() },
    says: ['../etc/passwd'],
  })),
  refused('InvalidDiskId.NotFound', 404, 'CreateSnapshot', 'it is a snapshot’s id', async (w) => {
    const DiskId = await w.snapshot();
    return { parameters: { DiskId }, says: [DiskId] };
  }),
  refused('InvalidDiskId.NotFound', 404, 'ResetDisk', 'it is another account’s', async (w) => {
    const DiskId = await w.disk();
    const SnapshotId = await w.snapshot(DiskId);
    const by = { accountId: OTHER };
    return { parameters: { DiskId, SnapshotId }, says: [DiskId], by };
  }),
  refused('InvalidDiskId.NotFound', 404, 'CloneDisk', 'it is in another region', async (w) => {
    const SourceDiskId = await w.disk();
    return { parameters: { SourceDiskId, RegionId: ABROAD }, says: [SourceDiskId] };
  }),
  refused('InvalidZoneId.NotFound', 404, 'CreateDisk', 'the region has no such zone', async () => ({
    parameters: { Size: 20, ZoneId: 'cn-beijing-a' },
    says: ['cn-hangzhou', 'cn-beijing-a'],
  })),
  refused('InvalidInstanceId.NotFound', 404, 'CreateDisk', 'there is no instance', async () => ({
    parameters: { Size: 20, InstanceId: NO_INSTANCE },
    says: [NO_INSTANCE],
  })),
  refused('InvalidSnapshotId.NotFound', 404, 'CreateDisk', 'there is no snapshot', async () => ({
    parameters: { SnapshotId: NO_SNAPSHOT },
    says: [NO_SNAPSHOT],
  })),
  refused('InvalidTaskId.NotFound', 404, 'PauseTask', 'there is no task', async () => ({
    parameters: { TaskId: 't-00000000000000000000' },
    says: ['t-00000000000000000000'],
  })),
];

const KINDS_AND_SIZES: readonly ErrorCase[] = [
  refused('InvalidDiskCategory.NotSupported', 400, 'CreateDisk', 'no such category', async () => ({
    parameters: { Size: 20, DiskCategory: 'cloud_magic' },
    says: ['cloud_magic'],
  })),
  refused('InvalidDiskCategory.NotSupported', 400, 'ModifyDiskSpec', 'no way back', async (w) => {
    const DiskId = await w.disk();
    return { parameters: { DiskId, DiskCategory: 'cloud_ssd' }, says: [DiskId, 'cloud_ssd'] };
  }),
  refused('InvalidDiskCategory.NotSupported', 400, 'CloneDisks', 'not of ESSD', async (w) => {
    const SourceDiskId = await w.disk({ DiskCategory: 'cloud_ssd' });
    const parameters = { SourceDiskId, DiskCategory: 'cloud_essd', Size: 20 };
    return { parameters, says: ['cloud_essd', 'cloud_ssd'] };
  }),
  refused('InvalidSize.ValueNotSupported', 400, 'CreateDisk', 'below its kind’s', async () => ({
    parameters: { Size: 19, DiskCategory: 'cloud_ssd' },
    says: ['cloud_ssd', '20', '19'],
  })),
  refused('InvalidSize.ValueNotSupported', 400, 'CreateDisk', 'a negative size', async () => ({
    parameters: { Size: -1 },
    says: ['65536', '-1'],
  })),
  refused('InvalidDiskSize.TooSmall', 403, 'CreateDisk', 'smaller than its source', async (w) => ({
    parameters: { SnapshotId: await w.snapshot(), Size: 10 },
    says: ['20', '10'],
  })),
  refused('InvalidDiskSize.TooSmall', 403, 'ResizeDisk', 'it would not grow', async (w) => {
    const DiskId = await w.disk();
    return { parameters: { DiskId, NewSize: 20 }, says: [DiskId, '20'] };
  }),
  refused('InvalidDiskSize.TooLarge', 403, 'ResizeDisk', 'more than its kind has', async (w) => ({
    parameters: { DiskId: await w.disk(), NewSize: 65_537 },
    says: ['65536', '65537'],
  })),
  refused('InvalidPerformanceLevel.Malformed', 400, 'CreateDisk', 'no such level', async () => ({
    parameters: { Size: 20, DiskCategory: 'cloud_essd', PerformanceLevel: 'PL9' },
    says: ['PL0', 'PL3', 'PL9'],
  })),
  refused('InvalidPerformanceLevel.Malformed', 400, 'CreateDisk', 'no ESSD', async () => ({
    parameters: { Size: 20, DiskCategory: 'cloud_auto', PerformanceLevel: 'PL1' },
    says: ['cloud_auto', 'PL1'],
  })),
  refused('OperationDenied.PerformanceLevelNotMatch', 403, 'CreateDisk', 'too small', async () => ({
    parameters: { Size: 20, DiskCategory: 'cloud_essd', PerformanceLevel: 'PL3' },
    says: ['PL3', '1261', '20'],
  })),
  refused(
    'ProvisionedIopsForDiskCategoryUnsupported',
    400,
    'CreateDisk',
    'no AutoPL',
    async () => ({
      parameters: { Size: 20, DiskCategory: 'cloud_ssd', ProvisionedIops: 100 },
      says: ['ProvisionedIops', 'cloud_ssd'],
    }),
  ),
  refused('InvalidProvisionedIops.LimitExceed', 400, 'CreateDisk', 'over the size’s', async () => ({
    parameters: { Size: 40, DiskCategory: 'cloud_auto', ProvisionedIops: 49_999 },
    says: ['40', '49999'],
  })),
  refused(
    'BurstingEnabledForDiskCategoryUnsupported',
    400,
    'CreateDisk',
    'no AutoPL',
    async () => ({
      parameters: { Size: 20, DiskCategory: 'cloud_ssd', BurstingEnabled: true },
      says: ['BurstingEnabled', 'cloud_ssd'],
    }),
  ),
  refused('InvalidBurstingEnabled.DiskSizeTooSmall', 400, 'CreateDisk', 'too small', async () => ({
    parameters: { Size: 1, DiskCategory: 'cloud_auto', BurstingEnabled: true },
    says: ['GiB', '1'],
  })),
  refused('InvalidEncryptAlgorithm', 400, 'CreateDisk', 'it is not AES-256', async () => ({
    parameters: { Size: 20, Encrypted: true, EncryptAlgorithm: 'ROT13' },
    says: ['AES-256', 'ROT13'],
  })),
  refused('InvalidEncrypted.NotMatchEncryptAlgorithm', 400, 'CreateDisk', 'in plain', async () => ({
    parameters: { Size: 20, EncryptAlgorithm: 'AES-256' },
    says: ['Encrypted=true', 'EncryptAlgorithm'],
  })),
  refused(
    'InvalidOperation.CreateFromSnapshotUnsupported',
    403,
    'CreateDisk',
    'an ephemeral disk is made of nothing',
    async (w) => ({
      parameters: {
        SnapshotId: await w.snapshot(),
        Size: 64,
        DiskCategory: 'elastic_ephemeral_disk_standard',
      },
      says: ['elastic_ephemeral_disk_standard'],
    }),
  ),
];

export const DISK_CASES: readonly ErrorCase[] = [
  ...PARAMETERS,
  ...NAMES,
  ...BILLING,
  ...NOT_FOUND,
  ...KINDS_AND_SIZES,
];
