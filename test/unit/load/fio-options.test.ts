import { expect, test } from 'vitest';
import {
  FIO_OPTIONS,
  HONOURED_OPTIONS,
  isHonoured,
  properName,
} from '../../../src/load/fio-options.ts';
import { SETTERS } from '../../../src/load/job-setters.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

test('every honoured option has a setter, and no setter is without its row', () => {
  expect(Object.keys(SETTERS).sort()).toEqual(Object.keys(HONOURED_OPTIONS).sort());
});

test('each option is in one class, and an alias is nobody else', () => {
  const classes = new Set([...FIO_OPTIONS.values()].map(({ optionClass }) => optionClass));
  expect([...classes].sort()).toEqual(['honoured', 'later', 'quiet', 'refused']);
  for (const [name, { alias }] of FIO_OPTIONS) {
    expect(properName(name)).toBe(name);
    if (alias !== '') expect(properName(alias)).toBe(name);
  }
  expect(properName('no_such_option')).toBeNull();
  expect(isHonoured('rw')).toBe(true);
  expect(isHonoured('toString')).toBe(false);
});

test.skipIf(fioAbsent !== '')(`the installed fio has no option we do not know ${fioAbsent}`, () => {
  const names = fio('--cmdhelp=all')
    .split('\n')
    .map((line) => /^\s*([\w-]+)\s*:/.exec(line)?.[1])
    .filter((name) => name !== undefined);
  expect(names.length).toBeGreaterThan(200);
  expect(names.filter((name) => properName(name) === null)).toEqual([]);
});

test.skipIf(fioAbsent !== '')(`kinds and aliases are fio's ${fioAbsent}`, () => {
  const sample = [
    'rw',
    'bs',
    'time_based',
    'direct',
    'stonewall',
    'runtime',
    'randrepeat',
    'bsrange',
  ];
  for (const name of sample) {
    const help = fio(`--cmdhelp=${name}`);
    const { kind, alias } = FIO_OPTIONS.get(name)!;
    expect(/alias: (\S+)/.exec(help)?.[1] ?? '').toBe(alias);
    const type = /type: (.*)/.exec(help)?.[1] ?? '';
    const fioKind = /^boolean/.test(type) ? 'boolean' : /^empty or/.test(type) ? 'switch' : 'value';
    expect(`${name} ${fioKind}`).toBe(`${name} ${kind}`);
  }
});
