/** What a shard's start fails with. */
import { expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { failureOfStart } from '../../../src/threads/shard-thread.ts';

const LOST = new PlaneError('ShardLost', 'shard 2 crashed');
const REFUSED = new PlaneError('StoreFailed', 'fdatasync of a segment: EIO');

it('a thread lost after its store had failed is a store that failed', () => {
  const failure = failureOfStart(2, true, LOST);
  expect(failure).toMatchObject({ code: 'StoreFailed', cause: LOST });
  expect(String(failure)).toMatch(/the store of shard 2 had failed before its thread could say so/);
});

it('a failure the thread has told of itself is that failure', () => {
  expect(failureOfStart(2, true, REFUSED)).toBe(REFUSED);
});

it('a thread lost with a sound store is a lost thread, and a bug is a bug', () => {
  expect(failureOfStart(2, false, LOST)).toBe(LOST);
  const bug = new Error('a bug');
  expect(failureOfStart(2, false, bug)).toBe(bug);
});
