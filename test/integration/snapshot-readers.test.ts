/** Snapshots opened for reading: what they show, whom they are refused to, what they keep from. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openPlane, type Plane } from '../../dist/src/index.js';
import { expectBytes } from '../support/expect-bytes.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 2 ** 20;
const NOT_ENABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';

/** A disk with content, and a snapshot of it. */
async function snapshotOf(
  plane: Plane,
  disk: object = { Encrypted: true },
): Promise<{ DiskId: string; SnapshotId: string; bytes: Buffer }> {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, ...disk });
  const bytes = randomBytes(MIB);
  await using attached = await plane.attach(DiskId);
  await attached.write(5 * MIB, bytes);
  const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
  return { DiskId, SnapshotId, bytes };
}

async function heldKeys(plane: Plane): Promise<number> {
  return (await plane.stats()).shards.reduce((sum, shard) => sum + shard.heldKeys, 0);
}

describe.each([{ Encrypted: true }, { Encrypted: false }])('a snapshot of a disk %j', (kind) => {
  test('is read as it was, whatever is written to the disk since', async () => {
    await using plane = await openPlane({ memory: true });
    const { DiskId, SnapshotId, bytes } = await snapshotOf(plane, kind);
    await using disk = await plane.attach(DiskId);
    await using snapshot = await plane.openSnapshot(SnapshotId);
    expect(snapshot).toMatchObject({ snapshotId: SnapshotId, size: 2 ** 30 });
    expect(snapshot.encrypted).toBe(kind.Encrypted);
    await disk.write(5 * MIB + 7, randomBytes(MIB));
    await disk.trim(5 * MIB, 4096);
    expectBytes(await snapshot.read(5 * MIB, MIB), bytes);
    const into = new Uint8Array(9);
    expectBytes(
      await snapshot.read(6 * MIB - 5, into),
      Buffer.concat([bytes.subarray(-5), Buffer.alloc(4)]),
    );
    expect(await snapshot.allocation(0, 8 * MIB)).toEqual([
      { length: 5 * MIB, isHole: true },
      { length: MIB, isHole: false },
      { length: 2 * MIB, isHole: true },
    ]);
    expect('write' in snapshot || 'trim' in snapshot || 'flush' in snapshot).toBe(false);
  });
});

test('every opening has the key unwrapped, and erased when it is closed', async () => {
  await using plane = await openPlane({ memory: true });
  const { SnapshotId, bytes } = await snapshotOf(plane);
  expect(await heldKeys(plane)).toBe(0);
  const one = await plane.openSnapshot(SnapshotId);
  const two = await plane.openSnapshot(SnapshotId);
  expect(await heldKeys(plane)).toBe(2);
  await one.close();
  await one.close();
  expect(await heldKeys(plane)).toBe(1);
  await expect(one.read(0, 1)).rejects.toMatchObject({ code: 'DiskClosed' });
  expectBytes(await two.read(5 * MIB, MIB), bytes);
  await two.close();
  expect(await heldKeys(plane)).toBe(0);
});

test('it is not opened when its master key is not enabled; an open one serves on', async () => {
  await using plane = await openPlane({ memory: true });
  const { KeyMetadata } = await plane.call('CreateKey', {});
  const { KeyId } = KeyMetadata;
  const { SnapshotId, bytes } = await snapshotOf(plane, { Encrypted: true, KMSKeyId: KeyId });
  await using open = await plane.openSnapshot(SnapshotId);
  await plane.call('DisableKey', { KeyId });
  await expect(plane.openSnapshot(SnapshotId)).rejects.toMatchObject({ code: NOT_ENABLED });
  expectBytes(await open.read(5 * MIB, MIB), bytes);
  await plane.call('EnableKey', { KeyId });
  await (await plane.openSnapshot(SnapshotId)).close();
  const { Events } = await plane.call('LookupEvents', { ResourceId: SnapshotId });
  const seen = Events.map((event) => [event.EventName, event.Outcome]);
  expect(
    seen
      .filter(([name]) => name === 'OpenSnapshot')
      .map(([, outcome]) => outcome)
      .sort(),
  ).toEqual([NOT_ENABLED, 'OK', 'OK'].sort());
  expect(seen.filter(([name]) => name === 'UnwrapDataKey').length).toBe(3);
});

