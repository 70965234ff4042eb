/** Layers through the real shard: keys asked for, refused, pushed, moved, dropped. */
import { describe, expect, it } from 'vitest';
import { allocateRegion, type MemoryRegion } from '../../../src/base/bytes.ts';
import { PlaneError } from '../../../src/base/errors.ts';
import type { SectorKey } from '../../../src/cipher/sector-cipher.ts';
import type {
  ReencryptProgress,
  ShardReply,
  VolumeLayer,
} from '../../../src/record/shard-message.ts';
import { DiskIo } from '../../../src/router/disk-io.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import { Layer } from '../../../src/shard/layer.ts';
import { Volume } from '../../../src/shard/volume.ts';
import { expectBytes } from '../../support/expect-bytes.ts';
import { type OneThreadShard, oneThreadShard } from '../../support/one-thread-shard.ts';

const SECTOR = 4096;
const SIZE_BYTES = 2 ** 30;
const context = { accountId: 'a', regionId: 'r', lineageId: 'd' };
const refusal = { code: 'Rejected.Disabled', message: 'the key is disabled' } as const;

/** The wrapped key of a layer is its number: the test plays the KMS thread. */
function layer(tree: string, key: number): VolumeLayer {
  return { tree, wrappedKey: new Uint8Array([key]), context };
}

function unwrapped(key: number): ArrayBuffer {
  return new Uint8Array(32).fill(key).buffer;
}

/** Answers every unwrap request; keys in `refused` are refused. */
function answerAll(parts: OneThreadShard, refused: readonly number[] = []): ArrayBuffer[] {
  const given: ArrayBuffer[] = [];
  for (const { id, wrappedKey } of parts.unwraps.splice(0)) {
    const number = wrappedKey[0]!;
    const key = unwrapped(number);
    given.push(key);
    parts.answer(refused.includes(number) ? { id, error: refusal } : { id, key });
  }
  return given;
}

function open(parts: OneThreadShard, handle: number, layers: readonly VolumeLayer[]): DiskIo {
  const volume = { handle, diskId: 'd', sizeBytes: SIZE_BYTES, layers };
  parts.control({ op: 'openVolume', ...volume });
  answerAll(parts);
  expect(parts.replies.at(-1)).toMatchObject({ result: null });
  const { dispatch } = parts;
  const detach = async (): Promise<void> => {};
  const findRuns = async (sector: number, sectorCount: number): Promise<number[]> => {
    const reply = parts.control({ op: 'findRuns', handle, sector, sectorCount });
    return (reply as { result: number[] }).result;
  };
  return new DiskIo({ ...volume, encrypted: true, handle, dispatch, findRuns, detach });
}

function start(): OneThreadShard {
  return oneThreadShard(openMemoryStore({ memoryLimitBytes: 256 << 20 }));
}

async function write(parts: OneThreadShard, disk: DiskIo, offset: number, fill: number) {
  const written = disk.write(offset, new Uint8Array(2 * SECTOR).fill(fill));
  await parts.run();
  await written;
}

async function firstBytes(parts: OneThreadShard, disk: DiskIo, sectors: number): Promise<number[]> {
  const read = disk.read(0, sectors * SECTOR);
  await parts.run();
  const bytes = await read;
  return Array.from({ length: sectors }, (_, sector) => bytes[sector * SECTOR]!);
}

function heldKeys(parts: OneThreadShard): unknown {
  const reply = parts.control({ op: 'stats' }) as { result: { heldKeys: number } };
  return reply.result.heldKeys;
}

function step(parts: OneThreadShard, handle: number): ReencryptProgress {
  const reply = askStep(parts, handle);
  return (reply as { result: ReencryptProgress }).result;
}

/** Asks for a step of three sectors, and lets the shard do it, one at a time. */
function askStep(parts: OneThreadShard, handle: number): ShardReply | undefined {
  const before = parts.replies.length;
  parts.control({ op: 'reencryptStep', handle, sectorsMax: 3, sliceSectors: 1 });
  while (parts.replies.length === before && parts.shard.idle());
  return parts.replies[before];
}

