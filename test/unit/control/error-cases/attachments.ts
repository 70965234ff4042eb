/** DATA: what verbs on disks refuse because of what they are attached to, made of, or doing. */
import { type ErrorCase, type ErrorWorld, refused } from '../../../support/error-world.ts';

/** A disk attached to a stopped instance. */
async function attached(w: ErrorWorld): Promise<{ DiskId: string; InstanceId: string }> {
  const DiskId = await w.disk();
  const InstanceId = await w.instance();
  await w.call('AttachDisk', { DiskId, InstanceId });
  return { DiskId, InstanceId };
}

const ATTACHING: readonly ErrorCase[] = [
  refused('IncorrectDiskStatus', 403, 'AttachDisk', 'it is attached already', async (w) => {
    const { DiskId } = await attached(w);
    const parameters = { DiskId, InstanceId: await w.instance() };
    return { parameters, says: [DiskId, 'In_use', 'Available'] };
  }),
  refused('IncorrectInstanceStatus', 400, 'AttachDisk', 'the instance is starting', async (w) => {
    const InstanceId = await w.instance();
    await w.setInstance(InstanceId, { status: 'Starting' });
    const parameters = { DiskId: await w.disk(), InstanceId };
    return { parameters, says: [InstanceId, 'Starting', 'Running or Stopped'] };
  }),
  refused('ResourcesNotInSameZone', 403, 'AttachDisk', 'zones differ', async (w) => {
    const DiskId = await w.disk({ ZoneId: 'cn-hangzhou-b' });
    const InstanceId = await w.instance({ ZoneId: 'cn-hangzhou-c' });
    const says = [DiskId, 'cn-hangzhou-b', InstanceId, 'cn-hangzhou-c'];
    return { parameters: { DiskId, InstanceId }, says };
  }),
  refused('InstanceDiskLimitExceeded', 403, 'AttachDisk', 'it has 16 data disks', async (w) => {
    const InstanceId = await w.instance({ DataDisk: Array(16).fill({ Size: 20 }) });
    return { parameters: { DiskId: await w.disk(), InstanceId }, says: ['16'] };
  }),
  refused('InvalidDevice.InUse', 403, 'AttachDisk', 'another disk has the device', async (w) => {
    const { InstanceId } = await attached(w);
    const parameters = { DiskId: await w.disk(), InstanceId, Device: '/dev/xvdb' };
    return { parameters, says: ['/dev/xvdb'] };
  }),
  refused(
    'InvalidOperation.OtherInstanceUnsupported',
    403,
    'AttachDisk',
    'an ephemeral disk was on another instance',
    async (w) => {
      const category = { DiskCategory: 'elastic_ephemeral_disk_standard', Size: 64 };
      const { DiskId } = await w.call('CreateDisk', category);
      const InstanceId = await w.instance();
      for (const verb of ['AttachDisk', 'DetachDisk', 'AttachDisk', 'DetachDisk'] as const) {
        await w.call(verb, { DiskId, InstanceId });
      }
      const parameters = { DiskId, InstanceId: await w.instance() };
      return { parameters, says: [DiskId, InstanceId] };
    },
  ),
  refused('InvalidDevice.Malformed', 400, 'AttachDisk', 'it is no device', async (w) => ({
    parameters: { DiskId: await w.disk(), InstanceId: await w.instance(), Device: 'C:' },
    says: ['/dev/xvdb', 'C:'],
  })),
  refused(
    'InvalidParameterForce.DiskCategoryNotSupported',
    400,
    'AttachDisk',
    'force is asked for',
    async (w) => ({
      parameters: { DiskId: await w.disk(), InstanceId: await w.instance(), Force: true },
      says: ['cloud_essd'],
    }),
  ),
  refused('DiskTypeViolation', 403, 'AttachDisk', 'it would be a second system disk', async (w) => {
    const from = await w.instance();
    const InstanceId = await w.instance();
    const DiskId = w.systemDiskOf(from);
    await w.call('DetachDisk', { DiskId, InstanceId: from });
    return { parameters: { DiskId, InstanceId }, says: [InstanceId, DiskId] };
  }),
  refused(
    'InvalidOperation.InstanceTypeNotSupport',
    400,
    'AttachDisk',
    'the disk is encrypted and the instance takes none',
    async (w) => ({
      parameters: {
        DiskId: await w.disk({ Encrypted: true }),
        InstanceId: await w.instance({ InstanceType: 'ecs.ebmg5.24xlarge' }),
      },
      says: ['ecs.ebmg5'],
    }),
  ),
  refused('DataKeyErased', 403, 'AttachDisk', 'its data key was erased', async (w) => {
    const DiskId = await w.disk({ Encrypted: true });
    await w.call('EraseDataKey', { DiskId, Force: true });
    return { parameters: { DiskId, InstanceId: await w.instance() }, says: [DiskId] };
  }),
  refused('ShardLost', 503, 'AttachDisk', 'the shard ends meanwhile', async (w) => {
    const parameters = { DiskId: await w.disk(), InstanceId: await w.running() };
    w.control.failNext('openVolume');
    return { parameters, says: [] };
  }),
];

