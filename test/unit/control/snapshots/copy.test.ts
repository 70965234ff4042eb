/** CopySnapshot: where, under which key, and what it leaves when it fails. */
import { describe, expect, it } from 'vitest';
import {
  ABROAD,
  codeOf,
  controlWorld,
  HOME,
  OWNER,
  STRANGER,
  turnDefaultEncryptionOn,
} from '../../../support/control-world.ts';

const NOT_ENABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';
const NOT_FOUND = 'InvalidParameter.KMSKeyId.NotFound';

async function copyWorld(encryption: 'plain' | 'service' | 'user', ruleSet?: '2018' | '2020') {
  const world = await controlWorld(ruleSet);
  const source = await world.snapshotOf(encryption);
  world.control.told.length = 0;
  const parameters = { SnapshotId: source.SnapshotId, DestinationRegionId: ABROAD };
  return { ...world, ...source, call: world.as(OWNER), parameters };
}

describe('a plain copy', () => {
  it('to another region shares the source’s trees and is accomplished at once', async () => {
    const { call, control, parameters, snapshot, SnapshotId, DiskId } = await copyWorld('plain');
    const copy = await call('CopySnapshot', {
      ...parameters,
      DestinationSnapshotName: 'abroad',
      DestinationSnapshotDescription: 'a copy',
      RetentionDays: 7,
      Tag: [{ Key: 'k', Value: 'v' }],
    });
    const record = snapshot(copy.SnapshotId);
    expect(record).toMatchObject({
      accountId: OWNER,
      regionId: ABROAD,
      name: 'abroad',
      description: 'a copy',
      tags: { k: 'v' },
      retentionDays: 7,
      sourceDiskId: DiskId,
      sourceSnapshotId: SnapshotId,
      sourceRegionId: HOME,
      status: 'accomplished',
      encryption: null,
      layers: [{ tree: copy.SnapshotId, encryption: null }],
    });
    const request = { op: 'shareTree', source: SnapshotId, target: copy.SnapshotId };
    expect(control.told).toEqual([{ shardIndex: record.shardIndex, request }]);
    expect(control.reencrypted).toEqual([]);
    const there = await call('DescribeSnapshots', { RegionId: ABROAD });
    expect(there.Snapshots).toMatchObject([
      { SnapshotId: copy.SnapshotId, SourceSnapshotId: SnapshotId, SourceRegionId: HOME },
    ]);
    expect((await call('DescribeSnapshots', {})).TotalCount).toBe(1);
  });

  it('has neither the tags nor the retention of its source', async () => {
    const { call, parameters, snapshot, DiskId } = await copyWorld('plain');
    const tagged = { DiskId, Tag: [{ Key: 'k', Value: 'v' }], RetentionDays: 9 };
    const { SnapshotId } = await call('CreateSnapshot', tagged);
    const copy = await call('CopySnapshot', { ...parameters, SnapshotId });
    expect(snapshot(copy.SnapshotId)).toMatchObject({ tags: {}, retentionDays: 0 });
  });

  it.each([
    ['plain', { DestinationRegionId: HOME }, 'InvalidOperation.NotSupportCopyInSameRegion'],
    ['service', {}, 'InvalidEncrypted.NotSupportDecrypt'],
    ['user', { Encrypted: false }, 'InvalidEncrypted.NotSupportDecrypt'],
    ['plain', { DestinationRegionId: 'nowhere' }, 'InvalidRegionId.NotFound'],
    ['plain', { DestinationRegionId: '' }, 'InvalidRegionId.NotFound'],
    ['plain', { DestinationRegionId: undefined }, 'MissingParameter'],
    ['plain', { SnapshotId: 's-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidSnapshotId.NotFound'],
    ['plain', { RegionId: ABROAD }, 'InvalidSnapshotId.NotFound'],
    ['plain', { Tag: [{ Key: 'aliyun' }] }, 'InvalidTagKey.Malformed'],
    ['plain', { DryRun: true }, 'DryRunOperation'],
    ['plain', { KMSKeyId: 'key-aaaaaaaaaaaaaaaaaaaa' }, 'InvalidEncrypted.NotMatchKmsKeyId'],
  ] as const)('of a %s snapshot with %j is refused with %s', async (encryption, more, code) => {
    const { refused, control, parameters } = await copyWorld(encryption);
    expect(await refused('CopySnapshot', { ...parameters, ...more })).toBe(code);
    expect(control.told).toEqual([]);
    expect(control.context.metadata.listSnapshots({}, 0, 10).total).toBe(1);
  });

  it('of another account’s snapshot is refused as if there were none', async () => {
    const { as, parameters } = await copyWorld('plain');
    const call = as(STRANGER)('CopySnapshot', parameters);
    expect(await codeOf(call)).toBe('InvalidSnapshotId.NotFound');
  });

  it('is refused where default encryption is on and Encrypted is false', async () => {
    const world = await copyWorld('plain');
    await turnDefaultEncryptionOn(world, ABROAD);
    const explicit = { ...world.parameters, Encrypted: false };
    expect(await world.refused('CopySnapshot', explicit)).toBe(
      'InvalidEncrypted.NotMatchDiskDefaultEncryption',
    );
  });
});

describe('Copy and Encrypt', () => {
  const regions = [
    ['in its region', HOME],
    ['to another region', ABROAD],
  ] as const;
  it.each(
    regions.flatMap(([where, regionId]) =>
      (['plain', 'service', 'user'] as const).map((kind) => [where, kind, regionId] as const),
    ),
  )('%s of a %s snapshot is under the service key there, by a new data key', async (...row) => {
    const [, encryption, regionId] = row;
    const { call, control, parameters, snapshot, SnapshotId } = await copyWorld(encryption);
    const source = snapshot(SnapshotId);
    const wanted = { ...parameters, DestinationRegionId: regionId, Encrypted: true };
    const copy = await call('CopySnapshot', wanted);
    const record = snapshot(copy.SnapshotId);
    const service = await control.context.kms.call({
      op: 'serviceKey',
      accountId: OWNER,
      regionId,
    });
    expect(record.encryption).toMatchObject({
      keyId: service.keyId,
      accountId: OWNER,
      regionId,
      lineageId: copy.SnapshotId,
    });
    expect(record.status).toBe('progressing');
    expect(record.layers).toEqual([
      { tree: copy.SnapshotId, encryption: record.encryption },
      { tree: `${copy.SnapshotId}.1`, encryption: source.encryption },
    ]);
    const request = { op: 'shareTree', source: SnapshotId, target: `${copy.SnapshotId}.1` };
    expect(control.told.map((each) => each.request)).toEqual([request]);
    expect(control.reencrypted).toEqual([copy.SnapshotId]);
  });

  it('is under the key given, which is one of the destination region', async () => {
    const { call, refused, parameters, snapshot } = await copyWorld('user');
    const there = await call('CreateKey', { RegionId: ABROAD });
    const here = await call('CreateKey', {});
    const wanted = { ...parameters, Encrypted: true };
    const KMSKeyId = there.KeyMetadata.KeyId;
    const copy = await call('CopySnapshot', { ...wanted, KMSKeyId });
    expect(snapshot(copy.SnapshotId).encryption?.keyId).toBe(KMSKeyId);
    const wrong = { ...wanted, KMSKeyId: here.KeyMetadata.KeyId };
    expect(await refused('CopySnapshot', wrong)).toBe(NOT_FOUND);
    await call('DisableKey', { KeyId: KMSKeyId, RegionId: ABROAD });
    expect(await refused('CopySnapshot', { ...wanted, KMSKeyId })).toBe(NOT_ENABLED);
  });

  it('is under the default key of the destination region where that is on', async () => {
    const world = await copyWorld('user');
    const { call, snapshot, parameters } = world;
    const { KeyMetadata } = await call('CreateKey', { RegionId: ABROAD });
    await turnDefaultEncryptionOn(world, ABROAD, KeyMetadata.KeyId);
    const copy = await call('CopySnapshot', { ...parameters, Encrypted: true });
    expect(snapshot(copy.SnapshotId).encryption?.keyId).toBe(KeyMetadata.KeyId);
  });

  it('of a plain snapshot happens unasked where default encryption is on', async () => {
    const world = await copyWorld('plain');
    await turnDefaultEncryptionOn(world, ABROAD);
    const copy = await world.call('CopySnapshot', world.parameters);
    expect(world.snapshot(copy.SnapshotId).encryption).not.toBe(null);
    expect(world.control.reencrypted).toEqual([copy.SnapshotId]);
  });

  it('is refused while the source’s key is disabled', async () => {
    const { call, refused, parameters, KMSKeyId } = await copyWorld('user');
    await call('DisableKey', { KeyId: KMSKeyId });
    const wanted = { ...parameters, Encrypted: true };
    expect(await refused('CopySnapshot', wanted)).toBe(NOT_ENABLED);
  });

  it('can be made disks of at once, and be copied when it is accomplished', async () => {
    const { call, control, refused, finish, parameters } = await copyWorld('plain');
    const copy = await call('CopySnapshot', {
      ...parameters,
      DestinationRegionId: HOME,
      Encrypted: true,
    });
    const { SnapshotId } = copy;
    const { DiskId } = await call('CreateDisk', { SnapshotId });
    expect(control.context.metadata.getDisk(DiskId)?.layers.length).toBe(2);
    const again = { SnapshotId, DestinationRegionId: ABROAD, Encrypted: true };
    expect(await refused('CopySnapshot', again)).toBe(
      'InvalidOperation.UnfinishedEncryptedSnapshotCopy',
    );
    const share = { SnapshotId, AccountId: STRANGER };
    expect(await refused('ShareSnapshot', share)).toBe('InvalidSnapshotId.NotReady');
    expect(await refused('CreateImage', { SnapshotId })).toBe('InvalidSnapshotId.NotReady');
    await finish(SnapshotId);
    await call('CopySnapshot', again);
  });

  it('shows how far it is by its task', async () => {
    const { call, control, parameters, finish } = await copyWorld('plain');
    const { SnapshotId } = await call('CopySnapshot', { ...parameters, Encrypted: true });
    const shown = async () => {
      const page = await call('DescribeSnapshots', { RegionId: ABROAD });
      return page.Snapshots.map(({ Status, Progress, Available }) => [Status, Progress, Available]);
    };
    expect(await shown()).toEqual([['progressing', '0%', true]]);
    const task = {
      taskId: 't-aaaaaaaaaaaaaaaaaaaa',
      groupId: 't-aaaaaaaaaaaaaaaaaaaa',
      accountId: OWNER,
      regionId: ABROAD,
      action: 'Reencrypt',
      resourceId: SnapshotId,
      state: 'running',
      code: '',
      doneSectors: 999,
      totalSectors: 1000,
      bytesPerSecond: 0,
      createdAt: 0,
      finishedAt: null,
    } as const;
    const { metadata } = control.context;
    await metadata.commit({ putDocuments: [{ kind: 'task', record: task }] });
    expect(await shown()).toEqual([['progressing', '99%', true]]);
    await finish(SnapshotId);
    expect(await shown()).toEqual([['accomplished', '100%', true]]);
  });

  it('leaves nothing when the shard or the metadata fails', async () => {
    const { call, control, parameters } = await copyWorld('plain');
    const { metadata } = control.context;
    const copy = () => codeOf(call('CopySnapshot', { ...parameters, Encrypted: true }));
    control.failNext('shareTree');
    expect(await copy()).toBe('ShardLost');
    const commit = metadata.commit.bind(metadata);
    metadata.commit = () => Promise.reject(new Error('the test says so'));
    expect(await copy()).toContain('the test says so');
    metadata.commit = commit;
    expect(control.told.map(({ request }) => request.op)).toEqual(['shareTree', 'removeTree']);
    expect(metadata.listSnapshots({}, 0, 10).total).toBe(1);
    expect(control.reencrypted).toEqual([]);
  });
});

describe('by the rules of 2018 and 2020', () => {
  it.each([
    ['2018', 'service', true],
    ['2018', 'plain', false],
    ['2020', 'user', true],
    ['2020', 'plain', false],
  ] as const)('of %s there are no copies of a %s snapshot', async (ruleSet, kind, Encrypted) => {
    const { refused, parameters } = await copyWorld(kind, ruleSet);
    const code = await refused('CopySnapshot', { ...parameters, Encrypted });
    expect(code).toBe('UnsupportedOperation');
  });
});
