/** Lineage, key impact, crypto-erase, audit and usage: over the real metadata and KMS. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { attachDisk, detachDisk } from '../../../src/control/attach.ts';
import { BILLING_RULES, isCounted } from '../../../src/control/billing/billing-rules.ts';
import { callVerb } from '../../../src/control/call.ts';
import { layersOver } from '../../../src/control/layers.ts';
import { IMPACT_RULES } from '../../../src/control/lineage/impact-rules.ts';
import type { CommonParameters, Verbs } from '../../../src/control/verbs.ts';
import { readWrapKey } from '../../../src/kms/wrap.ts';
import { readWrappedKeyHead } from '../../../src/record/wrapped-key.ts';
import { type TestControl, testControl } from '../../support/control-context.ts';
import { image, instance } from '../meta/fixtures.ts';

const MONTH = '2026-01';

function caller({ context }: TestControl) {
  return <V extends keyof Verbs>(verb: V, parameters: Verbs[V]['parameters'] & CommonParameters) =>
    callVerb(context, context.principal, verb, parameters);
}

async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'not refused',
    (error: unknown) => (error instanceof PlaneError ? error.code : String(error)),
  );
}

/** A key, a disk under it, a snapshot of that, a disk from the snapshot. */
async function world() {
  const control = await testControl();
  const call = caller(control);
  const { KeyMetadata } = await call('CreateKey', {});
  const KMSKeyId = KeyMetadata.KeyId;
  const { DiskId } = await call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId });
  const { SnapshotId } = await call('CreateSnapshot', { DiskId });
  const made = await call('CreateDisk', { SnapshotId });
  const other = await call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId });
  const { context } = control;
  const attach = (diskId: string) =>
    attachDisk(context, context.principal, diskId, () => Promise.resolve('open'));
  return { control, call, context, attach, KMSKeyId, DiskId, SnapshotId, made, other };
}

describe('DescribeLineage', () => {
  it('shows what was deleted in between, with its key and when it was deleted', async () => {
    const { call, KMSKeyId, DiskId, SnapshotId, made } = await world();
    await call('DeleteSnapshot', { SnapshotId, Force: true });
    await call('DeleteDisk', { DiskId });
    const { Nodes, NextToken } = await call('DescribeLineage', { Id: made.DiskId });
    expect(NextToken).toBe('');
    expect(Nodes.map(({ Id, Relation, Depth }) => [Id, Relation, Depth])).toEqual([
      [made.DiskId, 'self', 0],
      [SnapshotId, 'ancestor', 1],
      [DiskId, 'ancestor', 2],
    ]);
    for (const node of Nodes) {
      expect(node.Layers).toEqual([{ Layer: 0, DataKeyId: DiskId, KMSKeyId, KeyVersion: 1 }]);
    }
    expect(Nodes[1]).toMatchObject({ Kind: 'snapshot', RegionId: 'cn-hangzhou', Status: '' });
    expect(Nodes[1]!.DeletionTime).not.toBe('');
    expect(Nodes[0]!.DeletionTime).toBe('');
  });

  it('of a key, a data key and a region is paged, each resource once', async () => {
    const { call, KMSKeyId, DiskId, SnapshotId, made, other } = await world();
    const all = async (parameters: Verbs['DescribeLineage']['parameters']) => {
      const ids: string[] = [];
      for (let token: string | undefined; token !== ''; ) {
        const more = token === undefined ? {} : { NextToken: token };
        const page = await call('DescribeLineage', { ...parameters, ...more, MaxResults: 1 });
        ids.push(...page.Nodes.map((node) => node.Id));
        token = page.NextToken;
      }
      return ids.sort();
    };
    const everything = [DiskId, SnapshotId, made.DiskId, other.DiskId].sort();
    expect(await all({ Id: KMSKeyId })).toEqual(everything);
    expect(await all({})).toEqual(everything);
    const family = [DiskId, SnapshotId, made.DiskId].sort();
    expect(await all({ DataKeyId: DiskId })).toEqual(family);
    expect(await all({ Id: DiskId })).toEqual(family);
  });

  it('refuses what is nothing, tokens of others, and both kinds of id at once', async () => {
    const { call, DiskId } = await world();
    const codes = await Promise.all(
      [
        { Id: 'd-00000000000000000000' },
        { Id: 'nothing' },
        { DataKeyId: 'nothing' },
        { Id: DiskId, NextToken: 'e30' },
        { Id: DiskId, NextToken: '!' },
        { Id: DiskId, NextToken: Buffer.from('{"phase":"list"').toString('base64url') },
        { Id: DiskId, DataKeyId: DiskId },
      ].map((parameters) => refusal(call('DescribeLineage', parameters))),
    );
    expect(codes).toEqual([...Array(6).fill('InvalidParameter'), 'InvalidParameter.Conflict']);
  });

  it("hides other accounts' resources", async () => {
    const { context, DiskId } = await world();
    const stranger = { ...context.principal, accountId: '1000000000000002' };
    const asked = callVerb(context, stranger, 'DescribeLineage', { Id: DiskId });
    expect(await refusal(asked)).toBe('InvalidParameter');
    expect((await callVerb(context, stranger, 'DescribeLineage', {})).Nodes).toEqual([]);
  });
});

