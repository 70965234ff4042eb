import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { WRITE } from '../../../src/load/operation-source.ts';
import { createMemoryTarget, createNullTarget, type Target } from '../../../src/load/target.ts';
import { type TraceResult, TraceRun, type TraceRunOptions } from '../../../src/load/trace-run.ts';
import { type Faults, faultyTarget, witness, wrapTarget } from './doubles.ts';

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-trace-'));
afterAll(() => rmSync(directory, { recursive: true }));

let number = 0;
function file(text: string, name?: string): string {
  number += 1;
  const path = join(directory, name ?? `trace-${number}.csv`);
  writeFileSync(path, text);
  return path;
}

function replay(
  fileName: string,
  target: Target,
  options: Partial<TraceRunOptions> = {},
): Promise<TraceResult> {
  return new TraceRun({
    fileName,
    sizesFileName: null,
    target,
    depth: 8,
    speed: 0,
    isVerified: true,
    runtimeMs: 0,
    requestsMax: 0,
    ...options,
  }).run();
}

/** A trace of overlapping, unaligned requests on a few small devices. */
function busyTrace(requests: number, devices: number, seed: number): string {
  const prng = createPrng(seed);
  return Array.from({ length: requests }, (_, at) => {
    const offset = prng.nextBelow(200) * 512;
    const length = (1 + prng.nextBelow(20)) * 512;
    const opcode = prng.nextBelow(2) === 0 ? 'R' : 'W';
    return `${prng.nextBelow(devices)},${opcode},${offset},${length},${at * 10}`;
  }).join('\n');
}

