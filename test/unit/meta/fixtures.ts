/** Records and ids for tests of the metadata service. */
import { sampleDisk, sampleSnapshot } from '../../../bench/sample-records.ts';
import type { LineageEntry, LineageSubject, Metadata } from '../../../src/meta/metadata.ts';
import type { ImageRecord, InstanceRecord, ShareRecord } from '../../../src/record/document.ts';
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
    ...sampleDisk(id),
    layers: [{ tree: id, encryption: fields.encryption ?? null }],
    ...fields,
  };
}

export function snapshot(
  id: string,
  sourceDiskId: string,
  fields: Partial<SnapshotRecord> = {},
): SnapshotRecord {
  return {
    ...sampleSnapshot(id, sourceDiskId),
    layers: [{ tree: id, encryption: fields.encryption ?? null }],
    ...fields,
  };
}

/** What tests compare of a lineage entry. */
export interface LineageLine {
  readonly id: string;
  readonly kind: string;
  readonly from: readonly string[];
  readonly keyId: string;
}

/** Every page of a lineage: of a resource, or of what a master key protects. */
export function lineageOf(metadata: Metadata, id: string, pageEntries = 100): LineageLine[] {
  const subject: LineageSubject = id.startsWith('key-')
    ? { kind: 'key', keyId: id }
    : { kind: 'resource', id };
  return pagesOf(metadata, subject, pageEntries).map(lineOf);
}

export function pagesOf(
  metadata: Metadata,
  subject: LineageSubject,
  limit: number,
  accountId: string | null = null,
): LineageEntry[] {
  const entries: LineageEntry[] = [];
  let page = metadata.lineagePage({ subject, accountId, cursor: null, limit });
  for (;;) {
    if (page.entries.length > limit) throw new Error(`a page of ${page.entries.length}`);
    entries.push(...page.entries);
    if (page.cursor === null) return entries;
    page = metadata.lineagePage({ subject, accountId, cursor: page.cursor, limit });
  }
}

function lineOf({ id, kind, from, keys }: LineageEntry): LineageLine {
  return { id, kind, from, keyId: keys[0]?.keyId ?? '' };
}

export function image(
  imageId: string,
  snapshotIds: readonly string[],
  fields: Partial<ImageRecord> = {},
): ImageRecord {
  return {
    ...scope,
    imageId,
    name: '',
    description: '',
    tags: {},
    family: '',
    status: 'Available',
    devices: snapshotIds.map((each, index) => ({
      device: `/dev/xvd${'abc'[index]}`,
      type: index === 0 ? 'system' : 'data',
      sizeBytes: 2 ** 30,
      snapshotId: each,
    })),
    sourceInstanceId: null,
    sourceImageId: null,
    sourceRegionId: null,
    platform: 'Linux',
    osType: 'linux',
    architecture: 'x86_64',
    sharedWith: [],
    isPublic: false,
    createdAt: 1_750_000_000_000,
    ...fields,
  };
}

export function instance(
  instanceId: string,
  imageId: string,
  fields: Partial<InstanceRecord> = {},
): InstanceRecord {
  return {
    ...scope,
    instanceId,
    name: '',
    description: '',
    tags: {},
    zoneId: 'cn-hangzhou-a',
    instanceType: 'ecs.g7.large',
    imageId,
    status: 'Stopped',
    hostName: '',
    deletionProtection: false,
    startedAt: null,
    createdAt: 1_750_000_000_000,
    ...fields,
  };
}

export function share(
  snapshotIdSeen: string,
  sourceSnapshotId: string,
  accountId: string,
): ShareRecord {
  const { accountId: ownerAccountId, regionId } = scope;
  const sharedAt = 1_750_000_000_000;
  return {
    snapshotId: snapshotIdSeen,
    sourceSnapshotId,
    ownerAccountId,
    accountId,
    regionId,
    sharedAt,
  };
}