test('it is not deleted while it is open, but by force; then reading says so', async () => {
  await using plane = await openPlane({ memory: true });
  const { SnapshotId, bytes } = await snapshotOf(plane);
  const open = await plane.openSnapshot(SnapshotId);
  const inUse = { code: 'InvalidSnapshotId.InUse' };
  await expect(plane.call('DeleteSnapshot', { SnapshotId })).rejects.toMatchObject(inUse);
  await expect(plane.call('EraseDataKey', { SnapshotId, Force: true })).rejects.toMatchObject(
    inUse,
  );
  expectBytes(await open.read(5 * MIB, MIB), bytes);
  await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
  await expect(open.read(5 * MIB, MIB)).rejects.toMatchObject({ code: 'DiskClosed' });
  await expect(open.allocation(0, MIB)).rejects.toMatchObject({ code: 'DiskClosed' });
  expect(await heldKeys(plane)).toBe(0);
  await open.close();
  await expect(plane.openSnapshot(SnapshotId)).rejects.toMatchObject({
    code: 'InvalidSnapshotId.NotFound',
  });
});

test('once closed it is deleted, and its data key erased', async () => {
  await using plane = await openPlane({ memory: true });
  const { DiskId, SnapshotId } = await snapshotOf(plane);
  await (await plane.openSnapshot(SnapshotId)).close();
  await plane.call('EraseDataKey', { DiskId, Force: true });
  await expect(plane.openSnapshot(SnapshotId)).rejects.toMatchObject({ code: 'DataKeyErased' });
  await plane.call('DeleteSnapshot', { SnapshotId });
});

test('only its owner opens it', async () => {
  await using plane = await openPlane({
    memory: true,
    world: {
      accounts: [
        {
          id: '1000000000000002',
          users: [{ name: 'reader', policies: ['AliyunECSReadOnlyAccess'] }],
        },
        { id: '1000000000000003' },
      ],
    },
  });
  const owner = plane.as({ accountId: '1000000000000002' });
  const { DiskId } = await owner.call('CreateDisk', { Size: 1 });
  const { SnapshotId } = await owner.call('CreateSnapshot', { DiskId });
  const reader = plane.as({ accountId: '1000000000000002', userName: 'reader' });
  const other = plane.as({ accountId: '1000000000000003' });
  await (await owner.openSnapshot(SnapshotId)).close();
  await expect(reader.openSnapshot(SnapshotId)).rejects.toMatchObject({ code: 'Forbidden.RAM' });
  const notFound = { code: 'InvalidSnapshotId.NotFound' };
  await expect(other.openSnapshot(SnapshotId)).rejects.toMatchObject(notFound);
  const share = { SnapshotId, AccountId: '1000000000000003' };
  const { SharedSnapshotId } = await owner.call('ShareSnapshot', share);
  const denied = { code: 'OperationDenied' };
  await expect(other.openSnapshot(SharedSnapshotId)).rejects.toMatchObject(denied);
});

test('a copy is read while it is being encrypted anew, and after', async () => {
  await using plane = await openPlane({ memory: true });
  const { SnapshotId, bytes } = await snapshotOf(plane);
  const { KeyMetadata } = await plane.call('CreateKey', {});
  const copied = await plane.call('CopySnapshot', {
    SnapshotId,
    DestinationRegionId: 'cn-hangzhou',
    Encrypted: true,
    KMSKeyId: KeyMetadata.KeyId,
  });
  await using copy = await plane.openSnapshot(copied.SnapshotId);
  await using again = await plane.openSnapshot(copied.SnapshotId);
  const statusOf = async (): Promise<string | undefined> =>
    (await plane.call('DescribeSnapshots', { SnapshotIds: [copied.SnapshotId] })).Snapshots[0]
      ?.Status;
  while ((await statusOf()) === 'progressing') expectBytes(await copy.read(5 * MIB, MIB), bytes);
  expectBytes(await copy.read(5 * MIB, MIB), bytes);
  expectBytes(await again.read(5 * MIB, MIB), bytes);
  expect((await plane.check()).problems).toEqual([]);
});

test('on files it is there after a restart, and a plane closes with it open', async () => {
  using directory = tempDir();
  const first = await openPlane({ dataDir: directory.path });
  const { DiskId, SnapshotId, bytes } = await snapshotOf(first);
  const left = await first.openSnapshot(SnapshotId);
  await first.close();
  await expect(left.read(0, 1)).rejects.toMatchObject({ code: 'DiskClosed' });
  await using plane = await openPlane({ dataDir: directory.path });
  await using disk = await plane.attach(DiskId);
  await using snapshot = await plane.openSnapshot(SnapshotId);
  const writes = Array.from({ length: 64 }, () => disk.write(5 * MIB, randomBytes(MIB)));
  for (let count = 0; count < 16; count++) {
    expectBytes(await snapshot.read(5 * MIB, MIB), bytes);
  }
  await Promise.all(writes);
});
