/** What a shard refuses, and what ends it: an operating error is an answer, a bug is none. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { OPERATION, STAGING_BUFFER } from '../../../src/record/shard-channel.ts';
import type { ShardRequest } from '../../../src/record/shard-message.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { failSlot, settleStore } from '../../../src/shard/execute.ts';
import { oneThreadShard } from '../../support/one-thread-shard.ts';

const GIB = 2 ** 30;

function memoryStore(): ShardStore {
  return openMemoryStore({ memoryLimitBytes: 64 << 20 });
}

/** A store of which some calls are replaced. */
function storeWith(replaced: Partial<ShardStore>): ShardStore {
  const store = memoryStore();
  const methods = ['treeNames', 'openTree', 'shareTree', 'removeTree', 'append', 'read', 'discard'];
  const others = ['countMapped', 'extentAt', 'commit', 'flush', 'idle', 'stats', 'check', 'close'];
  const bound = [...methods, ...others].map((name) => {
    const method = store[name as keyof ShardStore] as (...words: unknown[]) => unknown;
    return [name, method.bind(store)];
  });
  return { ...(Object.fromEntries(bound) as unknown as ShardStore), ...replaced };
}

function plainVolume(diskId: string, handle: number): ShardRequest {
  const layers = [{ tree: diskId, wrappedKey: null, context: null }];
  return { op: 'openVolume', handle, diskId, sizeBytes: GIB, layers };
}

function bug(): never {
  throw new TypeError('a bug');
}

describe('a bug', () => {
  it('in a control operation is no answer: it ends the thread', () => {
    const parts = oneThreadShard(storeWith({ check: bug }));
    expect(() => parts.control({ op: 'check' })).toThrow(TypeError);
    expect(parts.replies).toEqual([]);
  });

  it('in a commit or a flush is not taken for a store that failed', () => {
    const store = storeWith({ commit: bug, flush: bug });
    expect(() => settleStore(store, false)).toThrow(TypeError);
    expect(() => settleStore(store, true)).toThrow(TypeError);
  });

  it('in a request fails no slot', () => {
    const { channel } = oneThreadShard(memoryStore());
    expect(() => failSlot(channel, 0, new TypeError('a bug'))).toThrow(TypeError);
    expect(channel.status(0)).toBe(0);
    failSlot(channel, 0, new PlaneError('NoSpace', 'full'));
    expect(channel.failureCode(0)).toBe('NoSpace');
  });

  it.each([
    ['of main, an operation no slot has,', 99 as typeof OPERATION.read, /unreachable case: 99/],
    ['in a volume', OPERATION.read, /a bug/],
  ])('%s in the ring ends the thread', (_, operation, message) => {
    const { channel, control, shard } = oneThreadShard(storeWith({ read: bug }));
    control(plainVolume('d-1', 1));
    channel.fillSlot(0, operation, 1, STAGING_BUFFER, 0, 0, 0, 4096);
    channel.publishSubmitted(1);
    expect(() => shard.serveBatch()).toThrow(message);
    expect({ status: channel.status(0), completed: channel.completed }).toEqual({
      status: 0,
      completed: 0,
    });
  });

  it('of main, an operation there is not, ends the thread', () => {
    const parts = oneThreadShard(memoryStore());
    expect(() => parts.control({ op: 'somethingElse' } as unknown as ShardRequest)).toThrow();
  });
});

describe('an operating error', () => {
  it('of a control operation is an answer', () => {
    const store = storeWith({
      check: () => {
        throw new PlaneError('ReadFailed', 'segment 3: EIO');
      },
    });
    const parts = oneThreadShard(store);
    expect(parts.control({ op: 'check' })).toMatchObject({ error: { code: 'ReadFailed' } });
  });

  it.each<ShardRequest>([
    { op: 'resizeVolume', handle: 9, sizeBytes: GIB },
    { op: 'dropLowerLayers', handle: 9 },
    { op: 'findRuns', handle: 9, sector: 0, sectorCount: 1 },
  ])('of a handle that is not open is DiskClosed: $op', (request) => {
    const parts = oneThreadShard(memoryStore());
    expect(parts.control(request)).toMatchObject({ error: { code: 'DiskClosed' } });
  });

  it('is none where a volume is closed that is not open', () => {
    const parts = oneThreadShard(memoryStore());
    expect(parts.control({ op: 'closeVolume', handle: 9 })).toMatchObject({ result: null });
  });
});

describe('a shard', () => {
  it('says what it holds, checks it, and knows its engines', () => {
    const parts = oneThreadShard(memoryStore());
    parts.control(plainVolume('d-1', 1));
    expect(parts.control({ op: 'check' })).toMatchObject({ result: { problems: [] } });
    const survey = parts.control({ op: 'surveyEngines' }) as unknown as { result: object[] };
    expect(survey.result.length).toBeGreaterThan(1);
    expect(parts.control({ op: 'stats' })).toMatchObject({
      result: { openVolumes: 1, heldKeys: 0 },
    });
  });

  it('knows a buffer from when it is registered until it is not', async () => {
    const parts = oneThreadShard(memoryStore());
    parts.control(plainVolume('d-1', 1));
    const buffer = new SharedArrayBuffer(4096);
    const close = await parts.buffers.register(buffer);
    new Uint8Array(buffer).fill(5);
    const { channel, shard } = parts;
    const submit = (operation: (typeof OPERATION)[keyof typeof OPERATION], at: number): void => {
      channel.fillSlot(at, operation, 1, 1, 0, 0, 0, 4096);
      channel.publishSubmitted(at + 1);
    };
    submit(OPERATION.write, 0);
    shard.serveBatch();
    new Uint8Array(buffer).fill(0);
    submit(OPERATION.read, 1);
    shard.serveBatch();
    expect(new Uint8Array(buffer)).toEqual(new Uint8Array(4096).fill(5));
    await close();
    submit(OPERATION.read, 2);
    expect(() => shard.serveBatch()).toThrow(/a slot names a buffer that is registered/);
  });

  it('closes the volumes of a tree that is removed, and no others', () => {
    const parts = oneThreadShard(memoryStore());
    parts.control(plainVolume('d-1', 1));
    parts.control(plainVolume('d-2', 2));
    parts.control({ op: 'removeTree', name: 'd-1' });
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: { openVolumes: 1 } });
    expect(parts.control({ op: 'findRuns', handle: 2, sector: 0, sectorCount: 1 })).toMatchObject({
      result: expect.anything(),
    });
  });

  it('does background work until it is stopped, and none afterwards', () => {
    let steps = 0;
    const idle = (): boolean => {
      steps++;
      return true;
    };
    const parts = oneThreadShard(storeWith({ idle }));
    expect([parts.shard.idle(), steps]).toEqual([true, 1]);
    parts.control({ op: 'stop' });
    expect([parts.shard.isStopped, parts.shard.idle(), steps]).toEqual([true, false, 1]);
  });
});
