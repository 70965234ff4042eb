/** Registered buffers: the table of them by itself, and in use by a real shard in one thread. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import {
  PIECE_BYTES_MAX,
  REGISTERED_BUFFER_BYTES_MAX,
  REGISTERED_BUFFERS_MAX,
} from '../../../src/limits.ts';
import type { ShardRequest } from '../../../src/record/shard-message.ts';
import { DiskIo } from '../../../src/router/disk-io.ts';
import { RegisteredBuffers } from '../../../src/router/registered-buffers.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import { expectBytes } from '../../support/expect-bytes.ts';
import { type OneThreadShard, oneThreadShard } from '../../support/one-thread-shard.ts';

const SECTOR = 4096;
const DISK_BYTES = 2 ** 30;

function openDisk(parts: OneThreadShard): DiskIo {
  const diskId = 'd-1';
  const volume = {
    handle: 1,
    diskId,
    sizeBytes: DISK_BYTES,
    layers: [{ tree: 'd-1', wrappedKey: null, context: null }],
  };
  parts.control({ op: 'openVolume', ...volume });
  const { dispatch } = parts;
  const detach = async (): Promise<void> => {};
  return new DiskIo({
    diskId,
    sizeBytes: DISK_BYTES,
    encrypted: false,
    handle: 1,
    dispatch,
    findRuns: async () => [],
    detach,
  });
}

function shardWithDisk(): { parts: OneThreadShard; disk: DiskIo } {
  const parts = oneThreadShard(openMemoryStore({ memoryLimitBytes: 256 << 20 }));
  return { parts, disk: openDisk(parts) };
}

const isUntouched = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe('the table of registered buffers', () => {
  const told: ShardRequest[] = [];
  const table = (): RegisteredBuffers =>
    new RegisteredBuffers(async (request) => {
      told.push(request);
    });

  it.each([
    ['memory that is not shared', new ArrayBuffer(8), 'InvalidArgument'],
    ['no memory', undefined, 'InvalidArgument'],
    ['empty memory', new SharedArrayBuffer(0), 'InvalidArgument'],
    ['growable memory', new SharedArrayBuffer(8, { maxByteLength: 16 }), 'InvalidArgument'],
    ['too much', new SharedArrayBuffer(REGISTERED_BUFFER_BYTES_MAX + 1), 'RequestTooLarge'],
  ] as const)('refuses %s', async (_, buffer, code) => {
    await expect(table().register(buffer as SharedArrayBuffer)).rejects.toMatchObject({ code });
  });

  it('refuses a buffer twice, and takes it again once it is closed', async () => {
    const buffers = table();
    const buffer = new SharedArrayBuffer(8);
    const close = await buffers.register(buffer);
    await expect(buffers.register(buffer)).rejects.toMatchObject({ code: 'InvalidArgument' });
    await Promise.all([close(), close()]);
    expect(told.filter(({ op }) => op === 'unregisterBuffer')).toHaveLength(1);
    await buffers.register(buffer);
  });

  it('refuses more than its limit', async () => {
    const buffers = table();
    for (let count = 0; count < REGISTERED_BUFFERS_MAX; count++) {
      await buffers.register(new SharedArrayBuffer(1));
    }
    const one = buffers.register(new SharedArrayBuffer(1));
    await expect(one).rejects.toMatchObject({ code: 'Busy' });
  });

  it('a buffer a shard did not take is not registered', async () => {
    const failure = new PlaneError('Busy', 'no answer');
    const buffers = new RegisteredBuffers(() => Promise.reject(failure));
    const buffer = new SharedArrayBuffer(8);
    await expect(buffers.register(buffer)).rejects.toBe(failure);
    expect(buffers.enter(new Uint8Array(buffer))).toBeNull();
    await expect(buffers.register(buffer)).rejects.toBe(failure);
  });

  it('is not used before every shard has it', async () => {
    let shardHasIt = (): void => {};
    const buffers = new RegisteredBuffers(
      () =>
        new Promise<void>((resolve) => {
          shardHasIt = resolve;
        }),
    );
    const buffer = new SharedArrayBuffer(8);
    const registering = buffers.register(buffer);
    expect(buffers.enter(new Uint8Array(buffer))).toBeNull();
    shardHasIt();
    await registering;
    expect(buffers.enter(new Uint8Array(buffer, 4))).not.toBeNull();
    expect(buffers.enter(new Uint8Array(8))).toBeNull();
  });
});

describe('a disk and a registered buffer', () => {
  it('writes and reads whole sectors in place, in pieces, and main copies nothing', async () => {
    const { parts, disk } = shardWithDisk();
    const buffer = new SharedArrayBuffer(8 * PIECE_BYTES_MAX);
    await parts.buffers.register(buffer);
    const length = 2 * PIECE_BYTES_MAX + SECTOR;
    const source = new Uint8Array(buffer, 77, length);
    createPrng(1).fill(source);
    const target = new Uint8Array(buffer, 4 * PIECE_BYTES_MAX + 5, length);
    const written = disk.write(SECTOR, source);
    const read = disk.read(SECTOR, target);
    await parts.run();
    await written;
    expect(await read).toBe(target);
    expectBytes(target, source);
    expect(isUntouched(parts.channel.staging)).toBe(true);
  });

  it('copies what does not cover whole sectors, and touches nothing beside it', async () => {
    const { parts, disk } = shardWithDisk();
    const buffer = new SharedArrayBuffer(8 * SECTOR);
    await parts.buffers.register(buffer);
    const all = new Uint8Array(buffer).fill(9);
    const bytes = all.subarray(SECTOR, SECTOR + 100);
    bytes.fill(5);
    const written = disk.write(10, bytes);
    await parts.run();
    await written;
    bytes.fill(0);
    const read = disk.read(10, bytes);
    await parts.run();
    await read;
    const expected = new Uint8Array(all.length).fill(9);
    expected.fill(5, SECTOR, SECTOR + 100);
    expectBytes(all, expected);
  });

  it('close waits for the requests that use it; later ones are copied', async () => {
    const { parts, disk } = shardWithDisk();
    const buffer = new SharedArrayBuffer(SECTOR);
    const close = await parts.buffers.register(buffer);
    const bytes = new Uint8Array(buffer).fill(3);
    const written = disk.write(0, bytes);
    let isClosed = false;
    const closed = close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    const later = disk.write(SECTOR, bytes);
    await parts.run();
    await Promise.all([written, later, closed]);
    expect(isUntouched(parts.channel.staging)).toBe(false);
    const read = disk.read(0, 2 * SECTOR);
    await parts.run();
    expectBytes(await read, new Uint8Array(2 * SECTOR).fill(3));
  });

  it('close does not wait for ever when the shard is lost', async () => {
    const { parts, disk } = shardWithDisk();
    const buffer = new SharedArrayBuffer(SECTOR);
    const close = await parts.buffers.register(buffer);
    const written = disk.write(0, new Uint8Array(buffer));
    parts.dispatch.fail(new PlaneError('ShardLost', 'gone'));
    await expect(written).rejects.toMatchObject({ code: 'ShardLost' });
    await close();
  });

  it('looking for completions after the shard was lost finds nothing to settle again', async () => {
    const { parts, disk } = shardWithDisk();
    const written = disk.write(0, new Uint8Array(SECTOR));
    await Promise.resolve();
    parts.dispatch.fail(new PlaneError('ShardLost', 'gone'));
    await expect(written).rejects.toMatchObject({ code: 'ShardLost' });
    expect(parts.dispatch.settle()).toBe(false);
  });

  it('any mix of ranges and memories gives the bytes a plain array gives', async () => {
    const { parts, disk } = shardWithDisk();
    const spanBytes = 32 * SECTOR;
    const model = new Uint8Array(spanBytes);
    const buffer = new SharedArrayBuffer(2 * spanBytes);
    await parts.buffers.register(buffer);
    const random = createPrng(7);
    const isWhole = (): boolean => random.nextBelow(2) === 0;
    for (let round = 0; round < 400; round++) {
      const unit = isWhole() ? SECTOR : 1;
      const offset = random.nextBelow(spanBytes / unit) * unit;
      const length = (1 + random.nextBelow((spanBytes - offset) / unit)) * unit;
      const at = random.nextBelow(buffer.byteLength - length + 1);
      const bytes = new Uint8Array(buffer, at, length);
      if (random.nextBelow(2) === 0) {
        random.fill(bytes);
        model.set(bytes, offset);
        const written = disk.write(offset, bytes);
        await parts.run();
        await written;
      } else {
        const before = new Uint8Array(buffer).slice();
        const read = disk.read(offset, bytes);
        await parts.run();
        await read;
        before.set(model.subarray(offset, offset + length), at);
        expectBytes(new Uint8Array(buffer), before);
      }
    }
  });
});
