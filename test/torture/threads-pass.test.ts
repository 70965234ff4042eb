/** What requests may fail with after threads were lost, and what they may not. */
import { expect, test } from 'vitest';
import { allowedAfter, refusedWithoutNeed } from './threads-pass.ts';

test.each([
  [{ shard: false, kms: false }, []],
  [{ shard: false, kms: true }, []],
  [{ shard: true, kms: false }, ['ShardLost']],
  [{ shard: true, kms: true }, ['ShardLost', 'KmsUnavailable']],
])('after %o requests on attached disks may fail with %j', (lost, codes) => {
  expect([...allowedAfter(lost)]).toEqual(codes);
});

test('a disk without a key that is refused for want of one is found', () => {
  const keyed = ['i', 1, 'w', 1, 0, 8] as const;
  const keyless = ['i', 2, 'w', 2, 0, 8] as const;
  const failures = [
    ['e', 1, 'KmsUnavailable'],
    ['e', 2, 'KmsUnavailable'],
  ] as const;
  expect(refusedWithoutNeed([keyed, keyless, ...failures], new Set([2]))).toEqual([
    'request 2 on disk 2, which has no key, failed with KmsUnavailable',
  ]);
});

test('a disk without a key may lose its shard', () => {
  const lines = [
    ['i', 1, 'w', 2, 0, 8],
    ['e', 1, 'ShardLost'],
  ] as const;
  expect(refusedWithoutNeed(lines, new Set([2]))).toEqual([]);
});
