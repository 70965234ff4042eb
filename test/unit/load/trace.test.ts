import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { READ, WRITE } from '../../../src/load/operation-source.ts';
import { createMemoryTarget, createNullTarget, type Target } from '../../../src/load/target.ts';
import { TraceFile } from '../../../src/load/trace-file.ts';
import {
  createTraceBatch,
  TRACE_BATCH_REQUESTS,
  type TraceBatch,
  TraceParser,
  traceFormatOf,
} from '../../../src/load/trace-format.ts';
import { type TraceResult, TraceRun, type TraceRunOptions } from '../../../src/load/trace-run.ts';
import { readDeviceSizes, scanDeviceSizes } from '../../../src/load/trace-sizes.ts';
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

/** The requests of a batch as rows. */
function rows(batch: TraceBatch): number[][] {
  return Array.from({ length: batch.count }, (_, at) => [
    batch.devices[at]!,
    batch.operations[at]!,
    batch.offsets[at]!,
    batch.lengths[at]!,
    batch.timesUs[at]!,
  ]);
}

async function readAll(fileName: string): Promise<number[][]> {
  const trace = await TraceFile.open(fileName);
  const all: number[][] = [];
  try {
    for (let batch = await trace.next(); batch !== null; batch = await trace.next())
      all.push(...rows(batch));
    expect(trace.progress()).toBe(1);
  } finally {
    await trace.close();
  }
  return all;
}

const CLOUDPHYSICS_HEADER = 'version,time,op,size,lbn';

describe('lines', () => {
  test('of Alibaba are device, opcode, offset, length, microseconds', async () => {
    const name = file(
      '419,W,8792731648,16384,1577808144360767\n725,R,359370752,4096,1577808144360813\n',
    );
    expect(await readAll(name)).toEqual([
      [419, WRITE, 8792731648, 16384, 1577808144360767],
      [725, READ, 359370752, 4096, 1577808144360813],
    ]);
  });

  test('of CloudPhysics are seconds, SCSI opcodes, bytes and sectors', async () => {
    const name = file(
      `${CLOUDPHYSICS_HEADER}\n1,5633898,2a,512,42932745\n` +
        '1,5633898.5,28,4096,8\n1,5633899,8a,512,1\n',
    );
    expect(await readAll(name)).toEqual([
      [0, WRITE, 42932745 * 512, 512, 5633898e6],
      [0, READ, 4096, 4096, 5633898.5e6],
      [0, WRITE, 512, 512, 5633899e6],
    ]);
  });

  test('end in \\n, \\r\\n, or the end of the file', async () => {
    expect(await readAll(file('1,R,0,512,1\r\n1,W,512,512,2'))).toHaveLength(2);
  });

  test.each([
    [
      '1,R,0,512,1\n1,R,0,512',
      2,
      'expected 5 fields (device_id,opcode,offset,length,timestamp), got 4',
    ],
    ['1,R,0,512,1\n\n1,R,0,512,1', 2, 'got 1'],
    ['1,R,0,512,1,9', 1, 'expected'],
    ['1,R,0,512,1\n1,R,0,512,1,9', 2, 'got more'],
    ['1,R,0,512,1\n1,X,0,512,1', 2, "opcode: expected an opcode, R or W, got 'X'"],
    ['1,R,0,512,1\n1,RW,0,512,1', 2, "got 'RW'"],
    ['1,R,0,512,1\n1,R,-4,512,1', 2, "offset: expected a whole number, got '-4'"],
    ['1,R,0,512,1\n1,R,0x10,512,1', 2, "got '0x10'"],
    ['1,R,0,512,1\n1,R,0,,1', 2, "length: expected a whole number, got ''"],
    ['1,R,0,512,1\n1,R,0,5.5,1', 2, "length: expected a whole number, got '5.5'"],
    [
      '1,R,0,512,1\n1,R,99999999999999999999,512,1',
      2,
      "offset: expected a whole number, got '99999999999999999999'",
    ],
    [
      `${CLOUDPHYSICS_HEADER}\n1,1,2a,512,1\n1,1,35,512,1`,
      3,
      "op: expected an opcode, 28 or 2a, got '35'",
    ],
    [`${CLOUDPHYSICS_HEADER}\n1,1,zz,512,1`, 2, "got 'zz'"],
    [`${CLOUDPHYSICS_HEADER}\n1,soon,2a,512,1`, 2, "time: expected a whole number, got 'soon'"],
    [`${CLOUDPHYSICS_HEADER}\n1,1,2a,512`, 2, 'got 4'],
    ['hello\n', 1, "got 'hello'"],
    ['', 1, "got ''"],
  ])('%j is refused at line %d', async (text, line, message) => {
    const name = file(text);
    await expect(readAll(name)).rejects.toThrow(`TraceInvalid: ${name}:${line}: `);
    await expect(readAll(name)).rejects.toThrow(message);
  });

  test('longer than a trace has are refused', async () => {
    const name = file(`1,R,0,512,1\n${'9'.repeat(300_000)}\n`);
    await expect(readAll(name)).rejects.toThrow('expected lines of at most 512 bytes');
  });

  test('come out the same wherever the bytes are cut', () => {
    const text = Array.from(
      { length: 50 },
      (_, at) => `${at},${at % 2 ? 'R' : 'W'},${at * 512},512,${at}\r`,
    ).join('\n');
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 40 }),
        (cuts) => {
          const parser = new TraceParser('alibaba', 'f', 1);
          const batch = createTraceBatch();
          const all: number[][] = [];
          let start = 0;
          let end = 0;
          for (let cut = 0; start < bytes.length; cut++) {
            end = Math.min(bytes.length, end + (cuts[cut % cuts.length] ?? 1));
            start += parser.parse(bytes.subarray(start, end), end === bytes.length, batch);
            all.push(...rows(batch));
          }
          expect(all).toEqual(
            Array.from({ length: 50 }, (_, at) => [at, at % 2 ? READ : WRITE, at * 512, 512, at]),
          );
        },
      ),
    );
  });

  test('fill a batch and go on in the next', () => {
    const bytes = Buffer.from('7,R,0,512,1\n'.repeat(TRACE_BATCH_REQUESTS + 3));
    const parser = new TraceParser('alibaba', 'f', 1);
    const batch = createTraceBatch();
    const taken = parser.parse(bytes, true, batch);
    expect([batch.count, batch.firstLine]).toEqual([TRACE_BATCH_REQUESTS, 1]);
    parser.parse(bytes.subarray(taken), true, batch);
    expect([batch.count, batch.firstLine]).toEqual([3, TRACE_BATCH_REQUESTS + 1]);
  });
});

