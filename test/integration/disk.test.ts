/** Disks as a customer of the library sees them, over both stores. */
import { openPlane, type Plane, PlaneError } from 'sealdisk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

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

describe.each(Object.entries(stores))('disks of a plane on the %s store', (_name, open) => {
  let plane: Plane;
  beforeAll(async () => {
    plane = await open();
  });
  afterAll(async () => {
    await plane.close();
  });
  const newDisk = async (encrypted = true) => {
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: encrypted });
    return plane.attach(DiskId);
  };

  it.each([true, false])('give back what was written, encrypted: %s', async (encrypted) => {
    await using disk = await newDisk(encrypted);
    expect(disk.encrypted).toBe(encrypted);
    const bytes = pattern(300 * KIB, 1);
    await disk.write(1 * MIB, bytes);
    expectBytes(await disk.read(1 * MIB, bytes.length), bytes);
  });

  it('use a registered buffer in place, as the bytes of any other', async () => {
    await using disk = await newDisk();
    await using registered = await plane.registerBuffer(new SharedArrayBuffer(3 * MIB));
    const bytes = new Uint8Array(registered.buffer, 0, MIB + 4 * KIB);
    bytes.set(pattern(bytes.length, 4));
    await disk.write(64 * KIB, bytes);
    expectBytes(await disk.read(64 * KIB, bytes.length), bytes);
    const into = new Uint8Array(registered.buffer, 2 * MIB - 3, 512 * KIB);
    expect(await disk.read(64 * KIB, into)).toBe(into);
    expectBytes(into, bytes.subarray(0, into.length));
    await registered.close();
    await disk.read(128 * KIB, into);
    expectBytes(into, bytes.subarray(64 * KIB, 64 * KIB + into.length));
  });

  it('read zeros where nothing was written', async () => {
    await using disk = await newDisk();
    expectBytes(await disk.read(512 * MIB, 10_000), new Uint8Array(10_000));
  });

  it('serve any offset and length, next to what was there', async () => {
    await using disk = await newDisk();
    const model = pattern(64 * KIB, 2);
    await disk.write(0, model);
    const random = createPrng(3);
    for (let round = 0; round < 200; round++) {
      const offset = random.nextBelow(model.length - 1);
      const length = 1 + random.nextBelow(Math.min(20_000, model.length - offset));
      const bytes = pattern(length, round + 10);
      await disk.write(offset, bytes);
      model.set(bytes, offset);
    }
    expectBytes(await disk.read(0, model.length), model);
    expectBytes(await disk.read(4095, 2), model.subarray(4095, 4097));
  });

  it('read into the buffer they are given and resolve with it', async () => {
    await using disk = await newDisk();
    await disk.write(5, pattern(100, 4));
    const into = new Uint8Array(100);
    expect(await disk.read(5, into)).toBe(into);
    expectBytes(into, pattern(100, 4));
  });

  it('serve the last byte and a request of 32 MiB', async () => {
    await using disk = await newDisk();
    await disk.write(GIB - 1, new Uint8Array([7]));
    expectBytes(await disk.read(GIB - 1, 1), new Uint8Array([7]));
    const bytes = pattern(32 * MIB, 5);
    await disk.write(3, bytes);
    const back = await disk.read(3, bytes.length);
    expectBytes(back, bytes);
  });

  it('take effect in the order the calls were made', async () => {
    await using disk = await newDisk();
    const outcomes: Promise<unknown>[] = [];
    for (let version = 1; version <= 200; version++) {
      outcomes.push(disk.write(1000, new Uint8Array(9000).fill(version)));
      outcomes.push(
        disk.read(1000, 9000).then((bytes) => {
          expect(bytes.every((byte) => byte === version)).toBe(true);
        }),
      );
    }
    await Promise.all(outcomes);
  });

  it('read zeros after a trim and after write-zeroes, and nothing else changes', async () => {
    await using disk = await newDisk();
    const model = pattern(256 * KIB, 6);
    await disk.write(0, model);
    const random = createPrng(7);
    for (let round = 0; round < 60; round++) {
      const offset = random.nextBelow(model.length - 1);
      const length = 1 + random.nextBelow(Math.min(30_000, model.length - offset));
      await (round % 2 === 0 ? disk.trim(offset, length) : disk.writeZeroes(offset, length));
      model.fill(0, offset, offset + length);
      expectBytes(await disk.read(0, model.length), model);
    }
    await disk.trim(0, disk.size);
    expectBytes(await disk.read(0, model.length), new Uint8Array(model.length));
  });

  it('leave the caller its buffer once a write has resolved', async () => {
    await using disk = await newDisk();
    const buffer = pattern(700 * KIB, 8);
    await disk.write(0, buffer);
    buffer.fill(0);
    expectBytes(await disk.read(0, buffer.length), pattern(700 * KIB, 8));
  });

  it('agree with a plain byte array over 2,000 random operations in flight at once', async () => {
    await using disk = await newDisk();
    const size = 2 * MIB;
    const model = new Uint8Array(size);
    const random = createPrng(9);
    const outcomes: Promise<unknown>[] = [];
    for (let round = 0; round < 2000; round++) {
      const offset = random.nextBelow(size - 1);
      const length =
        1 + random.nextBelow(Math.min(random.nextBelow(4) ? 9000 : 600_000, size - offset));
      const kind = random.nextBelow(10);
      if (kind < 4) {
        const bytes = pattern(length, round);
        model.set(bytes, offset);
        outcomes.push(disk.write(offset, bytes, { fua: kind === 0 }));
      } else if (kind < 8) {
        const expected = model.slice(offset, offset + length);
        const read = disk.read(offset, length);
        outcomes.push(read.then((got) => expectBytes(got, expected)));
      } else if (kind === 8) {
        model.fill(0, offset, offset + length);
        outcomes.push(disk.trim(offset, length));
      } else {
        outcomes.push(disk.flush());
      }
      if (round % 64 === 0) await Promise.all(outcomes.splice(0));
    }
    await Promise.all(outcomes);
    expectBytes(await disk.read(0, size), model);
  });

  it('keep a snapshot as it was, and clones of it apart from each other', async () => {
    await using disk = await newDisk();
    const first = pattern(100 * KIB, 20);
    await disk.write(0, first);
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId: disk.diskId });
    await disk.write(0, pattern(100 * KIB, 21));
    const one = await plane.call('CreateDisk', { SnapshotId });
    const two = await plane.call('CreateDisk', { SnapshotId });
    await using cloneOne = await plane.attach(one.DiskId);
    await using cloneTwo = await plane.attach(two.DiskId);
    expect(cloneOne.encrypted).toBe(true);
    await cloneOne.write(10, pattern(50, 22));
    expectBytes(await cloneTwo.read(0, first.length), first);
    const changed = first.slice();
    changed.set(pattern(50, 22), 10);
    expectBytes(await cloneOne.read(0, first.length), changed);
    expectBytes(await disk.read(0, first.length), pattern(100 * KIB, 21));
  });

  it('give a snapshot every write acknowledged before it, from many writers', async () => {
    await using disk = await newDisk();
    let acknowledged = 0;
    const writer = async () => {
      for (let version = 1; version <= 50; version++) {
        await disk.write(0, new Uint8Array(4096).fill(version));
        acknowledged = version;
      }
    };
    const writing = writer();
    while (acknowledged < 10) await new Promise(setImmediate);
    const before = acknowledged;
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId: disk.diskId });
    const after = acknowledged + 1;
    await writing;
    const { DiskId } = await plane.call('CreateDisk', { SnapshotId });
    await using clone = await plane.attach(DiskId);
    const version = (await clone.read(0, 1))[0] as number;
    expect(version).toBeGreaterThanOrEqual(before);
    expect(version).toBeLessThanOrEqual(after);
  });

  it('grow, keep their bytes, and never shrink', async () => {
    await using disk = await newDisk();
    const bytes = pattern(5000, 30);
    await disk.write(GIB - 5000, bytes);
    expect(await codeOf(disk.read(GIB, 1))).toBe('OutOfRange');
    await plane.call('ResizeDisk', { DiskId: disk.diskId, NewSize: 3 });
    expect(disk.size).toBe(3 * GIB);
    await disk.write(3 * GIB - 1, new Uint8Array([9]));
    expectBytes(await disk.read(GIB - 5000, 5000), bytes);
    const shrink = plane.call('ResizeDisk', { DiskId: disk.diskId, NewSize: 2 });
    expect(await codeOf(shrink)).toBe('InvalidDiskSize.TooSmall');
  });

  it('refuse what they cannot do, each with its code, and go on', async () => {
    const disk = await newDisk();
    const wrong = (value: unknown) => value as never;
    const four = new Uint8Array(4);
    expect(await codeOf(disk.read(-1, 4))).toBe('OutOfRange');
    expect(await codeOf(disk.read(disk.size - 3, 4))).toBe('OutOfRange');
    expect(await codeOf(disk.write(disk.size, four))).toBe('OutOfRange');
    expect(await codeOf(disk.trim(0, disk.size + 1))).toBe('OutOfRange');
    expect(await codeOf(disk.read(0, -4))).toBe('OutOfRange');
    expect(await codeOf(disk.read(0.5, 4))).toBe('InvalidArgument');
    expect(await codeOf(disk.read(Number.NaN, 4))).toBe('InvalidArgument');
    expect(await codeOf(disk.read(2 ** 53, 4))).toBe('InvalidArgument');
    expect(await codeOf(disk.read(wrong('0'), 4))).toBe('InvalidArgument');
    expect(await codeOf(disk.read(0, wrong('4')))).toBe('InvalidArgument');
    expect(await codeOf(disk.read(0, wrong(null)))).toBe('InvalidArgument');
    expect(await codeOf(disk.write(0, wrong('text')))).toBe('InvalidArgument');
    expect(await codeOf(disk.write(0, wrong([1, 2])))).toBe('InvalidArgument');
    expect(await codeOf(disk.write(0, four, wrong({ fua: 'true' })))).toBe('InvalidArgument');
    expect(await codeOf(disk.read(0, 33 * MIB))).toBe('RequestTooLarge');
    expect(await codeOf(disk.write(0, new Uint8Array(33 * MIB)))).toBe('RequestTooLarge');
    expectBytes(await disk.read(disk.size, 0), new Uint8Array(0));
    await disk.write(0, new Uint8Array(0));
    await disk.write(0, four);
    await disk.close();
    await disk.close();
    expect(await codeOf(disk.read(0, 4))).toBe('DiskClosed');
    expect(await codeOf(disk.write(0, four))).toBe('DiskClosed');
    expect(await codeOf(disk.flush())).toBe('DiskClosed');
    expect(await codeOf(disk.trim(0, 4))).toBe('DiskClosed');
  });

  it('are attached once, and not at all when they do not exist', async () => {
    const disk = await newDisk();
    expect(await codeOf(plane.attach(disk.diskId))).toBe('IncorrectDiskStatus');
    expect(await codeOf(plane.call('DeleteDisk', { DiskId: disk.diskId }))).toBe(
      'IncorrectDiskStatus',
    );
    await disk.close();
    await plane.call('DeleteDisk', { DiskId: disk.diskId });
    expect(await codeOf(plane.attach(disk.diskId))).toBe('InvalidDiskId.NotFound');
    expect(await codeOf(plane.attach('../../etc/passwd'))).toMatch(
      /^InvalidDiskId|InvalidParameter/,
    );
  });

  it('keep serving when their key is disabled, and attach again when it is enabled', async () => {
    const { KeyMetadata } = await plane.call('CreateKey', {});
    const KMSKeyId = KeyMetadata.KeyId;
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId });
    const disk = await plane.attach(DiskId);
    await disk.write(0, pattern(5000, 40));
    await plane.call('DisableKey', { KeyId: KMSKeyId });
    expectBytes(await disk.read(0, 5000), pattern(5000, 40));
    await disk.close();
    const refused = plane.attach(DiskId);
    expect(await codeOf(refused)).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await plane.call('EnableKey', { KeyId: KMSKeyId });
    await plane.call('CreateKeyVersion', { KeyId: KMSKeyId });
    await using again = await plane.attach(DiskId);
    expectBytes(await again.read(0, 5000), pattern(5000, 40));
  });

  it('many at once do not mix their bytes', async () => {
    const disks = await Promise.all(Array.from({ length: 40 }, () => newDisk()));
    await Promise.all(disks.map((disk, index) => disk.write(100, pattern(20_000, index))));
    const reads = await Promise.all(disks.map((disk) => disk.read(100, 20_000)));
    for (const [index, bytes] of reads.entries()) expectBytes(bytes, pattern(20_000, index));
    const { shards } = await plane.stats();
    expect(shards.reduce((sum, shard) => sum + shard.heldKeys, 0)).toBe(40);
    await Promise.all(disks.map((disk) => disk.close()));
    const closed = await plane.stats();
    expect(closed.shards.reduce((sum, shard) => sum + shard.heldKeys, 0)).toBe(0);
  });

  it('leave nothing wrong for the checker', async () => {
    const { sectorsChecked, problems } = await plane.check();
    expect(problems).toEqual([]);
    expect(sectorsChecked).toBeGreaterThan(1000);
  });
});

