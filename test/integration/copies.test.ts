/**
 * The data behind snapshots, copies and images, over both stores: in another region, of another
 * account, under another key, and without the key it was under before.
 */
import { type Disk, openPlane, type Plane, type PlaneSession } from 'sealdisk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 1024 * 1024;
const SPAN = 6 * MIB;
const HOME = 'cn-hangzhou';
const ABROAD = 'cn-beijing';
const RECIPIENT = '2000000000000002';

const temporary = tempDir();
const world = { accounts: [{ id: RECIPIENT }] };
const stores = {
  memory: () => openPlane({ memory: true, world }),
  file: () => openPlane({ dataDir: `${temporary.path}/plane`, world }),
};

function pattern(seed: number): Uint8Array {
  const bytes = new Uint8Array(SPAN);
  createPrng(seed).fill(bytes);
  // A hole, and a sector that is written in part.
  bytes.fill(0, MIB, 2 * MIB);
  return bytes;
}

async function fill(disk: Disk, bytes: Uint8Array): Promise<void> {
  await disk.write(0, bytes.subarray(0, MIB));
  await disk.write(2 * MIB, bytes.subarray(2 * MIB));
}

async function newKey(session: PlaneSession, RegionId = HOME): Promise<string> {
  return (await session.call('CreateKey', { RegionId })).KeyMetadata.KeyId;
}

/** A disk with a pattern on it, and a snapshot; the disk has changed since. */
async function snapshotOf(session: PlaneSession, seed: number, KMSKeyId: string | null) {
  const encryption = KMSKeyId === null ? {} : { Encrypted: true, KMSKeyId };
  const { DiskId } = await session.call('CreateDisk', { Size: 20, ...encryption });
  const bytes = pattern(seed);
  await using disk = await session.attach(DiskId);
  await fill(disk, bytes);
  const { SnapshotId } = await session.call('CreateSnapshot', { DiskId });
  await disk.write(0, new Uint8Array(SPAN).fill(0xee));
  return { DiskId, SnapshotId, bytes };
}

/** A disk of the snapshot holds these bytes. */
async function expectContent(
  session: PlaneSession,
  SnapshotId: string,
  bytes: Uint8Array,
  more: { Encrypted?: boolean; KMSKeyId?: string } = {},
): Promise<string> {
  const { DiskId } = await session.call('CreateDisk', { SnapshotId, ...more });
  await expectDisk(session, DiskId, bytes);
  return DiskId;
}

async function expectDisk(session: PlaneSession, DiskId: string, bytes: Uint8Array) {
  await using disk = await session.attach(DiskId);
  expectBytes(await disk.read(0, SPAN), bytes);
  expectBytes(await disk.read(SPAN, 4096), new Uint8Array(4096));
}

