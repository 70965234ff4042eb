/** CreateDisk: categories, sizes, levels, where it is, and every way it is refused. */
import { describe, expect, it } from 'vitest';
import { PERFORMANCE_LEVELS, SIZE_RULES } from '../../../../src/control/disks/category-rules.ts';
import { DISK_CATEGORIES } from '../../../../src/control/encryption/categories.ts';
import { PERFORMANCE } from '../../../../src/performance/figures.ts';
import { NEW_INSTANCE, testCaller } from '../../../support/control-caller.ts';

const levelsOf = (category: string): readonly string[] =>
  category === 'cloud_essd' ? PERFORMANCE_LEVELS : [''];
const kinds = DISK_CATEGORIES.flatMap((category) =>
  levelsOf(category).map((level) => [category, level] as const),
);

describe('the tables of categories', () => {
  it.each(kinds)(
    'have one row of sizes for each use, and one of performance, of %s %s',
    (...kind) => {
      const [category, level] = kind;
      const isIt = (row: { category: string; performanceLevel: string }) =>
        row.category === category && row.performanceLevel === level;
      for (const type of ['system', 'data']) {
        const rows = SIZE_RULES.filter((row) => isIt(row) && row.type === type);
        expect(rows.length).toBe(1);
        expect(rows[0]?.because.length).toBeGreaterThan(10);
        const sizes = rows[0]?.sizes;
        if (sizes != null) expect(sizes.min).toBeLessThan(sizes.max);
      }
      expect(PERFORMANCE.filter(isIt).length).toBe(1);
    },
  );

  it('have no row of anything else', () => {
    expect(SIZE_RULES.length).toBe(2 * kinds.length);
    expect(PERFORMANCE.length).toBe(kinds.length);
  });
});

