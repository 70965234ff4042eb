import { expect, test } from 'vitest';
import { splitJobOptions } from '../../../src/cli/job-options.ts';

const OWN = ['trace', 'verify', 'json', 'depth'];
const split = (line: string) => {
  const { jobOptions, rest } = splitJobOptions(line.split(' '), OWN);
  return { job: jobOptions.map(({ name, value }) => [name, value]), rest };
};

test('job options are taken out, with = or without, and the rest stays in order', () => {
  expect(split('a.fio --bs=4k --json --iodepth 32 --time_based --depth 5 x')).toEqual({
    job: [
      ['bs', '4k'],
      ['iodepth', '32'],
      ['time_based', null],
    ],
    rest: ['a.fio', '--json', '--depth', '5', 'x'],
  });
});

test("an option both have is ours when bare, the job's with a value", () => {
  expect(split('--verify --verify=crc32c')).toEqual({
    job: [['verify', 'crc32c']],
    rest: ['--verify'],
  });
});

test('our options may have a value after =', () => {
  expect(split('--depth=5')).toEqual({ job: [], rest: ['--depth=5'] });
});

test('a value may hold = and be empty', () => {
  expect(split('--description=a=b --name=').job).toEqual([
    ['description', 'a=b'],
    ['name', ''],
  ]);
});

test('a value that is missing at the end is missing', () => {
  expect(split('--bs').job).toEqual([['bs', null]]);
});

test('what neither knows is refused with the nearest of both', () => {
  expect(() => split('--iodept=4')).toThrow("unknown option '--iodept' (did you mean iodepth?)");
  expect(() => split('--tracee x')).toThrow('(did you mean trace?)');
  expect(() => split('--qqqqqqqq')).toThrow(/unknown option '--qqqqqqqq'$/);
});

test('short options and lone dashes are not job options', () => {
  expect(split('-h - --').rest).toEqual(['-h', '-', '--']);
});
