/**
 * A refusal as the cloud's API writes it: HTTP status, and a body with Code, Message and RequestId.
 *
 * The code is the plane's, which is the cloud's own; codes of ours that the cloud does not have are
 * written as the nearest it has. The status is a row of STATUSES, else by whose fault it is.
 *
 * **Source:** ECS "Response results", KMS "Error codes", and the error tables of the operations.
 */
import { ERROR_CODES, type ErrorCode, PlaneError } from '../../base/errors.ts';

/** APIs of the cloud that are served. */
export type Service = 'ecs' | 'kms' | 'sts' | 'resourcesharing';

/** DATA: codes of ours -> codes of the cloud. */
const WIRE_CODES: Partial<Record<ErrorCode, ErrorCode>> = {
  UnknownVerb: 'InvalidAction.NotFound',
  InvalidArgument: 'InvalidParameter',
  KmsUnavailable: 'ServiceUnavailable',
  ShardLost: 'ServiceUnavailable',
  PlaneClosed: 'ServiceUnavailable',
  Busy: 'ServiceUnavailable',
};

/** DATA: statuses. A code is in one row; of the others, see statusOf(). */
export const STATUSES: readonly {
  readonly status: number;
  readonly codes: readonly ErrorCode[];
}[] = [
  {
    status: 403,
    codes: [
      'AssumeRoleError',
      'DependencyViolation',
      'DiskTypeViolation',
      'Forbidden.KmsServiceNotEnabled',
      'Forbidden.NoPermission',
      'Forbidden.RAM',
      'ImageUseShared',
      'ImageUsingByInstance',
      'IncorrectDiskStatus',
      'IncorrectInstanceStatus',
      'IncorrectImageStatus',
      'IncorrectTaskStatus',
      'InstanceDiskLimitExceeded',
      'InvalidAccount.Forbbiden',
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
      'InvalidOperation.ServiceKeyEncryptedImageUnsupported',
      'InvalidOperation.UnfinishedEncryptedSnapshotCopy',
      'InvalidParam.ZoneIdAndInstanceId.Conflict',
      'InvalidParameter.EncryptedNotSupported',
      'InvalidParameter.KMSKeyId.CMKNotEnabled',
      'InvalidParameter.KMSKeyId.KMSUnauthorized',
      'InvalidParameter.Mismatch',
      'InvalidRegion.NotSupport',
      'InvalidSnapshotId.EncryptedNotSupport',
      'InvalidSnapshotId.InUse',
      'InvalidSnapshotId.NotReady',
      'InvalidSourceSnapshot',
      'Abs.InvalidAction.RegionNotSupport',
      'LastTokenProcessing',
      'NotSupportSnapshotEncrypted.DiskCategory',
      'OperationDeined.EncryptedSnapshot',
      'OperationDeined.FullImage',
      'OperationDenied',
      'OperationDenied.EncryptSnapshotAcrossRegion',
      'OperationDenied.ImageCopying',
      'OperationDenied.PerformanceLevelNotMatch',
      'QuotaExceed.ShareImage',
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
      'InvalidAccount.NotFound',
      'InvalidAction.NotFound',
      'InvalidDisk.AlreadyDetached',
      'InvalidDiskId.NotFound',
      'InvalidImageId.NotFound',
      'InvalidInstanceId.NotFound',
      'InvalidKMSKeyId.NotFound',
      'InvalidParameter.KMSKeyId.NotFound',
      'InvalidRegionId.NotFound',
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
  { status: 413, codes: ['RequestTooLarge'] },
  { status: 429, codes: ['Rejected.Throttling'] },
  { status: 400, codes: ['Throttling'] },
];

const STATUS_BY_FAULT = { caller: 400, transient: 503, system: 500 } as const;
const STATUS_BY_CODE: ReadonlyMap<ErrorCode, number> = new Map(
  STATUSES.flatMap(({ status, codes }) => codes.map((code) => [code, status] as const)),
);

export function statusOf(code: ErrorCode): number {
  return STATUS_BY_CODE.get(code) ?? STATUS_BY_FAULT[ERROR_CODES[code].fault];
}

export interface WireAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The code of a refusal; empty if it is none. */
  readonly code: string;
}

/** Whose answer it is. */
export interface AnswerOrigin {
  readonly service: Service;
  readonly regionId: string;
  readonly requestId: string;
}

const PRODUCTS: Readonly<Record<Service, string>> = {
  ecs: 'Ecs',
  kms: 'Kms',
  sts: 'Sts',
  resourcesharing: 'ResourceSharing',
};

/** @param error anything but a PlaneError is a bug: its text is not shown */
export function wireRefusal(error: unknown, origin: AnswerOrigin): WireAnswer {
  const known = error instanceof PlaneError ? error.toRecord() : null;
  const planeCode = known?.code ?? 'InternalError';
  const code = WIRE_CODES[planeCode] ?? planeCode;
  const status = statusOf(code);
  const message = known?.message ?? 'The request processing has failed due to some unknown error.';
  return { status, code, body: bodyOf(code, message, status, origin) };
}

function bodyOf(
  code: string,
  message: string,
  status: number,
  { service, regionId, requestId }: AnswerOrigin,
): Record<string, unknown> {
  if (service === 'kms') {
    return { HttpStatus: status, Code: code, Message: message, RequestId: requestId };
  }
  return {
    RequestId: requestId,
    HostId: `${service}.${regionId}.aliyuncs.com`,
    Code: code,
    Message: message,
    Recommend: `https://next.api.aliyun.com/troubleshoot?q=${code}&product=${PRODUCTS[service]}`,
  };
}
