/**
 * Every cell of the tables of 2025, through the official SDK and over HTTP: what a caller asks for
 * is done as the cell says, under the key it names, or refused with its code.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainTable, type PlaneSession, type TableEntry } from '../../dist/src/index.js';
import { type ApiSubject, startApi } from '../support/api-subject.ts';
import { callBySdk, type EcsClient, ecsClient } from '../support/official-sdk.ts';

const HOME = 'cn-hangzhou';
const ABROAD = 'cn-beijing';
const OWN = '1000000000000001';
const OTHER = '1000000000000002';

/** A snapshot or an image is made without a choice: the operation has no such parameters. */
const hasChoice = ({ action, resource }: TableEntry): boolean =>
  action !== 'create' || resource === 'disk';
const ENTRIES = explainTable('2025').filter(
  (entry) => hasChoice(entry) || (!entry.key && entry.encrypt !== true),
);

interface CellWorld {
  readonly api: ApiSubject;
  readonly client: EcsClient;
  readonly sourceKeyId: string;
  /** By region. */
  readonly keys: Record<string, { specified: string; default: string; service: string }>;
  /** By the name of the source. */
  readonly ids: Record<string, Record<'DiskId' | 'SnapshotId' | 'ImageId' | 'InstanceId', string>>;
}

async function newKey(session: PlaneSession): Promise<string> {
  return (await session.call('CreateKey', {})).KeyMetadata.KeyId;
}

/** Sources are made by the library, before default encryption is on. */
async function cellWorld(isDefaultOn: boolean): Promise<CellWorld> {
  const api = await startApi({}, { world: { accounts: [{ id: OTHER }] } });
  const own = api.plane.as({ accountId: OWN });
  const other = api.plane.as({ accountId: OTHER });
  const sourceKeyId = await newKey(own);
  const ids: CellWorld['ids'] = {};
  for (const [name, session, keyId] of [
    ['plain', own, null],
    ['encrypted', own, sourceKeyId],
    ['shared-plain', other, null],
    ['shared-encrypted', other, await newKey(other)],
  ] as const) {
    const encryption = keyId === null ? {} : { Encrypted: true, KMSKeyId: keyId };
    const { DiskId } = await session.call('CreateDisk', { Size: 20, ...encryption });
    const { SnapshotId } = await session.call('CreateSnapshot', { DiskId });
    const { ImageId } = await session.call('CreateImage', { SnapshotId });
    const made = { DiskId, SnapshotId, ImageId, InstanceId: '' };
    ids[name] = made;
    if (session === own) {
      const wanted = { ImageId, InstanceType: 'ecs.g7.large' };
      made.InstanceId = (await own.call('CreateInstance', wanted)).InstanceId;
    } else {
      const shared = await other.call('ShareSnapshot', { SnapshotId, AccountId: OWN });
      made.SnapshotId = shared.SharedSnapshotId;
      await other.call('ModifyImageSharePermission', { ImageId, AddAccount: [OWN] });
    }
  }
  const keys: CellWorld['keys'] = {};
  for (const regionId of [HOME, ABROAD]) {
    const session = api.plane.as({ accountId: OWN, regionId });
    const probe = { Size: 20, Encrypted: true };
    const { DiskId } = await session.call('CreateDisk', probe);
    const { Disks } = await session.call('DescribeDisks', { DiskIds: [DiskId] });
    const service = Disks[0]!.KMSKeyId;
    keys[regionId] = { specified: await newKey(session), default: await newKey(session), service };
    if (!isDefaultOn) continue;
    await session.call('EnableDiskEncryptionByDefault', {});
    await session.call('ModifyDiskDefaultKMSKeyId', { KMSKeyId: keys[regionId].default });
  }
  return { api, client: ecsClient(api.port), sourceKeyId, keys, ids };
}

const regionOf = (entry: TableEntry): string => (entry.action === 'copy-cross' ? ABROAD : HOME);

