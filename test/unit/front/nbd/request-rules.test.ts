/** Every command, every combination of flags, every edge of a range: 2 ways of saying the rules. */
import { expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode, PlaneError } from '../../../../src/base/errors.ts';
import { refusalOf } from '../../../../src/front/nbd/error-numbers.ts';
import { judge } from '../../../../src/front/nbd/request-rules.ts';

const SIZE = 2 ** 30;
const MIB = 2 ** 20;
const READ = 0;
const WRITE = 1;
const FLUSH = 3;
const TRIM = 4;
const CACHE = 5;
const ZERO = 6;
const STATUS = 7;

function ask(
  command: number,
  flags: number,
  offset: number,
  length: number,
  facts: Partial<Parameters<typeof judge>[1]> = {},
): number {
  const request = { command, flags, offset, length, cookieHigh: 0, cookieLow: 0 };
  const can = { isStructured: true, hasContexts: true, canResize: false };
  const whole = { size: SIZE, isReadOnly: false, ...can, ...facts };
  return judge({ ...request, refusal: null, heldBytes: 0 }, whole)?.errno ?? 0;
}

/** The flags a command may have, as the protocol's text lists them. */
const FLAGS: Readonly<Record<number, number>> = {
  [READ]: 1 | 4,
  [WRITE]: 1,
  [FLUSH]: 1,
  [TRIM]: 1,
  [CACHE]: 1,
  [ZERO]: 1 | 2 | 16,
  [STATUS]: 1 | 8,
};

test('a flag that is not of the command is EINVAL, whatever else is wrong', () => {
  for (let command = 0; command < 12; command++) {
    for (let flags = 0; flags < 64; flags++) {
      const isFlush = command === FLUSH;
      const allowed = FLAGS[command];
      const got = ask(command, flags, 0, isFlush ? 0 : 512);
      const isBad = allowed === undefined || (flags & ~allowed) !== 0;
      const isSlowZero = command === ZERO && (flags & 18) === 18;
      expect(got, `command ${command}, flags ${flags}`).toBe(isBad ? 22 : isSlowZero ? 95 : 0);
    }
  }
});

test('a range must end inside the export', () => {
  const offsets = [0, 1, SIZE - 512, SIZE - 511, SIZE, SIZE + 1, Number.POSITIVE_INFINITY];
  for (const command of [READ, WRITE, TRIM, CACHE, ZERO, STATUS]) {
    for (const offset of offsets) {
      const isInside = offset <= SIZE - 512;
      const pastEnd = command === WRITE || command === ZERO ? 28 : 22;
      expect(ask(command, 0, offset, 512)).toBe(isInside ? 0 : pastEnd);
    }
  }
});

test('requests without a range have none', () => {
  expect([ask(FLUSH, 0, 1, 0), ask(FLUSH, 0, 0, 1)]).toEqual([22, 22]);
});

test('long requests: only those that move bytes have a limit', () => {
  expect([ask(READ, 0, 0, 32 * MIB), ask(READ, 0, 0, 32 * MIB + 1)]).toEqual([0, 75]);
  expect([ask(WRITE, 0, 0, 32 * MIB), ask(WRITE, 0, 0, 32 * MIB + 1)]).toEqual([0, 22]);
  for (const command of [TRIM, CACHE, ZERO, STATUS]) expect(ask(command, 0, 0, SIZE)).toBe(0);
});

test('a read-only export refuses every change and nothing else', () => {
  for (const command of [READ, WRITE, FLUSH, TRIM, CACHE, ZERO, STATUS]) {
    const isChange = [WRITE, TRIM, ZERO].includes(command);
    const length = command === FLUSH ? 0 : 512;
    expect(ask(command, 0, 0, length, { isReadOnly: true })).toBe(isChange ? 1 : 0);
  }
});

test('what was not agreed on is refused', () => {
  expect(ask(READ, 4, 0, 512, { isStructured: false })).toBe(22);
  expect(ask(STATUS, 0, 0, 512, { hasContexts: false })).toBe(22);
  expect(ask(STATUS, 0, 0, 0)).toBe(22);
});

test('every code has one of the error numbers the protocol knows', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    expect([1, 5, 22, 28, 108]).toContain(refusalOf(new PlaneError(code, 'x')).errno);
  }
  expect(refusalOf(new PlaneError('NoSpace', 'x')).errno).toBe(28);
  expect(refusalOf(new PlaneError('ChecksumMismatch', 'x')).errno).toBe(5);
  expect(() => refusalOf(new TypeError('a bug'))).toThrow('a bug');
});

test('RESIZE is there if it was offered; the offset is the size, which never falls', () => {
  const RESIZE = 8;
  const offered = { canResize: true };
  expect(ask(RESIZE, 0, SIZE, 0)).toBe(22);
  for (const [offset, errno] of [
    [SIZE, 0],
    [2 * SIZE, 0],
    [Number.POSITIVE_INFINITY, 0],
    [SIZE - 1, 1],
    [0, 1],
  ] as const) {
    expect(ask(RESIZE, 0, offset, 0, offered)).toBe(errno);
  }
  expect(ask(RESIZE, 0, SIZE, 1, offered)).toBe(22);
  expect(ask(RESIZE, 4, SIZE, 0, offered)).toBe(22);
  expect(ask(RESIZE, 0, SIZE, 0, { ...offered, isReadOnly: true })).toBe(1);
});
