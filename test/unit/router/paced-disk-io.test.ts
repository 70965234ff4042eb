/** A modelled disk over a real shard in one thread: what is answered when, exactly once. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { PlaneError } from '../../../src/base/errors.ts';
import { MIB } from '../../../src/base/units.ts';
import { PACING_BUCKET_US, PACING_LATE_MS } from '../../../src/limits.ts';
import type { PerformanceProfile } from '../../../src/performance/profile.ts';
import { HeldCompletions } from '../../../src/router/held-completions.ts';
import { PacedDiskIo } from '../../../src/router/paced-disk-io.ts';
import { Pacing } from '../../../src/router/pacing.ts';
import { VolumeGate } from '../../../src/router/volume-gate.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import { oneThreadShard } from '../../support/one-thread-shard.ts';

const SECTOR = 4096;
const codeOf = (error: PlaneError): string => error.code;

const profile = (iops: number, latencyMs: number): PerformanceProfile => ({
  iops,
  bytesPerSecond: 100 * MIB,
  latencyMicroseconds: { average: latencyMs * 1_000, spread: 0 },
  burst: null,
  blockSizes: [],
});

/** Nothing rings: the timer alone wakes, PACING_LATE_MS late. */
function modelledDisk(figures: PerformanceProfile) {
  const parts = oneThreadShard(openMemoryStore({ memoryLimitBytes: 64 << 20 }));
  const layers = [{ tree: 'd-1', wrappedKey: null, context: null }];
  const sizeBytes = 2 ** 30;
  parts.control({ op: 'openVolume', handle: 1, diskId: 'd-1', sizeBytes, layers });
  const completions = new HeldCompletions(() => ({ set: () => {}, close: async () => {} }));
  const options = {
    diskId: 'd-1',
    sizeBytes,
    encrypted: false,
    handle: 1,
    dispatch: parts.dispatch,
    findRuns: async () => [0, 1],
    detach: vi.fn(async () => {}),
  };
  const disk = new PacedDiskIo(options, figures, completions);
  const answers: string[] = [];
  const start = systemClock.monotonic();
  const note = (name: string, request: Promise<unknown>): void => {
    const at = (): number => Math.round(systemClock.monotonic() - start);
    request.then(
      () => answers.push(`${name} ${at()}`),
      (error: PlaneError) => answers.push(`${name} ${error.code} ${at()}`),
    );
  };
  return { parts, disk, completions, answers, note, detach: options.detach };
}

