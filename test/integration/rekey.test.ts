/** RekeyDisk and its task, as a customer of the library sees them, over both stores. */
import { type Disk, openPlane, type Plane } from 'sealdisk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrng, type Prng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 1024 * 1024;
const SPAN = 12 * MIB;
/** So slow that a task is under way for as long as a test looks at it. */
const SLOW = 64 * 1024;

async function newKey(plane: Plane): Promise<string> {
  return (await plane.call('CreateKey', {})).KeyMetadata.KeyId;
}

async function newDisk(plane: Plane, keyId: string): Promise<string> {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId: keyId });
  return DiskId;
}

async function taskOf(plane: Plane, taskId: string) {
  const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [taskId] });
  return Tasks[0]!;
}

async function untilStatus(plane: Plane, taskId: string, status: string): Promise<void> {
  for (let looks = 0; looks < 600; looks++) {
    if ((await taskOf(plane, taskId)).TaskStatus === status) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await taskOf(plane, taskId)).toMatchObject({ TaskStatus: status });
}

/** A disk and the bytes it has to have; operations are pipelined, as callers may. */
class Model {
  readonly bytes = new Uint8Array(SPAN);
  readonly #prng: Prng;

  constructor(seed: number) {
    this.#prng = createPrng(seed);
  }

  async fill(disk: Disk): Promise<void> {
    this.#prng.fill(this.bytes);
    this.bytes.fill(0, 3 * MIB, 5 * MIB);
    await disk.write(0, this.bytes.subarray(0, 3 * MIB));
    await disk.write(5 * MIB, this.bytes.subarray(5 * MIB));
  }

  /** One random write, zero or read, checked. */
  async step(disk: Disk): Promise<void> {
    const offset = this.#prng.nextBelow(SPAN - 70_000);
    const length = 1 + this.#prng.nextBelow(70_000);
    const kind = this.#prng.nextBelow(5);
    if (kind === 0) {
      this.bytes.fill(0, offset, offset + length);
      await disk.trim(offset, length);
    } else if (kind < 3) {
      const bytes = new Uint8Array(length);
      this.#prng.fill(bytes);
      this.bytes.set(bytes, offset);
      await disk.write(offset, bytes);
    } else {
      const wanted = this.bytes.slice(offset, offset + length);
      expectBytes(await disk.read(offset, length), wanted);
    }
  }

  async expect(disk: Disk): Promise<void> {
    expectBytes(await disk.read(0, SPAN), this.bytes);
  }
}

async function trees(plane: Plane): Promise<number> {
  return (await plane.stats()).shards.reduce((sum, shard) => sum + shard.trees, 0);
}

async function heldKeys(plane: Plane): Promise<number> {
  return (await plane.stats()).shards.reduce((sum, shard) => sum + shard.heldKeys, 0);
}

const stores = {
  memory: () => ({ memory: true }),
  file: (directory: string) => ({ dataDir: `${directory}/plane` }),
};

