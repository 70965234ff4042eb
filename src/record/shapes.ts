/**
 * Every kind of record that is stored, with its number on the disk and its shape.
 *
 * The number of a kind is for ever. A change of a shape is a new version of the record format, see
 * codec.ts. Shapes are strict: a field too many is damage, like one too few.
 */
import * as v from 'valibot';
import { KEY_VERSIONS_MAX, SHARDS_MAX, WRAPS_PER_VERSION_MAX } from '../limits.ts';
import {
  chargeType,
  DOCUMENT_NUMBERS,
  DOCUMENT_SHAPES,
  type DocumentRecords,
  ownedShape,
} from './document-shapes.ts';
import { isDiskId, isKeyId, isLineageId, isScopeId, isSnapshotId } from './ids.ts';
import { type AliasDescription, ASYMMETRIC_SPECS, type KeyDescription } from './kms-key.ts';
import type { TombstoneRecord } from './lineage.ts';
import type { DiskRecord, SnapshotRecord } from './resource.ts';
import { compileShape, type ShapeCheck } from './shape-check.ts';
import type {
  ImportedMaterialRecord,
  ImportParametersRecord,
  KeyVersionRecord,
  KmsAccountRecord,
  VaultCheckRecord,
} from './vault-record.ts';

export interface Records extends DocumentRecords {
  disk: DiskRecord;
  snapshot: SnapshotRecord;
  tombstone: TombstoneRecord;
  counter: { readonly count: number };
  vaultCheck: VaultCheckRecord;
  masterKey: KeyDescription;
  keyVersion: KeyVersionRecord;
  keyAlias: AliasDescription;
  importedMaterial: ImportedMaterialRecord;
  importParameters: ImportParametersRecord;
  /** Travels, is not stored. */
  importToken: ImportParametersRecord;
  kmsAccount: KmsAccountRecord;
}

export type RecordKind = keyof Records;

export const KIND_NUMBERS: { readonly [K in RecordKind]: number } = {
  disk: 2,
  snapshot: 3,
  tombstone: 4,
  counter: 5,
  vaultCheck: 16,
  masterKey: 17,
  keyVersion: 18,
  keyAlias: 19,
  importedMaterial: 20,
  importParameters: 21,
  importToken: 22,
  kmsAccount: 23,
  ...DOCUMENT_NUMBERS,
};

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const diskId = v.pipe(v.string(), v.check(isDiskId));
const snapshotId = v.pipe(v.string(), v.check(isSnapshotId));
const resourceId = v.union([diskId, snapshotId]);
const keyId = v.pipe(v.string(), v.check(isKeyId));
const scopeId = v.pipe(v.string(), v.check(isScopeId));
const shardIndex = v.pipe(count, v.maxValue(SHARDS_MAX - 1));

const time = v.nullable(count);

const encryption = v.nullable(
  v.strictObject({
    keyId,
    wrappedKey: v.instance(Uint8Array),
    accountId: scopeId,
    regionId: scopeId,
    lineageId: resourceId,
    erasedAt: v.exactOptional(count),
  }),
);
const treeName = v.pipe(v.string(), v.regex(/^[a-z]-[a-z0-9]{20}(\.[0-9]{1,9})?$/));
const diskType = v.picklist(['system', 'data']);

const question = v.strictObject({
  ruleSet: v.string(),
  resource: v.string(),
  action: v.string(),
  source: v.string(),
  encrypted: v.string(),
  default: v.boolean(),
  key: v.boolean(),
  isSourceKey: v.boolean(),
  category: v.string(),
  use: v.string(),
});

const resource = {
  ...ownedShape,
  sizeBytes: positive,
  encryption,
  question: v.exactOptional(question),
  layers: v.pipe(v.array(v.strictObject({ tree: treeName, encryption })), v.minLength(1)),
  shardIndex,
};

const keyScope = { accountId: scopeId, regionId: scopeId };
const wrapsReserved = v.pipe(count, v.maxValue(WRAPS_PER_VERSION_MAX));
const importParameters = v.strictObject({
  ...keyScope,
  keyId,
  tokenId: v.string(),
  wrappingAlgorithm: v.picklist(['RSAES_OAEP_SHA_256', 'RSAES_OAEP_SHA_1', 'RSAES_PKCS1_V1_5']),
  expiresAt: count,
});