describe('DescribeKeyImpact', () => {
  it('counts every layer, tells attached disks from others, and names dependents', async () => {
    const { call, context, attach, KMSKeyId, DiskId, SnapshotId, other } = await world();
    await attach(DiskId);
    const imageId = 'm-00000000000000000001';
    const instanceId = 'i-00000000000000000001';
    const { accountId } = context;
    // `other` is being moved to a second key: its lower layer still needs the first.
    const second = (await call('CreateKey', {})).KeyMetadata.KeyId;
    const disk = context.metadata.getDisk(other.DiskId)!;
    const encryption = { ...disk.encryption!, keyId: second };
    const layers = layersOver(disk.layers, other.DiskId, encryption);
    await context.metadata.commit({
      putDisks: [{ ...disk, encryption, layers, instanceId }],
      putDocuments: [
        { kind: 'image', record: image(imageId, [SnapshotId], { accountId }) },
        { kind: 'instance', record: instance(instanceId, imageId, { accountId }) },
      ],
    });
    const impact = await call('DescribeKeyImpact', { KeyId: KMSKeyId });
    expect(impact).toMatchObject({
      KeyState: 'Enabled',
      DiskCount: 3,
      AttachedDiskCount: 1,
      SnapshotCount: 1,
      NextToken: '',
    });
    const of = (id: string) => impact.Resources.find((each) => each.Id === id)!;
    expect(of(DiskId)).toMatchObject({ Now: 'serves on', Layers: [0], Dependents: [] });
    expect(of(other.DiskId)).toMatchObject({
      Layers: [1],
      Dependents: [{ Id: instanceId, Kind: 'instance', Next: 'start is refused' }],
    });
    expect(of(SnapshotId).Dependents).toMatchObject([{ Id: imageId, Kind: 'image' }]);
    const ofSecond = await call('DescribeKeyImpact', { KeyId: second });
    expect(ofSecond.Resources.map((each) => each.Id)).toEqual([other.DiskId]);
    const filtered = await call('DescribeDisks', { KMSKeyId });
    expect(filtered.Disks.map((each) => each.DiskId)).not.toContain(other.DiskId);
  });

  it('refuses a key there is not, and has one row for every kind and situation', async () => {
    const { call } = await world();
    const KeyId = 'key-00000000000000000000';
    expect(await refusal(call('DescribeKeyImpact', { KeyId }))).toBe('Forbidden.KeyNotFound');
    for (const kind of ['disk', 'snapshot', 'image', 'instance', 'task']) {
      for (const situation of ['in use', 'at rest']) {
        const rows = IMPACT_RULES.filter((row) => row.kind === kind && row.situation === situation);
        expect(rows).toHaveLength(1);
        expect(rows[0]!.source).not.toBe('');
      }
    }
  });
});

describe('EraseDataKey', () => {
  it('makes exactly the lineage of one data key unreadable, for ever', async () => {
    const { call, context, attach, DiskId, SnapshotId, made, other, KMSKeyId } = await world();
    const erase = { SnapshotId };
    expect(await refusal(call('EraseDataKey', erase))).toBe('InvalidParameter');
    expect(await refusal(call('EraseDataKey', { Force: true }))).toBe('InvalidParameter.Conflict');
    await attach(made.DiskId);
    const attached = call('EraseDataKey', { ...erase, Force: true });
    expect(await refusal(attached)).toBe('IncorrectDiskStatus');
    await detachDisk(context, made.DiskId);
    expect(await call('EraseDataKey', { ...erase, Force: true })).toEqual({
      DataKeyId: DiskId,
      ErasedResources: 3,
    });
    for (const refused of [
      attach(DiskId),
      attach(made.DiskId),
      call('CreateSnapshot', { DiskId }),
      call('CreateDisk', { SnapshotId }),
      call('CloneDisk', { SourceDiskId: made.DiskId }),
      call('EraseDataKey', { DiskId, Force: true }),
    ]) {
      expect(await refusal(refused)).toBe('DataKeyErased');
    }
    expect(context.metadata.getDisk(DiskId)!.encryption).toMatchObject({
      keyId: KMSKeyId,
      lineageId: DiskId,
      wrappedKey: new Uint8Array(0),
    });
    expect(await attach(other.DiskId)).toBe('open');
    const { Nodes } = await call('DescribeLineage', { Id: DiskId });
    expect(Nodes.map((node) => node.Layers[0]!.KeyVersion)).toEqual([0, 0, 0]);
    expect(context.metadata.check()).toEqual([]);
    await call('DeleteDisk', { DiskId: made.DiskId });
    expect(context.metadata.getDisk(made.DiskId)).toBeUndefined();
  });

  it('refuses plain disks', async () => {
    const { call } = await world();
    const { DiskId } = await call('CreateDisk', { Size: 1, Encrypted: false });
    expect(await refusal(call('EraseDataKey', { DiskId, Force: true }))).toBe('InvalidParameter');
  });
});

