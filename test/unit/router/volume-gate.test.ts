/** The gate requests wait at while a volume is not open, and a disk behind it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { QUEUE_REQUESTS_MAX, REOPEN_RETRY_MS, REPLACE_TIMEOUT_MS } from '../../../src/limits.ts';
import { DiskIo } from '../../../src/router/disk-io.ts';
import { VolumeGate } from '../../../src/router/volume-gate.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import { oneThreadShard } from '../../support/one-thread-shard.ts';

const codeOf = (error: PlaneError): string => error.code;

function gateWithLog() {
  const log: string[] = [];
  const gate = new VolumeGate('d-1', () => log.push('knock'));
  const enter = (name: string): void =>
    gate.enter(
      () => log.push(`${name} passes`),
      (error) => log.push(`${name} ${error.code}`),
    );
  return { gate, log, enter };
}

describe('a gate', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('lets those that wait pass in the order they came', () => {
    const { gate, log, enter } = gateWithLog();
    for (const name of ['a', 'b', 'c']) enter(name);
    expect(log).toEqual([]);
    gate.open();
    expect(log).toEqual(['a passes', 'b passes', 'c passes']);
  });

  it('answers those that wait, and those that come, after its deadline; and can open later', () => {
    const { gate, log, enter } = gateWithLog();
    enter('a');
    vi.advanceTimersByTime(REPLACE_TIMEOUT_MS - 1);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    enter('b');
    vi.advanceTimersByTime(10 * REOPEN_RETRY_MS);
    enter('c');
    expect(log).toEqual(['a ShardLost', 'b ShardLost', 'c ShardLost']);
    gate.shut();
    enter('d');
    gate.open();
    vi.advanceTimersByTime(2 * REPLACE_TIMEOUT_MS);
    expect(log.at(-1)).toBe('d passes');
  });

  it('answers a refusal, and has the volume tried again by a request, not too often', () => {
    const { gate, log, enter } = gateWithLog();
    enter('a');
    gate.refuse(new PlaneError('InvalidParameter.KMSKeyId.CMKNotEnabled', 'so'), false);
    enter('b');
    vi.advanceTimersByTime(REOPEN_RETRY_MS - 1);
    enter('c');
    expect(log.splice(0)).toEqual(
      ['a', 'b', 'c'].map((name) => `${name} InvalidParameter.KMSKeyId.CMKNotEnabled`),
    );
    vi.advanceTimersByTime(1);
    enter('d');
    enter('e');
    expect(log).toEqual(['knock']);
    gate.open();
    expect(log).toEqual(['knock', 'd passes', 'e passes']);
  });

  it('never tries again after a final refusal', () => {
    const { gate, log, enter } = gateWithLog();
    gate.refuse(new PlaneError('DataLost', 'gone'), true);
    vi.advanceTimersByTime(1_000 * REOPEN_RETRY_MS);
    enter('a');
    expect(log).toEqual(['a DataLost']);
  });

  it('holds so many requests, and refuses one more as Busy', () => {
    const { gate, log, enter } = gateWithLog();
    for (let count = 0; count < QUEUE_REQUESTS_MAX; count++) enter('x');
    expect(log).toEqual([]);
    enter('last');
    expect(log).toEqual(['last Busy']);
    gate.open();
    expect(log).toHaveLength(1 + QUEUE_REQUESTS_MAX);
  });
});

describe('a disk whose volume is not open', () => {
  function shutDisk() {
    const parts = oneThreadShard(openMemoryStore({ memoryLimitBytes: 64 << 20 }));
    const layers = [{ tree: 'd-1', wrappedKey: null, context: null }];
    const sizeBytes = 2 ** 30;
    parts.control({ op: 'openVolume', handle: 1, diskId: 'd-1', sizeBytes, layers });
    const disk = new DiskIo({
      diskId: 'd-1',
      sizeBytes,
      encrypted: false,
      handle: 1,
      dispatch: parts.dispatch,
      findRuns: async () => [0, 1],
      detach: async () => undefined,
    });
    const gate = new VolumeGate('d-1', () => undefined);
    disk.shut(gate);
    return { parts, disk, gate };
  }

  it('does what waited before what comes later, once it is', async () => {
    const { parts, disk } = shutDisk();
    const first = disk.write(0, new Uint8Array(4096).fill(1));
    const read = disk.read(0, 1);
    const runs = disk.allocation(0, 4096);
    disk.unshut();
    const second = disk.write(0, new Uint8Array(4096).fill(2));
    await parts.run();
    await Promise.all([first, second]);
    expect(await read).toEqual(Uint8Array.of(1));
    expect(await runs).toEqual([{ length: 4096, isHole: true }]);
  });

  it('closes when those that wait are answered', async () => {
    const { disk, gate } = shutDisk();
    const write = disk.write(0, new Uint8Array(1)).catch(codeOf);
    const flush = disk.flush().catch(codeOf);
    const runs = disk.allocation(0, 1).catch(codeOf);
    const closed = disk.close();
    gate.refuse(new PlaneError('ShardLost', 'gone'), true);
    expect(await Promise.all([write, flush, runs])).toEqual(Array(3).fill('ShardLost'));
    await closed;
    expect(await disk.read(0, 1).catch(codeOf)).toBe('DiskClosed');
  });

  it('answers what waited when the shard is lost again at once', async () => {
    const { parts, disk } = shutDisk();
    const write = disk.write(0, new Uint8Array(1)).catch(codeOf);
    parts.dispatch.fail(new PlaneError('ShardLost', 'again'));
    disk.unshut();
    expect(await write).toBe('ShardLost');
    await disk.drain();
  });
});
