/** Records and ids for tests of the metadata service. */
import type { DiskRecord, EncryptionRecord, SnapshotRecord } from '../../../src/record/resource.ts';

const scope = { accountId: '1234567890123456', regionId: 'cn-hangzhou' };

/** Ids in ascending order of their numbers. */
export const diskId = (number: number): string => `d-${String(number).padStart(20, '0')}`;
export const snapshotId = (number: number): string => `s-${String(number).padStart(20, '0')}`;
export const keyId = (number: number): string => `key-${String(number).padStart(20, '0')}`;

export function encryption(key: number, lineageId: string): EncryptionRecord {
  const wrappedKey = Uint8Array.from({ length: 4 }, (_, index) => index + key);
  return { keyId: keyId(key), wrappedKey, ...scope, lineageId };
}

export function disk(id: string, fields: Partial<DiskRecord> = {}): DiskRecord {
  return {
    ...scope,
    diskId: id,
    name: '',
    description: '',
    tags: {},
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
    sizeBytes: 2 ** 30,
    status: 'Available',
    encryption: null,
    layers: [{ tree: id, encryption: fields.encryption ?? null }],
    sourceSnapshotId: null,
    shardIndex: 0,
    createdAt: 1_750_000_000_000,
    ...fields,
  };
}

export function snapshot(
  id: string,
  sourceDiskId: string,
  fields: Partial<SnapshotRecord> = {},
): SnapshotRecord {
  return {
    ...scope,
    snapshotId: id,
    name: '',
    description: '',
    tags: {},
    sourceDiskId,
    sourceDiskType: 'data',
    sourceSnapshotId: null,
    sourceRegionId: null,
    retentionDays: 0,
    sizeBytes: 2 ** 30,
    status: 'accomplished',
    encryption: null,
    layers: [{ tree: id, encryption: fields.encryption ?? null }],
    shardIndex: 0,
    createdAt: 1_750_000_000_000,
    ...fields,
  };
}
