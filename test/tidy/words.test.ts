/** Names say what a thing is, and marks of unfinished work do not stay. */
import { describe, expect, test } from 'vitest';
import { loadTree, render, virtualTree } from './tree.ts';
import { wordProblems } from './words.ts';

function problemsIn(text: string, path = 'src/x.ts'): string[] {
  return render(wordProblems(virtualTree({ [path]: text })));
}

describe('words', () => {
  test('the source keeps to them', () => {
    expect(render(wordProblems(loadTree()))).toEqual([]);
  });

  test.each([
    'const diskManager = 1;',
    'function cryptoHelper() {}',
    'class StringUtil {}',
    'interface MetaService {}',
    'type Utils = 1;',
    'function f(info: string) {}',
    'const data = 1;',
    'const { x: data } = y;',
    'const META_SERVICES = 1;',
  ])('%s is found', (text) => {
    expect(problemsIn(`\n${text}`)).toHaveLength(1);
    expect(problemsIn(`\n${text}`)[0]).toMatch(/^src\/x\.ts:2: the name \w+ says nothing/);
  });

  test.each([
    'const serviceKey = 1;',
    'const isServiceKey = 1, service = 2;',
    'const dataKey = 1, dataDir = 2, utility = 3;',
    'const { data } = event;',
    "request.on('data', (bytes) => bytes.info);",
  ])('%s is let be', (text) => {
    expect(problemsIn(text)).toEqual([]);
  });

  test('a file or folder named for nothing is found', () => {
    expect(problemsIn('', 'src/base/utils.ts')).toHaveLength(1);
    expect(problemsIn('', 'test/helpers/x.ts')).toHaveLength(1);
  });
});

describe('marks', () => {
  test.each([
    ['// @ts-ignore\nx();', 'silences the type checker'],
    ['/* @ts-nocheck */', 'silences the type checker'],
    ['// TODO: later', 'needs an owner'],
    ['x(); // FIXME', 'needs an owner'],
    ['const x = y as any;', 'any is not a type'],
    ['function f(x: any[]) {}', 'any is not a type'],
    ["test.only('x', () => {});", '.only'],
    ["describe.only('x', () => {});", '.only'],
  ])('%s is found', (text, message) => {
    const found = problemsIn(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test.each([
    '// TODO(store): when the format changes',
    '// @ts-expect-error the argument is of the wrong type on purpose',
    "const only = 'any TODO';",
    'set.only(1);',
  ])('%s is let be', (text) => {
    expect(problemsIn(text)).toEqual([]);
  });
});
