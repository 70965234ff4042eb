/** DryRun: every verb there is changes nothing, and those that would pass say so. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ensureAccount } from '../../../../src/control/access/accounts.ts';
import { callVerb, verbFacts } from '../../../../src/control/call.ts';
import type { PlaneContext, Principal } from '../../../../src/control/context.ts';
import { type KeyValueStore, scan } from '../../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../../src/kv/memory-store.ts';
import { metadataOver } from '../../../../src/meta/metadata.ts';
import { type TestControl, testControl } from '../../../support/control-context.ts';
import { refusal } from './refusal.ts';

interface SeededWorld {
  readonly control: TestControl;
  readonly context: PlaneContext;
  readonly principal: Principal;
  readonly store: KeyValueStore;
  readonly ids: { readonly disk: string; readonly snapshot: string; readonly key: string };
}

async function seededWorld(): Promise<SeededWorld> {
  const control = await testControl();
  const store = openMemoryStore();
  const { principal } = control.context;
  const context = { ...control.context, metadata: metadataOver(store) };
  await ensureAccount(context.metadata, principal.accountId, 0);
  const call = callVerb.bind(null, context, principal);
  const { KeyMetadata } = (await call('CreateKey', {})) as { KeyMetadata: { KeyId: string } };
  const { DiskId } = (await call('CreateDisk', { Size: 20, Encrypted: true })) as {
    DiskId: string;
  };
  const { SnapshotId } = (await call('CreateSnapshot', { DiskId })) as { SnapshotId: string };
  await call('EnableDiskEncryptionByDefault', { RegionId: 'cn-beijing' });
  return {
    control,
    context,
    principal,
    store,
    ids: { disk: DiskId, snapshot: SnapshotId, key: KeyMetadata.KeyId },
  };
}

/** Parameters with which a verb would pass, in the world above. */
const PARAMETERS: Readonly<Record<string, (ids: SeededWorld['ids']) => object>> = {
  CreateDisk: () => ({ Size: 20 }),
  CloneDisk: ({ disk }) => ({ SourceDiskId: disk }),
  ResizeDisk: ({ disk }) => ({ DiskId: disk, NewSize: 40 }),
  DeleteDisk: ({ disk }) => ({ DiskId: disk }),
  CreateSnapshot: ({ disk }) => ({ DiskId: disk }),
  DeleteSnapshot: ({ snapshot }) => ({ SnapshotId: snapshot }),
  CreateKey: () => ({}),
  DisableKey: ({ key }) => ({ KeyId: key }),
  EnableKey: ({ key }) => ({ KeyId: key }),
  CreateKeyVersion: ({ key }) => ({ KeyId: key }),
  ScheduleKeyDeletion: ({ key }) => ({ KeyId: key, PendingWindowInDays: 7 }),
  EnableDiskEncryptionByDefault: () => ({}),
  DisableDiskEncryptionByDefault: () => ({ RegionId: 'cn-beijing' }),
  ModifyDiskDefaultKMSKeyId: () => ({ RegionId: 'cn-beijing', KMSKeyId: 'alias/acs/ecs' }),
  ResetDiskDefaultKMSKeyId: () => ({ RegionId: 'cn-beijing' }),
  TagResources: ({ disk }) => ({
    ResourceType: 'disk',
    ResourceId: [disk],
    Tag: [{ Key: 'a', Value: 'b' }],
  }),
  UntagResources: ({ disk }) => ({ ResourceType: 'disk', ResourceId: [disk], All: true }),
};

function contentOf(store: KeyValueStore): [string, string][] {
  const content: [string, string][] = [];
  scan(store, '', (key, value) => content.push([key, Buffer.from(value).toString('hex')]));
  return content;
}

describe('a call with DryRun', () => {
  let world: SeededWorld;
  beforeEach(async () => {
    world = await seededWorld();
  });
  const everything = async ({ store, control, context, principal }: SeededWorld) => ({
    metadata: contentOf(store),
    told: control.told.length,
    resized: control.resized.length,
    reencrypted: control.reencrypted.length,
    keys: await callVerb(context, principal, 'ListKeys', { PageSize: 100 }),
  });
  const dryRun = ({ context, principal }: SeededWorld, name: string, parameters: object) =>
    refusal(() =>
      callVerb(context, principal, name as 'CreateDisk', { ...parameters, DryRun: true } as never),
    );

  it.each(verbFacts())('of $name changes nothing', async ({ name, service }) => {
    const before = await everything(world);
    const parameters = PARAMETERS[name]?.(world.ids);
    const code = await dryRun(world, name, parameters ?? {});
    expect(await everything(world)).toEqual(before);
    expect(code).not.toBe('not refused');
    if (parameters === undefined) return;
    expect(code).toBe(service === 'kms' ? 'DryRunOperationError' : 'DryRunOperation');
  });

  it('that would be refused is refused with what it would have been', async () => {
    expect(await dryRun(world, 'CreateDisk', {})).toBe('MissingParameter');
    expect(await dryRun(world, 'ResizeDisk', { DiskId: 'd-x', NewSize: 9 })).toBe(
      'InvalidDiskId.NotFound',
    );
    const nowhere = { Size: 20, RegionId: 'nowhere' };
    expect(await dryRun(world, 'CreateDisk', nowhere)).toBe('InvalidRegionId.NotFound');
    const again = { RegionId: 'cn-beijing' };
    expect(await dryRun(world, 'EnableDiskEncryptionByDefault', again)).toBe(
      'InvalidOperation.DefaultEncryptionAlreadyEnabled',
    );
  });

  it('of a verb that reads answers that it would have been done', async () => {
    expect(await dryRun(world, 'DescribeDisks', {})).toBe('DryRunOperation');
    expect(await dryRun(world, 'DescribeRegions', {})).toBe('DryRunOperation');
  });

  it('uses no token', async () => {
    const { context, principal } = world;
    const once = { Size: 20, ClientToken: 't' };
    expect(await dryRun(world, 'CreateDisk', once)).toBe('DryRunOperation');
    expect(await dryRun(world, 'CreateDisk', { ...once, Size: 30 })).toBe('DryRunOperation');
    expect(await refusal(() => callVerb(context, principal, 'CreateDisk', once))).toBe(
      'not refused',
    );
  });
});