it('a plane refuses what has the wrong type, whatever the compiler was told', async () => {
  await using plane = await openPlane({ memory: true });
  const { DiskId } = await plane.call('CreateDisk', { Size: 1 });
  const wrong = (value: unknown) => value as never;
  for (const id of [undefined, null, 5, [DiskId], Symbol('d'), {}]) {
    expect(await codeOf(plane.attach(wrong(id)))).toBe('InvalidArgument');
    expect(await codeOf(plane.openSnapshot(wrong(id)))).toBe('InvalidArgument');
    expect(await codeOf(plane.searchForKey(wrong(id)))).toBe('InvalidArgument');
    expect(await codeOf(plane.explain(wrong(id)))).toBe('InvalidArgument');
  }
  expect(await codeOf(plane.attach(DiskId, wrong(null)))).toBe('InvalidArgument');
  expect(await codeOf(plane.attach(DiskId, wrong({ performance: 1 })))).toBe('InvalidArgument');
  expect(await codeOf(plane.scrub(wrong(null)))).toBe('InvalidArgument');
  expect(() => plane.as(wrong(undefined))).toThrow('expected the principal');
  await using disk = await plane.attach(DiskId);
  expect(disk.size).toBe(GIB);
});

describe('a closed plane', () => {
  it('refuses everything, and closing it again is no error', async () => {
    const plane = await openPlane({ memory: true });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1 });
    const disk = await plane.attach(DiskId);
    const write = disk.write(0, new Uint8Array(4096));
    await plane.close();
    await write;
    await plane.close();
    expect(await codeOf(() => plane.call('DescribeDisks', {}))).toBe('PlaneClosed');
    expect(await codeOf(() => plane.attach(DiskId))).toBe('PlaneClosed');
    expect(await codeOf(disk.read(0, 1))).toBe('DiskClosed');
    expect(new PlaneError('Busy', 'x').retryable).toBe(true);
  });
});

it('a registered buffer may outlive its plane', async () => {
  const plane = await openPlane({ memory: true });
  const registered = await plane.registerBuffer(new SharedArrayBuffer(4 * KIB));
  await plane.close();
  await registered.close();
  const late = plane.registerBuffer(new SharedArrayBuffer(4 * KIB));
  await expect(late).rejects.toMatchObject({ code: 'PlaneClosed' });
});