/** The shape of each kind, as decodeRecord() demands it. */
export const SHAPES: { readonly [K in RecordKind]: v.GenericSchema<unknown, Records[K]> } = {
  ...DOCUMENT_SHAPES,
  disk: v.strictObject({
    ...resource,
    diskId,
    zoneId: v.string(),
    category: v.string(),
    performanceLevel: v.string(),
    provisionedIops: count,
    burstingEnabled: v.boolean(),
    type: diskType,
    status: v.picklist([
      'Creating',
      'Available',
      'Attaching',
      'In_use',
      'Detaching',
      'ReIniting',
      'Deleting',
    ]),
    sourceSnapshotId: v.nullable(snapshotId),
    imageId: v.nullable(v.string()),
    instanceId: v.nullable(v.string()),
    systemOf: v.exactOptional(v.string()),
    ephemeralOf: v.exactOptional(v.string()),
    device: v.string(),
    deleteWithInstance: v.boolean(),
    deleteAutoSnapshot: v.boolean(),
    enableAutoSnapshot: v.boolean(),
    chargeType: v.exactOptional(chargeType),
    attachedAt: time,
    detachedAt: time,
  }),
  snapshot: v.strictObject({
    ...resource,
    snapshotId,
    sourceDiskId: diskId,
    sourceDiskType: diskType,
    sourceSnapshotId: v.nullable(snapshotId),
    sourceRegionId: v.nullable(scopeId),
    status: v.picklist(['progressing', 'accomplished', 'failed']),
    retentionDays: count,
    lock: v.exactOptional(
      v.strictObject({ lockedAt: count, coolOffEndsAt: count, expiresAt: count }),
    ),
  }),
  tombstone: v.strictObject({
    id: v.pipe(v.string(), v.check(isLineageId)),
    kind: v.picklist(['disk', 'snapshot', 'share', 'image', 'instance']),
    accountId: scopeId,
    regionId: scopeId,
    name: v.string(),
    createdAt: count,
    deletedAt: count,
    keys: v.array(v.nullable(v.strictObject({ keyId, version: count, lineageId: resourceId }))),
  }),
  counter: v.strictObject({ count }),
  vaultCheck: v.strictObject({ createdAt: count }),
  masterKey: v.strictObject({
    ...keyScope,
    keyId,
    state: v.picklist(['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport']),
    origin: v.picklist(['Aliyun_KMS', 'EXTERNAL']),
    asymmetricSpec: v.exactOptional(v.picklist(ASYMMETRIC_SPECS)),
    protectionLevel: v.picklist(['SOFTWARE', 'HSM']),
    isServiceKey: v.boolean(),
    description: v.string(),
    primaryVersion: v.pipe(positive, v.maxValue(KEY_VERSIONS_MAX)),
    createdAt: count,
    deletionAt: v.nullable(count),
    hasMaterial: v.boolean(),
    materialExpiresAt: v.nullable(count),
    lastRotationAt: count,
    rotationIntervalMs: v.nullable(positive),
    isDeletionProtected: v.boolean(),
    policy: v.exactOptional(v.string()),
    deletionProtectionDescription: v.string(),
    tags: v.array(v.strictObject({ key: v.string(), value: v.string() })),
  }),
  keyVersion: v.strictObject({
    ...keyScope,
    keyId,
    version: v.pipe(positive, v.maxValue(KEY_VERSIONS_MAX)),
    createdAt: count,
    wrapsReserved,
  }),
  keyAlias: v.strictObject({ ...keyScope, aliasName: v.string(), keyId }),
  importedMaterial: v.strictObject({
    ...keyScope,
    keyId,
    fingerprint: v.instance(Uint8Array),
    wrapsReserved,
  }),
  importParameters,
  importToken: importParameters,
  kmsAccount: v.strictObject({
    ...keyScope,
    status: v.picklist(['Enabled', 'NotEnabled', 'Index', 'Suspended']),
  }),
};

/** What says yes to nearly all that is read; its no is valibot's to judge. */
const CHECKS: Readonly<Record<RecordKind, ShapeCheck | null>> = Object.fromEntries(
  Object.entries(SHAPES).map(([kind, shape]) => [kind, compileShape(shape)]),
) as Record<RecordKind, ShapeCheck | null>;

/** @returns why the value has not the shape of its kind, by field; null if it has */
export function shapeProblem(kind: RecordKind, value: unknown): string | null {
  if (CHECKS[kind]?.(value) === true) return null;
  const checked = v.safeParse<v.GenericSchema<unknown, unknown>>(SHAPES[kind], value);
  if (checked.success) return null;
  const [issue] = checked.issues;
  const field = v.getDotPath(issue) ?? 'the record';
  return `${field} is not ${issue.expected ?? 'as it must be'}`;
}