const bytes = new Uint8Array(SECTOR).fill(7);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a modelled disk', () => {
  it('answers requests at its rate after its latency, though the shard has done them', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(100, 5));
    for (const name of ['a', 'b', 'c']) note(name, disk.write(0, bytes));
    note('read', disk.read(0, 1));
    await parts.run();
    await vi.advanceTimersByTimeAsync(5 + PACING_LATE_MS - 1);
    expect(answers).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    const late = PACING_LATE_MS;
    expect(answers).toEqual([
      `a ${5 + late}`,
      `b ${15 + late}`,
      `c ${25 + late}`,
      `read ${35 + late}`,
    ]);
  });

  it('answers at once what the shard took longer for', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(100, 5));
    note('slow', disk.write(0, bytes));
    await vi.advanceTimersByTimeAsync(500);
    expect(answers).toEqual([]);
    await parts.run();
    expect(answers).toEqual(['slow 500']);
  });

  it('counts each request once when it is answered, and failures as such', async () => {
    const { parts, disk, note } = modelledDisk(profile(100, 5));
    const written = () =>
      parts.dispatch.counters.read().find((each) => each.operation === 'write' && !each.encrypted);
    note('done', disk.write(0, bytes));
    await parts.run();
    expect(written()).toMatchObject({ requests: 0, bytes: 0, failures: 0 });
    await vi.advanceTimersByTimeAsync(100);
    expect(written()).toMatchObject({ requests: 1, bytes: SECTOR, failures: 0 });
    note('lost', disk.write(0, bytes));
    await Promise.resolve();
    parts.dispatch.fail(new PlaneError('ShardLost', 'gone'));
    expect(written()).toMatchObject({ requests: 2, bytes: SECTOR, failures: 1 });
  });

  it('holds requests without bytes as operations, flushes for their latency alone', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(100, 5));
    note('trim', disk.trim(0, SECTOR));
    note('zeroes', disk.writeZeroes(0, 64 * MIB));
    note('flush', disk.flush());
    await parts.run();
    await vi.advanceTimersByTimeAsync(100);
    expect(answers).toEqual([
      `trim ${5 + PACING_LATE_MS}`,
      `flush ${5 + PACING_LATE_MS}`,
      `zeroes ${15 + PACING_LATE_MS}`,
    ]);
  });

  it('answers failures at once, and refusals too', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(1, 50));
    note('far', disk.write(2 ** 30, bytes));
    note('lost', disk.write(0, bytes));
    await Promise.resolve();
    parts.dispatch.fail(new PlaneError('ShardLost', 'gone'));
    note('later', disk.write(0, bytes));
    await vi.advanceTimersByTimeAsync(0);
    expect(answers.sort()).toEqual(['far OutOfRange 0', 'later ShardLost 0', 'lost ShardLost 0']);
  });

  it('loses nothing that is held when its shard is lost', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(100, 5));
    note('done', disk.write(0, bytes));
    await parts.run();
    parts.dispatch.fail(new PlaneError('ShardLost', 'gone'));
    await vi.advanceTimersByTimeAsync(50);
    expect(answers).toEqual([`done ${5 + PACING_LATE_MS}`]);
  });

  it('answers what is held when it is closed, then is detached', async () => {
    const { parts, disk, answers, note, completions, detach } = modelledDisk(profile(1, 50));
    for (const name of ['a', 'b', 'c']) note(name, disk.write(0, bytes));
    await parts.run();
    note('closed', disk.close());
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual(['a 0', 'b 0', 'c 0', 'closed 0']);
    expect(detach).toHaveBeenCalledTimes(1);
    expect(completions.count).toBe(0);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(answers).toHaveLength(4);
    expect(await disk.read(0, 1).catch(codeOf)).toBe('DiskClosed');
  });

  it('is closed with requests the shard still has: they are answered when done', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(1, 50));
    for (const name of ['a', 'b']) note(name, disk.write(0, bytes));
    note('closed', disk.close());
    await vi.advanceTimersByTimeAsync(10);
    expect(answers).toEqual([]);
    await parts.run();
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual(['a 10', 'b 10', 'closed 10']);
  });

  it('is drained when the shard is, not when all is answered', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(1, 50));
    note('write', disk.write(0, bytes));
    await parts.run();
    await disk.drain();
    expect(answers).toEqual([]);
    await disk.close();
  });

  it('waits at a gate as any disk, and answers once', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(100, 5));
    const gate = new VolumeGate('d-1', () => {});
    disk.shut(gate);
    note('waits', disk.write(0, bytes));
    await vi.advanceTimersByTimeAsync(20);
    disk.unshut();
    await parts.run();
    await vi.advanceTimersByTimeAsync(20);
    expect(answers).toEqual(['waits 20']);
    gate.refuse(new PlaneError('ShardLost', 'gone'), true);
    disk.shut(gate);
    note('refused', disk.write(0, bytes));
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual(['waits 20', 'refused ShardLost 40']);
  });

  it('is as fast as its new profile from the next request on', async () => {
    const { parts, disk, answers, note } = modelledDisk(profile(100, 5));
    for (const name of ['a', 'b']) note(name, disk.write(0, bytes));
    disk.changeProfile(profile(50, 1));
    for (const name of ['c', 'd']) note(name, disk.write(0, bytes));
    await parts.run();
    await vi.advanceTimersByTimeAsync(100);
    const late = PACING_LATE_MS;
    expect(answers).toEqual([
      `a ${5 + late}`,
      `b ${15 + late}`,
      `c ${21 + late}`,
      `d ${41 + late}`,
    ]);
  });

  it('never does more than its rate and the bucket allow, however it is asked', async () => {
    const { parts, disk } = modelledDisk(profile(1_000, 0.2));
    let done = 0;
    let isOver = false;
    const asker = async (): Promise<void> => {
      while (!isOver) {
        await disk.write(0, bytes);
        done++;
      }
    };
    const askers = Array.from({ length: 16 }, asker);
    for (let turn = 0; turn < 1_000; turn++) {
      await parts.run();
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(done).toBeLessThanOrEqual(1_000 + PACING_BUCKET_US / 1_000 + 1);
    expect(done).toBeGreaterThan(950);
    isOver = true;
    await parts.run();
    await disk.close();
    await Promise.all(askers);
  });
});