/** Does what the cell is about, by the SDK. @returns the keys of what was made; empty: plain */
async function perform(world: CellWorld, entry: TableEntry): Promise<readonly string[]> {
  const { client, keys, ids } = world;
  const { resource, action, source, encrypt, key } = entry;
  const DestinationRegionId = regionOf(entry);
  const call = (operation: string, parameters: Record<string, unknown>) =>
    callBySdk(client, operation, { RegionId: HOME, ...parameters });
  const asked = {
    ...(encrypt === true ? { Encrypted: true } : {}),
    ...(key ? { KMSKeyId: keys[DestinationRegionId]!.specified } : {}),
  };
  const from = ids[source];
  if (resource === 'disk') {
    const content = source === 'empty' ? { Size: 20 } : { SnapshotId: from!.SnapshotId };
    const { DiskId } = await call('CreateDisk', { ...content, ...asked });
    const { Disks } = await call('DescribeDisks', { DiskIds: JSON.stringify([DiskId]) });
    return (Disks as Wrapped).Disk!.map(keyOf);
  }
  const snapshotKeys = async (snapshotIds: readonly unknown[]): Promise<string[]> => {
    const SnapshotIds = JSON.stringify(snapshotIds);
    const wanted = { RegionId: DestinationRegionId, SnapshotIds };
    const { Snapshots } = await call('DescribeSnapshots', wanted);
    return (Snapshots as Wrapped).Snapshot!.map(keyOf);
  };
  if (resource === 'snapshot') {
    const { SnapshotId, DiskId } = from!;
    const names = { DestinationSnapshotName: 'copy', DestinationSnapshotDescription: 'copy' };
    const copy = { SnapshotId, DestinationRegionId, ...names, ...asked };
    const made = await (action === 'create'
      ? call('CreateSnapshot', { DiskId })
      : call('CopySnapshot', copy));
    return snapshotKeys([made.SnapshotId]);
  }
  const { ImageId, InstanceId } = from!;
  const made = await (action === 'create'
    ? call('CreateImage', { InstanceId })
    : call('CopyImage', { ImageId, DestinationRegionId, ...asked }));
  const wanted = { RegionId: DestinationRegionId, ImageId: made.ImageId };
  const { Images } = await call('DescribeImages', wanted);
  const [image] = (Images as Wrapped).Image!;
  const devices = (image!.DiskDeviceMappings as Wrapped).DiskDeviceMapping!;
  return snapshotKeys(devices.map(({ SnapshotId }) => SnapshotId));
}

type Wrapped = Record<string, Record<string, unknown>[]>;

function keyOf({ Encrypted, KMSKeyId }: Record<string, unknown>): string {
  return Encrypted === true ? String(KMSKeyId) : '';
}

const titleOf = ({ resource, action, source, encrypt, key, outcome }: TableEntry): string =>
  `${resource} ${action} of ${source}, encrypt ${encrypt}, key ${key}: ${outcome}`;

describe.each([false, true])('with default encryption on: %s', (isDefaultOn) => {
  let world: CellWorld;
  beforeAll(async () => {
    world = await cellWorld(isDefaultOn);
  });
  afterAll(async () => {
    expect(world.api.bugs).toEqual([]);
    await world.api[Symbol.asyncDispose]();
  });
  const entries = ENTRIES.filter((entry) => entry.default === isDefaultOn);

  test.each(entries.map((entry) => [titleOf(entry), entry] as const))('%s', async (_, entry) => {
    if (entry.outcome === 'na') {
      const refused = perform(world, entry);
      await expect(refused).rejects.toMatchObject({ code: entry.code });
      return;
    }
    const keys = world.keys[regionOf(entry)]!;
    const expected = { none: '', source: world.sourceKeyId, ...keys }[entry.outcome];
    expect(new Set(await perform(world, entry))).toEqual(new Set([expected]));
  });
});
