import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { READ, WRITE } from '../../../src/load/operation-source.ts';
import { TraceFile } from '../../../src/load/trace-file.ts';
import {
  createTraceBatch,
  TRACE_BATCH_REQUESTS,
  type TraceBatch,
  TraceParser,
  traceFormatOf,
} from '../../../src/load/trace-format.ts';
import { readDeviceSizes, scanDeviceSizes } from '../../../src/load/trace-sizes.ts';

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
