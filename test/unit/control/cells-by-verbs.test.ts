/**
 * Every cell of the tables of 2025, through the verbs: what a caller asks for is done as the cell
 * says, under the key it names, or refused with its code.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { callVerb } from '../../../src/control/call.ts';
import type { ControlContext, Principal } from '../../../src/control/context.ts';
import { explainTable, type TableEntry } from '../../../src/control/encryption/explain.ts';
import type { CommonParameters, Verbs } from '../../../src/control/verbs.ts';
import type { EncryptionRecord } from '../../../src/record/resource.ts';
import { testControl } from '../../support/control-context.ts';

const HOME = 'cn-hangzhou';
const ABROAD = 'cn-beijing';
const ENTRIES = explainTable('2025');

interface Keys {
  readonly specified: string;
  readonly default: string;
}

/** Two accounts; of each source a snapshot and an image, made before default encryption was on. */
interface CellWorld {
  readonly context: ControlContext;
  readonly own: Principal;
  readonly keys: Record<string, Keys>;
  readonly sourceKeyId: string;
  readonly diskIds: Record<string, string>;
  readonly snapshotIds: Record<string, string>;
  readonly imageIds: Record<string, string>;
  readonly instanceIds: Record<string, string>;
}

async function cellWorld(isDefaultOn: boolean): Promise<CellWorld> {
  const { context } = await testControl();
  const own: Principal = { accountId: '1000000000000001', userName: null, regionId: HOME };
  const other: Principal = { ...own, accountId: '1000000000000002' };
  const call = <V extends keyof Verbs>(
    principal: Principal,
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ): Promise<Verbs[V]['result']> => callVerb(context, principal, verb, parameters);
  const newKey = async (principal: Principal): Promise<string> =>
    (await call(principal, 'CreateKey', {})).KeyMetadata.KeyId;
  const sourceKeyId = await newKey(own);
  const world: CellWorld = {
    context,
    own,
    keys: {},
    sourceKeyId,
    diskIds: {},
    snapshotIds: {},
    imageIds: {},
    instanceIds: {},
  };
  for (const [name, principal, keyId] of [
    ['plain', own, null],
    ['encrypted', own, sourceKeyId],
    ['shared-plain', other, null],
    ['shared-encrypted', other, await newKey(other)],
  ] as const) {
    const encryption = keyId === null ? {} : { Encrypted: true, KMSKeyId: keyId };
    const { DiskId } = await call(principal, 'CreateDisk', { Size: 20, ...encryption });
    const { SnapshotId } = await call(principal, 'CreateSnapshot', { DiskId });
    const { ImageId } = await call(principal, 'CreateImage', { SnapshotId });
    world.diskIds[name] = DiskId;
    world.imageIds[name] = ImageId;
    world.snapshotIds[name] = SnapshotId;
    if (principal === own) {
      const wanted = { ImageId, InstanceType: 'ecs.g7.large' };
      world.instanceIds[name] = (await call(own, 'CreateInstance', wanted)).InstanceId;
    } else {
      const AccountId = own.accountId;
      const shared = await call(other, 'ShareSnapshot', { SnapshotId, AccountId });
      world.snapshotIds[name] = shared.SharedSnapshotId;
      await call(other, 'ModifyImageSharePermission', { ImageId, AddAccount: [AccountId] });
    }
  }
  for (const RegionId of [HOME, ABROAD]) {
    const principal = { ...own, regionId: RegionId };
    const keys = { specified: await newKey(principal), default: await newKey(principal) };
    world.keys[RegionId] = keys;
    if (!isDefaultOn) continue;
    await call(principal, 'EnableDiskEncryptionByDefault', {});
    await call(principal, 'ModifyDiskDefaultKMSKeyId', { KMSKeyId: keys.default });
  }
  return world;
}

const regionOf = (entry: TableEntry): string => (entry.action === 'copy-cross' ? ABROAD : HOME);