const DETACHING: readonly ErrorCase[] = [
  refused('InvalidDisk.AlreadyDetached', 404, 'DetachDisk', 'it is attached to none', async (w) => {
    const DiskId = await w.disk();
    return { parameters: { DiskId, InstanceId: await w.instance() }, says: [DiskId, 'Available'] };
  }),
  refused('DependencyViolation', 403, 'DetachDisk', 'another instance has it', async (w) => {
    const { DiskId, InstanceId: its } = await attached(w);
    const InstanceId = await w.instance();
    return { parameters: { DiskId, InstanceId }, says: [DiskId, InstanceId, its] };
  }),
  refused('IncorrectDiskStatus', 403, 'DetachDisk', 'it is being initialised', async (w) => {
    const parameters = await attached(w);
    await w.setDisk(parameters.DiskId, { status: 'ReIniting' });
    return { parameters, says: [parameters.DiskId, 'ReIniting'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'DetachDisk', 'a running system disk', async (w) => {
    const InstanceId = await w.running();
    const parameters = { DiskId: w.systemDiskOf(InstanceId), InstanceId };
    return { parameters, says: [InstanceId, 'Running', 'Stopped'] };
  }),
  refused('IncorrectDiskStatus', 403, 'DeleteDisk', 'it is attached', async (w) => {
    const { DiskId } = await attached(w);
    return { parameters: { DiskId }, says: [DiskId, 'In_use'] };
  }),
];

const CONTENT: readonly ErrorCase[] = [
  refused('IncorrectDiskStatus', 403, 'ReInitDisk', 'it is attached to nothing', async (w) => {
    const DiskId = await w.disk();
    return { parameters: { DiskId }, says: [DiskId, 'Available', 'In_use'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'ReInitDisk', 'its instance runs', async (w) => {
    const InstanceId = await w.running();
    const parameters = { DiskId: w.systemDiskOf(InstanceId) };
    return { parameters, says: [InstanceId, 'Running', 'Stopped'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'ReInitDisk', 'it was never started', async (w) => {
    const { DiskId, InstanceId } = await attached(w);
    return { parameters: { DiskId }, says: [InstanceId] };
  }),
  refused('InvalidSourceSnapshot', 403, 'ReInitDisk', 'its source was deleted', async (w) => {
    const SnapshotId = await w.snapshot();
    const DiskId = await w.disk({ SnapshotId });
    const InstanceId = await w.running();
    await w.call('AttachDisk', { DiskId, InstanceId });
    await w.call('StopInstance', { InstanceId });
    await w.call('DeleteSnapshot', { SnapshotId, Force: true });
    return { parameters: { DiskId }, says: [SnapshotId, DiskId] };
  }),
  refused('InvalidParameter.Mismatch', 403, 'ResetDisk', 'another disk’s snapshot', async (w) => {
    const DiskId = await w.disk();
    const SnapshotId = await w.snapshot();
    return { parameters: { DiskId, SnapshotId }, says: [SnapshotId, DiskId] };
  }),
  refused('InvalidSnapshotId.NotReady', 403, 'ResetDisk', 'the snapshot failed', async (w) => {
    const DiskId = await w.disk();
    const SnapshotId = await w.snapshot(DiskId);
    await w.setSnapshot(SnapshotId, { status: 'failed' });
    return { parameters: { DiskId, SnapshotId }, says: [SnapshotId, 'failed'] };
  }),
  refused('IncorrectInstanceStatus', 403, 'ResetDisk', 'its instance runs', async (w) => {
    const InstanceId = await w.running();
    const DiskId = w.systemDiskOf(InstanceId);
    const parameters = { DiskId, SnapshotId: await w.snapshot(DiskId) };
    return { parameters, says: [InstanceId, 'Running', 'Stopped'] };
  }),
  refused('IncorrectDiskStatus', 403, 'ResizeDisk', 'it is being made', async (w) => {
    const DiskId = await w.disk();
    await w.setDisk(DiskId, { status: 'Creating' });
    return { parameters: { DiskId, NewSize: 40 }, says: [DiskId, 'Creating'] };
  }),
  refused('IncorrectDiskStatus', 403, 'CreateSnapshot', 'it is being deleted', async (w) => {
    const DiskId = await w.disk();
    await w.setDisk(DiskId, { status: 'Deleting' });
    return { parameters: { DiskId }, says: [DiskId, 'Deleting'] };
  }),
  refused('ShardLost', 503, 'CreateSnapshot', 'the shard ends meanwhile', async (w) => {
    const DiskId = await w.disk();
    w.control.failNext('shareTree');
    return { parameters: { DiskId }, says: [] };
  }),
  refused('OperationConflict', 409, 'RekeyDisk', 'it is being re-encrypted', async (w) => {
    const DiskId = await w.disk({ Encrypted: true });
    w.replaceTasks({ liveTaskIdOf: () => 't-11111111111111111111' });
    return { parameters: { DiskId }, says: [DiskId, 't-11111111111111111111'] };
  }),
  refused('InvalidParameter.EncryptedIllegal', 400, 'RekeyDisk', 'it is in plain', async (w) => {
    const DiskId = await w.disk();
    return { parameters: { DiskId }, says: [DiskId, 'plain'] };
  }),
  refused('InvalidParameter', 400, 'EraseDataKey', 'Force is not given', async (w) => ({
    parameters: { DiskId: await w.disk({ Encrypted: true }) },
    says: ['Force'],
  })),
  refused('InvalidParameter.Conflict', 400, 'EraseDataKey', 'nothing is named', async () => ({
    parameters: { Force: true },
    says: ['DiskId', 'SnapshotId'],
  })),
];

export const ATTACHMENT_CASES: readonly ErrorCase[] = [...ATTACHING, ...DETACHING, ...CONTENT];
