/** Instances and their disks as a customer of the library sees them, over both stores. */
import { openPlane, type Plane } from 'sealdisk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const NOT_ENABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';
const PUBLIC_IMAGE = 'debian_12_x64_20G_alibase_20250117.vhd';
const InstanceType = 'ecs.g7.large';

function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  createPrng(seed).fill(bytes);
  return bytes;
}

const temporary = tempDir();
const stores = {
  memory: () => openPlane({ memory: true }),
  file: () => openPlane({ dataDir: `${temporary.path}/plane` }),
};

describe.each(Object.entries(stores))('instances of a plane on the %s store', (name, open) => {
  let plane: Plane;
  beforeAll(async () => {
    plane = await open();
  });
  afterAll(async () => {
    await plane.close();
  });

  const newKey = async () => (await plane.call('CreateKey', {})).KeyMetadata.KeyId;
  const run = async (encryption: object = {}, image: string = PUBLIC_IMAGE) => {
    const { InstanceIdSets } = await plane.call('RunInstances', {
      ImageId: image,
      InstanceType,
      SystemDisk: { ...encryption },
    });
    const InstanceId = String(InstanceIdSets[0]);
    return { InstanceId, disks: await disksOf(InstanceId) };
  };
  const disksOf = async (InstanceId: string) =>
    (await plane.call('DescribeDisks', { InstanceId, PageSize: 100 })).Disks;
  const systemDisk = (disks: readonly { DiskId: string; Type: string }[]) =>
    String(disks.find(({ Type }) => Type === 'system')?.DiskId);
  const heldKeys = async () =>
    (await plane.stats()).shards.reduce((sum, shard) => sum + shard.heldKeys, 0);
  const write = async (diskId: string, seed: number) => {
    await using disk = await plane.attach(diskId);
    await disk.write(MIB, pattern(300 * KIB, seed));
  };
  const expectContent = async (diskId: string, seed: number) => {
    await using disk = await plane.attach(diskId);
    expectBytes(await disk.read(MIB, 300 * KIB), pattern(300 * KIB, seed));
  };

  it('keep data keys in the shards while they run, and none when they are stopped', async () => {
    const before = await heldKeys();
    const { InstanceId, disks } = await run({ Encrypted: 'true' });
    const diskId = systemDisk(disks);
    expect(await heldKeys()).toBe(before + 1);
    const face = await plane.attach(diskId);
    expect([face.encrypted, face.size]).toEqual([true, 20 * GIB]);
    await face.write(MIB, pattern(300 * KIB, 1));
    await face.flush();
    await using other = await plane.attach(diskId);
    await face.close();
    expect(await codeOf(face.read(0, 1))).toBe('DiskClosed');
    expectBytes(await other.read(MIB, 300 * KIB), pattern(300 * KIB, 1));
    await other.trim(0, 4 * KIB);
    await other.writeZeroes(0, 4 * KIB);
    await plane.call('StopInstance', { InstanceId });
    expect(await heldKeys()).toBe(before);
    expect(await codeOf(other.read(0, 1))).toBe('DiskClosed');
    expect(await codeOf(plane.attach(diskId))).toBe('IncorrectInstanceStatus');
    expect((await disksOf(InstanceId))[0]?.Status).toBe('In_use');
    await plane.call('StartInstance', { InstanceId });
    await expectContent(diskId, 1);
    await plane.call('RebootInstance', { InstanceId });
    await expectContent(diskId, 1);
    await plane.call('DeleteInstance', { InstanceId, Force: true });
    expect(await heldKeys()).toBe(before);
    expect((await plane.call('DescribeDisks', { DiskIds: [diskId] })).TotalCount).toBe(0);
  });

  it('have what their image has, under the key asked for', async () => {
    const first = await run();
    await write(systemDisk(first.disks), 2);
    const { ImageId } = await plane.call('CreateImage', { InstanceId: first.InstanceId });
    const second = await run({}, ImageId);
    await expectContent(systemDisk(second.disks), 2);
    expect(second.disks[0]).toMatchObject({ Encrypted: false, ImageId });
    const KMSKeyId = await newKey();
    const third = await run({ Encrypted: 'true', KMSKeyId }, ImageId);
    const encryptedId = systemDisk(third.disks);
    expect(third.disks[0]).toMatchObject({ Encrypted: true, KMSKeyId });
    await expectContent(encryptedId, 2);
    await write(encryptedId, 3);
    await expectContent(encryptedId, 3);
    await expectContent(systemDisk(first.disks), 2);
    await plane.call('StopInstance', { InstanceId: third.InstanceId });
    await plane.call('StartInstance', { InstanceId: third.InstanceId });
    await expectContent(encryptedId, 3);
    await plane.call('StopInstance', { InstanceId: first.InstanceId });
    await plane.call('ReInitDisk', { DiskId: systemDisk(first.disks), AutoStartInstance: true });
    await using blank = await plane.attach(systemDisk(first.disks));
    expectBytes(await blank.read(MIB, 300 * KIB), new Uint8Array(300 * KIB));
  });

  it('are refused a start, and disks an attach, under a disabled key; it heals', async () => {
    const KMSKeyId = await newKey();
    const { InstanceId, disks } = await run({ Encrypted: 'true', KMSKeyId });
    const diskId = systemDisk(disks);
    await write(diskId, 4);
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId });
    await plane.call('DisableKey', { KeyId: KMSKeyId });
    await expectContent(diskId, 4);
    const keys = await heldKeys();
    for (const refused of [
      () => plane.call('AttachDisk', { DiskId, InstanceId }),
      () => plane.call('ResizeDisk', { DiskId, NewSize: 2 }),
      () => plane.call('ResizeDisk', { DiskId: diskId, NewSize: 21, Type: 'online' }),
      () => plane.call('RebootInstance', { InstanceId }),
      () => plane.call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId }),
      () => plane.call('CloneDisk', { SourceDiskId: diskId }),
      () => plane.attach(DiskId),
    ]) {
      expect(await codeOf(refused)).toBe(NOT_ENABLED);
    }
    expect(await heldKeys()).toBe(keys);
    await expectContent(diskId, 4);
    await plane.call('StopInstance', { InstanceId });
    const start = () => plane.call('StartInstance', { InstanceId });
    expect(await codeOf(start())).toBe(NOT_ENABLED);
    const attach = () => plane.call('AttachDisk', { DiskId, InstanceId });
    expect(await codeOf(attach())).toBe(NOT_ENABLED);
    expect(await codeOf(plane.call('ReInitDisk', { DiskId: diskId }))).toBe(NOT_ENABLED);
    expect(await heldKeys()).toBe(keys - 1);
    await plane.call('EnableKey', { KeyId: KMSKeyId });
    await start();
    await attach();
    expect(await heldKeys()).toBe(keys + 1);
    await expectContent(diskId, 4);
    await plane.call('DisableKey', { KeyId: KMSKeyId });
    await plane.call('DetachDisk', { DiskId, InstanceId });
    await plane.call('DeleteDisk', { DiskId });
    expect(await heldKeys()).toBe(keys);
  });

  it('roll their disks back to a snapshot, also one of more data and another size', async () => {
    const { InstanceId, disks } = await run({ Encrypted: 'true' });
    const DiskId = systemDisk(disks);
    await write(DiskId, 5);
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
    await write(DiskId, 6);
    await plane.call('ResizeDisk', { DiskId, NewSize: 30, Type: 'online' });
    await using face = await plane.attach(DiskId);
    expect(face.size).toBe(30 * GIB);
    await face.write(29 * GIB, pattern(4 * KIB, 7));
    const reset = () => plane.call('ResetDisk', { DiskId, SnapshotId });
    expect(await codeOf(reset())).toBe('IncorrectInstanceStatus');
    await plane.call('StopInstance', { InstanceId });
    await reset();
    await reset();
    await plane.call('StartInstance', { InstanceId });
    await expectContent(DiskId, 5);
    await using after = await plane.attach(DiskId);
    expectBytes(await after.read(29 * GIB, 4 * KIB), new Uint8Array(4 * KIB));
    await after.write(MIB, pattern(300 * KIB, 8));
    const made = await plane.call('CreateDisk', { SnapshotId });
    await expectContent(made.DiskId, 5);
    expect((await plane.check()).problems).toEqual([]);
  });

  it('grow offline when they start again', async () => {
    const { InstanceId, disks } = await run();
    const DiskId = systemDisk(disks);
    await plane.call('ResizeDisk', { DiskId, NewSize: 22 });
    const size = async () => {
      await using disk = await plane.attach(DiskId);
      return disk.size / GIB;
    };
    expect(await size()).toBe(20);
    await plane.call('RebootInstance', { InstanceId });
    expect(await size()).toBe(22);
  });

  it('share what is cloned, under another key if one is asked for', async () => {
    const { disks } = await run();
    const SourceDiskId = systemDisk(disks);
    await write(SourceDiskId, 9);
    const KmsKeyId = await newKey();
    const copy = { SourceDiskId, DiskCategory: 'cloud_essd', Size: 20 };
    const { TaskGroupId } = await plane.call('CloneDisks', { ...copy, Encrypted: true, KmsKeyId });
    const { Tasks } = await plane.call('DescribeTasks', { TaskAction: 'CloneDisks' });
    const task = Tasks.find((each) => each.TaskGroupId === TaskGroupId);
    const cloneId = String(task?.ResourceId);
    const clone = (await plane.call('DescribeDisks', { DiskIds: [cloneId] })).Disks[0];
    expect(clone).toMatchObject({ Encrypted: true, KMSKeyId: KmsKeyId, Category: 'cloud_essd' });
    await expectContent(cloneId, 9);
    await write(SourceDiskId, 10);
    await expectContent(cloneId, 9);
  });

  it('keep a detached disk’s content, which another instance has once it is attached', async () => {
    const one = await run();
    const two = await run();
    const attachTo = { Size: 1, InstanceId: one.InstanceId, Encrypted: true };
    const { DiskId } = await plane.call('CreateDisk', attachTo);
    await write(DiskId, 11);
    await plane.call('DetachDisk', { DiskId, InstanceId: one.InstanceId });
    await expectContent(DiskId, 11);
    await plane.call('AttachDisk', { DiskId, InstanceId: two.InstanceId });
    await expectContent(DiskId, 11);
    await plane.call('DeleteInstance', { InstanceId: two.InstanceId, Force: true });
    const after = (await plane.call('DescribeDisks', { DiskIds: [DiskId] })).Disks[0];
    expect(after).toMatchObject({ Status: 'Available', InstanceId: '', Device: '' });
    await expectContent(DiskId, 11);
  });

  it.runIf(name === 'file')('are stopped when their plane is opened again', async () => {
    const { InstanceId, disks } = await run({ Encrypted: 'true' });
    await write(systemDisk(disks), 12);
    await plane.close();
    plane = await open();
    const { Instances } = await plane.call('DescribeInstances', { InstanceIds: [InstanceId] });
    expect(Instances[0]?.Status).toBe('Stopped');
    expect((await disksOf(InstanceId))[0]?.Status).toBe('In_use');
    expect(await heldKeys()).toBe(0);
    await plane.call('StartInstance', { InstanceId });
    await expectContent(systemDisk(disks), 12);
    expect((await plane.check()).problems).toEqual([]);
  });
});