describe('CreateDisk', () => {
  it.each([
    [{}, 'MissingParameter'],
    [{ Size: 4, DiskCategory: 'cloud' }, 'InvalidSize.ValueNotSupported'],
    [{ Size: 2_001, DiskCategory: 'cloud' }, 'InvalidSize.ValueNotSupported'],
    [{ Size: 19, DiskCategory: 'cloud_essd' }, 'OperationDenied.PerformanceLevelNotMatch'],
    [{ Size: 460, PerformanceLevel: 'PL2' }, 'OperationDenied.PerformanceLevelNotMatch'],
    [{ Size: 1_260, PerformanceLevel: 'PL3' }, 'OperationDenied.PerformanceLevelNotMatch'],
    [{ Size: 65_537, PerformanceLevel: 'PL0' }, 'InvalidSize.ValueNotSupported'],
    [{ Size: 20, PerformanceLevel: 'PL4' }, 'InvalidPerformanceLevel.Malformed'],
    [
      { Size: 20, DiskCategory: 'cloud_ssd', PerformanceLevel: 'PL1' },
      'InvalidPerformanceLevel.Malformed',
    ],
    [{ Size: 20, DiskCategory: 'cloud_tape' }, 'InvalidDiskCategory.NotSupported'],
    [{ Size: 20, DiskCategory: 'ephemeral_ssd' }, 'InvalidDiskCategory.NotSupported'],
    [
      { Size: 20, DiskCategory: 'cloud_essd', ProvisionedIops: 1 },
      'ProvisionedIopsForDiskCategoryUnsupported',
    ],
    [{ Size: 3, ProvisionedIops: 1 }, 'InvalidProvisionedIops.LimitExceed'],
    [{ Size: 1_000, ProvisionedIops: 50_001 }, 'InvalidProvisionedIops.LimitExceed'],
    [
      { Size: 20, DiskCategory: 'cloud_ssd', BurstingEnabled: true },
      'BurstingEnabledForDiskCategoryUnsupported',
    ],
    [{ Size: 3, BurstingEnabled: true }, 'InvalidBurstingEnabled.DiskSizeTooSmall'],
    [{ Size: 1, Encrypted: true, EncryptAlgorithm: 'sm4-128' }, 'InvalidEncryptAlgorithm'],
    [{ Size: 1, EncryptAlgorithm: 'AES-256' }, 'InvalidEncrypted.NotMatchEncryptAlgorithm'],
    [{ Size: 1, MultiAttach: 'Enabled' }, 'InvalidParameter'],
    [{ Size: 1, ZoneId: 'cn-hangzhou-z' }, 'InvalidZoneId.NotFound'],
    [{ Size: 1, InstanceId: 'i-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidInstanceId.NotFound'],
    [
      { Size: 1, InstanceId: 'i-1', ZoneId: 'cn-hangzhou-a' },
      'InvalidParam.ZoneIdAndInstanceId.Conflict',
    ],
    [{ Size: 1, Tag: [{ Key: 'a' }, { Key: 'a' }] }, 'Duplicate.TagKey'],
    [{ Size: 1, Tag: [{ Key: 'acs:x' }] }, 'InvalidTagKey.Malformed'],
    [
      { Size: 64, DiskCategory: 'elastic_ephemeral_disk_standard', Encrypted: true },
      'InvalidParameter.EncryptedNotSupported',
    ],
    [{ Size: 1, RegionId: 'cn-nanjing', Encrypted: true }, 'InvalidRegion.NotSupport'],
    [{ Size: 1, DryRun: true }, 'DryRunOperation'],
  ])('with %j is refused with %s, and changes nothing', async (parameters, code) => {
    const { control, call, refused } = await testCaller();
    expect(await refused('CreateDisk', parameters)).toBe(code);
    expect(control.told).toEqual([]);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(0);
  });

  it('takes what it is told, and DescribeDisks tells it', async () => {
    const { call } = await testCaller();
    const { DiskId } = await call('CreateDisk', {
      Size: 40,
      DiskName: 'name',
      Description: 'what it is for',
      DiskCategory: 'cloud_auto',
      ProvisionedIops: 1_000,
      BurstingEnabled: true,
      Encrypted: true,
      EncryptAlgorithm: 'aes-256',
      ZoneId: 'cn-hangzhou-g',
      MultiAttach: 'Disabled',
      Tag: [{ Key: 'env', Value: 'test' }, { Key: 'empty' }],
    });
    const { Disks } = await call('DescribeDisks', { DiskIds: [DiskId] });
    expect(Disks).toMatchObject([
      {
        DiskName: 'name',
        Description: 'what it is for',
        Category: 'cloud_auto',
        ProvisionedIops: 1_000,
        BurstingEnabled: true,
        Encrypted: true,
        ZoneId: 'cn-hangzhou-g',
        IOPS: 4_800,
        Throughput: 155,
        Tags: [
          { TagKey: 'env', TagValue: 'test' },
          { TagKey: 'empty', TagValue: '' },
        ],
      },
    ]);
  });

  it('attaches the disk at once to an instance that is named, or makes none', async () => {
    const { control, call, refused } = await testCaller();
    const { InstanceIdSets } = await call('RunInstances', NEW_INSTANCE);
    const InstanceId = String(InstanceIdSets[0]);
    const { DiskId } = await call('CreateDisk', { Size: 1, InstanceId });
    const described = await call('DescribeDisks', { DiskIds: [DiskId] });
    expect(described.Disks[0]).toMatchObject({ Status: 'In_use', Device: '/dev/xvdb', InstanceId });
    expect(control.held.has(DiskId)).toBe(true);
    control.failNext('openVolume');
    expect(await refused('CreateDisk', { Size: 1, InstanceId })).toBe('ShardLost');
    expect((await call('DescribeDisks', { InstanceId })).TotalCount).toBe(2);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(2);
  });

  it('keeps a source’s layers under its key, and puts one on top under another', async () => {
    const { control, call, refused } = await testCaller();
    const { DiskId } = await call('CreateDisk', { Size: 2, Encrypted: true });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    const KMSKeyId = (await call('CreateKey', {})).KeyMetadata.KeyId;
    const same = await call('CreateDisk', { SnapshotId });
    const other = await call('CreateDisk', { SnapshotId, Encrypted: true, KMSKeyId });
    const layers = (id: string) => control.context.metadata.getDisk(id)?.layers ?? [];
    expect(layers(same.DiskId).map(({ encryption }) => encryption)).toEqual(
      layers(DiskId).map(({ encryption }) => encryption),
    );
    const [top, below] = layers(other.DiskId);
    expect([top?.encryption?.keyId, below?.encryption]).toEqual([
      KMSKeyId,
      layers(DiskId)[0]?.encryption,
    ]);
    expect(control.reencrypted).toEqual([other.DiskId]);
    const old = { SnapshotId, DiskCategory: 'cloud_ssd', Size: 20 };
    expect(await refused('CreateDisk', old)).toBe('NotSupportSnapshotEncrypted.DiskCategory');
    await call('DisableKey', { KeyId: KMSKeyId });
    const disabled = { SnapshotId, Encrypted: true, KMSKeyId };
    expect(await refused('CreateDisk', disabled)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
  });

  it('follows the default encryption of the account in the region', async () => {
    const { call, refused } = await testCaller();
    const keyOf = async (DiskId: string) =>
      (await call('DescribeDisks', { DiskIds: [DiskId] })).Disks[0]?.KMSKeyId;
    await call('EnableDiskEncryptionByDefault', {});
    const service = (await call('DescribeKey', { KeyId: 'alias/acs/ecs' })).KeyMetadata.KeyId;
    expect(await keyOf((await call('CreateDisk', { Size: 1 })).DiskId)).toBe(service);
    const KMSKeyId = (await call('CreateKey', {})).KeyMetadata.KeyId;
    await call('ModifyDiskDefaultKMSKeyId', { KMSKeyId });
    expect(await keyOf((await call('CreateDisk', { Size: 1 })).DiskId)).toBe(KMSKeyId);
    const plain = { Size: 1, Encrypted: false };
    expect(await refused('CreateDisk', plain)).toBe(
      'InvalidEncrypted.NotMatchDiskDefaultEncryption',
    );
  });
});