describe('the audit log', () => {
  it('tells of every writing call, done or refused, and of every use of a key', async () => {
    const { call, context, attach, KMSKeyId, DiskId } = await world();
    await attach(DiskId);
    await call('DescribeDisks', {});
    await refusal(call('DeleteDisk', { DiskId }));
    const { Events } = await call('LookupEvents', { ResourceId: DiskId });
    expect(
      Events.map((each) => [each.EventType, each.EventName, each.Outcome, each.Reason]),
    ).toEqual([
      ['Call', 'CreateDisk', 'OK', ''],
      ['KeyUse', 'WrapDataKey', 'OK', 'CreateDisk'],
      ['Call', 'CreateSnapshot', 'OK', ''],
      ['Call', 'AttachDisk', 'OK', ''],
      ['KeyUse', 'UnwrapDataKey', 'OK', 'AttachDisk'],
      ['Call', 'DeleteDisk', 'IncorrectDiskStatus', ''],
    ]);
    expect(Events[1]).toMatchObject({ KMSKeyId, KeyVersion: 1, Principal: 'root' });
    const all = (await call('LookupEvents', {})).Events;
    expect(all.map((each) => each.Sequence)).toEqual(all.map((_, index) => index + 1));
    expect(all[0]).toMatchObject({ EventName: 'CreateKey', KMSKeyId });
    const byKey = await call('LookupEvents', { KMSKeyId, EventName: 'UnwrapDataKey' });
    expect(byKey.Events).toHaveLength(1);
    const first = await call('LookupEvents', { MaxResults: 2 });
    const { NextToken } = first;
    const second = await call('LookupEvents', { MaxResults: 500, NextToken });
    expect([...first.Events, ...second.Events]).toEqual(all);
    const stranger = { ...context.principal, accountId: '1000000000000002' };
    expect((await callVerb(context, stranger, 'LookupEvents', { KMSKeyId })).Events).toEqual([]);
    const later = await call('LookupEvents', { StartTime: '2026-02-01T00:00:00Z' });
    expect(later.Events).toEqual([]);
    const earlier = await call('LookupEvents', { EndTime: '2026-01-01T00:00:00Z' });
    expect(earlier.Events).toEqual([]);
    expect(context.metadata.check()).toEqual([]);
  });

  it('has an entry in the transaction of the change, or neither', async () => {
    const { control, call, context, DiskId } = await world();
    const before = (await call('LookupEvents', {})).Events.length;
    control.failNext('shareTree');
    expect(await refusal(call('CreateSnapshot', { DiskId }))).toBe('ShardLost');
    const { Events } = await call('LookupEvents', {});
    expect(Events).toHaveLength(before + 1);
    expect(Events.at(-1)).toMatchObject({ EventName: 'CreateSnapshot', Outcome: 'ShardLost' });
    expect(context.metadata.check()).toEqual([]);
  });

  it('records a refused use of a key, and leaves the disk as it was', async () => {
    const { call, context, KMSKeyId, DiskId } = await world();
    await call('DisableKey', { KeyId: KMSKeyId });
    const opened = attachDisk(context, context.principal, DiskId, () =>
      Promise.reject(new PlaneError('Rejected.Disabled', 'the key is disabled')),
    );
    expect(await refusal(opened)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    const { Events } = await call('LookupEvents', { KMSKeyId, EventName: 'UnwrapDataKey' });
    expect(Events[0]?.Outcome).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    expect(context.metadata.getDisk(DiskId)?.status).toBe('Available');
  });

  it('tells which start, attach or refused start used a key, and of which version', async () => {
    const { call, KMSKeyId, DiskId } = await world();
    const image = {
      ImageId: 'debian_12_x64_20G_alibase_20250117.vhd',
      InstanceType: 'ecs.g7.large',
    };
    const { InstanceId } = await call('CreateInstance', image);
    await call('AttachDisk', { DiskId, InstanceId });
    await call('StartInstance', { InstanceId });
    await call('StopInstance', { InstanceId });
    const { Events } = await call('LookupEvents', { KMSKeyId, EventName: 'UnwrapDataKey' });
    const uses = Events.map((each) => [each.Reason, each.Outcome, each.KeyVersion]);
    expect(uses).toEqual([
      ['AttachDisk', 'OK', 1],
      ['StartInstance', 'OK', 1],
    ]);
  });

  it('reads of a wrapped key what the KMS thread does', async () => {
    const { context, DiskId } = await world();
    const { wrappedKey } = context.metadata.getDisk(DiskId)!.encryption!;
    expect(readWrappedKeyHead(wrappedKey)).toEqual(readWrapKey(wrappedKey));
    expect(readWrappedKeyHead(wrappedKey.subarray(0, 29))).toBeNull();
    expect(readWrappedKeyHead(new Uint8Array(90))).toBeNull();
  });
});

describe('usage', () => {
  it('counts the operations the documents name, billed under keys of the user only', async () => {
    const { call, attach, KMSKeyId, DiskId } = await world();
    await attach(DiskId);
    const service = await call('CreateDisk', { Size: 1, Encrypted: true });
    await call('CreateDisk', { Size: 1, Encrypted: false });
    const serviceKey = (await call('DescribeDisks', { DiskIds: [service.DiskId] })).Disks[0]!;
    const usage = await call('DescribeUsage', {});
    const lines = usage.Operations.map((line) => [line.KMSKeyId, line.Operation, line.Calls]);
    expect(lines).toHaveLength(4);
    expect(lines).toEqual(
      expect.arrayContaining([
        [KMSKeyId, 'CreateDisk', 3],
        [KMSKeyId, 'CreateSnapshot', 1],
        [KMSKeyId, 'AttachDisk', 1],
        [serviceKey.KMSKeyId, 'CreateDisk', 1],
      ]),
    );
    expect(usage).toMatchObject({
      Month: MONTH,
      RegionId: 'cn-hangzhou',
      CountedCalls: 6,
      BilledCalls: 5,
    });
    const other = await call('DescribeUsage', { Month: '2025-12' });
    expect(other).toMatchObject({ Operations: [], Keys: [], BilledKeyDays: 0 });
    expect(await refusal(call('DescribeUsage', { Month: '2026-13' }))).toBe('InvalidParameter');
  });

  it('has one rule for each item, every rule with its reason and its source', () => {
    const items = BILLING_RULES.map((rule) => rule.item);
    expect(new Set(items).size).toBe(items.length);
    for (const rule of BILLING_RULES) {
      expect(rule.because).not.toBe('');
      expect(rule.source).not.toBe('');
      expect(isCounted(rule.item)).toBe(rule.isCounted);
    }
    const named = 'CreateDisk CreateInstance RunInstances AttachDisk DetachDisk CreateSnapshot';
    for (const verb of `${named} ResetDisk ReInitDisk`.split(' ')) {
      expect(isCounted(verb)).toBe(true);
    }
    expect(isCounted('DescribeDisks')).toBe(false);
  });
});

describe('ExplainEncryption', () => {
  it('puts the question of the resource to the tables again', async () => {
    const { call, KMSKeyId, DiskId, SnapshotId } = await world();
    const disk = await call('ExplainEncryption', { ResourceId: DiskId });
    expect(disk).toMatchObject({ Outcome: 'specified', KMSKeyId });
    const snapshot = await call('ExplainEncryption', { ResourceId: SnapshotId });
    expect(snapshot).toMatchObject({ Outcome: 'source', KMSKeyId });
    const copy = await call('CopySnapshot', {
      SnapshotId,
      DestinationRegionId: 'cn-beijing',
      Encrypted: true,
    });
    const explained = await call('ExplainEncryption', {
      ResourceId: copy.SnapshotId,
      RegionId: 'cn-beijing',
    });
    expect(explained.Outcome).toBe('service');
    expect(explained.Lines[0]).toContain('snapshot copy-cross, source encrypted');
    const plain = await call('CreateDisk', { Size: 20 });
    const { Outcome, Lines } = await call('ExplainEncryption', { ResourceId: plain.DiskId });
    expect([Outcome, Lines.at(-1)]).toEqual(['none', '  now       stored in plain']);
  });

  it('has nothing to say of what was made as it is, or is not there', async () => {
    const { call, context, DiskId } = await world();
    const { question: _, ...disk } = context.metadata.getDisk(DiskId)!;
    await context.metadata.commit({ putDisks: [disk] });
    const told = call('ExplainEncryption', { ResourceId: DiskId });
    expect(await refusal(told)).toBe('InvalidParameter');
    const nothing = call('ExplainEncryption', { ResourceId: 's-00000000000000000000' });
    expect(await refusal(nothing)).toBe('InvalidSnapshotId.NotFound');
  });
});