/** Until no task of the session's account in a region runs. */
async function untilEncrypted(session: PlaneSession, RegionId = HOME): Promise<void> {
  for (let looks = 0; looks < 600; looks++) {
    const { Tasks } = await session.call('DescribeTasks', { RegionId, PageSize: 100 });
    if (Tasks.every(({ TaskStatus }) => TaskStatus === 'Finished')) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the tasks did not finish in 15 s');
}

describe.each(Object.entries(stores))('copies on the %s store', (_name, open) => {
  let plane: Plane;
  const session = (accountId: string, regionId: string) => plane.as({ accountId, regionId });
  const there = () => plane.as({ accountId: '1000000000000001', regionId: ABROAD });
  beforeAll(async () => {
    plane = await open();
  });
  afterAll(async () => {
    const { problems } = await plane.check();
    await plane.close();
    expect(problems).toEqual([]);
  });

  it('of a plain snapshot hold its data in another region', async () => {
    const { SnapshotId, bytes } = await snapshotOf(plane, 1, null);
    const copy = await plane.call('CopySnapshot', { SnapshotId, DestinationRegionId: ABROAD });
    await expectContent(there(), copy.SnapshotId, bytes);
    await plane.call('DeleteSnapshot', { SnapshotId });
    await expectContent(there(), copy.SnapshotId, bytes);
  });

  it.each([
    ['a plain', HOME, false],
    ['a plain', ABROAD, false],
    ['an encrypted', HOME, true],
    ['an encrypted', ABROAD, true],
  ] as const)(
    'of %s snapshot, encrypted in %s, can be used at once and need no other key',
    async (_what, region, isEncrypted) => {
      const oldKey = isEncrypted ? await newKey(plane) : null;
      const { SnapshotId, bytes } = await snapshotOf(plane, 2, oldKey);
      const KMSKeyId = await newKey(plane, region);
      const where = session('1000000000000001', region);
      const wanted = { SnapshotId, DestinationRegionId: region, Encrypted: true, KMSKeyId };
      const copy = await plane.call('CopySnapshot', wanted);
      const early = await expectContent(where, copy.SnapshotId, bytes);
      await untilEncrypted(where, region);
      const shown = await where.call('DescribeSnapshots', { SnapshotIds: [copy.SnapshotId] });
      expect(shown.Snapshots).toMatchObject([
        { Status: 'accomplished', Progress: '100%', Encrypted: true, KMSKeyId },
      ]);
      if (oldKey !== null) {
        await plane.call('ScheduleKeyDeletion', { KeyId: oldKey, PendingWindowInDays: 7 });
      }
      await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
      await expectDisk(where, early, bytes);
      await expectContent(where, copy.SnapshotId, bytes);
      await where.call('DisableKey', { KeyId: KMSKeyId });
      expect(await codeOf(where.attach(early))).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    },
  );

  it('of a shared snapshot are the recipient’s own when the sharing has ended', async () => {
    const KMSKeyId = await newKey(plane);
    const { SnapshotId, bytes } = await snapshotOf(plane, 3, KMSKeyId);
    const recipient = session(RECIPIENT, HOME);
    const share = { SnapshotId, AccountId: RECIPIENT };
    const { SharedSnapshotId } = await plane.call('ShareSnapshot', share);
    const ownKey = await newKey(recipient);
    const made = await expectContent(recipient, SharedSnapshotId, bytes, {
      Encrypted: true,
      KMSKeyId: ownKey,
    });
    const wanted = { SnapshotId: SharedSnapshotId, DestinationRegionId: HOME, Encrypted: true };
    const copy = await recipient.call('CopySnapshot', wanted);
    await untilEncrypted(recipient);
    await plane.call('UnshareSnapshot', share);
    await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
    await plane.call('ScheduleKeyDeletion', { KeyId: KMSKeyId, PendingWindowInDays: 7 });
    await expectDisk(recipient, made, bytes);
    await expectContent(recipient, copy.SnapshotId, bytes);
    const code = await codeOf(recipient.call('CreateDisk', { SnapshotId: SharedSnapshotId }));
    expect(code).toBe('InvalidSnapshotId.NotFound');
  });

  it('of an image hold the data of every disk, in another region and account', async () => {
    const one = await snapshotOf(plane, 4, null);
    const two = await snapshotOf(plane, 5, null);
    const image = await plane.call('CreateImage', {
      DiskDeviceMapping: [{ SnapshotId: one.SnapshotId }, { SnapshotId: two.SnapshotId }],
    });
    const abroad = await plane.call('CopyImage', { ...image, DestinationRegionId: ABROAD });
    const add = { ...image, AddAccount: [RECIPIENT] };
    await plane.call('ModifyImageSharePermission', add);
    const recipient = session(RECIPIENT, HOME);
    const sealed = await recipient.call('CopyImage', { ...image, Encrypted: true });
    for (const [where, ImageId] of [
      [there(), abroad.ImageId],
      [recipient, sealed.ImageId],
    ] as const) {
      await untilEncrypted(where, where === recipient ? HOME : ABROAD);
      const { Images } = await where.call('DescribeImages', { ImageId });
      const devices = Images[0]?.DiskDeviceMappings ?? [];
      expect(devices.map(({ Encrypted }) => Encrypted)).toEqual(Array(2).fill(where === recipient));
      await expectContent(where, devices[0]?.SnapshotId ?? '', one.bytes);
      await expectContent(where, devices[1]?.SnapshotId ?? '', two.bytes);
    }
  });

  it('of an instance’s disks are in the image made of it', async () => {
    const { SnapshotId, bytes } = await snapshotOf(plane, 6, null);
    const { InstanceIdSets } = await plane.call('RunInstances', {
      ImageId: 'debian_12_x64_20G_alibase_20250117.vhd',
      InstanceType: 'ecs.g7.large',
      DataDisk: [{ SnapshotId, Encrypted: true }],
    });
    const InstanceId = InstanceIdSets[0] ?? '';
    const { ImageId } = await plane.call('CreateImage', { InstanceId });
    await untilEncrypted(plane);
    const { Images } = await plane.call('DescribeImages', { ImageId });
    const [system, extra] = Images[0]?.DiskDeviceMappings ?? [];
    expect([system?.Type, system?.Encrypted]).toEqual(['system', false]);
    expect([extra?.Type, extra?.Encrypted]).toEqual(['data', true]);
    await expectContent(plane, extra?.SnapshotId ?? '', bytes);
  });
});

describe('a plane that is closed while a copy is being encrypted', () => {
  it('goes on with it when it is opened again', async () => {
    const dataDir = `${temporary.path}/reopened`;
    let plane = await openPlane({ dataDir });
    const { SnapshotId, bytes } = await snapshotOf(plane, 7, null);
    const wanted = { SnapshotId, DestinationRegionId: HOME, Encrypted: true };
    const copy = await plane.call('CopySnapshot', wanted);
    await plane.close();
    plane = await openPlane({ dataDir });
    try {
      await expectContent(plane, copy.SnapshotId, bytes);
      await untilEncrypted(plane);
      await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
      await expectContent(plane, copy.SnapshotId, bytes);
      expect((await plane.check()).problems).toEqual([]);
    } finally {
      await plane.close();
    }
  });
});
