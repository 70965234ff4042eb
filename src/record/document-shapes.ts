/** The kinds of document records: number on the disk, and shape. See shapes.ts. */
import * as v from 'valibot';
import type {
  AccountRecord,
  AuditRecord,
  ImageRecord,
  InstanceRecord,
  RegionRecord,
  ShareRecord,
  TaskRecord,
  TokenRecord,
  UsageRecord,
} from './document.ts';
import {
  isDiskId,
  isExportDestination,
  isImageId,
  isKeyId,
  isScopeId,
  isSnapshotId,
} from './ids.ts';

export interface DocumentRecords {
  account: AccountRecord;
  region: RegionRecord;
  image: ImageRecord;
  instance: InstanceRecord;
  share: ShareRecord;
  task: TaskRecord;
  token: TokenRecord;
  audit: AuditRecord;
  usage: UsageRecord;
}

export type DocumentKind = keyof DocumentRecords;

export const DOCUMENT_NUMBERS: { readonly [K in DocumentKind]: number } = {
  account: 32,
  region: 33,
  image: 34,
  instance: 35,
  share: 36,
  task: 37,
  token: 38,
  audit: 39,
  usage: 40,
};

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.nullable(count);
const scopeId = v.pipe(v.string(), v.check(isScopeId));
const snapshotId = v.pipe(v.string(), v.check(isSnapshotId));
const taskResourceId = v.union([
  v.pipe(v.string(), v.check(isDiskId)),
  snapshotId,
  v.pipe(v.string(), v.check(isImageId)),
]);
const destination = v.exactOptional(v.pipe(v.string(), v.check(isExportDestination)));

export const chargeType = v.picklist(['PrePaid', 'PostPaid']);

/** Fields of OwnedRecord. */
export const ownedShape = {
  accountId: scopeId,
  regionId: scopeId,
  name: v.string(),
  description: v.string(),
  tags: v.record(v.string(), v.string()),
  resourceGroupId: v.exactOptional(v.string()),
  createdAt: count,
};

export const DOCUMENT_SHAPES: {
  readonly [K in DocumentKind]: v.GenericSchema<unknown, DocumentRecords[K]>;
} = {
  account: v.strictObject({
    accountId: scopeId,
    name: v.string(),
    users: v.array(v.strictObject({ name: v.string(), policies: v.array(v.string()) })),
    roles: v.array(v.string()),
    isDefaultEncryptionGranted: v.boolean(),
    createdAt: count,
  }),
  region: v.strictObject({
    accountId: scopeId,
    regionId: scopeId,
    isDefaultEncryptionOn: v.boolean(),
    defaultKeyId: v.nullable(v.string()),
  }),
  image: v.strictObject({
    ...ownedShape,
    imageId: v.string(),
    family: v.string(),
    status: v.picklist([
      'Creating',
      'Waiting',
      'Available',
      'UnAvailable',
      'CreateFailed',
      'Deprecated',
    ]),
    devices: v.array(
      v.strictObject({
        device: v.string(),
        type: v.picklist(['system', 'data']),
        sizeBytes: count,
        snapshotId: v.nullable(snapshotId),
      }),
    ),
    sourceInstanceId: v.nullable(v.string()),
    sourceImageId: v.nullable(v.string()),
    sourceRegionId: v.nullable(scopeId),
    platform: v.string(),
    osType: v.string(),
    architecture: v.string(),
    sharedWith: v.array(scopeId),
    isPublic: v.boolean(),
  }),
  instance: v.strictObject({
    ...ownedShape,
    instanceId: v.string(),
    zoneId: v.string(),
    instanceType: v.string(),
    imageId: v.string(),
    status: v.picklist(['Pending', 'Stopped', 'Starting', 'Running', 'Stopping']),
    hostName: v.string(),
    deletionProtection: v.boolean(),
    chargeType: v.exactOptional(chargeType),
    startedAt: time,
  }),
  share: v.strictObject({
    snapshotId,
    sourceSnapshotId: snapshotId,
    ownerAccountId: scopeId,
    accountId: scopeId,
    regionId: scopeId,
    sharedAt: count,
  }),
  task: v.strictObject({
    taskId: v.string(),
    groupId: v.string(),
    accountId: scopeId,
    regionId: scopeId,
    action: v.string(),
    resourceId: taskResourceId,
    destination,
    state: v.picklist(['running', 'paused', 'finished', 'cancelled', 'failed']),
    code: v.string(),
    doneSectors: count,
    totalSectors: count,
    bytesPerSecond: count,
    createdAt: count,
    finishedAt: time,
  }),
  token: v.strictObject({
    accountId: scopeId,
    token: v.string(),
    verb: v.string(),
    parametersHash: v.string(),
    result: v.string(),
    created: v.array(v.string()),
    createdAt: count,
  }),
  audit: v.strictObject({
    sequence: v.pipe(count, v.minValue(1)),
    at: count,
    accountId: scopeId,
    regionId: scopeId,
    principal: v.string(),
    action: v.string(),
    resourceIds: v.array(v.string()),
    keyId: v.string(),
    keyVersion: count,
    outcome: v.string(),
    reason: v.string(),
  }),
  usage: v.strictObject({
    accountId: scopeId,
    regionId: scopeId,
    month: v.pipe(v.string(), v.regex(/^[0-9]{4}-[0-9]{2}$/)),
    keyId: v.pipe(v.string(), v.check(isKeyId)),
    operation: v.pipe(v.string(), v.regex(/^[A-Za-z]{1,64}$/)),
    calls: v.pipe(count, v.minValue(1)),
  }),
};
