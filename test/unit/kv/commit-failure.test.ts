import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { isForLackOfSpace } from '../../../src/kv/commit-failure.ts';
import { STORE_FULL_BYTES } from '../../../src/limits.ts';

const { EDQUOT, EFBIG, EIO, ENOSPC } = constants.errno;
const page = 'No space left on device: Attempting to write page at position 8192';

describe('a failed commit of LMDB', () => {
  test.each([
    ['a page, no space', { code: ENOSPC, message: page }, 1e9, true],
    ['a page, over quota', { code: EDQUOT, message: page }, null, true],
    ['a page, file too large', { code: EFBIG, message: page }, 1e9, true],
    ['a page, a broken disk', { code: EIO, message: page }, 1e9, false],
    ['a page cut short, no space left', { code: EIO, message: 'Input/output error' }, 0, true],
    ['little space left', { code: EIO, message: '' }, STORE_FULL_BYTES - 1, true],
    ['enough space left', { code: EIO, message: '' }, STORE_FULL_BYTES, false],
    ['an fdatasync that says no space', { code: ENOSPC, message: 'No space left' }, 1e9, false],
    ['no cause, space unknown', null, null, false],
    ['no code', { message: page }, 1e9, false],
  ])('%s', (_, cause, freeBytes, expected) => {
    expect(isForLackOfSpace(cause, freeBytes)).toBe(expected);
  });
});
