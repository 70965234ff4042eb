/** The volume of an attached disk or an open snapshot opened again when its shard was replaced: control's part. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { callVerb } from '../../../src/control/call.ts';
import { reopenVolume } from '../../../src/control/reopen-volume.ts';
import type { VolumeToOpen } from '../../../src/router/volume-to-open.ts';
import { testControl } from '../../support/control-context.ts';

async function diskOf(parameters: { readonly Encrypted?: boolean }) {
  const { context } = await testControl();
  const { principal } = context;
  const { DiskId } = await callVerb(context, principal, 'CreateDisk', { Size: 1, ...parameters });
  const uses = async (): Promise<string[]> => {
    const { Events } = await callVerb(context, principal, 'LookupEvents', { ResourceId: DiskId });
    return Events.filter(({ Reason }) => Reason === 'ReplaceShard').map(({ Outcome }) => Outcome);
  };
  const opened: VolumeToOpen[] = [];
  const open = async (volume: VolumeToOpen): Promise<void> => void opened.push(volume);
  const disk = context.metadata.getDisk(DiskId)!;
  return { context, DiskId, disk, uses, opened, open };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'OK',
    (error: PlaneError) => error.code,
  );

describe('a volume opened again', () => {
  it('is that of its record, and the use of its keys is logged', async () => {
    const { context, DiskId, disk, uses, opened, open } = await diskOf({ Encrypted: true });
    await context.metadata.commit({ putDisks: [{ ...disk, sizeBytes: 5 << 30 }] });
    await reopenVolume(context, DiskId, open);
    expect(opened).toMatchObject([{ diskId: DiskId, sizeBytes: 5 << 30 }]);
    expect(await uses()).toEqual(['OK']);
  });

  it('that is refused says so in the words of the ECS API, and the log has the code', async () => {
    const { context, DiskId, uses } = await diskOf({ Encrypted: true });
    const refuse = (): Promise<void> => Promise.reject(new PlaneError('Rejected.Disabled', 'so'));
    const refused = reopenVolume(context, DiskId, refuse);
    expect(await codeOf(refused)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    const broken = reopenVolume(context, DiskId, () => Promise.reject(new Error('a bug')));
    await expect(broken).rejects.toThrow('a bug');
    expect(await uses()).toEqual(['Rejected.Disabled', 'InternalError']);
  });

  it('of a disk in plain needs no key and no role, and is in no log', async () => {
    const { context, DiskId, uses, opened, open } = await diskOf({});
    await reopenVolume(context, DiskId, open);
    expect({ opened: opened.length, uses: await uses() }).toEqual({ opened: 1, uses: [] });
  });

  it('of a snapshot is that of its record, until it is deleted', async () => {
    const { context, DiskId, opened, open } = await diskOf({ Encrypted: true });
    const { principal } = context;
    const { SnapshotId } = await callVerb(context, principal, 'CreateSnapshot', { DiskId });
    await reopenVolume(context, SnapshotId, open);
    expect(opened).toMatchObject([{ diskId: SnapshotId, layers: [{ tree: SnapshotId }] }]);
    const query = { ResourceId: SnapshotId };
    const { Events } = await callVerb(context, principal, 'LookupEvents', query);
    expect(Events.filter(({ Reason }) => Reason === 'ReplaceShard').length).toBe(1);
    await callVerb(context, principal, 'DeleteSnapshot', { SnapshotId });
    expect(await codeOf(reopenVolume(context, SnapshotId, open))).toBe(
      'InvalidSnapshotId.NotFound',
    );
  });

  it('is refused without the role, with an erased data key, and without a disk', async () => {
    const { context, DiskId, disk, opened, open } = await diskOf({ Encrypted: true });
    const account = context.metadata.getDocument('account', context.accountId)!;
    const putDocuments = [{ kind: 'account', record: { ...account, roles: [] } }] as const;
    await context.metadata.commit({ putDocuments });
    const refused = await codeOf(reopenVolume(context, DiskId, open));
    expect(refused).toBe('InvalidParameter.KMSKeyId.KMSUnauthorized');
    await context.metadata.commit({ putDocuments: [{ kind: 'account', record: account }] });
    const encryption = { ...disk.encryption!, wrappedKey: new Uint8Array(0), erasedAt: 1 };
    const layers = disk.layers.map((layer) => ({ ...layer, encryption }));
    await context.metadata.commit({ putDisks: [{ ...disk, encryption, layers }] });
    expect(await codeOf(reopenVolume(context, DiskId, open))).toBe('DataKeyErased');
    await context.metadata.commit({ removeDisks: [DiskId] });
    expect(await codeOf(reopenVolume(context, DiskId, open))).toBe('InvalidDiskId.NotFound');
    expect(opened).toEqual([]);
  });
});
