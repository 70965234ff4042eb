import { expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import {
  type BlockSizes,
  createSizeChooser,
  fixedSize,
  rangeOfSizes,
  splitOfSizes,
} from '../../../src/load/block-sizes.ts';
import { byteCount } from '../../../src/load/job-values.ts';
import { chiSquareDeviations } from './chi-square.ts';

const PLACE = { fileName: 'a.fio', line: 1, option: 'bssplit' };
const size = (part: string): number => byteCount(PLACE, part, 1024);
const split = (value: string): BlockSizes => splitOfSizes(PLACE, value, size);
const range = (value: string): BlockSizes => rangeOfSizes(PLACE, value, size);

function shareOf(sizes: BlockSizes, lengths: readonly number[]): number[] {
  const choose = createSizeChooser(sizes, createPrng(9));
  const counts = lengths.map(() => 0);
  for (let draw = 0; draw < 50_000; draw++) counts[lengths.indexOf(choose())]! += 1;
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(50_000);
  return counts;
}

test('a fixed size is that size', () => {
  expect(createSizeChooser(fixedSize(4096), createPrng(1))()).toBe(4096);
});

test('a range is even over the multiples of its least size', () => {
  const sizes = range('1k-9k');
  expect(sizes).toEqual({ least: 1024, most: 9216, split: null });
  const lengths = Array.from({ length: 9 }, (_, at) => 1024 * (at + 1));
  const counts = shareOf(sizes, lengths);
  expect(
    chiSquareDeviations(
      counts,
      lengths.map(() => 1 / 9),
    ),
  ).toBeLessThan(4);
  expect(range('4k-10k').most).toBe(8192);
});

test('a split gives each size its share', () => {
  const counts = shareOf(split('4k/10:64k/50:32k/40'), [4096, 65536, 32768]);
  expect(chiSquareDeviations(counts, [0.1, 0.5, 0.4])).toBeLessThan(4);
  expect(split('4k/10:64k/50:32k/40')).toMatchObject({ least: 4096, most: 65536 });
});

test('sizes without a share divide the rest, and the last takes what is left over', () => {
  expect(split('2k/50:4k:8k/').split).toEqual([
    { bytes: 2048, percent: 50 },
    { bytes: 4096, percent: 25 },
    { bytes: 8192, percent: 25 },
  ]);
  const counts = shareOf(split('2k/50:4k/25'), [2048, 4096]);
  expect(chiSquareDeviations(counts, [0.5, 0.5])).toBeLessThan(4);
});

test.each([
  [() => split('4k/60:8k/60'), 'shares of 100 percent at most'],
  [() => split('4k/x'), 'a whole number'],
  [() => range('8k-4k'), 'the lesser size first'],
  [() => range('8k'), 'two sizes joined by -'],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message);
});