describe('replay', () => {
  test('makes the requests of the trace, in its order, on a disk for each device', async () => {
    const { target, requests } = witness(createMemoryTarget());
    const name = file('5,W,0,1024,1\n9,W,512,512,2\n5,R,512,512,3\n');
    const result = await replay(name, target, { depth: 3 });
    expect(requests).toEqual([
      { operation: 'write', disk: 'trace.5', offset: 0, length: 1024 },
      { operation: 'write', disk: 'trace.9', offset: 512, length: 512 },
      { operation: 'read', disk: 'trace.5', offset: 512, length: 512 },
    ]);
    expect(result).toMatchObject({ devices: 2, requests: 3, error: null });
    expect(result.stats.direction(WRITE)).toMatchObject({ requests: 2, bytes: 1536 });
  });

  test('of a right disk finds nothing wrong, at any depth', async () => {
    const name = file(busyTrace(3000, 3, 1));
    for (const depth of [1, 7, 64]) {
      const { error, log, requests } = await replay(name, createMemoryTarget(), { depth });
      expect([error, log.count, requests]).toEqual([null, 0, 3000]);
      expect(log.checkedUnits).toBeGreaterThan(10_000);
    }
  });

  const planted: [string, Faults][] = [
    ['a dropped write', { dropWrite: 20 }],
    ['a misplaced write', { misplaceWrite: 20 }],
    ['a torn write', { tearWrite: 20 }],
    ['two writes done in the other order', { swapWrite: 20 }],
    ['a flipped bit', { flipRead: 20 }],
  ];
  test.each(planted)('finds %s', async (_name, faults) => {
    // Every write covers the same place, and is read at once: nothing can hide.
    const lines = Array.from(
      { length: 100 },
      (_, at) => `0,W,4096,4096,${at}\n0,W,6144,4096,${at}\n0,R,4096,8192,${at}`,
    );
    const name = file(`0,W,0,65536,0\n${lines.join('\n')}`);
    const { error, log } = await replay(name, faultyTarget(faults), { depth: 1 });
    expect(log.count).toBeGreaterThan(0);
    expect(error).toMatchObject({ code: 'VerifyMismatch' });
  });

  test('unverified does not look', async () => {
    const name = file(busyTrace(300, 1, 2));
    const { error, log } = await replay(name, faultyTarget({ flipRead: 3 }), { isVerified: false });
    expect([error, log.checkedUnits]).toEqual([null, 0]);
  });

  test('ends with the first request that fails', async () => {
    const name = file(busyTrace(300, 1, 2));
    const { error, requests } = await replay(name, faultyTarget({ failWrite: 10 }), { depth: 1 });
    expect(error).toMatchObject({ code: 'NoSpace' });
    expect(requests).toBeLessThan(50);
  });

  test('takes sizes from the file beside it, or the one named', async () => {
    const opened: number[] = [];
    const target = (): Target => {
      const memory = createMemoryTarget();
      return {
        ...memory,
        openDisk: (name, sizeBytes) => {
          opened.push(sizeBytes);
          return memory.openDisk(name, sizeBytes);
        },
      };
    };
    const name = file('3,W,0,512,1\n');
    await replay(name, target());
    await replay(name, target(), { sizesFileName: file('3,8192\n') });
    file('3,16384\n', 'device_size.csv');
    await replay(name, target());
    rmSync(join(directory, 'device_size.csv'));
    expect(opened).toEqual([512, 8192, 16384]);
  });

  test.each([
    ['1,W,0,0,1', 'expected a length of 1 to 33554432 bytes, got 0'],
    ['1,W,0,33554944,1', 'got 33554944'],
    ['2,W,0,512,1', 'device 2 has no known size'],
    ['1,W,1048576,512,1', "expected a range within the device's 1048576 bytes"],
    ['1,W,100,512,1', '--verify needs multiples of 512 bytes'],
    ['1,W,0,100,1', '--verify needs multiples of 512 bytes'],
    ['1,Z,0,512,1', 'opcode: expected an opcode'],
  ])('the line %j ends it with its place', async (line, message) => {
    const name = file(`1,W,0,512,1\n${line}\n`);
    const { error } = await replay(name, createMemoryTarget(), {
      sizesFileName: file('1,1048576\n'),
    });
    expect(error).toMatchObject({ code: 'TraceInvalid' });
    expect((error as Error).message).toContain(`${name}:2: `);
    expect((error as Error).message).toContain(message);
  });

  test('a device larger than a disk can be is refused', async () => {
    const name = file('1,W,70368744177664,512,1\n');
    await expect(replay(name, createMemoryTarget())).rejects.toThrow('device 1 reaches');
  });

  test('a disk that cannot be opened ends it', async () => {
    const target = {
      ...createMemoryTarget(),
      openDisk: () => Promise.reject(new Error('no disk')),
    };
    expect((await replay(file('1,W,0,512,1\n'), target)).error).toEqual(new Error('no disk'));
  });

  test('number_ios and time end it early', async () => {
    const name = file(busyTrace(3000, 1, 2));
    expect(
      (await replay(name, createNullTarget(), { isVerified: false, requestsMax: 100 })).requests,
    ).toBe(100);
    const slow = wrapTarget(createNullTarget(), (disk) => ({
      ...disk,
      read: () => new Promise((resolve) => setTimeout(resolve, 5)),
      write: () => new Promise((resolve) => setTimeout(resolve, 5)),
    }));
    const { requests } = await replay(name, slow, { isVerified: false, runtimeMs: 100, depth: 1 });
    expect(requests).toBeLessThan(200);
  });

  test('at a speed keeps the time of the trace, and latency counts from when due', async () => {
    // 20 requests, 10 ms apart, at twice the speed: 95 ms.
    const name = file(
      Array.from({ length: 20 }, (_, at) => `0,W,0,512,${1e6 + at * 10_000}`).join('\n'),
    );
    const began = performance.now();
    const { stats, requests } = await replay(name, createMemoryTarget(), { speed: 2 });
    const elapsed = performance.now() - began;
    expect(requests).toBe(20);
    expect(elapsed).toBeGreaterThan(94);
    expect(stats.response.count).toBe(20);
    expect(stats.response.mean()).toBeGreaterThanOrEqual(stats.direction(WRITE).latency.mean());
  });

  test('at a speed a stall shows in what follows it, counted from when it was due', async () => {
    // 50 requests due together, one in flight, 2 ms each: the last is 100 ms late.
    const name = file('0,W,0,512,1\n'.repeat(50));
    const slow = wrapTarget(createNullTarget(), (disk) => ({
      ...disk,
      write: () => new Promise((resolve) => setTimeout(resolve, 2)),
    }));
    const { stats } = await replay(name, slow, { speed: 1, depth: 1, isVerified: false });
    expect(stats.response.most).toBeGreaterThan(90e6);
    expect(stats.response.most).toBeGreaterThan(3 * stats.direction(WRITE).latency.percentile(50));
  });

  test('stops when told, also between requests that are far apart', async () => {
    const name = file('0,W,0,512,1\n0,W,0,512,3600000000\n');
    const run = new TraceRun({
      fileName: name,
      sizesFileName: null,
      target: createMemoryTarget(),
      depth: 4,
      speed: 1,
      isVerified: true,
      runtimeMs: 0,
      requestsMax: 0,
    });
    const running = run.run();
    while (run.progress().requests === 0) await new Promise((next) => setTimeout(next, 5));
    run.stop();
    const result = await running;
    expect([result.requests, result.error]).toEqual([1, null]);
    expect(run.progress()).toMatchObject({ phase: 'running', requests: 1 });
  });
});
