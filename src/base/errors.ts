/**
 * Operating errors: the closed table of codes and the one class that carries them.
 *
 * A code is stable API, a message is not. Codes of the control plane are the cloud's own (ECS and
 * KMS API error codes); codes of the data plane are ours. Across threads an error travels as data
 * (ErrorRecord), because class identity does not survive a message.
 */

/** Who has to act: the caller, the operator of the machine, or nobody but time. */
export type Fault = 'caller' | 'system' | 'transient';

interface CodeRow {
  readonly meaning: string;
  readonly fault: Fault;
  /** True if the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
}

function row(fault: Fault, retryable: boolean, meaning: string): CodeRow {
  return { meaning, fault, retryable };
}

/** Every code sealdisk can answer with. */
export const ERROR_CODES = {
  // Data plane.
  OutOfRange: row('caller', false, 'offset or length is outside the disk'),
  InvalidArgument: row('caller', false, 'an argument has the wrong type, shape or size'),
  RequestTooLarge: row('caller', false, 'one request is longer than a disk accepts'),
  DiskClosed: row('caller', false, 'the disk is detached or its handle closed'),
  PlaneClosed: row('caller', false, 'the plane is closed'),
  Busy: row('transient', true, 'a bounded queue is full'),
  ChecksumMismatch: row('system', false, 'stored ciphertext is not what was written'),
  NoSpace: row('system', true, 'the memory limit or the file system is full'),
  StoreFailed: row('system', false, 'a write or fsync of the store failed; it accepts no more'),
  ExportFailed: row('system', false, 'an exported image could not be written'),
  ReadFailed: row('system', true, 'the file system could not read stored ciphertext'),
  ShardLost: row('transient', true, 'the shard ended while the request was in flight'),
  DataLost: row('system', false, 'the memory that held the disk was lost with its shard'),
  KmsUnavailable: row('transient', true, 'the KMS thread did not answer'),
  DataDirectoryLocked: row('caller', true, 'another process has the data directory open'),
  DataDirectoryForeign: row('caller', false, 'the directory is not a sealdisk data directory'),
  DataDirectoryCorrupt: row('system', false, 'a file of the data directory is damaged'),
  DataDirectoryVersion: row('caller', false, 'the data directory has another format version'),
  DataDirectoryUnusable: row('caller', true, 'the data directory cannot be made, read or written'),
  RootKeyInvalid: row('caller', false, 'the root key does not open this vault'),
  WrappedKeyInvalid: row('system', false, 'a wrapped data key does not authenticate'),
  CipherUnavailable: row('system', false, 'no sector cipher engine passes its known answers'),
  DebuggerOpen: row('caller', true, 'a debugger could read the data keys of the process'),
  // Load generator.
  JobFileInvalid: row('caller', false, 'a job file cannot be run as written'),
  TraceInvalid: row('caller', false, 'a block trace line cannot be parsed'),
  RateNotHeld: row('system', false, 'a job made less than its rate_min'),
  LatencyExceeded: row('system', false, 'a request took longer than max_latency'),
  VerifyMismatch: row('system', false, 'a read did not return what was last written'),
  // Control plane: ECS API.
  DryRunOperation: row('caller', false, 'all is well, but DryRun asked to change nothing'),
  'DRYRUN.SUCCESS': row('caller', false, 'all is well, but DryRun asked to stop nothing'),
  UnknownVerb: row('caller', false, 'no such operation'),
  MissingParameter: row('caller', false, 'a required parameter is missing'),
  InvalidParameter: row('caller', false, 'a parameter has a value that is not allowed'),
  'InvalidDiskId.NotFound': row('caller', false, 'the disk does not exist'),
  'InvalidSnapshotId.NotFound': row('caller', false, 'the snapshot does not exist'),
  IncorrectDiskStatus: row('caller', false, 'the disk is in a state that forbids the operation'),
  'InvalidSnapshotId.InUse': row('caller', false, 'disks or images still depend on the snapshot'),
  SnapshotCreatedDisk: row('caller', false, 'disks were made from the snapshot; Force=true passes'),
  'InvalidParameter.EncryptedIllegal': row('caller', false, 'KMSKeyId without encryption'),
  'InvalidParameter.EncryptedNotMatch': row('caller', false, 'Encrypted contradicts the source'),
  'InvalidParameter.Conflict': row('caller', false, 'two parameters exclude each other'),
  'InvalidDiskSize.TooSmall': row('caller', false, 'the size is below the source or the minimum'),
  'InvalidParameter.KMSKeyId.NotFound': row('caller', false, 'the key does not exist'),
  'InvalidParameter.KmsNotEnabled': row('caller', true, 'KMS is not activated in the region'),
  'InvalidParameter.KMSKeyId.CMKNotEnabled': row('caller', true, 'the key is not enabled'),
  'InvalidParameter.DataEncryptedKeyCreateFailed': row('caller', false, 'no data key was made'),
  OperationConflict: row('transient', true, 'another operation on the resource is under way'),
  'InvalidTaskId.NotFound': row('caller', false, 'the task does not exist'),
  IncorrectTaskStatus: row('caller', false, 'the task is in a state that forbids the operation'),
  // Encryption decisions.
  'InvalidEncrypted.NotMatchSnapshot': row('caller', false, 'Encrypted=false, encrypted source'),
  'InvalidEncrypted.NotMatchDiskDefaultEncryption': row(
    'caller',
    false,
    'Encrypted=false while default encryption is on',
  ),
  'InvalidEncrypted.NotMatchKmsKeyId': row('caller', false, 'KMSKeyId without encryption'),
  'InvalidEncrypted.NotSupportDecrypt': row('caller', false, 'a copy would be decrypted'),
  'InvalidKMSKeyId.NotSymmetric': row('caller', false, 'an asymmetric key protects no disk'),
  'InvalidKmsKeyId.NotMatchSnapshot': row('caller', false, 'the key is not that of the source'),
  'InvalidParam.EncryptedMismatch': row('caller', false, 'a shared source needs another key'),
  'InvalidParameter.EncryptedNotSupported': row('caller', false, 'a category without encryption'),
  'NotSupportSnapshotEncrypted.DiskCategory': row(
    'caller',
    false,
    'a category that cannot be encrypted when made of a snapshot or image',
  ),
  'NotSupportSnapshotEncrypted.ShareImage': row('caller', false, 'a shared encrypted source'),
  'InvalidOperation.NotSupportCopyInSameRegion': row(
    'caller',
    false,
    'a snapshot copied within its region without encryption',
  ),
  IncorrectDestinationRegion: row('caller', false, 'an image copied to the region it is in'),
  'OperationDeined.EncryptedSnapshot': row('caller', false, 'an image of encrypted snapshots'),
  'OperationDenied.EncryptSnapshotAcrossRegion': row(
    'caller',
    false,
    'an encrypted image cannot leave its region',
  ),
  'InvalidOperation.ServiceKeyEncryptedImageUnsupported': row(
    'caller',
    false,
    'an image encrypted by the service key cannot be shared',
  ),
  'InvalidSnapshotId.EncryptedNotSupport': row(
    'caller',
    false,
    'this encrypted snapshot cannot be shared',
  ),
  ImageNotSupported: row('caller', false, 'an encrypted image cannot be exported'),
  UnsupportedParameter: row('caller', false, 'the operation has no such parameter'),
  UnsupportedOperation: row('caller', false, 'the operation is not offered for this'),
  'Abs.InvalidAction.RegionNotSupport': row('caller', false, 'no default encryption here'),
  // Disks and instances.
  'InvalidRegion.NotSupport': row('caller', false, 'the region does not encrypt so'),
  'InvalidZoneId.NotFound': row('caller', false, 'the region has no such zone'),
  'InvalidKMSKeyId.NotFound': row('caller', false, 'the key of the disk does not exist'),
  'InvalidDisk.AlreadyDetached': row('caller', false, 'the disk is attached to nothing'),
  'InvalidDevice.InUse': row('caller', false, 'another disk of the instance has the device'),
  'InvalidDevice.Malformed': row('caller', false, 'not a device name'),
  'InvalidDiskCategory.NotSupported': row('caller', false, 'no disk of this category here'),
  'InvalidDiskSize.TooLarge': row('caller', false, 'the size is above the maximum'),
  'InvalidSize.ValueNotSupported': row('caller', false, 'the size is outside the window'),
  'InvalidPerformanceLevel.Malformed': row('caller', false, 'not a performance level'),
  'OperationDenied.PerformanceLevelNotMatch': row('caller', false, 'level and size do not match'),
  ProvisionedIopsForDiskCategoryUnsupported: row('caller', false, 'ProvisionedIops needs AutoPL'),
  'InvalidProvisionedIops.LimitExceed': row('caller', false, 'more IOPS than the size allows'),
  BurstingEnabledForDiskCategoryUnsupported: row('caller', false, 'bursting needs AutoPL'),
  'InvalidBurstingEnabled.DiskSizeTooSmall': row('caller', false, 'too small a disk to burst'),
  InvalidEncryptAlgorithm: row('caller', false, 'the algorithm is AES-256'),
  'InvalidEncrypted.NotMatchEncryptAlgorithm': row('caller', false, 'algorithm, no encryption'),
  'InvalidParam.ZoneIdAndInstanceId.Conflict': row('caller', false, 'a zone and an instance'),
  'InvalidOperation.CreateFromSnapshotUnsupported': row('caller', false, 'an ephemeral disk'),
  'InvalidParameter.Mismatch': row('caller', false, 'the snapshot was not made from the disk'),
  InvalidSourceSnapshot: row('caller', false, 'what the disk was made from was deleted'),
  ResourcesNotInSameZone: row('caller', false, 'disk and instance are in different zones'),
  InstanceDiskLimitExceeded: row('caller', false, 'the instance has as many disks as it can'),
  DependencyViolation: row('caller', false, 'the disk is not attached to the instance'),
  DiskTypeViolation: row('caller', false, 'not for a disk of this type'),
  'InvalidParameterForce.DiskCategoryNotSupported': row('caller', false, 'no attaching by force'),
  'InvalidInstance.NotFoundSystemDisk': row('caller', false, 'the instance has no system disk'),
  'InvalidOperation.DeletionProtection': row('caller', false, 'the instance is protected'),
  'InvalidOperation.InstanceTypeNotSupport': row('caller', false, 'no encrypted disks there'),
  'IoOptimized.NotSupported': row('caller', false, 'a disk with a key, no I/O optimization'),
  'InvalidInstanceType.ValueNotSupported': row('caller', false, 'not an instance type'),
  // Control plane: KMS API.
  'Forbidden.KeyNotFound': row('caller', false, 'the key does not exist'),
  'Forbidden.AliasNotFound': row('caller', false, 'the alias does not exist'),
  'Forbidden.KeyVersionNotFound': row('caller', false, 'the key has no such version'),
  'Forbidden.KmsServiceNotEnabled': row('caller', true, 'KMS is not activated in the region'),
  'Forbidden.Opened': row('caller', false, 'KMS is already activated in the region'),
  AliasAlreadyExists: row('caller', false, 'the alias is taken'),
  InvalidKeyMaterial: row('caller', false, 'imported material is not what this key can take'),
  InvalidImportToken: row('caller', false, 'the import token is not the latest one of this key'),
  ExpiredImportToken: row('caller', false, 'the import token is older than a day'),
  'Unsupported.Origin': row('caller', false, 'the operation is for keys of another origin'),
  DryRunOperationError: row('caller', false, 'the request was valid; DryRun kept it from running'),
  'Rejected.Disabled': row('caller', true, 'the key is disabled'),
  'Rejected.PendingDeletion': row('caller', true, 'the key is scheduled for deletion'),
  'Rejected.PendingImport': row('caller', true, 'the key has no material'),
  'Rejected.StateModifiedFailed': row('caller', false, 'the key state forbids the change'),
  'Rejected.LimitExceeded': row('caller', false, 'a KMS quota is used up'),
  'Rejected.Throttling': row('transient', true, 'too many KMS requests in one second'),
  'Rejected.UnsupportedOperation': row('caller', false, 'this key does not allow the operation'),
  // Snapshots, images and their sharing.
  'InvalidImageId.NotFound': row('caller', false, 'the image does not exist'),
  'InvalidInstanceId.NotFound': row('caller', false, 'the instance does not exist'),
  'InvalidAccount.NotFound': row('caller', false, 'the account does not exist'),
  'InvalidAccount.Forbbiden': row('caller', false, 'not an account that it can be shared with'),
  'InvalidSnapshotId.NotReady': row('transient', true, 'the snapshot is not finished'),
  'InvalidOperation.UnfinishedEncryptedSnapshotCopy': row(
    'transient',
    true,
    'the snapshot is a copy that is being encrypted',
  ),
  'InvalidOperation.Conflict': row('transient', true, 'something made of it still needs it'),
  OperationDenied: row('caller', false, 'the operation is not allowed on this resource'),
  'OperationDenied.ImageCopying': row('transient', true, 'the image is being copied'),
  'OperationDeined.FullImage': row('caller', false, 'an encrypted image of several snapshots'),
  AssumeRoleError: row('caller', false, 'a RAM role is missing that sharing needs'),
  SnapshotCreatedImage: row('caller', false, 'images were made from the snapshot'),
  'QuotaExceed.Snapshot': row('caller', false, 'a quota of snapshots is used up'),
  'QuotaExceed.DiskCapacity': row('caller', false, 'the quota of disk capacity is used up'),
  'QuotaExceed.PostPaidDisk': row('caller', false, 'a quota of disks is used up'),
  'QuotaExceed.PortableCloudDisk': row('caller', false, 'a quota of portable disks is used up'),
  'QuotaExceed.ConcurrentSnapshotQuota': row(
    'transient',
    true,
    'so many snapshots are in progress as may be',
  ),
  'QuotaExceed.ShareImageUser': row('caller', false, 'too many images are shared with the account'),
  'InvalidDiskName.Malformed': row('caller', false, 'a name no disk may have'),
  'InvalidSnapshotName.Malformed': row('caller', false, 'a name no snapshot may have'),
  'InvalidInstanceName.Malformed': row('caller', false, 'a name no instance may have'),
  'InvalidDescription.Malformed': row('caller', false, 'a description that is not allowed'),
  'InvalidImageName.Malformed': row('caller', false, 'a name no image may have'),
  'InvalidImageName.Duplicated': row('caller', false, 'another image of the account has the name'),
  'InvalidOperation.OtherInstanceUnsupported': row(
    'caller',
    false,
    'an ephemeral disk goes back to its instance alone',
  ),
  'QuotaExceed.ShareImage': row('caller', false, 'the image is shared with too many accounts'),
  IncorrectImageStatus: row('caller', true, 'the image is in a state that forbids the operation'),
  ImageUsingByInstance: row('caller', false, 'instances use the image; Force=true passes'),
  NoSetRoletoECSServiceAcount: row('caller', false, 'a RAM role is missing that exporting needs'),
  ImageIsExporting: row('transient', true, 'the image is being exported'),
  ImageUseShared: row('caller', false, 'the image is shared'),
  IncorrectInstanceStatus: row('caller', true, 'the instance is in a state that forbids it'),
  // Lineage, audit and crypto-erase: ours.
  DataKeyErased: row('caller', false, 'the data key was erased: what it protected is gone'),
  // Control plane: access, regions, tokens, tags, account-level default encryption.
  'InvalidAccessKeyId.NotFound': row('caller', false, 'no such account, or no such RAM user'),
  'Forbidden.RAM': row('caller', false, 'no policy of the RAM user allows the operation'),
  'Forbidden.NoPermission': row('caller', false, 'no policy of the RAM user allows the operation'),
  'InvalidRegionId.NotFound': row('caller', false, 'the region does not exist'),
  'InvalidClientToken.Malformed': row('caller', false, 'a ClientToken is 1 to 64 ASCII characters'),
  IdempotentParameterMismatch: row(
    'caller',
    false,
    'the ClientToken was used with other parameters',
  ),
  LastTokenProcessing: row('transient', true, 'the first call with this ClientToken still runs'),
  'InvalidParameter.KMSKeyId.KMSUnauthorized': row('caller', false, 'ECS may not use KMS keys'),
  'InvalidOperation.DefaultEncryptionAlreadyEnabled': row('caller', false, 'it is on already'),
  'InvalidDefaultEncryption.NotFound': row('caller', false, 'default encryption is not on'),
  'InvalidOperation.KMSKeyIdNotFound': row('caller', false, 'the default key does not exist'),
  'InvalidOperation.KMSServiceNotOpen': row('caller', false, 'KMS is not activated'),
  UserNotInTheWhiteList: row('caller', false, 'the feature was not granted to the account'),
  'InvalidResourceId.NotFound': row('caller', false, 'no such resource of this type'),
  'InvalidResourceGroup.NotFound': row('caller', false, 'no id of a resource group'),
  ChargeTypeViolation: row('caller', false, 'the way of billing forbids it'),
  'Duplicate.TagKey': row('caller', false, 'a tag key is given twice'),
  'InvalidTagKey.Malformed': row('caller', false, 'a tag key breaks the rules'),
  'InvalidTagValue.Malformed': row('caller', false, 'a tag value breaks the rules'),
  'NumberExceed.Tags': row('caller', false, 'a resource has all the tags it may have'),
  WorldInvalid: row('caller', false, 'a world file cannot be seeded as written'),
  // Cloud API: what is refused before a verb is called.
  'InvalidAction.NotFound': row('caller', false, 'the API has no such operation here'),
  InvalidVersion: row('caller', false, 'no API of this version is served'),
  UnsupportedHTTPMethod: row('caller', false, 'the API is called with GET or POST'),
  IncompleteSignature: row('caller', false, 'credentials are missing or not well-formed'),
  SignatureDoesNotMatch: row('caller', false, 'the signature is not that of the request'),
  SignatureNonceUsed: row('caller', false, 'the nonce of the signature was used already'),
  IllegalTimestamp: row('caller', false, 'the time of the signature is too far from now'),
  MissingSecurityToken: row('caller', false, 'temporary credentials come with a token'),
  'InvalidSecurityToken.MismatchWithAccessKey': row('caller', false, 'the token of another key'),
  'InvalidSecurityToken.Expired': row('caller', false, 'temporary credentials have ended'),
  Throttling: row('transient', true, 'too many calls'),
  ServiceUnavailable: row('transient', true, 'what the call needs does not answer just now'),
  InternalError: row('system', false, 'a bug: the call was ended by an error nobody expected'),
} as const satisfies Record<string, CodeRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error as it crosses threads and as --json prints it. Never holds key bytes or user data. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * An operating error: something a caller or an operator can act on.
 *
 * @example
 * try { await disk.read(-1, 512); } catch (error) { (error as PlaneError).code; // 'OutOfRange' }
 */
export class PlaneError extends Error {
  override readonly name = 'PlaneError';
  readonly code: ErrorCode;
  readonly retryable: boolean;

  /**
   * @param code stable code, a row of ERROR_CODES
   * @param detail what was expected, what came, which id; never a secret
   * @param options cause: the error underneath, if there is one
   */
  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown }) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
  }

  /** The error as data, to be sent to another thread or printed. */
  toRecord(): ErrorRecord {
    return { code: this.code, message: this.message.slice(this.code.length + 2) };
  }

  static fromRecord(record: ErrorRecord): PlaneError {
    return new PlaneError(record.code, record.message);
  }
}
