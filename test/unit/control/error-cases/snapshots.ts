/** DATA: what verbs on snapshots refuse. */
import {
  ABROAD,
  type ErrorCase,
  type ErrorWorld,
  HOME,
  OTHER,
  refused,
} from '../../../support/error-world.ts';

const NO_SNAPSHOT = 's-00000000000000000000';
const NOBODY = '9000000000000009';

async function underOwnKey(w: ErrorWorld): Promise<string> {
  return w.snapshot(await w.disk({ Encrypted: true, KMSKeyId: await w.key() }));
}

/** A copy whose encryption has not ended. */
async function unfinishedCopy(w: ErrorWorld): Promise<string> {
  const parameters = { SnapshotId: await w.snapshot(), DestinationRegionId: HOME, Encrypted: true };
  return (await w.call('CopySnapshot', parameters)).SnapshotId;
}

const NAMES_AND_LOCKS: readonly ErrorCase[] = [
  refused(
    'InvalidSnapshotName.Malformed',
    400,
    'CreateSnapshot',
    'as automatic ones',
    async (w) => ({
      parameters: { DiskId: await w.disk(), SnapshotName: 'auto-1' },
      says: ['SnapshotName', 'auto', '"auto-1"'],
    }),
  ),
  refused('OperationDenied', 403, 'DeleteSnapshot', 'it is locked', async (w) => {
    const SnapshotId = await w.snapshot();
    const terms = { LockMode: 'compliance', LockDuration: 1, CoolOffPeriod: 0 } as const;
    await w.call('LockSnapshot', { SnapshotId, ...terms });
    return { parameters: { SnapshotId, Force: true }, says: [SnapshotId, '2026-02-01T12:00:00Z'] };
  }),
  refused('OperationDenied', 403, 'UnlockSnapshot', 'it is not locked', async (w) => {
    const SnapshotId = await w.snapshot();
    return { parameters: { SnapshotId }, says: [SnapshotId, 'not locked'] };
  }),
  refused('InvalidSnapshotId.NotFound', 404, 'LockSnapshot', 'there is none', async () => ({
    parameters: {
      SnapshotId: NO_SNAPSHOT,
      LockMode: 'compliance',
      LockDuration: 1,
      CoolOffPeriod: 0,
    },
    says: [NO_SNAPSHOT],
  })),
];

const NOT_THERE: readonly ErrorCase[] = [
  refused(
    'InvalidSnapshotId.NotFound',
    404,
    'CopySnapshot',
    'no snapshot has the id',
    async () => ({
      parameters: { SnapshotId: NO_SNAPSHOT, DestinationRegionId: ABROAD },
      says: [NO_SNAPSHOT],
    }),
  ),
  refused('InvalidSnapshotId.NotFound', 404, 'DeleteSnapshot', 'it is a disk’s id', async (w) => {
    const SnapshotId = await w.disk();
    return { parameters: { SnapshotId }, says: [SnapshotId] };
  }),
  refused('InvalidSnapshotId.NotFound', 404, 'ShareSnapshot', 'another account’s', async (w) => {
    const SnapshotId = await w.snapshot();
    const parameters = { SnapshotId, AccountId: '3000000000000002' };
    return { parameters, says: [SnapshotId], by: { accountId: OTHER } };
  }),
  refused('InvalidSnapshotId.NotFound', 404, 'DeleteSnapshot', 'another region’s', async (w) => {
    const SnapshotId = await w.snapshot();
    return { parameters: { SnapshotId, RegionId: ABROAD }, says: [SnapshotId] };
  }),
  refused('InvalidRegionId.NotFound', 404, 'CopySnapshot', 'to no region', async (w) => ({
    parameters: { SnapshotId: await w.snapshot(), DestinationRegionId: 'moon-1' },
    says: ['moon-1'],
  })),
  refused('InvalidAccount.NotFound', 404, 'ShareSnapshot', 'with no account', async (w) => ({
    parameters: { SnapshotId: await w.snapshot(), AccountId: NOBODY },
    says: [NOBODY],
  })),
  refused('InvalidAccount.NotFound', 404, 'UnshareSnapshot', 'it was not shared', async (w) => {
    const SnapshotId = await w.snapshot();
    return { parameters: { SnapshotId, AccountId: OTHER }, says: [SnapshotId, OTHER] };
  }),
  refused('InvalidAccount.Forbbiden', 404, 'ShareSnapshot', 'with oneself', async (w) => {
    const AccountId = w.context.accountId;
    return { parameters: { SnapshotId: await w.snapshot(), AccountId }, says: [AccountId] };
  }),
  refused('MissingParameter', 400, 'ModifySnapshotAttribute', 'nothing to change', async (w) => ({
    parameters: { SnapshotId: await w.snapshot() },
    says: ['SnapshotName', 'Description', 'RetentionDays'],
  })),
  refused('InvalidParameter', 400, 'CreateSnapshot', 'kept for no days', async (w) => ({
    parameters: { DiskId: await w.disk(), RetentionDays: 0 },
    says: ['RetentionDays', '0'],
  })),
];