/** Does what the cell is about. @returns how what was made is encrypted, of an image each of it */
async function perform(
  world: CellWorld,
  entry: TableEntry,
): Promise<readonly (EncryptionRecord | null)[]> {
  const { context, own } = world;
  const { resource, action, source, encrypt, key } = entry;
  const DestinationRegionId = regionOf(entry);
  const asked = {
    ...(encrypt === true ? { Encrypted: true } : {}),
    ...(key ? { KMSKeyId: world.keys[DestinationRegionId]!.specified } : {}),
  };
  const call = (verb: keyof Verbs, parameters: object): Promise<unknown> =>
    callVerb(context, own, verb, parameters as never);
  const of = (id: string): EncryptionRecord | null =>
    (context.metadata.getDisk(id) ?? context.metadata.getSnapshot(id))!.encryption;
  if (resource === 'disk') {
    const SnapshotId = world.snapshotIds[source];
    const content = source === 'empty' ? { Size: 20 } : { SnapshotId };
    const made = (await call('CreateDisk', { ...content, ...asked })) as { DiskId: string };
    return [of(made.DiskId)];
  }
  if (resource === 'snapshot') {
    const from = { SnapshotId: world.snapshotIds[source], DestinationRegionId };
    const isCopy = action !== 'create';
    const parameters = isCopy ? from : { DiskId: world.diskIds[source] };
    const verb = isCopy ? 'CopySnapshot' : 'CreateSnapshot';
    const made = (await call(verb, { ...parameters, ...asked })) as { SnapshotId: string };
    return [of(made.SnapshotId)];
  }
  const from = { ImageId: world.imageIds[source], DestinationRegionId };
  const isCopy = action !== 'create';
  const parameters = isCopy ? from : { InstanceId: world.instanceIds[source] };
  const verb = isCopy ? 'CopyImage' : 'CreateImage';
  const { ImageId } = (await call(verb, { ...parameters, ...asked })) as { ImageId: string };
  const { devices } = context.metadata.getDocument('image', ImageId)!;
  return devices.map(({ snapshotId }) => of(snapshotId!));
}

async function refusalOf(done: Promise<unknown>): Promise<string> {
  return done.then(
    () => 'not refused',
    (error: unknown) => (error instanceof PlaneError ? error.code : String(error)),
  );
}

const titleOf = ({ resource, action, source, encrypt, key, outcome }: TableEntry): string =>
  `${resource} ${action} of ${source}, encrypt ${encrypt}, key ${key}: ${outcome}`;

describe.each([false, true])('with default encryption on: %s', (isDefaultOn) => {
  let world: CellWorld;
  beforeAll(async () => {
    world = await cellWorld(isDefaultOn);
  });
  const entries = ENTRIES.filter((entry) => entry.default === isDefaultOn);

  test('the cells are half of the 152', () => {
    expect(entries).toHaveLength(76);
  });

  test.each(entries.map((entry) => [titleOf(entry), entry] as const))('%s', async (_, entry) => {
    if (entry.outcome === 'na') {
      const code = await refusalOf(perform(world, entry));
      // Creating a snapshot or an image has no parameter for a key: the call is not even read.
      const hasNoKey = entry.action === 'create' && entry.resource !== 'disk';
      expect(code).toBe(hasNoKey ? 'InvalidParameter' : entry.code);
      return;
    }
    const made = await perform(world, entry);
    const keys = world.keys[regionOf(entry)]!;
    const serviceKey = await world.context.kms.call({
      op: 'serviceKey',
      accountId: world.own.accountId,
      regionId: regionOf(entry),
    });
    const expected = {
      none: null,
      default: keys.default,
      specified: keys.specified,
      service: serviceKey.keyId,
      source: world.sourceKeyId,
    }[entry.outcome];
    for (const encryption of made) expect(encryption?.keyId ?? null).toBe(expected);
  });
});
