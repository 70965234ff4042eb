/**
 * DATA: the HTTP status the cloud's API answers an error with. Most codes have one; of a few, some
 * operations have their own.
 *
 * **Source:** ECS "Response results", KMS "Error codes", and the error tables of the operations.
 * Where a table lists a code without a status, it is that of the codes beside it.
 */
import { ERROR_CODES, type ErrorCode } from './errors.ts';

/** A code is in one row at most; of the others, see httpStatusOf(). */
export const STATUS_ROWS: readonly {
  readonly status: number;
  readonly codes: readonly ErrorCode[];
}[] = [
  {
    status: 403,
    codes: [
      'Abs.InvalidAction.RegionNotSupport',
      'AssumeRoleError',
      'ChargeTypeViolation',
      'DataKeyErased',
      'DependencyViolation',
      'DiskTypeViolation',
      'Forbidden.KmsServiceNotEnabled',
      'Forbidden.NoPermission',
      'Forbidden.RAM',
      'ImageIsExporting',
      'ImageUseShared',
      'ImageUsingByInstance',
      'IncorrectDestinationRegion',
      'IncorrectDiskStatus',
      'IncorrectImageStatus',
      'IncorrectInstanceStatus',
      'IncorrectTaskStatus',
      'InstanceDiskLimitExceeded',
      'InvalidDefaultEncryption.NotFound',
      'InvalidDevice.InUse',
      'InvalidDiskSize.TooLarge',
      'InvalidDiskSize.TooSmall',
      'InvalidEncrypted.NotMatchDiskDefaultEncryption',
      'InvalidEncrypted.NotMatchSnapshot',
      'InvalidEncrypted.NotSupportDecrypt',
      'InvalidOperation.CreateFromSnapshotUnsupported',
      'InvalidOperation.DefaultEncryptionAlreadyEnabled',
      'InvalidOperation.DeletionProtection',
      'InvalidOperation.KMSKeyIdNotFound',
      'InvalidOperation.KMSServiceNotOpen',
      'InvalidOperation.NotSupportCopyInSameRegion',
      'InvalidOperation.OtherInstanceUnsupported',
      'InvalidOperation.ServiceKeyEncryptedImageUnsupported',
      'InvalidOperation.UnfinishedEncryptedSnapshotCopy',
      'InvalidParam.ZoneIdAndInstanceId.Conflict',
      'InvalidParameter.DataEncryptedKeyCreateFailed',
      'InvalidParameter.EncryptedNotSupported',
      'InvalidParameter.KMSKeyId.CMKNotEnabled',
      'InvalidParameter.KMSKeyId.KMSUnauthorized',
      'InvalidParameter.Mismatch',
      'InvalidRegion.NotSupport',
      'InvalidSnapshotId.EncryptedNotSupport',
      'InvalidSnapshotId.InUse',
      'InvalidSnapshotId.NotReady',
      'InvalidSourceSnapshot',
      'LastTokenProcessing',
      'NotSupportSnapshotEncrypted.DiskCategory',
      'OperationDeined.EncryptedSnapshot',
      'OperationDeined.FullImage',
      'OperationDenied',
      'OperationDenied.EncryptSnapshotAcrossRegion',
      'OperationDenied.ImageCopying',
      'OperationDenied.PerformanceLevelNotMatch',
      'QuotaExceed.ConcurrentSnapshotQuota',
      'QuotaExceed.PortableCloudDisk',
      'QuotaExceed.PostPaidDisk',
      'QuotaExceed.ShareImage',
      'QuotaExceed.ShareImageUser',
      'QuotaExceed.Snapshot',
      'ResourcesNotInSameZone',
      'SnapshotCreatedDisk',
      'SnapshotCreatedImage',
      'UnsupportedHTTPMethod',
      'UserNotInTheWhiteList',
    ],
  },
  {
    status: 404,
    codes: [
      'Forbidden.AliasNotFound',
      'Forbidden.KeyNotFound',
      'Forbidden.KeyVersionNotFound',
      'InvalidAccessKeyId.NotFound',
      'InvalidAccount.Forbbiden',
      'InvalidAccount.NotFound',
      'InvalidAction.NotFound',
      'InvalidDisk.AlreadyDetached',
      'InvalidDiskId.NotFound',
      'InvalidImageId.NotFound',
      'InvalidInstanceId.NotFound',
      'InvalidKMSKeyId.NotFound',
      'InvalidParameter.KMSKeyId.NotFound',
      'InvalidRegionId.NotFound',
      'InvalidResourceGroup.NotFound',
      'InvalidResourceId.NotFound',
      'InvalidSnapshotId.NotFound',
      'InvalidTaskId.NotFound',
      'InvalidZoneId.NotFound',
      'UnknownVerb',
    ],
  },
  {
    status: 409,
    codes: [
      'InvalidOperation.Conflict',
      'OperationConflict',
      'Rejected.Disabled',
      'Rejected.PendingDeletion',
      'Rejected.PendingImport',
      'Rejected.StateModifiedFailed',
      'Rejected.UnsupportedOperation',
    ],
  },
  { status: 400, codes: ['Throttling'] },
  { status: 413, codes: ['RequestTooLarge'] },
  { status: 429, codes: ['Rejected.Throttling'] },
];

/** Operations that answer a code with another status than the others do. */
export const OPERATION_STATUS_ROWS: readonly {
  readonly code: ErrorCode;
  readonly status: number;
  readonly operations: readonly string[];
}[] = [
  {
    code: 'InvalidParameter.KMSKeyId.NotFound',
    status: 403,
    operations: ['StartInstance', 'CopySnapshot', 'EnableDiskEncryptionByDefault'],
  },
  {
    code: 'InvalidParameter.KMSKeyId.NotFound',
    status: 400,
    operations: ['CreateSnapshot'],
  },
  {
    code: 'InvalidParameter.KMSKeyId.CMKNotEnabled',
    status: 400,
    operations: ['StopInstances', 'ResetDiskDefaultKMSKeyId'],
  },
  {
    code: 'InvalidParameter.KMSKeyId.KMSUnauthorized',
    status: 400,
    operations: ['StopInstances'],
  },
  { code: 'InvalidParameter.KmsNotEnabled', status: 403, operations: ['CopySnapshot'] },
  { code: 'IncorrectInstanceStatus', status: 400, operations: ['AttachDisk'] },
];

const STATUS_BY_FAULT = { caller: 400, transient: 503, system: 500 } as const;
const STATUS_BY_CODE: ReadonlyMap<ErrorCode, number> = new Map(
  STATUS_ROWS.flatMap(({ status, codes }) => codes.map((code) => [code, status] as const)),
);

/**
 * The HTTP status of an error in the cloud's API.
 *
 * @param operation the verb that was refused
 * @returns that of its row; of a code without one, 400, 500 or 503 by whose fault it is
 *
 * @example
 * httpStatusOf('IncorrectInstanceStatus', 'AttachDisk'); // 400; of other verbs 403
 */
export function httpStatusOf(code: ErrorCode, operation: string): number {
  const own = OPERATION_STATUS_ROWS.find(
    (row) => row.code === code && row.operations.includes(operation),
  );
  return own?.status ?? STATUS_BY_CODE.get(code) ?? STATUS_BY_FAULT[ERROR_CODES[code].fault];
}
