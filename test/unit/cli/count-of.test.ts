import { expect, test } from 'vitest';
import { countOf } from '../../../src/cli/count-of.ts';

test('one is one of them, none and many are several', () => {
  expect([0, 1, 2].map((count) => countOf(count, 'disk'))).toEqual([
    '0 disks',
    '1 disk',
    '2 disks',
  ]);
  expect(countOf(2, 'copy', 'copies')).toBe('2 copies');
});
