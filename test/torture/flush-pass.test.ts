/** What the audit of a trace accepts as a flush, and what it does not. */
import { expect, test } from 'vitest';
import { audit } from './flush-pass.ts';

const SEGMENT = '/plane/shard-0/segments/00000000.seg';
const LOG = '/plane/shard-0/map-00000001.log';

const pwrite = (path: string, length = 4_096): string =>
  `12 pwrite64(30<${path}>, "..."..., ${length}, 0) = ${length}`;
const force = (path: string): string => `12 fdatasync(30<${path}>) = 0`;
const say = (...lines: (readonly unknown[])[]): string => {
  const text = lines.map((line) => `${JSON.stringify(line).replaceAll('"', '\\"')}\\n`).join('');
  return `11 write(40</history>, "${text}", 20) = 20`;
};
const asks = (operation: number, kind: string): string => say(['i', operation, kind, 1, 0, 8]);
const has = (operation: number): string => say(['a', operation]);
const problemsOf = (...lines: string[]): string[] => audit(lines, '/plane').problems;

const written = [asks(1, 'w'), pwrite(SEGMENT), pwrite(LOG, 96), has(1), asks(2, 'f')];

test('a flush that forces every file written to is one', () => {
  expect(problemsOf(...written, force(SEGMENT), pwrite(LOG, 40), force(LOG), has(2))).toEqual([]);
});

test('a flush that forces nothing, or one file of two, is none', () => {
  const message = (path: string): string =>
    `request 2 (f) was acknowledged before ${path} was forced`;
  expect(problemsOf(...written, has(2))).toEqual([message(`${SEGMENT},${LOG}`)]);
  expect(problemsOf(...written, force(LOG), has(2))).toEqual([message(SEGMENT)]);
});

test('what was forced before it was written to is not forced', () => {
  expect(
    problemsOf(...written.slice(0, 1), force(SEGMENT), ...written.slice(1), has(2)),
  ).toHaveLength(1);
});

test('a write with FUA is acknowledged when it is forced, one without need not be', () => {
  const write = (kind: string): string[] => [asks(1, kind), pwrite(SEGMENT)];
  expect(problemsOf(...write('W'), force(SEGMENT), has(1))).toEqual([]);
  expect(problemsOf(...write('W'), has(1))).toHaveLength(1);
  expect(problemsOf(...write('w'), has(1))).toEqual([]);
});

test('the note of a log behind what was forced is let be, anything longer is not', () => {
  const forced = [asks(1, 'W'), pwrite(LOG, 96), force(LOG)];
  expect(problemsOf(...forced, pwrite(LOG, 32), has(1))).toEqual([]);
  expect(problemsOf(...forced, pwrite(LOG, 40), has(1))).toHaveLength(1);
});

test('a call that others interrupted counts when it resumed', () => {
  const begun = `12 fdatasync(30<${SEGMENT}> <unfinished ...>`;
  const ended = '12 <... fdatasync resumed>) = 0';
  const write = [asks(1, 'W'), pwrite(SEGMENT), begun];
  expect(problemsOf(...write, ended, has(1))).toEqual([]);
  expect(problemsOf(...write, has(1), ended)).toHaveLength(1);
});

test('the note is one, too, if others interrupted its call', () => {
  const forced = [asks(1, 'W'), pwrite(LOG, 96), force(LOG)];
  const interrupted = (length: number): string[] => [
    `12 pwrite64(30<${LOG}>, "..."..., ${length}, 264 <unfinished ...>`,
    `12 <... pwrite64 resumed>)           = ${length}`,
  ];
  expect(problemsOf(...forced, ...interrupted(32), has(1))).toEqual([]);
  expect(problemsOf(...forced, ...interrupted(40), has(1))).toHaveLength(1);
});

test('several lines in one call are read in order, flushes are counted', () => {
  const lines = [asks(1, 'w'), pwrite(SEGMENT), say(['a', 1], ['i', 2, 'f', 1, 0, 0]), has(2)];
  expect(audit(lines, '/plane')).toMatchObject({ flushes: 1, problems: [expect.any(String)] });
});