describe.each(Object.entries(stores))('rekeying on the %s store', (name, optionsFor) => {
  let temporary: ReturnType<typeof tempDir>;
  let plane: Plane;
  beforeEach(async () => {
    temporary = tempDir();
    plane = await openPlane(optionsFor(temporary.path));
  });
  afterEach(async () => {
    await plane.close();
    temporary[Symbol.dispose]();
  });

  it('moves an attached disk under load, and the old key may go', async () => {
    const [oldKey, key] = [await newKey(plane), await newKey(plane)];
    const DiskId = await newDisk(plane, oldKey);
    const disk = await plane.attach(DiskId);
    const model = new Model(1);
    await model.fill(disk);
    const load = { BytesPerSecond: 24 * MIB };
    const { TaskId } = await plane.call('RekeyDisk', { DiskId, KMSKeyId: key, ...load });
    let steps = 0;
    for (; (await taskOf(plane, TaskId)).TaskStatus === 'Processing'; steps++) {
      await model.step(disk);
    }
    expect(steps).toBeGreaterThan(10);
    const task = await taskOf(plane, TaskId);
    expect(task).toMatchObject({ TaskStatus: 'Finished', TaskAction: 'Reencrypt', Code: '' });
    expect(task.DoneBytes).toBe(task.TotalBytes);
    expect(task.DoneBytes).toBeGreaterThan(4 * MIB);
    await model.expect(disk);
    expect(await heldKeys(plane)).toBe(1);
    expect(await trees(plane)).toBe(1);
    await plane.call('ScheduleKeyDeletion', { KeyId: oldKey, PendingWindowInDays: 7 });
    await disk.close();
    await using again = await plane.attach(DiskId);
    await model.expect(again);
    const { Disks } = await plane.call('DescribeDisks', { DiskIds: [DiskId] });
    expect(Disks[0]).toMatchObject({ KMSKeyId: key, Status: 'In_use' });
    expect((await plane.check()).problems).toEqual([]);
  });

  it('moves a disk nobody has attached, and one without any bytes', async () => {
    const key = await newKey(plane);
    const DiskId = await newDisk(plane, key);
    const { TaskId } = await plane.call('RekeyDisk', { DiskId });
    await untilStatus(plane, TaskId, 'Finished');
    const model = new Model(2);
    await using disk = await plane.attach(DiskId);
    await model.fill(disk);
    await disk.close();
    const second = await plane.call('RekeyDisk', { DiskId });
    await untilStatus(plane, second.TaskId, 'Finished');
    expect((await taskOf(plane, second.TaskId)).DoneBytes).toBe(SPAN - 2 * MIB);
    await using again = await plane.attach(DiskId);
    await model.expect(again);
  });

  it('rests when told to, goes on, and leaves a disk of two keys when cancelled', async () => {
    const [oldKey, key] = [await newKey(plane), await newKey(plane)];
    const DiskId = await newDisk(plane, oldKey);
    const disk = await plane.attach(DiskId);
    const model = new Model(3);
    await model.fill(disk);
    const { TaskId } = await plane.call('RekeyDisk', {
      DiskId,
      KMSKeyId: key,
      BytesPerSecond: SLOW,
    });
    expect(await codeOf(plane.call('RekeyDisk', { DiskId }))).toBe('OperationConflict');
    await plane.call('PauseTask', { TaskId });
    const paused = await taskOf(plane, TaskId);
    expect(paused).toMatchObject({ TaskStatus: 'Paused', Code: '', SupportCancel: true });
    for (let step = 0; step < 20; step++) await model.step(disk);
    expect(await taskOf(plane, TaskId)).toEqual(paused);
    await plane.call('ResumeTask', { TaskId, BytesPerSecond: 2 * SLOW });
    expect(await taskOf(plane, TaskId)).toMatchObject({
      TaskStatus: 'Processing',
      BytesPerSecond: 2 * SLOW,
    });
    await plane.call('CancelTask', { TaskId });
    const cancelled = await taskOf(plane, TaskId);
    expect(cancelled).toMatchObject({ TaskStatus: 'Cancelled', SupportCancel: false });
    for (const verb of ['PauseTask', 'ResumeTask', 'CancelTask'] as const) {
      expect(await codeOf(plane.call(verb, { TaskId }))).toBe('IncorrectTaskStatus');
    }
    await model.expect(disk);
    await disk.close();
    await plane.call('DisableKey', { KeyId: oldKey });
    expect(await codeOf(plane.attach(DiskId))).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await plane.call('EnableKey', { KeyId: oldKey });
    await using again = await plane.attach(DiskId);
    await model.expect(again);
    // Another key on top of the two: all of it ends under the last one.
    const last = await newKey(plane);
    const { TaskId: second } = await plane.call('RekeyDisk', { DiskId, KMSKeyId: last });
    await untilStatus(plane, second, 'Finished');
    await model.expect(again);
    expect(await trees(plane)).toBe(1);
  });

  it('takes snapshots in the middle that are of one instant', async () => {
    const DiskId = await newDisk(plane, await newKey(plane));
    await using disk = await plane.attach(DiskId);
    const model = new Model(4);
    await model.fill(disk);
    const BytesPerSecond = 8 * MIB;
    const KMSKeyId = await newKey(plane);
    const { TaskId } = await plane.call('RekeyDisk', { DiskId, KMSKeyId, BytesPerSecond });
    const snapshots: [string, Uint8Array][] = [];
    for (let taken = 0; taken < 4; taken++) {
      for (let step = 0; step < 8; step++) await model.step(disk);
      const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
      snapshots.push([SnapshotId, model.bytes.slice()]);
    }
    await untilStatus(plane, TaskId, 'Finished');
    for (const [SnapshotId, bytes] of snapshots) {
      const { Tasks } = await plane.call('DescribeTasks', { ResourceIds: [SnapshotId] });
      await untilStatus(plane, Tasks[0]!.TaskId, 'Finished');
      const made = await plane.call('CreateDisk', { SnapshotId });
      await using copy = await plane.attach(made.DiskId);
      expectBytes(await copy.read(0, SPAN), bytes);
    }
    await model.expect(disk);
    // The disk, four snapshots, four disks made of them: a tree each, under the new key alone.
    expect(await trees(plane)).toBe(9);
    expect((await plane.check()).problems).toEqual([]);
  });

  it('ends with the disk it is at work on', async () => {
    const key = await newKey(plane);
    const DiskId = await newDisk(plane, key);
    const disk = await plane.attach(DiskId);
    await new Model(5).fill(disk);
    await disk.close();
    const BytesPerSecond = 4 * MIB;
    const { TaskId } = await plane.call('RekeyDisk', { DiskId, BytesPerSecond });
    await plane.call('DeleteDisk', { DiskId });
    await untilStatus(plane, TaskId, 'Cancelled');
    expect(await trees(plane)).toBe(0);
    expect(await heldKeys(plane)).toBe(0);
  });

  it('refuses what cannot be rekeyed, and changes nothing', async () => {
    const key = await newKey(plane);
    const DiskId = await newDisk(plane, key);
    const plain = await plane.call('CreateDisk', { Size: 1, Encrypted: false });
    const disabled = await newKey(plane);
    await plane.call('DisableKey', { KeyId: disabled });
    const before = await plane.call('DescribeDisks', {});
    const rekey = (DiskId: string, KMSKeyId: string) =>
      codeOf(plane.call('RekeyDisk', { DiskId, KMSKeyId }));
    expect(await rekey(plain.DiskId, key)).toBe('InvalidParameter.EncryptedIllegal');
    expect(await rekey('d-none', key)).toBe('InvalidDiskId.NotFound');
    expect(await rekey(DiskId, 'key-none')).toBe('InvalidParameter.KMSKeyId.NotFound');
    expect(await rekey(DiskId, disabled)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    const dry = plane.call('RekeyDisk', { DiskId, DryRun: true });
    expect(await codeOf(dry)).toBe('DryRunOperation');
    expect(await plane.call('DescribeDisks', {})).toEqual(before);
    expect(await plane.call('DescribeTasks', {})).toMatchObject({ TotalCount: 0 });
    const none = { TaskId: 't-00000000000000000000' };
    expect(await codeOf(plane.call('CancelTask', none))).toBe('InvalidTaskId.NotFound');
  });

  it.runIf(name === 'file')('goes on when the plane is opened again', async () => {
    const [oldKey, key] = [await newKey(plane), await newKey(plane)];
    const DiskId = await newDisk(plane, oldKey);
    const model = new Model(6);
    const disk = await plane.attach(DiskId);
    await model.fill(disk);
    const pace = { BytesPerSecond: 4 * MIB };
    const { TaskId } = await plane.call('RekeyDisk', { DiskId, KMSKeyId: key, ...pace });
    for (let step = 0; step < 30; step++) await model.step(disk);
    await plane.call('DisableKey', { KeyId: oldKey });
    await plane.close();

    plane = await openPlane(optionsFor(temporary.path));
    await untilStatus(plane, TaskId, 'Paused');
    expect(await taskOf(plane, TaskId)).toMatchObject({ Code: 'Rejected.Disabled' });
    expect(await codeOf(plane.attach(DiskId))).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await plane.call('EnableKey', { KeyId: oldKey });
    await plane.call('ResumeTask', { TaskId, BytesPerSecond: 0 });
    const again = await plane.attach(DiskId);
    for (let step = 0; step < 10; step++) await model.step(again);
    await untilStatus(plane, TaskId, 'Finished');
    await model.expect(again);
    await plane.call('ScheduleKeyDeletion', { KeyId: oldKey, PendingWindowInDays: 7 });
    await plane.close();

    plane = await openPlane(optionsFor(temporary.path));
    await using last = await plane.attach(DiskId);
    await model.expect(last);
    expect(await trees(plane)).toBe(1);
    expect((await plane.check()).problems).toEqual([]);
  });
});
