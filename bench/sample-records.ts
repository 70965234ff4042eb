/** Records of a plain disk and of a snapshot, for benchmarks and tests to change what matters. */
import { GIB } from '../src/base/units.ts';
import type { DiskRecord, SnapshotRecord } from '../src/record/resource.ts';

const common = {
  accountId: '1234567890123456',
  regionId: 'cn-hangzhou',
  name: '',
  description: '',
  tags: {},
  sizeBytes: GIB,
  encryption: null,
  shardIndex: 0,
  createdAt: 1_750_000_000_000,
};

/** A data disk that was never attached. */
export function sampleDisk(diskId: string): DiskRecord {
  return {
    ...common,
    diskId,
    status: 'Available',
    layers: [{ tree: diskId, encryption: null }],
    zoneId: 'cn-hangzhou-a',
    category: 'cloud_essd',
    performanceLevel: 'PL1',
    provisionedIops: 0,
    burstingEnabled: false,
    type: 'data',
    imageId: null,
    instanceId: null,
    device: '',
    deleteWithInstance: false,
    deleteAutoSnapshot: false,
    enableAutoSnapshot: false,
    attachedAt: null,
    detachedAt: null,
    sourceSnapshotId: null,
  };
}

/** Complete, of a data disk in the same region. */
export function sampleSnapshot(snapshotId: string, sourceDiskId: string): SnapshotRecord {
  return {
    ...common,
    snapshotId,
    sourceDiskId,
    status: 'accomplished',
    layers: [{ tree: snapshotId, encryption: null }],
    sourceDiskType: 'data',
    sourceSnapshotId: null,
    sourceRegionId: null,
    retentionDays: 0,
  };
}
