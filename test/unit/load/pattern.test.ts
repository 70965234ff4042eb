import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import type { LoadDisk } from '../../../src/load/load-disk.ts';
import { READ, SOURCE_READY, WRITE } from '../../../src/load/operation-source.ts';
import { JobPattern, permutedOrder, uniformOrder } from '../../../src/load/pattern.ts';

const disk = {} as LoadDisk;

function patternOf(options: string, endsBySize = true): JobPattern {
  const { stages } = planRun(readJobFile(`[a]\n${options}`, 'a.fio'), () => 'null', 1);
  return new JobPattern(stages[0]![0]!, disk, endsBySize);
}

function take(
  pattern: JobPattern,
  most = 100_000,
): { operation: number; offset: number; length: number }[] {
  const taken = [];
  while (taken.length < most && pattern.next() === SOURCE_READY) {
    taken.push({
      operation: pattern.operation,
      offset: pattern.offsetBytes,
      length: pattern.lengthBytes,
    });
  }
  return taken;
}

test('sequential goes through the region in order and ends with it', () => {
  const taken = take(patternOf('rw=write\nbs=4k\noffset=8k\nsize=18k'));
  expect(taken.map(({ offset }) => offset)).toEqual([8192, 12288, 16384, 20480]);
  expect(taken.every(({ operation, length }) => operation === WRITE && length === 4096)).toBe(true);
});

test('sequential begins again when it does not end by size', () => {
  const taken = take(patternOf('rw=read\nbs=4k\nsize=8k\nruntime=1\ntime_based', false), 5);
  expect(taken.map(({ offset }) => offset / 4096)).toEqual([0, 1, 0, 1, 0]);
});

test('random visits each block exactly once in a pass, in another order in the next', () => {
  const offsets = take(patternOf('rw=randread\nbs=4k\noffset=4k\nsize=4m\nloops=2')).map(
    ({ offset }) => offset,
  );
  const expected = Array.from({ length: 1024 }, (_, block) => 4096 + block * 4096);
  const [first, second] = [offsets.slice(0, 1024), offsets.slice(1024)];
  expect(first.toSorted((a, b) => a - b)).toEqual(expected);
  expect(second.toSorted((a, b) => a - b)).toEqual(expected);
  expect(first).not.toEqual(second);
  expect(first).not.toEqual(expected);
});

test('the same job gives the same operations on every run', () => {
  const options = 'rw=randrw\nbs=4k\nsize=1m';
  expect(take(patternOf(options))).toEqual(take(patternOf(options)));
  expect(take(patternOf(`${options}\nrandseed=5`))).not.toEqual(take(patternOf(options)));
});

test('norandommap draws each offset by itself: some come again, some never', () => {
  const taken = take(patternOf('rw=randwrite\nbs=4k\nsize=4m\nnorandommap'));
  const distinct = new Set(taken.map(({ offset }) => offset)).size;
  // 1 - 1/e of 1024 blocks are expected: 647.
  expect(taken).toHaveLength(1024);
  expect(distinct).toBeGreaterThan(580);
  expect(distinct).toBeLessThan(710);
});

test('rwmixread is the share of reads', () => {
  for (const percent of [0, 30, 70, 100]) {
    const taken = take(patternOf(`rw=randrw\nrwmixread=${percent}\nbs=4k\nsize=40m`));
    const reads = taken.filter(({ operation }) => operation === READ).length / taken.length;
    expect(Math.abs(reads * 100 - percent)).toBeLessThan(percent % 100 === 0 ? 1e-9 : 2);
  }
});

test('a random mix of one block size visits each block once, whatever the direction', () => {
  const taken = take(patternOf('rw=randrw\nbs=4k\nsize=4m'));
  expect(new Set(taken.map(({ offset }) => offset)).size).toBe(1024);
});

test('directions of different block sizes have aligned blocks of their own', () => {
  const taken = take(patternOf('rw=randrw\nbs=4k,16k\nsize=4m'));
  for (const { operation, offset, length } of taken) {
    expect(length).toBe(operation === READ ? 4096 : 16384);
    expect(offset % length).toBe(0);
    expect(offset + length).toBeLessThanOrEqual(4 * 2 ** 20);
  }
});

test('a sequential mix has a position for each direction', () => {
  const taken = take(patternOf('rw=rw\nbs=4k\nsize=1m'));
  for (const direction of [READ, WRITE]) {
    const offsets = taken
      .filter(({ operation }) => operation === direction)
      .map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.map((_, index) => index * 4096));
  }
});

test('number_ios and io_size end a pattern', () => {
  expect(take(patternOf('rw=read\nbs=4k\nsize=1m\nnumber_ios=7'))).toHaveLength(7);
  expect(take(patternOf('rw=read\nbs=4k\nsize=1m\nio_size=20k'))).toHaveLength(5);
});

test('progress is the share given out, and unknown without an end', () => {
  const pattern = patternOf('rw=read\nbs=4k\nsize=16k');
  expect(pattern.progress()).toBe(0);
  take(pattern, 2);
  expect(pattern.progress()).toBe(0.5);
  expect(patternOf('rw=read\nsize=16k\nruntime=1\ntime_based', false).progress()).toBeNaN();
  expect(() => pattern.ready()).toThrow('never waits');
});

test('orders of one block are that block for ever', () => {
  for (const order of [permutedOrder(1, 3), uniformOrder(1, createPrng(1))]) {
    expect([order.next(), order.next(), order.next()]).toEqual([0, 0, 0]);
  }
});