const STATES: readonly ErrorCase[] = [
  refused('InvalidSnapshotId.NotReady', 403, 'CreateDisk', 'it failed', async (w) => {
    const SnapshotId = await w.snapshot();
    await w.setSnapshot(SnapshotId, { status: 'failed' });
    return { parameters: { SnapshotId }, says: [SnapshotId, 'failed'] };
  }),
  refused('InvalidSnapshotId.NotReady', 403, 'CopySnapshot', 'it is not finished', async (w) => {
    const SnapshotId = await w.snapshot();
    await w.setSnapshot(SnapshotId, { status: 'progressing' });
    const parameters = { SnapshotId, DestinationRegionId: ABROAD };
    return { parameters, says: [SnapshotId, 'progressing'] };
  }),
  refused('InvalidSnapshotId.NotReady', 403, 'CreateImage', 'a copy under way', async (w) => {
    const SnapshotId = await unfinishedCopy(w);
    return { parameters: { SnapshotId }, says: [SnapshotId, 'progressing'] };
  }),
  refused('InvalidSnapshotId.NotReady', 403, 'ShareSnapshot', 'two keys', async (w) => {
    const KMSKeyId = await w.key();
    const DiskId = await w.disk({ Encrypted: true, KMSKeyId });
    await w.setDisk(DiskId, { layers: layersTwice(w, DiskId) });
    const SnapshotId = await w.snapshot(DiskId);
    return { parameters: { SnapshotId, AccountId: OTHER }, says: [SnapshotId, 'one key'] };
  }),
  refused(
    'InvalidOperation.UnfinishedEncryptedSnapshotCopy',
    403,
    'CopySnapshot',
    'it is a copy under way',
    async (w) => {
      const SnapshotId = await unfinishedCopy(w);
      const parameters = { SnapshotId, DestinationRegionId: ABROAD, Encrypted: true };
      return { parameters, says: [SnapshotId, 'progressing'] };
    },
  ),
  refused('SnapshotCreatedImage', 403, 'DeleteSnapshot', 'an image is of it', async (w) => {
    const SnapshotId = await w.snapshot();
    const ImageId = await w.image(SnapshotId);
    return { parameters: { SnapshotId, Force: true }, says: [SnapshotId, ImageId] };
  }),
  refused('SnapshotCreatedDisk', 403, 'DeleteSnapshot', 'a disk was made of it', async (w) => {
    const SnapshotId = await w.snapshot();
    const DiskId = await w.disk({ SnapshotId });
    return { parameters: { SnapshotId }, says: [SnapshotId, DiskId] };
  }),
  refused('InvalidSnapshotId.InUse', 403, 'DeleteSnapshot', 'it is shared', async (w) => {
    const SnapshotId = await w.snapshot();
    await w.call('ShareSnapshot', { SnapshotId, AccountId: OTHER });
    return { parameters: { SnapshotId, Force: true }, says: [SnapshotId] };
  }),
];

const SHARING: readonly ErrorCase[] = [
  refused(
    'InvalidSnapshotId.EncryptedNotSupport',
    403,
    'ShareSnapshot',
    'service key',
    async (w) => {
      const SnapshotId = await w.snapshot(await w.disk({ Encrypted: true }));
      return { parameters: { SnapshotId, AccountId: OTHER }, says: [SnapshotId, 'service key'] };
    },
  ),
  refused('AssumeRoleError', 403, 'ShareSnapshot', 'the role is missing', async (w) => {
    const SnapshotId = await underOwnKey(w);
    await w.setAccount({ roles: ['AliyunECSDiskEncryptDefaultRole'] });
    const says = [SnapshotId, 'AliyunECSShareEncryptSnapshotDefaultRole'];
    return { parameters: { SnapshotId, AccountId: OTHER }, says };
  }),
  refused('OperationDenied', 403, 'DeleteSnapshot', 'its recipient asks', async (w) => {
    const shared = { SnapshotId: await w.snapshot(), AccountId: OTHER };
    const SnapshotId = (await w.call('ShareSnapshot', shared)).SharedSnapshotId;
    return { parameters: { SnapshotId }, says: [SnapshotId], by: { accountId: OTHER } };
  }),
  refused(
    'InvalidOperation.Conflict',
    409,
    'UnshareSnapshot',
    'a disk needs its key',
    async (w) => {
      const shared = { SnapshotId: await underOwnKey(w), AccountId: OTHER };
      const theirs = (await w.call('ShareSnapshot', shared)).SharedSnapshotId;
      const made = await w.call('CreateDisk', { SnapshotId: theirs }, { accountId: OTHER });
      return { parameters: shared, says: [made.DiskId, shared.SnapshotId, OTHER] };
    },
  ),
];

/** The layers of a disk that is being re-encrypted: a new one on top. */
function layersTwice(w: ErrorWorld, diskId: string) {
  const layers = w.context.metadata.getDisk(diskId)?.layers ?? [];
  return [...layers.map((layer) => ({ ...layer, tree: `${diskId}.9` })), ...layers];
}

export const SNAPSHOT_CASES: readonly ErrorCase[] = [
  ...NAMES_AND_LOCKS,
  ...NOT_THERE,
  ...STATES,
  ...SHARING,
];
