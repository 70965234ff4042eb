import { describe, expect, test } from 'vitest';
import {
  byteCount,
  bytePattern,
  extent,
  perDirection,
  switchValue,
  timeUs,
  wholeNumber,
} from '../../../src/load/job-values.ts';
import { fioAbsent, fioNumbers } from './fio-oracle.ts';

const place = { fileName: 'a.fio', line: 7, option: 'size' };

test.each([
  ['512', 512],
  ['4k', 4096],
  ['4K', 4096],
  ['4kb', 4096],
  ['4b', 4],
  ['1m', 1048576],
  ['3g', 3221225472],
  ['1t', 1099511627776],
  ['0x1000', 4096],
  ['0x10k', 16384],
  ['4kib', 4000],
  ['1MiB', 1000000],
  ['4ki', 4096],
])('%s is %d bytes', (text, bytes) => {
  expect(byteCount(place, text, 1024)).toBe(bytes);
});

test('kb_base=1000 turns both kinds of suffix round', () => {
  expect(byteCount(place, '4k', 1000)).toBe(4000);
  expect(byteCount(place, '4kib', 1000)).toBe(4096);
});

test.each(['', 'k', '4q', '1.5k', '-1', '4 k', '10x', '9999999p'])('size %j is refused', (text) => {
  expect(() => byteCount(place, text, 1024)).toThrow(/JobFileInvalid: a\.fio:7: size: expected/);
});

describe.skipIf(fioAbsent !== '')(`fio's own parser agrees ${fioAbsent}`, () => {
  const sizes = ['512', '4k', '4kb', '1m', '1g', '1t', '0x1000', '4kib', '1MiB', '4ki', '4b'];
  const times = ['10', '10s', '1m', '500ms', '2h', '1d', '5us', '7usec'];
  test('on sizes', () => {
    expect(sizes.map((text) => byteCount(place, text, 1024))).toEqual(fioNumbers('size', sizes));
  });
  test('on sizes with kb_base=1000', () => {
    const ours = sizes.map((text) => byteCount(place, text, 1000));
    expect(ours).toEqual(fioNumbers('size', sizes, '--kb_base=1000'));
  });
  test('on times', () => {
    expect(times.map((text) => timeUs(place, text))).toEqual(fioNumbers('runtime', times));
  });
});

test.each(['', 's', '1.5', '10 s', '3w', '-1'])('time %j is refused', (text) => {
  expect(() => timeUs(place, text)).toThrow(/expected a time/);
});

test('seconds may be written out, which fio documents', () => {
  expect(timeUs(place, '10sec')).toBe(10e6);
});

test('a share of the disk is kept as one', () => {
  expect(extent(place, '25%', 1024)).toEqual({ bytes: null, percent: 25 });
  expect(extent(place, '1m', 1024)).toEqual({ bytes: 1048576, percent: null });
  expect(() => extent(place, '101%', 1024)).toThrow('at most 100%');
  expect(() => extent(place, 'x%', 1024)).toThrow('a whole number');
});

test('comma lists are read, write, trim, and leave what they leave out', () => {
  const before = { read: 1, write: 2, trim: 3 };
  const parse = (list: string): number[] => Object.values(perDirection(list, before, Number));
  expect(parse('8')).toEqual([8, 8, 8]);
  expect(parse('8,')).toEqual([8, 2, 3]);
  expect(parse(',8')).toEqual([1, 8, 8]);
  expect(parse('7,8')).toEqual([7, 8, 8]);
  expect(parse('7,8,9')).toEqual([7, 8, 9]);
  expect(parse('7,,9')).toEqual([7, 2, 9]);
});

test('whole numbers and switches refuse everything else', () => {
  expect(wholeNumber(place, '0x10', 0)).toBe(16);
  expect(() => wholeNumber(place, '0', 1)).toThrow("at least 1, got '0'");
  expect(() => wholeNumber(place, 'many', 1)).toThrow("got 'many'");
  expect(switchValue(place, null)).toBe(true);
  expect(switchValue(place, '1')).toBe(true);
  expect(switchValue(place, '0')).toBe(false);
  expect(() => switchValue(place, 'yes')).toThrow("0 or 1, got 'yes'");
});

// Bytes as `fio --verify=pattern --verify_pattern=... ` (3.33) writes them.
test.each([
  ['0x12345678', '12345678'],
  ['0x123', '0123'],
  ['"ab"', '6162'],
  ['305419896', '78563412'],
  ['300', '2c01'],
  ['-1', 'ffffffff'],
  ['-300', 'd4feffff'],
  ['0', '00'],
  ['0xff"abc"12', 'ff6162630c'],
])('pattern %s is bytes %s', (text, hex) => {
  expect(Buffer.from(bytePattern(place, text)).toString('hex')).toBe(hex);
});

test.each(['', '%o', '0x', 'abc', '99999999999', `0x${'ff'.repeat(513)}`])(
  'pattern %j is refused',
  (text) => {
    expect(() => bytePattern(place, text)).toThrow(/JobFileInvalid/);
  },
);
