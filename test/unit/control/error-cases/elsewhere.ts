/** DATA: codes that no case of the tables here is refused with, and why. */
import type { ErrorCode } from '../../../../src/base/errors.ts';

export interface TestedElsewhere {
  readonly codes: readonly ErrorCode[];
  readonly because: string;
  /** A test that has each of the codes in it. */
  readonly test: string;
}

const DATA_PLANE = 'of requests to attached disks and of opening a plane, not of verbs';
const DOOR = 'of the HTTP door: no verb is called';
const LOAD = 'of the load generator';
const QUOTA = 'a quota, which takes long to use up: beside the other tests of its verb';

export const TESTED_ELSEWHERE: readonly TestedElsewhere[] = [
  {
    codes: ['OutOfRange', 'RequestTooLarge', 'DiskClosed', 'PlaneClosed', 'Busy'],
    because: DATA_PLANE,
    test: 'test/integration/disk.test.ts',
  },
  {
    codes: ['ChecksumMismatch', 'ReadFailed'],
    because: DATA_PLANE,
    test: 'test/unit/segment/segment-damage.test.ts',
  },
  {
    codes: ['NoSpace', 'StoreFailed'],
    because: DATA_PLANE,
    test: 'test/unit/segment/file-store-faults.test.ts',
  },
  {
    codes: [
      'InvalidArgument',
      'DataDirectoryLocked',
      'DataDirectoryForeign',
      'DataDirectoryCorrupt',
      'DataDirectoryVersion',
      'DataDirectoryUnusable',
      'RootKeyInvalid',
    ],
    because: DATA_PLANE,
    test: 'test/integration/data-directory.test.ts',
  },
  { codes: ['WrappedKeyInvalid'], because: DATA_PLANE, test: 'test/unit/kms/master-key.test.ts' },
  {
    codes: ['CipherUnavailable'],
    because: DATA_PLANE,
    test: 'test/unit/cipher/select-engine.test.ts',
  },
  {
    codes: [
      'IncompleteSignature',
      'SignatureDoesNotMatch',
      'SignatureNonceUsed',
      'IllegalTimestamp',
      'MissingSecurityToken',
      'InvalidSecurityToken.MismatchWithAccessKey',
      'InvalidSecurityToken.Expired',
    ],
    because: DOOR,
    test: 'test/unit/front/api/authenticate.test.ts',
  },
  {
    codes: ['InvalidAction.NotFound', 'InvalidVersion', 'UnsupportedHTTPMethod'],
    because: DOOR,
    test: 'test/integration/api-hostile.test.ts',
  },
  {
    codes: ['Throttling', 'ServiceUnavailable', 'InternalError'],
    because: DOOR,
    test: 'test/unit/front/api/wire-refusal.test.ts',
  },
  { codes: ['DebuggerOpen'], because: DATA_PLANE, test: 'test/custody/debugging.test.ts' },
  { codes: ['JobFileInvalid'], because: LOAD, test: 'test/unit/load/job.test.ts' },
  { codes: ['TraceInvalid'], because: LOAD, test: 'test/unit/load/trace-file.test.ts' },
  {
    codes: ['RateNotHeld', 'LatencyExceeded', 'VerifyMismatch'],
    because: LOAD,
    test: 'test/unit/load/job-behaviour.test.ts',
  },
  {
    codes: [
      'QuotaExceed.DiskCapacity',
      'QuotaExceed.PortableCloudDisk',
      'QuotaExceed.PostPaidDisk',
      'QuotaExceed.ConcurrentSnapshotQuota',
      'QuotaExceed.ShareImageUser',
    ],
    because: 'quotas of a plane that was opened with some',
    test: 'test/unit/control/quotas.test.ts',
  },
  {
    codes: ['InvalidKMSKeyId.NotSymmetric'],
    because: 'beside all else about asymmetric keys',
    test: 'test/unit/control/keys/asymmetric.test.ts',
  },
  {
    codes: ['DRYRUN.SUCCESS'],
    because: 'of dry runs, beside the other tests of its verb',
    test: 'test/unit/control/instances/batch-power.test.ts',
  },
  {
    codes: ['ImageIsExporting', 'ExportFailed'],
    because: 'of the task runner, which the worlds of the cases have not',
    test: 'test/unit/control/jobs/export-image.test.ts',
  },
  {
    codes: ['IncorrectTaskStatus'],
    because: 'of the task runner, which the worlds of the cases have not',
    test: 'test/unit/control/task-runner.test.ts',
  },
  {
    codes: ['DataLost'],
    because: 'of a shard that was lost with its memory',
    test: 'test/integration/shard-loss.test.ts',
  },
  {
    codes: ['WorldInvalid'],
    because: 'of world files, not of verbs',
    test: 'test/unit/control/access/world.test.ts',
  },
  {
    codes: ['QuotaExceed.Snapshot'],
    because: QUOTA,
    test: 'test/unit/control/snapshots/snapshots.test.ts',
  },
  {
    codes: ['QuotaExceed.ShareImage'],
    because: QUOTA,
    test: 'test/unit/control/images/share.test.ts',
  },
];

