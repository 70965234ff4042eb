/** The real shard, store and dispatch in one thread, with the reference cipher. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { BATCH_REQUESTS_MAX, PIECE_BYTES_MAX, QUEUE_REQUESTS_MAX } from '../../../src/limits.ts';
import { DiskIo } from '../../../src/router/disk-io.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { type OneThreadShard, oneThreadShard } from '../../support/one-thread-shard.ts';

const GIB = 2 ** 30;
const context = { accountId: 'a', regionId: 'r', lineageId: 'd' };

function key(fill: number): ArrayBuffer {
  return new Uint8Array(32).fill(fill).buffer;
}

function memoryStore(): ShardStore {
  return openMemoryStore({ memoryLimitBytes: 256 << 20 });
}

function openPlain(parts: OneThreadShard, diskId = 'd-1', handle = 1): DiskIo {
  const layers = [{ tree: diskId, wrappedKey: null, context: null }];
  const volume = { handle, diskId, sizeBytes: GIB, layers };
  expect(parts.control({ op: 'openVolume', ...volume })).toMatchObject({ result: null });
  const { dispatch } = parts;
  return new DiskIo({
    diskId,
    sizeBytes: GIB,
    encrypted: false,
    handle,
    dispatch,
    findRuns: async (sector, sectorCount) => {
      const reply = parts.control({ op: 'findRuns', handle, sector, sectorCount });
      return (reply as { result: number[] }).result;
    },
    detach: async () => {},
  });
}

describe('a shard', () => {
  it('opens an encrypted volume only when the key has come, and erases the key bytes', async () => {
    const parts = oneThreadShard(memoryStore());
    const wrappedKey = new Uint8Array(80);
    const layers = [{ tree: 'd-5', wrappedKey, context }];
    const volume = { handle: 5, diskId: 'd-5', sizeBytes: GIB, layers };
    expect(parts.control({ op: 'openVolume', ...volume })).toBeUndefined();
    const [request] = parts.unwraps;
    expect(request).toMatchObject({ wrappedKey, context });
    const dataKey = key(7);
    parts.answer({ id: request?.id ?? 0, key: dataKey });
    expect(parts.replies.at(-1)).toMatchObject({ result: null });
    expect(new Uint8Array(dataKey)).toEqual(new Uint8Array(32));
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: { heldKeys: 1 } });
    parts.control({ op: 'closeVolume', handle: 5 });
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: { heldKeys: 0 } });
  });

  it('asks a KMS thread that is another for the keys the former still owes', () => {
    const parts = oneThreadShard(memoryStore());
    const layers = [{ tree: 'd-5', wrappedKey: new Uint8Array(80), context }];
    parts.control({ op: 'openVolume', handle: 5, diskId: 'd-5', sizeBytes: GIB, layers });
    expect(parts.control({ op: 'connectKms', port: null })).toMatchObject({ result: null });
    expect(parts.unwraps).toHaveLength(2);
    expect(parts.unwraps[1]).toEqual(parts.unwraps[0]);
    parts.answer({ id: parts.unwraps[1]?.id ?? 0, key: key(7) });
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: { heldKeys: 1 } });
    parts.control({ op: 'connectKms', port: null });
    expect(parts.unwraps).toHaveLength(2);
  });

  it('closes a volume it had opened too late for main, when it is opened again', () => {
    const parts = oneThreadShard(memoryStore());
    const open = (fill: number): void => {
      const layers = [{ tree: 'd-5', wrappedKey: new Uint8Array(80), context }];
      parts.control({ op: 'openVolume', handle: 5, diskId: 'd-5', sizeBytes: GIB, layers });
      parts.answer({ id: parts.unwraps.at(-1)?.id ?? 0, key: key(fill) });
    };
    open(1);
    open(2);
    const held = { openVolumes: 1, heldKeys: 1 };
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: held });
    parts.shard.eraseKeys();
    const none = { openVolumes: 0, heldKeys: 0 };
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: none });
  });

  it('scrubs by steps, each pass from its beginning', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts);
    const written = disk.write(0, new Uint8Array(4 * 4096));
    await parts.run();
    await written;
    const step = (pass: number, sectorsMax: number): unknown =>
      parts.control({ op: 'scrubStep', pass, sectorsMax });
    expect(step(1, 3)).toMatchObject({ result: { sectorsRead: 3, isDone: false } });
    expect(step(1, 9)).toMatchObject({ result: { sectorsRead: 1, isDone: true } });
    expect(step(2, 9)).toMatchObject({ result: { sectorsRead: 4, isDone: true } });
  });

  it('erases a key nobody waits for any more', () => {
    const parts = oneThreadShard(memoryStore());
    const late = key(9);
    parts.answer({ id: 99, key: late });
    expect(new Uint8Array(late)).toEqual(new Uint8Array(32));
  });

  it('answers with the refusal of the KMS thread and opens nothing', () => {
    const parts = oneThreadShard(memoryStore());
    const wrappedKey = new Uint8Array(80);
    parts.control({
      op: 'openVolume',
      handle: 5,
      diskId: 'd',
      sizeBytes: GIB,
      layers: [{ tree: 'd', wrappedKey, context }],
    });
    const error = { code: 'Rejected.Disabled', message: 'the key is disabled' } as const;
    parts.answer({ id: parts.unwraps[0]?.id ?? 0, error });
    expect(parts.replies.at(-1)).toMatchObject({ error });
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: { openVolumes: 0 } });
  });

  it('refuses a data key the cipher must not use', () => {
    const parts = oneThreadShard(memoryStore());
    expect(parts.control({ op: 'resizeVolume', handle: 3, sizeBytes: GIB })).toMatchObject({
      error: { code: 'DiskClosed' },
    });
  });

  it('lets main run that it has woken, unless it has nothing more to do', async () => {
    const yields: number[] = [];
    const parts = oneThreadShard(memoryStore(), () => yields.push(parts.shard.executedCount));
    const disk = openPlain(parts);
    const count = BATCH_REQUESTS_MAX + 1;
    const writes = Array.from({ length: count }, (_, at) => disk.write(at, new Uint8Array(1)));
    await Promise.resolve();
    const awake = parts.channel.sleepMain(0);
    expect(awake).not.toBeNull();
    expect(parts.shard.serveBatch()).toBe(true);
    expect(yields).toEqual([BATCH_REQUESTS_MAX]);
    expect(parts.shard.lastBatchRequests).toBe(BATCH_REQUESTS_MAX);
    expect(parts.channel.sleepMain(BATCH_REQUESTS_MAX)).not.toBeNull();
    expect(parts.shard.serveBatch()).toBe(true);
    expect(yields).toEqual([BATCH_REQUESTS_MAX]);
    await awake;
    await parts.run();
    await Promise.all(writes);
  });

  it('keeps the order of a disk and settles pieces of long requests once', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts);
    const long = new Uint8Array(5 * PIECE_BYTES_MAX + 77).fill(1);
    const writes = [disk.write(3, long), disk.write(100, new Uint8Array(9).fill(2))];
    const read = disk.read(3, long.length);
    const later = disk.write(3, new Uint8Array(long.length).fill(3));
    await parts.run();
    await Promise.all([...writes, later]);
    const expected = long.slice();
    expected.fill(2, 97, 106);
    expect(Buffer.compare(await read, expected)).toBe(0);
  });

  it('tells what is written and what is a hole, exact to a sector', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts);
    const writes = [disk.write(5000, new Uint8Array(10)), disk.write(12_288, new Uint8Array(8192))];
    await parts.run();
    await Promise.all(writes);
    expect(await disk.allocation(0, 32_768)).toEqual([
      { length: 4096, isHole: true },
      { length: 4096, isHole: false },
      { length: 4096, isHole: true },
      { length: 8192, isHole: false },
      { length: 12_288, isHole: true },
    ]);
    expect(await disk.allocation(4095, 2)).toEqual([
      { length: 1, isHole: true },
      { length: 1, isHole: false },
    ]);
    expect(await disk.allocation(8000, 10)).toEqual([{ length: 10, isHole: false }]);
    expect(await disk.allocation(GIB - 1, 1)).toEqual([{ length: 1, isHole: true }]);
    expect(await disk.allocation(GIB, 0)).toEqual([]);
    await expect(disk.allocation(GIB, 1)).rejects.toMatchObject({ code: 'OutOfRange' });
    parts.control({ op: 'closeVolume', handle: 1 });
    expect(parts.control({ op: 'findRuns', handle: 1, sector: 0, sectorCount: 1 })).toMatchObject({
      error: { code: 'DiskClosed' },
    });
  });

  it('serves more than the staging area holds and refuses only beyond the queue', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts);
    const outcomes: Promise<unknown>[] = [];
    for (let index = 0; index < 3000; index++) {
      outcomes.push(disk.write((index % 64) * 65_536, new Uint8Array(65_536).fill(index)));
    }
    await parts.run();
    await Promise.all(outcomes);
    const back = disk.read(0, 64 * 65_536);
    await parts.run();
    const bytes = await back;
    for (let at = 0; at < 64; at++) {
      const last = Math.floor((2999 - at) / 64) * 64 + at;
      expect(bytes[at * 65_536]).toBe(last & 0xff);
    }
    const flood = Array.from({ length: QUEUE_REQUESTS_MAX + 2000 }, () =>
      disk.flush().then(
        () => 'done',
        (error: PlaneError) => error.code,
      ),
    );
    await parts.run();
    const said = await Promise.all(flood);
    expect(new Set(said)).toEqual(new Set(['done', 'Busy']));
    expect(said.filter((word) => word === 'done').length).toBeGreaterThan(QUEUE_REQUESTS_MAX);
  });

  it('frees no staging space for requests that took none', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts);
    const write = disk.write(0, new Uint8Array(65_536));
    const trims = Array.from({ length: 100 }, () => disk.trim(0, 4096));
    await Promise.resolve();
    parts.shard.serveBatch();
    parts.dispatch.settle();
    await write;
    const later = disk.write(0, new Uint8Array(4096).fill(1));
    await parts.run();
    await Promise.all([...trims, later]);
    const read = disk.read(0, 1);
    await parts.run();
    expect(await read).toEqual(new Uint8Array([1]));
  });

  it('fails the writes of a batch whose commit fails, and none of its reads', async () => {
    const store = memoryStore();
    const parts = oneThreadShard(store);
    const disk = openPlain(parts);
    const read = disk.read(0, 4096);
    const write = disk.write(0, new Uint8Array(4096)).catch((error: PlaneError) => error.code);
    const flush = disk.flush().catch((error: PlaneError) => error.code);
    store.flush = () => {
      throw new PlaneError('StoreFailed', 'fdatasync failed');
    };
    await parts.run();
    expect(await read).toEqual(new Uint8Array(4096));
    expect(await write).toBe('StoreFailed');
    expect(await flush).toBe('StoreFailed');
  });

  it('fails what is in flight, what waits and what comes later when it is lost', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts);
    const bytes = new Uint8Array(65_536);
    const said = Array.from({ length: 400 }, () =>
      disk.write(0, bytes).then(
        () => 'done',
        (error: PlaneError) => error.code,
      ),
    );
    parts.dispatch.fail(new PlaneError('ShardLost', 'shard 0 crashed'));
    expect(new Set(await Promise.all(said))).toEqual(new Set(['ShardLost']));
    await expect(disk.read(0, 1)).rejects.toMatchObject({ code: 'ShardLost' });
    await disk.drain();
  });

  it('answers I/O on a handle that is not open with DiskClosed', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts);
    parts.control({ op: 'closeVolume', handle: 1 });
    const read = disk.read(0, 1).catch((error: PlaneError) => error.code);
    await parts.run();
    expect(await read).toBe('DiskClosed');
  });

  it('removes the trees main does not name', async () => {
    const parts = oneThreadShard(memoryStore());
    const disk = openPlain(parts, 'd-keep');
    const write = disk.write(0, new Uint8Array(4096));
    await parts.run();
    await write;
    parts.control({ op: 'shareTree', source: 'd-keep', target: 's-orphan' });
    parts.control({ op: 'retainTrees', names: ['d-keep'] });
    expect(parts.control({ op: 'shareTree', source: 'd-keep', target: 's-orphan' })).toMatchObject({
      result: null,
    });
    expect(parts.control({ op: 'shareTree', source: 'd-keep', target: 's-orphan' })).toMatchObject({
      error: { code: 'InvalidArgument' },
    });
  });
});
