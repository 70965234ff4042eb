/** The verbs: what they do, what they refuse and with which code, and that nothing is half done. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { attachDisk, detachDisk } from '../../../src/control/attach.ts';
import { callVerb } from '../../../src/control/call.ts';
import { reconcile } from '../../../src/control/reconcile.ts';
import type { Verbs } from '../../../src/control/verbs.ts';
import { type TestControl, testControl } from '../../support/control-context.ts';

const GIB = 2 ** 30;

async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'not refused',
    (error: unknown) => (error instanceof PlaneError ? error.code : String(error)),
  );
}

function caller({ context }: TestControl) {
  return <V extends keyof Verbs>(verb: V, parameters: Verbs[V]['parameters']) =>
    callVerb(context, context.principal, verb, parameters);
}

describe('parameters', () => {
  it.each([
    ['NoSuchVerb', {}, 'UnknownVerb'],
    ['constructor', {}, 'UnknownVerb'],
    ['CreateDisk', {}, 'MissingParameter'],
    ['DeleteDisk', {}, 'MissingParameter'],
    ['DeleteDisk', { DiskId: 5 }, 'InvalidParameter'],
    ['DeleteDisk', null, 'InvalidParameter'],
    ['CreateDisk', { Size: 0 }, 'InvalidSize.ValueNotSupported'],
    ['CreateDisk', { Size: 1.5 }, 'InvalidParameter'],
    ['CreateDisk', { Size: 65_537 }, 'InvalidSize.ValueNotSupported'],
    ['CreateDisk', { Size: '1' }, 'InvalidParameter'],
    ['CreateDisk', { Size: 1, Encrypted: 'true' }, 'InvalidParameter'],
    ['CreateDisk', { Size: 1, Sise: 2 }, 'InvalidParameter'],
    ['CreateDisk', { Size: 1, DiskName: 'x'.repeat(129) }, 'InvalidDiskName.Malformed'],
    ['DescribeDisks', { PageSize: 101 }, 'InvalidParameter'],
    ['DescribeDisks', { PageNumber: 0 }, 'InvalidParameter'],
    ['ScheduleKeyDeletion', { KeyId: 'x', PendingWindowInDays: 6 }, 'InvalidParameter'],
    ['ResetDisk', { DiskId: '../meta', SnapshotId: 'x' }, 'InvalidDiskId.NotFound'],
    ['DeleteSnapshot', { SnapshotId: 's-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidSnapshotId.NotFound'],
    ['CreateDisk', { SnapshotId: 'd-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidSnapshotId.NotFound'],
    ['CreateSnapshot', { DiskId: 'd-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidDiskId.NotFound'],
    ['CloneDisk', { SourceDiskId: 'nothing' }, 'InvalidDiskId.NotFound'],
    ['ResizeDisk', { DiskId: 'nothing', NewSize: 4 }, 'InvalidDiskId.NotFound'],
    ['DescribeKey', { KeyId: 'key-aaaaaaaaaaaaaaaaaaaa' }, 'Forbidden.KeyNotFound'],
    ['DescribeLineage', { Id: 'nothing' }, 'InvalidParameter'],
  ])('of %s %j are refused with %s', async (verb, parameters, code) => {
    const control = await testControl();
    const call = caller(control)(verb as keyof Verbs, parameters as never);
    expect(await refusal(call)).toBe(code);
    expect(control.told).toEqual([]);
  });

  it('are named in the refusal, with what was expected and what came', async () => {
    const call = caller(await testControl());
    await expect(call('CreateDisk', { Size: '0' } as never)).rejects.toThrow(/Size/);
    await expect(call('CreateDisk', { Sise: 1 } as never)).rejects.toThrow(/no parameter Sise/);
    await expect(call('DeleteDisk', {} as never)).rejects.toThrow(/DiskId/);
  });
});

describe('disks', () => {
  it('are made empty, described, resized and deleted', async () => {
    const control = await testControl();
    const call = caller(control);
    const { DiskId } = await call('CreateDisk', { Size: 4, DiskName: 'data' });
    const described = await call('DescribeDisks', { DiskIds: [DiskId, 'd-unknown'] });
    expect(described).toMatchObject({ TotalCount: 1, PageNumber: 1, PageSize: 10 });
    expect(described.Disks).toMatchObject([
      {
        DiskId,
        DiskName: 'data',
        RegionId: 'cn-hangzhou',
        Size: 4,
        Status: 'Available',
        Encrypted: false,
        KMSKeyId: '',
        SourceSnapshotId: '',
        CreationTime: '2026-01-31T12:00:00Z',
      },
    ]);
    const shrink = call('ResizeDisk', { DiskId, NewSize: 4 });
    expect(await refusal(shrink)).toBe('InvalidDiskSize.TooSmall');
    await call('ResizeDisk', { DiskId, NewSize: 5 });
    expect(control.resized).toEqual([[DiskId, 5 * GIB]]);
    await call('DeleteDisk', { DiskId });
    expect(control.told).toEqual([{ shardIndex: 0, request: { op: 'removeTree', name: DiskId } }]);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(0);
  });

  it('are spread over the shards', async () => {
    const control = await testControl();
    const made = await Promise.all(
      Array.from({ length: 10 }, () => caller(control)('CreateDisk', { Size: 1 })),
    );
    const shards = made.map(({ DiskId }) => control.context.metadata.getDisk(DiskId)?.shardIndex);
    expect(shards.filter((index) => index === 0).length).toBe(5);
  });

  it('are encrypted by the key asked for, or by the service key, which is made once', async () => {
    const control = await testControl();
    const call = caller(control);
    const { KeyMetadata } = await call('CreateKey', { Description: 'mine' });
    const KMSKeyId = KeyMetadata.KeyId;
    const own = await call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId });
    const first = await call('CreateDisk', { Size: 1, Encrypted: true });
    const second = await call('CreateDisk', { Size: 1, Encrypted: true });
    const key = (id: string) => control.context.metadata.getDisk(id)?.encryption;
    expect(key(own.DiskId)?.keyId).toBe(KMSKeyId);
    expect(key(first.DiskId)?.keyId).toBe(key(second.DiskId)?.keyId);
    expect(key(first.DiskId)?.wrappedKey).not.toEqual(key(second.DiskId)?.wrappedKey);
    const byKey = await call('DescribeDisks', { KMSKeyId });
    expect(byKey.Disks.map((disk) => disk.DiskId)).toEqual([own.DiskId]);
    const service = await call('DescribeKey', { KeyId: 'alias/acs/ecs' });
    expect(service.KeyMetadata.Creator).toBe('Ecs');
    const named = { Size: 1, Encrypted: true, KMSKeyId: 'alias/acs/ecs' };
    const byAlias = await call('CreateDisk', named);
    expect(key(byAlias.DiskId)?.keyId).toBe(service.KeyMetadata.KeyId);
  });

  it('are refused under a key that is unknown, disabled or to be deleted', async () => {
    const call = caller(await testControl());
    const make = (KMSKeyId: string) =>
      refusal(call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId }));
    expect(await make('key-aaaaaaaaaaaaaaaaaaaa')).toBe('InvalidParameter.KMSKeyId.NotFound');
    const { KeyMetadata } = await call('CreateKey', {});
    const KeyId = KeyMetadata.KeyId;
    await call('DisableKey', { KeyId });
    expect(await make(KeyId)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await call('EnableKey', { KeyId });
    await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    expect(await make(KeyId)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await call('CancelKeyDeletion', { KeyId });
    await call('EnableKey', { KeyId });
    expect(await make(KeyId)).toBe('not refused');
    expect(await refusal(call('CreateDisk', { Size: 1, KMSKeyId: KeyId }))).toBe(
      'InvalidParameter.EncryptedIllegal',
    );
    expect((await call('CreateKeyVersion', { KeyId })).KeyVersion.KeyVersionId).toBe('2');
    expect((await call('ListKeys', { PageSize: 1 })).Keys.length).toBe(1);
  });

  it('in use cannot be deleted or attached again until they are closed', async () => {
    const control = await testControl();
    const { context } = control;
    const { DiskId } = await caller(control)('CreateDisk', { Size: 1 });
    const opened = await attachDisk(
      context,
      context.principal,
      DiskId,
      async (record) => record.diskId,
    );
    expect(opened).toBe(DiskId);
    expect(await refusal(attachDisk(context, context.principal, DiskId, async () => null))).toBe(
      'IncorrectDiskStatus',
    );
    const remove = caller(control)('DeleteDisk', { DiskId });
    expect(await refusal(remove)).toBe('IncorrectDiskStatus');
    await detachDisk(context, DiskId);
    await detachDisk(context, DiskId);
    await detachDisk(context, 'd-gone');
    expect(context.metadata.getDisk(DiskId)?.status).toBe('Available');
  });
});

describe('attaching', () => {
  it('that fails leaves the disk available, and says so in the words of the ECS API', async () => {
    const control = await testControl();
    const { DiskId } = await caller(control)('CreateDisk', { Size: 1 });
    const open = async () => {
      throw new PlaneError('Rejected.Disabled', 'the key is disabled');
    };
    const code = await refusal(
      attachDisk(control.context, control.context.principal, DiskId, open),
    );
    expect(code).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    expect(control.context.metadata.getDisk(DiskId)?.status).toBe('Available');
  });

  it('lets a resize wait until the volume is open', async () => {
    const control = await testControl();
    const call = caller(control);
    const { DiskId } = await call('CreateDisk', { Size: 1 });
    const order: string[] = [];
    const attaching = attachDisk(control.context, control.context.principal, DiskId, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('open');
    });
    const resizing = call('ResizeDisk', { DiskId, NewSize: 2 }).then(() => order.push('resized'));
    await Promise.all([attaching, resizing]);
    expect(order).toEqual(['open', 'resized']);
    expect(control.context.metadata.getDisk(DiskId)?.status).toBe('In_use');
  });
});

describe('snapshots and clones', () => {
  async function withSnapshot(encrypted: boolean) {
    const control = await testControl();
    const call = caller(control);
    const { DiskId } = await call('CreateDisk', { Size: 2, Encrypted: encrypted });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId, SnapshotName: 'one' });
    return { control, call, DiskId, SnapshotId };
  }

  it('drain the disk, share its tree, and keep its key and shard', async () => {
    const { control, call, DiskId, SnapshotId } = await withSnapshot(true);
    const request = { op: 'shareTree', source: DiskId, target: SnapshotId };
    expect(control.told).toEqual([{ shardIndex: 0, request }]);
    expect(control.drained).toEqual([DiskId]);
    const clone = await call('CreateDisk', { SnapshotId });
    const direct = await call('CloneDisk', { SourceDiskId: DiskId, Size: 3 });
    const { metadata } = control.context;
    const source = metadata.getDisk(DiskId);
    for (const id of [clone.DiskId, direct.DiskId]) {
      expect(metadata.getDisk(id)?.encryption).toEqual(source?.encryption);
      expect(metadata.getDisk(id)?.shardIndex).toBe(source?.shardIndex);
    }
    const { Nodes } = await call('DescribeLineage', { Id: clone.DiskId });
    const from = Object.fromEntries(Nodes.map((node) => [node.Id, node.From]));
    expect(from[clone.DiskId]?.[0]).toBe(SnapshotId);
    expect(from[SnapshotId]?.[0]).toBe(DiskId);
    const { Snapshots } = await call('DescribeSnapshots', { DiskId });
    expect(Snapshots).toMatchObject([{ SnapshotId, SourceDiskSize: 2, Encrypted: true }]);
    expect((await call('DescribeSnapshots', { DiskId: 'nothing' })).TotalCount).toBe(0);
    const byId = await call('DescribeSnapshots', { SnapshotIds: [SnapshotId], DiskId });
    expect(byId.TotalCount).toBe(1);
  });

  it('refuse sizes below the source’s and encryption that is not the source’s', async () => {
    const { call, DiskId, SnapshotId } = await withSnapshot(true);
    const { KeyMetadata } = await call('CreateKey', {});
    const make = (parameters: object) => refusal(call('CreateDisk', { SnapshotId, ...parameters }));
    expect(await make({ Size: 1 })).toBe('InvalidDiskSize.TooSmall');
    expect(await refusal(call('CloneDisk', { SourceDiskId: DiskId, Size: 1 }))).toBe(
      'InvalidDiskSize.TooSmall',
    );
    expect(await make({ Encrypted: false })).toBe('InvalidEncrypted.NotMatchSnapshot');
    const { KeyId } = KeyMetadata;
    expect(await make({ KMSKeyId: KeyId })).toBe('InvalidParameter.EncryptedIllegal');
    expect(await make({ Encrypted: true, KMSKeyId: 'alias/acs/ecs', Size: 9 })).toBe('not refused');
  });

  it('are deleted by force when disks were made from them', async () => {
    const { control, call, SnapshotId } = await withSnapshot(false);
    await call('CreateDisk', { SnapshotId });
    expect(await refusal(call('DeleteSnapshot', { SnapshotId }))).toBe('SnapshotCreatedDisk');
    await call('DeleteSnapshot', { SnapshotId, Force: true });
    expect(control.told.at(-1)?.request).toEqual({ op: 'removeTree', name: SnapshotId });
    expect((await call('DescribeSnapshots', {})).TotalCount).toBe(0);
  });

  it('leave nothing behind when the shard or the metadata fails', async () => {
    const { control, call, DiskId, SnapshotId } = await withSnapshot(false);
    control.failNext('shareTree');
    expect(await refusal(call('CreateSnapshot', { DiskId }))).toBe('ShardLost');
    control.failNext('shareTree');
    expect(await refusal(call('CreateDisk', { SnapshotId }))).toBe('ShardLost');
    const { metadata } = control.context;
    const commit = metadata.commit.bind(metadata);
    const broken: typeof commit = async () => {
      throw new PlaneError('StoreFailed', 'the test says so');
    };
    for (const attempt of [
      () => call('CreateSnapshot', { DiskId }),
      () => call('CreateDisk', { SnapshotId }),
      () => call('CloneDisk', { SourceDiskId: DiskId }),
    ]) {
      metadata.commit = broken;
      expect(await refusal(attempt())).toBe('StoreFailed');
      metadata.commit = commit;
      const [shared, removed] = control.told.slice(-2);
      expect(shared?.request.op).toBe('shareTree');
      const target = (shared?.request as { target: string } | undefined)?.target;
      expect(removed?.request).toEqual({ op: 'removeTree', name: target });
    }
    expect((await call('DescribeDisks', {})).TotalCount).toBe(1);
    expect((await call('DescribeSnapshots', {})).TotalCount).toBe(1);
  });
});

describe('verbs at the same time', () => {
  it('on one disk take turns: of three deletions one finds it', async () => {
    const control = await testControl();
    const { DiskId } = await caller(control)('CreateDisk', { Size: 1 });
    const remove = () => refusal(caller(control)('DeleteDisk', { DiskId }));
    const said = await Promise.all([remove(), remove(), remove()]);
    expect(said).toEqual(['not refused', 'not refused', 'not refused']);
    const removals = control.told.filter(({ request }) => request.op === 'removeTree');
    expect(removals.length).toBe(1);
  });

  it('never snapshot a disk that is being deleted', async () => {
    const control = await testControl();
    const call = caller(control);
    const { DiskId } = await call('CreateDisk', { Size: 1 });
    const said = await Promise.all([
      refusal(call('DeleteDisk', { DiskId })),
      refusal(call('CreateSnapshot', { DiskId })),
    ]);
    expect(said).toEqual(['not refused', 'InvalidDiskId.NotFound']);
  });
});

describe('reconciling', () => {
  it('detaches what is in use, removes what is half made, names every tree', async () => {
    const control = await testControl();
    const { metadata } = control.context;
    const call = caller(control);
    const one = await call('CreateDisk', { Size: 1 });
    const two = await call('CreateDisk', { Size: 1 });
    const { SnapshotId } = await call('CreateSnapshot', { DiskId: one.DiskId });
    await attachDisk(control.context, control.context.principal, one.DiskId, async () => null);
    const half = metadata.getDisk(two.DiskId);
    if (half !== undefined) await metadata.commit({ putDisks: [{ ...half, status: 'Creating' }] });
    control.told.length = 0;
    await reconcile(control.context);
    expect(metadata.getDisk(one.DiskId)?.status).toBe('Available');
    expect(metadata.getDisk(two.DiskId)).toBeUndefined();
    const names = control.told.map(({ request }) =>
      request.op === 'retainTrees' ? [...request.names].sort() : null,
    );
    expect(names).toEqual([[one.DiskId, SnapshotId].sort(), []]);
  });

  it('commits before it tells a shard anything, also with nothing to put right', async () => {
    const control = await testControl();
    const { metadata } = control.context;
    const log: string[] = [];
    const { commit } = metadata;
    metadata.commit = async (change) => {
      await commit.call(metadata, change);
      log.push(`committed ${change.putDocuments?.map(({ kind }) => kind)}`);
    };
    const { shards } = control.context;
    const { call } = shards;
    shards.call = (index, request) => {
      log.push(request.op);
      return call.call(shards, index, request);
    };
    await reconcile(control.context);
    expect(log).toEqual(['committed account', 'retainTrees', 'retainTrees']);
    expect(metadata.check()).toEqual([]);
  });
});
