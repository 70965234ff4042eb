import { expect, test } from 'vitest';
import { isGlobal, readSections } from '../../../src/load/job-lines.ts';

const read = (text: string, environment = {}): ReturnType<typeof readSections> =>
  readSections(text, 'a.fio', environment);

test('sections hold the options below them, with their lines', () => {
  const sections = read('; comment\n\n[global]\nbs = 4k\n[job one]\nrw=read # why\ntime_based\n');
  expect(sections).toEqual([
    { name: 'global', line: 3, options: [{ name: 'bs', value: '4k', line: 4 }] },
    {
      name: 'job one',
      line: 5,
      options: [
        { name: 'rw', value: 'read', line: 6 },
        { name: 'time_based', value: null, line: 7 },
      ],
    },
  ]);
});

test('carriage returns and a byte order mark are not content', () => {
  const [section] = read('\uFEFF[a]\r\nbs=4k\r\n');
  expect(section?.options[0]?.value).toBe('4k');
});

test('an empty value is a value', () => {
  expect(read('[a]\ndescription=')[0]?.options[0]?.value).toBe('');
});

test('[global] may come again, as may sections that begin with it', () => {
  expect(read('[global]\n[a]\n[global]\n[globals]').map(({ name }) => name)).toHaveLength(4);
  expect(isGlobal('global2')).toBe(true);
  expect(isGlobal('glob')).toBe(false);
});

test('environment variables are put in, also inside a value', () => {
  const [section] = read(['[a]', 'size=$', '{SIZE}g'].join('\n').replace('$\n', '$'), {
    SIZE: '2',
  });
  expect(section?.options[0]?.value).toBe('2g');
});

test.each([
  ['bs=4k\n[a]', 'a.fio:1: expected a [section] before option'],
  ['[a\nbs=4k', "a.fio:1: expected [name], got '[a'"],
  ['\n[ ]', 'a.fio:2: expected a name between [ and ]'],
  ['[a]\n[b]\n[a]', 'a.fio:3: section [a] is already at line 1'],
  ['[a]\n=4k', "a.fio:2: expected a name before '='"],
  ['[a]\ninclude other.fio', 'a.fio:2: include /'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the job file's own syntax
  ['[a]\nsize=${UNSET}', 'a.fio:2: environment variable UNSET is not set'],
])('%j is refused with its place', (text, message) => {
  expect(() => read(text)).toThrow(message);
  expect(() => read(text)).toThrow(/^JobFileInvalid/);
});

test('an included file stands for its lines; errors name that file', () => {
  const files: Record<string, string> = {
    '/jobs/common.fio': 'bs=8k\ninclude deep/more.fio',
    '/jobs/deep/more.fio': 'size=1m\n[b]\nrw=write',
    '/jobs/circle.fio': 'include circle.fio',
  };
  const include = (name: string): string => {
    if (files[name] === undefined) throw new Error('not there');
    return files[name];
  };
  const sections = readSections('[a]\ninclude common.fio\nrw=read', '/jobs/a.fio', {}, include);
  expect(sections.map(({ name, options }) => [name, options.map((each) => each.name)])).toEqual([
    ['a', ['bs', 'size']],
    ['b', ['rw', 'rw']],
  ]);
  expect(sections[0]!.options[1]).toMatchObject({ fileName: '/jobs/deep/more.fio', line: 1 });
  const circle = () => readSections('[a]\ninclude circle.fio', '/jobs/a.fio', {}, include);
  expect(circle).toThrow('/jobs/circle.fio:1: include: more than 16 deep');
  const missing = () => readSections('[a]\ninclude none.fio', '/jobs/a.fio', {}, include);
  expect(missing).toThrow('JobFileInvalid: /jobs/a.fio:2: include /jobs/none.fio: not there');
});

test('the words of the machine stand for numbers, and may be multiplied', () => {
  const valueOf = (value: string): string | null =>
    readSections(`[a]\nsize=${value}`, 'a.fio', {})[0]!.options[0]!.value;
  expect(valueOf('8*1024*$pagesize')).toBe(`${8 * 1024 * 4096}`);
  expect(Number(valueOf('$mb_memory/2'))).toBeGreaterThan(0);
  expect(Number(valueOf('$ncpus'))).toBeGreaterThan(0);
  expect(valueOf('$pagesize k')).toBe('4096 k');
  expect(valueOf('8*1024')).toBe('8*1024');
});
