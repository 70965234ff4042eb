import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import type { LoadDisk } from '../../../src/load/load-disk.ts';
import {
  READ,
  SOURCE_READY,
  SOURCE_WAIT,
  TRIM,
  WRITE,
} from '../../../src/load/operation-source.ts';
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

test('bsrange and bssplit draw lengths; each start comes once a pass, inside the region', () => {
  const taken = take(patternOf('rw=randread\nbsrange=4k-16k\nsize=1m\noffset=8k'));
  expect(new Set(taken.map(({ length }) => length))).toEqual(new Set([4096, 8192, 12288, 16384]));
  expect(new Set(taken.map(({ offset }) => offset)).size).toBe(taken.length);
  for (const { offset, length } of taken) {
    expect(offset).toBeGreaterThanOrEqual(8192);
    expect(offset + length).toBeLessThanOrEqual(8192 + 2 ** 20);
  }
  const split = take(patternOf('rw=write\nbssplit=4k/50:8k/50\nsize=64k'));
  let end = 0;
  for (const { offset, length } of split) {
    expect(offset).toBe(end + length > 65536 ? 0 : end);
    end = offset + length;
  }
});

test('blockalign puts offsets on a grid of its own', () => {
  const taken = take(patternOf('rw=randread\nbs=8k\nba=4k\nsize=64k\nnorandommap'), 200);
  expect(taken.some(({ offset }) => offset % 8192 === 4096)).toBe(true);
  expect(taken.every(({ offset }) => offset % 4096 === 0 && offset <= 57344)).toBe(true);
});

test('a modifier skips, goes backwards, or makes runs', () => {
  const skipping = take(patternOf('rw=write:4k\nbs=4k\nsize=24k'), 5);
  expect(skipping.map(({ offset }) => offset / 4096)).toEqual([0, 2, 4, 0, 2]);
  const backwards = take(patternOf('rw=read:-8k\nbs=4k\nsize=24k'), 6);
  expect(backwards.map(({ offset }) => offset / 4096)).toEqual([4, 3, 2, 1, 0, 4]);
  const runs = take(patternOf('rw=randread:4\nbs=4k\nsize=4m'), 400).map(({ offset }) => offset);
  const steps = runs.filter((offset, at) => at % 4 !== 0 && offset === runs[at - 1]! + 4096);
  expect(steps.length).toBeGreaterThan(290);
});

test('percentage_random is the share that is random; the rest goes on from there', () => {
  const offsets = take(patternOf('rw=randread\nbs=4k\nsize=64m\npercentage_random=30')).map(
    ({ offset }) => offset,
  );
  const following = offsets.filter((offset, at) => offset === (offsets[at - 1] ?? -1) + 4096);
  expect(Math.abs(following.length / offsets.length - 0.7)).toBeLessThan(0.01);
});

test('trimwrite trims each block, then writes it', () => {
  const taken = take(patternOf('rw=trimwrite\nbs=4k\nsize=12k'));
  expect(taken.map(({ operation, offset }) => [operation, offset / 4096])).toEqual(
    [0, 1, 2].flatMap((block) => [
      [TRIM, block],
      [WRITE, block],
    ]),
  );
  const random = take(patternOf('rw=randtrimwrite\nbs=4k\nsize=64k'));
  expect(random.map(({ operation }) => operation)).toEqual(
    Array.from({ length: 16 }, () => [TRIM, WRITE]).flat(),
  );
  for (let at = 0; at < 32; at += 2) expect(random[at]!.offset).toBe(random[at + 1]!.offset);
});

test('a distribution of its own for each direction', () => {
  const options = 'rw=randrw\nbs=4k\nsize=4m\nio_size=40m';
  const taken = take(patternOf(`${options}\nrandom_distribution=zoned:100/10,random`));
  const ofReads = taken.filter(({ operation }) => operation === READ);
  expect(ofReads.every(({ offset }) => offset < 0.1 * 4 * 2 ** 20)).toBe(true);
  const ofWrites = taken.filter(({ operation }) => operation === WRITE);
  expect(Math.max(...ofWrites.map(({ offset }) => offset))).toBeGreaterThan(4e6);
});

test('with a rate a request waits until it is due, and says when that was', async () => {
  const pattern = patternOf('rw=write\nbs=4k\nsize=1m\nrate_iops=100');
  const beganAtMs = performance.now();
  pattern.begin(beganAtMs);
  expect(pattern.next()).toBe(SOURCE_READY);
  expect(pattern.dueAtMs).toBe(beganAtMs);
  expect(pattern.next()).toBe(SOURCE_WAIT);
  let answer = pattern.next();
  while (answer === SOURCE_WAIT) {
    await pattern.ready();
    answer = pattern.next();
  }
  expect(pattern.dueAtMs).toBe(beganAtMs + 10);
  expect(performance.now()).toBeGreaterThanOrEqual(beganAtMs + 10);
  pattern.shift(1e6);
  expect(pattern.next()).toBe(SOURCE_WAIT);
  void pattern.ready();
  pattern.cancel();
});

test('what fell behind its rate is given at once, due in the past', () => {
  const pattern = patternOf('rw=write\nbs=4k\nsize=64k\nrate_iops=100');
  const beganAtMs = performance.now() - 1000;
  pattern.begin(beganAtMs);
  const due = [];
  while (pattern.next() === SOURCE_READY) due.push(pattern.dueAtMs - beganAtMs);
  expect(due).toEqual(Array.from({ length: 16 }, (_, at) => at * 10));
});

test('in a mix the direction that is due goes first, whatever the mix says', () => {
  const pattern = patternOf('rw=rw\nrwmixread=99\nbs=4k\nsize=1m\nrate_iops=1,100');
  pattern.begin(performance.now() - 100);
  const taken = take(pattern);
  expect(taken.filter(({ operation }) => operation === READ)).toHaveLength(1);
  expect(taken.filter(({ operation }) => operation === WRITE).length).toBeGreaterThanOrEqual(10);
});