describe('a volume of layers in its shard', () => {
  it('opens when all its keys have come, and holds each', async () => {
    const parts = start();
    const layers = [layer('top', 1), { tree: 'mid', wrappedKey: null, context: null }];
    const volume = { handle: 1, diskId: 'd', sizeBytes: SIZE_BYTES };
    parts.control({ op: 'openVolume', ...volume, layers: [...layers, layer('low', 2)] });
    expect(parts.unwraps.map(({ wrappedKey }) => wrappedKey[0])).toEqual([1, 2]);
    const [first, second] = parts.unwraps.splice(0);
    parts.answer({ id: second!.id, key: unwrapped(2) });
    expect(parts.replies).toEqual([]);
    expect(heldKeys(parts)).toBe(0);
    parts.answer({ id: first!.id, key: unwrapped(1) });
    expect(parts.replies.at(-1)).toMatchObject({ result: null });
    expect(heldKeys(parts)).toBe(2);
  });

  it('is not opened if one key is refused, whichever comes first, and keeps none', () => {
    for (const refused of [1, 2]) {
      const parts = start();
      const layers = [layer('top', 1), layer('low', 2)];
      parts.control({ op: 'openVolume', handle: 1, diskId: 'd', sizeBytes: SIZE_BYTES, layers });
      const given = answerAll(parts, [refused]);
      expect(parts.replies.at(-1)).toMatchObject({ error: refusal });
      expect(parts.control({ op: 'stats' })).toMatchObject({
        result: { openVolumes: 0, heldKeys: 0 },
      });
      expect(new Uint8Array(given[2 - refused]!)).toEqual(new Uint8Array(32));
    }
  });

  it('moves to a new key beside I/O, and needs the old one no more', async () => {
    const parts = start();
    const disk = open(parts, 1, [layer('old', 1)]);
    for (const [sector, fill] of [
      [0, 1],
      [3, 2],
      [6, 3],
    ] as const) {
      await write(parts, disk, sector * SECTOR, fill);
    }
    parts.control({ op: 'pushLayer', handle: 1, layer: layer('new', 2) });
    await write(parts, disk, 3 * SECTOR, 4);
    answerAll(parts);
    expect(parts.replies.at(-1)).toMatchObject({ result: null });
    await write(parts, disk, 7 * SECTOR, 5);
    open(parts, 2, [layer('new', 2), layer('old', 1)]);
    expect(parts.control({ op: 'dropLowerLayers', handle: 1 })).toMatchObject({
      error: { code: 'InvalidArgument' },
    });
    expect(step(parts, 2)).toEqual({ movedSectors: 3, remainingSectors: 3, isDone: false });
    expect(await firstBytes(parts, disk, 9)).toEqual([1, 1, 0, 4, 4, 0, 3, 5, 5]);
    const trim = disk.trim(4 * SECTOR, SECTOR);
    await parts.run();
    await trim;
    // Of the next two sectors one was trimmed since; the last was overwritten on top.
    expect(step(parts, 2)).toEqual({ movedSectors: 1, remainingSectors: 0, isDone: true });
    expect(step(parts, 2)).toEqual({ movedSectors: 0, remainingSectors: 0, isDone: true });
    expect(parts.control({ op: 'dropLowerLayers', handle: 1 })).toMatchObject({ result: null });
    parts.control({ op: 'closeVolume', handle: 2 });
    expect(heldKeys(parts)).toBe(1);
    parts.control({ op: 'removeTree', name: 'old' });
    expect(await firstBytes(parts, disk, 9)).toEqual([1, 1, 0, 4, 0, 0, 3, 5, 5]);
    parts.control({ op: 'closeVolume', handle: 1 });
    const again = open(parts, 3, [layer('new', 2)]);
    expect(await firstBytes(parts, again, 9)).toEqual([1, 1, 0, 4, 0, 0, 3, 5, 5]);
  });

  it('has nothing to move with one layer', () => {
    const parts = start();
    open(parts, 1, [layer('d', 1)]);
    expect(step(parts, 1)).toEqual({ movedSectors: 0, remainingSectors: 0, isDone: true });
    expect(parts.control({ op: 'dropLowerLayers', handle: 1 })).toMatchObject({ result: null });
    expect(heldKeys(parts)).toBe(1);
  });

  it('takes no layer whose key is refused, whose tree has bytes, or that it has', async () => {
    const parts = start();
    const disk = open(parts, 1, [layer('d', 1)]);
    await write(parts, disk, 0, 1);
    parts.control({ op: 'shareTree', source: 'd', target: 'full' });
    for (const tree of ['new', 'full', 'd']) {
      parts.control({ op: 'pushLayer', handle: 1, layer: layer(tree, 2) });
      answerAll(parts, tree === 'new' ? [2] : []);
      const code = tree === 'new' ? refusal.code : 'InvalidArgument';
      expect(parts.replies.at(-1)).toMatchObject({ error: { code } });
      expect(heldKeys(parts)).toBe(1);
    }
    expect(await firstBytes(parts, disk, 3)).toEqual([1, 1, 0]);
  });

  it('takes no layer after it was closed', () => {
    const parts = start();
    open(parts, 1, [layer('d', 1)]);
    parts.control({ op: 'pushLayer', handle: 1, layer: layer('new', 2) });
    parts.control({ op: 'closeVolume', handle: 1 });
    answerAll(parts);
    expect(parts.replies.at(-1)).toMatchObject({ error: { code: 'DiskClosed' } });
    expect(askStep(parts, 1)).toMatchObject({ error: { code: 'DiskClosed' } });
    for (const op of ['dropLowerLayers', 'pushLayer'] as const) {
      const request = { handle: 1, layer: layer('n', 2) };
      expect(parts.control({ op, ...request })).toMatchObject({ error: { code: 'DiskClosed' } });
    }
    expect(heldKeys(parts)).toBe(0);
  });

  it('is not opened by a store that takes no new tree, and the thread goes on', () => {
    const store = openMemoryStore({ memoryLimitBytes: 256 << 20 });
    const parts = oneThreadShard(store);
    store.openTree = () => {
      throw new PlaneError('StoreFailed', 'fdatasync failed');
    };
    const layers = [layer('d', 1)];
    parts.control({ op: 'openVolume', handle: 1, diskId: 'd', sizeBytes: SIZE_BYTES, layers });
    answerAll(parts);
    expect(parts.replies.at(-1)).toMatchObject({ error: { code: 'StoreFailed' } });
  });

  it('erases keys that came when the shard stops before the others do', () => {
    const parts = start();
    const layers = [layer('top', 1), layer('low', 2)];
    parts.control({ op: 'openVolume', handle: 1, diskId: 'd', sizeBytes: SIZE_BYTES, layers });
    const [first, second] = parts.unwraps;
    parts.answer({ id: first!.id, key: unwrapped(1) });
    parts.control({ op: 'stop' });
    const late = unwrapped(2);
    parts.answer({ id: second!.id, key: late });
    expect(new Uint8Array(late)).toEqual(new Uint8Array(32));
    expect(parts.replies).toHaveLength(1);
  });

  it('is shared at one instant, all its trees or none', async () => {
    const parts = start();
    const disk = open(parts, 1, [layer('top', 1), layer('low', 2)]);
    await write(parts, disk, 0, 1);
    const pairs = [
      { source: 'top', target: 'top-s' },
      { source: 'low', target: 'low-s' },
    ];
    const clashing = [...pairs, { source: 'top', target: 'low' }];
    const failed = parts.control({ op: 'shareTrees', pairs: clashing });
    expect(failed).toMatchObject({ error: { code: 'InvalidArgument' } });
    expect(parts.control({ op: 'stats' })).toMatchObject({ result: { trees: 2 } });
    expect(parts.control({ op: 'shareTrees', pairs })).toMatchObject({ result: null });
    await write(parts, disk, 0, 2);
    const snapshot = open(parts, 2, [layer('top-s', 1), layer('low-s', 2)]);
    expect(await firstBytes(parts, snapshot, 2)).toEqual([1, 1]);
  });
});