export interface NotAnswered {
  readonly codes: readonly string[];
  readonly because: string;
}

/** Codes of the cloud's error tables that nothing here answers with. */
export const NOT_ANSWERED: readonly NotAnswered[] = [
  {
    codes: [
      'InvalidParameter.Encrypted',
      'InvalidParameter.Encrypted.KmsNotEnable',
      'InvalidDisk.InUse',
      'InvalidDiskCategory.ValueNotSupported',
      'InvalidParameter.RegionIdNotExists',
      'NotSupportSnapshotEncrypted.RegionId',
      'NotSupportSnapshotEncrypted.ZoneId',
      'OperationDenied.KmsServiceUnauthorized',
      'DiskStillAttached',
    ],
    because: 'another spelling of a code that is answered in the same situation',
  },
  {
    codes: ['InvalidParameter.KMSKeyId.CMKUnauthorized'],
    because: 'the role ECS uses keys by includes tagging them, and is had as a whole or not',
  },
  {
    codes: ['EncryptedOption.Conflict', 'NotSupport.SnapshotEncryptedAlgorithmConflict'],
    because: 'there is one algorithm, AES-256, and one option',
  },
  {
    codes: [
      'DiskCreatingSnapshot',
      'DiskError',
      'InvalidOperation.DiskResetInProgress',
      'InvalidOperation.UnfinishedCrossRegionCopy',
      'IncorrectDiskStatus.CreatingSnapshot',
      'IncorrectDiskStatus.Initializing',
      'IncorrectInstanceStatus.Initializing',
      'OperationConflict.DisksAttachingParallellyExceed',
      'DisksDetachingOnEcsExceeded',
    ],
    because: 'what it is about is done within one call here, and calls wait for each other',
  },
  {
    codes: ['IncorrectDiskStatus.NeverAttached', 'IncorrectDiskStatus.NeverUsed'],
    because: 'disks are written by the library without an instance: snapshot-rules.ts says so',
  },
  {
    codes: ['InvalidInstanceType.NvmeRequired', 'DiskAttachedNumberExceeded'],
    because: 'a disk is attached to one instance: MultiAttach is not offered',
  },
  {
    codes: ['DiskNotPortable'],
    because: 'every data disk is portable, by subscription or not',
  },
  {
    codes: ['OperationDenied.SnapshotCategoryNotSupportCopy', 'ImageIsImporting'],
    because: 'there are no local or archived snapshots, and no images are imported',
  },
  {
    codes: ['OperationDenied.SameRegionOnly'],
    because: 'the rules of 2025 let shared images be copied to other regions',
  },
  {
    codes: ['Rejected.Unavailable'],
    because: 'a key is in one of four states, and none of them is called so',
  },
];