/** Disks of one plane, in one thread: their faces, and how often each was answered. */
function modelledDisks(volumes: readonly Volume[]) {
  const parts = oneThreadShard(openMemoryStore({ memoryLimitBytes: 64 << 20 }));
  const pacing = new Pacing();
  const disks = volumes.map((volume, index) => {
    const [diskId, handle, sizeBytes] = [`d-${index}`, index + 1, 2 ** 30];
    const layers = [{ tree: diskId, wrappedKey: null, context: null }];
    parts.control({ op: 'openVolume', handle, diskId, sizeBytes, layers });
    const options = {
      diskId,
      sizeBytes,
      encrypted: false,
      handle,
      dispatch: parts.dispatch,
      findRuns: async () => [0, 1],
      detach: async () => {},
    };
    return pacing.faceOf(options, volume);
  });
  const done = disks.map(() => 0);
  /** Keeps so many requests in flight to each for so many milliseconds. */
  const ask = async (depths: readonly number[], milliseconds: number): Promise<void> => {
    let isOver = false;
    const askers = depths.flatMap((depth, at) =>
      Array.from({ length: depth }, async () => {
        while (!isOver) {
          await disks[at]!.write(0, bytes);
          if (!isOver) done[at]!++;
        }
      }),
    );
    for (let turn = 0; turn < milliseconds; turn++) {
      await parts.run();
      await vi.advanceTimersByTimeAsync(1);
    }
    isOver = true;
    const closing = Promise.all(disks.map((disk) => disk.close()));
    await parts.run();
    await closing;
    await Promise.allSettled(askers);
  };
  return { pacing, disks, done, ask };
}

type Volume = Parameters<Pacing['faceOf']>[1];

/** To the hundredth, and what the bucket and the last millisecond hold. */
function expectAbout(done: number, expected: number): void {
  expect(Math.abs(done - expected)).toBeLessThan(expected / 100 + 10);
}

describe('modelled disks beside each other', () => {
  it('have their rates each, however deep the queue of another is', async () => {
    const { done, ask, pacing } = modelledDisks([
      { profile: profile(2_000, 1) },
      { profile: profile(500, 1) },
      { profile: profile(1_000, 1) },
    ]);
    await ask([200, 8, 8], 2_000);
    expectAbout(done[0]!, 4_000);
    expectAbout(done[1]!, 1_000);
    expectAbout(done[2]!, 2_000);
    await pacing.close();
  });

  it('of one instance have its rate together, and others none of it', async () => {
    const instance = { instanceId: 'i-1', iops: 1_000, bytesPerSecond: 100 * MIB };
    const { done, ask, pacing } = modelledDisks([
      { profile: profile(2_000, 1), instance },
      { profile: profile(2_000, 1), instance },
      { profile: profile(2_000, 1), instance: { ...instance, instanceId: 'i-2', iops: 500 } },
      { profile: profile(2_000, 1) },
    ]);
    await ask([16, 16, 16, 16], 2_000);
    expectAbout(done[0]! + done[1]!, 2_000);
    // In the order they ask: two that ask alike have alike.
    expectAbout(done[0]!, 1_000);
    expectAbout(done[2]!, 1_000);
    expectAbout(done[3]!, 4_000);
    await pacing.close();
  });

  it('of an instance that does more are as fast as they are sold', async () => {
    const instance = { instanceId: 'i-1', iops: 20_000, bytesPerSecond: 100 * MIB };
    const { done, ask, pacing } = modelledDisks([{ profile: profile(1_000, 1), instance }]);
    await ask([32], 2_000);
    expectAbout(done[0]!, 2_000);
    await pacing.close();
  });

  it('of one instance have its bytes a second together', async () => {
    // Two 4 KiB requests a millisecond.
    const instance = { instanceId: 'i-1', iops: 20_000, bytesPerSecond: 2_000 * SECTOR };
    const { done, ask, pacing } = modelledDisks([
      { profile: profile(5_000, 1), instance },
      { profile: profile(5_000, 1), instance },
    ]);
    await ask([32, 32], 2_000);
    expectAbout(done[0]! + done[1]!, 4_000);
    await pacing.close();
  });

  it('keep the limits of their instance while one of them is open, and no longer', async () => {
    const instance = { instanceId: 'i-1', iops: 10, bytesPerSecond: MIB };
    const { disks, pacing } = modelledDisks([
      { profile: profile(1_000, 1), instance },
      { profile: profile(1_000, 1), instance },
      { profile: profile(1_000, 1) },
    ]);
    expect(pacing.instanceCount).toBe(1);
    await disks[0]!.close();
    await disks[0]!.close();
    expect(pacing.instanceCount).toBe(1);
    await disks[1]!.close();
    expect(pacing.instanceCount).toBe(0);
    await disks[2]!.close();
    await pacing.close();
  });
});

describe('a disk that is not modelled', () => {
  it('has the plain face, and nothing else is made for it', async () => {
    const parts = oneThreadShard(openMemoryStore({ memoryLimitBytes: 64 << 20 }));
    const pacing = new Pacing();
    const options = {
      diskId: 'd-1',
      sizeBytes: 2 ** 30,
      encrypted: false,
      handle: 1,
      dispatch: parts.dispatch,
      findRuns: async () => [0, 1],
      detach: async () => {},
    };
    const disk = pacing.faceOf(options, {});
    expect(disk).not.toBeInstanceOf(PacedDiskIo);
    disk.changeProfile(profile(1, 1_000));
    await pacing.close();
  });
});