describe('re-encryption', () => {
  it('overwrites the plaintext it had in memory, also when a sector cannot be stored', () => {
    const store = openMemoryStore({ memoryLimitBytes: 256 << 20 });
    const seen: MemoryRegion[] = [];
    const low = new Layer(store, 'low', null);
    const top = new Layer(store, 'top', spyKey(seen));
    const plain = allocateRegion(8 * SECTOR);
    plain.bytes.fill(7);
    low.write(0, 8, plain, 0);
    const volume = new Volume(store, 'd', SIZE_BYTES, [top, low]);
    volume.reencryptStep(4);
    const append = store.append.bind(store);
    store.append = (...given) => {
      append(...given);
      throw new PlaneError('NoSpace', 'the memory limit is reached');
    };
    expect(() => volume.reencryptStep(4)).toThrow(/NoSpace/);
    expect(seen).toHaveLength(2);
    for (const { bytes } of seen) expectBytes(bytes, new Uint8Array(bytes.byteLength));
    store.append = append;
    // What was appended before the error is not appended again.
    expect(volume.reencryptStep(4)).toMatchObject({ movedSectors: 0 });
    // That step has found the end and flushed; the next one discards what was moved.
    expect(low.countMapped(0, 8)).toBe(8);
    expect(volume.reencryptStep(4)).toMatchObject({ movedSectors: 0, isDone: true });
    expect(low.countMapped(0, 8)).toBe(0);
  });
});

