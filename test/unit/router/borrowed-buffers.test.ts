/** What a caller does to a buffer that is still borrowed: a real shard in one thread. */
import { beforeEach, describe, expect, it } from 'vitest';
import { REQUEST_BYTES_MAX, STAGING_BYTES } from '../../../src/limits.ts';
import { DiskIo } from '../../../src/router/disk-io.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import { expectBytes } from '../../support/expect-bytes.ts';
import { type OneThreadShard, oneThreadShard } from '../../support/one-thread-shard.ts';

const SECTOR = 4096;
const DISK_BYTES = 2 ** 30;
/** So many of the longest requests that the last of them wait for staging space. */
const REQUESTS = Math.ceil(STAGING_BYTES / REQUEST_BYTES_MAX) + 2;

let parts: OneThreadShard;
let disk: DiskIo;
let isDetached = false;

beforeEach(() => {
  parts = oneThreadShard(openMemoryStore({ memoryLimitBytes: 512 << 20 }));
  const layers = [{ tree: 'd-1', wrappedKey: null, context: null }];
  parts.control({ op: 'openVolume', handle: 1, diskId: 'd-1', sizeBytes: DISK_BYTES, layers });
  isDetached = false;
  disk = new DiskIo({
    diskId: 'd-1',
    sizeBytes: DISK_BYTES,
    encrypted: false,
    handle: 1,
    dispatch: parts.dispatch,
    findRuns: async () => [],
    detach: async () => {
      isDetached = true;
    },
  });
});

function codeOf(request: Promise<unknown>): Promise<string | null> {
  return request.then(
    () => null,
    ({ code }) => code,
  );
}

/** As postMessage() with a transfer list does it: the array has no bytes any more. */
function transfer(bytes: Uint8Array<ArrayBuffer>): void {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
}

/** The compiler's library is older than these. */
type Resizable = ArrayBuffer & { resize(byteCount: number): void };

function resizable(byteCount: number, byteCountMax: number): Resizable {
  return Reflect.construct(ArrayBuffer, [byteCount, { maxByteLength: byteCountMax }]) as Resizable;
}

const waysToLose = [
  ['transferred away', () => new ArrayBuffer(REQUEST_BYTES_MAX), transfer],
  [
    'made smaller',
    () => resizable(REQUEST_BYTES_MAX, REQUEST_BYTES_MAX),
    ({ buffer }: Uint8Array<ArrayBuffer>) => (buffer as Resizable).resize(SECTOR),
  ],
] as const;

describe.each(waysToLose)('a buffer that is %s while it is borrowed', (_, make, lose) => {
  it('fails its own write, in the ring or waiting for it, and no other', async () => {
    const buffers = Array.from({ length: REQUESTS }, () => new Uint8Array(make()));
    const writes = buffers.map((bytes, index) => disk.write(index * REQUEST_BYTES_MAX, bytes));
    const small = new Uint8Array(SECTOR).fill(7);
    const after = disk.write(0, small);
    for (const bytes of buffers) lose(bytes);
    const codes = Promise.all(writes.map((write) => codeOf(write)));
    await parts.run();
    expect(await codes).toEqual(buffers.map(() => 'InvalidArgument'));
    await expect(writes[0]).rejects.toThrow('was detached or made smaller');
    await after;
    const back = disk.read(0, SECTOR);
    await parts.run();
    expectBytes(await back, small);
    await disk.close();
    expect(isDetached).toBe(true);
  });

  it('fails its own read, whether it was answered in part or not at all', async () => {
    const buffers = Array.from({ length: REQUESTS }, () => new Uint8Array(make()));
    const reads = buffers.map((bytes, index) => disk.read(index * REQUEST_BYTES_MAX, bytes));
    const after = disk.read(0, SECTOR);
    for (const bytes of buffers) lose(bytes);
    const codes = Promise.all(reads.map((read) => codeOf(read)));
    await parts.run();
    expect(await codes).toEqual(buffers.map(() => 'InvalidArgument'));
    expectBytes(await after, new Uint8Array(SECTOR));
    await disk.close();
    expect(isDetached).toBe(true);
  });
});

it('a buffer that grows while it is borrowed serves the request as it was made', async () => {
  const buffer = resizable(SECTOR, 2 * SECTOR);
  const bytes = new Uint8Array(buffer).fill(5);
  const write = disk.write(SECTOR, bytes);
  buffer.resize(2 * SECTOR);
  await parts.run();
  await write;
  const back = disk.read(SECTOR, 2 * SECTOR);
  await parts.run();
  expectBytes((await back).subarray(0, SECTOR), new Uint8Array(SECTOR).fill(5));
  expectBytes((await back).subarray(SECTOR), new Uint8Array(SECTOR));
});

it('a buffer that was transferred away before the call is not taken for an empty one', async () => {
  const bytes = new Uint8Array(SECTOR);
  transfer(bytes);
  expect(await codeOf(disk.write(0, bytes))).toBe('InvalidArgument');
  expect(await codeOf(disk.read(0, bytes))).toBe('InvalidArgument');
  await disk.write(0, new Uint8Array(0));
  expectBytes(await disk.read(0, new Uint8Array(0)), new Uint8Array(0));
});