test('the format is told by the first line', () => {
  expect(traceFormatOf('1,W,0,512,3', 'f')).toBe('alibaba');
  expect(traceFormatOf('version,time,op,size,lbn\r', 'f')).toBe('cloudphysics');
  expect(() => traceFormatOf('1,2,3', 'f')).toThrow('TraceInvalid: f:1: expected');
});

test('a file that is not there is refused', async () => {
  await expect(TraceFile.open('/no/such/trace')).rejects.toThrow(
    /^TraceInvalid: \/no\/such\/trace: ENOENT/,
  );
});

describe('device sizes', () => {
  test('are the furthest byte of each device', async () => {
    const name = file('1,R,0,512,1\n2,W,4096,4096,1\n1,W,1024,512,2\n1,R,512,512,3\n');
    const shares: number[] = [];
    const sizes = await scanDeviceSizes(
      name,
      (share) => shares.push(share),
      () => false,
    );
    expect([...sizes]).toEqual([
      [1, 1536],
      [2, 8192],
    ]);
    expect(shares.at(-1)).toBe(1);
  });

  test('may be read from a file', async () => {
    expect([...(await readDeviceSizes(file('0,100\n7,64424509440\r\n\n')))]).toEqual([
      [0, 100],
      [7, 64424509440],
    ]);
  });

  test.each(['x,1\n', '1\n', '1,0\n', '1,2,3\n', '1,99999999999999999999\n'])(
    '%j is refused',
    async (text) => {
      const name = file(`0,512\n${text}`);
      await expect(readDeviceSizes(name)).rejects.toThrow(
        `TraceInvalid: ${name}:2: expected device_id,capacity`,
      );
    },
  );

  test('from a file that is not there are refused', async () => {
    await expect(readDeviceSizes('/no/such/file')).rejects.toThrow(/^TraceInvalid: .*ENOENT/);
  });
});

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
    setTimeout(() => run.stop(), 50);
    const result = await run.run();
    expect([result.requests, result.error]).toEqual([1, null]);
    expect(run.progress()).toMatchObject({ phase: 'running', requests: 1 });
  });
});