describe('progress', () => {
  it('is counted step by step, over holes of any length, and ends at nothing', () => {
    const store = openMemoryStore({ memoryLimitBytes: 256 << 20 });
    const low = new Layer(store, 'low', null);
    const plain = allocateRegion(8 * SECTOR);
    const places = [0, 100, 2 ** 22 - 1, 2 ** 22 + 50, 2 ** 32 - 4, 2 ** 34 - 8];
    for (const sector of places) low.write(sector, 8, plain, 0);
    const volume = new Volume(store, 'd', SIZE_BYTES, [new Layer(store, 'top', null), low]);
    const steps: ReencryptProgress[] = [];
    do steps.push(volume.reencryptStep(12));
    while (!steps.at(-1)!.isDone);
    const moved = steps.reduce((sum, { movedSectors }) => sum + movedSectors, 0);
    expect(moved).toBe(8 * places.length);
    let left = moved;
    for (const { movedSectors, remainingSectors } of steps) {
      left -= movedSectors;
      expect(remainingSectors).toBeLessThanOrEqual(left);
    }
    // The first has counted up to the middle of the third place.
    expect(steps[0]!.remainingSectors).toBe(2 * 8 + 1 - 12);
    expect(steps.at(-1)).toMatchObject({ remainingSectors: 0, isDone: true });
  });

  it('passes what is hidden without moving it', () => {
    const store = openMemoryStore({ memoryLimitBytes: 256 << 20 });
    const [low, top] = [new Layer(store, 'low', null), new Layer(store, 'top', null)];
    const plain = allocateRegion(4096 * SECTOR);
    for (let at = 0; at < 12_000; at += 4000) low.write(at, 4000, plain, 0);
    for (let at = 0; at < 12_000; at += 4000) top.write(at, 4000, plain, 0);
    const volume = new Volume(store, 'd', SIZE_BYTES, [top, low]);
    const steps: ReencryptProgress[] = [];
    do steps.push(volume.reencryptStep(256));
    while (!steps.at(-1)!.isDone);
    expect(steps.every(({ movedSectors }) => movedSectors === 0)).toBe(true);
    expect(steps.length).toBeLessThan(15);
    expect(low.countMapped(0, 2 ** 34)).toBe(0);
  });
});

/** A key that does nothing, and notes the memory it is given plaintext in. */
function spyKey(seen: MemoryRegion[]): SectorKey {
  return {
    encrypt: (source) => {
      expect(source.bytes[0]).toBe(7);
      seen.push(source);
    },
    decrypt: () => {},
    close: () => {},
  };
}
